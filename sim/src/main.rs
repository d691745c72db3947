//! `downpour-sim`: runs seeds, tells the trace of one that fails, says what was exercised.

use std::io::{self, Write};
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::Instant;

use clap::Parser;
use downpour_sim::{Tally, run};

/// Runs downpour's decisions against simulated brokers, one seed after the other.
#[derive(Debug, Parser)]
#[command(name = "downpour-sim")]
struct Args {
    /// How many seeds.
    #[arg(long, default_value_t = 2000)]
    seeds: u64,
    /// The first seed.
    #[arg(long, default_value_t = 0)]
    from: u64,
    /// Threads; each takes the next seed.
    #[arg(long)]
    threads: Option<usize>,
    /// Go on after a failure and list all failing seeds instead of showing the trace of one.
    #[arg(long)]
    keep_going: bool,
    /// Lines of the failing seed's trace, about.
    #[arg(long, default_value_t = 2000)]
    trace: usize,
    /// Show the trace even if the seed passes; for one seed.
    #[arg(long)]
    show: bool,
}

#[derive(Debug, Default)]
struct Found {
    tally: Tally,
    passed: u64,
    failed: Vec<(u64, String)>,
}

fn main() -> ExitCode {
    let args = Args::parse();
    match simulate(&args, &mut io::stdout().lock()) {
        Ok(0) => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        // Nobody is there to read.
        Err(_) => ExitCode::FAILURE,
    }
}

fn simulate(args: &Args, out: &mut impl Write) -> io::Result<usize> {
    if args.seeds > 1 {
        // What panics is caught and reported with its seed; that seed alone says where.
        std::panic::set_hook(Box::new(|_| {}));
    }
    let began = Instant::now();
    let next = AtomicU64::new(args.from);
    let end = args.from.saturating_add(args.seeds);
    let stop = AtomicBool::new(false);
    let found = Mutex::new(Found::default());
    let cores = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        for _ in 0..args.threads.unwrap_or(cores).max(1) {
            scope.spawn(|| {
                let mut mine = Found::default();
                while !stop.load(Ordering::Relaxed) {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= end {
                        break;
                    }
                    let report = run(seed, 0);
                    mine.tally.merge(&report.tally);
                    match report.violation {
                        None => mine.passed += 1,
                        Some(what) => {
                            mine.failed.push((seed, what));
                            stop.fetch_or(!args.keep_going, Ordering::Relaxed);
                        }
                    }
                }
                if let Ok(mut found) = found.lock() {
                    found.tally.merge(&mine.tally);
                    found.passed += mine.passed;
                    found.failed.extend(mine.failed);
                }
            });
        }
    });
    let Ok(mut found) = found.into_inner() else {
        return Ok(1);
    };
    found.failed.sort();
    if args.show || (!found.failed.is_empty() && !args.keep_going) {
        let seed = found.failed.first().map_or(args.from, |(seed, _)| *seed);
        for line in run(seed, args.trace).trace {
            writeln!(out, "{line}")?;
        }
    }
    for (seed, what) in &found.failed {
        writeln!(out, "seed {seed}: {what}")?;
    }
    if !found.failed.is_empty() && !args.keep_going {
        let seed = found.failed[0].0;
        writeln!(
            out,
            "again: cargo run --release -p downpour-sim -- --seeds 1 --from {seed}"
        )?;
    }
    writeln!(out, "{}", found.tally)?;
    let (passed, failed) = (found.passed, found.failed.len());
    writeln!(out, "{:.1} s", began.elapsed().as_secs_f64())?;
    writeln!(out, "{passed} passed, {failed} failed")?;
    Ok(failed)
}
