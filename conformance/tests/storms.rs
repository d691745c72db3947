//! The storm of every test run: brokers are killed three times under a steady load. The large
//! ones are run by command, see the README of this crate.
#![allow(clippy::print_stdout, reason = "the counts are what is of interest")]

use downpour::{Acks, CompressionType};
use downpour_conformance::storm::Storm;
use downpour_conformance::trouble::Fault;
use kafka_harness::Version;

fn three_kills(version: Version, codec: CompressionType) {
    let storm = Storm {
        version,
        fault: Fault::Kill,
        faults: 3,
        records: 50_000,
        per_second: 2500,
        codec,
        delivery_timeout: None,
        acks: Acks::All,
    };
    let aftermath = storm
        .run(&|what| println!("{what}"))
        .expect("the cluster does as it shall");
    println!("{aftermath}");
    assert!(aftermath.is_good(), "{aftermath}");
}

#[test]
fn brokers_of_4_3_1_are_killed_and_nothing_is_lost_or_doubled() {
    three_kills(Version::V4_3_1, CompressionType::None);
}

#[test]
fn brokers_of_3_9_2_are_killed_and_nothing_is_lost_or_doubled() {
    three_kills(Version::V3_9_2, CompressionType::Lz4);
}
