//! What a record has beside key and value, where it goes, and how its verdict is waited for.

use std::cell::RefCell;
use std::future::poll_fn;
use std::pin::pin;
use std::rc::Rc;
use std::task::{Context, Waker};
use std::time::Duration;

use downpour::{Deliveries, Delivery, Record};
use downpour_core::callers::partitioner::murmur2;
use downpour_fake::FakeRecord;

use crate::extras::{Extras, is_one_of};
use crate::history::key_of;
use crate::plan::{RecordPlan, Verb};
use crate::world::desk::{Desk, End, Note};
use crate::world::partitioner::by_last_byte;
use crate::world::state::World;
use crate::world::tasks::{Sleeps, first_of};

/// The partition of a record that nobody knows before it is accepted.
pub(crate) const NOT_KNOWN: i32 = -1;

/// How a sender's records look.
#[derive(Debug, Clone)]
pub(crate) struct Dress {
    pub(crate) extras: Extras,
    pub(crate) verb: Verb,
    /// How many partitions each topic has at first, and may have later.
    pub(crate) counts: Rc<[Vec<u32>]>,
    pub(crate) batch_max: usize,
}

impl Dress {
    /// Where a record goes; the producer chooses if its sender does not.
    pub(crate) fn partition(&self, id: u32, plan: &RecordPlan) -> i32 {
        let counts = &self.counts[plan.topic as usize];
        let count = counts[0];
        if self.is_impossible(id) && id % 2 == 0 {
            count as i32 + 5
        } else if !self.is_free(id) {
            plan.partition
        } else if counts.len() > 1 {
            NOT_KNOWN
        } else if self.extras.own_partitioner && (plan.keyed || self.has_partition_key()) {
            by_last_byte(&key_of(id), count)
        } else if plan.keyed || self.has_partition_key() {
            murmur2::for_key(&key_of(id), count)
        } else {
            NOT_KNOWN
        }
    }

    /// Whether a record that was accepted in this partition may be there.
    pub(crate) fn may_be_in(&self, partition: i32, id: u32, plan: &RecordPlan) -> bool {
        if !self.is_free(id) || !plan.keyed || self.extras.own_partitioner {
            return true;
        }
        let mut counts = self.counts[plan.topic as usize].iter();
        counts.any(|count| murmur2::for_key(&key_of(id), *count) == partition)
    }

    /// The length of its value, which may be more than any batch takes.
    pub(crate) fn len(&self, id: u32, plan: &RecordPlan) -> usize {
        match self.is_impossible(id) && id % 2 == 1 {
            true => self.batch_max,
            false => plan.len,
        }
    }

    fn is_impossible(&self, id: u32) -> bool {
        is_one_of(self.extras.impossible, id, 0x1656_67b1)
    }

    fn is_free(&self, id: u32) -> bool {
        is_one_of(self.extras.free, id, 0x85eb_ca77)
    }

    /// Of many that are sent together it is told too late where each went.
    fn has_partition_key(&self) -> bool {
        self.verb == Verb::Many
    }

    pub(crate) fn put_on<'a>(
        &self,
        mut record: Record<'a>,
        id: u32,
        plan: &RecordPlan,
    ) -> Record<'a> {
        if plan.keyed {
            record = record.key(key_of(id).to_vec());
        }
        if !self.is_free(id) || self.is_impossible(id) {
            record = record.partition(self.partition(id, plan));
        } else if !plan.keyed && self.has_partition_key() {
            record = record.partition_key(key_of(id).to_vec());
        }
        for (name, value) in self.extras.headers_of(id) {
            record = record.header(name, value);
        }
        if self.has_label(id) {
            record = record.label(id);
        }
        record
    }

    fn has_label(&self, id: u32) -> bool {
        is_one_of(self.extras.dressed, id, 0xc2b2_ae3d)
    }

    /// Waits for a record's verdict, in one of the ways that there are.
    pub(crate) async fn wait(
        self,
        id: u32,
        delivery: Delivery,
        sleeps: Sleeps,
        desk: Rc<RefCell<Desk>>,
    ) -> (Delivery, End) {
        if is_one_of(self.extras.fickle, id, 0x27d4_eb2f) {
            let patience = Duration::from_micros(u64::from(id.wrapping_mul(40_503)) % 100_000);
            if let Some(end) = first_of(sleeps.sleep(patience), delivery.clone()).await {
                return (delivery, end);
            }
            let _ = delivery.clone().await;
        }
        let mut end = pin!(delivery.clone());
        let end = poll_fn(|context| {
            // Whoever asks last is woken, and who asks again is not forgotten.
            let ready = end.as_mut().poll(&mut Context::from_waker(Waker::noop()));
            if ready.is_ready() {
                return ready;
            }
            let _ = end.as_mut().poll(context);
            end.as_mut().poll(context)
        })
        .await;
        let label = if self.has_label(id) { Some(id) } else { None };
        let told = match &end {
            Ok(report) => report.label(),
            Err(error) => error.label(),
        };
        if told.copied() != label || delivery.label().as_deref().copied() != label {
            let what = format!("record {id} lost its label, or has another's");
            desk.borrow_mut().notes.push(Note::Broken(what));
        }
        (delivery, end)
    }

    /// Waits for many at once.
    pub(crate) async fn wait_for_all(mut all: Deliveries, desk: Rc<RefCell<Desk>>) {
        let good = (&mut all).await.is_ok();
        let parts = all.reports().all(|end| end.is_some_and(|end| end.is_ok()));
        if all.iter().any(|delivery| delivery.is_pending()) {
            let what = "many were waited for, and some have no verdict".to_owned();
            desk.borrow_mut().notes.push(Note::Broken(what));
        } else if good != parts {
            let what = "of many that were waited for the whole is not as its parts".to_owned();
            desk.borrow_mut().notes.push(Note::Broken(what));
        }
    }
}

impl World {
    /// Whether a record that came back has the headers with which it was sent.
    pub(crate) fn has_own_headers(&self, id: u32, record: &Record<'_>) -> bool {
        let headers = record.get_headers().iter();
        let headers = headers.map(|(name, value)| (name.to_owned(), value.map(<[u8]>::to_vec)));
        headers.eq(self.plan.extras.headers_of(id))
    }

    /// A record that does not lie in the log with the headers with which it was sent, in words.
    pub(crate) fn find_undressed(&self, log: &[FakeRecord]) -> Option<String> {
        log.iter().find_map(|record| {
            let id = record.value.as_deref().and_then(|v| v.first_chunk::<4>());
            let id = id.map_or(u32::MAX, |id| u32::from_be_bytes(*id));
            let headers = &record.headers;
            let is_undressed = *headers != self.plan.extras.headers_of(id);
            is_undressed.then(|| format!("record {id} has headers {headers:?} in the log"))
        })
    }
}
