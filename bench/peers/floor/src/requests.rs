//! The bytes around a batch, and the three requests, in old versions without compact lengths.

const CLIENT_ID: &[u8] = b"floor";

fn begin(key: i16, version: i16, correlation_id: i32) -> Vec<u8> {
    let mut out = vec![0; 4];
    out.extend_from_slice(&key.to_be_bytes());
    out.extend_from_slice(&version.to_be_bytes());
    out.extend_from_slice(&correlation_id.to_be_bytes());
    put_string(&mut out, CLIENT_ID);
    out
}

fn put_string(out: &mut Vec<u8>, text: &[u8]) {
    out.extend_from_slice(&(text.len() as u16).to_be_bytes());
    out.extend_from_slice(text);
}

/// Writes the length of a frame of which `more` bytes follow `out`.
fn end(mut out: Vec<u8>, more: usize) -> Vec<u8> {
    let len = (out.len() - 4 + more) as u32;
    out[..4].copy_from_slice(&len.to_be_bytes());
    out
}

/// Metadata of one topic, version 1.
pub(crate) fn metadata(topic: &str) -> Vec<u8> {
    let mut out = begin(3, 1, 0);
    out.extend_from_slice(&1_i32.to_be_bytes());
    put_string(&mut out, topic.as_bytes());
    end(out, 0)
}

/// InitProducerId, version 0.
pub(crate) fn init_producer_id() -> Vec<u8> {
    let mut out = begin(22, 0, 0);
    out.extend_from_slice(&(-1_i16).to_be_bytes());
    out.extend_from_slice(&0_i32.to_be_bytes());
    end(out, 0)
}

/// Produce, version 7, up to the batch of `len` bytes, which ends it.
pub(crate) fn produce(topic: &str, partition: i32, acks: i16, len: usize) -> Vec<u8> {
    let mut out = begin(0, 7, 0);
    out.extend_from_slice(&(-1_i16).to_be_bytes());
    out.extend_from_slice(&acks.to_be_bytes());
    out.extend_from_slice(&30_000_i32.to_be_bytes());
    out.extend_from_slice(&1_i32.to_be_bytes());
    put_string(&mut out, topic.as_bytes());
    out.extend_from_slice(&1_i32.to_be_bytes());
    out.extend_from_slice(&partition.to_be_bytes());
    out.extend_from_slice(&(len as u32).to_be_bytes());
    end(out, len)
}

/// The error code in an answer to Produce for one topic and partition, without its length.
pub(crate) fn produce_error(answer: &[u8], topic: &str) -> i16 {
    // Correlation id, topics, the name, partitions, the index.
    let at = 4 + 4 + 2 + topic.len() + 4 + 4;
    answer
        .get(at..at + 2)
        .map_or(-1, |code| i16::from_be_bytes([code[0], code[1]]))
}
