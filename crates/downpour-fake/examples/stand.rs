//! A fake cluster for clients in other processes: prints the address, serves until its input ends,
//! then prints what arrived. Arguments: brokers, partitions of the topic `events`, Kafka's release
//! (2.1, 2.8, 3.9 or 4.3). Nothing here is a test.
//!
//! `cargo run -p downpour-fake --example stand -- 3 6 4.3`

#![allow(clippy::print_stdout, reason = "an example talks to whoever runs it")]

use std::io::{self, Read};

use downpour_fake::{ApiKey, FakeCluster, KafkaVersion};

fn main() -> io::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let mut number = |default| {
        arguments
            .next()
            .and_then(|word| word.parse().ok())
            .unwrap_or(default)
    };
    let (brokers, partitions) = (number(1), number(3));
    let kafka = match std::env::args().nth(3).as_deref() {
        Some("2.1") => KafkaVersion::V2_1,
        Some("2.8") => KafkaVersion::V2_8,
        Some("3.9") => KafkaVersion::V3_9,
        _ => KafkaVersion::V4_3,
    };
    let cluster = FakeCluster::builder()
        .brokers(brokers)
        .kafka(kafka)
        .topic("events", partitions)
        .auto_create(true)
        .start()?;
    println!("{}", cluster.bootstrap_servers());
    io::stdin().read_to_end(&mut Vec::new())?;
    for topic in cluster.with(|cluster| cluster.topics()) {
        let counts: Vec<usize> = cluster
            .records_by_partition(&topic)
            .iter()
            .map(Vec::len)
            .collect();
        println!("{topic}: {counts:?}");
    }
    for api in [
        ApiKey::Produce,
        ApiKey::Metadata,
        ApiKey::InitProducerId,
        ApiKey::Fetch,
    ] {
        println!("{api:?}: {}", cluster.request_count(api));
    }
    for request in cluster
        .requests()
        .iter()
        .filter(|request| !request.batches.is_empty())
        .take(5)
    {
        println!("{request:?}");
    }
    for violation in cluster.violations() {
        println!("violation: {violation}");
    }
    Ok(())
}
