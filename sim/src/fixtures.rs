//! Parts of made-up histories, for the tests of the rules.

use std::time::Duration;

use downpour_wire::error_code::ErrorCode;
use downpour_wire::header::encode_response;
use downpour_wire::messages::{
    ApiKey, PartitionProduceResponse, ProduceResponse, TopicProduceResponse,
};
use downpour_wire::primitives::Uuid;

use crate::history::{Entry, Fate, Place};
use crate::request::{Carried, Question};

/// The partition of all records.
pub(crate) const PLACE: Place = (0, 0);

/// A version of Produce that names topics by their names.
const VERSION: i16 = 9;

pub(crate) fn at(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

pub(crate) fn delivered(offset: i64) -> Fate {
    Fate::Delivered {
        offset: Some(offset),
    }
}

pub(crate) fn failed() -> Fate {
    let why = "why".to_owned();
    Fate::Failed { why }
}

pub(crate) fn unknown() -> Fate {
    let why = "why".to_owned();
    Fate::Unknown { why }
}

/// A record that was accepted in the beginning and got its verdict then.
pub(crate) fn entry(fate: Fate, told_at: Duration) -> Entry {
    Entry {
        place: PLACE,
        line: 0,
        keyed: true,
        len: 10,
        accepted_at: Duration::ZERO,
        timeout: at(60_000),
        told_late: None,
        watched: true,
        fate: Some((fate, told_at)),
        told: None,
        returned: false,
    }
}

/// A batch of these records with its first sequence, if it has one.
pub(crate) fn batch(base_sequence: impl Into<Option<i32>>, ids: &[u32]) -> Carried {
    Carried {
        topic: ("topic".to_owned(), Uuid::ZERO),
        place: PLACE,
        stamp: base_sequence.into().map(|base| (1000, 0, base)),
        ids: ids.to_vec(),
    }
}

/// A question of 100 bytes.
pub(crate) fn question(api: ApiKey, correlation_id: i32) -> Question {
    Question {
        api: Some(api),
        version: VERSION,
        correlation_id,
        len: 100,
        is_answered: true,
        batches: Vec::new(),
    }
}

/// A Produce request of 100 bytes with one batch.
pub(crate) fn produce(correlation_id: i32, batch: Carried) -> Question {
    Question {
        batches: vec![batch],
        ..question(ApiKey::Produce, correlation_id)
    }
}

/// The answer to that; without a code it leaves the batch out.
pub(crate) fn answer(correlation_id: i32, code: Option<ErrorCode>, base_offset: i64) -> Vec<u8> {
    let partitions = code.map(|error_code| PartitionProduceResponse {
        index: PLACE.1,
        error_code,
        base_offset,
        ..PartitionProduceResponse::default()
    });
    let response = ProduceResponse {
        topics: vec![TopicProduceResponse {
            name: "topic".to_owned(),
            partitions: partitions.into_iter().collect(),
            ..TopicProduceResponse::default()
        }],
        ..ProduceResponse::default()
    };
    encode_response(ApiKey::Produce, &response, VERSION, correlation_id).unwrap()
}
