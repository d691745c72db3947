//! The shortest program: send a record and see where it went.
//!
//! `cargo run -p downpour --example hello -- localhost:9092 events`

#![expect(clippy::print_stdout, reason = "a program that says what it did")]

use downpour::{Producer, Record};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let bootstrap = arguments.next().unwrap_or_else(|| "localhost:9092".into());
    let topic = arguments.next().unwrap_or_else(|| "events".into());

    let producer = Producer::builder(bootstrap).build()?.blocking();
    let report = producer.send_and_wait(Record::to(&topic).key("user-1").value("clicked"))?;
    println!(
        "partition {} offset {:?}",
        report.partition(),
        report.offset()
    );
    producer.close();
    Ok(())
}
