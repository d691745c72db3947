//! Checks one record batch, version 2. Its sequence is judged by `sequences`.

use downpour_wire::batch::BatchView;

use crate::cursor::Cursor;
use crate::refusal::Refusal;

const HEADER_LEN: usize = 61;

/// More than any batch of a run unpacks to.
const UNPACKED_MAX: usize = 64 << 20;

/// Whom a batch comes from, as far as it says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Claim {
    pub(crate) producer_id: i64,
    pub(crate) epoch: i16,
    pub(crate) sequence: i32,
}

/// What a sound batch holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Sound {
    pub(crate) records: u32,
    /// None without idempotence.
    pub(crate) claim: Option<Claim>,
}

fn field<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    let mut field = [0; N];
    if let Some(found) = bytes.get(at..at + N) {
        field.copy_from_slice(found);
    }
    field
}

/// Checks length, magic, checksum and counts. Records that are not compressed are counted one by
/// one; `deep` unpacks and reads all of them strictly.
pub(crate) fn check(bytes: &[u8], deep: bool) -> Result<Sound, Refusal> {
    if bytes.len() < HEADER_LEN {
        return Err(Refusal("shorter than a batch header"));
    }
    if usize::try_from(i32::from_be_bytes(field(bytes, 8))) != Ok(bytes.len() - 12) {
        return Err(Refusal("the batch length is wrong"));
    }
    if bytes[16] != 2 {
        return Err(Refusal("the magic is not 2"));
    }
    if u32::from_be_bytes(field(bytes, 17)) != crc32c::crc32c(&bytes[21..]) {
        return Err(Refusal("the checksum is wrong"));
    }
    let attributes = i16::from_be_bytes(field(bytes, 21));
    let count = i32::from_be_bytes(field(bytes, 57));
    if count < 1 || i32::from_be_bytes(field(bytes, 23)) != count - 1 {
        return Err(Refusal(
            "the record count or the last offset delta is wrong",
        ));
    }
    if i64::from_be_bytes(field(bytes, 35)) < i64::from_be_bytes(field(bytes, 27)) {
        return Err(Refusal("the largest timestamp is before the first"));
    }
    if attributes & 7 == 0 && hop(&bytes[HEADER_LEN..]) != Some(count.unsigned_abs()) {
        return Err(Refusal("the records are not as many as the count"));
    }
    if deep {
        let read = BatchView::parse(bytes).and_then(|(batch, _)| batch.records(UNPACKED_MAX));
        if read.map(|records| records.len()) != Ok(count.unsigned_abs() as usize) {
            return Err(Refusal("the records cannot be read"));
        }
    }
    Ok(Sound {
        records: count.unsigned_abs(),
        claim: claim(bytes)?,
    })
}

fn claim(bytes: &[u8]) -> Result<Option<Claim>, Refusal> {
    let claim = Claim {
        producer_id: i64::from_be_bytes(field(bytes, 43)),
        epoch: i16::from_be_bytes(field(bytes, 51)),
        sequence: i32::from_be_bytes(field(bytes, 53)),
    };
    if claim.producer_id < 0 {
        return Ok(None);
    }
    if claim.epoch < 0 || claim.sequence < 0 {
        return Err(Refusal("a producer id without epoch or sequence"));
    }
    Ok(Some(claim))
}

/// Hops from record to record by their lengths: how many end exactly at the end.
fn hop(body: &[u8]) -> Option<u32> {
    let mut cursor = Cursor::new(body);
    let mut count = 0;
    while !cursor.rest().is_empty() {
        let zigzag = cursor.uvarint().ok()?;
        if zigzag & 1 == 1 {
            return None;
        }
        cursor.take((zigzag >> 1) as usize).ok()?;
        count += 1;
    }
    Some(count)
}

#[cfg(test)]
mod tests {
    use downpour_wire::batch::{BatchBuilder, Stamp};
    use downpour_wire::codec::{Compression, CompressionType, Compressor};
    use downpour_wire::record::RecordRef;

    use super::*;

    fn batch(codec: CompressionType) -> Vec<u8> {
        let mut builder = BatchBuilder::new();
        builder.add_chunk(Vec::with_capacity(4096));
        for _ in 0..3 {
            let record = RecordRef {
                key: None,
                value: Some(b"0123456789"),
                headers: &[],
                timestamp: 1,
            };
            builder.try_append(&record).unwrap();
        }
        let body = builder.seal(Compression::new(codec), &mut Compressor::new());
        body.unwrap().to_vec(&Stamp {
            producer_id: 7,
            producer_epoch: 1,
            base_sequence: 9,
            transactional: false,
        })
    }

    /// The same batch with a byte changed and its checksum made right again.
    fn resealed(mut bytes: Vec<u8>, at: usize, value: u8) -> Vec<u8> {
        bytes[at] = value;
        let sum = crc32c::crc32c(&bytes[21..]);
        bytes[17..21].copy_from_slice(&sum.to_be_bytes());
        bytes
    }

    #[test]
    fn a_sound_batch_says_what_it_holds() {
        let claim = Some(Claim {
            producer_id: 7,
            epoch: 1,
            sequence: 9,
        });
        for codec in CompressionType::ALL {
            let sound = check(&batch(codec), true).unwrap();
            assert_eq!(sound, Sound { records: 3, claim });
        }
    }

    #[test]
    fn every_changed_byte_behind_the_checksum_is_seen() {
        let good = batch(CompressionType::None);
        for at in 21..good.len() {
            let mut bad = good.clone();
            bad[at] ^= 1;
            assert_eq!(check(&bad, false), Err(Refusal("the checksum is wrong")));
        }
    }

    #[test]
    fn wrong_counts_and_lengths_are_seen_despite_a_right_checksum() {
        let good = batch(CompressionType::None);
        assert!(check(&resealed(good.clone(), 60, 2), false).is_err());
        assert!(check(&resealed(good.clone(), 26, 7), false).is_err());
        assert!(check(&resealed(good.clone(), 16, 1), false).is_err());
        assert!(check(&resealed(good.clone(), 61, 2), false).is_err());
        assert!(check(&good[..good.len() - 1], false).is_err());
        let mut longer = good;
        longer.push(0);
        assert!(check(&longer, false).is_err());
    }

    #[test]
    fn a_compressed_batch_that_lies_about_its_count_is_seen_when_read_deeply() {
        let good = batch(CompressionType::Lz4);
        let two = resealed(resealed(good, 60, 2), 26, 1);
        assert!(check(&two, false).is_ok());
        assert!(check(&two, true).is_err());
    }
}
