//! The strict look at one partition's bytes in a Produce request: is this exactly one sound record
//! batch that this broker may take? Sequences are `logic::producers`', storing is `logic::log`'s.

use downpour_wire::batch::BatchView;
use downpour_wire::codec::CompressionType;
use downpour_wire::error::DecodeErrorKind;
use downpour_wire::error_code::ErrorCode;

use super::producers::ProducerStamp;

/// Compressed records may unpack to at most this many bytes.
pub(crate) const UNPACKED_BYTES_MAX: usize = 256 << 20;

/// What decides whether a batch may be taken, apart from the batch itself.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rules {
    pub(crate) produce_version: i16,
    pub(crate) max_message_bytes: usize,
    pub(crate) compacted: bool,
    /// The code for a batch that is malformed: 87, and 2 for brokers that do not know 87 yet.
    pub(crate) invalid: ErrorCode,
}

/// A batch that was found sound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SoundBatch {
    pub(crate) stamped: Option<ProducerStamp>,
    pub(crate) count: u32,
    pub(crate) codec: CompressionType,
    pub(crate) max_timestamp: i64,
}

/// Why a batch is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) code: ErrorCode,
    pub(crate) message: String,
    /// Records that are at fault by themselves, by their index in the batch.
    pub(crate) records: Vec<(i32, String)>,
    /// True if the log itself refused: then a broker tells where the log begins.
    pub(crate) at_log: bool,
}

impl Refusal {
    pub(crate) fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            records: Vec::new(),
            at_log: false,
        }
    }

    pub(crate) fn at_log(self) -> Self {
        Self {
            at_log: true,
            ..self
        }
    }
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
    if bytes.is_empty() {
        return Err(invalid(
            "a partition of a produce request without a record batch".into(),
        ));
    }
    let (view, rest) = BatchView::parse(bytes).map_err(|error| match error.kind {
        // A broker reads batches of older magic and then refuses them; newer ones it cannot read.
        DecodeErrorKind::UnsupportedMagic if bytes.get(16) > Some(&2) => {
            Refusal::new(ErrorCode::CORRUPT_MESSAGE, error.to_string())
        }
        _ => invalid(error.to_string()),
    })?;
    if !rest.is_empty() {
        return Err(invalid(format!(
            "exactly one record batch is allowed, {} bytes follow the first",
            rest.len()
        )));
    }
    let codec = view.codec().map_err(|error| {
        Refusal::new(ErrorCode::UNKNOWN_SERVER_ERROR, error.to_string()).at_log()
    })?;
    if codec == CompressionType::Zstd && rules.produce_version < 7 {
        return Err(Refusal::new(
            ErrorCode::UNSUPPORTED_COMPRESSION_TYPE,
            format!(
                "zstd needs Produce 7, this is Produce {}",
                rules.produce_version
            ),
        ));
    }
    if view.base_offset != 0 {
        let reason = format!("the base offset is {} instead of 0", view.base_offset);
        return Err(invalid(reason).at_log());
    }
    if bytes.len() > rules.max_message_bytes {
        return Err(Refusal::new(
            ErrorCode::MESSAGE_TOO_LARGE,
            format!(
                "a batch of {} bytes, at most {}",
                bytes.len(),
                rules.max_message_bytes
            ),
        ));
    }
    view.check_crc()
        .map_err(|error| Refusal::new(ErrorCode::CORRUPT_MESSAGE, error.to_string()))?;
    let stamped = check_header(&view, rules)?;
    check_records(&view, codec, rules)?;
    Ok(SoundBatch {
        stamped,
        count: view.count,
        codec,
        max_timestamp: view.max_timestamp,
    })
}

/// Checks the fields of the header against each other.
fn check_header(view: &BatchView<'_>, rules: &Rules) -> Result<Option<ProducerStamp>, Refusal> {
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
        return invalid("a client marked its batch as log append time".into());
    }
    if view.producer_id < 0 {
        if (view.producer_id, view.producer_epoch, view.base_sequence) != (-1, -1, -1) {
            return invalid(format!(
                "without idempotence id, epoch and sequence are -1, not {}, {}, {}",
                view.producer_id, view.producer_epoch, view.base_sequence
            ));
        }
        return Ok(None);
    }
    if view.producer_epoch < 0 || view.base_sequence < 0 {
        return invalid(format!(
            "producer id {} with epoch {} and sequence {}",
            view.producer_id, view.producer_epoch, view.base_sequence
        ));
    }
    Ok(Some(ProducerStamp {
        producer_id: view.producer_id,
        epoch: view.producer_epoch,
        first_sequence: view.base_sequence,
        count: view.count,
    }))
}

/// Unpacks the records and checks each.
fn check_records(
    view: &BatchView<'_>,
    codec: CompressionType,
    rules: &Rules,
) -> Result<(), Refusal> {
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
    if records.iter().map(|record| record.timestamp).max() != Some(view.max_timestamp) {
        return Err(Refusal::new(
            rules.invalid,
            format!(
                "the maximum timestamp {} is none of the records'",
                view.max_timestamp
            ),
        )
        .at_log());
    }
    if !rules.compacted {
        return Ok(());
    }
    let keyless: Vec<(i32, String)> = (0..)
        .zip(&records)
        .filter(|(_, record)| record.key.is_none())
        .map(|(index, _)| {
            (
                index,
                "Compacted topic cannot accept message without key".to_owned(),
            )
        })
        .collect();
    if keyless.is_empty() {
        return Ok(());
    }
    let mut refusal = Refusal::new(
        ErrorCode::INVALID_RECORD,
        "One or more records have been rejected due to invalid records",
    );
    refusal.records = keyless;
    Err(refusal.at_log())
}
