//! The built command as somebody uses it, one module per area; what they share is here.

#![allow(
    clippy::unwrap_used,
    reason = "what goes wrong in a test's helper fails the test"
)]

mod broken;
mod faults;
mod input;
mod options;
mod output;
mod perf;
mod produce;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use downpour_fake::{FakeCluster, FakeRecord};
use serde_json::Value;

/// What a run answered.
#[derive(Debug)]
struct Run {
    code: Option<i32>,
    out: String,
    err: String,
}

impl From<Output> for Run {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

impl Run {
    /// Every line of standard output as JSON.
    fn json(&self) -> Vec<Value> {
        let parse = |line: &str| serde_json::from_str(line).unwrap_or_else(|_| panic!("{line}"));
        self.out.lines().map(parse).collect()
    }

    /// The records, and the summary.
    fn records(&self) -> (Vec<Value>, Value) {
        let mut lines = self.json();
        let last = lines.pop().unwrap_or_else(|| panic!("{self:?}"));
        (lines, last["summary"].clone())
    }
}

fn command(words: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_downpour"));
    command
        .args(words)
        .env_remove("DOWNPOUR_BROKERS")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

fn start(words: &[&str]) -> Child {
    command(words).spawn().unwrap()
}

/// Runs it with this input.
fn run_with(words: &[&str], input: &str) -> Run {
    let mut child = start(words);
    // A command that refuses does not read.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    child.wait_with_output().unwrap().into()
}

fn run(words: &[&str]) -> Run {
    run_with(words, "")
}

/// The values of `events`, partition by partition.
fn values(cluster: &FakeCluster) -> Vec<String> {
    cluster.assert_no_violations();
    let records = cluster.records_by_partition("events");
    let values = records.iter().flatten().filter_map(FakeRecord::value_str);
    values.collect()
}

/// A file that goes away with its test.
struct TempFile(PathBuf);

impl TempFile {
    fn new(name: &str, text: impl AsRef<[u8]>) -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let dir = Path::new(env!("CARGO_TARGET_TMPDIR"));
        let path = dir.join(format!("{}-{number}-{name}", std::process::id()));
        std::fs::write(&path, text).unwrap();
        Self(path)
    }

    fn path(&self) -> &str {
        self.0.to_str().unwrap()
    }
}

impl Drop for TempFile {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}
