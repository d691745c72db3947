//! A fast Kafka producer that is honest about failure.
//!
//! [`Producer`] is async and needs no particular executor; [`blocking::Producer`] is the same
//! without one. A record is accepted first and acknowledged later, and each stage has its own
//! error: [`SendError`] says that nothing was or will be sent, [`DeliveryError`] says whether
//! the record is in the log, or that nobody can know.
//!
//! ```
//! use downpour::{Producer, Record};
//! # let cluster = downpour_fake::FakeCluster::builder().topic("events", 3).start()?;
//! # let bootstrap = cluster.bootstrap_servers();
//!
//! let producer = Producer::builder(bootstrap).build()?.blocking();
//! let report = producer.send_and_wait(Record::to("events").value("hello"))?;
//! println!("partition {} offset {:?}", report.partition(), report.offset());
//! producer.close();
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! What a producer tells operators, and how to see it, is in [`logging`]; Kafka's names of its
//! settings are in [`properties`].

mod accept;
pub mod blocking;
mod builder;
mod config;
mod delivery;
mod error;
mod io;
mod label;
pub mod logging;
#[cfg(test)]
mod models;
mod observe;
mod partitioner;
mod producer;
pub mod properties;
mod record;
mod shared;
#[cfg(feature = "simulation")]
#[doc(hidden)]
pub mod simulation;
mod sys;
mod topic;
mod topics;

pub use downpour_core::callers::partitioner::Choice;
pub use downpour_core::client::connect_error::{ConnectError, ConnectErrorKind};
pub use downpour_core::config::{Acks, Address};
pub use downpour_core::outcome::{Cause, WaitingFor, Written};
pub use downpour_wire::codec::{Compression, CompressionError, CompressionType};
pub use downpour_wire::error_code::ErrorCode;
pub use downpour_wire::parse_error::ParseError;

pub use builder::ProducerBuilder;
pub use delivery::deliveries::{Deliveries, DeliveriesIntoIter, DeliveriesIter, Reports};
pub use delivery::delivery::Delivery;
pub use delivery::many::{ProduceManyError, SendManyError};
pub use delivery::report::Report;
pub use error::config::{ConfigError, ConfigProblem};
pub use error::delivery::{DeliveryError, WaitTimeout};
pub use error::record::{Field, InvalidRecord};
pub use error::send::{MemoryHolder, ProduceError, SendError, SendTimeout, WaitedFor};
pub use observe::statistics::{BrokerStatistics, Counts, PartitionStatistics, Statistics};
pub use partitioner::{DefaultPartitioner, PartitionContext, Partitioner};
pub use producer::Producer;
pub use record::headers::{HeaderValues, Headers, HeadersIter};
pub use record::part::Part;
pub use record::record::{Record, TopicRef};
pub use record::unfinished::{Unfinished, UnknownRecords};
pub use topic::Topic;

/// What async verbs return: futures with names, so that types of yours can hold them.
///
/// None needs a particular executor, none does anything before it is polled, and all are `Unpin`
/// and `Send`.
pub mod future {
    pub use crate::accept::futures::{
        Close, CloseWithin, Flush, Send, SendAndWait, SendMany, SendManyAndWait,
    };
}

/// The README's programs, compiled.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
struct Readme;
