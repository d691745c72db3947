//! Prints a topic's records as librdkafka sees them, one JSON object per line.
//! It is called as `read-topic BOOTSTRAP TOPIC [committed]`.

use std::io::{BufWriter, Write, stdout};
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (bootstrap, topic, is_committed) = match arguments.as_slice() {
        [bootstrap, topic] => (bootstrap, topic, false),
        [bootstrap, topic, word] if word == "committed" => (bootstrap, topic, true),
        _ => {
            eprintln!("usage: read-topic BOOTSTRAP TOPIC [committed]");
            return ExitCode::FAILURE;
        }
    };
    let mut out = BufWriter::new(stdout().lock());
    let mut is_written = true;
    let told = foreign_reader::read_topic(bootstrap, topic, is_committed, |record| {
        is_written &= writeln!(out, "{record}").is_ok();
    });
    is_written &= out.flush().is_ok();
    match told {
        Ok(()) if is_written => ExitCode::SUCCESS,
        Ok(()) => ExitCode::FAILURE,
        Err(what) => {
            eprintln!("{what}");
            ExitCode::FAILURE
        }
    }
}
