//! What went wrong in one word, and which word each of Kafka's codes and of core's causes has.
//!
//! The errors that have a kind are in `error::send`, `error::delivery` and `error::produce`.

use std::fmt;

use downpour_core::errors::{self, Reaction};
use downpour_core::outcome::{Cause, Written};
use downpour_wire::error_code::ErrorCode;

/// What went wrong, in one word to decide by; and the page on what to do about each error.
///
/// An error answers three questions, and most programs need them in this order:
///
/// 1. [`written()`](crate::DeliveryError::written): is the record in the log? [`No`](Written::No),
///    or [`Unknown`](Written::Unknown), where sending it again could write it twice. A
///    [`SendError`](crate::SendError) is always a `No`.
/// 2. [`is_retriable()`](crate::DeliveryError::is_retriable): may the same record be sent again, and
///    fare better? What was temporary has been tried again before the error came, for as long as
///    `max_block` or `delivery_timeout` allow, so wait before you do.
/// 3. `kind()`: why? A time-out has the kind of what was in the way where that is known
///    ([`Unreachable`](Self::Unreachable), [`UnknownTopic`](Self::UnknownTopic), a broker's code), and is
///    [`TimedOut`](Self::TimedOut) otherwise; `is_timeout()` tells it either way.
///
/// | kind | what happened | what to do |
/// |---|---|---|
/// | [`InvalidRecord`](Self::InvalidRecord) | a field of the record was refused, here or by the broker | mend the record or drop it; [`invalid_record()`](crate::SendError::invalid_record) names the field and the remedy |
/// | [`TooLarge`](Self::TooLarge) | the record is larger than `record_max`, `buffer_memory` or the broker allow | send less, or raise `record_max` here and `max.message.bytes` of the topic |
/// | [`UnknownTopic`](Self::UnknownTopic) | the cluster has no such topic, and did not get one in time | create it or mend the name, then send again |
/// | [`Authorization`](Self::Authorization) | this client lacks a right | grant it `Write` on the topic, and `IdempotentWrite` on the cluster if that is older than Kafka 3.0 |
/// | [`Authentication`](Self::Authentication) | the broker does not take this client for who it says it is | mend name, password or certificate; comes with SASL and TLS |
/// | [`Unreachable`](Self::Unreachable) | a broker that was needed could not be reached in time | [`unreachable()`](crate::SendError::unreachable) says where and why: look at address, port, firewall and `advertised.listeners`; retry later |
/// | [`TimedOut`](Self::TimedOut) | the time was up, and nothing said why | retry later; if it comes often, brokers or network are too slow for the load, or the time is too short |
/// | [`BufferFull`](Self::BufferFull) | `buffer_memory` had no room: at once for `try_send`, within `max_block` otherwise | wait for deliveries, send more slowly; [`memory_holders()`](crate::SendError::memory_holders) says whose records hold it |
/// | [`NotReady`](Self::NotReady) | `try_send` would have to wait for the topic's metadata, which it has asked for | try again in a moment, or use `send`, which waits |
/// | [`Serialization`](Self::Serialization) | a key or a value could not be encoded | mend it; comes with typed topics |
/// | [`Fenced`](Self::Fenced) | another producer took this one's place, or the broker says so | end this one; more comes with transactions |
/// | [`Aborted`](Self::Aborted) | the record was well, and what it travelled with was not: another record of its batch was refused, its partition is gone, or its sequence could not go on | send it again if it `is_retriable()` |
/// | [`AnswerLost`](Self::AnswerLost) | the connection ended, or the broker stayed silent, before it answered for the record | ask `written()`; if that is `Unknown`, decide between losing it and writing it twice |
/// | [`DataLoss`](Self::DataLoss) | the leader lost records before this one that it had acknowledged, and [`fail_on_data_loss`](crate::ProducerBuilder::fail_on_data_loss) asks for an error | produce again what is lost, if you can, then this one; look for an unclean election or a lost disk |
/// | [`OtherCluster`](Self::OtherCluster) | another cluster answers at the bootstrap addresses, and [`fail_on_cluster_change`](crate::ProducerBuilder::fail_on_cluster_change) forbids to follow it | mend the name, or build another producer for that cluster |
/// | [`Closed`](Self::Closed) | the producer is closed, or its deadline for closing passed | use another producer; `close_within` hands back what was never sent |
/// | [`Forked`](Self::Forked) | this process was forked after the producer was built | build a producer in the child |
/// | [`InCallback`](Self::InCallback) | the call would have to wait in a waker, a log subscriber or a drop that the producer runs | wait elsewhere, or use `try_send` |
/// | [`NoThread`](Self::NoThread) | the operating system gave no thread for I/O | allow the process more threads, and build another producer |
/// | [`Internal`](Self::Internal) | a defect of this library | please report it, with the error's text |
/// | [`Broker`](Self::Broker) | a broker's answer that has no word of its own here | look its name up in Kafka's documentation; `is_retriable()` knows whether it passes |
///
/// Kinds are added when there is more to tell; a code that is a [`Broker`](Self::Broker) today may
/// get a word of its own then. Match the words that you act on, and leave the rest to `_`.
///
/// # Examples
///
/// What to do with a record that was not accepted or not delivered:
///
/// ```
/// use downpour::{ErrorKind, Producer, Record, Written};
/// # use downpour::ErrorCode;
/// # use downpour_fake::{ApiKey, FakeCluster, Fault};
/// # let cluster = FakeCluster::builder().topic("orders", 1).start()?;
/// # let refused = Fault::error(ErrorCode::INVALID_RECORD);
/// # cluster.fault(refused.on(ApiKey::Produce).always());
/// # let bootstrap = cluster.bootstrap_servers();
///
/// let producer = Producer::builder(bootstrap).build()?.blocking();
/// let record = Record::to("orders").value("an order that the broker refuses");
/// if let Err(error) = producer.send_and_wait(record) {
///     match error.kind() {
///         ErrorKind::InvalidRecord | ErrorKind::TooLarge => eprintln!("put aside: {error}"),
///         ErrorKind::Closed => return Ok(()),
///         _ if error.is_retriable() => eprintln!("again in a second: {error}"),
///         _ if error.written() == Written::Unknown => eprintln!("somebody has to look: {error}"),
///         _ => return Err(error.into()),
///     }
///     # assert_eq!(error.kind(), ErrorKind::InvalidRecord);
/// } else {
///     # unreachable!("it is refused");
/// }
/// producer.close();
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Texts and causes
///
/// An error's text (`{}`) is the whole reason: no chain has to be walked to read it. Its `Debug` is
/// the kind, whether it was written, and the same text, so that `?` out of `main` reads well:
///
/// ```
/// use downpour::{Producer, Record};
/// # let cluster = downpour_fake::FakeCluster::builder().topic("orders", 1).start()?;
/// # let bootstrap = cluster.bootstrap_servers();
///
/// fn run(bootstrap: String) -> Result<(), Box<dyn std::error::Error>> {
///     let producer = Producer::builder(bootstrap).build()?.blocking();
///     producer.send(Record::to("orders").partition(7).value("clicked"))?;
///     Ok(())
/// }
///
/// let error = run(bootstrap).unwrap_err();
/// assert_eq!(
///     format!("{error:?}"),
///     "SendError { kind: InvalidRecord, written: No }: invalid record: partition is 7, but \
///      orders has 1 partitions; name one that exists, or leave it out"
/// );
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// `source()` is for programs. It is what is not this library's own: the [`std::io::Error`] that a
/// connection failed with, or with which no thread could be started. Whoever prints a whole chain, as
/// anyhow's `{:#}` does, reads the operating system's words twice, and nothing else.
///
/// ```
/// use std::error::Error;
/// use std::io;
/// use std::time::Duration;
///
/// use downpour::{ErrorKind, Producer, Record};
///
/// // Nobody listens there.
/// let producer = Producer::builder("127.0.0.1:1").max_block(Duration::from_millis(200));
/// let producer = producer.build()?.blocking();
/// let error = producer.send(Record::to("orders").value("clicked")).unwrap_err();
/// assert_eq!(error.kind(), ErrorKind::Unreachable);
/// assert!(error.is_timeout() && error.is_retriable());
/// let source = error.source().and_then(|source| source.downcast_ref::<io::Error>());
/// assert_eq!(source.unwrap().kind(), io::ErrorKind::ConnectionRefused);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// A field of the record was refused, here or by the broker; it will be every time.
    InvalidRecord,
    /// The record is larger than this producer or the broker allow.
    TooLarge,
    /// The cluster has no such topic.
    UnknownTopic,
    /// This client lacks a right.
    Authorization,
    /// The broker does not take this client for who it says it is. Nothing says so yet: it comes
    /// with SASL and TLS.
    Authentication,
    /// A broker that was needed could not be reached in time.
    Unreachable,
    /// The time was up, and nothing said why.
    TimedOut,
    /// There was no room in `buffer_memory`.
    BufferFull,
    /// Only from `try_send`: the topic's metadata has been asked for and is not here yet.
    NotReady,
    /// A key or a value could not be encoded. Nothing says so yet: it comes with typed topics.
    Serialization,
    /// Another producer took this one's place.
    Fenced,
    /// The record was well, and what it travelled with was not: another record of its batch was
    /// refused, or its sequence could not go on.
    Aborted,
    /// The connection ended, or the broker stayed silent, before it answered for the record.
    AnswerLost,
    /// The leader lost records before this one that it had acknowledged. Only with
    /// [`fail_on_data_loss`](crate::ProducerBuilder::fail_on_data_loss).
    DataLoss,
    /// Another cluster answers than the one that this producer writes to. Only with
    /// [`fail_on_cluster_change`](crate::ProducerBuilder::fail_on_cluster_change).
    OtherCluster,
    /// The producer is closed, or its deadline for closing passed.
    Closed,
    /// This process was forked after the producer was built.
    Forked,
    /// The call would have to wait, in a waker, a log subscriber or a drop that the producer runs,
    /// where waiting could last forever.
    InCallback,
    /// The I/O thread could not be started.
    NoThread,
    /// A defect of this library; please report it.
    Internal,
    /// A broker's answer that has no word of its own here.
    Broker(ErrorCode),
}

impl ErrorKind {
    /// The word for a broker's code.
    pub(crate) fn of_code(code: ErrorCode) -> Self {
        use ErrorCode as E;
        match code {
            E::INVALID_RECORD | E::INVALID_TIMESTAMP | E::INVALID_TOPIC_EXCEPTION => {
                Self::InvalidRecord
            }
            E::MESSAGE_TOO_LARGE | E::RECORD_LIST_TOO_LARGE => Self::TooLarge,
            E::UNKNOWN_TOPIC_OR_PARTITION | E::UNKNOWN_TOPIC_ID => Self::UnknownTopic,
            E::TOPIC_AUTHORIZATION_FAILED
            | E::GROUP_AUTHORIZATION_FAILED
            | E::CLUSTER_AUTHORIZATION_FAILED
            | E::TRANSACTIONAL_ID_AUTHORIZATION_FAILED => Self::Authorization,
            E::UNSUPPORTED_SASL_MECHANISM
            | E::ILLEGAL_SASL_STATE
            | E::SASL_AUTHENTICATION_FAILED => Self::Authentication,
            E::INVALID_PRODUCER_EPOCH | E::PRODUCER_FENCED => Self::Fenced,
            code => Self::Broker(code),
        }
    }

    /// The word for what stands behind a verdict.
    pub(crate) fn of_cause(cause: &Cause) -> Self {
        match cause {
            Cause::Broker { code, .. } => Self::of_code(*code),
            Cause::NoIdentity { code, .. } => code.map_or(Self::AnswerLost, Self::of_code),
            Cause::SiblingRefused | Cause::PartitionGone => Self::Aborted,
            Cause::Unreachable { .. } => Self::Unreachable,
            Cause::Disconnected { .. } | Cause::Unanswered { .. } => Self::AnswerLost,
            Cause::DeliveryTimeout { last, .. } => match last.as_deref().map(Self::of_cause) {
                // Silence gives no reason.
                None | Some(Self::AnswerLost) => Self::TimedOut,
                Some(kind) => kind,
            },
            Cause::EpochLost { last } | Cause::TooOldToRetry { last } => {
                last.as_deref().map_or(Self::Aborted, Self::of_cause)
            }
            Cause::DataLost { .. } => Self::DataLoss,
            Cause::OtherCluster { .. } => Self::OtherCluster,
            Cause::Closed { .. } => Self::Closed,
            Cause::InCallback => Self::InCallback,
            Cause::Forked => Self::Forked,
            // Also what is added later, until it is decided here.
            _ => Self::Internal,
        }
    }

    /// Whether what was in a record's way may be gone another time: neither the record itself nor a
    /// right, a setting or the producer.
    pub(crate) fn may_pass(self) -> bool {
        match self {
            Self::Unreachable
            | Self::TimedOut
            | Self::BufferFull
            | Self::NotReady
            | Self::Aborted
            | Self::AnswerLost
            | Self::DataLoss
            | Self::InCallback => true,
            Self::Broker(code) => matches!(
                errors::produce(code).reaction,
                Reaction::Retry | Reaction::OutOfOrder | Reaction::IdentityLost
            ),
            Self::InvalidRecord
            | Self::TooLarge
            | Self::UnknownTopic
            | Self::Authorization
            | Self::Authentication
            | Self::Serialization
            | Self::Fenced
            | Self::OtherCluster
            | Self::Closed
            | Self::Forked
            | Self::NoThread
            | Self::Internal => false,
        }
    }
}

/// A few words, such as `timed out`, and of a broker's code its name and number.
impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::InvalidRecord => "invalid record",
            Self::TooLarge => "too large",
            Self::UnknownTopic => "unknown topic",
            Self::Authorization => "not authorized",
            Self::Authentication => "not authenticated",
            Self::Unreachable => "unreachable",
            Self::TimedOut => "timed out",
            Self::BufferFull => "buffer full",
            Self::NotReady => "not ready",
            Self::Serialization => "not serialized",
            Self::Fenced => "fenced",
            Self::Aborted => "aborted",
            Self::AnswerLost => "answer lost",
            Self::DataLoss => "data lost",
            Self::OtherCluster => "another cluster",
            Self::Closed => "closed",
            Self::Forked => "forked",
            Self::InCallback => "in a callback",
            Self::NoThread => "no thread",
            Self::Internal => "internal error",
            Self::Broker(code) => return code.fmt(f),
        })
    }
}

/// How an error is shown where a program ends with it: the kind, what else decides, and the same
/// words as for people.
pub(super) fn debug(
    f: &mut fmt::Formatter<'_>,
    name: &str,
    (kind, written): (ErrorKind, Written),
    text: &dyn fmt::Display,
) -> fmt::Result {
    write!(
        f,
        "{name} {{ kind: {kind:?}, written: {written:?} }}: {text}"
    )
}
