//! `cargo xtask bench`: producers against one verifying null broker, or real ones, in interleaved
//! rounds. This file is the command line and the order of the rounds; what is measured is in
//! `cells`, who takes part in `contestants`.

mod broker;
mod build;
mod cargo;
mod cells;
mod contestants;
mod counts;
mod figures;
mod foreign;
mod instructions;
mod io_thread;
mod kafka;
mod machine;
mod payloads;
mod report;
mod run;
mod seen;
mod table;
mod target;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser;
use kafka_harness::Version;

use broker::Broker;
use cells::Cell;
use contestants::Contestant;
use figures::Results;
use kafka::Kafka;
use run::{Ended, Runner};
use target::Target;

/// Measures producers against a null broker that verifies every batch.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask bench", bin_name = "cargo xtask bench")]
struct Arguments {
    /// Which cells; all when none is named.
    #[arg(long, value_delimiter = ',')]
    cells: Vec<String>,
    /// Which peers, by name or by how their names begin; all when none is named.
    #[arg(long, value_delimiter = ',')]
    peers: Vec<String>,
    /// How many rounds.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// How many records, as a share of the usual number.
    #[arg(long, default_value_t = 1.0)]
    scale: f64,
    /// Send to three real brokers of Apache Kafka instead of the null broker; the newest that is
    /// known here, or this version.
    #[arg(long, num_args = 0..=1, default_missing_value = kafka::newest(),
          value_name = "VERSION", value_parser = kafka::version)]
    kafka: Option<Version>,
    /// A `bench-downpour` of another state of the code: each row of downpour gets one of it beside
    /// it, in the same rounds. With --instructions a `bench-micro`.
    #[arg(long, value_name = "PROGRAM")]
    before: Option<String>,
    /// Name the cells and the peers and measure nothing.
    #[arg(long)]
    list: bool,
    /// Count instructions of small programs under callgrind in place of measuring.
    #[arg(long)]
    instructions: bool,
    /// Take what is counted as what is right from now on.
    #[arg(long, requires = "instructions")]
    accept: bool,
    /// Count allocations and write calls per record in place of measuring.
    #[arg(long, conflicts_with_all = ["instructions", "kafka"])]
    counts: bool,
}

fn main() -> ExitCode {
    match run(&root(), &Arguments::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(what) => {
            eprintln!("error: {what}");
            ExitCode::FAILURE
        }
    }
}

/// The repository, two directories above this crate.
fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).unwrap_or(here).to_path_buf()
}

/// Measures. False if a run did not count.
fn run(root: &Path, arguments: &Arguments) -> Result<bool, String> {
    if arguments.instructions {
        let before = arguments.before.as_deref().map(Path::new);
        return instructions::run(root, arguments.accept, before);
    }
    let mut cells = chosen(&cells::CELLS, &arguments.cells, |cell: &Cell| &cell.name)?;
    let mut peers = chosen(
        contestants::CONTESTANTS,
        &arguments.peers,
        |peer: &Contestant| peer.name,
    )?;
    if arguments.kafka.is_some() {
        leave_out(
            &mut cells,
            kafka::has,
            |cell| &cell.name,
            "for real brokers are not delayed, refuse nothing, and get 1,000 partitions at most",
        );
        leave_out(
            &mut peers,
            kafka::takes,
            |peer| peer.name,
            "for it knows one broker only",
        );
    }
    if let Some(program) = &arguments.before {
        add_before(&mut peers, program);
    }
    if arguments.list {
        list(&cells, &peers);
        return Ok(true);
    }
    if cells.is_empty() || peers.is_empty() {
        return Err("nothing is left to measure".into());
    }
    if arguments.rounds == 0 || arguments.scale.is_nan() || arguments.scale <= 0.0 {
        return Err("no rounds, or no records".into());
    }
    let programs = build::all(&root.join("bench"), &peers)?;
    let dir = root.join("target").join("bench");
    fs::create_dir_all(&dir).map_err(|error| format!("{}: {error}", dir.display()))?;
    let mut machine = machine::describe(root);
    let (target, name) = match arguments.kafka {
        None => (Target::Null(Broker::start(&programs.broker)?), "latest"),
        Some(version) => {
            machine["kafka"] = kafka::describe(version).into();
            (Target::Kafka(Kafka::start(version)?), "kafka")
        }
    };
    let mut runner = Runner::new(target, &programs, &dir, arguments.scale)?;
    if arguments.counts {
        let counting = counts::Counting::new(&root.join("bench"), &dir)?;
        return counting.run(&mut runner, &cells, &peers, arguments.scale);
    }
    let mut report = report::Report::new(name, machine, arguments.rounds);
    if arguments.kafka.is_some() {
        warm(&mut runner, &cells, &peers)?;
    }
    for cell in cells {
        let results = measure(&mut runner, cell, &peers, arguments.rounds)?;
        report.add(cell, &results);
        println!("{}", table::markdown(cell, &results));
        // It is written after each cell, because a bench takes long and may be interrupted.
        report.write(&dir)?;
    }
    println!("{}", report.machine());
    println!("written to {}", dir.display());
    Ok(report.all_count())
}

/// Makes one run whose figures are dropped, because brokers that run in a JVM begin slowly.
fn warm(
    runner: &mut Runner<'_>,
    cells: &[&Cell],
    peers: &[&'static Contestant],
) -> Result<(), String> {
    let pairs = cells
        .iter()
        .flat_map(|cell| peers.iter().map(move |peer| (cell, peer)));
    let mut fit = pairs
        .filter(|(cell, peer)| peer.kinds.contains(&cell.kind) && (peer.lacks)(cell).is_none());
    fit.next()
        .map_or(Ok(()), |(cell, peer)| runner.run(cell, peer).map(drop))
}

/// Measures one cell: every contestant once per round, in an order that begins with another one
/// each time.
fn measure(
    runner: &mut Runner<'_>,
    cell: &Cell,
    peers: &[&'static Contestant],
    rounds: usize,
) -> Result<Results, String> {
    let mut here = Vec::new();
    let mut left_out = Vec::new();
    for &peer in peers.iter().filter(|peer| peer.kinds.contains(&cell.kind)) {
        match (peer.lacks)(cell) {
            None => here.push(peer),
            Some(why) => left_out.push((peer, why)),
        }
    }
    let mut results = Results::new(&here, left_out, rounds);
    for round in 0..rounds {
        for turn in 0..here.len() {
            let at = (turn + round) % here.len();
            eprintln!("{} {}/{rounds} {}", cell.name, round + 1, here[at].name);
            let ended = runner.run(cell, here[at])?;
            if let Ended::Void(why) = &ended {
                eprintln!("  does not count: {why}");
            }
            results.add(at, round, ended);
        }
    }
    Ok(results)
}

/// Those whose name is one of the words, or begins like one.
fn chosen<T>(
    all: &'static [T],
    words: &[String],
    name: impl Fn(&T) -> &str,
) -> Result<Vec<&'static T>, String> {
    for word in words {
        if !all.iter().any(|one| name(one).starts_with(word.as_str())) {
            let names: Vec<_> = all.iter().map(&name).collect();
            return Err(format!("no `{word}`; there are: {}", names.join(", ")));
        }
    }
    let fits = |one: &&T| {
        let begins = |word: &String| name(one).starts_with(word.as_str());
        let exact = words.iter().any(|word| name(one) == word);
        // A word that is a name means that one, even if others begin like it.
        let is_name = |word: &&String| all.iter().any(|other| name(other) == word.as_str());
        words.is_empty() || exact || words.iter().filter(|word| !is_name(word)).any(begins)
    };
    Ok(all.iter().filter(fits).collect())
}

/// Puts another state's peers beside this one's.
fn add_before(peers: &mut Vec<&'static Contestant>, program: &str) {
    // Contestants live as long as the process, and this is done once.
    let program: &'static str = Box::leak(program.into());
    let beside = |&peer: &&'static Contestant| {
        let before = contestants::before(peer, program);
        let before = before.map(|peer| -> &'static Contestant { Box::leak(Box::new(peer)) });
        [Some(peer), before].into_iter().flatten()
    };
    *peers = peers.iter().flat_map(beside).collect();
}

/// Drops those that cannot be measured here, and prints which and why.
fn leave_out<T>(
    all: &mut Vec<&'static T>,
    stays: impl Fn(&T) -> bool,
    name: impl Fn(&T) -> &str,
    why: &str,
) {
    let (stay, go): (Vec<_>, Vec<_>) = all.drain(..).partition(|one| stays(one));
    *all = stay;
    if !go.is_empty() {
        let names: Vec<_> = go.into_iter().map(&name).collect();
        eprintln!("left out, {why}: {}", names.join(", "));
    }
}

fn list(cells: &[&Cell], peers: &[&Contestant]) {
    println!("cells");
    for cell in cells {
        println!("  {:25} {}", cell.name, cell.what);
    }
    println!("peers");
    for peer in peers {
        println!("  {:25} {}", peer.name, peer.what);
    }
}
