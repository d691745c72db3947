//! A Kafka producer: native, fast, and honest about failure.
//!
//! No librdkafka, no C in the default build, no executor of its own: it works on tokio, on any other
//! and on none. Idempotent with `acks=all` by default, it batches by itself and costs next to nothing
//! per record.
//!
//! ```
//! use downpour::{Producer, Record};
//! # let cluster = downpour_fake::FakeCluster::builder().topic("events", 3).start()?;
//! # let bootstrap = cluster.bootstrap_servers();
//!
//! let producer = Producer::builder(bootstrap).build()?.blocking();
//! let report = producer.send_and_wait(Record::to("events").key("user-1").value("clicked"))?;
//! println!("partition {} offset {:?}", report.partition(), report.offset());
//! producer.close();
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! From async code, in two stages: awaiting a send means *accepted*, awaiting its handle means
//! *acknowledged*. So a loop fills batches while the network works:
//!
//! ```
//! use downpour::{Producer, Record};
//! # let cluster = downpour_fake::FakeCluster::builder().topic("events", 3).start()?;
//! # let bootstrap = cluster.bootstrap_servers();
//!
//! # smol::block_on(async {
//! let producer = Producer::builder(bootstrap).build()?;
//! let mut deliveries = Vec::new();
//! for number in 0..1000 {
//!     let record = Record::to("events").value(number.to_string());
//!     deliveries.push(producer.send(record).await?); // waits only while memory is full
//! }
//! for delivery in deliveries {
//!     delivery.await?; // a verdict for each
//! }
//! producer.close().await;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! [`programs`] has ten more, whole ones: a service that ends well, a file line by line, what to do on errors, a
//! test with a fault, threads, settings from a file, and others.
//!
//! # What it guarantees
//!
//! 1. Every accepted record gets exactly one verdict: delivered, not written, or unknown, where an answer
//!    was lost and nobody can say. A dropped producer is no exception.
//! 2. Records of a partition are in the log in the order in which they were accepted.
//! 3. A retry is byte-identical and keeps its sequence, so that the broker knows it again: none is written
//!    twice.
//! 4. What may be in the log already is never sent so that the broker could not know it again; who
//!    prefers a duplicate to a doubt asks for it ([`resend_unknown`](ProducerBuilder::resend_unknown)).
//! 5. Memory and waits have bounds ([`buffer_memory`](ProducerBuilder::buffer_memory),
//!    [`max_block`](ProducerBuilder::max_block), [`delivery_timeout`](ProducerBuilder::delivery_timeout)).
//!
//! The end of `main` is the exception to keep in mind: a process that ends without
//! [`close`](Producer::close) loses what has no verdict yet.
//!
//! # What to do on each error
//!
//! Which error it is says how far the record came:
//!
//! | you hold | it says |
//! |---|---|
//! | [`ConfigError`] | a setting is wrong; all problems are listed, and nothing was started |
//! | [`SendError`] | never accepted: nothing was or will be sent |
//! | [`DeliveryError`] | accepted, and not acknowledged: [`written`](DeliveryError::written) says whether it is not in the log or nobody can know |
//! | [`ProduceError`] | either, from the verbs that send and wait |
//!
//! `kind()` of each says why in one word: [`ErrorKind`] is the page on what to do about each.
//! `is_retriable()` says whether the same record may be sent again and fare better, the text names who
//! was asked and what they said, and `source()` leads to the [`std::io::Error`] if there is one.
//!
//! # Without async
//!
//! [`blocking::Producer`] has the same verbs without futures, and WaterDrop's names beside them
//! (`produce_sync`, `produce_async`, ...). Both are handles to one producer, cloned at will and used
//! from any thread: [`Producer::blocking`] there, [`as_async`](blocking::Producer::as_async) back.
//!
//! # Settings
//!
//! [`ProducerBuilder`] has a setter for each, with unit, default and cost.
//! [`property`](ProducerBuilder::property) takes every name of Java's producer and of librdkafka: a name
//! works, or is harmless and ignored with a warning, or is refused with the reason and what to use
//! instead. [`properties`] lists them all.
//!
//! # Features
//!
//! | feature | default | what it brings | what it costs |
//! |---|---|---|---|
//! | `gzip` | yes | gzip batches | `flate2` on `zlib-rs`, pure Rust |
//! | `snappy` | yes | snappy batches | `snap`, pure Rust |
//! | `lz4` | yes | lz4 batches | `lz4_flex`, pure Rust |
//! | `zstd` | no | zstd batches | a C compiler, for the `zstd` crate |
//! | `bytes` | no | keys, values and headers from `Bytes` | the `bytes` crate |
//!
//! # Logging
//!
//! What operators should know goes to [`tracing`]: connections that fail or come back, topics that are
//! refused, records that are dropped. Nothing is said per record, secrets are shown as `***`, and
//! without a subscriber nothing is spent. [`logging`] lists every line, and how to see them;
//! [`Producer::statistics`] has the numbers.
//!
//! # Testing
//!
//! `downpour-fake` is a Kafka cluster inside the test's process: strict where a real broker is, with
//! faults in a line each. Every example here runs against it.
//!
//! ```
//! use downpour::{Producer, Record};
//! use downpour_fake::{ApiKey, FakeCluster, Fault};
//!
//! let cluster = FakeCluster::builder().topic("events", 1).start()?;
//! cluster.fault(Fault::apply_and_lose_answer().on(ApiKey::Produce));
//! let producer = Producer::builder(cluster.bootstrap_servers()).build()?.blocking();
//! producer.send_and_wait(Record::to("events").value("clicked"))?;
//! cluster.assert_delivered_once("events", ["clicked"]);
//! # producer.close();
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Coming from another client
//!
//! Names and values of properties work as they are. Guides from rdkafka, rskafka, WaterDrop and Java's producer will
//! stand here; transactions, TLS and SASL are not there yet.

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
pub mod programs;
pub mod properties;
mod record;
mod shared;
#[cfg(feature = "simulation")]
#[doc(hidden)]
pub mod simulation;
mod sys;
mod topic;
mod topic_producer;
mod topics;

pub use downpour_core::callers::partitioner::Choice;
pub use downpour_core::client::connect_error::{ConnectError, ConnectErrorKind};
pub use downpour_core::client::partition_info::{BrokerInfo, PartitionInfo};
pub use downpour_core::config::{Acks, Address};
pub use downpour_core::outcome::Written;
pub use downpour_wire::codec::{Compression, CompressionError, CompressionType};
pub use downpour_wire::error_code::ErrorCode;
pub use downpour_wire::parse_error::ParseError;

pub use builder::{Async, Blocking, ProducerBuilder};
pub use config::family::AddressFamily;
pub use config::servers::BootstrapServers;
pub use delivery::deliveries::{Deliveries, DeliveriesIntoIter, DeliveriesIter, Reports};
pub use delivery::delivery::Delivery;
pub use delivery::many::{ProduceManyError, SendManyError};
pub use delivery::report::Report;
pub use error::config::{ConfigError, ConfigProblem, ConfigProblemKind};
pub use error::delivery::{DeliveryError, WaitTimeout};
pub use error::kind::ErrorKind;
pub use error::produce::ProduceError;
pub use error::record::{Field, InvalidRecord};
pub use error::send::{MemoryHolder, SendError, WaitedFor};
pub use observe::statistics::{BrokerStatistics, Counts, PartitionStatistics, Statistics};
pub use partitioner::{DefaultPartitioner, PartitionContext, Partitioner};
pub use producer::{Producer, TopicProducer};
pub use record::headers::{HeaderValues, Headers, HeadersIter};
pub use record::message::Message;
pub use record::part::Part;
pub use record::record::{Record, TopicRef};
pub use record::unfinished::{Unfinished, UnknownRecords};
pub use topic::{Raw, Topic};

/// What async verbs return: futures with names, so that types of yours can hold them.
///
/// None needs a particular executor, none does anything before it is polled, and all are `Unpin`
/// and `Send`.
pub mod future {
    pub use crate::accept::asking::{Connect, PartitionCount, PartitionsFor};
    pub use crate::accept::futures::{
        Close, CloseWithin, Flush, Send, SendAndWait, SendMany, SendManyAndWait,
    };
    pub use crate::producer::BindTopic;
}

/// The README's programs, compiled.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
