//! Judges a run by what was accepted, what senders were told, and the brokers' logs.
//!
//! Knows nothing of how core came to its verdicts.

use std::collections::BTreeMap;

use downpour_fake::FakeRecord;

use crate::history::{Entry, Fate, History, Place, key_of, value_of};

/// What may be asked of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Expect {
    /// A record may be in the log more than once.
    pub(crate) duplicates: bool,
    pub(crate) order: Order,
    /// Nothing happened that could keep a record from being delivered.
    pub(crate) all_delivered: bool,
}

impl Expect {
    /// Brokers keep what they know of the producer as long as batches are under way.
    pub(crate) fn is_strict(&self) -> bool {
        !self.duplicates && self.order == Order::All
    }
}

/// Which order a log must keep.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    /// All records that are there.
    All,
    /// The first occurrences of acknowledged records.
    FirstOfDelivered,
    /// None.
    Any,
}

/// The first thing that is wrong, in words.
pub(crate) fn check(
    history: &History,
    logs: &BTreeMap<Place, Vec<FakeRecord>>,
    expect: Expect,
) -> Result<(), String> {
    let mut found: BTreeMap<u32, Vec<i64>> = BTreeMap::new();
    for (place, log) in logs {
        for record in log {
            let id = identify(history, *place, record)?;
            found.entry(id).or_default().push(record.offset);
        }
    }
    for (&id, entry) in &history.entries {
        let offsets = found.get(&id).map_or(&[][..], Vec::as_slice);
        check_record(id, entry, offsets, expect)?;
    }
    for ((place, _), order) in &history.order {
        check_order(*place, history, order, &found, expect)?;
    }
    Ok(())
}

/// Whose record lies in the log, and whether it is unharmed.
fn identify(history: &History, place: Place, record: &FakeRecord) -> Result<u32, String> {
    let value = record.value.as_deref().unwrap_or_default();
    let at = format!("offset {} of {place:?}", record.offset);
    let id = value
        .first_chunk::<4>()
        .map(|id| u32::from_be_bytes(*id))
        .ok_or_else(|| format!("{at} holds something that nobody sent"))?;
    let entry = history
        .entries
        .get(&id)
        .ok_or_else(|| format!("{at} holds record {id}, which was never accepted"))?;
    if entry.place != place {
        return Err(format!("{at} holds record {id} of {:?}", entry.place));
    }
    let key = entry.keyed.then(|| key_of(id).to_vec());
    if record.key != key || value != value_of(id, entry.len) {
        return Err(format!("{at}: record {id} is not what was sent"));
    }
    Ok(id)
}

fn check_record(id: u32, entry: &Entry, offsets: &[i64], expect: Expect) -> Result<(), String> {
    let place = entry.place;
    let unwatched = Fate::Unknown {
        why: "nobody waited for it".to_owned(),
    };
    let fate = match &entry.fate {
        Some((fate, _)) => fate,
        None if !entry.watched => &unwatched,
        None => {
            return Err(format!(
                "record {id} of {place:?} never got a verdict (in the log at {offsets:?})"
            ));
        }
    };
    let wrong = |what: &str| {
        Err(format!(
            "record {id} of {place:?} is {fate:?}, but {what} (in the log at {offsets:?})"
        ))
    };
    if offsets.len() > 1 && !expect.duplicates {
        return wrong("it was written twice");
    }
    if entry.returned && !offsets.is_empty() {
        return wrong("it was handed back as never sent");
    }
    match fate {
        Fate::Delivered { offset } => {
            if offsets.is_empty() {
                return wrong("it is not there");
            }
            if offset.is_some_and(|offset| !offsets.contains(&offset)) {
                return wrong("not there");
            }
        }
        Fate::Failed { .. } if !offsets.is_empty() => return wrong("it was written"),
        Fate::Failed { why } | Fate::Unknown { why } if why.contains("internal error") => {
            return wrong("that is a defect");
        }
        Fate::Sent | Fate::Failed { .. } | Fate::Unknown { .. } => {}
    }
    if expect.all_delivered && entry.watched && !matches!(fate, Fate::Delivered { .. } | Fate::Sent)
    {
        return wrong("nothing kept it from being delivered");
    }
    Ok(())
}

fn check_order(
    place: Place,
    history: &History,
    order: &[u32],
    found: &BTreeMap<u32, Vec<i64>>,
    expect: Expect,
) -> Result<(), String> {
    let counts = |id: &u32| match expect.order {
        Order::All => true,
        Order::FirstOfDelivered => history
            .entries
            .get(id)
            .is_some_and(|e| matches!(e.fate, Some((Fate::Delivered { .. }, _)))),
        Order::Any => false,
    };
    let mut before: Option<(u32, i64)> = None;
    for &id in order.iter().filter(|id| counts(id)) {
        let Some(&offset) = found.get(&id).and_then(|offsets| offsets.first()) else {
            continue;
        };
        if let Some((earlier, its)) = before.filter(|(_, its)| *its >= offset) {
            return Err(format!(
                "{place:?}: record {earlier} was accepted before record {id}, but lies at {its}, \
                 behind {offset}"
            ));
        }
        before = Some((id, offset));
    }
    Ok(())
}
