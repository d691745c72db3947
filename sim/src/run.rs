//! One seed from its number to its report.

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::dice::Dice;
use crate::plan::Plan;
use crate::report::Report;
use crate::story::Story;
use crate::world::World;

/// Runs a seed. With `lines` above zero its story is told in at most about so many lines.
///
/// The same seed always gives the same report.
pub fn run(seed: u64, lines: usize) -> Report {
    let mut dice = Dice::new(seed);
    let plan = Plan::draw(&mut dice);
    let mut story = Story::new(lines > 0, lines);
    story.note(std::time::Duration::ZERO, || {
        let mut brief = plan.phases.clone();
        brief.iter_mut().for_each(|phase| phase.senders.clear());
        format!(
            "PLAN {:#?}\nphases {brief:#?}\nend {:?}, memory {}, expect {:?}",
            (&plan.config, &plan.topics, plan.net, &plan.releases),
            plan.end,
            plan.memory,
            plan.expect
        )
    });
    let mut world = World::new(plan, dice, story);
    if let Err(panic) = catch_unwind(AssertUnwindSafe(|| world.run())) {
        let words = panic
            .downcast_ref::<String>()
            .cloned()
            .or_else(|| panic.downcast_ref::<&str>().map(|&s| s.to_owned()));
        world.fail(format!("panic: {}", words.unwrap_or_default()));
    }
    let polls = world.polls;
    world.tally.add("client: polls", polls);
    world.tally.count("runs: all");
    if world.plan.expect.all_delivered {
        world.tally.count("runs: all must be delivered");
    }
    Report {
        seed,
        violation: world.violation.take(),
        tally: world.tally,
        story: world.story.into_lines(),
    }
}
