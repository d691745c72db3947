//! Record batches byte by byte, sound ones and broken ones. Nothing is shared with the builder of
//! `downpour-wire`, which refuses to make most of these.

use downpour_wire::crc::crc32c;

/// One record.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    pub(crate) offset_delta: Option<i64>,
    pub(crate) timestamp_delta: i64,
    pub(crate) key: Option<Vec<u8>>,
    pub(crate) value: Option<Vec<u8>>,
    pub(crate) headers: Vec<(String, Option<Vec<u8>>)>,
}

/// A record with a key and a value.
pub(crate) fn row(key: &str, value: &str) -> Row {
    Row {
        offset_delta: None,
        timestamp_delta: 0,
        key: Some(key.into()),
        value: Some(value.into()),
        headers: Vec::new(),
    }
}

/// A batch; what is `None` follows from the records.
#[derive(Debug, Clone)]
pub(crate) struct Batch {
    pub(crate) base_offset: i64,
    pub(crate) leader_epoch: i32,
    pub(crate) length: Option<i32>,
    pub(crate) magic: u8,
    pub(crate) crc: Option<u32>,
    pub(crate) attributes: i16,
    pub(crate) last_offset_delta: Option<i32>,
    pub(crate) base_timestamp: i64,
    pub(crate) max_timestamp: Option<i64>,
    pub(crate) producer_id: i64,
    pub(crate) producer_epoch: i16,
    pub(crate) base_sequence: i32,
    pub(crate) count: Option<i32>,
    pub(crate) rows: Vec<Row>,
    /// The records as they are to stand there, whatever `rows` says.
    pub(crate) payload: Option<Vec<u8>>,
}

impl Batch {
    /// A sound batch of these records, without a producer.
    pub(crate) fn of(time_ms: i64, rows: Vec<Row>) -> Self {
        Self {
            base_offset: 0,
            leader_epoch: -1,
            length: None,
            magic: 2,
            crc: None,
            attributes: 0,
            last_offset_delta: None,
            base_timestamp: time_ms,
            max_timestamp: None,
            producer_id: -1,
            producer_epoch: -1,
            base_sequence: -1,
            count: None,
            rows,
            payload: None,
        }
    }

    /// The same by a producer.
    pub(crate) fn stamped(mut self, id: i64, epoch: i16, sequence: i32) -> Self {
        (self.producer_id, self.producer_epoch, self.base_sequence) = (id, epoch, sequence);
        self
    }

    /// The same, changed.
    pub(crate) fn with(mut self, change: impl FnOnce(&mut Self)) -> Self {
        change(&mut self);
        self
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        let records = self.payload.clone().unwrap_or_else(|| self.records());
        let count = i32::try_from(self.rows.len()).unwrap();
        let latest = self.rows.iter().map(|row| row.timestamp_delta).max();
        let mut checked = Vec::new();
        checked.extend(self.attributes.to_be_bytes());
        checked.extend(self.last_offset_delta.unwrap_or(count - 1).to_be_bytes());
        checked.extend(self.base_timestamp.to_be_bytes());
        let max = self.base_timestamp.saturating_add(latest.unwrap_or(0));
        checked.extend(self.max_timestamp.unwrap_or(max).to_be_bytes());
        checked.extend(self.producer_id.to_be_bytes());
        checked.extend(self.producer_epoch.to_be_bytes());
        checked.extend(self.base_sequence.to_be_bytes());
        checked.extend(self.count.unwrap_or(count).to_be_bytes());
        checked.extend(records);
        let mut bytes = self.base_offset.to_be_bytes().to_vec();
        let length = i32::try_from(checked.len() + 9).unwrap();
        bytes.extend(self.length.unwrap_or(length).to_be_bytes());
        bytes.extend(self.leader_epoch.to_be_bytes());
        bytes.push(self.magic);
        bytes.extend(self.crc.unwrap_or_else(|| crc32c(&checked)).to_be_bytes());
        bytes.extend(checked);
        bytes
    }

    /// The records as they stand in an uncompressed batch.
    pub(crate) fn records(&self) -> Vec<u8> {
        let mut out = Vec::new();
        for (place, row) in (0..).zip(&self.rows) {
            let mut body = vec![0];
            varint(&mut body, row.timestamp_delta);
            varint(&mut body, row.offset_delta.unwrap_or(place));
            nullable(&mut body, row.key.as_deref());
            nullable(&mut body, row.value.as_deref());
            varint(&mut body, row.headers.len() as i64);
            for (name, value) in &row.headers {
                nullable(&mut body, Some(name.as_bytes()));
                nullable(&mut body, value.as_deref());
            }
            varint(&mut out, body.len() as i64);
            out.extend(body);
        }
        out
    }
}

fn nullable(out: &mut Vec<u8>, bytes: Option<&[u8]>) {
    varint(out, bytes.map_or(-1, |bytes| bytes.len() as i64));
    out.extend(bytes.unwrap_or_default());
}

/// A zigzag varint.
fn varint(out: &mut Vec<u8>, value: i64) {
    let mut rest = ((value << 1) ^ (value >> 63)) as u64;
    while rest >= 0x80 {
        out.push((rest & 0x7f) as u8 | 0x80);
        rest >>= 7;
    }
    out.push(rest as u8);
}

/// A message set of one message in the formats before batches: magic 0 or 1.
pub(crate) fn message(magic: u8, time_ms: i64) -> Vec<u8> {
    let mut checked = vec![magic, 0];
    if magic == 1 {
        checked.extend(time_ms.to_be_bytes());
    }
    for bytes in [b"k", b"v"] {
        checked.extend(1_i32.to_be_bytes());
        checked.extend(bytes);
    }
    let mut set = 0_i64.to_be_bytes().to_vec();
    set.extend(i32::try_from(checked.len() + 4).unwrap().to_be_bytes());
    set.extend(crc32(&checked).to_be_bytes());
    set.extend(checked);
    set
}

/// The older checksum, bit by bit.
fn crc32(bytes: &[u8]) -> u32 {
    let mut crc = u32::MAX;
    for byte in bytes {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = (crc >> 1) ^ (0xedb8_8320 & 0_u32.wrapping_sub(crc & 1));
        }
    }
    !crc
}
