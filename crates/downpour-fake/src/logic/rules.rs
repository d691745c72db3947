//! What a batch is judged by, and how it is refused. The judgement is `check`'s.

use downpour_wire::error_code::ErrorCode;

use crate::version::KafkaVersion;

/// What decides whether a batch may be taken, apart from the batch itself.
#[derive(Debug, Clone)]
pub(crate) struct Rules {
    pub(crate) produce_version: i16,
    pub(crate) release: KafkaVersion,
    /// `topic-partition`, for a broker's words about records.
    pub(crate) place: String,
    pub(crate) max_message_bytes: usize,
    pub(crate) compacted: bool,
    pub(crate) log_append_time: bool,
    /// From when to when records may be, where the topic keeps their own times.
    pub(crate) timestamps: (i64, i64),
    /// The code for a batch that is malformed: 87, and 2 for brokers that do not know 87 yet.
    pub(crate) invalid: ErrorCode,
}

/// Why a batch is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) code: ErrorCode,
    pub(crate) message: String,
    /// Records that are at fault by themselves, by their index in the batch.
    pub(crate) records: Vec<(i32, String)>,
    /// True if the log itself refused: then a broker tells where the log begins.
    pub(crate) at_log: bool,
    /// True if a broker tells the message also where it names no record.
    pub(crate) explained: bool,
}

impl Refusal {
    pub(crate) fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            records: Vec::new(),
            at_log: false,
            explained: false,
        }
    }

    pub(crate) fn at_log(self) -> Self {
        Self {
            at_log: true,
            ..self
        }
    }

    pub(crate) fn explained(self) -> Self {
        Self {
            explained: true,
            ..self
        }
    }
}
