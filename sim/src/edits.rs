//! What may be left out of a plan, and how. Each edit makes a run's circumstances fewer or kinder,
//! never harder, so that what was expected of the run may still be expected.

use std::time::Duration;

use downpour_core::config::Linger;
use downpour_wire::codec::Compression;

use crate::extras::Extras;
use crate::plan::{Plan, RecordPlan, Verb};

/// What an edit did at a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Made {
    Change,
    /// There is nothing to do at this place.
    Nothing,
    /// There are no more places.
    NoMore,
}

type Edit = fn(&mut Plan, usize) -> Made;

/// All edits, those first that leave out most.
pub(crate) const ALL: &[Edit] = &[
    leave_out_phase,
    leave_out_sender,
    |plan, at| leave_out_records(plan, at, 2),
    |plan, at| leave_out_records(plan, at, 8),
    leave_out_trouble,
    simplify,
    |plan, at| leave_out_records(plan, at, 32),
    |plan, at| leave_out_records(plan, at, usize::MAX),
    simplify_records,
];

fn leave_out_phase(plan: &mut Plan, at: usize) -> Made {
    if plan.phases.len() < 2 || at >= plan.phases.len() {
        return Made::NoMore;
    }
    plan.phases.remove(at);
    plan.phases[0].lull = Duration::ZERO;
    plan.phases[0].forget = false;
    Made::Change
}

/// Empties it: what the others call depends on their number.
fn leave_out_sender(plan: &mut Plan, at: usize) -> Made {
    let mut senders = plan.phases.iter_mut().flat_map(|phase| &mut phase.senders);
    let Some(records) = senders.nth(at) else {
        return Made::NoMore;
    };
    if records.is_empty() {
        return Made::Nothing;
    }
    records.clear();
    Made::Change
}

/// Leaves out one of so many parts of what each sender sends.
fn leave_out_records(plan: &mut Plan, at: usize, parts: usize) -> Made {
    let senders: Vec<&mut Vec<RecordPlan>> = plan
        .phases
        .iter_mut()
        .flat_map(|phase| &mut phase.senders)
        .collect();
    let mut first = 0;
    for records in senders {
        let len = records.len().div_ceil(parts).max(1);
        let count = records.len().div_ceil(len);
        if at < first + count {
            let from = (at - first) * len;
            let to = records.len().min(from + len);
            records.drain(from..to);
            return Made::Change;
        }
        first += count;
    }
    Made::NoMore
}

fn leave_out_trouble(plan: &mut Plan, at: usize) -> Made {
    let mut first = 0;
    for phase in &mut plan.phases {
        if at < first + phase.trouble.len() {
            phase.trouble.remove(at - first);
            return Made::Change;
        }
        first += phase.trouble.len();
    }
    Made::NoMore
}

/// Sets something to the kindest that it can be.
type Simplify = fn(&mut Plan);

const SIMPLE: &[Simplify] = &[
    |plan| plan.extras = Extras::default(),
    |plan| plan.extras.free = 0,
    |plan| plan.extras.dressed = 0,
    |plan| plan.extras.fickle = 0,
    |plan| plan.extras.interrupted = 0,
    |plan| plan.extras.impossible = 0,
    |plan| plan.extras.own_partitioner = false,
    |plan| fewer_brokers(plan, 1),
    |plan| fewer_brokers(plan, 2),
    |plan| plan.verbs = vec![Verb::Send],
    |plan| plan.verbs.truncate(1),
    |plan| plan.options.truncate(1),
    |plan| plan.old_records = 0,
    |plan| plan.hurried = 0,
    |plan| plan.kept = 100,
    |plan| plan.watch = Duration::ZERO,
    |plan| plan.memory = plan.memory.max(64 << 20),
    |plan| {
        let plain = Compression::default();
        plan.config.compression = plain;
        plan.options.iter_mut().for_each(|o| o.compression = plain);
    },
    |plan| plan.config.linger = Linger::Fixed(plan.config.linger.duration()),
    |plan| {
        plan.config.linger = match plan.config.linger {
            Linger::Fixed(_) => Linger::Fixed(Duration::ZERO),
            _ => Linger::Adaptive(Duration::ZERO),
        }
    },
    |plan| plan.net.jitter = Duration::ZERO,
    |plan| plan.net.sealing = Duration::ZERO,
    |plan| plan.net.lookup = Duration::ZERO,
    |plan| plan.net.latency = (Duration::ZERO, Duration::ZERO),
    |plan| plan.net.latency.1 = plan.net.latency.0,
    |plan| plan.net.service = (Duration::ZERO, Duration::ZERO),
    |plan| plan.net.service.1 = plan.net.service.0,
    |plan| plan.net.piecemeal = 0,
    |plan| plan.net.split_answers = 0,
    |plan| plan.net.reset = 0,
    |plan| plan.net.no_thread = 0,
    |plan| plan.net.lookup_lost = 0,
    |plan| plan.net.lookup_panics = 0,
    |plan| plan.net.black_hole = 0,
];

fn simplify(plan: &mut Plan, at: usize) -> Made {
    let Some(simple) = SIMPLE.get(at) else {
        return Made::NoMore;
    };
    if_changed(plan, simple)
}

fn if_changed(plan: &mut Plan, edit: impl FnOnce(&mut Plan)) -> Made {
    let before = format!("{plan:?}");
    edit(plan);
    if format!("{plan:?}") == before {
        Made::Nothing
    } else {
        Made::Change
    }
}

/// What names a broker that is not there any more hits nobody.
fn fewer_brokers(plan: &mut Plan, brokers: i32) {
    if plan.brokers <= brokers {
        return;
    }
    plan.brokers = brokers;
    plan.releases.truncate(brokers as usize);
    let known = |host: &str| (1..=brokers).any(|id| host == format!("broker-{id}.fake"));
    plan.config.bootstrap.retain(|address| known(&address.host));
    if plan.config.bootstrap.is_empty() {
        let first = downpour_core::config::Address {
            host: "broker-1.fake".into(),
            port: 9092,
        };
        plan.config.bootstrap.push(first);
    }
}

/// Changes all records alike.
type SimplifyRecord = fn(&mut RecordPlan);

const SIMPLE_RECORDS: &[SimplifyRecord] = &[
    |record| record.pause = Duration::ZERO,
    |record| (record.topic, record.partition) = (0, 0),
    |record| record.partition = 0,
    |record| record.options = 0,
    |record| record.keyed = true,
    |record| record.len = 4,
    |record| record.len = record.len.div_ceil(2).max(4),
];

fn simplify_records(plan: &mut Plan, at: usize) -> Made {
    let Some(simple) = SIMPLE_RECORDS.get(at) else {
        return Made::NoMore;
    };
    if_changed(plan, |plan| {
        let senders = plan.phases.iter_mut().flat_map(|phase| &mut phase.senders);
        senders.flatten().for_each(simple);
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::draw;
    use crate::shrink::Size;

    #[test]
    fn no_edit_makes_a_plan_larger_and_each_runs_out_of_places() {
        for seed in 0..30 {
            let (plan, _) = draw(seed);
            let before = Size::of(&plan);
            for edit in ALL {
                let mut at = 0;
                loop {
                    let mut edited = plan.clone();
                    let made = edit(&mut edited, at);
                    if made == Made::NoMore {
                        break;
                    }
                    let after = Size::of(&edited);
                    assert!(after.records <= before.records && after.senders <= before.senders);
                    assert!(after.troubles <= before.troubles && after.brokers <= before.brokers);
                    at += 1;
                }
            }
        }
    }
}
