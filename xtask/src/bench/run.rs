//! One run: a fresh process of a peer, and whether it counts. It counts only if the broker saw
//! exactly the records of the run, no bad batch, no break of a sequence.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::broker::Broker;
use super::build::Programs;
use super::cells::{Cell, Kind};
use super::contestants::Contestant;
use super::payloads;

/// A run that takes longer hangs.
const RUN_WITHIN: Duration = Duration::from_secs(180);

/// How a run ended.
#[derive(Debug)]
pub(crate) enum Ended {
    /// The peer's line, with the broker's counts as `broker`.
    Counts(Value),
    /// Why it does not count.
    Void(String),
}

/// Runs peers against one broker.
#[derive(Debug)]
pub(crate) struct Runner<'a> {
    broker: Broker,
    programs: &'a Programs,
    dir: &'a Path,
    scale: f64,
    payloads: BTreeMap<usize, PathBuf>,
    complaints: PathBuf,
}

impl<'a> Runner<'a> {
    pub(crate) fn new(
        broker: Broker,
        programs: &'a Programs,
        dir: &'a Path,
        scale: f64,
    ) -> Result<Self, String> {
        Ok(Self {
            broker,
            programs,
            dir,
            scale,
            payloads: BTreeMap::new(),
            complaints: dir.join("complaints.txt"),
        })
    }

    /// Runs one peer in one cell. An error is the bench's own.
    pub(crate) fn run(&mut self, cell: &Cell, peer: &Contestant) -> Result<Ended, String> {
        let records = (cell.records as f64 * self.scale * peer.share).ceil() as u64;
        let (records, warmup) = match cell.kind {
            // The warm-up is all that is sent.
            Kind::Idle => (0, records.max(peer.warmup)),
            // No task without a record, however few there are to be.
            Kind::Tasks => (records.max(cell.window), (records / 10).max(peer.warmup)),
            _ => (records, (records / 10).max(peer.warmup)),
        };
        let arguments = self.arguments(cell, peer, records, warmup)?;
        self.broker.prepare(cell.network_us, cell.service_us)?;
        let complaints = File::create(&self.complaints)
            .map_err(|error| format!("{}: {error}", self.complaints.display()))?;
        let mut command = self.programs.command(peer);
        for (name, value) in &arguments {
            command.arg(format!("--{name}")).arg(value);
        }
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(complaints);
        let mut child = command
            .spawn()
            .map_err(|error| format!("{}: {error}", peer.name))?;
        let said = wait(&mut child);
        let counted = self.broker.statistics()?;
        Ok(match said {
            Ok(said) => judge(&said, counted, records + warmup),
            Err(why) => Ended::Void(format!("{why}; {}", self.complaint())),
        })
    }

    fn arguments(
        &mut self,
        cell: &Cell,
        peer: &Contestant,
        records: u64,
        warmup: u64,
    ) -> Result<BTreeMap<&'static str, String>, String> {
        let payloads = match self.payloads.get(&cell.size) {
            Some(path) => path.clone(),
            None => {
                let path = payloads::write(self.dir, cell.size)?;
                self.payloads.insert(cell.size, path.clone());
                path
            }
        };
        let mode = match cell.kind {
            Kind::Idle => "idle",
            _ => peer.mode,
        };
        let mut arguments = BTreeMap::from([
            ("bootstrap", self.broker.bootstrap()),
            // The broker reads the number of partitions out of the name.
            ("topic", format!("bench-{}", cell.partitions)),
            ("partitions", cell.partitions.to_string()),
            ("records", records.to_string()),
            ("warmup", warmup.to_string()),
            ("size", cell.size.to_string()),
            ("payloads", payloads.display().to_string()),
            ("spread", cell.spread.to_owned()),
            ("acks", cell.acks.to_owned()),
            ("idempotence", cell.idempotence.to_string()),
            ("codec", cell.codec.to_owned()),
            ("mode", mode.to_owned()),
            ("window", cell.window.to_string()),
        ]);
        // Most cells have none of these, and not every peer knows them.
        let extras = [
            ("keys", cell.keys, 0),
            ("headers", cell.headers, 0),
            ("threads", cell.threads, 1),
        ];
        for (name, number, default) in extras {
            if number != default {
                arguments.insert(name, number.to_string());
            }
        }
        if cell.is_tuned {
            arguments.insert("batch-bytes", (64 << 10).to_string());
            arguments.insert("linger-ms", "5".to_owned());
            arguments.insert("in-flight", "5".to_owned());
            arguments.insert("buffer-bytes", (64 << 20).to_string());
        }
        for (name, value) in peer.arguments {
            arguments.insert(name, (*value).to_owned());
        }
        Ok(arguments)
    }

    fn complaint(&self) -> String {
        let text = std::fs::read_to_string(&self.complaints).unwrap_or_default();
        text.lines().last().unwrap_or("it said nothing").to_owned()
    }
}

/// The line that a peer printed, after it ended well.
fn wait(child: &mut Child) -> Result<String, String> {
    let until = Instant::now() + RUN_WITHIN;
    let status = loop {
        match child.try_wait() {
            Ok(Some(status)) => break status,
            Ok(None) if Instant::now() < until => thread::sleep(Duration::from_millis(10)),
            Ok(None) => {
                let _ = child.kill();
                let _ = child.wait();
                return Err(format!("it ran longer than {} s", RUN_WITHIN.as_secs()));
            }
            Err(error) => return Err(error.to_string()),
        }
    };
    let mut said = String::new();
    if let Some(mut out) = child.stdout.take() {
        // What is no text is no line.
        let _ = out.read_to_string(&mut said);
    }
    if status.success() {
        Ok(said)
    } else {
        Err(status.to_string())
    }
}

fn judge(said: &str, counted: Value, expected: u64) -> Ended {
    let line = said.lines().last().unwrap_or_default();
    let Ok(Value::Object(mut fields)) = serde_json::from_str(line) else {
        return Ended::Void(format!("it printed `{line}`"));
    };
    let errors = fields.get("errors").and_then(Value::as_u64);
    if errors != Some(0) {
        let first = fields.get("first_error").cloned().unwrap_or_default();
        return Ended::Void(format!(
            "{} errors, the first {first}",
            errors.unwrap_or(u64::MAX)
        ));
    }
    let clean = ["bad_batches", "sequence_breaks", "bad_requests"];
    let is_clean = clean.iter().all(|name| counted[*name] == json!(0));
    if !is_clean || counted["records"] != json!(expected) {
        return Ended::Void(format!("{expected} records sent, the broker saw {counted}"));
    }
    fields.insert("broker".to_owned(), counted);
    Ended::Counts(Value::Object(fields))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counted(records: u64, bad: u64, breaks: u64) -> Value {
        json!({
            "records": records, "bad_batches": bad, "sequence_breaks": breaks, "bad_requests": 0,
        })
    }

    fn counts(said: &str, counted: Value) -> bool {
        matches!(judge(said, counted, 10), Ended::Counts(_))
    }

    #[test]
    fn only_an_exact_and_clean_run_counts() {
        let good = r#"{"errors":0}"#;
        assert!(counts(good, counted(10, 0, 0)));
        assert!(!counts(good, counted(9, 0, 0)));
        assert!(!counts(good, counted(11, 0, 0)));
        assert!(!counts(good, counted(10, 1, 0)));
        assert!(!counts(good, counted(10, 0, 1)));
        assert!(!counts(good, json!({ "records": 10 })));
        assert!(!counts(r#"{"errors":1}"#, counted(10, 0, 0)));
        assert!(!counts("", counted(10, 0, 0)));
    }
}
