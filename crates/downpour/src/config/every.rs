//! Facts that hold for every setting there is: by setter, by property, and read from text.
//!
//! The lists are complete by construction: a field without a kind does not compile, and a setter
//! without a row fails. What a producer does with such values is in `tests/it/properties.rs`.

use std::collections::BTreeSet;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use downpour_core::config::{Acks, Address, Linger};
use downpour_wire::codec::{Compression, CompressionType};

use crate::builder::ProducerBuilder;
use crate::config::family::AddressFamily;
use crate::config::limits::{NUMBERS, NumberLimit, TIMES, TimeLimit};
use crate::config::partial::PartialConfig;
use crate::config::properties::working;
use crate::config::servers::BootstrapServers;
use crate::config::setting::Setting;
use crate::config::settings::Settings;
use crate::error::config::{ConfigError, ConfigProblemKind};
use crate::partitioner::Partitioner;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// It has a row in `NUMBERS`.
    Number,
    /// It has a row in `TIMES`.
    Time,
    /// All of its type's values are valid, or `resolve` says which.
    Other,
}

trait HasKind {
    const KIND: Kind;
}

macro_rules! kinds {
    ($($type:ty: $kind:ident,)*) => { $(impl HasKind for $type { const KIND: Kind = Kind::$kind; })* };
}

kinds! {
    usize: Number,
    Duration: Time,
    Linger: Time,
    bool: Other,
    u32: Other,
    i32: Other,
    String: Other,
    BootstrapServers: Other,
    Acks: Other,
    CompressionType: Other,
    AddressFamily: Other,
    Arc<dyn Partitioner>: Other,
}

fn kind<T: HasKind>(setting: &Setting<T>) -> (&'static str, Kind) {
    (setting.setter(), T::KIND)
}

/// Every setting's name and kind.
fn kinds() -> Vec<(&'static str, Kind)> {
    // Not `..`: a new field has to say here what it is.
    let PartialConfig {
        bootstrap,
        client_id,
        acks,
        idempotence,
        allow_reordering,
        resend_unknown,
        fail_on_data_loss,
        fail_on_cluster_change,
        max_in_flight,
        retries,
        linger,
        batch_size,
        batch_records,
        record_max,
        request_max,
        codec,
        level,
        gzip_level,
        zstd_level,
        any_level,
        delivery_timeout,
        request_timeout,
        max_block,
        retry_backoff,
        retry_backoff_max,
        reconnect_backoff,
        reconnect_backoff_max,
        connect_timeout,
        idle_timeout,
        metadata_max_age,
        metadata_max_idle,
        unknown_topic_timeout,
        topics_max,
        old_record_age,
        auto_create_topics,
        response_max,
        buffer_memory,
        buffer_records,
        send_buffer,
        receive_buffer,
        keepalive,
        family,
        partitioner,
        connector: _,
        written: _,
        problems: _,
        ignored: _,
        ignore_unsupported: _,
    } = &PartialConfig::default();
    vec![
        kind(bootstrap),
        kind(client_id),
        kind(acks),
        kind(idempotence),
        kind(allow_reordering),
        kind(resend_unknown),
        kind(fail_on_data_loss),
        kind(fail_on_cluster_change),
        kind(max_in_flight),
        kind(retries),
        kind(linger),
        kind(batch_size),
        kind(batch_records),
        kind(record_max),
        kind(request_max),
        kind(codec),
        kind(level),
        kind(gzip_level),
        kind(zstd_level),
        kind(any_level),
        kind(delivery_timeout),
        kind(request_timeout),
        kind(max_block),
        kind(retry_backoff),
        kind(retry_backoff_max),
        kind(reconnect_backoff),
        kind(reconnect_backoff_max),
        kind(connect_timeout),
        kind(idle_timeout),
        kind(metadata_max_age),
        kind(metadata_max_idle),
        kind(unknown_topic_timeout),
        kind(topics_max),
        kind(old_record_age),
        kind(auto_create_topics),
        kind(response_max),
        kind(buffer_memory),
        kind(buffer_records),
        kind(send_buffer),
        kind(receive_buffer),
        kind(keepalive),
        kind(family),
        kind(partitioner),
    ]
}

fn number_setter(limit: &NumberLimit) -> &'static str {
    (limit.setting)(&PartialConfig::default()).setter()
}

fn time_setter(limit: &TimeLimit) -> &'static str {
    (limit.setting)(&PartialConfig::default()).0
}

#[test]
fn every_number_and_every_time_has_its_limits() {
    let of = |kind| {
        let settings = kinds().into_iter().filter(move |&(_, k)| k == kind);
        settings.map(|(name, _)| name).collect::<BTreeSet<_>>()
    };
    assert_eq!(
        of(Kind::Number),
        NUMBERS.iter().map(number_setter).collect()
    );
    assert_eq!(of(Kind::Time), TIMES.iter().map(time_setter).collect());
}

/// A setter that takes a number, a time, or something else.
enum Setter {
    Number(fn(ProducerBuilder, usize) -> ProducerBuilder),
    Time(fn(ProducerBuilder, Duration) -> ProducerBuilder),
    Other,
}

/// Every setter of the builder.
const SETTERS: &[(&str, Setter)] = &[
    ("bootstrap", Setter::Other),
    ("client_id", Setter::Other),
    ("acks", Setter::Other),
    ("idempotence", Setter::Other),
    ("allow_reordering", Setter::Other),
    ("resend_unknown", Setter::Other),
    ("fail_on_data_loss", Setter::Other),
    ("fail_on_cluster_change", Setter::Other),
    (
        "max_in_flight",
        Setter::Number(ProducerBuilder::max_in_flight),
    ),
    ("retries", Setter::Other),
    ("linger", Setter::Time(ProducerBuilder::linger)),
    (
        "linger_adaptive",
        Setter::Time(ProducerBuilder::linger_adaptive),
    ),
    ("batch_size", Setter::Number(ProducerBuilder::batch_size)),
    (
        "batch_records",
        Setter::Number(ProducerBuilder::batch_records),
    ),
    ("record_max", Setter::Number(ProducerBuilder::record_max)),
    ("request_max", Setter::Number(ProducerBuilder::request_max)),
    ("compression", Setter::Other),
    (
        "delivery_timeout",
        Setter::Time(ProducerBuilder::delivery_timeout),
    ),
    (
        "request_timeout",
        Setter::Time(ProducerBuilder::request_timeout),
    ),
    ("max_block", Setter::Time(ProducerBuilder::max_block)),
    ("retry_backoff", Setter::Time(|b, t| b.retry_backoff(t, t))),
    (
        "reconnect_backoff",
        Setter::Time(|b, t| b.reconnect_backoff(t, t)),
    ),
    (
        "connect_timeout",
        Setter::Time(ProducerBuilder::connect_timeout),
    ),
    ("idle_timeout", Setter::Time(ProducerBuilder::idle_timeout)),
    (
        "unknown_topic_timeout",
        Setter::Time(ProducerBuilder::unknown_topic_timeout),
    ),
    (
        "metadata_max_age",
        Setter::Time(ProducerBuilder::metadata_max_age),
    ),
    (
        "metadata_max_idle",
        Setter::Time(ProducerBuilder::metadata_max_idle),
    ),
    ("topics_max", Setter::Number(ProducerBuilder::topics_max)),
    (
        "old_record_age",
        Setter::Time(ProducerBuilder::old_record_age),
    ),
    ("auto_create_topics", Setter::Other),
    (
        "response_max",
        Setter::Number(ProducerBuilder::response_max),
    ),
    (
        "buffer_memory",
        Setter::Number(ProducerBuilder::buffer_memory),
    ),
    (
        "buffer_records",
        Setter::Number(ProducerBuilder::buffer_records),
    ),
    ("keepalive", Setter::Other),
    ("send_buffer", Setter::Number(ProducerBuilder::send_buffer)),
    (
        "receive_buffer",
        Setter::Number(ProducerBuilder::receive_buffer),
    ),
    ("address_family", Setter::Other),
    ("partitioner", Setter::Other),
    ("connector", Setter::Other),
    ("property", Setter::Other),
    ("ignore_unsupported_properties", Setter::Other),
];

#[test]
fn every_setter_has_a_row() {
    let source = include_str!("../builder.rs");
    let setters = source.lines().filter_map(|line| {
        let (name, rest) = line
            .trim()
            .strip_prefix("pub fn ")?
            .split_once(['(', '<'])?;
        rest.contains("mut self").then_some(name)
    });
    let setters: BTreeSet<_> = setters.collect();
    assert!(setters.len() > 30, "{setters:?}");
    assert_eq!(setters, SETTERS.iter().map(|(name, _)| *name).collect());
}

fn start() -> ProducerBuilder {
    ProducerBuilder::new().bootstrap("one:1")
}

/// It is taken, or refused by problems that name the setting and the value, and say what to try.
fn is_taken(name: &str, value: &str, built: Result<Settings, ConfigError>) -> bool {
    let Err(error) = built else { return true };
    for problem in error.problems() {
        let said = problem.to_string();
        let kind = problem.kind();
        assert_ne!(kind, ConfigProblemKind::Unknown, "{name}={value}: {said}");
        let is_named = problem.setting().starts_with(name);
        let is_among = || problem.conflicts_with().any(|(other, _)| other == name);
        assert!(is_named || is_among(), "{name}={value}: {said}");
        if is_named {
            assert_eq!(problem.value(), Some(value), "{name}={value}: {said}");
        }
        assert!(!problem.trouble().is_empty(), "{name}={value}: {said}");
        assert!(problem.remedy().len() > 5, "{name}={value}: {said}");
        assert_eq!(said.lines().count(), 1, "{said}");
        assert!(said.chars().count() < 400, "{said}");
    }
    false
}

/// Where a number may change from being taken to being refused, and beyond.
fn numbers(limit: &NumberLimit) -> BTreeSet<usize> {
    let (least, most) = (limit.least, limit.most);
    [
        0,
        1,
        least,
        most,
        usize::MAX,
        i32::MAX as usize,
        u32::MAX as usize,
    ]
    .into_iter()
    .chain([least.saturating_sub(1), most.saturating_add(1)])
    .collect()
}

fn times(limit: &TimeLimit) -> BTreeSet<Duration> {
    let (least, most) = (limit.least, limit.most);
    let (ns, ms) = (Duration::from_nanos(1), Duration::from_millis(1));
    [Duration::ZERO, ns, ms, least, most, Duration::MAX]
        .into_iter()
        .chain([least.saturating_sub(ns), most.saturating_add(ns)])
        .chain([ms * u32::MAX, Duration::from_secs(u64::MAX / 2)])
        .collect()
}

fn may_be(limit: &TimeLimit, time: Duration) -> bool {
    (limit.least..=limit.most).contains(&time) || (time.is_zero() && limit.zero.is_some())
}

/// The limits of a setter: `linger_adaptive` has those of `linger`.
fn limits<L>(of: &'static [L], setter_of: fn(&L) -> &'static str, setter: &str) -> &'static L {
    let setter = setter
        .split([' '])
        .next()
        .unwrap()
        .trim_end_matches("_adaptive");
    let limit = of.iter().find(|limit| setter_of(limit) == setter);
    limit.unwrap_or_else(|| panic!("{setter} has no limits"))
}

#[test]
fn each_number_and_time_is_taken_within_its_limits_and_refused_by_its_setters_name_beyond() {
    use downpour_core::time::Readable;

    for (name, setter) in SETTERS {
        match setter {
            Setter::Number(set) => {
                let limit = limits(NUMBERS, number_setter, name);
                for value in numbers(limit) {
                    let built = set(start(), value).resolve();
                    let taken = is_taken(name, &value.to_string(), built);
                    let expected = (limit.least..=limit.most).contains(&value);
                    assert_eq!(taken, expected, "{name}({value})");
                }
            }
            Setter::Time(set) => {
                let limit = limits(TIMES, time_setter, name);
                for value in times(limit) {
                    let built = set(start(), value).resolve();
                    let name = name.trim_end_matches("_adaptive");
                    let taken = is_taken(name, &Readable(value).to_string(), built);
                    assert_eq!(taken, may_be(limit, value), "{name}({value:?})");
                }
            }
            Setter::Other => {}
        }
    }
}

/// What no setting takes, or only some.
fn texts() -> Vec<String> {
    let mut texts: Vec<String> = [
        "-1",
        "-2",
        "-9223372036854775808",
        "0",
        "1",
        "2",
        "0.5",
        "1e400",
        "1e-400",
        "NaN",
        "inf",
        "",
        "x",
        "true",
        "false",
        "+1",
        "0x10",
        "1 ms",
        "1_000",
        "a\u{0}b",
        "ä",
        "=",
        "\"",
        "null",
        "2147483647",
        "2147483648",
        "4294967295",
        "4294967296",
        "9223372036854775807",
        "18446744073709551615",
        "18446744073709551616",
        "none",
        "all",
        "any",
    ]
    .map(String::from)
    .to_vec();
    texts.push("9".repeat(5000));
    texts
}

#[test]
fn every_property_takes_a_text_or_refuses_it_by_its_own_name() {
    let mut taken = 0;
    for (name, _) in working() {
        for text in texts() {
            let built = start().property(name, &text).resolve();
            taken += usize::from(is_taken(name, &text, built));
        }
    }
    assert!(taken > 250, "{taken}");
}

#[test]
fn a_property_takes_the_numbers_and_times_that_its_setter_takes() {
    let mut compared = 0;
    for (name, setter) in working() {
        let built = |text: &str| is_taken(name, text, start().property(name, text).resolve());
        let kind = kinds().into_iter().find(|(known, _)| *known == setter);
        match kind.map(|(_, kind)| kind) {
            Some(Kind::Number) => {
                let limit = limits(NUMBERS, number_setter, setter);
                let unit = if name.ends_with(".kbytes") { 1024 } else { 1 };
                // librdkafka's words for no limit and for the kernel's choice.
                let has_zero = limit.least == 0 || name == "queue.buffering.max.messages";
                for value in numbers(limit) {
                    let expected = match value {
                        0 => has_zero,
                        _ => value
                            .checked_mul(unit)
                            .is_some_and(|value| (limit.least..=limit.most).contains(&value)),
                    };
                    assert_eq!(built(&value.to_string()), expected, "{name}={value}");
                    compared += 1;
                }
            }
            Some(Kind::Time) => {
                let limit = limits(TIMES, time_setter, setter);
                let whole = times(limit).into_iter().map(|time| time.as_millis());
                let whole: BTreeSet<_> = whole.filter(|ms| u64::try_from(*ms).is_ok()).collect();
                for ms in whole {
                    let time = Duration::from_millis(ms as u64);
                    // librdkafka's word for no limit.
                    let is_word = name == "message.timeout.ms" && ms == 0;
                    let expected = is_word || may_be(limit, time);
                    assert_eq!(built(&ms.to_string()), expected, "{name}={ms}");
                    compared += 1;
                }
            }
            _ => {}
        }
    }
    assert!(compared > 150, "{compared}");
}

/// A property takes the texts that the type takes, but for its own words.
fn agrees<T: FromStr>(property: &str, words: &[&str], prefix: &str, more: &[&str]) {
    let more = more.iter().map(|text| (*text).to_owned());
    for text in texts().into_iter().chain(more) {
        if words.contains(&&*text) || text.contains('\u{0}') {
            continue;
        }
        let built = start().property(property, &text).resolve();
        let taken = is_taken(property, &text, built);
        let parsed = format!("{prefix}{text}").parse::<T>().is_ok();
        assert_eq!(taken, parsed, "{property}={text}");
    }
}

#[test]
fn a_property_takes_the_texts_that_its_type_is_read_from() {
    agrees::<Acks>("acks", &[], "", &["ALL", "All"]);
    agrees::<Acks>("request.required.acks", &[], "", &[]);
    let codecs = ["gzip", "GZIP", "snappy", "lz4", "brotli", "gzip:9"];
    agrees::<CompressionType>("compression.type", &[], "", &codecs);
    agrees::<CompressionType>("compression.codec", &["inherit"], "", &codecs);
    agrees::<AddressFamily>("broker.address.family", &[], "", &["V4", "v6", "v5"]);
    let levels = ["9", "10", "22", "23", "-131072", "-131073"];
    // A type has no word for the usual level.
    agrees::<Compression>("compression.gzip.level", &["-1"], "gzip:", &levels);
    agrees::<Compression>("compression.zstd.level", &[], "zstd:", &levels);
}

#[test]
fn a_broker_is_taken_if_it_can_be_read_as_an_address() {
    let more = [
        "a:1", "[::1]:1", "[host]:1", "[::1", "::1:1", "a b:1", "a:0", "a:1:2", ":1", "a[:1",
    ];
    let mut taken = 0;
    for text in texts().into_iter().chain(more.map(String::from)) {
        let parsed = text.parse::<Address>().is_ok();
        let by_setter = ProducerBuilder::new().bootstrap(&text).resolve();
        let by_property = ProducerBuilder::new().property("bootstrap.servers", &text);
        let by_property = is_taken("bootstrap.servers", &text, by_property.resolve());
        assert_eq!(is_taken("bootstrap", &text, by_setter), parsed, "{text}");
        assert_eq!(by_property, parsed, "{text}");
        taken += usize::from(parsed);
    }
    assert_eq!(taken, 2);
}

#[test]
fn every_default_is_within_its_limits_and_told_as_it_is() {
    let settings = start().resolve().unwrap();
    let core = &settings.core;
    let told: Vec<_> = TIMES.iter().map(|limit| limit.default).collect();
    let of = |time: Duration| downpour_core::time::Readable(time).to_string();
    let held = [
        core.linger.duration(),
        core.delivery_timeout,
        core.request_timeout,
        settings.max_block,
        core.retry_backoff.0,
        core.retry_backoff.1,
        core.reconnect_backoff.0,
        core.reconnect_backoff.1,
        core.connect_timeout,
        core.idle_timeout,
        core.metadata_max_age,
        core.metadata_max_idle,
        core.unknown_topic_timeout,
        core.old_record_age,
    ];
    assert_eq!(told, held.map(of));
    let mib = |bytes: usize| match bytes >> 20 {
        0 => format!("{} KiB", bytes >> 10),
        mib => format!("{mib} MiB"),
    };
    let told: Vec<_> = NUMBERS.iter().map(|limit| limit.default).collect();
    let held = [
        core.max_in_flight.to_string(),
        mib(core.batch_size),
        "no limit".into(),
        mib(core.batch_max),
        mib(core.request_max),
        mib(core.response_max),
        mib(settings.buffer_memory),
        "no limit".into(),
        settings.topics_max.to_string(),
        "the kernel's choice".into(),
        "the kernel's choice".into(),
    ];
    assert_eq!(told, held);
}
