//! Why a record was not accepted.
//!
//! Two stages, two types: [`SendError`] says that nothing was or will be sent, a
//! [`DeliveryError`] (in `error::delivery`) whether the record is in the log. Configuration
//! errors are in `error::config`, refusals of single records in `error::record`.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use downpour_core::client::connect_error::ConnectError;
use downpour_core::config::Address;
use downpour_core::outcome::Written;
use downpour_core::time::Readable;
use downpour_wire::error_code::ErrorCode;

use crate::error::delivery::DeliveryError;
use crate::error::record::InvalidRecord;

/// A record was not accepted: nothing of it was or will be sent.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum SendError {
    /// The record itself is at fault; sending it again cannot help.
    Invalid(Box<InvalidRecord>),
    /// The topic does not exist, and has not for
    /// [`unknown_topic_timeout`](crate::ProducerBuilder::unknown_topic_timeout); or its name is
    /// invalid, or this client may not write to it. A later send has it asked for again.
    TopicUnavailable {
        /// Its name.
        topic: Arc<str>,
        /// The refusal, such as `TOPIC_AUTHORIZATION_FAILED`.
        code: ErrorCode,
        /// How long brokers have been saying that there is no such topic, if that is it.
        missing_for: Option<Duration>,
    },
    /// `max_block` passed while waiting for metadata or for memory.
    Timeout(Box<SendTimeout>),
    /// Only from `try_send`: the record would have to wait for this.
    NotReady(WaitedFor),
    /// The producer was closed.
    Closed,
    /// The call would have to wait, in a waker, a log subscriber or a drop that the producer calls,
    /// where waiting could last forever. Wait elsewhere, or use `try_send`.
    InCallback,
    /// This process was forked after the producer was built; build one in the child.
    Forked,
    /// The I/O thread could not be started.
    NoThread {
        /// The operating system's words, such as that there are too many threads.
        reason: Arc<str>,
    },
}

impl SendError {
    /// Whether the same record may be accepted later.
    pub fn is_retriable(&self) -> bool {
        matches!(
            self,
            Self::Timeout(_) | Self::NotReady(_) | Self::InCallback
        )
    }
}

impl From<Box<InvalidRecord>> for SendError {
    fn from(invalid: Box<InvalidRecord>) -> Self {
        Self::Invalid(invalid)
    }
}

impl fmt::Display for SendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Invalid(invalid) => invalid.fmt(f),
            Self::TopicUnavailable {
                topic,
                code,
                missing_for,
            } => topic_unavailable(f, topic, *code, *missing_for),
            Self::Timeout(timeout) => timeout.fmt(f),
            Self::NotReady(WaitedFor::Metadata) => f.write_str(
                "the topic's metadata has been asked for and is not here yet; try later, or use \
                 send, which waits",
            ),
            Self::NotReady(WaitedFor::Memory) => f.write_str(
                "buffer_memory is full; wait for deliveries, or use send, which waits its turn",
            ),
            Self::Closed => f.write_str("the producer is closed"),
            Self::InCallback => f.write_str(
                "this thread may not wait: it runs a waker, a log subscriber or a drop on the \
                 producer's behalf; use try_send, or wait elsewhere",
            ),
            Self::Forked => {
                f.write_str("the producer belongs to the parent process; build one after the fork")
            }
            Self::NoThread { reason } => write!(f, "the I/O thread could not start: {reason}"),
        }
    }
}

impl std::error::Error for SendError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        // Each variant's text is all that there is to say, the refusal's included. What a timeout
        // was caused by comes next.
        match self {
            Self::Timeout(timeout) => std::error::Error::source(timeout),
            _ => None,
        }
    }
}

/// What is said of a topic that was refused.
fn topic_unavailable(
    f: &mut fmt::Formatter<'_>,
    topic: &str,
    code: ErrorCode,
    missing_for: Option<Duration>,
) -> fmt::Result {
    match missing_for {
        Some(time) if time.is_zero() => write!(f, "topic {topic} does not exist, say the brokers")?,
        Some(time) => {
            let time = Readable::coarse(time);
            write!(
                f,
                "topic {topic} does not exist, brokers have said for {time}"
            )?;
        }
        None => return write!(f, "topic {topic} cannot be written to: {code}"),
    }
    write!(f, " ({code}); {WHAT_TO_TRY}")
}

/// What helps against a topic that does not exist.
const WHAT_TO_TRY: &str = "create it, check its spelling, or have brokers create topics that are \
                           asked for (auto.create.topics.enable there, auto_create_topics here)";

/// What a record waits for before it is accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum WaitedFor {
    /// The first metadata of its topic.
    Metadata,
    /// Its share of `buffer_memory`.
    Memory,
}

/// `max_block` passed; what was waited for, and the root cause as far as it is known.
#[derive(Debug, Clone)]
pub struct SendTimeout {
    pub(crate) topic: Arc<str>,
    pub(crate) waited: Duration,
    pub(crate) waited_for: WaitedFor,
    pub(crate) topic_code: Option<ErrorCode>,
    pub(crate) unreachable: Vec<ConnectError>,
    /// Who was asked about the cluster in vain, and what came instead of an answer.
    pub(crate) no_answer: Option<Arc<str>>,
    pub(crate) memory: Vec<MemoryHolder>,
    /// Bytes that the record would have taken of it.
    pub(crate) needed: usize,
    pub(crate) buffer_memory: usize,
    /// What each record counts for at least, if records are bounded by their number.
    pub(crate) record_share: usize,
}

/// Whose records hold `buffer_memory`: those of the partitions that one broker leads, or of those
/// that nobody leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemoryHolder {
    pub(crate) broker: Option<i32>,
    pub(crate) address: Option<Address>,
    pub(crate) bytes: usize,
    pub(crate) silent_for: Option<Duration>,
}

impl MemoryHolder {
    /// The broker's id; `None` for partitions without a leader.
    pub fn broker(&self) -> Option<i32> {
        self.broker
    }

    /// Where the broker is, if it is silent.
    pub fn address(&self) -> Option<&Address> {
        self.address.as_ref()
    }

    /// Bytes that they hold.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// For how long the broker has owed an answer, or was out of reach; `None` for less than a
    /// second.
    pub fn silent_for(&self) -> Option<Duration> {
        self.silent_for
    }
}

impl fmt::Display for MemoryHolder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.broker, &self.address) {
            (Some(broker), Some(address)) => write!(f, "records for broker {broker} ({address})")?,
            (Some(broker), None) => write!(f, "records for broker {broker}")?,
            (None, _) => write!(f, "records for partitions without a leader")?,
        }
        match self.silent_for {
            Some(time) => write!(
                f,
                ", which has not answered for {:.1} s",
                time.as_secs_f64()
            ),
            None => Ok(()),
        }
    }
}

impl SendTimeout {
    /// Topic of the record.
    pub fn topic(&self) -> &str {
        &self.topic
    }

    /// How long the record waited.
    pub fn waited(&self) -> Duration {
        self.waited
    }

    /// What it waited for last.
    pub fn waited_for(&self) -> WaitedFor {
        self.waited_for
    }

    /// What a broker last said about the topic.
    pub fn topic_code(&self) -> Option<ErrorCode> {
        self.topic_code
    }

    /// Who held `buffer_memory` when the record gave up waiting for it: brokers that are silent
    /// first, then those whose records held most. Empty if it waited for metadata.
    pub fn memory_holders(&self) -> &[MemoryHolder] {
        &self.memory
    }

    /// Why each address that could not be reached at that time could not: one error per address,
    /// of the last attempt. The first of them is the [`source`](std::error::Error::source).
    pub fn unreachable(&self) -> &[ConnectError] {
        &self.unreachable
    }
}

impl fmt::Display for SendTimeout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.waited_for {
            WaitedFor::Metadata => "metadata",
            WaitedFor::Memory => "memory",
        };
        write!(
            f,
            "no {what} for topic {} within {}",
            self.topic,
            Readable::coarse(self.waited)
        )?;
        if self.waited_for == WaitedFor::Memory {
            write!(f, "; it needs {}", Bytes(self.needed))?;
            if self.record_share > 0 {
                let (share, records) = (self.record_share, self.buffer_memory / self.record_share);
                let share = Bytes(share);
                write!(f, " (each of at most {records} records counts for {share})")?;
            }
        }
        // Those that are silent are to blame; where none is, whoever holds most.
        let silent = self.memory.iter().take_while(|h| h.silent_for.is_some());
        let blamed = silent.count().clamp(1, BLAMED_MAX);
        for (at, holder) in self.memory.iter().take(blamed).enumerate() {
            let held = Bytes(holder.bytes);
            let all = Bytes(self.buffer_memory);
            match at {
                0 => write!(f, "; {held} of {all} are held by {holder}")?,
                _ => write!(f, "; {held} by {holder}")?,
            }
        }
        match (self.topic_code, &self.no_answer) {
            (Some(code @ ErrorCode::UNKNOWN_TOPIC_OR_PARTITION), _) => {
                write!(f, "; the cluster does not know it ({code}): {WHAT_TO_TRY}")?;
            }
            (Some(code), _) => write!(f, "; the cluster says {code}")?,
            (None, Some(told)) => write!(f, "; no answer about it from {told}")?,
            (None, None) => {
                if self.waited_for == WaitedFor::Metadata && self.unreachable.is_empty() {
                    f.write_str("; no broker has answered for it yet")?;
                }
            }
        }
        for (at, error) in self.unreachable.iter().enumerate() {
            let lead = if at == 0 { "; unreachable: " } else { ", " };
            write!(f, "{lead}{} ({})", error.address(), error.reason())?;
        }
        Ok(())
    }
}

impl std::error::Error for SendTimeout {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        let first = self.unreachable.first()?;
        Some(first)
    }
}

/// Holders of memory that an error names.
const BLAMED_MAX: usize = 3;

/// Bytes as people write them.
struct Bytes(usize);

impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (unit, name) = match self.0 {
            0..1024 => return write!(f, "{} bytes", self.0),
            1024..0x10_0000 => (1024.0, "KiB"),
            _ => (1_048_576.0, "MiB"),
        };
        write!(f, "{:.1} {name}", self.0 as f64 / unit)
    }
}

/// What `send_and_wait` can say.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum ProduceError {
    /// Not accepted: nothing was or will be sent.
    Send(SendError),
    /// Accepted, and no acknowledgement came.
    Delivery(DeliveryError),
}

impl ProduceError {
    /// Whether the record is in the log.
    pub fn written(&self) -> Written {
        match self {
            Self::Send(_) => Written::No,
            Self::Delivery(error) => error.written(),
        }
    }
}

impl ProduceError {
    /// Whether the same record may be sent again and fare better, see
    /// [`SendError::is_retriable`] and [`DeliveryError::is_retriable`].
    pub fn is_retriable(&self) -> bool {
        match self {
            Self::Send(error) => error.is_retriable(),
            Self::Delivery(error) => error.is_retriable(),
        }
    }
}

impl From<SendError> for ProduceError {
    fn from(error: SendError) -> Self {
        Self::Send(error)
    }
}

impl From<DeliveryError> for ProduceError {
    fn from(error: DeliveryError) -> Self {
        Self::Delivery(error)
    }
}

impl fmt::Display for ProduceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Send(error) => error.fmt(f),
            Self::Delivery(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for ProduceError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        // This type shows its part's text as its own, so the part's source comes next.
        match self {
            Self::Send(error) => std::error::Error::source(error),
            Self::Delivery(error) => std::error::Error::source(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(memory: &[(i32, usize, Option<u64>)]) -> String {
        let holder = |&(broker, bytes, silent): &(i32, usize, Option<u64>)| MemoryHolder {
            broker: (broker > 0).then_some(broker),
            address: silent.map(|_| Address {
                host: Arc::from("host"),
                port: 9092,
            }),
            bytes,
            silent_for: silent.map(Duration::from_millis),
        };
        let timeout = SendTimeout {
            topic: Arc::from("t"),
            waited: Duration::from_millis(800),
            waited_for: WaitedFor::Memory,
            topic_code: None,
            unreachable: Vec::new(),
            no_answer: None,
            memory: memory.iter().map(holder).collect(),
            needed: 64 << 10,
            record_share: 0,
            buffer_memory: 4 << 20,
        };
        timeout.to_string()
    }

    #[test]
    fn the_silent_are_named_or_else_whoever_holds_most() {
        let silent = [
            (2, 2 << 20, Some(3140)),
            (3, 700, Some(1000)),
            (1, 9000, None),
        ];
        assert_eq!(
            text(&silent),
            "no memory for topic t within 800 ms; it needs 64.0 KiB; 2.0 MiB of 4.0 MiB are held \
             by records for broker 2 (host:9092), which has not answered for 3.1 s; 700 bytes by records for \
             broker 3 (host:9092), which has not answered for 1.0 s"
        );
        assert_eq!(
            text(&[(0, 9000, None), (1, 8000, None)]),
            "no memory for topic t within 800 ms; it needs 64.0 KiB; 8.8 KiB of 4.0 MiB are held \
             by records for partitions without a leader"
        );
        let nobody = "no memory for topic t within 800 ms; it needs 64.0 KiB";
        assert_eq!(text(&[]), nobody);
    }
}
