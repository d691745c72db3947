//! Which sequence belongs to which record, as the bytes of requests tell it.
//!
//! Two rules hang on it that no log can show: a sequence belongs to one record for good, and no
//! record is called unknown behind one that is certainly absent. Read from what the client's
//! sockets take, since a sequence is spent with the first byte of its request.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::time::Duration;

use downpour_wire::batch::BatchView;
use downpour_wire::header::{RequestHeader, decode_body};
use downpour_wire::messages::{ApiKey, ProduceRequest};
use downpour_wire::primitives::Reader;

use crate::history::{History, Place};

/// Producer id and epoch on one partition.
type Under = (Place, i64, i16);

/// A batch by what its header says of its sequence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Stamped {
    under: Under,
    base_sequence: i32,
}

impl Stamped {
    pub(crate) fn place(&self) -> Place {
        self.under.0
    }
}

impl fmt::Display for Stamped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            under,
            base_sequence,
        } = self;
        write!(f, "the batch {base_sequence} {under:?}")
    }
}

/// What requests have carried so far.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    records: HashMap<(Under, i32), u32>,
    /// The last identity and sequence of each record.
    last: HashMap<u32, (Under, i32)>,
    /// Sequences whose records failed after they were sent, and when their senders were told.
    absent: BTreeMap<Under, Vec<(i32, Duration)>>,
}

impl Ledger {
    /// Takes the bytes of a request, of which the first was handed over: its
    /// batches. The error names a sequence that was given to two records.
    pub(crate) fn note(&mut self, frame: &[u8], history: &History) -> Result<Vec<Stamped>, String> {
        let mut stamped = Vec::new();
        for batch in batches(frame) {
            let Ok((view, _)) = BatchView::parse(&batch) else {
                continue;
            };
            if view.base_sequence < 0 {
                continue;
            }
            let records = view.records(1 << 24).map_err(|error| error.to_string())?;
            for (i, record) in (0..).zip(&records) {
                let id = record.value.as_deref().and_then(|v| v.first_chunk::<4>());
                let id = id.map(|id| u32::from_be_bytes(*id));
                let Some((id, place)) = id.and_then(|id| Some((id, *history.offered.get(&id)?)))
                else {
                    return Err("a request carries a record that nobody sent".to_owned());
                };
                let under = (place, view.producer_id, view.producer_epoch);
                let sequence = view.base_sequence + i;
                let first = *self.records.entry((under, sequence)).or_insert(id);
                if first != id {
                    return Err(format!(
                        "sequence {sequence} of {under:?} was given to record {first} and to \
                         record {id}"
                    ));
                }
                self.last.insert(id, (under, sequence));
                if i == 0 {
                    stamped.push(Stamped {
                        under,
                        base_sequence: sequence,
                    });
                }
            }
        }
        Ok(stamped)
    }

    /// A record failed: if it was sent, those behind it under the same identity are absent.
    pub(crate) fn handle_failed(&mut self, id: u32, now: Duration) {
        if let Some(&(under, sequence)) = self.last.get(&id) {
            self.absent.entry(under).or_default().push((sequence, now));
        }
    }

    /// Whether a record was sent behind one whose sender was told by then that it is absent, and
    /// never otherwise since.
    pub(crate) fn is_absent(&self, id: u32, by: Duration) -> bool {
        self.last.get(&id).is_some_and(|(under, sequence)| {
            let absent = self.absent.get(under).into_iter().flatten();
            absent
                .into_iter()
                .any(|(first, at)| first < sequence && *at <= by)
        })
    }
}

/// The batches of a Produce request; none of any other request.
fn batches(frame: &[u8]) -> Vec<Vec<u8>> {
    let mut reader = Reader::new(frame.get(4..).unwrap_or_default());
    let is_produce = |header: &RequestHeader| header.api_key == ApiKey::Produce as i16;
    let header = RequestHeader::decode(&mut reader).ok().filter(is_produce);
    let request = header
        .and_then(|header| decode_body::<ProduceRequest>(&mut reader, header.api_version).ok());
    let topics = request.into_iter().flat_map(|request| request.topics);
    topics
        .flat_map(|topic| topic.partitions)
        .filter_map(|partition| partition.records)
        .collect()
}
