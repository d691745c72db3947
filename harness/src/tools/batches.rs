//! What Kafka's log dump prints of each batch.

use std::str::FromStr;

use crate::error::Error;

/// One batch as it lies on a broker's disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    /// The offset of its first record.
    pub base_offset: i64,
    /// The offset of its last record.
    pub last_offset: i64,
    /// How many records it holds.
    pub count: i32,
    /// The sequence of its first record; -1 when it was written without idempotence.
    pub base_sequence: i32,
    /// The sequence of its last record; -1 when it was written without idempotence.
    pub last_sequence: i32,
    /// The id of the producer that wrote it; -1 without idempotence.
    pub producer_id: i64,
    /// The epoch of that producer; -1 without idempotence.
    pub producer_epoch: i16,
    /// The epoch of the leader that took it.
    pub leader_epoch: i32,
    /// Whether it belongs to a transaction.
    pub is_transactional: bool,
    /// Whether it marks the end of a transaction.
    pub is_control: bool,
    /// Its size on disk, header included.
    pub bytes: u32,
    /// How it is compressed: `none`, `gzip`, `snappy`, `lz4` or `zstd`.
    pub codec: String,
    /// Whether its CRC-32C fits.
    pub is_valid: bool,
}

/// Parses what was printed for one partition.
pub(super) fn parse(printed: &str) -> Result<Vec<Batch>, Error> {
    let lines = printed
        .lines()
        .filter(|line| line.starts_with("baseOffset: "));
    lines
        .map(|line| batch(line).ok_or_else(|| Error::new(format!("`{line}` is no batch"))))
        .collect()
}

fn batch(line: &str) -> Option<Batch> {
    Some(Batch {
        base_offset: field(line, "baseOffset")?,
        last_offset: field(line, "lastOffset")?,
        count: field(line, "count")?,
        base_sequence: field(line, "baseSequence")?,
        last_sequence: field(line, "lastSequence")?,
        producer_id: field(line, "producerId")?,
        producer_epoch: field(line, "producerEpoch")?,
        leader_epoch: field(line, "partitionLeaderEpoch")?,
        is_transactional: field(line, "isTransactional")?,
        is_control: field(line, "isControl")?,
        bytes: field(line, "size")?,
        codec: field::<String>(line, "compresscodec")?.to_lowercase(),
        is_valid: field(line, "isvalid")?,
    })
}

/// The word after `name: `.
fn field<T: FromStr>(line: &str, name: &str) -> Option<T> {
    let mut words = line.split(' ');
    words.find(|word| word.strip_suffix(':') == Some(name))?;
    words.next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dumped_batch_is_read() {
        let printed = "Dumping 00000000000000000000.log\nLog starting offset: 0\n\
            baseOffset: 5 lastOffset: 9 count: 5 baseSequence: 0 lastSequence: 4 producerId: 11 \
            producerEpoch: 1 partitionLeaderEpoch: 3 isTransactional: true isControl: false \
            deleteHorizonMs: OptionalLong.empty position: 0 CreateTime: 1700000000000 size: 87 \
            magic: 2 compresscodec: GZIP crc: 1 isvalid: true\n";
        let batches = parse(printed).unwrap();
        assert_eq!(
            batches,
            [Batch {
                base_offset: 5,
                last_offset: 9,
                count: 5,
                base_sequence: 0,
                last_sequence: 4,
                producer_id: 11,
                producer_epoch: 1,
                leader_epoch: 3,
                is_transactional: true,
                is_control: false,
                bytes: 87,
                codec: "gzip".to_owned(),
                is_valid: true,
            }]
        );
        parse(&printed.replace("count: 5", "count: x")).unwrap_err();
    }
}
