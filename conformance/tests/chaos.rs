//! The chaos run of every test run: brokers are killed three times under a steady load. The large
//! runs are started by command, see the README of this crate.
#![allow(clippy::print_stdout, reason = "the counts are what is of interest")]

use downpour::{Acks, CompressionType};
use downpour_conformance::chaos::Chaos;
use downpour_conformance::faults::Fault;
use kafka_harness::Version;

fn three_kills(version: Version, codec: CompressionType) {
    let chaos = Chaos {
        version,
        fault: Fault::Kill,
        faults: 3,
        records: 50_000,
        per_second: 2500,
        codec,
        delivery_timeout: None,
        acks: Acks::All,
    };
    let report = chaos
        .run(&|what| println!("{what}"))
        .expect("the cluster works as it should");
    println!("{report}");
    assert!(report.is_good(), "{report}");
}

#[test]
fn nothing_is_lost_or_duplicated_while_brokers_of_4_3_1_are_killed() {
    three_kills(Version::V4_3_1, CompressionType::None);
}

#[test]
fn nothing_is_lost_or_duplicated_while_brokers_of_3_9_2_are_killed() {
    three_kills(Version::V3_9_2, CompressionType::Lz4);
}
