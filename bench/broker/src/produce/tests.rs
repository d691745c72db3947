//! Requests of every version, made and read by the wire crate.

use downpour_wire::batch::{BatchBuilder, Stamp};
use downpour_wire::codec::{Compression, Compressor};
use downpour_wire::error_code::ErrorCode;
use downpour_wire::messages::{
    Decode as _, Encode as _, ProducePartition, ProduceRequest, ProduceResponse, ProduceTopic,
};
use downpour_wire::primitives::{Reader, Uuid};
use downpour_wire::record::RecordRef;

use super::*;

fn batch(sequence: i32) -> Vec<u8> {
    let mut builder = BatchBuilder::new();
    builder.add_chunk(Vec::with_capacity(4096));
    let record = RecordRef {
        key: None,
        value: Some(b"value"),
        headers: &[],
        timestamp: 5,
    };
    builder.try_append(&record).unwrap();
    let body = builder
        .seal(Compression::NONE, &mut Compressor::new())
        .unwrap();
    body.to_vec(&Stamp {
        producer_id: 1,
        producer_epoch: 0,
        base_sequence: sequence,
        transactional: false,
    })
}

fn ask(shared: &Shared, version: i16, records: Vec<u8>) -> ProduceResponse {
    let described = {
        let mut ledger = shared.ledger();
        let topic = ledger.topic("t-2");
        ledger.describe(topic)
    };
    let by_id = version >= 13;
    let request = ProduceRequest {
        transactional_id: None,
        acks: -1,
        timeout_ms: 30_000,
        topics: vec![ProduceTopic {
            name: if by_id { String::new() } else { described.name },
            topic_id: if by_id {
                Uuid(described.id)
            } else {
                Uuid::ZERO
            },
            partitions: vec![ProducePartition {
                index: 1,
                records: Some(records),
            }],
        }],
    };
    let mut bytes = Vec::new();
    request.encode(&mut bytes, version).unwrap();
    let (mut answer, mut booked) = (Vec::new(), Vec::new());
    let wants = serve(
        shared,
        version,
        Cursor::new(&bytes),
        &mut answer,
        &mut booked,
    );
    assert_eq!(wants, Ok(true));
    let mut reader = Reader::new(&answer);
    let response = ProduceResponse::decode(&mut reader, version).unwrap();
    reader.finish("the answer").unwrap();
    response
}

fn partition(response: &ProduceResponse) -> (ErrorCode, i64) {
    let partition = &response.topics[0].partitions[0];
    assert_eq!(partition.index, 1);
    (partition.error_code, partition.base_offset)
}

#[test]
fn every_version_is_read_and_answered() {
    for version in VERSIONS.0..=VERSIONS.1 {
        let shared = Shared::new(0, 1);
        let good = ask(&shared, version, batch(0));
        assert_eq!(partition(&good), (ErrorCode::NONE, 0), "version {version}");
        let second = ask(&shared, version, batch(1));
        assert_eq!(partition(&second), (ErrorCode::NONE, 1));
        let gap = ask(&shared, version, batch(7));
        assert_eq!(partition(&gap).0, ErrorCode::OUT_OF_ORDER_SEQUENCE_NUMBER);
        let mut broken = batch(2);
        broken[61] ^= 1;
        let broken = ask(&shared, version, broken);
        assert_eq!(partition(&broken).0, ErrorCode::CORRUPT_MESSAGE);
        let ledger = shared.ledger();
        let counted = &ledger.statistics;
        assert_eq!((counted.records, counted.requests), (2, 4));
        assert_eq!((counted.bad_batches, counted.sequence_breaks), (1, 1));
    }
}

#[test]
fn a_request_cut_anywhere_is_refused_and_panics_nowhere() {
    let shared = Shared::new(0, 1);
    shared.ledger().topic("t-2");
    let request = ProduceRequest {
        transactional_id: None,
        acks: 1,
        timeout_ms: 1,
        topics: vec![ProduceTopic {
            name: "t-2".into(),
            topic_id: Uuid::ZERO,
            partitions: vec![ProducePartition {
                index: 0,
                records: Some(batch(0)),
            }],
        }],
    };
    for version in [3, 9] {
        let mut bytes = Vec::new();
        request.encode(&mut bytes, version).unwrap();
        for len in 0..bytes.len() {
            let (mut answer, mut booked) = (Vec::new(), Vec::new());
            let cut = Cursor::new(&bytes[..len]);
            assert!(serve(&shared, version, cut, &mut answer, &mut booked).is_err());
        }
    }
}
