//! Facts about names: each of Kafka's has an answer, and each word reaches its setting.
//!
//! What a built producer does with them is in `tests/it/properties.rs`.

use std::collections::HashSet;
use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use downpour_core::callers::partitioner::Choice;
use downpour_core::config::{Acks, Linger};
use downpour_wire::codec::CompressionType;

use super::{apply, known, nearest, tell_ignored};
use crate::builder::ProducerBuilder;
use crate::config::family::AddressFamily;
use crate::config::partial::PartialConfig;
use crate::config::settings::Settings;
use crate::error::config::{ConfigProblem, ConfigProblemKind};
use crate::partitioner::PartitionContext;
use crate::record::record::Record;

const JAVA: &str = include_str!("java.txt");
const LIBRDKAFKA: &str = include_str!("librdkafka.txt");
/// What belongs to other products.
const OTHERS: &str = include_str!("others.txt");

/// Name and remark of each line.
fn lines(list: &'static str) -> impl Iterator<Item = (&'static str, &'static str)> {
    let lines = list.lines().filter(|line| !line.starts_with('#'));
    lines.map(|line| line.split_once(' ').unwrap_or((line, "")))
}

fn read(name: &str, value: &str) -> PartialConfig {
    let mut partial = PartialConfig::default();
    apply(&mut partial, name, value);
    partial
}

fn problem(name: &str, value: &str) -> ConfigProblem {
    let problem = read(name, value).problems.pop();
    problem.unwrap_or_else(|| panic!("{name}={value} was taken"))
}

fn settings(properties: &[(&str, &str)]) -> Settings {
    let builder = ProducerBuilder::new().bootstrap("one:1");
    builder
        .properties(properties.iter().copied())
        .resolve()
        .unwrap()
}

fn refusal(properties: &[(&str, &str)]) -> String {
    let builder = ProducerBuilder::new().bootstrap("one:1");
    let refused = builder.properties(properties.iter().copied()).resolve();
    refused.unwrap_err().to_string()
}

#[test]
fn every_name_of_java_s_and_of_librdkafka_s_has_an_answer() {
    assert!(lines(JAVA).count() > 110 && lines(LIBRDKAFKA).count() > 180);
    let all = lines(JAVA).chain(lines(LIBRDKAFKA)).chain(lines(OTHERS));
    for (name, _) in all {
        let unknown = |p: &ConfigProblem| p.kind() == ConfigProblemKind::Unknown;
        let is_unknown = read(name, "?").problems.iter().any(unknown);
        assert!(!is_unknown, "{name} is unknown");
    }
}

#[test]
fn no_name_is_in_the_table_twice_or_only_there() {
    let all = lines(JAVA).chain(lines(LIBRDKAFKA)).chain(lines(OTHERS));
    let listed: HashSet<_> = all.map(|line| line.0).collect();
    let mut seen = HashSet::new();
    for (name, _) in known() {
        assert!(seen.insert(name), "{name} is there twice");
        assert!(listed.contains(name), "{name} is in no list");
    }
}

#[test]
fn a_consumer_s_setting_is_refused_as_one() {
    for (name, kind) in lines(LIBRDKAFKA) {
        let is_refused = read(name, "?").problems.iter().any(|problem| {
            problem.kind() == ConfigProblemKind::Unsupported
                && problem.is_ignorable()
                && problem.trouble().contains("consumer")
        });
        assert_eq!(is_refused, kind == "C", "{name}");
    }
}

#[test]
fn a_name_of_another_product_is_refused_as_that_product_s() {
    for (name, whose) in [
        ("schema.registry.url", "Confluent's serializers"),
        (
            "schema.registry.basic.auth.user.info",
            "Confluent's serializers",
        ),
        ("basic.auth.credentials.source", "Confluent's serializers"),
        ("auto.register.schemas", "Confluent's serializers"),
        ("value.subject.name.strategy", "Confluent's serializers"),
        (
            "avro.use.logical.type.converters",
            "Confluent's serializers",
        ),
        (
            "confluent.monitoring.interceptor.topic",
            "Confluent's interceptors",
        ),
        ("spring.kafka.producer.acks", "Spring"),
        ("key.converter", "Kafka Connect"),
        ("key.deserializer", "Java's consumer"),
        ("max.poll.records", "Java's consumer"),
        ("auto.offset.reset", "a consumer's"),
        ("enable.auto.commit", "a consumer's"),
        ("group.id", "a consumer's"),
        ("application.id", "Kafka Streams"),
        ("bootstrap.controllers", "admin client"),
    ] {
        let problem = problem(name, "some.Value");
        assert_eq!(problem.setting(), name);
        assert_eq!(problem.kind(), ConfigProblemKind::Unsupported, "{problem}");
        assert!(problem.is_ignorable(), "{problem}");
        assert!(problem.trouble().contains(whose), "{problem}");
        let builder = ProducerBuilder::new()
            .bootstrap("one:1")
            .property(name, "x");
        let ignored = builder.ignore_unsupported_properties().resolve();
        assert!(ignored.is_ok(), "{name}");
    }
    // They are not taken for each other's, nor for typing errors.
    for (name, why) in [
        ("key.serializer", "bytes here"),
        ("interceptor.classes", "code cannot be named"),
    ] {
        let problem = problem(name, "io.example.Mine");
        assert!(problem.trouble().contains(why), "{problem}");
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
        ("retries", "3"),
        ("send.buffer.bytes", "-1"),
        ("security.protocol", "PLAINTEXT"),
        ("client.dns.lookup", "use_all_dns_ips"),
    ] {
        apply(&mut partial, name, value);
    }
    assert_eq!(partial.problems, []);
    assert_eq!(partial.ignored.len(), 0);
    assert_eq!(partial.acks.get(), Some(&Acks::Leader));
    assert_eq!(partial.idempotence.get(), Some(&false));
    assert_eq!(partial.max_in_flight.get(), Some(&3));
    assert_eq!(partial.retries.get(), Some(&3));
    assert_eq!(
        partial.delivery_timeout.get(),
        Some(&Duration::from_secs(7))
    );
    assert_eq!(
        partial.linger.get(),
        Some(&Linger::Fixed(Duration::from_millis(20)))
    );
    assert_eq!(partial.codec.get(), Some(&CompressionType::Lz4));
    assert_eq!(partial.buffer_memory.get(), Some(&1_000_000));
}

#[test]
fn librdkafkas_words_mean_the_same() {
    let settings = settings(&[
        ("metadata.broker.list", "a:1"),
        ("request.required.acks", "-1"),
        ("queue.buffering.max.ms", "0.5"),
        ("queue.buffering.max.kbytes", "1024"),
        ("queue.buffering.max.messages", "1000"),
        ("batch.num.messages", "10000"),
        ("message.timeout.ms", "60000"),
        ("message.send.max.retries", "2147483647"),
        ("compression.codec", "gzip"),
        ("compression.level", "7"),
        ("max.in.flight", "4"),
        ("socket.timeout.ms", "9000"),
        ("socket.keepalive.enable", "true"),
        ("socket.send.buffer.bytes", "0"),
        ("socket.receive.buffer.bytes", "4096"),
        ("broker.address.family", "v4"),
        ("message.max.bytes", "2000000"),
        ("topic.metadata.refresh.interval.ms", "60000"),
        ("partitioner", "consistent_random"),
    ]);
    let core = &settings.core;
    assert_eq!(core.bootstrap[0].to_string(), "a:1");
    assert_eq!(core.linger, Linger::Fixed(Duration::from_micros(500)));
    assert_eq!(core.batch_records, 10_000);
    // Each of a thousand records counts for a thousandth of the memory.
    assert_eq!(
        (core.record_share, settings.buffer_memory),
        (1048, 1_048_000)
    );
    assert_eq!(core.delivery_timeout, Duration::from_secs(60));
    assert_eq!(core.request_timeout, Duration::from_secs(9));
    assert_eq!(core.compression.level(), Some(7));
    assert_eq!(core.max_in_flight, 4);
    assert_eq!(core.batch_max, 2_000_000);
    assert_eq!(core.metadata_max_age, Duration::from_secs(60));
    assert_eq!(
        (settings.send_buffer, settings.receive_buffer),
        (None, Some(4096))
    );
    assert_eq!(
        (settings.keepalive, settings.family),
        (true, AddressFamily::V4)
    );
    let record = Record::to("t").key("123456789");
    let context = PartitionContext::new(&record, 1000, &[]);
    let choice = settings.partitioner.unwrap().partition(&context);
    assert_eq!(choice, Choice::Partition((0xcbf4_3926_u32 % 1000) as i32));
}

#[test]
fn a_message_timeout_alone_is_followed_by_linger_and_request_timeout() {
    let of = |properties: &[(&str, &str)]| {
        let core = settings(properties).core;
        (core.linger.duration(), core.request_timeout)
    };
    let ms = Duration::from_millis;
    // min(30 s, delivery timeout - linger).
    assert_eq!(of(&[("message.timeout.ms", "5000")]), (ms(5), ms(4995)));
    assert_eq!(of(&[("delivery.timeout.ms", "60000")]), (ms(5), ms(30_000)));
    let both = [("message.timeout.ms", "5000"), ("linger.ms", "1000")];
    assert_eq!(of(&both), (ms(1000), ms(4000)));
    assert_eq!(
        of(&[("delivery.timeout.ms", "1")]).0,
        Duration::from_micros(250)
    );
    let endless = settings(&[("message.timeout.ms", "0")]).core;
    assert!(endless.delivery_timeout > Duration::from_secs(3600 * 24 * 365));
    // librdkafka takes the lesser of its two.
    let both = [
        ("message.timeout.ms", "5000"),
        ("socket.timeout.ms", "60000"),
    ];
    assert_eq!(of(&both), (ms(5), ms(4995)));
}

#[test]
fn an_error_has_the_names_that_the_caller_used_and_times_as_people_read_them() {
    for (properties, said) in [
        (
            &[
                ("delivery.timeout.ms", "1000"),
                ("request.timeout.ms", "30000"),
            ][..],
            "delivery.timeout.ms=1000 with linger=5 ms and request.timeout.ms=30000: one attempt \
             takes up to 30.005 s; raise delivery.timeout.ms to 30005 (30.005 s), or",
        ),
        (
            &[
                ("message.timeout.ms", "1000"),
                ("queue.buffering.max.ms", "1500"),
            ],
            "message.timeout.ms=1000 with queue.buffering.max.ms=1500: no time is left to send",
        ),
        (
            &[
                ("request.required.acks", "1"),
                ("enable.idempotence", "true"),
            ],
            "request.required.acks=1 with enable.idempotence=true",
        ),
        (
            &[("message.max.bytes", "1000"), ("batch.size", "2000")],
            "batch.size=2000 with message.max.bytes=1000",
        ),
        (
            &[
                ("retry.backoff.ms", "2000"),
                ("retry.backoff.max.ms", "500"),
            ],
            "retry.backoff.ms=2000 with retry.backoff.max.ms=500",
        ),
        (&[("max.in.flight", "6")], "max.in.flight=6"),
        (&[("metadata.broker.list", "a")], "metadata.broker.list=a"),
        (
            &[("compression.codec", "gzip"), ("compression.level", "12")],
            "compression.level=12",
        ),
        (&[("batch.num.messages", "0")], "batch.num.messages=0"),
    ] {
        let error = refusal(properties);
        assert!(error.contains(said), "{error}\n{said}");
    }
    let by_setter = ProducerBuilder::new().bootstrap("one:1").max_in_flight(6);
    let error = by_setter.property("max.in.flight", "7").max_in_flight(8);
    let error = error.resolve().unwrap_err().to_string();
    assert!(error.contains("max_in_flight=8"), "{error}");
}

#[test]
fn levels_count_for_the_codecs_that_have_them() {
    let level = |properties: &[(&str, &str)]| settings(properties).core.compression.level();
    let gzip = ("compression.type", "gzip");
    assert_eq!(level(&[gzip, ("compression.level", "-1")]), None);
    assert_eq!(level(&[gzip, ("compression.level", "3")]), Some(3));
    let own = [
        gzip,
        ("compression.level", "3"),
        ("compression.gzip.level", "9"),
    ];
    assert_eq!(level(&own), Some(9));
    let lz4 = [("compression.codec", "lz4"), ("compression.level", "3")];
    assert_eq!(level(&lz4), None);
    let inherited = settings(&[gzip, ("compression.codec", "inherit")]).core;
    assert_eq!(inherited.compression.codec(), CompressionType::Gzip);
}

#[test]
fn a_known_name_that_is_not_here_says_why_and_what_to_use() {
    for (name, value, why) in [
        ("security.protocol", "SSL", "no TLS"),
        ("security.protocol", "sasl_ssl", "neither TLS nor SASL"),
        ("ssl.ca.location", "/ca.pem", "no TLS"),
        ("sasl.mechanisms", "PLAIN", "no SASL"),
        ("transactional.id", "t", "no transactions"),
        ("partitioner.class", "com.example.Mine", "Java classes"),
        ("key.serializer", "io.example.AvroSerializer", "bytes"),
        ("dr_msg_cb", "x", "code"),
    ] {
        let problem = problem(name, value);
        assert!(
            problem.kind() == ConfigProblemKind::Unsupported,
            "{problem}"
        );
        let said = problem.to_string();
        assert!(said.contains(why) && said.starts_with(name), "{said}");
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
    let said = problem("lingerms", "5").to_string();
    assert!(said.contains("did you mean linger.ms?"), "{said}");
}

#[test]
fn a_bad_value_names_the_value_and_what_would_be_right() {
    for (name, value) in [
        ("acks", "2"),
        ("linger.ms", "-1"),
        ("linger.ms", "NaN"),
        ("batch.size", "64k"),
        ("batch.size", "+1"),
        ("retries", "4294967296"),
        ("enable.idempotence", "yes"),
        ("compression.type", "brotli"),
        ("compression.gzip.level", "10"),
        ("partitioner", "murmur3"),
        ("broker.address.family", "v5"),
        ("request.timeout.ms", "99999999999999999999"),
        ("max.block.ms", "18446744073709551616"),
        ("security.protocol", "TLS"),
    ] {
        let problem = problem(name, value);
        assert!(problem.kind() == ConfigProblemKind::Invalid, "{problem}");
        assert!(problem.to_string().contains(value), "{problem}");
    }
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

/// What is logged while `f` runs.
fn logged<R>(f: impl FnOnce() -> R) -> (R, String) {
    let lines = Lines::default();
    let writer = lines.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(move || writer.clone())
        .finish();
    let result = tracing::subscriber::with_default(subscriber, f);
    let text = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
    (result, text)
}

#[test]
fn what_is_harmless_is_ignored_with_a_warning_that_names_it() {
    let build = || {
        let builder = ProducerBuilder::new().bootstrap("one:1");
        let builder = builder.property("metrics.num.samples", "3");
        builder.property("statistics.interval.ms", "5000").resolve()
    };
    let (built, log) = logged(build);
    assert!(built.is_ok());
    for part in [
        "WARN",
        "metrics.num.samples",
        "statistics.interval.ms",
        "5000",
    ] {
        assert!(log.contains(part), "{log}");
    }
}

#[test]
fn the_switch_ignores_what_is_refused_but_for_security_and_transactions() {
    let mut partial = PartialConfig {
        ignore_unsupported: true,
        ..PartialConfig::default()
    };
    for (name, value) in [
        ("enable.gapless.guarantee", "true"),
        ("group.id", "g"),
        ("lingerms", "5"),
        ("acks", "2"),
    ] {
        apply(&mut partial, name, value);
    }
    let ((), log) = logged(|| tell_ignored(&mut partial));
    assert_eq!(partial.problems.len(), 2, "{:?}", partial.problems);
    assert!(log.contains("enable.gapless.guarantee") && log.contains("group.id"));
    // Whatever asks for encryption, for a name to be proven, or for a transaction.
    let is_sacred = |name: &str| {
        [
            "ssl",
            "sasl",
            "security",
            "transaction",
            "oauth",
            "https",
            ".txn.",
        ]
        .iter()
        .any(|word| name.contains(word))
    };
    let mut kept = 0;
    for name in known().map(|(name, _)| name).filter(|name| is_sacred(name)) {
        for value in ["SASL_SSL", "true", "x"] {
            let mut partial = read(name, value);
            partial.ignore_unsupported = true;
            tell_ignored(&mut partial);
            assert!(!partial.problems.is_empty(), "{name}={value} is let pass");
            kept += 1;
        }
    }
    assert!(kept > 3 * 80, "{kept}");
}

/// All that can be seen of a property: the builder, the error and its parts, the log.
fn seen_of(name: &str, value: &str) -> String {
    let (mut seen, log) = logged(|| {
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
    seen.push_str(&log);
    seen
}

#[test]
fn a_secret_is_seen_nowhere() {
    const MARK: &str = "tell-nobody-7731";
    // Java's passwords by their type, and librdkafka's and unknown ones by hand.
    let passwords = lines(JAVA).filter(|l| l.1 == "password").map(|l| l.0);
    let others = [
        "sasl.password",
        "sasl.oauthbearer.client.secret",
        "sasl.oauthbearer.config",
        "sasl.oauthbearer.assertion.private.key.pem",
        "ssl.key.pem",
        "ssl_key",
    ];
    let unknown = [
        "SSL.Key.Password",
        "ssl_keystore_password",
        "my.credentials",
        "api.token",
        "basic.auth.user.info",
    ];
    let secret: HashSet<_> = passwords.chain(others).chain(unknown).collect();
    assert!(secret.len() >= 9 + 6 + 5, "{secret:?}");
    let (mut shown, mut hidden) = (0, 0);
    let all = known().map(|(name, _)| name).chain(unknown);
    for name in all {
        for value in [
            MARK.to_owned(),
            format!("org.x.PlainLoginModule required password=\"{MARK}\";"),
        ] {
            let seen = seen_of(name, &value);
            if secret.contains(name) {
                hidden += 1;
                assert!(seen.contains(name), "{name} is named: {seen}");
                assert!(!seen.contains(MARK), "{name}: {seen}");
            } else {
                shown += usize::from(seen.contains(MARK));
            }
        }
    }
    assert_eq!(hidden, 2 * secret.len());
    assert!(shown > 300, "what is no secret is shown: {shown}");
    let seen = seen_of("bootstrap.servers", &format!("SSL://me:{MARK}@host:1"));
    assert!(seen.contains("before the host") || seen.contains("only PLAINTEXT"));
    for address in [
        format!("me:{MARK}@h:1"),
        format!("a:1,me:{MARK},@h:1"),
        format!("me:{MARK}@x@h:1"),
        format!("http://me:{MARK}@h:1"),
    ] {
        for name in ["bootstrap.servers", "schema.registry.url", "client.rack"] {
            let seen = seen_of(name, &address);
            assert!(!seen.contains(MARK) && seen.contains("***@h:1"), "{seen}");
        }
        let builder = ProducerBuilder::new().bootstrap(address);
        let error = builder.clone().resolve().unwrap_err();
        let seen = format!("{builder:?} {error} {:?}", error.problems()[0].value());
        assert!(!seen.contains(MARK) && seen.contains("***@h:1"), "{seen}");
    }
}
