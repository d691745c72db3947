//! What no sound producer sends and a broker takes all the same: it is served, and noted as a
//! violation. Each was seen of Kafka 2.8, 3.9 and 4.3 by `conformance/tests/against_fake`.

use std::time::Duration;

use downpour_fake::logic::Cluster;
use downpour_fake::{ErrorCode, KafkaVersion, TopicSpec};
use downpour_wire::batch::BatchView;
use downpour_wire::messages::{MetadataRequest, ProducePartition, ProduceTopic};
use downpour_wire::primitives::Uuid;

use crate::support::*;

/// Takes a changed batch of three records, and notes one violation that says `word`.
#[track_caller]
fn taken(word: &str, change: impl Fn(&mut Vec<u8>)) -> Cluster {
    let mut cluster = one_broker();
    let mut bytes = batch(&["a", "b", "c"]);
    change(&mut bytes);
    let answer = produce(&mut cluster, "events", 0, bytes);
    assert_eq!((answer.error_code, answer.base_offset), (OK, 0));
    assert_eq!(values(&cluster, "events", 0), ["a", "b", "c"]);
    let noted: Vec<&String> = cluster.violations().collect();
    assert!(noted.len() == 1 && noted[0].contains(word), "{noted:?}");
    cluster
}

fn set(at: usize, field: &'static [u8]) -> impl Fn(&mut Vec<u8>) {
    move |bytes| {
        bytes[at..at + field.len()].copy_from_slice(field);
        reseal(bytes);
    }
}

#[test]
fn nobody_looks_at_sequence_and_epoch_without_a_producer_id() {
    // franz-go, Sarama and aiokafka send the first of these.
    taken("-1, -1, 0", set(53, &[0; 4]));
    taken("-1, 3, -1", set(51, &[0, 3]));
    taken(
        "-2, -1, -1",
        set(43, &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfe]),
    );
}

#[test]
fn maximum_timestamp_is_made_right() {
    let cluster = taken("maximum timestamp", set(42, &[9]));
    let (_, bytes) = cluster.batches("events", 0).next().expect("a batch");
    let (view, _) = BatchView::parse(bytes).expect("a batch");
    view.check_crc().expect("the checksum was made anew");
    assert_eq!(view.max_timestamp, 1_700_000_000_000);
}

#[test]
fn mark_of_log_append_time_is_taken_away_or_refused() {
    let cluster = taken("log append time", |bytes| {
        bytes[22] |= 8;
        reseal(bytes);
    });
    let (_, bytes) = cluster.batches("events", 0).next().expect("a batch");
    assert!(
        !BatchView::parse(bytes)
            .expect("a batch")
            .0
            .is_log_append_time()
    );
    let mut cluster = one_broker();
    cluster.create_topic("stamped", TopicSpec::new(1).log_append_time(true));
    let mut bytes = batch(&["a"]);
    bytes[22] |= 8;
    reseal(&mut bytes);
    let answer = produce(&mut cluster, "stamped", 0, bytes);
    assert_eq!(answer.error_code, ErrorCode::INVALID_TIMESTAMP);
    assert_eq!(answer.record_errors.len(), 1);
}

#[test]
fn bytes_behind_a_batch_that_are_none_are_cut_off() {
    let sound = batch(&["a", "b", "c"]);
    let cluster = taken("5 bytes", |bytes| bytes.extend([0; 5]));
    let (_, bytes) = cluster.batches("events", 0).next().expect("a batch");
    assert_eq!(bytes.len(), sound.len());
}

#[test]
fn bytes_behind_a_request_are_not_read() {
    let mut cluster = one_broker();
    let mut longer = frame(&MetadataRequest::default(), 9, 1);
    longer.push(0);
    assert!(cluster.handle(T0, 1, 1, &longer).answer.is_some());
    assert_eq!(cluster.violations().len(), 1);
}

#[test]
fn of_a_partition_that_is_named_twice_the_last_batch_counts() {
    let mut cluster = one_broker();
    let mut request = produce_request(-1, "events", 0, batch(&["a"]));
    let again = ProducePartition {
        index: 0,
        records: Some(batch(&["b"])),
    };
    request.topics.push(ProduceTopic {
        name: "events".to_owned(),
        topic_id: Uuid::ZERO,
        partitions: vec![again],
    });
    let answer = only(ask(&mut cluster, 1, &request, 9));
    assert_eq!((answer.error_code, answer.base_offset), (OK, 0));
    assert_eq!(values(&cluster, "events", 0), ["b"]);
    assert_eq!(cluster.violations().len(), 1);
}

#[test]
fn epoch_of_minus_one_asks_for_no_order() {
    let mut cluster = one_broker();
    for sequence in [0, 7, 3] {
        let answer = produce(&mut cluster, "events", 0, stamped(-1, sequence, 1));
        assert_eq!(answer.error_code, OK);
    }
    assert_eq!(cluster.violations().len(), 3);
}

#[test]
fn records_of_the_future_are_refused_by_name() {
    // `stamped` and `batch` say 1_700_000_000_000.
    let code = |kafka, epoch_ms, spec: TopicSpec| {
        let mut cluster = Cluster::new(1, kafka);
        cluster.set_epoch_ms(epoch_ms);
        cluster.create_topic("timed", spec);
        let answer = produce(&mut cluster, "timed", 0, batch(&["a", "b"]));
        assert_eq!(cluster.violations().len(), 0);
        (answer.error_code, answer.record_errors.len())
    };
    let (hour, one) = (3_600_000, TopicSpec::new(1));
    let refused = (ErrorCode::INVALID_TIMESTAMP, 2);
    let now = 1_700_000_000_000 - hour;
    assert_eq!(code(KafkaVersion::V4_3, now, one.clone()), (OK, 0));
    assert_eq!(code(KafkaVersion::V4_3, now - 1, one.clone()), refused);
    assert_eq!(code(KafkaVersion::V3_9, now - 1, one.clone()), (OK, 0));
    let strict = one.clone().timestamp_after_max(Duration::from_secs(1));
    assert_eq!(code(KafkaVersion::V3_9, now, strict), refused);
    let young = one.timestamp_before_max(Duration::from_secs(10));
    assert_eq!(
        code(KafkaVersion::V4_3, now + hour + 10_000, young.clone()),
        (OK, 0)
    );
    assert_eq!(
        code(KafkaVersion::V4_3, now + hour + 10_001, young),
        refused
    );
}

#[test]
fn before_2_4_a_producer_that_is_unknown_begins_at_zero() {
    let mut cluster = Cluster::new(1, KafkaVersion::V2_1);
    cluster.create_topic("events", 1);
    let mut ask = |sequence| {
        let answer = produce_to(&mut cluster, 1, 7, "events", 0, stamped(0, sequence, 1));
        (answer.error_code, answer.log_start_offset)
    };
    assert_eq!(ask(5), (ErrorCode::UNKNOWN_PRODUCER_ID, 0));
    assert_eq!(ask(0), (OK, 0));
    assert_eq!(ask(1), (OK, 0));
}
