//! One seed from its number to its report.

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::complaints::{self, Listener};
use crate::extras;
use crate::plan::Plan;
use crate::report::Report;
use crate::rng::Rng;
use crate::trace::Trace;
use crate::world::World;

/// Runs a seed. With `lines` above zero its trace is told in at most about so many lines.
///
/// The same seed always gives the same report.
pub fn run(seed: u64, lines: usize) -> Report {
    let mut rng = Rng::new(seed);
    let mut plan = Plan::draw(&mut rng);
    extras::add(&mut plan, seed);
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
