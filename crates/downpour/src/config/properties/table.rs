//! The names that work, or work with some values. Those that share one answer are in `groups`.
//!
//! Only names and answers; values are read in `values`.

use super::groups::{NO_CALLBACKS, NO_TRANSACTIONS};
use super::refusal::Not::{self, Harmless, Refused};
use super::row::Answer::{self, Bool, Millis, Number, Only, Servers, SocketBuffer, Text, Works};
use super::row::{Row, row};
use super::values::{
    acks, any_level, codec, family, gzip_level, idle, ignore_keys, kilobytes_of_memory, linger,
    message_timeout, messages, partitioner, partitioner_class, refresh, retries, security_protocol,
    zstd_level,
};

/// All names that have a row of their own.
pub(super) const ROWS: &[&[Row]] = &[
    CORE,
    TIMES,
    BATCHING,
    PARTITIONING,
    NETWORK,
    METADATA,
    SECURITY,
    OTHERS,
];

const CORE: &[Row] = &[
    row("bootstrap.servers", Servers(|d| &mut d.bootstrap)),
    row("metadata.broker.list", Servers(|d| &mut d.bootstrap)),
    row("client.id", Text(|d| &mut d.client_id)),
    row("acks", Works(acks, "acks")),
    row("request.required.acks", Works(acks, "acks")),
    row("enable.idempotence", Bool(|d| &mut d.idempotence)),
    row("retries", Works(retries, "retries")),
    row("message.send.max.retries", Works(retries, "retries")),
    row(
        "max.in.flight.requests.per.connection",
        Number(|d| &mut d.max_in_flight),
    ),
    row("max.in.flight", Number(|d| &mut d.max_in_flight)),
    row("key.serializer", BYTES_ONLY),
    row("value.serializer", BYTES_ONLY),
];

const BYTES_ONLY: Answer = Only(
    &[
        "org.apache.kafka.common.serialization.ByteArraySerializer",
        "org.apache.kafka.common.serialization.ByteBufferSerializer",
        "org.apache.kafka.common.serialization.BytesSerializer",
        "org.apache.kafka.common.serialization.StringSerializer",
    ],
    Refused(
        "keys and values are bytes here",
        "turn them into bytes before they go into a Record",
    ),
);

const TIMES: &[Row] = &[
    row("delivery.timeout.ms", Millis(|d| &mut d.delivery_timeout)),
    row(
        "message.timeout.ms",
        Works(message_timeout, "delivery_timeout"),
    ),
    row("request.timeout.ms", Millis(|d| &mut d.request_timeout)),
    row("socket.timeout.ms", Millis(|d| &mut d.request_timeout)),
    row("max.block.ms", Millis(|d| &mut d.max_block)),
    row("metadata.fetch.timeout.ms", Millis(|d| &mut d.max_block)),
    row("timeout.ms", Millis(|d| &mut d.request_timeout)),
    row("retry.backoff.ms", Millis(|d| &mut d.retry_backoff)),
    row("retry.backoff.max.ms", Millis(|d| &mut d.retry_backoff_max)),
    row("reconnect.backoff.ms", Millis(|d| &mut d.reconnect_backoff)),
    row(
        "reconnect.backoff.max.ms",
        Millis(|d| &mut d.reconnect_backoff_max),
    ),
];

const BATCHING: &[Row] = &[
    row("batch.size", Number(|d| &mut d.batch_size)),
    row("batch.num.messages", Number(|d| &mut d.batch_records)),
    row("linger.ms", Works(linger, "linger")),
    row("queue.buffering.max.ms", Works(linger, "linger")),
    row("buffer.memory", Number(|d| &mut d.buffer_memory)),
    row(
        "queue.buffering.max.kbytes",
        Works(kilobytes_of_memory, "buffer_memory"),
    ),
    row(
        "queue.buffering.max.messages",
        Works(messages, "buffer_records"),
    ),
    row(
        "buffer.memory.allocation.strategy",
        Only(
            &["incremental"],
            Harmless("memory is always taken in chunks as records arrive"),
        ),
    ),
    row("max.request.size", Number(|d| &mut d.record_max)),
    row("message.max.bytes", Number(|d| &mut d.record_max)),
    row("compression.type", Works(codec, "compression")),
    row("compression.codec", Works(codec, "compression")),
    row("compression.gzip.level", Works(gzip_level, "compression")),
    row("compression.zstd.level", Works(zstd_level, "compression")),
    row("compression.level", Works(any_level, "compression")),
    row(
        "block.on.buffer.full",
        Only(
            &["true"],
            Refused(
                "a send waits for memory for at most max.block.ms",
                "use try_send, which does not wait",
            ),
        ),
    ),
    row(
        "queuing.strategy",
        Only(
            &["fifo"],
            Refused(
                "records of a partition leave in their order",
                "leave it out, or say fifo",
            ),
        ),
    ),
];

const PARTITIONING: &[Row] = &[
    row("partitioner", Works(partitioner, "partitioner")),
    row("partitioner.class", Works(partitioner_class, "partitioner")),
    row("partitioner.ignore.keys", Works(ignore_keys, "partitioner")),
    row(
        "partitioner.adaptive.partitioning.enable",
        Only(
            &["false"],
            Harmless("records without a key are spread evenly by bytes"),
        ),
    ),
    row(
        "partitioner.availability.timeout.ms",
        Only(
            &["0"],
            Harmless("brokers that do not answer for a second are avoided"),
        ),
    ),
    row("partitioner.rack.aware", Only(&["false"], NO_RACKS)),
    row("client.rack", Only(&[""], NO_RACKS)),
];

const NO_RACKS: Not = Harmless("racks are not looked at");

const NETWORK: &[Row] = &[
    row("send.buffer.bytes", SocketBuffer(|d| &mut d.send_buffer)),
    row(
        "socket.send.buffer.bytes",
        SocketBuffer(|d| &mut d.send_buffer),
    ),
    row(
        "receive.buffer.bytes",
        SocketBuffer(|d| &mut d.receive_buffer),
    ),
    row(
        "socket.receive.buffer.bytes",
        SocketBuffer(|d| &mut d.receive_buffer),
    ),
    row("socket.keepalive.enable", Bool(|d| &mut d.keepalive)),
    row(
        "socket.nagle.disable",
        Only(&["true"], Harmless("requests always leave at once")),
    ),
    row("connections.max.idle.ms", Works(idle, "idle_timeout")),
    row(
        "socket.connection.setup.timeout.ms",
        Millis(|d| &mut d.connect_timeout),
    ),
    row("receive.message.max.bytes", Number(|d| &mut d.response_max)),
    row("broker.address.family", Works(family, "address_family")),
    row(
        "client.dns.lookup",
        Only(
            &["use_all_dns_ips", "default"],
            Refused(
                "every address that a name resolves to is tried, and no name is looked up for it",
                "leave it out, or list canonical names in bootstrap.servers",
            ),
        ),
    ),
    row(
        "api.version.request",
        Only(
            &["true"],
            Refused(
                "brokers are always asked for the versions that they speak",
                "leave it out, or say true; brokers before Kafka 1.0 are not spoken to",
            ),
        ),
    ),
];

const METADATA: &[Row] = &[
    row("metadata.max.age.ms", Millis(|d| &mut d.metadata_max_age)),
    row("metadata.max.idle.ms", Millis(|d| &mut d.metadata_max_idle)),
    row(
        "topic.metadata.refresh.interval.ms",
        Works(refresh, "metadata_max_age"),
    ),
    row(
        "topic.metadata.propagation.max.ms",
        Millis(|d| &mut d.unknown_topic_timeout),
    ),
    row(
        "allow.auto.create.topics",
        Bool(|d| &mut d.auto_create_topics),
    ),
    row(
        "metadata.recovery.strategy",
        Only(
            &["rebootstrap"],
            Refused(
                "a producer that lost every broker asks the bootstrap addresses again",
                "leave it out, or say rebootstrap",
            ),
        ),
    ),
    row(
        "metadata.cluster.check.enable",
        Only(
            &["false"],
            Refused(
                "the check needs a version of ApiVersions that is not spoken here yet",
                "leave it out, or say false; `fail_on_data_loss` of the builder makes an error of a gap \
                 that a broker left",
            ),
        ),
    ),
];

const SECURITY: &[Row] = &[
    row(
        "security.protocol",
        Works(security_protocol, "(only PLAINTEXT)"),
    ),
    row(
        "transaction.two.phase.commit.enable",
        Only(&["false"], NO_TRANSACTIONS),
    ),
    row(
        "internal.auto.downgrade.txn.commit",
        Only(&["false"], NO_TRANSACTIONS),
    ),
];

const OTHERS: &[Row] = &[
    row(
        "enable.gapless.guarantee",
        Only(
            &["false"],
            Refused(
                "a failed batch does not stop the producer; the batches after it go on",
                "leave it out, or say false",
            ),
        ),
    ),
    row(
        "statistics.interval.ms",
        Only(
            &["0"],
            Harmless("nothing is called with statistics; ask Producer::statistics"),
        ),
    ),
    row(
        "enable.metrics.push",
        Only(&["false"], Harmless("metrics are not pushed to brokers")),
    ),
    row("interceptor.classes", Only(&[""], NO_CALLBACKS)),
    row(
        "delivery.report.only.error",
        Only(&["false"], Harmless("every record has a handle of its own")),
    ),
    row(
        "produce.offset.report",
        Only(&["true"], Harmless("reports always have the offset")),
    ),
];
