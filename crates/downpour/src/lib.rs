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
//! let report = producer.produce_sync(Record::to("events").value("hello"))?;
//! println!("partition {} offset {:?}", report.partition(), report.offset());
//! producer.close();
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod accept;
mod batch_state;
pub mod blocking;
mod builder;
mod check;
mod clock;
mod config_error;
mod connector;
mod deliveries;
mod delivery;
mod draft;
mod end;
mod error;
mod failure;
mod fork;
mod invalid;
mod io;
mod label;
mod mailbox;
mod many;
mod memory;
mod part;
mod partitions;
mod producer;
mod properties;
mod record;
mod report;
mod send;
mod settings;
mod shared;
mod timers;
mod topic;
mod topic_handle;
mod topics;
mod unfinished;
mod validate;
mod waits;
mod wake;

pub use downpour_core::callers::partitioner::{Choice, Partitioner};
pub use downpour_core::config::{Acks, Address};
pub use downpour_core::outcome::{Cause, WaitingFor, Written};
pub use downpour_wire::codec::{Compression, CompressionError, CompressionType};
pub use downpour_wire::error_code::ErrorCode;
pub use downpour_wire::record::Header;

pub use builder::ProducerBuilder;
pub use config_error::{ConfigError, ConfigProblem};
pub use deliveries::Deliveries;
pub use delivery::Delivery;
pub use error::{
    ProduceError, ProduceManyError, SendError, SendManyError, SendTimeout, TrySendError, WaitedFor,
};
pub use failure::{DeliveryError, WaitTimeout};
pub use invalid::{Field, InvalidRecord};
pub use label::Label;
pub use part::Part;
pub use producer::Producer;
pub use record::{HeaderValue, Record, TopicRef};
pub use report::{Outcome, Report};
pub use topic_handle::Topic;
pub use unfinished::{Unfinished, UnknownRecords};

/// The README's programs, compiled.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
struct Readme;
