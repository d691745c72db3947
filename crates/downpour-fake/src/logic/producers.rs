//! What a partition remembers of its producers: id, epoch and the last five batches, with a real
//! broker's rules on sequences. No bytes and no log here: `logic::log` calls this before it appends.

use std::collections::{BTreeMap, VecDeque};

use downpour_wire::error_code::ErrorCode;

/// How many batches a real broker remembers of one producer (KAFKA-5494).
pub(crate) const WINDOW: usize = 5;

/// What a batch says of its producer, and the sequences that it claims.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ProducerStamp {
    pub(crate) producer_id: i64,
    pub(crate) epoch: i16,
    pub(crate) first_sequence: i32,
    /// Never 0: an empty batch is refused before it comes here.
    pub(crate) count: u32,
}

impl ProducerStamp {
    /// The last record's sequence, which wraps from 2147483647 to 0.
    pub(crate) const fn last_sequence(&self) -> i32 {
        add_sequence(self.first_sequence, self.count.saturating_sub(1))
    }
}

/// `first + by`, wrapped as Kafka wraps it.
pub(crate) const fn add_sequence(first: i32, by: u32) -> i32 {
    // The remainder of a division by 2^31 fits an i32 for every `first`.
    ((first as i64 + by as i64) & 0x7fff_ffff) as i32
}

/// What a broker does with a stamped batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Admission {
    /// It is new: append it.
    Append,
    /// It is one of the remembered five: answer success with this first offset, append nothing. The
    /// timestamp is the greatest of the batch that was appended.
    Duplicate { base_offset: i64, timestamp: i64 },
    /// It is refused.
    Refuse(ErrorCode),
}

#[derive(Debug, Clone, Copy)]
struct RememberedBatch {
    first_sequence: i32,
    last_sequence: i32,
    base_offset: i64,
    timestamp: i64,
}

#[derive(Debug, Clone, Default)]
struct Producer {
    epoch: i16,
    window: VecDeque<RememberedBatch>,
}

/// The producers of one partition.
#[derive(Debug, Clone, Default)]
pub(crate) struct Producers {
    known: BTreeMap<i64, Producer>,
}

impl Producers {
    /// Judges a batch without changing anything, as ProducerAppendInfo does. `strict_first` is
    /// the rule of brokers before 2.4.
    pub(crate) fn admit(&self, batch: &ProducerStamp, strict_first: bool) -> Admission {
        let Some(producer) = self.known.get(&batch.producer_id) else {
            // A broker that knows nothing of a producer accepts any first sequence (KIP-360): its
            // records may have been deleted by retention. Before, it refused all but 0.
            return if strict_first && batch.first_sequence != 0 {
                Admission::Refuse(ErrorCode::UNKNOWN_PRODUCER_ID)
            } else {
                Admission::Append
            };
        };
        if batch.epoch < producer.epoch {
            return Admission::Refuse(ErrorCode::INVALID_PRODUCER_EPOCH);
        }
        if batch.epoch > producer.epoch {
            return if batch.first_sequence == 0 {
                Admission::Append
            } else {
                Admission::Refuse(ErrorCode::OUT_OF_ORDER_SEQUENCE_NUMBER)
            };
        }
        let last = batch.last_sequence();
        let same = producer
            .window
            .iter()
            .find(|seen| seen.first_sequence == batch.first_sequence && seen.last_sequence == last);
        if let Some(seen) = same {
            return Admission::Duplicate {
                base_offset: seen.base_offset,
                timestamp: seen.timestamp,
            };
        }
        match producer.window.back() {
            // ProducerAppendInfo.checkSequence asks for no order without an epoch.
            _ if producer.epoch < 0 => Admission::Append,
            Some(seen) if batch.first_sequence != add_sequence(seen.last_sequence, 1) => {
                Admission::Refuse(ErrorCode::OUT_OF_ORDER_SEQUENCE_NUMBER)
            }
            _ => Admission::Append,
        }
    }

    /// Remembers an appended batch.
    pub(crate) fn remember(&mut self, batch: &ProducerStamp, base_offset: i64, timestamp: i64) {
        let producer = self.known.entry(batch.producer_id).or_default();
        if producer.epoch != batch.epoch {
            producer.epoch = batch.epoch;
            producer.window.clear();
        }
        if producer.window.len() == WINDOW {
            producer.window.pop_front();
        }
        producer.window.push_back(RememberedBatch {
            first_sequence: batch.first_sequence,
            last_sequence: batch.last_sequence(),
            base_offset,
            timestamp,
        });
    }

    /// Forgets one producer, as a broker does after `producer.id.expiration.ms`. True if it was
    /// known.
    pub(crate) fn expire(&mut self, producer_id: i64) -> bool {
        self.known.remove(&producer_id).is_some()
    }

    /// Forgets those whose last batch has a timestamp before `time`.
    pub(crate) fn expire_before(&mut self, time: i64) {
        self.known.retain(|_, producer| {
            let last = producer.window.back();
            last.is_none_or(|batch| batch.timestamp > time)
        });
    }

    /// Forgets all producers.
    pub(crate) fn expire_all(&mut self) {
        self.known.clear();
    }

    /// The epoch and the last sequence that are remembered of a producer.
    pub(crate) fn last(&self, producer_id: i64) -> Option<(i16, i32)> {
        let producer = self.known.get(&producer_id)?;
        let last = producer.window.back()?;
        Some((producer.epoch, last.last_sequence))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const REFUSE_45: Admission = Admission::Refuse(ErrorCode::OUT_OF_ORDER_SEQUENCE_NUMBER);

    const fn duplicate(base_offset: i64) -> Admission {
        Admission::Duplicate {
            base_offset,
            timestamp: 50 + base_offset,
        }
    }

    fn stamped(epoch: i16, first_sequence: i32, count: u32) -> ProducerStamp {
        ProducerStamp {
            producer_id: 7,
            epoch,
            first_sequence,
            count,
        }
    }

    /// Feeds batches that must all be appended, at offsets that equal the records before.
    fn after(batches: &[(i16, i32, u32)]) -> Producers {
        let mut producers = Producers::default();
        let mut offset = 0;
        for (epoch, first, count) in batches {
            let batch = stamped(*epoch, *first, *count);
            assert_eq!(
                producers.admit(&batch, false),
                Admission::Append,
                "{batch:?}"
            );
            producers.remember(&batch, offset, 50 + offset);
            offset += i64::from(*count);
        }
        producers
    }

    #[test]
    fn unknown_producer_may_begin_at_any_sequence() {
        assert_eq!(
            Producers::default().admit(&stamped(3, 7, 1), false),
            Admission::Append
        );
    }

    #[test]
    fn unknown_producer_began_at_zero_before_kip_360() {
        let none = Producers::default();
        let refused = Admission::Refuse(ErrorCode::UNKNOWN_PRODUCER_ID);
        assert_eq!(none.admit(&stamped(3, 7, 1), true), refused);
        assert_eq!(none.admit(&stamped(3, 0, 1), true), Admission::Append);
    }

    #[test]
    fn producer_is_forgotten_by_the_time_of_its_last_batch() {
        let mut producers = after(&[(0, 0, 2), (0, 2, 2)]);
        producers.expire_before(51);
        assert_eq!(producers.last(7), Some((0, 3)));
        producers.expire_before(52);
        assert_eq!(producers.last(7), None);
    }

    #[test]
    fn no_order_is_asked_for_without_an_epoch() {
        let producers = after(&[(-1, 0, 1)]);
        assert_eq!(
            producers.admit(&stamped(-1, 9, 1), false),
            Admission::Append
        );
        assert_eq!(producers.admit(&stamped(0, 9, 1), false), REFUSE_45);
    }

    #[test]
    fn gap_in_either_direction_is_out_of_order() {
        let producers = after(&[(0, 0, 10)]);
        assert_eq!(producers.admit(&stamped(0, 11, 1), false), REFUSE_45);
        assert_eq!(producers.admit(&stamped(0, 9, 1), false), REFUSE_45);
        assert_eq!(
            producers.admit(&stamped(0, 10, 1), false),
            Admission::Append
        );
    }

    #[test]
    fn one_of_the_last_five_batches_is_answered_with_its_first_offset() {
        let producers = after(&[0, 2, 4, 6, 8, 10].map(|first| (0, first, 2)));
        assert_eq!(producers.admit(&stamped(0, 2, 2), false), duplicate(2));
        assert_eq!(producers.admit(&stamped(0, 10, 2), false), duplicate(10));
    }

    #[test]
    fn sixth_last_batch_is_out_of_order() {
        let producers = after(&[0, 2, 4, 6, 8, 10].map(|first| (0, first, 2)));
        assert_eq!(producers.admit(&stamped(0, 0, 2), false), REFUSE_45);
    }

    #[test]
    fn batch_that_begins_like_a_remembered_one_but_is_longer_is_out_of_order() {
        let producers = after(&[(0, 0, 2)]);
        assert_eq!(producers.admit(&stamped(0, 0, 3), false), REFUSE_45);
    }

    #[test]
    fn higher_epoch_begins_at_zero() {
        let producers = after(&[(0, 0, 2)]);
        assert_eq!(producers.admit(&stamped(1, 2, 1), false), REFUSE_45);
        assert_eq!(producers.admit(&stamped(1, 0, 1), false), Admission::Append);
    }

    #[test]
    fn higher_epoch_forgets_the_window_of_the_older() {
        let producers = after(&[(0, 0, 2), (0, 2, 2), (1, 0, 2)]);
        assert_eq!(producers.admit(&stamped(1, 2, 2), false), Admission::Append);
        assert_eq!(producers.admit(&stamped(1, 0, 2), false), duplicate(4));
    }

    #[test]
    fn lower_epoch_is_fenced() {
        let producers = after(&[(2, 0, 1)]);
        assert_eq!(
            producers.admit(&stamped(1, 1, 1), false),
            Admission::Refuse(ErrorCode::INVALID_PRODUCER_EPOCH)
        );
    }

    #[test]
    fn sequence_wraps_to_zero() {
        let producers = after(&[(0, i32::MAX - 1, 2)]);
        assert_eq!(producers.admit(&stamped(0, 0, 1), false), Admission::Append);
        assert_eq!(producers.admit(&stamped(0, 1, 1), false), REFUSE_45);
        let across = after(&[(0, i32::MAX - 1, 4)]);
        assert_eq!(across.last(7), Some((0, 1)));
        assert_eq!(across.admit(&stamped(0, 2, 1), false), Admission::Append);
        assert_eq!(
            across.admit(&stamped(0, i32::MAX - 1, 4), false),
            duplicate(0)
        );
    }

    #[test]
    fn expired_producer_may_begin_anywhere_again() {
        let mut producers = after(&[(4, 0, 1)]);
        assert!(producers.expire(7));
        assert_eq!(
            producers.admit(&stamped(0, 99, 1), false),
            Admission::Append
        );
    }
}
