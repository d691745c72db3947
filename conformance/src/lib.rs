//! What the tests against real Apache Kafka share: a load whose records know who they are, the
//! troubles that befall the brokers meanwhile, and a checker that compares what the producer said
//! with what a foreign consumer read. The tests themselves are in `tests`.

pub mod check;
pub mod identity;
pub mod ledger;
pub mod load;
pub mod proxy;
pub mod random;
pub mod storm;
pub mod trouble;
