//! A fake cluster for clients in other processes: prints the address, obeys lines of input (`kill 1`,
//! `restart 1`, `move events 0 2`, `lose 3`, `refuse 6 2`, `network 5`, `service 5`, `create other 6`,
//! `count events`) until the input ends, then prints what arrived. A topic that a client asks for is
//! created if the client lets it be; `create` is for those that do not. Arguments: brokers, partitions of the topic `events`, Kafka's release
//! (2.1, 2.8, 3.9 or 4.3). Nothing here is a test.
//!
//! `cargo run -p downpour-fake --example serve -- 3 6 4.3`

#![allow(clippy::print_stdout, reason = "an example talks to whoever runs it")]

use std::collections::BTreeSet;
use std::io;
use std::time::Duration;

use downpour_fake::{ApiKey, ErrorCode, FakeCluster, Fault, KafkaVersion};

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
    for line in io::stdin().lines() {
        let line = line?;
        let words: Vec<&str> = line.split_whitespace().collect();
        if !obey(&cluster, &words) {
            println!("not understood: {line}");
        }
    }
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

/// Carries out one line of input; false if it is none.
fn obey(cluster: &FakeCluster, words: &[&str]) -> bool {
    let number = |at: usize| {
        words
            .get(at)
            .and_then(|word| word.parse::<u32>().ok())
            .unwrap_or(1)
    };
    let id = |at: usize| i32::try_from(number(at)).unwrap_or(1);
    match words {
        ["kill", _] => cluster.kill(id(1)),
        ["restart", _] => return cluster.restart(id(1)).is_ok(),
        ["move", topic, _, _] => cluster.move_leader(topic, id(2), id(3)),
        ["lose", _] => {
            let lost = Fault::apply_and_lose_answer().on(ApiKey::Produce);
            cluster.fault(lost.times(u64::from(number(1))));
        }
        ["refuse", _, _] => {
            let code = ErrorCode(i16::try_from(number(1)).unwrap_or(-1));
            cluster.fault(
                Fault::error(code)
                    .on(ApiKey::Produce)
                    .times(u64::from(number(2))),
            );
        }
        ["network", _] => cluster.set_network_delay(Duration::from_millis(u64::from(number(1)))),
        ["service", _] => cluster.set_service_delay(Duration::from_millis(u64::from(number(1)))),
        ["create", topic, _] => {
            if cluster.with(|cluster| cluster.partition_count(topic).is_none()) {
                cluster.create_topic(topic, id(2));
            }
        }
        ["count", topic] => count(cluster, topic),
        _ => return false,
    }
    true
}

/// Prints how many records a topic has, how many different values, and what was odd since the last
/// time.
fn count(cluster: &FakeCluster, topic: &str) {
    if cluster.with(|cluster| cluster.partition_count(topic).is_none()) {
        println!("{topic}: none");
        return;
    }
    let records = cluster.records_by_partition(topic).concat();
    let values: BTreeSet<_> = records.iter().map(|record| &record.value).collect();
    let odd = cluster.violations();
    println!(
        "{topic}: {} records, {} values, {} odd",
        records.len(),
        values.len(),
        odd.len()
    );
    if let Some(first) = odd.first() {
        println!("odd: {first}");
    }
    cluster.with(downpour_fake::logic::Cluster::clear_requests);
}
