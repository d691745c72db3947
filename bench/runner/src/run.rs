//! One run: a fresh process of a peer, and whether it counts. It counts only if exactly the records
//! of the run were seen and nothing was wrong with them, which the target judges.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read as _;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::build::Programs;
use crate::cells::{Cell, Kind};
use crate::contestants::Contestant;
use crate::payloads;
use crate::seen::{Seen, Sent};
use crate::target::Target;

/// How a run ended.
#[derive(Debug)]
pub(crate) enum Ended {
    /// The peer's line, with what was seen as `broker` or `kafka`.
    Counts(Value),
    /// Why it does not count.
    Void(String),
}

/// Runs peers against one target.
#[derive(Debug)]
pub(crate) struct Runner<'a> {
    target: Target,
    programs: &'a Programs,
    dir: &'a Path,
    scale: f64,
    payloads: BTreeMap<usize, PathBuf>,
    complaints: PathBuf,
}

impl<'a> Runner<'a> {
    pub(crate) fn new(
        target: Target,
        programs: &'a Programs,
        dir: &'a Path,
        scale: f64,
    ) -> Result<Self, String> {
        Ok(Self {
            target,
            programs,
            dir,
            scale,
            payloads: BTreeMap::new(),
            complaints: dir.join("complaints.txt"),
        })
    }

    /// Runs one peer in one cell. An error is the bench's own.
    pub(crate) fn run(&mut self, cell: &Cell, peer: &Contestant) -> Result<Ended, String> {
        self.run_with(cell, peer, self.scale, &BTreeMap::new())
    }

    /// As [`Runner::run`], with another share of the records and variables in the peer's
    /// environment.
    pub(crate) fn run_with(
        &mut self,
        cell: &Cell,
        peer: &Contestant,
        scale: f64,
        environment: &BTreeMap<&str, PathBuf>,
    ) -> Result<Ended, String> {
        let share = scale * self.target.share() * peer.share;
        let records = (cell.records as f64 * share).ceil() as u64;
        let (records, warmup) = match cell.kind {
            // The warm-up is all that is sent.
            Kind::Idle => (0, records.max(peer.warmup)),
            // Every task has a record, however few records are asked for.
            Kind::Tasks => (records.max(cell.window), (records / 10).max(peer.warmup)),
            _ => (records, (records / 10).max(peer.warmup)),
        };
        let values = self.values(cell.size)?;
        let mut arguments = self.arguments(cell, peer, records, warmup);
        arguments.insert("payloads", values.display().to_string());
        arguments.insert("topic", self.target.prepare(cell)?);
        let complaints = File::create(&self.complaints)
            .map_err(|error| format!("{}: {error}", self.complaints.display()))?;
        let mut command = self.programs.command(peer);
        for (name, value) in &arguments {
            command.arg(format!("--{name}")).arg(value);
        }
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(complaints)
            .envs(environment);
        let mut child = command
            .spawn()
            .map_err(|error| format!("{}: {error}", peer.name))?;
        let said = wait(&mut child, self.target.run_within());
        let may_fail = cell.refuse_every > 0;
        let account = said.as_deref().map_or(Value::Null, line);
        let one = |name| arguments.get(name).is_none_or(|threads| threads == "1");
        let seen = self.target.count(&Sent {
            records: records + warmup,
            written: written(&account, records + warmup),
            values: &values,
            size: cell.size,
            is_in_turn: one("threads") && !peer.mode.starts_with("tasks"),
        })?;
        Ok(match said {
            Ok(said) => judge(&said, seen, may_fail),
            Err(why) => Ended::Void(format!("{why}; {}", self.complaint())),
        })
    }

    /// The file of values of one size.
    fn values(&mut self, size: usize) -> Result<PathBuf, String> {
        if let Some(path) = self.payloads.get(&size) {
            return Ok(path.clone());
        }
        let path = payloads::write(self.dir, size)?;
        self.payloads.insert(size, path.clone());
        Ok(path)
    }

    fn arguments(
        &self,
        cell: &Cell,
        peer: &Contestant,
        records: u64,
        warmup: u64,
    ) -> BTreeMap<&'static str, String> {
        let mode = match cell.kind {
            Kind::Idle => "idle",
            _ => peer.mode,
        };
        let mut arguments = BTreeMap::from([
            ("bootstrap", self.target.bootstrap()),
            ("partitions", cell.partitions.to_string()),
            ("records", records.to_string()),
            ("warmup", warmup.to_string()),
            ("size", cell.size.to_string()),
            ("spread", cell.spread.to_owned()),
            ("acks", cell.acks.to_owned()),
            ("idempotence", cell.idempotence.to_string()),
            ("codec", cell.codec.to_owned()),
            ("mode", mode.to_owned()),
            ("window", cell.window.to_string()),
        ]);
        // Most cells have the defaults of these, and not every peer knows the arguments.
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
        if let Some(age) = cell.record_age_s {
            arguments.insert("record-age-s", age.to_string());
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
        arguments
    }

    fn complaint(&self) -> String {
        let text = std::fs::read_to_string(&self.complaints).unwrap_or_default();
        text.lines().last().unwrap_or("it said nothing").to_owned()
    }
}

/// Waits for a peer's end and returns what it printed; an error if it did not end well.
fn wait(child: &mut Child, within: Duration) -> Result<String, String> {
    let until = Instant::now() + within;
    let status = loop {
        match child.try_wait() {
            Ok(Some(status)) => break status,
            Ok(None) if Instant::now() < until => thread::sleep(Duration::from_millis(10)),
            Ok(None) => {
                let _ = child.kill();
                let _ = child.wait();
                return Err(format!("it ran longer than {} s", within.as_secs()));
            }
            Err(error) => return Err(error.to_string()),
        }
    };
    let mut said = String::new();
    if let Some(mut out) = child.stdout.take() {
        // Output that is not text is judged as an empty line.
        let _ = out.read_to_string(&mut said);
    }
    if status.success() {
        Ok(said)
    } else {
        Err(status.to_string())
    }
}

/// The line in which a peer says how it went; null if it is none.
fn line(said: &str) -> Value {
    let line = said.lines().last().unwrap_or_default();
    serde_json::from_str(line).unwrap_or_default()
}

/// How many records are written by the peer's account: those without an error, and at most those
/// besides of which it says that nobody knows.
fn written(account: &Value, sent: u64) -> RangeInclusive<u64> {
    let errors = account["errors"].as_u64().unwrap_or(0);
    let unknown = account["unknown"].as_u64().unwrap_or(0);
    let least = sent.saturating_sub(errors);
    least..=least + unknown
}

/// `may_fail`: records may, for the broker refuses some.
fn judge(said: &str, seen: Seen, may_fail: bool) -> Ended {
    let Value::Object(mut fields) = line(said) else {
        return Ended::Void(format!("it printed `{}`", said.trim_end()));
    };
    let errors = fields.get("errors").and_then(Value::as_u64);
    if errors.is_none() || !may_fail && errors != Some(0) {
        let first = fields.get("first_error").cloned().unwrap_or_default();
        return Ended::Void(format!(
            "{} errors, the first {first}",
            errors.unwrap_or(u64::MAX)
        ));
    }
    if let Some(fault) = seen.fault {
        return Ended::Void(fault);
    }
    fields.insert(seen.who.to_owned(), seen.counts);
    Ended::Counts(Value::Object(fields))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(said: &str, fault: Option<&str>) -> bool {
        let seen = Seen {
            who: "broker",
            counts: Value::Null,
            fault: fault.map(str::to_owned),
        };
        matches!(judge(said, seen, false), Ended::Counts(_))
    }

    #[test]
    fn a_run_counts_if_neither_side_complains() {
        assert!(counts(r#"{"errors":0}"#, None));
        assert!(!counts(r#"{"errors":0}"#, Some("one is missing")));
        assert!(!counts(r#"{"errors":1}"#, None));
        assert!(!counts("", None));
    }

    #[test]
    fn records_may_fail_only_where_some_are_refused_and_are_then_not_to_be_seen() {
        let seen = Seen {
            who: "broker",
            counts: Value::Null,
            fault: None,
        };
        let said = r#"{"errors":3,"unknown":1}"#;
        assert!(matches!(judge(said, seen, true), Ended::Counts(_)));
        assert_eq!(written(&line(said), 10), 7..=8);
        assert_eq!(written(&line(r#"{"errors":3,"unknown":null}"#), 10), 7..=7);
        assert_eq!(written(&line("no line"), 10), 10..=10);
    }
}
