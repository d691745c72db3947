//! `downpour-sim`: runs seeds, tells the trace of one that fails, says what was exercised. With
//! mistakes compiled in it also looks for them (`mutants`).

use std::io::{self, Write};
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::Instant;

use clap::Parser;
use downpour_sim::{MUTANTS, Mutant, Tally, choose, in_short, run, shorten};

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
    /// How often a failing seed is run with less, as long as its complaint remains, before its trace
    /// is shown; with 0 it is shown as it is.
    #[arg(long, default_value_t = 1000)]
    shrink: u32,
    /// Lines of the failing seed's trace, about.
    #[arg(long, default_value_t = 2000)]
    trace: usize,
    /// Show the trace even if the seed passes; for one seed.
    #[arg(long)]
    show: bool,
    /// Make this mistake; only where mistakes are compiled in.
    #[arg(long, default_value_t = 0, hide = true)]
    mutant: u32,
    /// Look for every mistake, or for those with these numbers.
    #[arg(long, num_args = 0.., value_name = "NUMBER", hide = true)]
    mutants: Option<Vec<u32>>,
    /// Look only for mistakes that have to be found within so many seeds.
    #[arg(long, hide = true)]
    budget: Option<u64>,
}

#[derive(Debug, Default)]
struct Found {
    tally: Tally,
    passed: u64,
    failed: Vec<(u64, String)>,
}

fn main() -> ExitCode {
    let args = Args::parse();
    if let Err(what) = choose(args.mutant) {
        let _ = writeln!(io::stderr(), "error: {what}");
        return ExitCode::FAILURE;
    }
    let out = &mut io::stdout().lock();
    let failed = match &args.mutants {
        Some(numbers) => look_for(&args, numbers, out),
        None => simulate(&args, out),
    };
    match failed {
        Ok(0) => ExitCode::SUCCESS,
        // If it is an error, nobody is there to read.
        Ok(_) | Err(_) => ExitCode::FAILURE,
    }
}

fn simulate(args: &Args, out: &mut impl Write) -> io::Result<usize> {
    let began = Instant::now();
    if args.seeds > 1 {
        be_silent();
    }
    let found = run_all(args, args.seeds);
    if args.show || (!found.failed.is_empty() && !args.keep_going) {
        show(args, found.failed.first().map(|(seed, _)| *seed), out)?;
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

/// Shows the trace of a failing seed, with less if it can be, or of the first one.
fn show(args: &Args, failed: Option<u64>, out: &mut impl Write) -> io::Result<()> {
    let (report, summary) = match failed {
        Some(seed) if args.shrink > 0 => {
            be_silent();
            let shortened = shorten(seed, args.shrink, args.trace);
            (shortened.report, Some(shortened.summary))
        }
        _ => (run(failed.unwrap_or(args.from), args.trace), None),
    };
    for line in &report.trace {
        writeln!(out, "{line}")?;
    }
    match summary {
        Some(summary) => writeln!(out, "{summary}"),
        None => Ok(()),
    }
}

/// What panics is caught and reported with its seed; that seed alone says where.
fn be_silent() {
    std::panic::set_hook(Box::new(|_| {}));
}

/// So many seeds, or those until one fails. Whatever the threads do, the first that fails is among
/// those that are found, because each thread ends the seed that it took.
fn run_all(args: &Args, seeds: u64) -> Found {
    let next = AtomicU64::new(args.from);
    let end = args.from.saturating_add(seeds);
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
    let mut found = found
        .into_inner()
        .unwrap_or_else(|broken| broken.into_inner());
    found.failed.sort();
    found
}

/// Looks for mistakes, one after the other, and prints the table of `sim/README.md`. Without any
/// mistake all seeds must pass.
fn look_for(args: &Args, numbers: &[u32], out: &mut impl Write) -> io::Result<usize> {
    be_silent();
    let known = |number: &u32| MUTANTS.iter().any(|mutant| mutant.number == *number);
    if let Some(number) = numbers.iter().find(|number| !known(number)) {
        writeln!(out, "there is no mutant {number}")?;
        return Ok(1);
    }
    let is_meant = |mutant: &&Mutant| {
        (numbers.is_empty() || numbers.contains(&mutant.number))
            && args.budget.is_none_or(|most| mutant.budget <= most)
    };
    let (mut passed, mut failed) = (0, 0);
    writeln!(
        out,
        "| mutant | what is wrong | found by | seeds |\n|---|---|---|---|"
    )?;
    for Mutant {
        number,
        what,
        budget,
        ..
    } in MUTANTS.iter().filter(is_meant)
    {
        if let Err(what) = choose(*number) {
            writeln!(out, "{what}")?;
            return Ok(1);
        }
        let found = run_all(args, *budget).failed.into_iter().next();
        let (by, seeds) = match found {
            Some((seed, words)) => (in_short(&words), (seed - args.from).to_string()),
            None => ("NOT FOUND".to_owned(), format!("not in {budget}")),
        };
        writeln!(out, "| {number} | {what} | {by} | {seeds} |")?;
        out.flush()?;
        if by == "NOT FOUND" {
            failed += 1
        } else {
            passed += 1
        }
    }
    let _ = choose(0);
    let sound = run_all(args, args.seeds).failed.into_iter().next();
    match sound {
        None => {
            passed += 1;
            writeln!(out, "none of them: {} seeds pass", args.seeds)?;
        }
        Some((seed, words)) => {
            failed += 1;
            writeln!(out, "none of them: seed {seed} fails: {words}")?;
        }
    }
    writeln!(out, "{passed} passed, {failed} failed")?;
    Ok(failed)
}
