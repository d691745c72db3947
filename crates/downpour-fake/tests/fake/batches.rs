//! What is refused of a batch's bytes, and how a sound one lies in the log.

use downpour_fake::logic::{Cluster, Then, Verdict};
use downpour_fake::{ErrorCode, KafkaVersion, TopicSpec};
use downpour_wire::batch::{BatchView, Stamp};
use downpour_wire::codec::CompressionType;
use downpour_wire::messages::ProducePartition;

use crate::support::*;

#[test]
fn sound_batch_is_appended_behind_the_last_and_its_checksum_stays_right() {
    let mut cluster = one_broker();
    cluster.move_leader("events", 0, 1);
    assert_eq!(
        produce(&mut cluster, "events", 0, batch(&["a", "b"])).base_offset,
        0
    );
    assert_eq!(
        produce(&mut cluster, "events", 0, batch(&["c"])).base_offset,
        2
    );
    let (offset, bytes) = cluster.batches("events", 0).nth(1).expect("two batches");
    let (view, _) = BatchView::parse(bytes).expect("a batch");
    assert_eq!(
        (offset, view.base_offset, view.partition_leader_epoch),
        (2, 2, 1)
    );
    view.check_crc()
        .expect("the rewritten fields are not under the checksum");
    assert_eq!(values(&cluster, "events", 0), ["a", "b", "c"]);
    assert_eq!(cluster.violations().len(), 0);
}

#[test]
fn every_codec_of_the_build_is_read() {
    for codec in CompressionType::ALL
        .into_iter()
        .filter(|codec| codec.is_compiled())
    {
        let mut cluster = one_broker();
        let bytes = batch_as(&Stamp::NONE, codec, &["a", "b", "c"]);
        assert_eq!(
            produce(&mut cluster, "events", 0, bytes).error_code,
            OK,
            "{codec:?}"
        );
        assert_eq!(values(&cluster, "events", 0), ["a", "b", "c"], "{codec:?}");
    }
}

#[test]
fn every_produce_version_is_answered_in_its_own_form() {
    let mut cluster = one_broker();
    for (before, version) in (3..=13).enumerate() {
        let answer = produce_to(&mut cluster, 1, version, "events", 0, batch(&["a"]));
        assert_eq!(answer.error_code, OK, "Produce {version}");
        assert_eq!(answer.base_offset, before as i64, "Produce {version}");
        assert_eq!(answer.log_append_time_ms, -1, "Produce {version}");
        if version >= 5 {
            assert_eq!(answer.log_start_offset, 0, "Produce {version}");
        }
    }
}

/// Changes a sound batch, and says with what it must be refused.
fn refused(expected: ErrorCode, change: impl Fn(&mut Vec<u8>)) {
    let mut cluster = one_broker();
    let mut bytes = batch(&["a", "b", "c"]);
    change(&mut bytes);
    let answer = produce(&mut cluster, "events", 0, bytes);
    assert_eq!(answer.error_code, expected, "{:?}", answer.error_message);
    assert_eq!(answer.base_offset, -1);
    assert_eq!(values(&cluster, "events", 0), [""; 0]);
    assert_eq!(cluster.violations().len(), 1, "{:?}", answer.error_message);
}

#[test]
fn changed_byte_fails_the_checksum() {
    refused(ErrorCode::CORRUPT_MESSAGE, |bytes| {
        *bytes.last_mut().expect("bytes") ^= 1
    });
}

#[test]
fn batch_that_claims_more_bytes_than_there_are_is_none() {
    refused(ErrorCode::INVALID_RECORD, |bytes| {
        bytes.truncate(bytes.len() - 1)
    });
}

#[test]
fn two_batches_for_one_partition_are_invalid() {
    refused(ErrorCode::INVALID_RECORD, |bytes| {
        bytes.extend(batch(&["d"]))
    });
}

#[test]
fn partition_without_a_batch_is_invalid() {
    refused(ErrorCode::INVALID_RECORD, Vec::clear);
}

#[test]
fn older_magic_is_invalid() {
    refused(ErrorCode::INVALID_RECORD, |bytes| bytes[16] = 1);
}

#[test]
fn newer_magic_is_corrupt() {
    refused(ErrorCode::CORRUPT_MESSAGE, |bytes| bytes[16] = 3);
}

#[test]
fn compressed_bytes_that_do_not_unpack_break_the_broker() {
    refused(ErrorCode::UNKNOWN_SERVER_ERROR, |bytes| {
        bytes[22] = 1;
        reseal(bytes);
    });
}

#[test]
fn codec_that_kafka_does_not_have_breaks_the_broker() {
    refused(ErrorCode::UNKNOWN_SERVER_ERROR, |bytes| {
        bytes[22] = 5;
        reseal(bytes);
    });
}

#[test]
fn only_the_log_s_own_refusal_tells_where_the_log_begins() {
    let mut cluster = one_broker();
    let mut base = batch(&["a"]);
    base[7] = 5;
    let mut checksum = batch(&["a"]);
    checksum[17] ^= 1;
    for (bytes, start) in [(base, 0), (checksum, -1)] {
        let answer = produce(&mut cluster, "events", 0, bytes);
        assert_eq!(
            (answer.log_start_offset, answer.error_message),
            (start, None)
        );
    }
}

#[test]
fn base_offset_other_than_0_is_invalid() {
    refused(ErrorCode::INVALID_RECORD, |bytes| bytes[7] = 5);
}

#[test]
fn last_offset_delta_must_fit_the_count() {
    refused(ErrorCode::INVALID_RECORD, |bytes| {
        bytes[26] = 3;
        reseal(bytes);
    });
}

#[test]
fn count_must_fit_the_records() {
    refused(ErrorCode::INVALID_RECORD, |bytes| {
        bytes[26] = 3;
        bytes[60] = 4;
        reseal(bytes);
    });
}

#[test]
fn control_batch_of_a_client_is_invalid() {
    refused(ErrorCode::INVALID_RECORD, |bytes| {
        bytes[22] |= 0x20;
        reseal(bytes);
    });
}

#[test]
fn producer_id_without_a_sequence_is_invalid() {
    refused(ErrorCode::INVALID_RECORD, |bytes| {
        bytes[43..51].copy_from_slice(&7_i64.to_be_bytes());
        reseal(bytes);
    });
}

#[test]
fn transactional_batch_is_refused() {
    refused(ErrorCode::TRANSACTIONAL_ID_AUTHORIZATION_FAILED, |bytes| {
        bytes[22] |= 0x10;
        reseal(bytes);
    });
}

#[test]
fn zstd_needs_produce_7() {
    let mut cluster = one_broker();
    let mut bytes = batch(&["a"]);
    bytes[22] = 4;
    reseal(&mut bytes);
    let answer = produce_to(&mut cluster, 1, 6, "events", 0, bytes);
    assert_eq!(answer.error_code, ErrorCode::UNSUPPORTED_COMPRESSION_TYPE);
}

#[test]
fn batch_over_the_limit_is_too_large_and_no_violation() {
    let mut cluster = one_broker();
    let bytes = batch(&["abc"]);
    cluster.create_topic("fits", TopicSpec::new(1).max_message_bytes(bytes.len()));
    cluster.create_topic(
        "small",
        TopicSpec::new(1).max_message_bytes(bytes.len() - 1),
    );
    assert_eq!(
        produce(&mut cluster, "fits", 0, bytes.clone()).error_code,
        OK
    );
    let answer = produce(&mut cluster, "small", 0, bytes);
    assert_eq!(answer.error_code, ErrorCode::MESSAGE_TOO_LARGE);
    assert_eq!(cluster.violations().len(), 0);
}

#[test]
fn compacted_topic_names_each_record_without_a_key() {
    let mut cluster = one_broker();
    cluster.create_topic("compacted", TopicSpec::new(1).compacted(true));
    assert_eq!(
        produce(&mut cluster, "compacted", 0, batch(&["a"])).error_code,
        OK
    );
    // The empty key's length is one byte, and null's is another.
    let mut bytes = batch(&[""]);
    let key_length = bytes.len() - 3;
    bytes[key_length] = 1;
    reseal(&mut bytes);
    let answer = produce(&mut cluster, "compacted", 0, bytes);
    assert_eq!(answer.error_code, ErrorCode::INVALID_RECORD);
    let named: Vec<i32> = answer
        .record_errors
        .iter()
        .map(|error| error.batch_index)
        .collect();
    assert_eq!(named, [0]);
    assert!(answer.error_message.is_some());
    assert_eq!(cluster.violations().len(), 0);
}

#[test]
fn one_bad_partition_does_not_spoil_the_other() {
    let mut cluster = one_broker();
    let mut request = produce_request(-1, "events", 0, batch(&["a"]));
    request.topics[0].partitions.push(ProducePartition {
        index: 9,
        records: Some(batch(&["b"])),
    });
    request.topics[0].partitions.push(ProducePartition {
        index: 1,
        records: Some(batch(&["c"])),
    });
    let answer = ask(&mut cluster, 1, &request, 9);
    let codes: Vec<(i32, ErrorCode)> = answer.topics[0]
        .partitions
        .iter()
        .map(|found| (found.index, found.error_code))
        .collect();
    assert_eq!(
        codes,
        [(0, OK), (9, ErrorCode::UNKNOWN_TOPIC_OR_PARTITION), (1, OK)]
    );
}

#[test]
fn acks_other_than_minus_1_0_and_1_are_refused() {
    let mut cluster = one_broker();
    let answer = ask(
        &mut cluster,
        1,
        &produce_request(2, "events", 0, batch(&["a"])),
        9,
    );
    assert_eq!(only(answer).error_code, ErrorCode::INVALID_REQUIRED_ACKS);
}

#[test]
fn acks_0_is_never_answered_and_an_error_closes_the_connection() {
    let mut cluster = one_broker();
    let mut asked = |partition| {
        let request = produce_request(0, "events", partition, batch(&["a"]));
        cluster.handle(T0, 1, 1, &frame(&request, 9, 1))
    };
    let fine = asked(0);
    assert_eq!((fine.answer, fine.then), (None, Then::Continue));
    let wrong = asked(5);
    assert_eq!((wrong.answer, wrong.then), (None, Then::Close));
    assert_eq!(values(&cluster, "events", 0), ["a"]);
}

#[test]
fn request_log_tells_each_batch_and_its_verdict() {
    let mut cluster = one_broker();
    let bytes = stamped(3, 10, 2);
    let length = bytes.len();
    produce(&mut cluster, "events", 1, bytes.clone());
    produce(&mut cluster, "events", 1, bytes);
    let logged: Vec<_> = cluster
        .requests()
        .flat_map(|request| &request.batches)
        .collect();
    let first = logged[0];
    assert_eq!((first.topic.as_str(), first.partition), ("events", 1));
    assert_eq!(
        (first.producer_id, first.producer_epoch, first.base_sequence),
        (7, 3, 10)
    );
    assert_eq!(
        (first.records, first.bytes, first.codec),
        (2, length, Some(CompressionType::None))
    );
    assert_eq!(first.verdict, Verdict::Appended { base_offset: 0 });
    assert_eq!(logged[1].verdict, Verdict::Duplicate { base_offset: 0 });
}

#[test]
fn kafka_2_1_calls_a_malformed_batch_corrupt() {
    let mut cluster = Cluster::new(1, KafkaVersion::V2_1);
    cluster.create_topic("events", 1);
    let mut bytes = batch(&["a"]);
    bytes[7] = 1;
    let answer = produce_to(&mut cluster, 1, 7, "events", 0, bytes);
    assert_eq!(answer.error_code, ErrorCode::CORRUPT_MESSAGE);
}
