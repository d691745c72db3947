//! Why a record was not accepted.
//!
//! Two stages, two types: [`SendError`] says that nothing was or will be sent, a `DeliveryError`
//! (in `error::delivery`) whether the record is in the log. What is wrong with a single record is in
//! `error::record`.

use std::error::Error;
use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use downpour_core::client::connect_error::ConnectError;
use downpour_core::config::Address;
use downpour_core::outcome::Written;
use downpour_core::time::Readable;
use downpour_wire::error_code::ErrorCode;

use crate::error::kind::{self, ErrorKind};
use crate::error::names::Names;
use crate::error::record::InvalidRecord;

/// A record was not accepted: nothing of it was or will be sent.
///
/// What to do on which error is on [`ErrorKind`].
#[derive(Clone)]
pub struct SendError(NotSent);

/// Why a record is not accepted. Small, and but for the slow ones without a heap: a `try_send` in a
/// loop may be refused a million times a second.
#[derive(Clone)]
pub(crate) enum NotSent {
    Invalid(Box<InvalidRecord>),
    /// The topic does not exist, and has not for `unknown_topic_timeout`; or its name is invalid, or
    /// this client may not write to it.
    TopicUnavailable(Box<TopicUnavailable>),
    /// `max_block` passed.
    Timeout(Box<SendTimeout>),
    /// Only from `try_send`: the record would have to wait for its topic's metadata.
    NoMetadata,
    /// The same for memory; the setting that bounds it, by the name that the caller used.
    BufferFull(&'static &'static str),
    /// Only from `connect`: a broker was reached that grants no producer id.
    NoIdentity(Box<NoIdentity>),
    Closed,
    /// The call would have to wait, in a callback.
    InCallback,
    Forked,
    /// The I/O thread could not be started.
    NoThread(Arc<io::Error>),
}

impl SendError {
    pub(crate) fn new(why: NotSent) -> Self {
        Self(why)
    }

    pub(crate) fn invalid(invalid: Box<InvalidRecord>) -> Self {
        Self(NotSent::Invalid(invalid))
    }

    /// What went wrong, in one word.
    pub fn kind(&self) -> ErrorKind {
        match &self.0 {
            NotSent::Invalid(invalid) if invalid.is_too_large() => ErrorKind::TooLarge,
            NotSent::Invalid(_) => ErrorKind::InvalidRecord,
            NotSent::TopicUnavailable(refused) => ErrorKind::of_code(refused.code),
            NotSent::Timeout(timeout) => timeout.kind(),
            NotSent::NoMetadata => ErrorKind::NotReady,
            NotSent::BufferFull(_) => ErrorKind::BufferFull,
            NotSent::NoIdentity(refused) => match refused.code {
                Some(code) => ErrorKind::of_code(code),
                None => ErrorKind::AnswerLost,
            },
            NotSent::Closed => ErrorKind::Closed,
            NotSent::InCallback => ErrorKind::InCallback,
            NotSent::Forked => ErrorKind::Forked,
            NotSent::NoThread(_) => ErrorKind::NoThread,
        }
    }

    /// Whether the record is in the log: always [`Written::No`].
    pub fn written(&self) -> Written {
        Written::No
    }

    /// Whether the same record may be accepted later: what was in its way was neither the record
    /// itself nor a right, a setting or the end of the producer. Wait before each new try.
    pub fn is_retriable(&self) -> bool {
        self.kind().may_pass()
    }

    /// Whether the record is too large, for this producer or for its memory.
    pub fn is_too_large(&self) -> bool {
        self.kind() == ErrorKind::TooLarge
    }

    /// Whether `max_block` passed. What was in the way is the [`kind`](Self::kind), as far as it is
    /// known.
    pub fn is_timeout(&self) -> bool {
        self.timeout().is_some_and(|timeout| !timeout.early)
    }

    /// What a broker said about the topic, if one did.
    pub fn code(&self) -> Option<ErrorCode> {
        match &self.0 {
            NotSent::TopicUnavailable(refused) => Some(refused.code),
            NotSent::Timeout(timeout) => timeout.topic_code,
            NotSent::NoIdentity(refused) => refused.code,
            _ => None,
        }
    }

    /// Topic of the record, where the topic or the wait for it was in the way.
    pub fn topic(&self) -> Option<&str> {
        match &self.0 {
            NotSent::TopicUnavailable(refused) => Some(&refused.topic),
            NotSent::Timeout(timeout) => Some(&*timeout.topic).filter(|topic| !topic.is_empty()),
            _ => None,
        }
    }

    /// What is wrong with the record, if that was in the way.
    pub fn invalid_record(&self) -> Option<&InvalidRecord> {
        match &self.0 {
            NotSent::Invalid(invalid) => Some(invalid),
            _ => None,
        }
    }

    /// What the record waited for when `max_block` passed, or would have to wait for, if that was in
    /// the way.
    pub fn waited_for(&self) -> Option<WaitedFor> {
        match &self.0 {
            NotSent::Timeout(timeout) => Some(timeout.waited_for),
            NotSent::NoMetadata => Some(WaitedFor::Metadata),
            NotSent::BufferFull(_) => Some(WaitedFor::Memory),
            _ => None,
        }
    }

    /// How long the record waited, if `max_block` passed.
    pub fn waited(&self) -> Option<Duration> {
        let timeout = self.timeout().filter(|timeout| !timeout.early)?;
        Some(timeout.waited)
    }

    /// How long brokers have been saying that the topic does not exist, if that was in the way.
    pub fn missing_for(&self) -> Option<Duration> {
        match &self.0 {
            NotSent::TopicUnavailable(refused) => refused.missing_for,
            _ => None,
        }
    }

    /// Who held `buffer_memory` when the record gave up waiting for it: brokers that are silent
    /// first, then those whose records held most. Empty if it did not wait for memory.
    pub fn memory_holders(&self) -> &[MemoryHolder] {
        self.timeout().map_or(&[], |timeout| &timeout.memory)
    }

    /// Why each address that could not be reached when `max_block` passed could not: one error per
    /// address, of the last attempt.
    pub fn unreachable(&self) -> &[ConnectError] {
        self.timeout().map_or(&[], |timeout| &timeout.unreachable)
    }

    fn timeout(&self) -> Option<&SendTimeout> {
        match &self.0 {
            NotSent::Timeout(timeout) => Some(timeout),
            _ => None,
        }
    }
}

impl fmt::Debug for SendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        kind::debug(f, "SendError", (self.kind(), self.written()), self)
    }
}

impl fmt::Display for SendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            NotSent::Invalid(invalid) => invalid.fmt(f),
            NotSent::TopicUnavailable(refused) => refused.fmt(f),
            NotSent::Timeout(timeout) => timeout.fmt(f),
            NotSent::NoMetadata => f.write_str(
                "the topic's metadata has been asked for and is not here yet; try later, or use \
                 send, which waits",
            ),
            NotSent::BufferFull(bound) => write!(
                f,
                "{bound} is full; wait for deliveries, or use send, which waits its turn"
            ),
            NotSent::NoIdentity(refused) => refused.fmt(f),
            NotSent::Closed => f.write_str("the producer is closed"),
            NotSent::InCallback => f.write_str(
                "this thread may not wait: it runs a waker, a log subscriber or a drop on the \
                 producer's behalf; use try_send, or wait elsewhere",
            ),
            NotSent::Forked => {
                f.write_str("the producer belongs to the parent process; build one after the fork")
            }
            NotSent::NoThread(error) => write!(f, "the I/O thread could not start: {error}"),
        }
    }
}

impl Error for SendError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match &self.0 {
            NotSent::Timeout(timeout) => timeout.io_error(),
            NotSent::NoThread(error) => Some(&**error),
            // The text is all that there is to say.
            _ => None,
        }
    }
}

/// The cluster refuses a topic. A later send has it asked for again.
#[derive(Clone)]
pub(crate) struct TopicUnavailable {
    pub(crate) topic: Arc<str>,
    pub(crate) code: ErrorCode,
    /// How long brokers have been saying that there is no such topic, if that is it.
    pub(crate) missing_for: Option<Duration>,
}

impl fmt::Display for TopicUnavailable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { topic, code, .. } = self;
        match self.missing_for {
            Some(time) if time.is_zero() => {
                write!(f, "topic {topic} does not exist, say the brokers")?;
            }
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
}

/// What helps against a topic that does not exist.
const WHAT_TO_TRY: &str = "create it, check its spelling, or have brokers create topics that are \
                           asked for (auto.create.topics.enable there, auto_create_topics here)";

/// A broker was reached that grants no producer id, without which records cannot be sent
/// idempotently.
#[derive(Clone)]
pub(crate) struct NoIdentity {
    /// What it said, unless it is too old to know the question.
    pub(crate) code: Option<ErrorCode>,
    /// The same in words.
    pub(crate) reason: Arc<str>,
}

impl fmt::Display for NoIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no producer id: {}", self.reason)
    }
}

/// What a record waits for before it is accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum WaitedFor {
    /// The first metadata of its topic.
    Metadata,
    /// Its share of `buffer_memory`.
    Memory,
    /// No record: `connect` waits for an answer of any broker.
    Cluster,
}

/// `max_block` passed; what was waited for, and the root cause as far as it is known.
#[derive(Clone)]
pub(crate) struct SendTimeout {
    pub(crate) topic: Arc<str>,
    pub(crate) waited: Duration,
    /// The wait ended before `max_block` passed, because nothing was left to wait for.
    pub(crate) early: bool,
    /// What it waited for last.
    pub(crate) waited_for: WaitedFor,
    /// What a broker last said about the topic.
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
    pub(crate) names: Names,
}

impl SendTimeout {
    fn kind(&self) -> ErrorKind {
        match (self.waited_for, self.topic_code) {
            (WaitedFor::Memory, _) => ErrorKind::BufferFull,
            (_, Some(code)) => ErrorKind::of_code(code),
            (_, None) if self.unreachable.is_empty() => ErrorKind::TimedOut,
            (_, None) => ErrorKind::Unreachable,
        }
    }

    /// What the operating system said of the first address that it said something of.
    fn io_error(&self) -> Option<&(dyn Error + 'static)> {
        self.unreachable.iter().find_map(Error::source)
    }
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
            Some(time) => {
                // Nobody looks at thousandths of what is told after a second.
                let tenths = u64::try_from(time.as_millis() / 100).unwrap_or(u64::MAX);
                let time = Readable(Duration::from_millis(tenths.saturating_mul(100)));
                write!(f, ", which has not answered for {time}")
            }
            None => Ok(()),
        }
    }
}

impl fmt::Display for SendTimeout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let topic = &self.topic;
        match self.waited_for {
            WaitedFor::Metadata => write!(f, "no metadata for topic {topic}")?,
            WaitedFor::Memory => write!(f, "no memory for topic {topic}")?,
            WaitedFor::Cluster => f.write_str("the cluster could not be asked")?,
        }
        if !self.early {
            let (waited, max_block) = (Readable::coarse(self.waited), self.names.max_block);
            write!(f, " within {waited} ({max_block})")?;
        }
        if self.waited_for == WaitedFor::Memory {
            write!(f, "; it needs {}", Bytes(self.needed))?;
            if self.record_share > 0 {
                let (share, records) = (self.record_share, self.buffer_memory / self.record_share);
                let (share, bound) = (Bytes(share), self.names.bound);
                write!(
                    f,
                    " (by {bound} each of at most {records} records counts for {share})"
                )?;
            }
        }
        // Those that are silent are to blame; where none is, whoever holds most.
        let silent = self.memory.iter().take_while(|h| h.silent_for.is_some());
        let blamed = silent.count().clamp(1, BLAMED_MAX);
        for (at, holder) in self.memory.iter().take(blamed).enumerate() {
            let held = Bytes(holder.bytes);
            let (all, name) = (Bytes(self.buffer_memory), self.names.buffer_memory);
            match at {
                0 => write!(f, "; {held} of {all} ({name}) are held by {holder}")?,
                _ => write!(f, "; {held} by {holder}")?,
            }
        }
        match (self.topic_code, &self.no_answer) {
            (Some(code @ ErrorCode::UNKNOWN_TOPIC_OR_PARTITION), _) => {
                write!(f, "; the cluster does not know it ({code}): {WHAT_TO_TRY}")?;
            }
            (Some(code), _) => write!(f, "; the cluster says {code}")?,
            (None, Some(told)) => write!(f, "; no answer about it from {told}")?,
            (None, None) if self.unreachable.is_empty() => f.write_str(match self.waited_for {
                WaitedFor::Metadata => "; no broker has answered for it yet",
                WaitedFor::Cluster => "; no broker has answered yet",
                WaitedFor::Memory => "",
            })?,
            (None, None) => {}
        }
        for (at, error) in self.unreachable.iter().enumerate() {
            let lead = if at == 0 { "; unreachable: " } else { ", " };
            write!(f, "{lead}{} ({})", error.address(), error.reason())?;
        }
        Ok(())
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
            early: false,
            waited_for: WaitedFor::Memory,
            topic_code: None,
            unreachable: Vec::new(),
            no_answer: None,
            memory: memory.iter().map(holder).collect(),
            needed: 64 << 10,
            record_share: 0,
            buffer_memory: 4 << 20,
            names: Names::SETTERS,
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
            "no memory for topic t within 800 ms (max_block); it needs 64.0 KiB; 2.0 MiB of 4.0 MiB (buffer_memory) are held \
             by records for broker 2 (host:9092), which has not answered for 3.1 s; 700 bytes by records for \
             broker 3 (host:9092), which has not answered for 1 s"
        );
        assert_eq!(
            text(&[(0, 9000, None), (1, 8000, None)]),
            "no memory for topic t within 800 ms (max_block); it needs 64.0 KiB; 8.8 KiB of 4.0 MiB (buffer_memory) are held \
             by records for partitions without a leader"
        );
        let nobody = "no memory for topic t within 800 ms (max_block); it needs 64.0 KiB";
        assert_eq!(text(&[]), nobody);
    }
}
