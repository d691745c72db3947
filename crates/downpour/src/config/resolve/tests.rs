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
    assert!(said.contains("acks=1 with idempotence=true"), "{said}");
}

#[test]
fn a_delivery_timeout_below_one_attempt_is_a_contradiction_only_if_it_was_said() {
    let said = bad(|d| {
        d.delivery_timeout.set(Duration::from_secs(30));
        d.request_timeout.set(Duration::from_secs(30));
    });
    assert!(
        said.contains("delivery_timeout=30 s with linger=5 ms and request_timeout=30 s"),
        "{said}"
    );
    let raised = good(|d| d.request_timeout.set(Duration::from_secs(200)));
    assert_eq!(raised.core.delivery_timeout, Duration::from_millis(200_005));
}

#[test]
fn more_than_five_in_flight_are_refused() {
    assert!(bad(|d| d.max_in_flight.set(6)).contains("use 5 or less"));
    assert!(bad(|d| d.max_in_flight.set(0)).contains("use 1 or more"));
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
    let small = good(|d| d.request_max.set(1000)).core;
    assert_eq!((small.batch_max, small.batch_size), (1000, 1000));
    let said = bad(|d| {
        d.request_max.set(1000);
        d.batch_size.set(1001);
    });
    let expected = "request_max=1000 with batch_size=1001: a request must be able to hold a full";
    assert!(said.contains(expected), "{said}");
    let said = bad(|d| {
        d.request_max.set(1000);
        d.record_max.set(1001);
    });
    assert!(
        said.contains("request_max=1000 with record_max=1001"),
        "{said}"
    );
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
        ("host:", "no port"),
        ("host:99999", "1 to 65535"),
        (":9092", "no host"),
        ("::1:9092", "[address]:port"),
        ("SSL://a:1", "use a PLAINTEXT listener"),
        ("a b:1", "character"),
        ("a:9092;b:9092", "separate brokers by commas"),
        ("a:1 b:2", "separate brokers by commas"),
        ("h:+9092", "is no port"),
        ("u@h:9092", "no name or password before the host"),
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
    assert!(error.to_string().contains("feature `zstd`"), "{error}");
}

#[test]
fn no_idle_timeout_is_never_and_one_that_leaves_no_time_for_a_record_is_refused() {
    let idle = |time| good(|d| d.idle_timeout.set(time)).core.idle_timeout;
    assert!(idle(Duration::ZERO) > Duration::from_secs(365 * 24 * 3600));
    assert_eq!(idle(Duration::from_secs(1)), Duration::from_secs(1));
    let said = bad(|d| d.idle_timeout.set(Duration::from_millis(999)));
    assert!(said.contains("use 1 s or more, 0 for never"), "{said}");
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
fn what_could_never_work_is_refused_with_what_to_try() {
    let ms = Duration::from_millis;
    let day = Duration::from_secs(24 * 3600);
    type Case = (fn(&mut PartialConfig), &'static str);
    let cases: [Case; 8] = [
        (
            |d| d.linger.set(Linger::Fixed(Duration::MAX)),
            "use 24 h or less, or leave it out for 5 ms",
        ),
        (
            |d| d.linger.set_as("linger.ms", Linger::Fixed(Duration::MAX)),
            "use 86400000 (24 h) or less",
        ),
        (
            |d| d.delivery_timeout.set(Duration::from_nanos(1)),
            "delivery_timeout=1 ns: no record is delivered in so short a time; use 1 ms or more, or \
             leave it out for 120 s",
        ),
        (
            |d| d.metadata_max_age.set(Duration::from_millis(99)),
            "metadata_max_age=99 ms: brokers would be asked again and again; use 100 ms or more",
        ),
        (
            |d| d.retry_backoff.set(Duration::ZERO),
            "retry_backoff=0 s: without a pause",
        ),
        (|d| d.buffer_memory.set(1), "use 1024 or more"),
        (|d| d.buffer_memory.set(1023), "use 1024 or more"),
        (
            |d| d.buffer_memory.set_as("queue.buffering.max.kbytes", 0),
            "use 1 or more",
        ),
    ];
    for (set, expected) in cases {
        let said = bad(set);
        assert!(said.contains(expected), "{said}");
    }
    let held = good(|d| {
        d.linger.set(Linger::Fixed(day));
        d.metadata_max_age.set(ms(100));
        d.request_timeout.set(ms(1));
        d.buffer_memory.set(1024);
    });
    assert_eq!(held.core.linger, Linger::Fixed(day));
    assert_eq!(held.core.delivery_timeout, day + ms(1));
    assert_eq!(held.core.metadata_max_age, ms(100));
    assert_eq!(held.buffer_memory, 1024);
}

#[test]
fn memory_below_a_batch_is_a_contradiction_only_if_both_were_said() {
    let said = bad(|d| {
        d.buffer_memory.set(60_000);
        d.batch_size.set(64 << 10);
    });
    let expected = "buffer_memory=60000 with batch_size=65536: a full batch would not fit; raise";
    assert!(said.contains(expected), "{said}");
    // What a default holds gives way.
    assert_eq!(good(|d| d.record_max.set(1 << 30)).buffer_memory, 1 << 30);
    assert_eq!(good(|d| d.batch_size.set(1 << 30)).buffer_memory, 1 << 30);
    // A record of the largest size does not fit, and smaller ones do.
    let small = good(|d| {
        d.buffer_memory.set(60_000);
        d.record_max.set(1 << 20);
    });
    assert_eq!(
        (small.buffer_memory, small.core.batch_size),
        (60_000, 60_000)
    );
}

#[test]
fn a_bound_on_records_that_memory_keeps_anyway_is_none() {
    let of = |records| {
        let settings = good(|d| {
            d.buffer_memory.set(1024);
            d.buffer_records.set(records);
        });
        (settings.core.record_share, settings.buffer_memory)
    };
    assert_eq!(
        [of(1), of(3), of(200)],
        [(1024, 1024), (341, 1023), (0, 1024)]
    );
}

#[test]
fn times_are_bounded_so_that_deadlines_can_be_computed() {
    let settings = good(|d| {
        d.max_block.set(Duration::MAX);
        d.linger.set(Linger::Fixed(Duration::from_secs(24 * 3600)));
        d.request_timeout.set(Duration::MAX);
        d.retry_backoff.set(Duration::MAX);
        d.reconnect_backoff_max.set(Duration::from_millis(1));
    });
    let now = std::time::Instant::now();
    assert!(now.checked_add(settings.core.delivery_timeout).is_some());
    assert!(now.checked_add(settings.max_block).is_some());
    assert!(now.checked_add(settings.core.retry_backoff.1 * 2).is_some());
    assert_eq!(settings.core.reconnect_backoff.1, Duration::from_millis(1));
}
