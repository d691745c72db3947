//! The strict look at one partition's bytes in a Produce request: is this exactly one sound record
//! batch that this broker may take? Sequences are `logic::producers`', storing is `logic::log`'s.

use downpour_wire::batch::BatchView;
use downpour_wire::codec::CompressionType;
use downpour_wire::error::DecodeErrorKind;
use downpour_wire::error_code::ErrorCode;

use super::producers::ProducerStamp;
use super::rules::{Refusal, Rules};
use super::{framing, words};
use crate::version::KafkaVersion;

/// The first version of Produce that may carry zstd.
const ZSTD_FROM: i16 = 7;

/// A batch's header, up to its first record.
const HEADER_LEN: usize = 61;

/// Compressed records may unpack to at most this many bytes.
pub(crate) const UNPACKED_BYTES_MAX: usize = 256 << 20;

/// A batch that a broker takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SoundBatch {
    pub(crate) stamped: Option<ProducerStamp>,
    pub(crate) count: u32,
    pub(crate) codec: CompressionType,
    /// The latest of its records, whatever its header says.
    pub(crate) max_timestamp: i64,
    /// How many of the bytes belong to it; a broker forgets a rest that is no batch.
    pub(crate) len: usize,
    /// What no sound producer sends and a broker takes all the same, in words.
    pub(crate) odd: Vec<String>,
}

/// What a batch says of itself, read without judging it: for the request log.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Claims {
    pub(crate) producer_id: i64,
    pub(crate) producer_epoch: i16,
    pub(crate) base_sequence: i32,
    pub(crate) count: u32,
    pub(crate) codec: Option<CompressionType>,
}

impl Claims {
    pub(crate) const NOTHING: Self = Self {
        producer_id: -1,
        producer_epoch: -1,
        base_sequence: -1,
        count: 0,
        codec: None,
    };

    pub(crate) fn of(bytes: &[u8]) -> Self {
        let Ok((view, _)) = BatchView::parse(bytes) else {
            return Self::NOTHING;
        };
        Self {
            producer_id: view.producer_id,
            producer_epoch: view.producer_epoch,
            base_sequence: view.base_sequence,
            count: view.count,
            codec: view.codec().ok(),
        }
    }
}

/// Checks everything about a batch that does not depend on what came before it.
pub(crate) fn check(bytes: &[u8], rules: &Rules) -> Result<SoundBatch, Refusal> {
    let invalid = |message: String| Refusal::new(rules.invalid, message);
    let mut odd = Vec::new();
    // ProduceRequest.validateRecords: exactly one batch, of magic 2, in a codec of the version's.
    let Some(len) = framing::next_batch(bytes)? else {
        return Err(invalid(
            "a partition of a produce request without a record batch".into(),
        ));
    };
    let (own, rest) = bytes.split_at(len);
    if own.get(16) != Some(&2) {
        return Err(invalid(
            "a batch of a format that is no longer taken".into(),
        ));
    }
    let known_codec = own.get(22).is_some_and(|attributes| attributes & 7 <= 4);
    if !known_codec && rules.produce_version < ZSTD_FROM {
        // The version asks for the codec, and no exception of Kafka's says that there is none.
        let none = "a codec that does not exist";
        return Err(Refusal::new(ErrorCode::UNKNOWN_SERVER_ERROR, none));
    }
    if own.get(22).is_some_and(|attributes| attributes & 7 == 4)
        && rules.produce_version < ZSTD_FROM
    {
        return Err(Refusal::new(
            ErrorCode::UNSUPPORTED_COMPRESSION_TYPE,
            format!(
                "zstd needs Produce {ZSTD_FROM}, this is Produce {}",
                rules.produce_version
            ),
        ));
    }
    if len < HEADER_LEN {
        let small = "a batch that is smaller than its header";
        return Err(Refusal::new(ErrorCode::CORRUPT_MESSAGE, small));
    }
    if framing::next_batch(rest)?.is_some() {
        return Err(invalid(format!(
            "exactly one record batch is allowed, {} bytes follow the first",
            rest.len()
        )));
    }
    if !rest.is_empty() {
        // UnifiedLog.trimInvalidBytes cuts them off.
        odd.push(format!("{} bytes that are no batch follow it", rest.len()));
    }
    // UnifiedLog.analyzeAndValidateRecords, and LogValidator below.
    let (view, _) = BatchView::parse(own).map_err(|error| invalid(error.to_string()).at_log())?;
    let codec = view.codec().map_err(|error| {
        Refusal::new(ErrorCode::UNKNOWN_SERVER_ERROR, error.to_string()).at_log()
    })?;
    if view.base_offset != 0 {
        let reason = format!("the base offset is {} instead of 0", view.base_offset);
        return Err(invalid(reason).at_log());
    }
    if own.len() > rules.max_message_bytes {
        return Err(Refusal::new(
            ErrorCode::MESSAGE_TOO_LARGE,
            format!(
                "a batch of {} bytes, at most {}",
                own.len(),
                rules.max_message_bytes
            ),
        ));
    }
    view.check_crc()
        .map_err(|error| Refusal::new(ErrorCode::CORRUPT_MESSAGE, error.to_string()))?;
    let stamped = check_header(&view, rules, &mut odd)?;
    let max_timestamp = check_records(&view, codec, rules, &mut odd)?;
    Ok(SoundBatch {
        stamped,
        count: view.count,
        codec,
        max_timestamp,
        len,
        odd,
    })
}

/// Checks the fields of the header against each other, as LogValidator.validateBatch does.
fn check_header(
    view: &BatchView<'_>,
    rules: &Rules,
    odd: &mut Vec<String>,
) -> Result<Option<ProducerStamp>, Refusal> {
    let invalid = |message: String| Err(Refusal::new(rules.invalid, message).at_log());
    if view.count == 0 {
        return invalid("a batch without records".into());
    }
    if i64::from(view.last_offset_delta) != i64::from(view.count) - 1 {
        return invalid(format!(
            "the last offset delta is {}, the batch counts {} records",
            view.last_offset_delta, view.count
        ));
    }
    if view.is_control() {
        return invalid("a control batch from a client".into());
    }
    if view.is_transactional() {
        return Err(Refusal::new(
            ErrorCode::TRANSACTIONAL_ID_AUTHORIZATION_FAILED,
            "the fake does not serve transactions",
        ));
    }
    if view.is_log_append_time() {
        odd.push("a client marked its batch as log append time".into());
    }
    if view.producer_id < 0 {
        // RecordBatch.hasProducerId: without one a broker looks at neither epoch nor sequence, and
        // there are clients that send 0 as sequence.
        let claimed = (view.producer_id, view.producer_epoch, view.base_sequence);
        if claimed != (-1, -1, -1) {
            odd.push(format!(
                "without idempotence id, epoch and sequence are -1, not {claimed:?}"
            ));
        }
        return Ok(None);
    }
    if view.base_sequence < 0 {
        return invalid(format!(
            "producer id {} with sequence {}",
            view.producer_id, view.base_sequence
        ));
    }
    if view.producer_epoch < 0 {
        odd.push(format!(
            "producer id {} with epoch {}",
            view.producer_id, view.producer_epoch
        ));
    }
    Ok(Some(ProducerStamp {
        producer_id: view.producer_id,
        epoch: view.producer_epoch,
        first_sequence: view.base_sequence,
        count: view.count,
    }))
}

/// Unpacks the records and checks each, as LogValidator.validateRecord does. Returns the latest
/// timestamp.
fn check_records(
    view: &BatchView<'_>,
    codec: CompressionType,
    rules: &Rules,
    odd: &mut Vec<String>,
) -> Result<i64, Refusal> {
    let records = view
        .records(UNPACKED_BYTES_MAX)
        .map_err(|error| match error.kind {
            DecodeErrorKind::UnsupportedCodec => Refusal::new(
                ErrorCode::UNSUPPORTED_COMPRESSION_TYPE,
                format!("this build of downpour-fake cannot read {codec:?}: switch its feature on"),
            ),
            DecodeErrorKind::Decompress | DecodeErrorKind::TooLarge => {
                Refusal::new(ErrorCode::UNKNOWN_SERVER_ERROR, error.to_string()).at_log()
            }
            _ => Refusal::new(rules.invalid, error.to_string()).at_log(),
        })?;
    let mut errors = Vec::new();
    let mut out_of_time = false;
    let (from, to) = rules.timestamps;
    // Newer brokers do not mind where the topic keeps the producer's times.
    let is_old = matches!(rules.release, KafkaVersion::V2_1 | KafkaVersion::V2_8);
    for (index, record) in (0..).zip(&records) {
        let minds_mark = rules.log_append_time || is_old || record.timestamp == -1;
        let time = record.timestamp;
        if rules.compacted && record.key.is_none() {
            errors.push((index, words::keyless(rules)));
        } else if !rules.log_append_time && time != -1 && !(from..=to).contains(&time) {
            out_of_time = true;
            errors.push((index, words::out_of_range(rules, record)));
        } else if view.is_log_append_time() && minds_mark {
            out_of_time = true;
            errors.push((index, words::marked(record)));
        }
    }
    if !errors.is_empty() {
        let (code, message) = if out_of_time {
            (ErrorCode::INVALID_TIMESTAMP, words::TIMESTAMPS.to_owned())
        } else {
            (ErrorCode::INVALID_RECORD, words::rejected(rules, &errors))
        };
        let mut refusal = Refusal::new(code, message).at_log();
        refusal.records = errors;
        return Err(refusal);
    }
    let latest = records.iter().map(|record| record.timestamp).max();
    let latest = latest.unwrap_or(-1).max(-1);
    if latest != view.max_timestamp {
        odd.push(format!(
            "the maximum timestamp is {}, that of the records {latest}",
            view.max_timestamp
        ));
    }
    Ok(latest)
}
