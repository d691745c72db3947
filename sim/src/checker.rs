//! Judges a run by what was accepted, what senders were told, and the brokers' logs.
//!
//! Knows nothing of how core came to its verdicts.

use std::collections::BTreeMap;

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

/// A record as it lies in a log.
#[derive(Debug, Clone)]
pub(crate) struct Logged {
    pub(crate) offset: i64,
    pub(crate) key: Option<Vec<u8>>,
    pub(crate) value: Vec<u8>,
}

/// The first thing that is wrong, in words.
pub(crate) fn check(
    history: &History,
    logs: &BTreeMap<Place, Vec<Logged>>,
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
fn identify(history: &History, place: Place, record: &Logged) -> Result<u32, String> {
    let value = &record.value;
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
    if record.key != key || *value != value_of(id, entry.len) {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::{PLACE, at, delivered, entry, failed, unknown};

    const STRICT: Expect = Expect {
        duplicates: false,
        order: Order::All,
        all_delivered: false,
    };

    type Logs = BTreeMap<Place, Vec<Logged>>;

    fn logged(offset: i64, id: u32) -> Logged {
        Logged {
            offset,
            key: Some(key_of(id).to_vec()),
            value: value_of(id, 10),
        }
    }

    /// Records 1 and 2 are delivered, 3 failed, 4 is unknown and in the log.
    fn sound() -> (History, Logs) {
        let mut history = History::default();
        let fates = [delivered(0), delivered(1), failed(), unknown()];
        for (id, fate) in (1..).zip(fates) {
            history.accept(id, entry(fate, at(100)));
        }
        let log = vec![logged(0, 1), logged(1, 2), logged(2, 4)];
        (history, [(PLACE, log)].into())
    }

    /// What is said when one thing is changed in a sound run.
    fn said(expect: Expect, change: impl FnOnce(&mut History, &mut Vec<Logged>)) -> String {
        let (mut history, mut logs) = sound();
        assert_eq!(check(&history, &logs, expect), Ok(()));
        change(&mut history, logs.get_mut(&PLACE).unwrap());
        check(&history, &logs, expect).unwrap_err()
    }

    fn complains(words: &str, change: impl FnOnce(&mut History, &mut Vec<Logged>)) {
        let said = said(STRICT, change);
        assert!(said.contains(words), "{said}");
    }

    #[test]
    fn a_delivered_record_is_in_the_log_once_and_at_its_offset() {
        complains("it is not there", |_, log| drop(log.remove(1)));
        complains("but not there", |_, log| log[1].offset = 7);
        complains("it was written twice", |_, log| log.push(logged(3, 2)));
        complains("it is not there", |history, _| {
            let fate = Fate::Delivered { offset: None };
            history.entries.get_mut(&3).unwrap().fate = Some((fate, at(100)));
        });
    }

    #[test]
    fn a_failed_record_is_not_in_the_log_and_an_unknown_one_at_most_once() {
        complains(
            "is Failed { why: \"why\" }, but it was written",
            |_, log| {
                log.insert(2, logged(5, 3));
            },
        );
        complains("it was written twice", |_, log| log.push(logged(3, 4)));
    }

    #[test]
    fn what_was_handed_back_is_not_in_the_log() {
        complains("handed back as never sent", |history, _| {
            history.entries.get_mut(&4).unwrap().returned = true;
        });
    }

    #[test]
    fn a_record_that_somebody_waits_for_has_a_verdict() {
        complains("never got a verdict", |history, _| {
            history.entries.get_mut(&4).unwrap().fate = None;
        });
        let (mut history, logs) = sound();
        let of_nobody = history.entries.get_mut(&4).unwrap();
        (of_nobody.fate, of_nobody.watched) = (None, false);
        assert_eq!(check(&history, &logs, STRICT), Ok(()));
    }

    #[test]
    fn a_log_holds_only_what_was_sent_there_and_unharmed() {
        complains("which was never accepted", |_, log| log.push(logged(3, 9)));
        complains("nobody sent", |_, log| log[0].value.truncate(2));
        complains("is not what was sent", |_, log| log[0].value[7] ^= 1);
        complains("is not what was sent", |_, log| log[0].key = None);
        complains("holds record 4 of (0, 1)", |history, _| {
            history.entries.get_mut(&4).unwrap().place = (0, 1);
        });
    }

    #[test]
    fn records_lie_in_the_order_in_which_they_were_accepted() {
        let swap = |history: &mut History, log: &mut Vec<Logged>| {
            log.swap(0, 1);
            (log[0].offset, log[1].offset) = (0, 1);
            for (id, offset) in [(1, 1), (2, 0)] {
                history.entries.get_mut(&id).unwrap().fate = Some((delivered(offset), at(100)));
            }
        };
        complains("record 1 was accepted before record 2", swap);
        let loose = Expect {
            order: Order::FirstOfDelivered,
            ..STRICT
        };
        assert!(said(loose, swap).contains("record 1 was accepted before record 2"));
        // One that is unknown may be anywhere then.
        let (mut history, mut logs) = sound();
        history.entries.get_mut(&1).unwrap().fate = Some((unknown(), at(100)));
        let log = logs.get_mut(&PLACE).unwrap();
        log[0].offset = 9;
        assert!(check(&history, &logs, STRICT).is_err());
        assert_eq!(check(&history, &logs, loose), Ok(()));
    }

    #[test]
    fn where_nothing_keeps_a_record_from_delivery_it_is_delivered() {
        let (history, logs) = sound();
        let all = Expect {
            all_delivered: true,
            ..STRICT
        };
        let said = check(&history, &logs, all).unwrap_err();
        assert!(said.contains("record 3 of (0, 0)") && said.contains("nothing kept it"));
    }

    #[test]
    fn an_internal_error_is_a_defect_whatever_the_log_says() {
        complains("that is a defect", |history, _| {
            let why = "internal error, please report it".to_owned();
            history.entries.get_mut(&3).unwrap().fate = Some((Fate::Failed { why }, at(100)));
        });
    }
}
