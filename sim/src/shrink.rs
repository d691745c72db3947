//! Makes the story of a failing seed as short as it gets: the plan is a value, and an edit that
//! leaves something out of it is kept if the same complaint remains. Which edits there are is in
//! `edits`; how a plan is run is not known here.

use std::fmt;

use crate::edits;
use crate::plan::Plan;

/// How much there is in a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Size {
    pub(crate) records: usize,
    pub(crate) senders: usize,
    pub(crate) troubles: usize,
    pub(crate) brokers: i32,
}

impl Size {
    pub(crate) fn of(plan: &Plan) -> Self {
        let sending = |records: &&Vec<_>| !records.is_empty();
        Self {
            records: plan
                .phases
                .iter()
                .flat_map(|p| &p.senders)
                .map(Vec::len)
                .sum(),
            senders: plan
                .phases
                .iter()
                .map(|p| p.senders.iter().filter(sending).count())
                .sum(),
            troubles: plan.phases.iter().map(|p| p.trouble.len()).sum(),
            brokers: plan.brokers,
        }
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            records,
            senders,
            troubles,
            brokers,
        } = self;
        write!(
            f,
            "{records} records, {senders} senders, {troubles} troubles, {brokers} brokers"
        )
    }
}

/// A plan that was made smaller, and what that took.
#[derive(Debug)]
pub(crate) struct Shrunk {
    pub(crate) plan: Plan,
    pub(crate) runs: u32,
    /// Nothing more could be left out; else there was no time left to try.
    pub(crate) is_done: bool,
}

/// Leaves out of a plan what its complaint does not need. `complaint` runs a plan and says what was
/// broken; it is asked so often at most.
pub(crate) fn shrink(
    plan: Plan,
    runs_max: u32,
    mut complaint: impl FnMut(&Plan) -> Option<String>,
) -> Shrunk {
    let mut shrunk = Shrunk {
        plan,
        runs: 1,
        is_done: false,
    };
    let Some(wanted) = complaint(&shrunk.plan) else {
        return shrunk;
    };
    let wanted = in_short(&wanted);
    let mut keep = |shrunk: &mut Shrunk, plan: Plan| {
        shrunk.runs += 1;
        let remains = complaint(&plan).is_some_and(|what| in_short(&what) == wanted);
        if remains {
            shrunk.plan = plan;
        }
        remains
    };
    loop {
        let mut is_smaller = false;
        for edit in edits::ALL {
            // An edit has places: the first half of the records, the second, and so on.
            let mut place = 0;
            loop {
                let mut plan = shrunk.plan.clone();
                match edit(&mut plan, place) {
                    edits::Made::Nothing => place += 1,
                    edits::Made::NoMore => break,
                    edits::Made::Change => {
                        if shrunk.runs >= runs_max {
                            return shrunk;
                        }
                        // What was there is gone if it is kept, and something else is there now.
                        let is_kept = keep(&mut shrunk, plan);
                        is_smaller |= is_kept;
                        place += usize::from(!is_kept);
                    }
                }
            }
        }
        if !is_smaller {
            shrunk.is_done = true;
            return shrunk;
        }
    }
}

/// What was found, without the numbers of this seed and the words of an error.
pub fn in_short(words: &str) -> String {
    let mut short = String::new();
    let mut depth = 0;
    for c in words.chars() {
        match c {
            '(' | '{' | '[' => depth += 1,
            ')' | '}' | ']' => depth -= 1,
            _ if depth > 0 => {}
            '0'..='9' if short.ends_with('N') => {}
            '0'..='9' => short.push('N'),
            '|' => short.push('/'),
            _ => short.push(c),
        }
    }
    let words: Vec<&str> = short.split_whitespace().collect();
    let short = words.join(" ").replace(" ,", ",").replace("N.N", "N");
    let short = short
        .replace(" of is ", " is ")
        .replace(" of was ", " was ");
    short.trim_start_matches(": ").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::{draw, run_plan};

    /// A complaint that needs no mistake: that a record failed.
    fn complaint(seed: u64) -> impl FnMut(&Plan) -> Option<String> {
        let (_, rng) = draw(seed);
        move |plan| {
            let report = run_plan(seed, plan.clone(), rng.clone(), 0);
            let failed = report.tally.of("records: failed");
            (failed > 0).then(|| format!("{failed} records failed"))
        }
    }

    #[test]
    fn what_is_left_of_a_plan_is_smaller_and_ends_with_the_same_complaint() {
        let mut shorter = 0;
        for seed in 0..40 {
            let (plan, _) = draw(seed);
            let before = Size::of(&plan);
            if complaint(seed)(&plan).is_none() {
                continue;
            }
            let shrunk = shrink(plan, 400, complaint(seed));
            let after = Size::of(&shrunk.plan);
            assert!(shrunk.runs <= 400);
            assert!(complaint(seed)(&shrunk.plan).is_some(), "seed {seed}");
            let pairs = [
                (after.records, before.records),
                (after.senders, before.senders),
                (after.troubles, before.troubles),
                (after.brokers as usize, before.brokers as usize),
            ];
            assert!(
                pairs.iter().all(|(after, before)| after <= before),
                "{pairs:?}"
            );
            shorter += usize::from(after.records <= 10 && after.records < before.records);
        }
        assert!(shorter >= 5, "{shorter} of the stories became short");
    }

    #[test]
    fn the_same_seed_is_shrunk_to_the_same_plan() {
        let seed = (0..)
            .find(|&seed| complaint(seed)(&draw(seed).0).is_some())
            .unwrap();
        let shrunk = || format!("{:?}", shrink(draw(seed).0, 200, complaint(seed)).plan);
        assert_eq!(shrunk(), shrunk());
    }

    #[test]
    fn an_edit_that_brings_another_complaint_is_undone() {
        let (plan, _) = draw(0);
        let all = Size::of(&plan).records;
        let shrunk = shrink(plan, 400, |plan| {
            let records = Size::of(plan).records;
            let what = if records * 2 < all {
                "too few"
            } else {
                "enough"
            };
            Some(what.to_owned())
        });
        let left = Size::of(&shrunk.plan).records;
        assert!(left * 2 >= all && left < all, "{left} of {all}");
    }

    #[test]
    fn a_plan_that_passes_stays_as_it_is() {
        let (plan, _) = draw(0);
        let before = format!("{plan:?}");
        let shrunk = shrink(plan, 400, |_| None);
        assert_eq!((format!("{:?}", shrunk.plan), shrunk.runs), (before, 1));
    }
}
