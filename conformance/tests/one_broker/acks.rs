//! What each kind of acknowledgement reports, and the order of records: with five batches in flight,
//! and with several threads.

use std::time::Duration;

use downpour::{Acks, Record};
use downpour_conformance::load::Load;
use kafka_harness::foreign_reader;

use crate::shared::{build, builder, create, new, read_back_and_check, values};

const RECORDS: usize = 2000;

/// Sends numbers with these acknowledgements and returns the reported offsets. It fails if not all
/// arrive in order, or if they are idempotent with anything but acks=all.
fn offsets(topic: &str, acks: Acks) -> Vec<Option<i64>> {
    let cluster = new();
    create(&cluster, topic, &[]);
    let producer = build(builder(&cluster).acks(acks));
    let sent: Vec<String> = (0..RECORDS).map(|number| number.to_string()).collect();
    let handles: Vec<_> = sent
        .iter()
        .map(|value| producer.produce_async(Record::to(topic).value(value)))
        .collect::<Result<_, _>>()
        .expect("there is room for them");
    let offsets = handles.iter().map(|handle| {
        let report = handle.wait().expect("the broker is there");
        report.offset()
    });
    let offsets = offsets.collect();
    producer.close();
    // With acks=0 the last records may still be on their way.
    let mut read = Vec::new();
    for _ in 0..20 {
        read = values(&cluster, topic);
        if read.len() >= RECORDS {
            break;
        }
        std::thread::sleep(Duration::from_millis(200));
    }
    assert!(
        read == sent,
        "{} read, in another order or not all",
        read.len()
    );
    let batches = cluster.dump_log(1, topic, 0).expect("it is there");
    let is_idempotent = batches.iter().all(|batch| batch.producer_id >= 0);
    assert_eq!(is_idempotent, acks == Acks::All);
    offsets
}

#[test]
fn without_acknowledgements_no_offset_is_reported_and_all_records_arrive() {
    let offsets = offsets("acks-0", Acks::None);
    assert!(offsets.iter().all(Option::is_none));
}

#[test]
fn acks_of_the_leader_report_every_offset() {
    let offsets = offsets("acks-1", Acks::Leader);
    assert!(offsets.into_iter().eq((0..RECORDS as i64).map(Some)));
}

#[test]
fn acks_of_all_replicas_report_every_offset() {
    let offsets = offsets("acks-all", Acks::All);
    assert!(offsets.into_iter().eq((0..RECORDS as i64).map(Some)));
}

#[test]
fn one_partition_keeps_its_order_with_five_batches_in_flight() {
    let cluster = new();
    create(&cluster, "five", &[]);
    let load = Load {
        topic: "five".to_owned(),
        partitions: 1,
        records: 30_000,
        per_second: 1_000_000,
        verdict_within: Duration::from_secs(60),
    };
    // Batches are small, so that there are many.
    let producer = build(builder(&cluster).batch_size(4000));
    let ledger = load.run(&producer, || true);
    producer.close();
    let findings = read_back_and_check(&cluster, "five", &ledger);
    assert!(findings.is_good(), "{findings}");
    assert_eq!(findings.read, ledger.len());
    let batches = cluster.dump_log(1, "five", 0).unwrap();
    println!("{} records in {} batches", ledger.len(), batches.len());
    let mut next = 0;
    for batch in &batches {
        assert_eq!(batch.base_sequence, next, "{batch:?}");
        next = batch.last_sequence + 1;
    }
    assert_eq!(next as u64, ledger.len());
}

#[test]
fn threads_that_share_a_producer_each_keep_their_order() {
    let cluster = new();
    cluster.create_topic("shared", 3, &[]).unwrap();
    let producer = build(builder(&cluster));
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let producer = &producer;
            scope.spawn(move || {
                for number in 0..1000 {
                    let value = format!("{thread} {number}");
                    let record = Record::to("shared").key(thread.to_string()).value(value);
                    drop(producer.produce_async(record).unwrap());
                }
            });
        }
    });
    producer.close();
    let mut next = [0; 4];
    let mut is_ordered = true;
    foreign_reader::for_each_record(&cluster.bootstrap(), "shared", false, |record| {
        let value = String::from_utf8(record.value.unwrap_or_default()).unwrap();
        let (thread, number) = value.split_once(' ').unwrap();
        let next = &mut next[thread.parse::<usize>().unwrap()];
        is_ordered &= *next == number.parse::<i32>().unwrap();
        *next += 1;
    })
    .unwrap();
    assert!(is_ordered);
    assert_eq!(next, [1000; 4]);
}
