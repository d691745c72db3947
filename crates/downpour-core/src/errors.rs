//! Kafka's error codes on the Produce path as one table: what each makes of a batch.
//!
//! Joined with a batch's past (`maybe_written`) by the queue; nothing else interprets a code.

use downpour_wire::error_code::ErrorCode;

/// What an answer asks to be done with its batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reaction {
    /// Acknowledged.
    Acknowledge,
    /// The broker has it already and has forgotten where.
    AlreadyWritten,
    /// Send the same bytes again after a backoff.
    Retry,
    /// The same a few times, if the broker recognises the bytes; it may be a defect that stays.
    RetrySome,
    /// Make smaller batches of it; a single record fails.
    Split,
    /// A sequence gap: wait for the predecessor, or begin a new epoch.
    OutOfOrder,
    /// The broker lost what it knew of this producer, or knows a newer epoch.
    IdentityLost,
    /// This batch fails.
    Fail,
}

/// One row of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Row {
    /// What to do.
    pub reaction: Reaction,
    /// Whether the code leaves open that the batch was appended.
    pub maybe_written: bool,
    /// Whether the metadata that led here is stale.
    pub refresh: bool,
}

const fn row(reaction: Reaction) -> Row {
    Row {
        reaction,
        maybe_written: false,
        refresh: false,
    }
}

impl Row {
    const fn refresh(mut self) -> Self {
        self.refresh = true;
        self
    }

    const fn maybe_written(mut self) -> Self {
        self.maybe_written = true;
        self
    }
}

/// The row of a code in a Produce answer.
///
/// A code that is not known here fails its batch: guessing that it may be retried
/// could write twice, guessing that it was written could lose.
pub fn produce(code: ErrorCode) -> Row {
    use ErrorCode as E;
    match code {
        E::NONE => row(Reaction::Acknowledge),
        E::DUPLICATE_SEQUENCE_NUMBER => row(Reaction::AlreadyWritten),

        E::CORRUPT_MESSAGE | E::THROTTLING_QUOTA_EXCEEDED => row(Reaction::Retry),
        // A leader that is cut off from the others says this until somebody asks who leads now.
        E::NOT_ENOUGH_REPLICAS | E::UNKNOWN_LEADER_EPOCH => row(Reaction::Retry).refresh(),
        E::UNKNOWN_TOPIC_OR_PARTITION
        | E::LEADER_NOT_AVAILABLE
        | E::NOT_LEADER_OR_FOLLOWER
        | E::LISTENER_NOT_FOUND
        | E::FENCED_LEADER_EPOCH
        | E::UNKNOWN_TOPIC_ID
        | E::INCONSISTENT_TOPIC_ID => row(Reaction::Retry).refresh(),

        // The disk failed. With `flush.messages` the sync comes after the append, under the same
        // code and without an offset.
        E::KAFKA_STORAGE_ERROR => row(Reaction::Retry).maybe_written().refresh(),

        // Appended on the leader, not (yet) on enough followers.
        E::REQUEST_TIMED_OUT | E::NOT_ENOUGH_REPLICAS_AFTER_APPEND => {
            row(Reaction::Retry).maybe_written().refresh()
        }
        // A broker says -1 also after an append (KAFKA-14034).
        E::UNKNOWN_SERVER_ERROR => row(Reaction::RetrySome).maybe_written().refresh(),

        E::MESSAGE_TOO_LARGE => row(Reaction::Split),
        E::OUT_OF_ORDER_SEQUENCE_NUMBER => row(Reaction::OutOfOrder),
        E::UNKNOWN_PRODUCER_ID | E::INVALID_PRODUCER_EPOCH => row(Reaction::IdentityLost),

        _ => row(Reaction::Fail),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_four_codes_leave_open_whether_a_batch_was_written() {
        let open: Vec<i16> = (-1..=131)
            .filter(|&c| produce(ErrorCode(c)).maybe_written)
            .collect();
        assert_eq!(open, [-1, 7, 20, 56]);
    }

    #[test]
    fn stale_metadata_codes_ask_for_a_refresh() {
        let refresh: Vec<i16> = (-1..=131)
            .filter(|&c| produce(ErrorCode(c)).refresh)
            .collect();
        assert_eq!(refresh, [-1, 3, 5, 6, 7, 19, 20, 56, 72, 74, 75, 100, 103]);
    }

    #[test]
    fn a_code_that_is_not_in_the_table_fails_its_batch() {
        assert_eq!(produce(ErrorCode(9999)).reaction, Reaction::Fail);
        assert!(!produce(ErrorCode(9999)).maybe_written);
    }
}
