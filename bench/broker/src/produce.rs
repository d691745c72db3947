//! Produce, versions 3 to 13, read and answered in one pass over the request.

use crate::batch;
use crate::cursor::Cursor;
use crate::ledger::{Answer, Ledger};
use crate::refusal::Refusal;
use crate::shared::Shared;

/// The versions served.
pub(crate) const VERSIONS: (i16, i16) = (3, 13);

/// One batch in so many is unpacked and read strictly.
const DEEP_EVERY: u64 = 64;

/// Batches that were booked and must be told when they are answered: topic and partition.
pub(crate) type Booked = Vec<(usize, i32)>;

/// Reads the request behind its header, and appends the answer's body. False if the client wants
/// no answer.
pub(crate) fn serve(
    shared: &Shared,
    version: i16,
    mut request: Cursor<'_>,
    answer: &mut Vec<u8>,
    booked: &mut Booked,
) -> Result<bool, Refusal> {
    let compact = version >= 9;
    request.string(compact)?;
    let acks = request.i16()?;
    request.i32()?;
    shared.ledger().statistics.requests += 1;
    let topics = request.count(compact)?;
    put_count(answer, topics, compact);
    for _ in 0..topics {
        serve_topic(shared, version, &mut request, answer, booked)?;
    }
    // Throttle time.
    answer.extend_from_slice(&[0; 4]);
    if compact {
        request.tags()?;
        answer.push(0);
    }
    if !request.rest().is_empty() {
        return Err(Refusal("bytes follow a Produce request"));
    }
    Ok(acks != 0)
}

fn serve_topic(
    shared: &Shared,
    version: i16,
    request: &mut Cursor<'_>,
    answer: &mut Vec<u8>,
    booked: &mut Booked,
) -> Result<(), Refusal> {
    let compact = version >= 9;
    let topic = if version >= 13 {
        let id = request.id()?;
        answer.extend_from_slice(&id);
        shared.ledger().topic_of_id(id)
    } else {
        let name = request.string(compact)?.ok_or(Refusal("a topic is null"))?;
        put_string(answer, name, compact);
        shared.ledger().topic_of_name(name)
    };
    let partitions = request.count(compact)?;
    put_count(answer, partitions, compact);
    for _ in 0..partitions {
        let index = request.i32()?;
        let bytes = request.bytes(compact)?.unwrap_or_default();
        let said = judge(shared, topic, index, bytes, booked);
        put_answer(answer, version, index, said);
        if compact {
            request.tags()?;
        }
    }
    if compact {
        request.tags()?;
        answer.push(0);
    }
    Ok(())
}

fn judge(
    shared: &Shared,
    topic: Option<usize>,
    index: i32,
    bytes: &[u8],
    booked: &mut Booked,
) -> Answer {
    let is_deep = |ledger: &Ledger| ledger.statistics.batches % DEEP_EVERY == 0;
    let deep = is_deep(&shared.ledger());
    // Checksums are computed without the lock.
    let checked = batch::check(bytes, deep);
    let mut ledger = shared.ledger();
    let Some(topic) = topic else {
        ledger
            .statistics
            .bad_batch(Refusal("a topic nobody asked metadata for"));
        return Answer::error(3);
    };
    match checked {
        Ok(sound) => {
            booked.push((topic, index));
            ledger.book(topic, index, sound, bytes.len())
        }
        Err(refusal) => {
            ledger.statistics.bad_batch(refusal);
            Answer::error(2)
        }
    }
}

fn put_answer(out: &mut Vec<u8>, version: i16, index: i32, said: Answer) {
    out.extend_from_slice(&index.to_be_bytes());
    out.extend_from_slice(&said.error_code.to_be_bytes());
    out.extend_from_slice(&said.base_offset.to_be_bytes());
    // Log append time.
    out.extend_from_slice(&(-1_i64).to_be_bytes());
    if version >= 5 {
        // Log start offset.
        out.extend_from_slice(&0_i64.to_be_bytes());
    }
    if version >= 9 {
        // No record errors, no message, no tagged fields.
        out.extend_from_slice(&[1, 0, 0]);
    } else if version == 8 {
        out.extend_from_slice(&[0, 0, 0, 0, 0xff, 0xff]);
    }
}

fn put_count(out: &mut Vec<u8>, count: usize, compact: bool) {
    if compact {
        put_uvarint(out, count + 1);
    } else {
        out.extend_from_slice(&(count as u32).to_be_bytes());
    }
}

fn put_string(out: &mut Vec<u8>, text: &[u8], compact: bool) {
    if compact {
        put_uvarint(out, text.len() + 1);
    } else {
        out.extend_from_slice(&(text.len() as u16).to_be_bytes());
    }
    out.extend_from_slice(text);
}

fn put_uvarint(out: &mut Vec<u8>, mut value: usize) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

#[cfg(test)]
mod tests;
