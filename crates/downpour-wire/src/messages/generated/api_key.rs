//! Which requests there are, and in which versions. Written by `cargo xtask messages`: what is changed here by hand is lost.

/// A request that this crate reads and writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
#[repr(i16)]
pub enum ApiKey {
    /// Writes record batches, one per partition.
    Produce = 0,
    /// Asks for record batches from offsets on.
    Fetch = 1,
    /// Asks for offsets by timestamp.
    ListOffsets = 2,
    /// Asks for brokers, topics and leaders.
    Metadata = 3,
    /// Asks who coordinates a transactional id or a group.
    FindCoordinator = 10,
    /// Names the mechanism that the client will authenticate with.
    SaslHandshake = 17,
    /// Asks which requests a broker understands.
    ApiVersions = 18,
    /// Asks for new topics.
    CreateTopics = 19,
    /// Asks for a producer id and epoch.
    InitProducerId = 22,
    /// Adds partitions to a transaction, before the first batch goes to them.
    AddPartitionsToTxn = 24,
    /// Adds a consumer group's offsets to a transaction.
    AddOffsetsToTxn = 25,
    /// Commits or aborts a transaction.
    EndTxn = 26,
    /// Commits a consumer group's offsets as part of a transaction.
    TxnOffsetCommit = 28,
    /// One step of the client's authentication.
    SaslAuthenticate = 36,
}

impl ApiKey {
    /// In ascending order.
    pub const ALL: &[Self] = &[
        Self::Produce,
        Self::Fetch,
        Self::ListOffsets,
        Self::Metadata,
        Self::FindCoordinator,
        Self::SaslHandshake,
        Self::ApiVersions,
        Self::CreateTopics,
        Self::InitProducerId,
        Self::AddPartitionsToTxn,
        Self::AddOffsetsToTxn,
        Self::EndTxn,
        Self::TxnOffsetCommit,
        Self::SaslAuthenticate,
    ];

    /// The lowest and highest version that this crate reads and writes.
    #[must_use]
    pub const fn versions(self) -> (i16, i16) {
        match self {
            Self::Produce => (3, 13),
            Self::Fetch => (4, 12),
            Self::ListOffsets => (1, 7),
            Self::Metadata => (1, 13),
            Self::FindCoordinator => (0, 6),
            Self::SaslHandshake => (0, 1),
            Self::ApiVersions => (0, 4),
            Self::CreateTopics => (2, 7),
            Self::InitProducerId => (0, 5),
            Self::AddPartitionsToTxn => (0, 3),
            Self::AddOffsetsToTxn => (0, 4),
            Self::EndTxn => (0, 5),
            Self::TxnOffsetCommit => (0, 5),
            Self::SaslAuthenticate => (0, 2),
        }
    }

    /// The first version with compact lengths and tagged fields (KIP-482), request and response
    /// alike; the highest number if there is none.
    #[must_use]
    pub const fn first_flexible(self) -> i16 {
        match self {
            Self::Produce => 9,
            Self::Fetch => 12,
            Self::ListOffsets => 6,
            Self::Metadata => 9,
            Self::FindCoordinator => 3,
            Self::SaslHandshake => i16::MAX,
            Self::ApiVersions => 3,
            Self::CreateTopics => 5,
            Self::InitProducerId => 2,
            Self::AddPartitionsToTxn => 3,
            Self::AddOffsetsToTxn => 3,
            Self::EndTxn => 3,
            Self::TxnOffsetCommit => 3,
            Self::SaslAuthenticate => 2,
        }
    }
}
