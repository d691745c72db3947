//! A partition's log, and what its leader knows of producers: Kafka's rules for epochs, sequences and
//! duplicates.

use std::collections::BTreeMap;

use downpour_wire::batch::BatchView;
use downpour_wire::error_code::ErrorCode;

/// Batches of a producer that a leader recognises.
const RECOGNISED: usize = 5;

/// A batch as it came: whose it is, and its records.
#[derive(Debug, Clone)]
pub(crate) struct Came {
    /// Producer id, epoch and first sequence; `None` without idempotence.
    pub(crate) stamp: Option<(i64, i16, i32)>,
    /// The numbers that its records carry.
    pub(crate) records: Vec<u32>,
    pub(crate) max_timestamp: i64,
}

impl Came {
    /// Reads a batch, which must be sound.
    pub(crate) fn read(bytes: &[u8]) -> Self {
        let (view, rest) = BatchView::parse(bytes).expect("a batch that core made");
        assert!(rest.is_empty(), "one batch per partition");
        view.check_crc().expect("the checksum of a batch of core's");
        let records = view.records(1 << 24).expect("records that core wrote");
        assert!(!records.is_empty(), "a batch without records");
        let number = |value: &Option<Vec<u8>>| {
            let value = value.as_deref().and_then(|value| value.first_chunk());
            u32::from_be_bytes(*value.expect("each record begins with its number"))
        };
        Self {
            stamp: (view.producer_id >= 0).then_some((
                view.producer_id,
                view.producer_epoch,
                view.base_sequence,
            )),
            records: records.iter().map(|record| number(&record.value)).collect(),
            max_timestamp: view.max_timestamp,
        }
    }

    /// The sequence of its record at this place.
    pub(crate) fn sequence(first: i32, place: usize) -> i32 {
        ((i64::from(first) + place as i64) & 0x7fff_ffff) as i32
    }

    /// The sequences of each record, if it has one.
    pub(crate) fn sequences(&self) -> impl Iterator<Item = ((i64, i16, i32), u32)> {
        let stamped = self.stamp.map(|(id, epoch, first)| {
            let sequence = move |place| (id, epoch, Self::sequence(first, place));
            let places = self.records.iter().enumerate();
            places.map(move |(place, &record)| (sequence(place), record))
        });
        stamped.into_iter().flatten()
    }
}

/// A batch that a producer appended.
#[derive(Debug)]
struct Appended {
    epoch: i16,
    first: i32,
    last: i32,
    base: usize,
    end: usize,
    max_timestamp: i64,
}

/// What an append came to that did not fail.
#[derive(Debug, Clone, Copy)]
pub(crate) struct At {
    pub(crate) base: i64,
    /// It was there already.
    pub(crate) is_repeated: bool,
}

/// One partition.
#[derive(Debug, Default)]
pub(crate) struct Log {
    records: Vec<u32>,
    producers: BTreeMap<i64, Vec<Appended>>,
    /// What every replica has: no new leader is without it.
    safe: usize,
}

impl Log {
    pub(crate) fn records(&self) -> &[u32] {
        &self.records
    }

    /// Appends as a leader does that stamps records itself, if it does.
    pub(crate) fn append(&mut self, came: &Came, stamped: Option<i64>) -> Result<At, ErrorCode> {
        let base = self.records.len();
        let end = base + came.records.len();
        if let Some((id, epoch, first)) = came.stamp {
            let last = Came::sequence(first, came.records.len() - 1);
            let known = self.producers.entry(id).or_default();
            if let Some(newest) = known.last() {
                if epoch < newest.epoch {
                    return Err(ErrorCode::INVALID_PRODUCER_EPOCH);
                }
                let same = |batch: &&Appended| {
                    (batch.epoch, batch.first, batch.last) == (epoch, first, last)
                };
                if let Some(repeated) = known.iter().rev().take(RECOGNISED).find(same) {
                    return Ok(At {
                        base: repeated.base as i64,
                        is_repeated: true,
                    });
                }
                let expected = match epoch == newest.epoch {
                    true => Came::sequence(newest.last, 1),
                    false => 0,
                };
                if first != expected {
                    return Err(ErrorCode::OUT_OF_ORDER_SEQUENCE_NUMBER);
                }
            }
            known.push(Appended {
                epoch,
                first,
                last,
                base,
                end,
                max_timestamp: stamped.unwrap_or(came.max_timestamp),
            });
        }
        self.records.extend(&came.records);
        Ok(At {
            base: base as i64,
            is_repeated: false,
        })
    }

    /// All that is there is on every replica.
    pub(crate) fn make_safe(&mut self) {
        self.safe = self.records.len();
    }

    /// Another replica leads. It may be without what was not safe: of that so much goes.
    pub(crate) fn fail_over(&mut self, unsafe_lost: usize) {
        let len = self.records.len();
        self.cut(len - unsafe_lost.min(len - self.safe));
    }

    /// What no cluster should do: a replica leads that is without what all had. Whether anything went.
    pub(crate) fn lose(&mut self, lost: usize) -> bool {
        let len = self.records.len();
        self.cut(len.saturating_sub(lost));
        self.safe = self.safe.min(self.records.len());
        self.records.len() < len
    }

    fn cut(&mut self, len: usize) {
        // A batch goes as a whole.
        let batches = self.producers.values().flatten();
        let cut = batches.filter(|batch| batch.base < len && len < batch.end);
        let len = cut.map(|batch| batch.base).min().unwrap_or(len);
        self.records.truncate(len);
        self.producers.retain(|_, known| {
            known.retain(|batch| batch.end <= len);
            !known.is_empty()
        });
    }

    /// Forgets producers whose last batch is older by its timestamps.
    pub(crate) fn forget_before(&mut self, unix_ms: i64) {
        let is_young = |known: &Vec<Appended>| {
            let newest = known.last();
            newest.is_some_and(|newest| newest.max_timestamp >= unix_ms)
        };
        self.producers.retain(|_, known| is_young(known));
    }

    /// Forgets all producers, which is a defect of a broker's.
    pub(crate) fn forget_all(&mut self) {
        self.producers.clear();
    }
}
