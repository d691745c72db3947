//! Where the fields of a batch header lie, and what a stamp puts there.
//! Writing them is `body`'s, reading them `view`'s.

/// The bytes of a batch before its records.
pub const HEADER_LEN: usize = 61;

/// The only record format that exists since Kafka 0.11.
pub(super) const MAGIC: u8 = 2;
/// The bytes that the length field does not count: base offset and the field itself.
pub(super) const LENGTH_EXCLUDES: usize = 12;
/// Where the length lies.
pub(super) const LENGTH_AT: usize = 8;
/// Where the partition leader's epoch lies.
pub(super) const LEADER_EPOCH_AT: usize = 12;
/// Where the magic lies.
pub(super) const MAGIC_AT: usize = 16;
/// Where the checksum lies.
pub(super) const CRC_AT: usize = 17;
/// Where the attributes lie, and with them the bytes that the checksum covers begin.
pub(super) const ATTRIBUTES_AT: usize = 21;
/// Where the last offset delta lies.
pub(super) const LAST_OFFSET_DELTA_AT: usize = 23;
/// Where the first record's timestamp lies.
pub(super) const BASE_TIMESTAMP_AT: usize = 27;
/// Where the largest timestamp lies.
pub(super) const MAX_TIMESTAMP_AT: usize = 35;
/// Where the producer id lies.
pub(super) const PRODUCER_ID_AT: usize = 43;
/// Where the producer epoch lies.
pub(super) const PRODUCER_EPOCH_AT: usize = 51;
/// Where the first record's sequence lies.
pub(super) const BASE_SEQUENCE_AT: usize = 53;
/// Where the number of records lies.
pub(super) const COUNT_AT: usize = 57;

/// Set when the batch belongs to a transaction.
pub(super) const TRANSACTIONAL: i16 = 1 << 4;

/// The fewest bytes a header can take: an empty name and a null value.
pub(super) const RECORD_HEADER_LEN_MIN: usize = 2;
/// The most bytes a body can take, so that the batch length fits its field.
pub(super) const BODY_LEN_MAX: usize = i32::MAX as usize - HEADER_LEN;

/// What an attempt to send a batch writes into its header.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Stamp {
    /// The producer id, or -1.
    pub producer_id: i64,
    /// The producer's epoch, or -1.
    pub producer_epoch: i16,
    /// The first record's sequence, or -1.
    pub base_sequence: i32,
    /// Whether the batch belongs to a transaction.
    pub transactional: bool,
}

impl Stamp {
    /// The stamp of a producer without idempotence.
    pub const NONE: Self = Self {
        producer_id: -1,
        producer_epoch: -1,
        base_sequence: -1,
        transactional: false,
    };
}

impl Default for Stamp {
    fn default() -> Self {
        Self::NONE
    }
}
