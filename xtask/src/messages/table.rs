//! Which of Kafka's messages downpour has, in which versions and under which names. What they look
//! like is said by Kafka's definitions.

/// A request and its response.
pub(super) struct Api {
    /// Kafka's name for it: `Fetch` is `FetchRequest` and `FetchResponse`.
    pub(super) name: &'static str,
    /// The lowest and highest version that downpour speaks.
    pub(super) versions: (i16, i16),
    pub(super) side: Side,
    /// What is said of the request and of the response in their documentation.
    pub(super) about: (&'static str, &'static str),
    /// Other names for structs and fields, by Kafka's. Structs of all messages lie in one module, so
    /// each needs a name that says whose it is.
    pub(super) renamed: &'static [(&'static str, &'static str)],
    /// Tagged fields that are skipped like unknown ones, by Kafka's name.
    pub(super) skipped: &'static [&'static str],
}

impl Api {
    /// Whether a producer reads its answers.
    pub(super) fn is_read(&self) -> bool {
        matches!(self.side, Side::Producer)
    }
}

/// Who says it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    /// A producer; what the other side needs is behind the feature `broker`.
    Producer,
    /// Consumers and tools only: all of it is behind that feature.
    Others,
}

const fn api(
    name: &'static str,
    versions: (i16, i16),
    side: Side,
    about: (&'static str, &'static str),
) -> Api {
    Api {
        name,
        versions,
        side,
        about,
        renamed: &[],
        skipped: &[],
    }
}

/// In the order of their keys.
pub(super) const APIS: &[Api] = &[
    // The producer's own path writes requests without copying: `frame/produce.rs`.
    Api {
        renamed: &[
            ("TopicData", "Topics"),
            ("TopicProduceData", "ProduceTopic"),
            ("PartitionData", "Partitions"),
            ("PartitionProduceData", "ProducePartition"),
            ("Responses", "Topics"),
            ("PartitionResponses", "Partitions"),
            ("BatchIndexAndErrorMessage", "RecordError"),
            ("BatchIndexErrorMessage", "Message"),
        ],
        ..api(
            "Produce",
            (3, 13),
            Side::Producer,
            (
                "Writes record batches, one per partition.",
                "What became of each batch.",
            ),
        )
    },
    Api {
        renamed: &[
            ("ForgottenTopicsData", "ForgottenTopics"),
            ("Responses", "Topics"),
            ("FetchableTopicResponse", "FetchTopicResponse"),
            ("PartitionData", "FetchPartitionResponse"),
            ("LeaderIdAndEpoch", "FetchLeader"),
        ],
        // Only followers say and hear these.
        skipped: &["ClusterId", "DivergingEpoch", "SnapshotId"],
        ..api(
            "Fetch",
            (4, 12),
            Side::Others,
            (
                "Asks for record batches from offsets on.",
                "Record batches, the last of each partition perhaps cut off.",
            ),
        )
    },
    api(
        "ListOffsets",
        (1, 7),
        Side::Others,
        ("Asks for offsets by timestamp.", "The offsets found."),
    ),
    Api {
        renamed: &[
            ("MetadataResponseBroker", "MetadataBroker"),
            ("MetadataResponseTopic", "MetadataTopic"),
            ("MetadataResponsePartition", "MetadataPartition"),
        ],
        ..api(
            "Metadata",
            (1, 13),
            Side::Producer,
            (
                "Asks for brokers, topics and leaders.",
                "What a broker knows about the cluster.",
            ),
        )
    },
    api(
        "FindCoordinator",
        (0, 6),
        Side::Producer,
        (
            "Asks who coordinates a transactional id or a group.",
            "Who coordinates it.",
        ),
    ),
    api(
        "SaslHandshake",
        (0, 1),
        Side::Producer,
        (
            "Names the mechanism that the client will authenticate with.",
            "Which mechanisms the broker has.",
        ),
    ),
    Api {
        renamed: &[
            ("SupportedFeatureKey", "SupportedFeature"),
            ("FinalizedFeatureKey", "FinalizedFeature"),
        ],
        ..api(
            "ApiVersions",
            (0, 4),
            Side::Producer,
            (
                "Asks which requests a broker understands.",
                "Which requests a broker understands.",
            ),
        )
    },
    Api {
        renamed: &[
            ("CreatableReplicaAssignment", "ReplicaAssignment"),
            ("CreatableTopicConfigs", "TopicConfigResult"),
        ],
        ..api(
            "CreateTopics",
            (2, 7),
            Side::Others,
            ("Asks for new topics.", "Which topics were created."),
        )
    },
    api(
        "InitProducerId",
        (0, 5),
        Side::Producer,
        (
            "Asks for a producer id and epoch.",
            "A producer id and epoch.",
        ),
    ),
    // Versions from 4 are spoken among brokers only.
    Api {
        renamed: &[
            ("V3AndBelowTransactionalId", "TransactionalId"),
            ("V3AndBelowProducerId", "ProducerId"),
            ("V3AndBelowProducerEpoch", "ProducerEpoch"),
            ("V3AndBelowTopics", "Topics"),
            ("ResultsByTopicV3AndBelow", "ResultsByTopic"),
        ],
        ..api(
            "AddPartitionsToTxn",
            (0, 3),
            Side::Producer,
            (
                "Adds partitions to a transaction, before the first batch goes to them.",
                "Which partitions were added.",
            ),
        )
    },
    api(
        "AddOffsetsToTxn",
        (0, 4),
        Side::Producer,
        (
            "Adds a consumer group's offsets to a transaction.",
            "Whether they were added.",
        ),
    ),
    api(
        "EndTxn",
        (0, 5),
        Side::Producer,
        (
            "Commits or aborts a transaction.",
            "Whether the transaction is being ended as asked.",
        ),
    ),
    api(
        "TxnOffsetCommit",
        (0, 5),
        Side::Producer,
        (
            "Commits a consumer group's offsets as part of a transaction.",
            "Which offsets were taken.",
        ),
    ),
    api(
        "SaslAuthenticate",
        (0, 2),
        Side::Producer,
        (
            "One step of the client's authentication.",
            "The broker's answer to one step.",
        ),
    ),
];
