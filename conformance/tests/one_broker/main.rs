//! What needs no more than one broker. It is one test binary, so that its tests share one broker per
//! version. Chaos runs on three brokers are in `chaos`.

mod acks;
mod changes;
mod outages;
mod read_back;
mod shared;
mod topics;
