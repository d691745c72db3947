//! Kafka's property names, Java's and librdkafka's, and what each of them does here.
//!
//! They are given to [`ProducerBuilder::property`](crate::ProducerBuilder::property). Nothing but
//! this page is in here.
//!
#![doc = include_str!("../PROPERTIES.md")]
