//! The log of what arrived and what became of it, for tests to read. It decides nothing.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use downpour_wire::codec::CompressionType;
use downpour_wire::error_code::ErrorCode;
use downpour_wire::messages::ApiKey;

/// How many requests are remembered; older ones are forgotten, but stay counted.
pub const REQUESTS_KEPT_MAX: usize = 100_000;

/// How many violations are remembered; older ones are forgotten.
pub(crate) const VIOLATIONS_KEPT_MAX: usize = 1_000;

/// One request as it arrived.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct LoggedRequest {
    /// When it arrived, by the clock that the cluster is given; in the shell since the start.
    pub at: Duration,
    /// The broker that got it, by its id.
    pub broker: i32,
    /// The connection it came on; numbers are never used twice.
    pub connection: u64,
    /// Which request it is.
    pub api: ApiKey,
    /// The version of the request, and of the answer.
    pub api_version: i16,
    /// What the answer repeats, so that the client can match it.
    pub correlation_id: i32,
    /// What the client calls itself; `None` if it does not say.
    pub client_id: Option<String>,
    /// The frame's length in bytes, without the four length bytes.
    pub bytes: usize,
    /// The fault that was applied to it, in words.
    pub fault: Option<String>,
    /// For a Produce request: 0, 1 or -1 for all.
    pub acks: Option<i16>,
    /// For a Produce request: one entry per partition, in the request's order.
    pub batches: Vec<LoggedBatch>,
}

impl LoggedRequest {
    /// How many records a Produce request carried, as its batches count them.
    #[must_use]
    pub fn records(&self) -> u64 {
        self.batches
            .iter()
            .map(|batch| u64::from(batch.records))
            .sum()
    }
}

/// One partition's batch of a Produce request and what became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct LoggedBatch {
    /// The topic, by name also where the request named an id; the id in words if it is unknown.
    pub topic: String,
    /// The partition, which need not exist.
    pub partition: i32,
    /// The batch's producer id, -1 without idempotence.
    pub producer_id: i64,
    /// The batch's producer epoch, -1 without idempotence.
    pub producer_epoch: i16,
    /// The batch's first sequence, -1 without idempotence.
    pub base_sequence: i32,
    /// How many records the batch counts.
    pub records: u32,
    /// The batch's length in bytes.
    pub bytes: usize,
    /// The batch's codec, `None` if there is no such codec.
    pub codec: Option<CompressionType>,
    /// What became of it.
    pub verdict: Verdict,
}

/// What became of a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Verdict {
    /// It was appended at this offset, and the answer said so if there was one.
    Appended {
        /// The first record's offset.
        base_offset: i64,
    },
    /// It was appended, and the answer carried an error all the same.
    AppendedWithError {
        /// The first record's offset.
        base_offset: i64,
        /// The code in the answer.
        error: ErrorCode,
    },
    /// It equals one of the producer's last five batches, so nothing was appended (KAFKA-5494).
    Duplicate {
        /// Where its first record had been appended.
        base_offset: i64,
    },
    /// Nothing was appended.
    Refused {
        /// The code in the answer.
        error: ErrorCode,
        /// For people: the rule that was broken, or the fault.
        reason: String,
    },
    /// A fault kept the request from being served.
    NotServed,
}

impl Verdict {
    /// True if this request put records into the log.
    #[must_use]
    pub const fn is_appended(&self) -> bool {
        matches!(self, Self::Appended { .. } | Self::AppendedWithError { .. })
    }
}

/// Requests and violations, both bounded.
#[derive(Debug, Clone, Default)]
pub(crate) struct RequestLog {
    kept: VecDeque<LoggedRequest>,
    counts: BTreeMap<ApiKey, u64>,
    violations: VecDeque<String>,
}

impl RequestLog {
    pub(crate) fn add(&mut self, request: LoggedRequest) {
        *self.counts.entry(request.api).or_default() += 1;
        if self.kept.len() == REQUESTS_KEPT_MAX {
            self.kept.pop_front();
        }
        self.kept.push_back(request);
    }

    /// The newest request of that connection and id, to be completed with what became of it.
    pub(crate) fn find_mut(
        &mut self,
        connection: u64,
        correlation_id: i32,
    ) -> Option<&mut LoggedRequest> {
        let newest_first = self.kept.iter_mut().rev();
        newest_first
            .filter(|request| request.connection == connection)
            .find(|request| request.correlation_id == correlation_id)
    }

    pub(crate) fn violation(&mut self, what: String) {
        if self.violations.len() == VIOLATIONS_KEPT_MAX {
            self.violations.pop_front();
        }
        self.violations.push_back(what);
    }

    pub(crate) fn requests(&self) -> impl ExactSizeIterator<Item = &LoggedRequest> {
        self.kept.iter()
    }

    pub(crate) fn violations(&self) -> impl ExactSizeIterator<Item = &String> {
        self.violations.iter()
    }

    pub(crate) fn count(&self, api: ApiKey) -> u64 {
        self.counts.get(&api).copied().unwrap_or(0)
    }

    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }
}
