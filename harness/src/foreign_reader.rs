//! librdkafka as a second reader of a topic. It lives in a workspace of its own, the folder
//! `foreign-reader`, and is built and run by cargo from here; the first call takes a minute.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;

use serde_json::Value;

use crate::error::Error;
use crate::home::workspace;
use crate::tools::Record;

/// The program that prints every record.
const READ: &str = "read-topic";

/// The program that prints one line of counts.
const COUNT: &str = "count-topic";

/// So many last lines of what librdkafka complains of are kept.
const COMPLAINTS_MAX: usize = 20;

/// Builds the reader, so that the first reading need not, and whoever cannot build it learns that
/// before there is anything to read.
///
/// # Errors
/// When it cannot be built; what cargo says goes to this process's standard error.
pub fn build() -> Result<(), Error> {
    let mut cargo = cargo("build", READ);
    let status = cargo
        .args(["--bin", COUNT])
        .stdin(Stdio::null())
        .status()
        .map_err(Error::io("cargo does not start"))?;
    if status.success() {
        Ok(())
    } else {
        Err(Error::new("the foreign reader cannot be built"))
    }
}

/// Cargo that builds or runs one of the reader's programs.
fn cargo(verb: &str, bin: &str) -> Command {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args([verb, "--quiet", "--release", "--bin", bin]);
    cargo.arg("--manifest-path");
    cargo.arg(workspace().join("foreign-reader").join("Cargo.toml"));
    cargo
}

/// Reads a topic from its beginning to its end with librdkafka, which checks checksums. Records
/// of one partition come in their order; partitions are mixed. It works against anything that
/// speaks Kafka's protocol, so against the fake too, if it serves Fetch over TCP.
///
/// # Errors
/// When the reader cannot be built, librdkafka refuses a record, or nothing comes for 20 s.
pub fn read_topic(bootstrap: &str, topic: &str, is_committed: bool) -> Result<Vec<Record>, Error> {
    let mut records = Vec::new();
    for_each_record(bootstrap, topic, is_committed, |record| {
        records.push(record);
    })?;
    Ok(records)
}

/// Does the same as [`read_topic`], one record at a time, for topics that are larger than memory.
///
/// # Errors
/// As [`read_topic`].
pub fn for_each_record(
    bootstrap: &str,
    topic: &str,
    is_committed: bool,
    mut take: impl FnMut(Record),
) -> Result<(), Error> {
    let mut cargo = cargo("run", READ);
    cargo
        .args(["--", bootstrap, topic])
        .args(is_committed.then_some("committed"));
    let mut child = cargo
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(Error::io("cargo does not start"))?;
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    // Complaints are read beside the records, because a full pipe would stop the reader.
    let complaints = thread::spawn(move || last_lines(stderr));
    let mut read = Ok(());
    for line in stdout
        .into_iter()
        .flat_map(|out| BufReader::new(out).lines())
    {
        let parsed = line
            .map_err(Error::io("reading records"))
            .and_then(|line| record(&line).ok_or_else(|| not_a_record(&line)));
        match parsed {
            Ok(record) => take(record),
            Err(error) => {
                read = Err(error);
                break;
            }
        }
    }
    // Its output is closed by now, so that it ends at its next record at the latest.
    let status = child.wait().map_err(Error::io("waiting for librdkafka"))?;
    let complaints = complaints.join().unwrap_or_default();
    read?;
    if !status.success() {
        return Err(Error::new(format!("librdkafka: {complaints}")));
    }
    Ok(())
}

/// Counts a topic's records with librdkafka, millions of them in seconds, once `expected` have come
/// or nothing more comes. Values of `size` bytes are compared with a file of such values that were
/// sent in turn. The counts are explained in `foreign-reader/src/count.rs`.
///
/// # Errors
/// As [`read_topic`].
pub fn count_topic(
    bootstrap: &str,
    topic: &str,
    expected: u64,
    values: &Path,
    size: usize,
) -> Result<Value, Error> {
    let mut cargo = cargo("run", COUNT);
    cargo.args(["--", bootstrap, topic, &expected.to_string()]);
    cargo.arg(values).arg(size.to_string());
    let output = cargo
        .stdin(Stdio::null())
        .output()
        .map_err(Error::io("cargo does not start"))?;
    if !output.status.success() {
        let complaints = last_lines(Some(output.stderr.as_slice()));
        return Err(Error::new(format!("librdkafka: {complaints}")));
    }
    serde_json::from_slice(&output.stdout).map_err(|_| {
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        Error::new(format!("`{said}` is no count"))
    })
}

/// The last lines of a stream that is read to its end.
fn last_lines(from: Option<impl Read>) -> String {
    let mut kept = VecDeque::new();
    for line in from
        .into_iter()
        .flat_map(|from| BufReader::new(from).lines())
    {
        let Ok(line) = line else { break };
        kept.push_back(line);
        if kept.len() > COMPLAINTS_MAX {
            kept.pop_front();
        }
    }
    Vec::from(kept).join("\n")
}

fn not_a_record(line: &str) -> Error {
    Error::new(format!("`{line}` is no record"))
}

fn record(line: &str) -> Option<Record> {
    let value: Value = serde_json::from_str(line).ok()?;
    let headers = value["headers"].as_array()?.iter();
    let headers = headers.map(|pair| Some((pair[0].as_str()?.to_owned(), bytes(&pair[1])?)));
    Some(Record {
        partition: value["partition"].as_i64()?.try_into().ok()?,
        offset: value["offset"].as_i64()?,
        timestamp_ms: value["timestamp_ms"].as_i64()?,
        is_append_time: value["is_append_time"].as_bool()?,
        key: bytes(&value["key"])?,
        value: bytes(&value["value"])?,
        headers: headers.collect::<Option<_>>()?,
    })
}

/// Bytes in hex, or null.
fn bytes(value: &Value) -> Option<Option<Vec<u8>>> {
    if value.is_null() {
        return Some(None);
    }
    let digits = value.as_str()?.as_bytes();
    if digits.len() % 2 != 0 {
        return None;
    }
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    digits
        .chunks_exact(2)
        .map(byte)
        .collect::<Option<Vec<u8>>>()
        .map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_printed_record_is_read() {
        let line = r#"{"partition":1,"offset":2,"timestamp_ms":3,"is_append_time":false,
            "key":null,"value":"00ff","headers":[["a","61"],["a",null]]}"#;
        let expected = Record {
            partition: 1,
            offset: 2,
            timestamp_ms: 3,
            is_append_time: false,
            key: None,
            value: Some(vec![0, 255]),
            headers: vec![
                ("a".to_owned(), Some(b"a".to_vec())),
                ("a".to_owned(), None),
            ],
        };
        assert_eq!(record(line), Some(expected));
        assert_eq!(record(&line.replace("00ff", "00f")), None);
        assert_eq!(record(&line.replace("00ff", "00fg")), None);
    }
}
