//! The only verdicts that an accepted record can get, and what stands behind a bad one.
//!
//! The error table that leads to them is in [`crate::errors`].

use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use downpour_wire::error_code::ErrorCode;

use crate::client::connect_error::ConnectError;
use crate::client::ending::DisconnectReason;
use crate::time::Readable;

/// How a run of records of one batch ended.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Verdict {
    /// In the log.
    Delivered {
        /// Offset of the run's first record; `None` where the broker only said that it
        /// has the batch already (DUPLICATE_SEQUENCE).
        base_offset: Option<i64>,
        /// Set where the topic stamps records itself, in milliseconds since 1970.
        log_append_time: Option<i64>,
    },
    /// On the socket, with acks=0: nobody will ever answer.
    Sent,
    /// Not in the log.
    Failed(Arc<Failure>),
    /// In the log or not, nobody can say: there was no answer in time, or one that leaves it open,
    /// and asking again could write the record twice.
    Unknown(Arc<Failure>),
}

/// Whether a record that has no acknowledgement is in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Written {
    /// It is not.
    No,
    /// Nobody can say.
    Unknown,
}

impl fmt::Display for Written {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::No => "not written",
            Self::Unknown => "maybe written",
        })
    }
}

/// What stands behind a verdict that is no acknowledgement.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Failure {
    /// The root cause.
    pub cause: Cause,
    /// Topic of the record.
    pub topic: Arc<str>,
    /// Partition of the record.
    pub partition: i32,
    /// Broker that was asked last, if any was.
    pub broker: Option<i32>,
    /// Requests that carried the record and could have succeeded; a part of a split batch counts
    /// its own.
    pub attempts: u32,
    /// From the batch's creation to the verdict.
    pub age: Duration,
}

impl Failure {
    /// A failure of these parts.
    pub fn new(cause: Cause, topic: Arc<str>, partition: i32) -> Self {
        Self {
            cause,
            topic,
            partition,
            broker: None,
            attempts: 0,
            age: Duration::ZERO,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} (topic {}, partition {}",
            self.cause, self.topic, self.partition
        )?;
        if let Some(broker) = self.broker {
            write!(f, ", broker {broker}")?;
        }
        write!(
            f,
            ", attempts {}, age {})",
            self.attempts,
            Readable::coarse(self.age)
        )
    }
}

/// Why something did not go well.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Cause {
    /// A broker said so.
    Broker {
        /// Kafka's code.
        code: ErrorCode,
        /// The broker's own words, where it had any.
        message: Option<Arc<str>>,
    },
    /// One record was refused, and the batch with it; this is another record of that batch. Sent
    /// again without that one it may well be accepted.
    SiblingRefused,
    /// The partition is gone: its topic was deleted, and made anew with fewer.
    PartitionGone,
    /// The leader of the partition could not be reached.
    Unreachable {
        /// Where it was looked for, and why it was not found.
        error: Arc<ConnectError>,
    },
    /// The connection ended before the answer came.
    Disconnected {
        /// What ended it.
        reason: DisconnectReason,
    },
    /// The connection lives, and the broker did not answer for this batch.
    Unanswered {
        /// What it did instead.
        reason: Arc<str>,
    },
    /// The delivery timeout passed.
    DeliveryTimeout {
        /// What went wrong last, if anything did before the time was up.
        last: Option<Arc<Self>>,
        /// What the batch was waiting for when the time was up.
        waiting_for: WaitingFor,
    },
    /// The batch may have been written, and the epoch that could prove it is gone.
    EpochLost {
        /// What made it doubtful.
        last: Option<Arc<Self>>,
    },
    /// The batch may have been written, and its records are so old by their timestamps that the
    /// broker may have forgotten the producer: it might not recognise the batch and write it
    /// again.
    TooOldToRetry {
        /// What made it doubtful.
        last: Option<Arc<Self>>,
    },
    /// The producer's deadline for closing passed.
    Closed {
        /// What had gone wrong before, if anything had.
        last: Option<Arc<Self>>,
    },
    /// No producer id could be had.
    NoIdentity {
        /// What the broker said, or would have said if it knew the question; `None` where none answered.
        code: Option<ErrorCode>,
        /// Why not.
        reason: Arc<str>,
    },
    /// The leader misses records before this one that it had acknowledged, and the producer was asked
    /// to tell so by an error.
    DataLost {
        /// The last offset of the partition that was acknowledged.
        acknowledged: i64,
    },
    /// Another cluster answers at the user's addresses, and the producer was asked not to follow it.
    OtherCluster {
        /// What was found where.
        error: Arc<ConnectError>,
    },
    /// No verdict: whoever waited did so in a callback of the producer, such as a waker, where
    /// waiting could last forever. The record is still on its way.
    InCallback,
    /// No verdict: this process was forked from the one that sent the record, which alone gets to
    /// know how it ends.
    Forked,
    /// A defect of this library; please report it.
    Internal {
        /// What was found.
        reason: Arc<str>,
    },
}

impl Cause {
    /// A broker's code without words.
    pub fn broker(code: ErrorCode) -> Self {
        Self::Broker {
            code,
            message: None,
        }
    }

    /// The code of the broker that is at the root of it, if one is.
    pub fn code(&self) -> Option<ErrorCode> {
        match self.root() {
            Self::Broker { code, .. } => Some(*code),
            Self::NoIdentity { code, .. } => *code,
            _ => None,
        }
    }

    /// A number below 32 by which causes are told apart that are worth a log line each; different ones
    /// seldom share one.
    pub(crate) fn kind(&self) -> u8 {
        match self.root() {
            Self::Broker { code, .. } => 8 + (code.0.rem_euclid(24)) as u8,
            Self::Unreachable { .. } => 1,
            Self::Disconnected { .. } | Self::Unanswered { .. } => 2,
            Self::NoIdentity { .. } => 3,
            Self::Closed { .. } => 4,
            Self::Internal { .. } => 5,
            Self::DataLost { .. } => 6,
            Self::OtherCluster { .. } => 7,
            _ => 0,
        }
    }

    /// The failed attempt to connect that is at the root of it, if one is.
    pub fn connect_error(&self) -> Option<&ConnectError> {
        match self.root() {
            Self::Unreachable { error } | Self::OtherCluster { error } => Some(error),
            _ => None,
        }
    }

    /// What the operating system said at the root of it, if it said something.
    pub fn io_error(&self) -> Option<&io::Error> {
        match self.root() {
            Self::Unreachable { error } => error.io_error(),
            Self::Disconnected {
                reason: DisconnectReason::Broken(error),
            } => Some(error),
            _ => None,
        }
    }

    /// The broker's own words at the root of it, if it had any.
    pub fn broker_message(&self) -> Option<&str> {
        match self.root() {
            Self::Broker { message, .. } => message.as_deref(),
            _ => None,
        }
    }

    /// What went wrong first of all.
    fn root(&self) -> &Self {
        match self {
            Self::DeliveryTimeout {
                last: Some(last), ..
            }
            | Self::EpochLost { last: Some(last) }
            | Self::TooOldToRetry { last: Some(last) }
            | Self::Closed { last: Some(last) } => last.root(),
            _ => self,
        }
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Broker {
                code,
                message: Some(message),
            } => write!(f, "{code}: {message}"),
            Self::Broker {
                code,
                message: None,
            } => write!(f, "{code}"),
            Self::SiblingRefused => {
                f.write_str("another record of the same batch was refused, and the batch with it")
            }
            Self::PartitionGone => f.write_str(
                "the partition is gone: its topic was deleted, and made anew with fewer partitions",
            ),
            Self::Unreachable { error } => error.fmt(f),
            Self::Disconnected { reason } => write!(f, "the connection ended: {reason}"),
            Self::Unanswered { reason } => write!(f, "no answer: {reason}"),
            Self::DeliveryTimeout {
                last: Some(last),
                waiting_for,
            } => {
                let lead = match **last {
                    // The very thing that was waited for.
                    Self::Unreachable { .. } | Self::NoIdentity { .. } => ":",
                    _ => ", after",
                };
                write!(f, "delivery timeout while {waiting_for}{lead} {last}")
            }
            Self::DeliveryTimeout {
                last: None,
                waiting_for,
            } => {
                write!(f, "delivery timeout while {waiting_for}")
            }
            Self::EpochLost { last } => {
                f.write_str("an answer was lost and the sequence cannot be continued")?;
                match last {
                    Some(last) => write!(f, ": {last}"),
                    None => Ok(()),
                }
            }
            Self::TooOldToRetry { last } => {
                f.write_str(
                    "an answer was lost, and by the records' timestamps the broker may have \
                     forgotten this producer",
                )?;
                match last {
                    Some(last) => write!(f, ": {last}"),
                    None => Ok(()),
                }
            }
            Self::Closed { last } => {
                f.write_str("the producer was closed")?;
                match last {
                    Some(last) => write!(f, ", after {last}"),
                    None => Ok(()),
                }
            }
            Self::NoIdentity { reason, .. } => write!(f, "no producer id: {reason}"),
            Self::DataLost { acknowledged } => write!(
                f,
                "the broker lost records that it had acknowledged, up to offset {acknowledged}; this \
                 one would have come behind them"
            ),
            Self::OtherCluster { error } => error.fmt(f),
            Self::InCallback => f.write_str(
                "the record has no verdict yet, and this thread may not wait for it: it runs a \
                 waker, a log subscriber or a drop on the producer's behalf; wait elsewhere",
            ),
            Self::Forked => f.write_str(
                "the record belongs to the process that this one was forked from, and its verdict \
                 comes there",
            ),
            Self::Internal { reason } => write!(f, "internal error, please report it: {reason}"),
        }
    }
}

/// What a batch was waiting for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum WaitingFor {
    /// A leader of its partition, or a connection to it.
    Leader,
    /// A producer id, without which no batch may leave.
    Identity,
    /// Its turn behind other batches, a linger or a backoff.
    Turn,
    /// Its compression, which somebody began and has not finished.
    Compression,
    /// The answer to a request.
    Answer,
}

impl fmt::Display for WaitingFor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Leader => "waiting for a reachable leader",
            Self::Identity => "waiting for a producer id",
            Self::Turn => "waiting for its turn",
            Self::Compression => "waiting to be compressed",
            Self::Answer => "waiting for an answer",
        })
    }
}
