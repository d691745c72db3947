//! What needs no more than one broker: one test binary, so that its tests share a broker for each
//! version. Storms on three brokers are in `storms`.

mod acks;
mod changes;
mod outages;
mod read_back;
mod shared;
mod topics;
