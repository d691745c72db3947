//! Where one batch ends among the bytes of a partition. What is in it is judged by `check`.

use downpour_wire::error_code::ErrorCode;

use super::rules::Refusal;

/// The offset and the length in front of every batch and message.
const LOG_OVERHEAD: usize = 12;

/// Up to the magic, which stands at the same place in every format.
const HEADER_UP_TO_MAGIC: usize = 17;

/// The shortest message there ever was, without the overhead.
const RECORD_BYTES_MIN: i32 = 14;

/// The length of the first batch. `None` if there is none that is whole, which is no error.
///
/// ByteBufferLogInputStream.nextBatchSize of Kafka's.
pub(super) fn next_batch(bytes: &[u8]) -> Result<Option<usize>, Refusal> {
    let corrupt =
        |message: String| Err(Refusal::new(ErrorCode::CORRUPT_MESSAGE, message).explained());
    let Some(size) = bytes
        .get(8..LOG_OVERHEAD)
        .and_then(|size| size.try_into().ok())
    else {
        return Ok(None);
    };
    let size = i32::from_be_bytes(size);
    if size < RECORD_BYTES_MIN {
        return corrupt(format!(
            "Record size {size} is less than the minimum record overhead ({RECORD_BYTES_MIN})"
        ));
    }
    let Some(magic) = bytes.get(HEADER_UP_TO_MAGIC - 1).copied() else {
        return Ok(None);
    };
    // It is signed there.
    let magic = i8::from_be_bytes([magic]);
    if !(0..=2).contains(&magic) {
        return corrupt(format!("Invalid magic found in record: {magic}"));
    }
    let len = LOG_OVERHEAD + usize::try_from(size).unwrap_or(0);
    Ok(Some(len).filter(|len| *len <= bytes.len()))
}
