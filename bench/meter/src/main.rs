//! `bench-meter PROGRAM ARGUMENTS..` runs a peer that cannot read its own clocks well. Twice the
//! peer prints `mark` and waits for a line; what it cost in between is added to the result line
//! that it prints at last. Which peer it is, is not known here.
//!
//! The kernel tells a process's CPU time to anybody, in nanoseconds and with the threads that
//! ended; it is the sum that getrusage splits into user and system time. Switches are those of the
//! threads that live at the second mark.

mod clocks;
mod peer;

use std::error::Error;

use serde_json::{Map, Value, json};

use clocks::Reading;
use peer::{Peer, Said};

fn main() -> Result<(), Box<dyn Error>> {
    let mut words = std::env::args_os().skip(1);
    let program = words.next().ok_or("bench-meter PROGRAM ARGUMENTS..")?;
    let mut peer = Peer::start(&program, words)?;
    let mut marks = Vec::new();
    let fields = loop {
        match peer.listen()? {
            Said::Mark => {
                marks.push(Reading::of(peer.id())?);
                peer.go_on()?;
            }
            Said::Result(fields) => break fields,
        }
    };
    peer.end()?;
    let [before, after] = marks.as_slice() else {
        return Err(format!("{} marks instead of two", marks.len()).into());
    };
    println!("{}", Value::Object(add(fields, before, after)?));
    Ok(())
}

fn add(
    mut fields: Map<String, Value>,
    before: &Reading,
    after: &Reading,
) -> Result<Map<String, Value>, Box<dyn Error>> {
    let records = fields
        .get("records")
        .and_then(Value::as_u64)
        .ok_or("the peer does not say how many records it sent")? as f64;
    let wall = after.at.duration_since(before.at).as_secs_f64();
    let cpu = after.cpu.saturating_sub(before.cpu).as_nanos() as f64;
    let (voluntary, involuntary) = after.switches_since(before);
    let measured = json!({
        "wall_s": wall,
        // Who idles sent none: all of it is told then, and no time a record, which is infinite.
        "cpu_ns_per_record": cpu / records.max(1.0),
        "us_per_record": wall * 1e6 / records,
        "records_per_s": records / wall,
        "voluntary_switches": voluntary,
        "involuntary_switches": involuntary,
        "peak_rss_bytes": after.peak_rss,
    });
    if let Value::Object(measured) = measured {
        fields.extend(measured);
    }
    Ok(fields)
}
