//! The order of a measurement: target, producer, topic, then the load.

use std::thread;
use std::time::Instant;

use super::load::{Load, Worker};
use super::outcome::Outcomes;
use super::payload::Payload;
use super::result::Measured;
use super::target::Target;
use crate::args::{AwaitMode, PerfArgs};
use crate::console::Console;
use crate::ending::{Ending, Refusal};
use crate::usage;

pub(crate) fn run(args: &PerfArgs, console: &Console) -> Result<Ending, Refusal> {
    if cfg!(debug_assertions) {
        console.note("this is a debug build: its numbers say nothing about a release build's");
    }
    let target = Target::reach(args)?;
    let records = args.records;
    let load = Load {
        producer: &target.producer,
        topic: &target.topic,
        partition: args.partition,
        mode: args.mode,
        payload: &Payload::new(args.size),
        console,
    };
    if !args.json {
        console.show_progress(Some(records), "records");
    }
    let before = usage::now();
    let began = Instant::now();
    let outcomes = spread(&load, records, args.threads);
    if args.mode == AwaitMode::None {
        target.producer.flush();
    }
    let elapsed = began.elapsed();
    let after = usage::now();
    console.end_progress();
    target.producer.close();
    let measured = Measured {
        args,
        outcomes,
        elapsed,
        before,
        after,
    };
    measured.print(console)?;
    Ok(if measured.outcomes.is_complete(records) {
        Ending::Complete
    } else {
        Ending::Incomplete
    })
}

/// Lets every thread send its share.
fn spread(load: &Load<'_>, records: u64, threads: u16) -> Outcomes {
    let threads = u64::from(threads);
    let mut all = Outcomes::default();
    thread::scope(|scope| {
        let workers: Vec<_> = (0..threads)
            .map(|number| {
                let share = records / threads + u64::from(number < records % threads);
                scope.spawn(move || Worker::new(load, number).run(share))
            })
            .collect();
        for worker in workers {
            all.add(worker.join().expect("a panic there is passed on here"));
        }
    });
    all
}
