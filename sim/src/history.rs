//! What a sender can know: what was accepted in which order, and which verdict it got.
//!
//! Knows nothing of queues, requests or identities; the checker works on this and the logs.

use std::collections::BTreeMap;
use std::time::Duration;

use downpour_core::outcome::Cause;

/// A topic's number and a partition.
pub(crate) type Place = (u32, i32);

/// How a record ended, as its sender was told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Fate {
    Delivered { offset: Option<i64> },
    Sent,
    Failed { why: String },
    Unknown { why: String },
}

/// What a sender was told beside that.
#[derive(Debug, Clone)]
pub(crate) struct Told {
    pub(crate) cause: Cause,
    pub(crate) age: Duration,
}

/// An accepted record.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) place: Place,
    /// Records of one partition keep their order within a line: those of equal options, or all.
    pub(crate) line: usize,
    pub(crate) keyed: bool,
    pub(crate) len: usize,
    pub(crate) accepted_at: Duration,
    /// It has a verdict by then, the sweep's pace aside.
    pub(crate) timeout: Duration,
    /// When its sending began, if its sender heard of its verdict only some time after it.
    pub(crate) told_late: Option<Duration>,
    /// Its sender kept the handle and waits.
    pub(crate) watched: bool,
    /// How it ended and when its sender was told.
    pub(crate) fate: Option<(Fate, Duration)>,
    /// Why it was not delivered.
    pub(crate) told: Option<Box<Told>>,
    /// It was handed back as never sent.
    pub(crate) returned: bool,
}

/// All accepted records by their number.
#[derive(Debug, Default)]
pub(crate) struct History {
    pub(crate) entries: BTreeMap<u32, Entry>,
    /// Where each record goes that somebody has begun to send.
    pub(crate) offered: BTreeMap<u32, Place>,
    /// The records of each partition and line in the order in which they were accepted.
    pub(crate) order: BTreeMap<(Place, usize), Vec<u32>>,
    /// When somebody first began to send to a partition.
    first_offers: BTreeMap<Place, Duration>,
}

impl History {
    pub(crate) fn offer(&mut self, id: u32, place: Place, now: Duration) {
        self.offered.insert(id, place);
        self.first_offers.entry(place).or_insert(now);
    }

    pub(crate) fn first_offer(&self, place: Place) -> Option<Duration> {
        self.first_offers.get(&place).copied()
    }

    pub(crate) fn accept(&mut self, id: u32, entry: Entry) {
        let line = (entry.place, entry.line);
        self.order.entry(line).or_default().push(id);
        self.entries.insert(id, entry);
    }
}

/// The key that a record of this number carries.
pub(crate) fn key_of(id: u32) -> [u8; 4] {
    id.to_be_bytes()
}

/// The value that a record of this number and length carries: its number, then bytes that can be
/// made again, half of them hard to compress.
pub(crate) fn value_of(id: u32, len: usize) -> Vec<u8> {
    let mut value = id.to_be_bytes().to_vec();
    let mut x = u64::from(id).wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let hard = id % 2 == 1;
    while value.len() < len.max(4) {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        value.push(if hard {
            x as u8
        } else {
            b'a' + (id % 26) as u8
        });
    }
    value
}
