//! Counts a topic's records as librdkafka sees them and prints one JSON object.
//! It is called as `count-topic BOOTSTRAP TOPIC EXPECTED VALUES SIZE`: the records that the topic
//! should hold, a file of values that they have in turn, and the size of a value in bytes.

use std::process::ExitCode;

use foreign_reader::{Values, count_topic};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let told = match arguments.as_slice() {
        [bootstrap, topic, expected, values, size] => {
            count(bootstrap, topic, expected, values, size)
        }
        _ => Err("usage: count-topic BOOTSTRAP TOPIC EXPECTED VALUES SIZE".to_owned()),
    };
    match told {
        Ok(line) => {
            println!("{line}");
            ExitCode::SUCCESS
        }
        Err(what) => {
            eprintln!("{what}");
            ExitCode::FAILURE
        }
    }
}

fn count(
    bootstrap: &str,
    topic: &str,
    expected: &str,
    values: &str,
    size: &str,
) -> Result<String, String> {
    let no_number = |text: &str| format!("`{text}` is no number");
    let size = size.parse().map_err(|_| no_number(size))?;
    let expected = expected.parse().map_err(|_| no_number(expected))?;
    let bytes = std::fs::read(values).map_err(|error| format!("{values}: {error}"))?;
    let mut values = Values::new(&bytes, size)?;
    count_topic(bootstrap, topic, expected, &mut values).map(|told| told.to_string())
}
