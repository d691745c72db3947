//! The null broker as a child process: commands go to its input, one line each.

use std::io::{BufRead as _, BufReader, Write as _};
use std::ops::RangeInclusive;
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::{Value, json};

use crate::cells::Cell;
use crate::seen::{Seen, Sent};

/// A null broker that runs until this is dropped.
#[derive(Debug)]
pub(crate) struct Broker {
    child: Child,
    commands: ChildStdin,
    answers: BufReader<ChildStdout>,
    port: u64,
}

impl Broker {
    pub(crate) fn start(program: &Path) -> Result<Self, String> {
        let mut child = Command::new(program)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| format!("{}: {error}", program.display()))?;
        let commands = child.stdin.take().ok_or("the broker has no input")?;
        let answers = child.stdout.take().ok_or("the broker has no output")?;
        let mut broker = Self {
            child,
            commands,
            answers: BufReader::new(answers),
            port: 0,
        };
        broker.port = broker.answer()?["port"]
            .as_u64()
            .ok_or("the broker has no port")?;
        Ok(broker)
    }

    pub(crate) fn bootstrap(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Makes it forget all that it counted, and delay and refuse as the cell says from now on.
    pub(crate) fn prepare(&mut self, cell: &Cell) -> Result<(), String> {
        self.delay(cell.network_us, cell.service_us)?;
        self.ask(&format!("refuse {}", cell.refuse_every))?;
        self.ask("reset").map(drop)
    }

    /// What it has counted since.
    pub(crate) fn count(&mut self, sent: &Sent<'_>) -> Result<Seen, String> {
        let counts = self.stats()?;
        Ok(Seen {
            fault: fault(&counts, &sent.written),
            who: "broker",
            counts,
        })
    }

    /// Delays answers by so much from now on.
    pub(crate) fn delay(&mut self, network_us: u64, service_us: u64) -> Result<(), String> {
        self.ask(&format!("delay {network_us} {service_us}"))
            .map(drop)
    }

    /// What it has counted, once no client is connected.
    pub(crate) fn stats(&mut self) -> Result<Value, String> {
        self.ask("stats")
    }

    fn ask(&mut self, command: &str) -> Result<Value, String> {
        writeln!(self.commands, "{command}").map_err(|error| format!("the broker: {error}"))?;
        self.answer()
    }

    fn answer(&mut self) -> Result<Value, String> {
        let mut line = String::new();
        self.answers
            .read_line(&mut line)
            .map_err(|error| format!("the broker: {error}"))?;
        serde_json::from_str(&line).map_err(|_| format!("the broker said `{}`", line.trim()))
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        // It may have ended on its own.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Why a run does not count.
fn fault(counts: &Value, written: &RangeInclusive<u64>) -> Option<String> {
    let clean = ["bad_batches", "sequence_breaks", "bad_requests"];
    let is_clean = clean.iter().all(|name| counts[*name] == json!(0));
    let records = counts["records"].as_u64();
    let is_exact = records.is_some_and(|records| written.contains(&records));
    (!is_clean || !is_exact).then(|| {
        let (least, most) = (written.start(), written.end());
        format!("{least} to {most} records written by the peer's account, the broker saw {counts}")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_good(records: u64, bad: u64, breaks: u64) -> bool {
        let counts = json!({
            "records": records, "bad_batches": bad, "sequence_breaks": breaks, "bad_requests": 0,
        });
        fault(&counts, &(10..=10)).is_none()
    }

    #[test]
    fn only_an_exact_and_clean_run_counts() {
        assert!(is_good(10, 0, 0));
        assert!(!is_good(9, 0, 0));
        assert!(!is_good(11, 0, 0));
        assert!(!is_good(10, 1, 0));
        assert!(!is_good(10, 0, 1));
        assert!(fault(&json!({ "records": 10 }), &(10..=10)).is_some());
    }
}
