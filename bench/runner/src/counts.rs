//! `cargo xtask bench --counts`: how often a peer allocates and writes per record. Each runs
//! under `bench/preload` twice, with two numbers of records; the difference has no start-up in it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::build;
use crate::cargo;
use crate::cells::{Cell, Kind};
use crate::contestants::{Contestant, Program};
use crate::foreign::Foreign;
use crate::run::{Ended, Runner};

const PACKAGE: &str = "bench-preload";
/// Counts need fewer records than times: the two runs have these shares of them.
const SHARES: [f64; 2] = [0.1, 0.2];

/// What libc sees of a peer.
struct Sees {
    allocations: bool,
    writes: bool,
    /// Why it does not see all; empty if it does.
    but: &'static str,
}

fn sees(program: Program) -> Sees {
    let (allocations, writes, but) = match program {
        Program::Cargo(_) | Program::Built(_) | Program::Foreign(Foreign::Cargo(_)) => {
            (true, true, "")
        }
        Program::Foreign(Foreign::Go(_)) => (false, false, "Go does not use libc"),
        Program::Foreign(Foreign::Java) => (false, true, "the JVM has a heap of its own"),
        Program::Foreign(Foreign::Python) => (false, true, "Python has a heap of its own"),
        Program::Foreign(Foreign::Node) => (false, true, "V8 has a heap of its own"),
    };
    Sees {
        allocations,
        writes,
        but,
    }
}

/// Runs peers under the counting library.
#[derive(Debug)]
pub(crate) struct Counting {
    library: PathBuf,
    file: PathBuf,
}

/// Sums over a run's processes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Counts {
    allocations: u64,
    writes: u64,
}

impl Counting {
    /// Builds the library; what it counts goes to a file in `dir`.
    pub(crate) fn new(bench: &Path, dir: &Path) -> Result<Self, String> {
        if !cfg!(all(target_os = "linux", target_env = "gnu")) {
            return Err("allocations and writes are counted on Linux with glibc only".into());
        }
        let target = build::target(bench)?;
        let program = cargo::package(bench, &target, PACKAGE)?;
        Ok(Self {
            library: program.with_file_name("libbench_preload.so"),
            file: dir.join("counts.txt"),
        })
    }

    /// Prints one table per cell; false if a run did not count.
    pub(crate) fn run(
        &self,
        runner: &mut Runner<'_>,
        cells: &[&Cell],
        peers: &[&Contestant],
        scale: f64,
    ) -> Result<bool, String> {
        let mut all_count = true;
        // An idle peer sends nothing that counts could be related to.
        for cell in cells.iter().filter(|cell| cell.kind != Kind::Idle) {
            let (table, count) = self.table(runner, cell, peers, scale)?;
            all_count &= count;
            println!("{table}");
        }
        Ok(all_count)
    }

    fn table(
        &self,
        runner: &mut Runner<'_>,
        cell: &Cell,
        peers: &[&Contestant],
        scale: f64,
    ) -> Result<(String, bool), String> {
        let mut lines = vec![
            format!("### {}: {}\n", cell.name, cell.what),
            "| | allocations/record | write calls/1000 records | |".to_owned(),
            "|---|---|---|---|".to_owned(),
        ];
        let mut all_count = true;
        let takes_part =
            |peer: &&&Contestant| peer.kinds.contains(&cell.kind) && (peer.lacks)(cell).is_none();
        for peer in peers.iter().filter(takes_part) {
            eprintln!("{} {}", cell.name, peer.name);
            let sees = sees(peer.program);
            let row = if sees.allocations || sees.writes {
                self.difference(runner, cell, peer, scale)?
            } else {
                Ok([None; 2])
            };
            let (counted, word) = match row {
                Ok(counted) => (counted, sees.but.to_owned()),
                Err(why) => {
                    all_count = false;
                    (
                        [None; 2],
                        format!("does not count: {}", why.replace('|', "/")),
                    )
                }
            };
            let [allocations, writes] = counted;
            lines.push(format!(
                "| {} | {} | {} | {word} |",
                peer.name,
                number(allocations.filter(|_| sees.allocations), 1.0),
                number(writes.filter(|_| sees.writes), 1e3),
            ));
        }
        Ok((lines.join("\n") + "\n", all_count))
    }

    /// Allocations and writes per record; the inner error is why a run does not count.
    fn difference(
        &self,
        runner: &mut Runner<'_>,
        cell: &Cell,
        peer: &Contestant,
        scale: f64,
    ) -> Result<Result<[Option<f64>; 2], String>, String> {
        let mut runs = Vec::new();
        for share in SHARES {
            // Each process of the peer adds a line to it.
            fs::write(&self.file, "").map_err(|error| self.about(&error))?;
            let environment = BTreeMap::from([
                ("LD_PRELOAD", self.library.clone()),
                ("BENCH_COUNTS", self.file.clone()),
            ]);
            match runner.run_with(cell, peer, scale * share, &environment)? {
                Ended::Void(why) => return Ok(Err(why)),
                Ended::Counts(line) => runs.push((self.counts()?, records(&line))),
            }
        }
        let [(Some(few), from), (Some(many), to)] = runs[..] else {
            return Ok(Err("the counting library told nothing".into()));
        };
        // Both runs of a peer with a long warm-up may send as many records.
        let records = to.saturating_sub(from) as f64;
        let each =
            |from: u64, to: u64| (records > 0.0).then(|| (to as f64 - from as f64) / records);
        Ok(Ok([
            each(few.allocations, many.allocations),
            each(few.writes, many.writes),
        ]))
    }

    fn counts(&self) -> Result<Option<Counts>, String> {
        let text = fs::read_to_string(&self.file).map_err(|error| self.about(&error))?;
        Ok(sum(&text))
    }

    fn about(&self, error: &std::io::Error) -> String {
        format!("{}: {error}", self.file.display())
    }
}

/// All records of a run, warm-up included, because that was counted too.
fn records(line: &Value) -> u64 {
    line["broker"]["records"].as_u64().unwrap_or(0)
}

/// The sum of one line per process; `None` if there is no line, or one that cannot be read.
fn sum(text: &str) -> Option<Counts> {
    let mut sum = None;
    for line in text.lines() {
        let (allocations, writes) = line.split_once(' ')?;
        let before = sum.unwrap_or(Counts {
            allocations: 0,
            writes: 0,
        });
        sum = Some(Counts {
            allocations: before.allocations + allocations.parse::<u64>().ok()?,
            writes: before.writes + writes.parse::<u64>().ok()?,
        });
    }
    sum
}

/// A count for the table, with a dash for what was not counted, since that is not zero.
fn number(count: Option<f64>, unit: f64) -> String {
    count.map_or_else(
        || "-".to_owned(),
        |count| {
            let count = count * unit;
            if count.abs() < 10.0 {
                format!("{count:.3}")
            } else {
                format!("{count:.1}")
            }
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_of_all_processes_are_added_and_no_line_is_no_count() {
        let both = Counts {
            allocations: 11,
            writes: 22,
        };
        assert_eq!(sum("1 2\n10 20\n"), Some(both));
        assert_eq!(sum(""), None);
        assert_eq!(sum("1\n"), None);
        assert_eq!(number(None, 1.0), "-");
    }
}
