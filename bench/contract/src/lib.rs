//! What every Rust peer of the bench shares. A peer in another language speaks the same command
//! line and prints the same line; `bench/README.md` states both. No producer is known here.

mod arguments;
mod beside;
mod idle;
mod meter;
mod pace;
mod payloads;
mod result;
mod run;
mod share;

pub use arguments::{Arguments, Unreadable};
pub use beside::{Header, hash};
pub use meter::{Meter, Spent};
pub use pace::Pace;
pub use payloads::Payloads;
pub use result::{About, Tally};
pub use run::{Acks, Codec, IDLE, Run, Spread, measure};
pub use share::{Share, in_threads};
