//! Writes records to a topic with librdkafka's producer and waits for all of them. Arguments:
//! bootstrap servers, topic, codec, idempotent (true or false), how many.

use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [bootstrap, topic, codec, idempotent, count, ..] = arguments.as_slice() else {
        eprintln!("bootstrap servers, topic, codec, idempotent, count");
        return ExitCode::FAILURE;
    };
    let count = count.parse().unwrap_or(0);
    match foreign_reader::write_topic(bootstrap, topic, codec, idempotent == "true", count) {
        Ok(()) => ExitCode::SUCCESS,
        Err(what) => {
            eprintln!("{what}");
            ExitCode::FAILURE
        }
    }
}
