//! What the tests against real Apache Kafka share: a load of tagged records, faults of the brokers
//! meanwhile, and a checker that compares what the producer said with what a foreign consumer read.
//! The tests themselves are in `tests`.

pub mod chaos;
pub mod check;
pub mod faults;
pub mod ledger;
pub mod load;
pub mod proxy;
pub mod random;
pub mod record_tag;
pub mod storm;
