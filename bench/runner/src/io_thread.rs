//! What the I/O thread costs per batch, in instructions: the program `io` of `bench/micro` under
//! callgrind against the null broker, in a short run and a long one, whose difference has no
//! start-up in it. What callers cost is in `instructions`.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::broker::Broker;
use crate::instructions::{said, total};

/// Rounds of the two runs.
const ROUNDS: [u64; 2] = [4, 20];
/// Such pairs of runs, for the median.
const PAIRS: usize = 5;
/// Answers are so late that a round's plug holds the I/O thread at the first attempt, and that
/// requests are the same each time.
const NETWORK_US: u64 = 20_000;
/// Only the I/O thread waits for sockets.
const MARK: &str = "epoll_wait";

/// What was counted in one run, or is the difference of two.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
struct Run {
    instructions: f64,
    records: f64,
    batches: f64,
    requests: f64,
}

/// Medians of what the I/O thread did.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Share {
    pub(crate) per_batch: f64,
    pub(crate) per_record: f64,
    batches_per_request: f64,
    least: f64,
    most: f64,
}

impl Share {
    /// In words, for a line beside the table.
    pub(crate) fn says(&self) -> String {
        format!(
            "{:.0} instructions of the I/O thread per batch of 64 KiB ({:.0}-{:.0}), {:.1} per record, \
             at {:.1} batches per request",
            self.per_batch, self.least, self.most, self.per_record, self.batches_per_request
        )
    }
}

/// Counts one program.
pub(crate) fn count(program: &Path, broker: &Path, dir: &Path) -> Result<Share, String> {
    let mut pairs = Vec::new();
    for _ in 0..PAIRS {
        let [short, long] = ROUNDS.map(|rounds| run(program, broker, dir, rounds));
        pairs.push(difference(short?, long?));
    }
    median(pairs).ok_or_else(|| "the I/O thread did nothing".to_owned())
}

fn run(program: &Path, broker: &Path, dir: &Path, rounds: u64) -> Result<Run, String> {
    let mut broker = Broker::start(broker)?;
    broker.delay(NETWORK_US, 0)?;
    // One file a thread, with its number behind the name. They stay there for callgrind_annotate.
    let dir = dir.join("callgrind.io");
    let _ = fs::remove_dir_all(&dir);
    fs::create_dir_all(&dir).map_err(|error| format!("{}: {error}", dir.display()))?;
    let mut valgrind = Command::new("valgrind");
    valgrind
        .args(["--tool=callgrind", "--quiet", "--separate-threads=yes"])
        .arg(format!(
            "--callgrind-out-file={}",
            dir.join("thread").display()
        ))
        .arg(program)
        .args(["io", &broker.bootstrap(), &rounds.to_string()]);
    said(&mut valgrind)?;
    let seen = broker.stats()?;
    let number = |name: &str| seen[name].as_f64().unwrap_or(0.0);
    Ok(Run {
        instructions: of_the_io_thread(&dir)?,
        records: number("records"),
        batches: number("batches"),
        requests: number("requests"),
    })
}

fn of_the_io_thread(dir: &Path) -> Result<f64, String> {
    let told = |error| format!("{}: {error}", dir.display());
    for entry in fs::read_dir(dir).map_err(told)? {
        let text = fs::read_to_string(entry.map_err(told)?.path()).map_err(told)?;
        if let Some(instructions) = total(&text).filter(|_| text.contains(MARK)) {
            return Ok(instructions);
        }
    }
    Err(format!("no thread in {} calls {MARK}", dir.display()))
}

fn difference(short: Run, long: Run) -> Run {
    Run {
        instructions: long.instructions - short.instructions,
        records: long.records - short.records,
        batches: long.batches - short.batches,
        requests: long.requests - short.requests,
    }
}

/// The pair in the middle, by instructions per batch.
fn median(mut pairs: Vec<Run>) -> Option<Share> {
    pairs.retain(|pair| pair.instructions > 0.0 && pair.batches > 0.0);
    let per_batch = |run: &Run| (run.instructions / run.batches).round();
    pairs.sort_by(|a, b| per_batch(a).total_cmp(&per_batch(b)));
    let middle = pairs.get(pairs.len() / 2)?;
    Some(Share {
        per_batch: per_batch(middle),
        per_record: middle.instructions / middle.records,
        batches_per_request: middle.batches / middle.requests,
        least: per_batch(pairs.first()?),
        most: per_batch(pairs.last()?),
    })
}

/// The accepted number in the file.
pub(crate) fn accepted(file: &Value) -> Option<f64> {
    file["io_thread_per_batch"].as_f64()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_start_up_is_not_in_the_difference_and_the_median_is_that_of_pairs() {
        let run = |instructions, batches| Run {
            instructions,
            records: batches * 500.0,
            batches,
            requests: batches / 4.0,
        };
        let pairs = [300.0, 200.0, 400.0].map(|each| {
            difference(
                run(1000.0 + each * 2.0, 2.0),
                run(1000.0 + each * 10.0, 10.0),
            )
        });
        let share = median(pairs.to_vec()).unwrap();
        assert_eq!((share.per_batch, share.per_record), (300.0, 0.6));
        assert_eq!((share.least, share.most), (200.0, 400.0));
        assert_eq!(share.batches_per_request, 4.0);
        assert!(median(vec![Run::default()]).is_none());
    }
}
