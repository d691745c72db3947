//! Facts about names: each of Kafka's has one of the three answers.

use std::collections::HashSet;
use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use downpour_core::config::{Acks, Linger};
use downpour_wire::codec::CompressionType;

use super::{apply, drop_unsupported, nearest, table};
use crate::builder::ProducerBuilder;
use crate::config::partial::PartialConfig;
use crate::error::config::ConfigProblem;

/// Every producer setting of Kafka 4.4, as its documentation lists them.
const KAFKA: &str = "bootstrap.servers client.id acks retries enable.idempotence \
    max.in.flight.requests.per.connection delivery.timeout.ms request.timeout.ms max.block.ms \
    retry.backoff.ms retry.backoff.max.ms reconnect.backoff.ms reconnect.backoff.max.ms \
    key.serializer value.serializer batch.size linger.ms buffer.memory \
    buffer.memory.allocation.strategy max.request.size compression.type compression.gzip.level \
    compression.lz4.level compression.zstd.level partitioner.class \
    partitioner.adaptive.partitioning.enable partitioner.availability.timeout.ms \
    partitioner.ignore.keys partitioner.rack.aware client.rack metadata.max.age.ms \
    metadata.max.idle.ms client.dns.lookup bootstrap.resolve.timeout.ms \
    metadata.recovery.strategy metadata.recovery.rebootstrap.trigger.ms \
    metadata.cluster.check.enable send.buffer.bytes receive.buffer.bytes \
    connections.max.idle.ms socket.connection.setup.timeout.ms \
    socket.connection.setup.timeout.max.ms transactional.id transaction.timeout.ms \
    transaction.two.phase.commit.enable enable.metrics.push metric.reporters \
    metrics.num.samples metrics.sample.window.ms metrics.recording.level interceptor.classes \
    config.providers security.protocol security.providers ssl.protocol ssl.enabled.protocols \
    ssl.provider ssl.cipher.suites ssl.keystore.type ssl.keystore.location \
    ssl.keystore.password ssl.keystore.key ssl.keystore.certificate.chain ssl.key.password \
    ssl.truststore.type ssl.truststore.location ssl.truststore.password \
    ssl.truststore.certificates ssl.endpoint.identification.algorithm \
    ssl.keymanager.algorithm ssl.trustmanager.algorithm ssl.secure.random.implementation \
    ssl.engine.factory.class sasl.mechanism sasl.jaas.config \
    sasl.client.callback.handler.class sasl.login.callback.handler.class sasl.login.class \
    sasl.kerberos.service.name sasl.kerberos.kinit.cmd \
    sasl.kerberos.ticket.renew.window.factor sasl.kerberos.ticket.renew.jitter \
    sasl.kerberos.min.time.before.relogin sasl.login.refresh.window.factor \
    sasl.login.refresh.window.jitter sasl.login.refresh.min.period.seconds \
    sasl.login.refresh.buffer.seconds sasl.login.connect.timeout.ms \
    sasl.login.read.timeout.ms sasl.login.retry.backoff.ms sasl.login.retry.backoff.max.ms \
    sasl.oauthbearer.token.endpoint.url sasl.oauthbearer.jwks.endpoint.url \
    sasl.oauthbearer.scope.claim.name sasl.oauthbearer.sub.claim.name \
    sasl.oauthbearer.clock.skew.seconds sasl.oauthbearer.expected.audience \
    sasl.oauthbearer.expected.issuer sasl.oauthbearer.header.urlencode \
    sasl.oauthbearer.jwt.retriever.class sasl.oauthbearer.jwt.validator.class \
    sasl.oauthbearer.client.credentials.client.id \
    sasl.oauthbearer.client.credentials.client.secret sasl.oauthbearer.scope";

fn read(name: &str, value: &str) -> PartialConfig {
    let mut partial = PartialConfig::default();
    apply(&mut partial, name, value);
    partial
}

fn problem(name: &str, value: &str) -> ConfigProblem {
    let problem = read(name, value).problems.pop();
    problem.unwrap_or_else(|| panic!("{name}={value} was taken"))
}

#[test]
fn every_name_of_kafkas_has_an_answer() {
    for name in KAFKA.split_whitespace() {
        let partial = read(name, "?");
        let unknown = |p: &ConfigProblem| matches!(p, ConfigProblem::Unknown { .. });
        assert!(!partial.problems.iter().any(unknown), "{name} is unknown");
    }
}

#[test]
fn no_name_is_in_the_table_twice() {
    let mut seen = HashSet::new();
    for row in table::ROWS.iter().flat_map(|rows| rows.iter()) {
        assert!(seen.insert(row.name), "{} is there twice", row.name);
    }
}

#[test]
fn names_that_work_reach_the_configuration() {
    let mut partial = PartialConfig::default();
    for (name, value) in [
        ("bootstrap.servers", "a:1"),
        ("acks", "1"),
        ("enable.idempotence", "FALSE"),
        ("max.in.flight.requests.per.connection", "3"),
        ("delivery.timeout.ms", "7000"),
        ("linger.ms", "20"),
        ("batch.size", "16384"),
        ("buffer.memory", "1000000"),
        ("compression.type", "lz4"),
        ("retries", "2147483647"),
        ("send.buffer.bytes", "-1"),
        ("security.protocol", "PLAINTEXT"),
        ("client.dns.lookup", "use_all_dns_ips"),
    ] {
        apply(&mut partial, name, value);
    }
    assert_eq!(partial.problems, []);
    assert_eq!(partial.acks, Some(Acks::Leader));
    assert_eq!(partial.idempotence, Some(false));
    assert_eq!(partial.max_in_flight, Some(3));
    assert_eq!(partial.delivery_timeout, Some(Duration::from_secs(7)));
    assert_eq!(
        partial.linger,
        Some(Linger::Fixed(Duration::from_millis(20)))
    );
    assert_eq!(partial.codec, Some(CompressionType::Lz4));
    assert_eq!(partial.buffer_memory, Some(1_000_000));
}

#[test]
fn librdkafkas_words_mean_the_same() {
    let mut partial = PartialConfig::default();
    for (name, value) in [
        ("metadata.broker.list", "a:1"),
        ("request.required.acks", "-1"),
        ("queue.buffering.max.ms", "0.5"),
        ("queue.buffering.max.kbytes", "1024"),
        ("message.timeout.ms", "60000"),
        ("message.send.max.retries", "2147483647"),
        ("compression.codec", "snappy"),
        ("max.in.flight", "5"),
        ("socket.timeout.ms", "9000"),
        ("message.max.bytes", "2000000"),
    ] {
        apply(&mut partial, name, value);
    }
    assert_eq!(partial.problems, []);
    assert_eq!(partial.bootstrap.as_deref(), Some("a:1"));
    assert_eq!(
        partial.linger,
        Some(Linger::Fixed(Duration::from_micros(500)))
    );
    assert_eq!(partial.buffer_memory, Some(1 << 20));
    assert_eq!(partial.request_timeout, Some(Duration::from_secs(9)));
    assert_eq!(partial.record_max, Some(2_000_000));
}

#[test]
fn a_known_name_that_is_not_here_says_why_and_what_to_use() {
    let ConfigProblem::Unsupported {
        reason,
        replacement,
        ..
    } = problem("security.protocol", "SSL")
    else {
        panic!("not known")
    };
    assert!(reason.contains("TLS") && replacement.contains("PLAINTEXT"));
    for (name, value) in [
        ("transactional.id", "t"),
        ("retries", "3"),
        ("partitioner.class", "com.example.Mine"),
        ("partitioner.ignore.keys", "true"),
        ("key.serializer", "org.apache.kafka.StringSerializer"),
        ("compression.lz4.level", "9"),
    ] {
        assert!(
            matches!(problem(name, value), ConfigProblem::Unsupported { .. }),
            "{name}"
        );
    }
}

#[test]
fn an_unknown_name_is_told_its_nearest() {
    assert_eq!(nearest("linger_ms"), Some("linger.ms"));
    assert_eq!(nearest("acknowledgements"), None);
    assert_eq!(nearest("enable.idempotance"), Some("enable.idempotence"));
    assert_eq!(nearest("bootstrap.server"), Some("bootstrap.servers"));
    assert_eq!(nearest("compresion.type"), Some("compression.type"));
    assert_eq!(nearest(""), None);
    assert!(
        problem("lingerms", "5")
            .to_string()
            .contains("did you mean linger.ms?")
    );
}

#[test]
fn a_bad_value_names_the_value_and_what_would_be_right() {
    for (name, value) in [
        ("acks", "2"),
        ("linger.ms", "-1"),
        ("linger.ms", "NaN"),
        ("batch.size", "64k"),
        ("enable.idempotence", "yes"),
        ("compression.type", "brotli"),
        ("compression.gzip.level", "10"),
        ("request.timeout.ms", "99999999999999999999"),
        ("max.block.ms", "18446744073709551615"),
        ("security.protocol", "TLS"),
    ] {
        let problem = problem(name, value);
        assert!(
            matches!(problem, ConfigProblem::Invalid { .. }),
            "{problem}"
        );
        assert!(problem.to_string().contains(value), "{problem}");
    }
}

#[test]
fn the_switch_ignores_what_is_not_supported_and_nothing_else() {
    let mut partial = PartialConfig {
        ignore_unsupported: true,
        ..PartialConfig::default()
    };
    apply(&mut partial, "transactional.id", "t");
    apply(&mut partial, "ssl.protocol", "TLSv1.3");
    apply(&mut partial, "lingerms", "5");
    apply(&mut partial, "acks", "2");
    drop_unsupported(&mut partial);
    assert_eq!(partial.problems.len(), 2, "{:?}", partial.problems);
}

/// Where a test keeps the lines that were logged.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// All that can be seen of a property: the builder, the error and its parts, the log.
fn seen_of(name: &str, value: &str) -> String {
    let lines = Lines::default();
    let writer = lines.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(move || writer.clone())
        .finish();
    let mut seen = tracing::subscriber::with_default(subscriber, || {
        let builder = ProducerBuilder::new().property(name, value);
        let mut seen = format!("{builder:?} {builder:#?}");
        for builder in [builder.clone(), builder.ignore_unsupported_properties()] {
            if let Err(error) = builder.resolve() {
                seen.push_str(&format!("{error} {error:?}"));
                for problem in error.problems() {
                    seen.push_str(&format!("{problem} {problem:?}"));
                }
            }
        }
        seen
    });
    seen.push_str(&String::from_utf8(lines.0.lock().unwrap().clone()).unwrap());
    seen
}

#[test]
fn a_secret_is_seen_nowhere() {
    const MARK: &str = "tell-nobody-7731";
    let secret = |name: &str| {
        [
            "password",
            "passphrase",
            "secret",
            "jaas",
            "keystore.key",
            "key.pem",
            "oauthbearer.config",
        ]
        .iter()
        .any(|word| name.contains(word))
    };
    let known = table::ROWS
        .iter()
        .flat_map(|rows| rows.iter())
        .map(|row| row.name);
    let unknown = [
        "sasl.password",
        "sasl.oauthbearer.client.secret",
        "sasl.oauthbearer.config",
        "ssl.key.pem",
        "SSL.Key.Password",
        "ssl_keystore_password",
        "my.credentials",
        "api.token",
        "basic.auth.user.info",
    ];
    let (mut shown, mut hidden) = (0, 0);
    for name in known.chain(unknown) {
        for value in [
            MARK.to_owned(),
            format!("org.x.PlainLoginModule required password=\"{MARK}\";"),
        ] {
            let seen = seen_of(name, &value);
            if secret(name) || unknown.contains(&name) {
                hidden += 1;
                assert!(seen.contains(name), "{name} is named: {seen}");
                let is_logged = seen.contains("property ignored");
                assert_eq!(is_logged, !unknown.contains(&name), "{name}: {seen}");
                assert!(!seen.contains(MARK), "{name}: {seen}");
            } else {
                shown += usize::from(seen.contains(MARK));
            }
        }
    }
    assert!(hidden >= 2 * 15, "{hidden} of them are secret");
    assert!(shown > 100, "what is no secret is shown: {shown}");
}
