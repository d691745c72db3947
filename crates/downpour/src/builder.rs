//! The typed builder: one setter per setting, with unit, default and cost.
//!
//! Kafka's property names go through `config::properties`; limits and contradictions are found
//! by `config::resolve`, before anything is started. What makes the producer,
//! [`ProducerBuilder::build`], stands beside it in `producer`.

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

use downpour_core::config::{Acks, Linger};
use downpour_wire::codec::Compression;

#[cfg(unix)]
use crate::config::connector::Connector;
use crate::config::family::AddressFamily;
use crate::config::partial::PartialConfig;
use crate::config::properties;
use crate::config::resolve;
use crate::config::servers::BootstrapServers;
use crate::config::settings::Settings;
use crate::error::config::ConfigError;
use crate::partitioner::Partitioner;

/// Describes a producer; [`build`](Self::build) makes it.
///
/// A setting that is given twice, by its setter or by its name, has the later value. Every value is
/// obeyed as it was given or refused by `build`, which names the setting as the caller did and says
/// what to try: nothing is rounded or cut. Ten years and more are for ever.
///
/// ```
/// use std::time::Duration;
/// use downpour::{CompressionType, Producer};
///
/// let producer = Producer::builder("localhost:9092")
///     .compression(CompressionType::Lz4)
///     .delivery_timeout(Duration::from_secs(60))
///     .property("linger.ms", "10")
///     .build()?;
/// # Ok::<(), downpour::ConfigError>(())
/// ```
#[derive(Clone)]
#[must_use]
pub struct ProducerBuilder<F = Async> {
    partial: PartialConfig,
    facade: PhantomData<F>,
}

/// What `build` makes of a [`ProducerBuilder`] is a [`Producer`](crate::Producer), whose verbs are
/// futures.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Async;

/// What `build` makes of a [`ProducerBuilder`] is a [`blocking::Producer`](crate::blocking::Producer).
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Blocking;

impl ProducerBuilder {
    /// Begins without any setting; [`bootstrap`](Self::bootstrap) or the property
    /// `bootstrap.servers` is needed. For the blocking facade, `.build()?.blocking()`.
    pub fn new() -> Self {
        Self::start()
    }
}

impl Default for ProducerBuilder {
    fn default() -> Self {
        Self::new()
    }
}

/// Without what may be a secret.
impl<F> fmt::Debug for ProducerBuilder<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProducerBuilder")
            .field("partial", &self.partial)
            .finish()
    }
}

impl<F> ProducerBuilder<F> {
    /// Begins without any setting, for either facade.
    pub(crate) fn start() -> Self {
        Self {
            partial: PartialConfig::default(),
            facade: PhantomData,
        }
    }

    /// Where to begin: `host:port`, several separated by commas or as an array, a slice or a vector.
    /// The other brokers of the cluster are learned from any that answers. It must be given, here or
    /// as `bootstrap.servers`.
    pub fn bootstrap(mut self, addresses: impl Into<BootstrapServers>) -> Self {
        self.partial.bootstrap.set(addresses.into());
        self
    }

    /// The name that brokers log and count quotas by, of at most 249 bytes without control characters.
    /// Default `downpour`.
    pub fn client_id(mut self, id: impl Into<String>) -> Self {
        self.partial.client_id.set(id.into());
        self
    }

    /// How many replicas must have a record before it counts as delivered. Default all.
    ///
    /// Anything less switches idempotence off, unless that was asked for, which is an error.
    pub fn acks(mut self, acks: Acks) -> Self {
        self.partial.acks.set(acks);
        self
    }

    /// Whether brokers recognise a record that is sent again, so that a retry never writes
    /// twice. Default on; costs one request at the start.
    pub fn idempotence(mut self, on: bool) -> Self {
        self.partial.idempotence.set(on);
        self
    }

    /// Without idempotence: whether several batches of one partition may be in flight, so that
    /// a retry may change their order. Default off: one is in flight, and order holds.
    pub fn allow_reordering(mut self, allow: bool) -> Self {
        self.partial.allow_reordering.set(allow);
        self
    }

    /// Whether records whose fate is unknown are sent again under a new epoch, as Java does,
    /// and may then be written twice. Default off: they end as unknown.
    pub fn resend_unknown(mut self, resend: bool) -> Self {
        self.partial.resend_unknown.set(resend);
        self
    }

    /// Whether a batch fails, with [`ErrorKind::DataLoss`](crate::ErrorKind::DataLoss), whose leader
    /// turns out to miss records before it that it had acknowledged: an unclean election or a lost
    /// disk took them. Default off: the batch goes on under a new epoch, and a warning tells of the
    /// loss. What is lost is lost either way; an error reaches whoever can produce it again, as with
    /// Java's producer. The batch that fails is not in the log, and those behind it go on.
    ///
    /// Only an idempotent producer can tell, and only by the next batch of the partition, within the
    /// minute that a broker is taken to remember it.
    pub fn fail_on_data_loss(mut self, fail: bool) -> Self {
        self.partial.fail_on_data_loss.set(fail);
        self
    }

    /// Whether records fail, with [`ErrorKind::OtherCluster`](crate::ErrorKind::OtherCluster), when
    /// another cluster answers at the [`bootstrap`](Self::bootstrap) addresses than the one that was
    /// written to. Default off: the producer follows the name, with a warning, a new producer id and
    /// what the new cluster says of topics; what may have been written to the former one ends as
    /// unknown. On: what waits fails until the former cluster is there again.
    ///
    /// It is noticed when none of the brokers that were known can be reached and the addresses are
    /// asked again; a broker whose own address leads to another cluster is left, whatever is said here,
    /// once it is asked for metadata. Until then records that are on their way to that address may be
    /// written there if it has a topic of that name and its brokers are older than topic ids in Produce
    /// (version 13). Brokers before 0.10.1 do not say which cluster they belong to.
    pub fn fail_on_cluster_change(mut self, fail: bool) -> Self {
        self.partial.fail_on_cluster_change.set(fail);
        self
    }

    /// Requests in flight per connection and batches per partition, 1 to 5. Default 5.
    pub fn max_in_flight(mut self, requests: usize) -> Self {
        self.partial.max_in_flight.set(requests);
        self
    }

    /// How often a batch is sent again after a failure that may be temporary. Default: without
    /// limit, until the delivery timeout; that is the better bound, for it is one of time.
    ///
    /// Once they are used up its records end with what went wrong last.
    pub fn retries(mut self, retries: u32) -> Self {
        self.partial.retries.set(retries);
        self
    }

    /// How long a batch that is not full waits for more records, always (Java's `linger.ms`): at most
    /// a day, and zero for no time at all. [`Producer::flush`](crate::Producer::flush) does not wait for it.
    /// Switches the default, [`linger_adaptive`](Self::linger_adaptive), off.
    pub fn linger(mut self, time: Duration) -> Self {
        self.partial.linger.set(Linger::Fixed(time));
        self
    }

    /// How long a batch that is not full waits while something is in flight to its broker; it
    /// leaves at once while nothing is. Default 5 ms, at most a day.
    pub fn linger_adaptive(mut self, time: Duration) -> Self {
        self.partial.linger.set(Linger::Adaptive(time));
        self
    }

    /// Bytes after which a batch is full, before compression. Default 64 KiB, at most 1 GiB; with 0
    /// each record has a batch of its own, unless records come faster than batches leave.
    ///
    /// A target: while as many batches of its partition are in flight as may be, an open one
    /// grows on towards the largest that the broker takes.
    pub fn batch_size(mut self, bytes: usize) -> Self {
        self.partial.batch_size.set(bytes);
        self
    }

    /// Records after which a batch is full, at least 1. Default: without limit, bytes decide.
    ///
    /// It costs nothing as long as so many records do not fit into a batch anyway, else a
    /// comparison per record.
    pub fn batch_records(mut self, records: usize) -> Self {
        self.partial.batch_records.set(records);
        self
    }

    /// The largest record, and the largest batch, in bytes before compression. Default 1 MiB,
    /// as brokers have it (`max.message.bytes`); 128 bytes to 1 GiB.
    pub fn record_max(mut self, bytes: usize) -> Self {
        self.partial.record_max.set(bytes);
        self
    }

    /// The largest request in bytes, at least the largest record: of the two, one that was not given gives
    /// way. Default 8 MiB; 128 bytes to 1 GiB.
    pub fn request_max(mut self, bytes: usize) -> Self {
        self.partial.request_max.set(bytes);
        self
    }

    /// How batches are compressed: a [`CompressionType`](crate::CompressionType), or a
    /// [`Compression`] with a level.
    /// Default none.
    pub fn compression(mut self, compression: impl Into<Compression>) -> Self {
        let compression = compression.into();
        self.partial.codec.set(compression.codec());
        match compression.level() {
            Some(level) => self.partial.level.set(level),
            None => self.partial.level.forget(),
        }
        self
    }

    /// From the opening of a record's batch to its last possible verdict, retries included. Default
    /// 120 s; at least linger plus request timeout, and 1 ms.
    ///
    /// Given alone it takes the other two along: a linger that was not given is at most a quarter of
    /// it, a request timeout that was not given at most what the linger leaves. Where it is not given,
    /// it is raised to what the other two need.
    ///
    /// A broker that asks for a pause (a quota) is left alone for as long as this at most.
    pub fn delivery_timeout(mut self, time: Duration) -> Self {
        self.partial.delivery_timeout.set(time);
        self
    }

    /// From a request's departure to its answer. Default 30 s, at least 1 ms.
    pub fn request_timeout(mut self, time: Duration) -> Self {
        self.partial.request_timeout.set(time);
        self
    }

    /// The longest that `send` waits for metadata and memory together. Default 60 s; with zero it
    /// never waits, and fails until the topic is known.
    pub fn max_block(mut self, time: Duration) -> Self {
        self.partial.max_block.set(time);
        self
    }

    /// First and largest pause before a retry; each is about twice the one before. Default
    /// 100 ms and 1 s, each at least 1 ms.
    pub fn retry_backoff(mut self, first: Duration, largest: Duration) -> Self {
        self.partial.retry_backoff.set(first);
        self.partial.retry_backoff_max.set(largest);
        self
    }

    /// First and largest pause before a reconnect to the same broker. Default 50 ms and 1 s,
    /// each at least 1 ms.
    pub fn reconnect_backoff(mut self, first: Duration, largest: Duration) -> Self {
        self.partial.reconnect_backoff.set(first);
        self.partial.reconnect_backoff_max.set(largest);
        self
    }

    /// How long a connection may take until it is ready. Default 10 s, at least 1 ms.
    pub fn connect_timeout(mut self, time: Duration) -> Self {
        self.partial.connect_timeout.set(time);
        self
    }

    /// How long a connection may carry nothing before it is closed: at least 1 s, or zero for never.
    /// Default 210 s: load balancers and forwarders forget a connection without a word after 240 s
    /// and more, and the next record would wait for its request timeout. A connection that was closed
    /// costs the next record a connect and a round trip.
    pub fn idle_timeout(mut self, time: Duration) -> Self {
        self.partial.idle_timeout.set(time);
        self
    }

    /// The age at which metadata is refreshed without cause. Default 300 s, at least 100 ms.
    pub fn metadata_max_age(mut self, time: Duration) -> Self {
        self.partial.metadata_max_age.set(time);
        self
    }

    /// How long nobody may have sent to a topic before it is forgotten: it is left out of refreshes from
    /// then on, and its leaders' memory is given back. Default 300 s, at least 5 s.
    ///
    /// Topics leave with a refresh, so at most [`metadata_max_age`](Self::metadata_max_age) later, and
    /// never with a record on its way. The next record to such a topic waits for its metadata, as the
    /// first one did: one more round trip, and `NotReady` from `try_send`. Order, sequence and whatever
    /// is bound to the topic stay. Too long a time costs the size of the topic's metadata per refresh.
    pub fn metadata_max_idle(mut self, time: Duration) -> Self {
        self.partial.metadata_max_idle.set(time);
        self
    }

    /// The most topics that the producer may know, whether they exist or not. Default 200,000, at
    /// least 1. A record to one more is refused.
    ///
    /// What a topic takes is given back when the producer ends and not before, since the sequence of
    /// its records goes on where it stopped, however long nobody has sent to it: 4 KiB, and 1 KiB for
    /// each further partition, outside [`buffer_memory`](Self::buffer_memory).
    pub fn topics_max(mut self, topics: usize) -> Self {
        self.partial.topics_max.set(topics);
        self
    }

    /// The age, by its timestamp, from which on a record is sent with care. Default 6 h.
    ///
    /// Brokers forget an idempotent producer a day after the latest *timestamp* of its records
    /// (`producer.id.expiration.ms`), not after they came: a backfill of last week's records may
    /// lose its protection against duplicates and reordering at any moment. So a batch whose
    /// records are all older than this goes alone, one round trip each, and if its answer is lost
    /// it ends unknown instead of being sent again, unless [`resend_unknown`](Self::resend_unknown)
    /// is on. Topics that stamp records themselves (`LogAppendTime`) are exempt once an answer has
    /// shown it. Set it well below the brokers' `producer.id.expiration.ms`; without idempotence
    /// it means nothing.
    pub fn old_record_age(mut self, age: Duration) -> Self {
        self.partial.old_record_age.set(age);
        self
    }

    /// How long brokers may say that a topic does not exist before a send to it is refused; zero
    /// for at their first answer. Default 5 s.
    ///
    /// It counts from the first such answer, and the topic is asked for again meanwhile, since
    /// one that was created a moment ago is not known to every broker at once, nor is one that
    /// brokers create because they are asked (with zero the send that makes them is refused).
    /// Whoever sends to it after that has it asked for again, and is refused within a second or
    /// two if it is still missing. A [`max_block`](Self::max_block) that is shorter ends the wait
    /// earlier, as a time-out which says that the topic is not known.
    pub fn unknown_topic_timeout(mut self, time: Duration) -> Self {
        self.partial.unknown_topic_timeout.set(time);
        self
    }

    /// Whether brokers may create a topic that is asked for, if they are set up to. Default on.
    pub fn auto_create_topics(mut self, allow: bool) -> Self {
        self.partial.auto_create_topics.set(allow);
        self
    }

    /// The largest answer that is read, in bytes. Default 100 MiB; 1000 bytes to 1 GiB. A larger one
    /// ends its connection, and the reason is said.
    ///
    /// While an answer is read it takes up to six times its size for a moment, or ten where each
    /// partition has many replicas. What is kept afterwards is bounded apart from this: only of the
    /// topics in use, about 800 bytes per partition. Metadata is refused, with the reason, that says
    /// more than 10,000 brokers, or 100,000 partitions of one topic.
    pub fn response_max(mut self, bytes: usize) -> Self {
        self.partial.response_max.set(bytes);
        self
    }

    /// Memory for records that have no verdict yet, in bytes: at least 1 KiB, and at least the
    /// [`batch_size`](Self::batch_size) if that is given. Default 64 MiB, or the largest record if that
    /// is more. While it is full, `send` waits its turn and `try_send` gives the record back; a record
    /// that is larger than all of it is refused.
    ///
    /// Where several brokers lead partitions of the topics in use, the records for one of them may
    /// hold no more than what is free afterwards: one that does not answer then never holds more
    /// than half, and records for the others go on. Callers wait in a line per broker. The cost:
    /// with `k` brokers busy one part in `k + 1` stays free, so that records for one alone get half.
    /// With a single broker all of it is used. Records without a key avoid partitions of a broker
    /// that has owed an answer for a second, or was out of reach, as long as there are others.
    ///
    /// Memory is taken in chunks of a power of two, and a batch whose delivery timeout passes while it
    /// is in flight keeps its memory until its request ends. Give it four times the largest record at
    /// least: one that needs all of it waits until nothing else is held, and the others wait behind it.
    pub fn buffer_memory(mut self, bytes: usize) -> Self {
        self.partial.buffer_memory.set(bytes);
        self
    }

    /// Records that may have no verdict yet, at least 1. Default: without limit, bytes decide.
    ///
    /// Each record then counts for at least its share of [`buffer_memory`](Self::buffer_memory), which
    /// is that memory divided by this number; everything said there holds, and a `send` waits as it
    /// does for memory. There are never more records than this, and there may be fewer while `send`
    /// waits: batches take their shares a few records ahead, a 64th of all at most, and where large
    /// records need more than their share, less is left for others. Without a limit it costs nothing,
    /// with one a comparison per record.
    pub fn buffer_records(mut self, records: usize) -> Self {
        self.partial.buffer_records.set(records);
        self
    }

    /// Whether the kernel asks a broker that says nothing whether it is still there (TCP's
    /// keepalive): after 30 s, and three times, 10 s apart, before the connection ends. It also keeps
    /// forwarders from forgetting the connection. Default on, as in Java; off in librdkafka.
    pub fn keepalive(mut self, on: bool) -> Self {
        self.partial.keepalive.set(on);
        self
    }

    /// The kernel's send buffer of each connection, in bytes. Default, and 0: the kernel's choice.
    pub fn send_buffer(mut self, bytes: usize) -> Self {
        self.partial.send_buffer.set(bytes);
        self
    }

    /// The kernel's receive buffer of each connection, in bytes. Default, and 0: the kernel's choice.
    pub fn receive_buffer(mut self, bytes: usize) -> Self {
        self.partial.receive_buffer.set(bytes);
        self
    }

    /// Which of the addresses that a broker's name has are connected to. Default: all, in the order that
    /// the system's resolver gives.
    pub fn address_family(mut self, family: AddressFamily) -> Self {
        self.partial.family.set(family);
        self
    }

    /// What chooses the partition of a record that names none. Default:
    /// [`DefaultPartitioner`](crate::DefaultPartitioner), Java's: murmur2 over the key, and sticky
    /// for records without one. Costs a call per record, and `send_many` locks a partition per
    /// record.
    pub fn partitioner(mut self, partitioner: impl Partitioner + 'static) -> Self {
        self.partial.partitioner.set(Arc::new(partitioner));
        self
    }

    /// Opens connections by this closure in TCP's place, given host and port. For tests: a
    /// fake cluster hands over one end of a socket pair. Hidden, for it is there on Unix alone.
    #[doc(hidden)]
    #[cfg(unix)]
    pub fn connector<O>(mut self, open: O) -> Self
    where
        O: Fn(&str, u16) -> std::io::Result<std::os::unix::net::UnixStream> + Send + Sync + 'static,
    {
        self.partial.connector = Connector::Custom(Arc::new(open));
        self
    }

    /// One setting by Kafka's name, such as `linger.ms`, with the value as text.
    ///
    /// Every name of Java's producer and of librdkafka's has one of three answers, which
    /// [`properties`](crate::properties) lists: it works, it is harmless and ignored with a warning, or
    /// it is an error at [`build`](Self::build). So is a name that nobody knows.
    pub fn property(mut self, name: impl AsRef<str>, value: impl AsRef<str>) -> Self {
        properties::apply(&mut self.partial, name.as_ref(), value.as_ref());
        self
    }

    /// Several settings by Kafka's names.
    pub fn properties<N: AsRef<str>, V: AsRef<str>>(
        self,
        properties: impl IntoIterator<Item = (N, V)>,
    ) -> Self {
        properties
            .into_iter()
            .fold(self, |builder, (name, value)| builder.property(name, value))
    }

    /// Skips names that are known and not supported, with a warning in the log, in place of
    /// an error. Names that nobody knows stay errors, and so does whatever asks for encryption, for a
    /// name to be proven (SASL), or for transactions.
    pub fn ignore_unsupported_properties(mut self) -> Self {
        self.partial.ignore_unsupported = true;
        self
    }

    /// The checked settings.
    pub(crate) fn resolve(self) -> Result<Settings, ConfigError> {
        let mut partial = self.partial;
        properties::tell_ignored(&mut partial);
        resolve::settings(partial)
    }
}
