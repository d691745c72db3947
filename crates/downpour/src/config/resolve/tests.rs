//! Facts about limits, defaults and contradictions.

use std::time::Duration;

use downpour_core::config::{Acks, Linger};
use downpour_wire::codec::CompressionType;

use crate::config::partial::PartialConfig;
use crate::config::settings::Settings;

fn partial() -> PartialConfig {
    PartialConfig::of("one:9092")
}

fn good(change: impl FnOnce(&mut PartialConfig)) -> Settings {
    let mut partial = partial();
    change(&mut partial);
    super::settings(partial).unwrap()
}

fn bad(change: impl FnOnce(&mut PartialConfig)) -> String {
    let mut partial = partial();
    change(&mut partial);
    super::settings(partial).unwrap_err().to_string()
}

#[test]
fn defaults_are_java_s_but_for_those_that_the_builder_names() {
    let settings = good(|_| {});
    assert_eq!(settings.buffer_memory, 64 << 20);
    assert_eq!(settings.max_block, Duration::from_secs(60));
    assert!(settings.core.idempotence);
    assert_eq!(settings.core.acks, Acks::All);
    assert_eq!(
        settings.core.linger,
        Linger::Adaptive(Duration::from_millis(5))
    );
    assert_eq!(
        (settings.core.batch_size, settings.core.batch_max),
        (64 << 10, 1 << 20)
    );
}

#[test]
fn fewer_acks_switch_idempotence_off_unless_it_was_asked_for() {
    assert!(!good(|d| d.acks.set(Acks::Leader)).core.idempotence);
    let said = bad(|d| {
        d.acks.set(Acks::Leader);
        d.idempotence.set(true);
    });
    assert!(said.contains("acks=1 with idempotence"), "{said}");
}

#[test]
fn a_delivery_timeout_below_one_attempt_is_a_contradiction_only_if_it_was_said() {
    let said = bad(|d| {
        d.delivery_timeout.set(Duration::from_secs(30));
        d.request_timeout.set(Duration::from_secs(30));
    });
    assert!(said.contains("delivery_timeout=30 s"), "{said}");
    let raised = good(|d| d.request_timeout.set(Duration::from_secs(200)));
    assert_eq!(raised.core.delivery_timeout, Duration::from_millis(200_005));
}

#[test]
fn more_than_five_in_flight_are_refused() {
    assert!(bad(|d| d.max_in_flight.set(6)).contains("1 to 5"));
    assert!(bad(|d| d.max_in_flight.set(0)).contains("1 to 5"));
}

#[test]
fn sizes_that_contradict_each_other_are_refused_and_defaults_give_way() {
    let said = bad(|d| {
        d.batch_size.set(2 << 20);
        d.record_max.set(1 << 20);
    });
    assert!(said.contains("batch_size"), "{said}");
    assert_eq!(good(|d| d.batch_size.set(2 << 20)).core.batch_max, 2 << 20);
    assert_eq!(good(|d| d.record_max.set(1000)).core.batch_size, 1000);
    assert_eq!(
        good(|d| d.record_max.set(16 << 20)).core.request_max,
        16 << 20
    );
    assert_eq!(good(|d| d.batch_size.set(0)).core.batch_size, 1);
}

#[test]
fn bootstrap_addresses_are_read_or_refused_one_by_one() {
    let settings = good(|d| d.bootstrap.set(" a:1, [::1]:2 ,PLAINTEXT://b:3,".into()));
    let read: Vec<String> = settings
        .core
        .bootstrap
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(read, ["a:1", "[::1]:2", "b:3"]);
    for (text, trouble) in [
        ("", "at least one broker"),
        ("host", "no port"),
        ("host:", "no port;"),
        ("host:99999", "1 to 65535"),
        (":9092", "no host"),
        ("::1:9092", "[address]:port"),
        ("SSL://a:1", "only PLAINTEXT"),
        ("a b:1", "character"),
        ("a:9092;b:9092", "separate brokers by commas"),
        ("a:1 b:2", "separate brokers by commas"),
        ("h:+9092", "is no port"),
        ("u@h:9092", "no name before the host"),
    ] {
        let said = bad(|d| d.bootstrap.set(text.into()));
        let expected = if text == "host:" {
            "is no port"
        } else {
            trouble
        };
        assert!(said.contains(expected), "{text:?}: {said}");
    }
}

#[test]
fn every_problem_is_told_at_once() {
    let mut partial = partial();
    partial.bootstrap.forget();
    partial.max_in_flight.set(9);
    partial.delivery_timeout.set(Duration::ZERO);
    let error = super::settings(partial).unwrap_err();
    assert_eq!(error.problems().len(), 3, "{error}");
}

#[test]
fn a_level_counts_for_its_own_codec_only() {
    let gzip = good(|d| {
        d.codec.set(CompressionType::Gzip);
        d.gzip_level.set(9);
        d.zstd_level.set(22);
    });
    assert_eq!(gzip.core.compression.level(), Some(9));
    let said = bad(|d| {
        d.codec.set(CompressionType::Lz4);
        d.level.set(3);
    });
    assert!(said.contains("no level 3"), "{said}");
}

#[cfg(not(feature = "zstd"))]
#[test]
fn a_codec_that_is_not_in_the_build_names_its_feature() {
    let mut partial = partial();
    partial.codec.set(CompressionType::Zstd);
    let error = super::settings(partial).unwrap_err();
    assert!(matches!(
        &error.problems()[0],
        crate::error::config::ConfigProblem::Invalid { .. }
    ));
    assert!(error.to_string().contains("feature `zstd`"), "{error}");
}

#[test]
fn no_idle_timeout_is_never_and_a_short_one_leaves_time_for_a_record() {
    let idle = |time| good(|d| d.idle_timeout.set(time)).core.idle_timeout;
    assert!(idle(Duration::ZERO) > Duration::from_secs(365 * 24 * 3600));
    assert_eq!(idle(Duration::from_nanos(1)), Duration::from_secs(1));
}

#[test]
fn a_batch_is_not_planned_larger_than_all_the_memory() {
    let settings = good(|d| d.buffer_memory.set(4000));
    assert_eq!(
        (settings.core.batch_size, settings.buffer_memory),
        (4000, 4000)
    );
}

#[test]
fn a_bound_on_records_that_memory_keeps_anyway_is_none() {
    let of = |records| {
        let settings = good(|d| {
            d.buffer_memory.set(1000);
            d.buffer_records.set(records);
        });
        (settings.core.record_share, settings.buffer_memory)
    };
    assert_eq!(
        [of(1), of(3), of(200)],
        [(1000, 1000), (333, 999), (0, 1000)]
    );
}

#[test]
fn times_are_bounded_so_that_deadlines_can_be_computed() {
    let settings = good(|d| {
        d.max_block.set(Duration::MAX);
        d.linger
            .set(Linger::Fixed(Duration::from_secs(u64::MAX / 2)));
        d.request_timeout.set(Duration::from_millis(1));
        d.retry_backoff.set(Duration::ZERO);
        d.reconnect_backoff_max.set(Duration::ZERO);
    });
    let now = std::time::Instant::now();
    assert!(now.checked_add(settings.core.delivery_timeout).is_some());
    assert!(now.checked_add(settings.max_block).is_some());
    assert!(settings.core.retry_backoff.0 >= Duration::from_millis(1));
    assert_eq!(settings.core.reconnect_backoff.1, Duration::from_millis(1));
}
