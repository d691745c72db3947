//! Many topics, each first used when the one before has its record: what the next one costs must not
//! grow with their number.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use downpour::{ProducerBuilder, Record};

use crate::meter::Held;
use crate::server::Server;

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// How many.
    #[arg(long, default_value_t = 10_000)]
    topics: u32,
    /// Partitions of each.
    #[arg(long, default_value_t = 6)]
    partitions: u32,
    /// Age at which metadata is refreshed, in milliseconds; 300,000 without.
    #[arg(long)]
    max_age_ms: Option<u64>,
    /// After so many milliseconds without a record topics are not refreshed any more; 300,000 without.
    #[arg(long)]
    max_idle_ms: Option<u64>,
}

/// Whether the last tenth read no more metadata than half as much again as the second one.
pub(crate) fn run(arguments: &Arguments) -> Result<bool> {
    let topics = arguments.topics;
    ensure!(topics >= 10, "ten topics at least");
    let (count, partitions) = (topics.to_string(), arguments.partitions.to_string());
    let cluster = ["--counted", "--topics", &count, "--partitions", &partitions];
    let mut server = Server::start(&cluster)?;
    let mut builder = ProducerBuilder::new().bootstrap(server.address());
    if let Some(ms) = arguments.max_age_ms {
        builder = builder.metadata_max_age(Duration::from_millis(ms));
    }
    if let Some(ms) = arguments.max_idle_ms {
        builder = builder.metadata_max_idle(Duration::from_millis(ms));
    }
    let producer = builder.build()?.blocking();
    let before = Held::now()?;
    println!("{topics} topics of {partitions} partitions, one record each, one after the other");
    println!(
        "  topics  seconds  {}  KiB/topic  metadata: written KiB  read KiB  bytes/topic",
        Held::HEAD
    );
    let begun = Instant::now();
    let (mut sent, mut counted) = (0, [0, 0]);
    let mut per_topic = Vec::new();
    for tenth in 1..=10 {
        let until = u64::from(topics) * tenth / 10;
        let from = sent;
        while sent < until {
            let topic = format!("topic-{sent}");
            producer.send_and_wait(Record::to(topic).value("v"))?;
            sent += 1;
        }
        let now = server.counts()?;
        let bytes = (now[0] - counted[0] + now[1] - counted[1]) / (sent - from);
        counted = now;
        per_topic.push(bytes);
        let held = Held::now()?;
        let kib = held.resident.saturating_sub(before.resident) as f64 / sent as f64;
        println!(
            "{sent:>8}  {:>7.1}  {held}  {kib:>9.1}  {:>21}  {:>8}  {bytes:>11}",
            begun.elapsed().as_secs_f64(),
            now[0] >> 10,
            now[1] >> 10,
        );
    }
    producer.close();
    println!("closed: {}", Held::settled(before)?);
    // The first tenth has the first answers in it.
    Ok(per_topic[9] <= per_topic[1] * 3 / 2)
}
