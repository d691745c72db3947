//! Names that share one answer: harmless ones, those that are refused, and security and
//! transactions, which are never ignored.

use super::refusal::Not::{self, Harmless, Never, Refused};

/// An answer and the names that have it.
pub(super) struct Group {
    pub(super) not: Not,
    pub(super) names: &'static [&'static str],
}

/// All of them.
pub(super) const GROUPS: &[Group] = &[
    Group {
        not: NO_TRANSACTIONS,
        names: &["transactional.id", "transaction.timeout.ms"],
    },
    Group {
        not: NO_TLS,
        names: TLS,
    },
    Group {
        not: NO_SASL,
        names: SASL,
    },
    Group {
        not: Harmless("the library logs by tracing lines; choose there what is shown"),
        names: &[
            "debug",
            "log_level",
            "log.queue",
            "log.thread.name",
            "log.connection.close",
            "enabled_events",
        ],
    },
    Group {
        not: Harmless("there are no JMX metrics; ask Producer::statistics"),
        names: &[
            "metric.reporters",
            "metrics.num.samples",
            "metrics.sample.window.ms",
            "metrics.recording.level",
            "auto.include.jmx.reporter",
        ],
    },
    Group {
        not: Harmless("it has no effect in librdkafka any more"),
        names: &["topic.metadata.refresh.fast.cnt", "socket.blocking.max.ms"],
    },
    Group {
        not: Harmless("this is not tuned by hand here"),
        names: TUNING,
    },
    Group {
        not: Harmless("LZ4's higher levels exist in C only; this one is always the fast one"),
        names: &["compression.lz4.level"],
    },
    Group {
        not: NO_CALLBACKS,
        names: &[
            "background_event_cb",
            "closesocket_cb",
            "connect_cb",
            "default_topic_conf",
            "dr_cb",
            "dr_msg_cb",
            "error_cb",
            "interceptors",
            "log_cb",
            "msg_order_cmp",
            "opaque",
            "open_cb",
            "partitioner_cb",
            "plugin.library.paths",
            "resolve_cb",
            "socket_cb",
            "stats_cb",
            "throttle_cb",
        ],
    },
    Group {
        not: Refused(
            "values are taken as they stand",
            "resolve them before they are given to the builder",
        ),
        names: &["config.providers"],
    },
    Group {
        not: Refused(
            "librdkafka's features cannot be asked of another library",
            "leave it out; the features of this crate are Cargo's",
        ),
        names: &["builtin.features"],
    },
    Group {
        not: Refused(
            "only topics that records name are asked for",
            "leave it out",
        ),
        names: &["topic.blacklist"],
    },
    Group {
        not: Refused("it is a consumer's setting", "leave it out"),
        names: CONSUMER,
    },
    Group {
        not: Refused("it is a setting of Java's consumer", "leave it out"),
        names: JAVA_CONSUMER,
    },
    Group {
        not: Refused("it is a setting of Kafka Streams", "leave it out"),
        names: STREAMS,
    },
    Group {
        not: Refused("it is a setting of Kafka's admin client", "leave it out"),
        names: &["bootstrap.controllers", "default.api.timeout.ms"],
    },
    Group {
        not: Refused(
            "it is a setting of Kafka Connect, whose workers convert",
            "leave it out, and turn keys and values into bytes before they go into a Record",
        ),
        names: &["header.converter", "key.converter", "value.converter"],
    },
    Group {
        not: NO_SERIALIZERS,
        names: SERIALIZERS,
    },
];

/// Beginnings of names that are other products', whatever follows.
pub(super) const PREFIXES: &[(&str, Not)] = &[
    ("schema.registry.", NO_SERIALIZERS),
    ("basic.auth.", NO_SERIALIZERS),
    ("bearer.auth.", NO_SERIALIZERS),
    ("avro.", NO_SERIALIZERS),
    ("json.", NO_SERIALIZERS),
    ("protobuf.", NO_SERIALIZERS),
    (
        "confluent.monitoring.",
        Refused(
            "it is a setting of Confluent's interceptors, which are Java's",
            "leave it out; Producer::statistics has figures",
        ),
    ),
    (
        "spring.kafka.",
        Refused(
            "it is a setting of Spring",
            "use Kafka's name: what follows properties. or producer. there, with dots for dashes",
        ),
    ),
];

/// Of what Confluent's serializers are configured by.
const NO_SERIALIZERS: Not = Refused(
    "it is a setting of Confluent's serializers, and keys and values are bytes here",
    "give it to whatever turns them into bytes before they go into a Record",
);

/// Of names that ask for code to be run.
pub(super) const NO_CALLBACKS: Not = Refused(
    "code cannot be named by a property",
    "do the same in Rust around the producer",
);

/// Of names that ask for transactions.
pub(super) const NO_TRANSACTIONS: Not = Never(
    "this version has no transactions",
    "leave it out; idempotence keeps each partition free of duplicates",
);

const NO_TLS: Not = Never(
    "this version has no TLS",
    "leave it out, and use a PLAINTEXT listener, or a TLS tunnel in front of one",
);

const NO_SASL: Not = Never(
    "this version has no SASL",
    "leave it out, and use a listener without authentication",
);

const TUNING: &[&str] = &[
    "api.version.fallback.ms",
    "api.version.request.timeout.ms",
    "bootstrap.resolve.timeout.ms",
    "broker.address.ttl",
    "broker.version.fallback",
    "enable.random.seed",
    "internal.termination.signal",
    "message.copy.max.bytes",
    "metadata.recovery.rebootstrap.trigger.ms",
    "queue.buffering.backpressure.threshold",
    "reconnect.backoff.jitter.ms",
    "socket.connection.setup.timeout.max.ms",
    "socket.max.fails",
    "sticky.partitioning.linger.ms",
    "topic.metadata.refresh.fast.interval.ms",
    "topic.metadata.refresh.sparse",
];

const TLS: &[&str] = &[
    "enable.ssl.certificate.verification",
    "https.ca.location",
    "https.ca.pem",
    "security.providers",
    "ssl.ca.certificate.stores",
    "ssl.ca.location",
    "ssl.ca.pem",
    "ssl.certificate.location",
    "ssl.certificate.pem",
    "ssl.certificate.verify_cb",
    "ssl.cipher.suites",
    "ssl.crl.location",
    "ssl.curves.list",
    "ssl.enabled.protocols",
    "ssl.endpoint.identification.algorithm",
    "ssl.engine.factory.class",
    "ssl.engine.id",
    "ssl.engine.location",
    "ssl.key.location",
    "ssl.key.password",
    "ssl.key.pem",
    "ssl.keymanager.algorithm",
    "ssl.keystore.certificate.chain",
    "ssl.keystore.key",
    "ssl.keystore.location",
    "ssl.keystore.password",
    "ssl.keystore.type",
    "ssl.protocol",
    "ssl.provider",
    "ssl.providers",
    "ssl.secure.random.implementation",
    "ssl.sigalgs.list",
    "ssl.trustmanager.algorithm",
    "ssl.truststore.certificates",
    "ssl.truststore.location",
    "ssl.truststore.password",
    "ssl.truststore.type",
    "ssl_ca",
    "ssl_certificate",
    "ssl_engine_callback_data",
    "ssl_key",
];

const SASL: &[&str] = &[
    "enable.sasl.oauthbearer.unsecure.jwt",
    "oauthbearer_token_refresh_cb",
    "sasl.client.callback.handler.class",
    "sasl.jaas.config",
    "sasl.kerberos.keytab",
    "sasl.kerberos.kinit.cmd",
    "sasl.kerberos.min.time.before.relogin",
    "sasl.kerberos.principal",
    "sasl.kerberos.service.name",
    "sasl.kerberos.ticket.renew.jitter",
    "sasl.kerberos.ticket.renew.window.factor",
    "sasl.login.callback.handler.class",
    "sasl.login.class",
    "sasl.login.connect.timeout.ms",
    "sasl.login.read.timeout.ms",
    "sasl.login.refresh.buffer.seconds",
    "sasl.login.refresh.min.period.seconds",
    "sasl.login.refresh.window.factor",
    "sasl.login.refresh.window.jitter",
    "sasl.login.retry.backoff.max.ms",
    "sasl.login.retry.backoff.ms",
    "sasl.mechanism",
    "sasl.mechanisms",
    "sasl.oauthbearer.assertion.algorithm",
    "sasl.oauthbearer.assertion.claim.aud",
    "sasl.oauthbearer.assertion.claim.exp.seconds",
    "sasl.oauthbearer.assertion.claim.iss",
    "sasl.oauthbearer.assertion.claim.jti.include",
    "sasl.oauthbearer.assertion.claim.nbf.seconds",
    "sasl.oauthbearer.assertion.claim.sub",
    "sasl.oauthbearer.assertion.file",
    "sasl.oauthbearer.assertion.jwt.template.file",
    "sasl.oauthbearer.assertion.private.key.file",
    "sasl.oauthbearer.assertion.private.key.passphrase",
    "sasl.oauthbearer.assertion.private.key.pem",
    "sasl.oauthbearer.assertion.template.file",
    "sasl.oauthbearer.client.credentials.client.id",
    "sasl.oauthbearer.client.credentials.client.secret",
    "sasl.oauthbearer.client.id",
    "sasl.oauthbearer.client.secret",
    "sasl.oauthbearer.clock.skew.seconds",
    "sasl.oauthbearer.config",
    "sasl.oauthbearer.expected.audience",
    "sasl.oauthbearer.expected.issuer",
    "sasl.oauthbearer.extensions",
    "sasl.oauthbearer.grant.type",
    "sasl.oauthbearer.header.urlencode",
    "sasl.oauthbearer.jwks.endpoint.refresh.ms",
    "sasl.oauthbearer.jwks.endpoint.retry.backoff.max.ms",
    "sasl.oauthbearer.jwks.endpoint.retry.backoff.ms",
    "sasl.oauthbearer.jwks.endpoint.url",
    "sasl.oauthbearer.jwt.retriever.class",
    "sasl.oauthbearer.jwt.validator.class",
    "sasl.oauthbearer.metadata.authentication.type",
    "sasl.oauthbearer.method",
    "sasl.oauthbearer.scope",
    "sasl.oauthbearer.scope.claim.name",
    "sasl.oauthbearer.sub.claim.name",
    "sasl.oauthbearer.token.endpoint.url",
    "sasl.password",
    "sasl.username",
];

const CONSUMER: &[&str] = &[
    "auto.commit.enable",
    "auto.commit.interval.ms",
    "auto.offset.reset",
    "check.crcs",
    "consume.callback.max.messages",
    "consume_cb",
    "coordinator.query.interval.ms",
    "enable.auto.commit",
    "enable.auto.offset.store",
    "enable.partition.eof",
    "fetch.error.backoff.ms",
    "fetch.max.bytes",
    "fetch.message.max.bytes",
    "fetch.min.bytes",
    "fetch.queue.backoff.ms",
    "fetch.wait.max.ms",
    "group.id",
    "group.instance.id",
    "group.protocol",
    "group.protocol.type",
    "group.remote.assignor",
    "heartbeat.interval.ms",
    "isolation.level",
    "max.partition.fetch.bytes",
    "max.poll.interval.ms",
    "offset.store.method",
    "offset.store.path",
    "offset.store.sync.interval.ms",
    "offset_commit_cb",
    "partition.assignment.strategy",
    "queued.max.messages.kbytes",
    "queued.min.messages",
    "rebalance_cb",
    "session.timeout.ms",
];

const JAVA_CONSUMER: &[&str] = &[
    "default.key.deserializer",
    "default.value.deserializer",
    "exclude.internal.topics",
    "fetch.max.wait.ms",
    "key.deserializer",
    "max.poll.records",
    "share.acknowledgement.mode",
    "value.deserializer",
];

const STREAMS: &[&str] = &[
    "application.id",
    "application.server",
    "cache.max.bytes.buffering",
    "commit.interval.ms",
    "default.deserialization.exception.handler",
    "default.key.serde",
    "default.production.exception.handler",
    "default.value.serde",
    "num.standby.replicas",
    "num.stream.threads",
    "processing.guarantee",
    "replication.factor",
    "state.dir",
    "statestore.cache.max.bytes",
    "topology.optimization",
];

const SERIALIZERS: &[&str] = &[
    "auto.register.schemas",
    "context.name.strategy",
    "id.compatibility.strict",
    "key.subject.name.strategy",
    "latest.cache.size",
    "latest.cache.ttl.sec",
    "latest.compatibility.strict",
    "max.schemas.per.subject",
    "normalize.schemas",
    "propagate.schema.tags",
    "reference.subject.name.strategy",
    "rule.actions",
    "rule.executors",
    "specific.avro.reader",
    "subject.name.strategy",
    "use.latest.version",
    "use.latest.with.metadata",
    "use.schema.id",
    "value.subject.name.strategy",
];
