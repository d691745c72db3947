//! The names: Java's producer settings, and librdkafka's words for what people set most.
//!
//! Only names and answers; values are read in `row`.

use super::row::{
    Answer, Row, acks, codec, gzip_level, idle, kilobytes_of_memory, linger, partitioner_class,
    recovery, retries, row, security_protocol, zstd_level,
};
use Answer::{Bool, Bytes, Millis, NotHere, Only, SocketBuffer, Text, Works};

/// All names.
pub(super) const ROWS: &[&[Row]] = &[
    CORE,
    BATCHING,
    PARTITIONING,
    NETWORK,
    TRANSACTIONS,
    OBSERVATION,
    SECURITY,
    SASL_DETAILS,
    LIBRDKAFKA,
];

const BYTES_ONLY: Answer = NotHere(
    "keys and values are bytes here",
    "turn them into bytes before they go into a Record",
);

const CORE: &[Row] = &[
    row("bootstrap.servers", Text(|d| &mut d.bootstrap)),
    row("client.id", Text(|d| &mut d.client_id)),
    row("acks", Works(acks)),
    row("retries", Works(retries)),
    row("enable.idempotence", Bool(|d| &mut d.idempotence)),
    row(
        "max.in.flight.requests.per.connection",
        Bytes(|d| &mut d.max_in_flight),
    ),
    row("delivery.timeout.ms", Millis(|d| &mut d.delivery_timeout)),
    row("request.timeout.ms", Millis(|d| &mut d.request_timeout)),
    row("max.block.ms", Millis(|d| &mut d.max_block)),
    row("retry.backoff.ms", Millis(|d| &mut d.retry_backoff)),
    row("retry.backoff.max.ms", Millis(|d| &mut d.retry_backoff_max)),
    row("reconnect.backoff.ms", Millis(|d| &mut d.reconnect_backoff)),
    row(
        "reconnect.backoff.max.ms",
        Millis(|d| &mut d.reconnect_backoff_max),
    ),
    row("key.serializer", BYTES_ONLY),
    row("value.serializer", BYTES_ONLY),
];

const BATCHING: &[Row] = &[
    row("batch.size", Bytes(|d| &mut d.batch_size)),
    row("linger.ms", Works(linger)),
    row("buffer.memory", Bytes(|d| &mut d.buffer_memory)),
    row(
        "buffer.memory.allocation.strategy",
        Only(
            &["incremental"],
            "memory is always taken in chunks as records arrive",
            "leave it out, or say incremental",
        ),
    ),
    row("max.request.size", Bytes(|d| &mut d.record_max)),
    row("compression.type", Works(codec)),
    row("compression.gzip.level", Works(gzip_level)),
    row(
        "compression.lz4.level",
        NotHere(
            "LZ4's higher levels exist in C only; this one is always the fast one",
            "leave it out, or use zstd for smaller batches",
        ),
    ),
    row("compression.zstd.level", Works(zstd_level)),
];

const PARTITIONING: &[Row] = &[
    row("partitioner.class", Works(partitioner_class)),
    row(
        "partitioner.adaptive.partitioning.enable",
        Only(
            &["false"],
            "records without a key are spread evenly by bytes, whatever a broker's load",
            "leave it out, or say false",
        ),
    ),
    row(
        "partitioner.availability.timeout.ms",
        Only(
            &["0"],
            "partitions without a leader are passed over at once, slow ones are not",
            "leave it out, or say 0",
        ),
    ),
    row(
        "partitioner.ignore.keys",
        Only(
            &["false"],
            "a record's key always counts",
            "pass a Partitioner that answers Choice::Sticky to ProducerBuilder::partitioner",
        ),
    ),
    row(
        "partitioner.rack.aware",
        Only(
            &["false"],
            "racks are not looked at",
            "leave it out, or say false",
        ),
    ),
    row(
        "client.rack",
        Only(&[""], "racks are not looked at", "leave it out"),
    ),
];

const NETWORK: &[Row] = &[
    row("metadata.max.age.ms", Millis(|d| &mut d.metadata_max_age)),
    row(
        "metadata.max.idle.ms",
        NotHere("topics that were used once stay known", "leave it out"),
    ),
    row(
        "client.dns.lookup",
        Only(
            &["use_all_dns_ips"],
            "every address that a name resolves to is tried",
            "leave it out, or list canonical names in bootstrap.servers",
        ),
    ),
    row(
        "bootstrap.resolve.timeout.ms",
        Only(
            &["0"],
            "names are resolved again with every attempt to connect",
            "use max.block.ms to bound the wait",
        ),
    ),
    row("metadata.recovery.strategy", Works(recovery)),
    row(
        "metadata.recovery.rebootstrap.trigger.ms",
        NotHere(
            "the bootstrap addresses are asked again as soon as no known broker answers",
            "leave it out",
        ),
    ),
    row(
        "metadata.cluster.check.enable",
        Only(
            &["false"],
            "the check needs a version of ApiVersions that is not spoken here yet",
            "leave it out, or say false",
        ),
    ),
    row("send.buffer.bytes", SocketBuffer(|d| &mut d.send_buffer)),
    row(
        "receive.buffer.bytes",
        SocketBuffer(|d| &mut d.receive_buffer),
    ),
    row("connections.max.idle.ms", Works(idle)),
    row(
        "socket.connection.setup.timeout.ms",
        Millis(|d| &mut d.connect_timeout),
    ),
    row(
        "socket.connection.setup.timeout.max.ms",
        NotHere(
            "the time that a connection may take does not grow",
            "set socket.connection.setup.timeout.ms to the longest",
        ),
    ),
];

const NO_TRANSACTIONS: Answer = NotHere(
    "there are no transactions yet",
    "idempotence keeps each partition free of duplicates",
);

const TRANSACTIONS: &[Row] = &[
    row("transactional.id", NO_TRANSACTIONS),
    row("transaction.timeout.ms", NO_TRANSACTIONS),
    row(
        "transaction.two.phase.commit.enable",
        Only(&["false"], "there are no transactions yet", "leave it out"),
    ),
];

const NO_METRICS: Answer = NotHere(
    "there are no JMX metrics",
    "watch the tracing lines of the target downpour",
);
const NO_CLASSES: Answer = NotHere(
    "Java classes cannot be loaded",
    "do the same in Rust around the producer",
);

const OBSERVATION: &[Row] = &[
    row(
        "enable.metrics.push",
        Only(
            &["false"],
            "metrics are not pushed to brokers",
            "leave it out, or say false",
        ),
    ),
    row("metric.reporters", NO_METRICS),
    row("metrics.num.samples", NO_METRICS),
    row("metrics.sample.window.ms", NO_METRICS),
    row("metrics.recording.level", NO_METRICS),
    row("auto.include.jmx.reporter", NO_METRICS),
    row("interceptor.classes", NO_CLASSES),
    row("config.providers", NO_CLASSES),
];

const NO_TLS: Answer = NotHere(
    "there is no TLS yet",
    "use a PLAINTEXT listener, or a TLS tunnel in front of one",
);
const NO_SASL: Answer = NotHere(
    "there is no SASL yet",
    "use a listener without authentication",
);

const SECURITY: &[Row] = &[
    row("security.protocol", Works(security_protocol)),
    row("security.providers", NO_CLASSES),
    row("ssl.protocol", NO_TLS),
    row("ssl.enabled.protocols", NO_TLS),
    row("ssl.provider", NO_TLS),
    row("ssl.cipher.suites", NO_TLS),
    row("ssl.keystore.type", NO_TLS),
    row("ssl.keystore.location", NO_TLS),
    row("ssl.keystore.password", NO_TLS),
    row("ssl.keystore.key", NO_TLS),
    row("ssl.keystore.certificate.chain", NO_TLS),
    row("ssl.key.password", NO_TLS),
    row("ssl.truststore.type", NO_TLS),
    row("ssl.truststore.location", NO_TLS),
    row("ssl.truststore.password", NO_TLS),
    row("ssl.truststore.certificates", NO_TLS),
    row("ssl.endpoint.identification.algorithm", NO_TLS),
    row("ssl.keymanager.algorithm", NO_TLS),
    row("ssl.trustmanager.algorithm", NO_TLS),
    row("ssl.secure.random.implementation", NO_TLS),
    row("ssl.engine.factory.class", NO_TLS),
    row("sasl.mechanism", NO_SASL),
    row("sasl.jaas.config", NO_SASL),
    row("sasl.client.callback.handler.class", NO_SASL),
    row("sasl.login.callback.handler.class", NO_SASL),
    row("sasl.login.class", NO_SASL),
    row("sasl.kerberos.service.name", NO_SASL),
    row("sasl.kerberos.kinit.cmd", NO_SASL),
    row("sasl.kerberos.ticket.renew.window.factor", NO_SASL),
    row("sasl.kerberos.ticket.renew.jitter", NO_SASL),
    row("sasl.kerberos.min.time.before.relogin", NO_SASL),
];

const SASL_DETAILS: &[Row] = &[
    row("sasl.login.refresh.window.factor", NO_SASL),
    row("sasl.login.refresh.window.jitter", NO_SASL),
    row("sasl.login.refresh.min.period.seconds", NO_SASL),
    row("sasl.login.refresh.buffer.seconds", NO_SASL),
    row("sasl.login.connect.timeout.ms", NO_SASL),
    row("sasl.login.read.timeout.ms", NO_SASL),
    row("sasl.login.retry.backoff.ms", NO_SASL),
    row("sasl.login.retry.backoff.max.ms", NO_SASL),
    row("sasl.oauthbearer.token.endpoint.url", NO_SASL),
    row("sasl.oauthbearer.jwks.endpoint.url", NO_SASL),
    row("sasl.oauthbearer.jwks.endpoint.refresh.ms", NO_SASL),
    row("sasl.oauthbearer.jwks.endpoint.retry.backoff.ms", NO_SASL),
    row(
        "sasl.oauthbearer.jwks.endpoint.retry.backoff.max.ms",
        NO_SASL,
    ),
    row("sasl.oauthbearer.scope.claim.name", NO_SASL),
    row("sasl.oauthbearer.sub.claim.name", NO_SASL),
    row("sasl.oauthbearer.clock.skew.seconds", NO_SASL),
    row("sasl.oauthbearer.expected.audience", NO_SASL),
    row("sasl.oauthbearer.expected.issuer", NO_SASL),
    row("sasl.oauthbearer.header.urlencode", NO_SASL),
    row("sasl.oauthbearer.jwt.retriever.class", NO_SASL),
    row("sasl.oauthbearer.jwt.validator.class", NO_SASL),
    row("sasl.oauthbearer.client.credentials.client.id", NO_SASL),
    row("sasl.oauthbearer.client.credentials.client.secret", NO_SASL),
    row("sasl.oauthbearer.scope", NO_SASL),
    row("sasl.oauthbearer.assertion.algorithm", NO_SASL),
    row("sasl.oauthbearer.assertion.claim.aud", NO_SASL),
    row("sasl.oauthbearer.assertion.claim.exp.seconds", NO_SASL),
    row("sasl.oauthbearer.assertion.claim.iss", NO_SASL),
    row("sasl.oauthbearer.assertion.claim.jti.include", NO_SASL),
    row("sasl.oauthbearer.assertion.claim.nbf.seconds", NO_SASL),
    row("sasl.oauthbearer.assertion.claim.sub", NO_SASL),
    row("sasl.oauthbearer.assertion.file", NO_SASL),
    row("sasl.oauthbearer.assertion.private.key.file", NO_SASL),
    row("sasl.oauthbearer.assertion.private.key.passphrase", NO_SASL),
    row("sasl.oauthbearer.assertion.template.file", NO_SASL),
];

/// librdkafka's words. Where it shares Java's, the row is above.
const LIBRDKAFKA: &[Row] = &[
    row("metadata.broker.list", Text(|d| &mut d.bootstrap)),
    row("request.required.acks", Works(acks)),
    row("queue.buffering.max.ms", Works(linger)),
    row("queue.buffering.max.kbytes", Works(kilobytes_of_memory)),
    row("message.timeout.ms", Millis(|d| &mut d.delivery_timeout)),
    row("message.send.max.retries", Works(retries)),
    row("compression.codec", Works(codec)),
    row("max.in.flight", Bytes(|d| &mut d.max_in_flight)),
    row("socket.timeout.ms", Millis(|d| &mut d.request_timeout)),
    row("message.max.bytes", Bytes(|d| &mut d.record_max)),
    row("receive.message.max.bytes", Bytes(|d| &mut d.response_max)),
    row(
        "allow.auto.create.topics",
        Bool(|d| &mut d.auto_create_topics),
    ),
    row(
        "queue.buffering.max.messages",
        NotHere("records are counted in bytes only", "set buffer.memory"),
    ),
    row(
        "batch.num.messages",
        NotHere("batches are counted in bytes only", "set batch.size"),
    ),
    row(
        "compression.level",
        NotHere(
            "a level belongs to a codec",
            "set compression.gzip.level or compression.zstd.level",
        ),
    ),
    row(
        "partitioner",
        Only(
            &["murmur2_random"],
            "keyed records go by murmur2, as with Java's producer",
            "say murmur2_random, or pass a Partitioner to ProducerBuilder::partitioner",
        ),
    ),
    row(
        "enable.gapless.guarantee",
        Only(
            &["false"],
            "a failed batch does not stop the producer; the batches after it go on",
            "leave it out, or say false",
        ),
    ),
    row(
        "socket.nagle.disable",
        Only(
            &["true"],
            "requests always leave at once",
            "leave it out, or say true",
        ),
    ),
    row(
        "statistics.interval.ms",
        Only(
            &["0"],
            "there are no statistics callbacks",
            "watch the tracing lines",
        ),
    ),
];
