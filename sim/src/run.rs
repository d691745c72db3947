//! One seed from its number to its report.

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::additions;
use crate::complaints::{self, Listener};
use crate::plan::Plan;
use crate::report::Report;
use crate::rng::Rng;
use crate::shrink::{Size, shrink};
use crate::trace::Trace;
use crate::world::World;

/// Runs a seed. With `lines` above zero its trace is told in at most about so many lines.
///
/// The same seed always gives the same report.
pub fn run(seed: u64, lines: usize) -> Report {
    let (plan, rng) = draw(seed);
    run_plan(seed, plan, rng, lines)
}

/// The shortest story with a failing seed's complaint that was found.
#[derive(Debug)]
#[non_exhaustive]
pub struct Shortened {
    /// With its trace.
    pub report: Report,
    /// What was left out, in words.
    pub summary: String,
}

/// Runs a seed that fails with less and less, as long as its complaint remains, so often at most.
/// The trace is told in at most about so many lines.
///
/// The same seed always gives the same story.
pub fn shorten(seed: u64, runs_max: u32, lines: usize) -> Shortened {
    let (plan, rng) = draw(seed);
    let again = |plan: &Plan, lines| run_plan(seed, plan.clone(), rng.clone(), lines);
    let (before, told) = (Size::of(&plan), again(&plan, usize::MAX).trace.len());
    let shrunk = shrink(plan, runs_max, |plan| again(plan, 0).violation);
    let after = Size::of(&shrunk.plan);
    let all = again(&shrunk.plan, usize::MAX).trace.len();
    let end = if shrunk.is_done {
        "nothing more can be left out"
    } else {
        "more runs may leave out more"
    };
    let summary = format!(
        "with less, after {} runs ({end}):\n  {before}, {told} lines of trace ->\n  {after}, {all} \
         lines of trace",
        shrunk.runs
    );
    Shortened {
        report: again(&shrunk.plan, lines),
        summary,
    }
}

/// A seed's circumstances, and the chance that its run takes.
pub(crate) fn draw(seed: u64) -> (Plan, Rng) {
    let mut rng = Rng::new(seed);
    let mut plan = Plan::draw(&mut rng);
    additions::add(&mut plan, seed);
    (plan, rng)
}

pub(crate) fn run_plan(seed: u64, plan: Plan, rng: Rng, lines: usize) -> Report {
    let mut trace = Trace::new(lines > 0, lines);
    trace.note(std::time::Duration::ZERO, || {
        let mut brief = plan.phases.clone();
        brief.iter_mut().for_each(|phase| phase.senders.clear());
        format!(
            "PLAN {:#?}\nphases {brief:#?}\nend {:?}, memory {}, expect {:?}, {:?}",
            (&plan.config, &plan.topics, plan.net, &plan.releases),
            plan.end,
            plan.memory,
            plan.expect,
            plan.extras
        )
    });
    let mut world = World::new(plan, rng, trace);
    complaints::take();
    let ran = catch_unwind(AssertUnwindSafe(|| {
        tracing::subscriber::with_default(Listener, || world.run());
    }));
    if let Some(what) = complaints::take() {
        world.fail(format!("the log says: {what}"));
    }
    if let Err(panic) = ran {
        let words = panic
            .downcast_ref::<String>()
            .cloned()
            .or_else(|| panic.downcast_ref::<&str>().map(|&s| s.to_owned()));
        world.fail(format!("panic: {}", words.unwrap_or_default()));
    }
    let rounds = world.rounds;
    world.tally.add("client: rounds", rounds);
    world.tally.count("runs: all");
    if world.plan.expect.all_delivered {
        world.tally.count("runs: all must be delivered");
    }
    Report {
        seed,
        violation: world.violation.take(),
        tally: world.tally,
        trace: world.trace.into_lines(),
    }
}
