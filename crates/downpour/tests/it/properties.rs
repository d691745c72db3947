//! Settings by Kafka's names, and the least and the largest value of every setting: what a built
//! producer does with them.

use std::collections::HashSet;
use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use downpour::{ConfigError, ConfigProblemKind, ErrorKind, Producer, ProducerBuilder, Record};
use downpour_fake::{ApiKey, Fault};

use crate::setup::{PATIENCE, builder, cluster, quick, small_cluster, until};

/// All names there are, as the library's own tests have them.
fn names() -> HashSet<&'static str> {
    let lists = [
        include_str!("../../src/config/properties/java.txt"),
        include_str!("../../src/config/properties/librdkafka.txt"),
    ];
    let lines = lists.into_iter().flat_map(str::lines);
    let lines = lines.filter(|line| !line.starts_with('#'));
    lines.filter_map(|line| line.split(' ').next()).collect()
}

/// What a record may come to under a time so short that it keeps records out.
fn keeps_out(setting: &str) -> bool {
    [
        "delivery.timeout.ms",
        "message.timeout.ms",
        "delivery_timeout",
        "max.block.ms",
        "metadata.fetch.timeout.ms",
        "max_block",
        // The fake may take longer than a millisecond to answer, again and again.
        "request.timeout.ms",
        "socket.timeout.ms",
        "timeout.ms",
        "request_timeout",
        "socket.connection.setup.timeout.ms",
        "connect_timeout",
    ]
    .contains(&setting)
}

/// Sends a record by a producer that was built with this setting, and flushes.
fn send(producer: &Producer, setting: &str) {
    let producer = producer.blocking();
    let sent = producer.produce_async(Record::to("events").key("k").value("v"));
    let left = if keeps_out(setting) {
        producer.close_within(Duration::ZERO)
    } else {
        producer.flush();
        producer.close_within(Duration::from_secs(60))
    };
    drop(left);
    match sent {
        Ok(delivery) => {
            let end = delivery.wait();
            assert!(end.is_ok() || keeps_out(setting), "{setting}: {end:?}");
        }
        Err(error) => assert!(keeps_out(setting), "{setting}: {error}"),
    }
}

/// The producer works, or every problem names the setting and says what to try.
fn try_out(setting: &str, built: Result<Producer, ConfigError>) -> bool {
    match built {
        Ok(producer) => {
            send(&producer, setting);
            true
        }
        Err(error) => {
            for problem in error.problems() {
                let is_among = problem.conflicts_with().any(|(name, _)| name == setting);
                let is_named = problem.setting().starts_with(setting) || is_among;
                assert!(is_named, "{setting}: {problem}");
                assert!(!problem.remedy().is_empty(), "{setting}: {problem}");
                assert_ne!(problem.kind(), ConfigProblemKind::Unknown, "{problem}");
            }
            false
        }
    }
}

/// Zero, one, whatever is the least or the largest of some setting, and the largest there is.
const NUMBERS: [usize; 10] = [
    0,
    1,
    2,
    5,
    128,
    1000,
    1024,
    1 << 30,
    i32::MAX as usize,
    usize::MAX,
];

#[test]
fn zero_one_and_the_largest_value_of_every_property_work_or_are_refused_by_name() {
    let cluster = small_cluster();
    let mut works = 0;
    for name in names() {
        let numbers = NUMBERS.map(|number| number.to_string());
        for value in numbers.into_iter().chain(["86400000".into(), "-1".into()]) {
            let builder = Producer::builder(cluster.bootstrap_servers());
            let built = builder.property(name, &value).build();
            works += usize::from(try_out(name, built));
        }
    }
    assert!(works > 400, "{works}");
}

type Set<T> = fn(ProducerBuilder, T) -> ProducerBuilder;

/// The builder's setters of one value of this type, as its source has them.
fn setters_of(types: &str) -> HashSet<&'static str> {
    let source = include_str!("../../src/builder.rs");
    let setters = source.lines().filter_map(|line| {
        let (name, rest) = line
            .trim()
            .strip_prefix("pub fn ")?
            .split_once("(mut self, ")?;
        let (_, argument) = rest.split_once(')')?.0.split_once(": ")?;
        (argument == types).then_some(name)
    });
    setters.collect()
}

#[test]
fn zero_one_and_the_largest_value_of_every_setter_work_or_are_refused_by_name() {
    let cluster = small_cluster();
    let start = || Producer::builder(cluster.bootstrap_servers());
    let numbers: [(&str, Set<usize>); 11] = [
        ("max_in_flight", ProducerBuilder::max_in_flight),
        ("batch_size", ProducerBuilder::batch_size),
        ("batch_records", ProducerBuilder::batch_records),
        ("record_max", ProducerBuilder::record_max),
        ("request_max", ProducerBuilder::request_max),
        ("response_max", ProducerBuilder::response_max),
        ("buffer_memory", ProducerBuilder::buffer_memory),
        ("buffer_records", ProducerBuilder::buffer_records),
        ("topics_max", ProducerBuilder::topics_max),
        ("send_buffer", ProducerBuilder::send_buffer),
        ("receive_buffer", ProducerBuilder::receive_buffer),
    ];
    assert_eq!(setters_of("usize"), numbers.map(|(name, _)| name).into());
    for (setter, set) in numbers {
        let works = NUMBERS.map(|value| try_out(setter, set(start(), value).build()));
        assert!(works.contains(&true), "{setter}");
    }
    let times: [(&str, Set<Duration>); 11] = [
        ("linger", ProducerBuilder::linger),
        ("linger_adaptive", ProducerBuilder::linger_adaptive),
        ("delivery_timeout", ProducerBuilder::delivery_timeout),
        ("request_timeout", ProducerBuilder::request_timeout),
        ("max_block", ProducerBuilder::max_block),
        ("connect_timeout", ProducerBuilder::connect_timeout),
        ("idle_timeout", ProducerBuilder::idle_timeout),
        ("metadata_max_age", ProducerBuilder::metadata_max_age),
        ("metadata_max_idle", ProducerBuilder::metadata_max_idle),
        (
            "unknown_topic_timeout",
            ProducerBuilder::unknown_topic_timeout,
        ),
        ("old_record_age", ProducerBuilder::old_record_age),
    ];
    let both: [(&str, Set<Duration>); 2] = [
        ("retry_backoff", |b, t| b.retry_backoff(t, t)),
        ("reconnect_backoff", |b, t| b.reconnect_backoff(t, t)),
    ];
    let single: HashSet<_> = times.map(|(name, _)| name).into();
    let listed = setters_of("Duration");
    let but_for_ages: HashSet<_> = listed.difference(&single).collect();
    assert!(but_for_ages.is_empty(), "{but_for_ages:?}");
    assert_eq!(
        setters_of("Duration, largest: Duration"),
        both.map(|(n, _)| n).into()
    );
    for (setter, set) in times.into_iter().chain(both) {
        let ms = Duration::from_millis(1);
        let [day, ns] = [Duration::from_secs(86_400), Duration::from_nanos(1)];
        for value in [
            Duration::ZERO,
            ns,
            ms,
            ms * 100,
            ms * 1000,
            day,
            Duration::MAX,
        ] {
            let name = setter.trim_end_matches("_adaptive");
            let works = try_out(name, set(start(), value).build());
            assert!(works || value != day, "{setter} of a day");
        }
    }
    for retries in [0, 1, u32::MAX] {
        assert!(try_out("retries", start().retries(retries).build()));
    }
    assert_eq!(setters_of("u32"), ["retries"].into());
    for on in [false, true] {
        try_out("acks", start().idempotence(on).build());
        try_out("keepalive", start().keepalive(on).build());
    }
    for family in ["any", "v4"] {
        try_out(
            "address_family",
            start().address_family(family.parse().unwrap()).build(),
        );
    }
}

#[test]
fn a_batch_that_lingers_for_a_day_leaves_when_it_is_flushed() {
    let cluster = small_cluster();
    let day = Duration::from_secs(86_400);
    let producer = builder(&cluster).linger(day).build().unwrap().blocking();
    let delivery = producer.send(Record::to("events").value("v")).unwrap();
    producer.flush();
    assert_eq!(cluster.record_count("events"), 1);
    assert_eq!(delivery.wait().unwrap().offset(), Some(0));
}

#[test]
fn many_records_go_through_the_least_memory_that_is_taken() {
    let cluster = cluster();
    let producer = builder(&cluster).buffer_memory(1024).max_block(PATIENCE);
    let producer = producer.build().unwrap().blocking();
    let sent: Vec<_> = (0..200)
        .map(|i| {
            producer
                .send(Record::to("events").value(format!("{i}")))
                .unwrap()
        })
        .collect();
    for delivery in sent {
        delivery.wait().unwrap();
    }
    let error = producer
        .send(Record::to("events").value("v".repeat(2000)))
        .unwrap_err();
    assert!(error.is_too_large());
    assert!(
        error.to_string().contains("buffer_memory has 1024"),
        "{error}"
    );
}

#[test]
fn what_is_said_at_run_time_names_the_setting_as_the_caller_did() {
    let cluster = small_cluster();
    cluster.fault(Fault::hang().on(ApiKey::Produce).always());
    type Way = (&'static [(&'static str, &'static str)], [&'static str; 3]);
    let ways: [Way; 4] = [
        (&[], ["buffer_memory", "max_block", "record_max"]),
        (
            &[
                ("buffer.memory", "65536"),
                ("max.block.ms", "1"),
                ("max.request.size", "20000"),
            ],
            ["buffer.memory", "max.block.ms", "max.request.size"],
        ),
        (
            &[
                ("queue.buffering.max.kbytes", "64"),
                ("metadata.fetch.timeout.ms", "1"),
                ("message.max.bytes", "20000"),
            ],
            [
                "queue.buffering.max.kbytes",
                "metadata.fetch.timeout.ms",
                "message.max.bytes",
            ],
        ),
        (
            &[("queue.buffering.max.messages", "4"), ("max.block.ms", "1")],
            ["queue.buffering.max.messages", "max.block.ms", "record_max"],
        ),
    ];
    for (properties, [memory, block, size]) in ways {
        let producer = builder(&cluster)
            .buffer_memory(65536)
            .max_block(Duration::from_millis(1))
            .record_max(20_000)
            .properties(properties.iter().copied())
            .build()
            .unwrap();
        until("its topic is known", || {
            smol::block_on(producer.topic("events")).is_ok()
        });
        let record = Record::to("events").value("v".repeat(1000));
        let full = loop {
            if let Err(full) = producer.try_send(&record) {
                break full;
            }
        };
        assert_eq!(full.kind(), ErrorKind::BufferFull, "{full}");
        assert!(
            full.to_string().starts_with(&format!("{memory} is full")),
            "{full}"
        );
        let late = producer.blocking().send(record).unwrap_err().to_string();
        assert!(late.contains(&format!("({block})")), "{late}");
        assert!(late.contains(memory), "{late}");
        let large = Record::to("events").value("v".repeat(2_000_000));
        let large = producer.try_send(&large).unwrap_err().to_string();
        assert!(large.contains(&format!("raise {size} here")), "{large}");
        drop(producer.blocking().close_within(Duration::ZERO));
    }
}

#[test]
fn either_facade_is_built_from_addresses_as_people_have_them() {
    let cluster = cluster();
    let servers = cluster.bootstrap_servers();
    let list: Vec<&str> = servers.split(',').collect();
    assert_eq!(list.len(), 3);
    for built in [
        downpour::blocking::Producer::builder(&servers),
        downpour::blocking::Producer::builder(list.clone()),
        downpour::blocking::Producer::builder(&list[..]),
        downpour::blocking::Producer::builder([list[0], list[1]]),
        downpour::blocking::Producer::builder([String::from(list[2])]),
    ] {
        let producer = built.linger(Duration::ZERO).build().unwrap();
        producer
            .send_and_wait(Record::to("events").value("v"))
            .unwrap();
    }
    let producer = Producer::builder([list[0]]).build().unwrap();
    smol::block_on(producer.send_and_wait(Record::to("events").value("v"))).unwrap();
}

#[test]
fn a_time_before_1970_is_refused_with_its_own_value() {
    let cluster = small_cluster();
    // Kafka 4.x takes nothing that is more than an hour ahead, unless it is told to.
    let any_time = downpour_fake::TopicSpec::new(1).timestamp_after_max(Duration::MAX);
    cluster.create_topic("any-time", any_time);
    let producer = builder(&cluster).build().unwrap().blocking();
    for time in [i64::MIN, i64::MIN + 1, -1] {
        let record = Record::to("events").value("v").timestamp_ms(time);
        let error = producer.send(record).unwrap_err().to_string();
        assert!(
            error.contains(&format!("timestamp is {time}, before")),
            "{error}"
        );
    }
    for time in [0, 1, i64::MAX] {
        let record = Record::to("any-time").value("v").timestamp_ms(time);
        assert_eq!(producer.send_and_wait(record).unwrap().timestamp_ms(), time);
    }
}

#[test]
fn what_programs_take_along_from_other_clients_works() {
    let cluster = cluster();
    let producer = quick(ProducerBuilder::new());
    let producer = producer
        .properties([
            ("metadata.broker.list", cluster.bootstrap_servers().as_str()),
            ("queue.buffering.max.ms", "5"),
            ("queue.buffering.max.messages", "100000"),
            ("batch.num.messages", "10"),
            ("message.timeout.ms", "20000"),
            ("request.required.acks", "-1"),
            ("compression.codec", "lz4"),
            ("partitioner", "consistent_random"),
            ("retries", "3"),
            ("socket.keepalive.enable", "true"),
            ("statistics.interval.ms", "5000"),
        ])
        .build()
        .unwrap();
    let statistics = producer.clone();
    let producer = producer.blocking();
    let records = (0..100).map(|i| Record::to("events").key("123456789").value(format!("{i}")));
    let sent: Vec<_> = records
        .map(|r| producer.produce_async(r).unwrap())
        .collect();
    for delivery in sent {
        // Where librdkafka puts this key: CRC-32, which is 0xcbf43926 for it.
        let report = delivery.wait().unwrap();
        assert_eq!(report.partition(), (0xcbf4_3926_u32 % 6) as i32);
    }
    producer.close();
    let batches = statistics.statistics().total.batches;
    assert!(batches >= 10, "at most ten records a batch: {batches}");
}

#[test]
fn a_bound_on_the_number_of_records_is_kept_and_can_be_reached() {
    for bound in [1, 2, 10, 1000] {
        let cluster = small_cluster();
        cluster.fault(Fault::hang().on(ApiKey::Produce).always());
        let producer = builder(&cluster)
            .property("queue.buffering.max.messages", bound.to_string())
            .max_block(Duration::from_millis(1))
            .build()
            .unwrap();
        until("its topic is known", || {
            smol::block_on(producer.topic("events")).is_ok()
        });
        let record = || Record::to("events").value("a value");
        let mut accepted = 0;
        let refused = loop {
            match producer.try_send(&record()) {
                Ok(_) => accepted += 1,
                Err(refused) => break refused,
            }
            assert!(accepted <= bound, "more than {bound}");
        };
        assert!(accepted > bound - bound / 32 - 1, "{accepted} of {bound}");
        assert_eq!(refused.kind(), ErrorKind::BufferFull);
        let waited = smol::block_on(producer.send(record())).unwrap_err();
        let said = waited.to_string();
        assert!(said.contains(&format!("at most {bound} records")), "{said}");
        drop(producer.blocking().close_within(Duration::ZERO));
    }
}

#[test]
fn records_go_on_as_others_get_their_verdicts_under_a_small_bound() {
    let cluster = cluster();
    let producer = builder(&cluster).buffer_records(7).build().unwrap();
    let producer = producer.blocking();
    for i in 0..500 {
        let record = Record::to("events").value(format!("{i}"));
        drop(producer.produce_async(record).unwrap());
    }
    producer.close();
    assert_eq!(cluster.record_count("events"), 500);
}

/// What this thread logs.
#[derive(Clone, Default)]
struct Logs(Arc<Mutex<Vec<u8>>>);

impl io::Write for Logs {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Logs {
    fn during(&self, work: impl FnOnce()) {
        let writer = self.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_ansi(false)
            .with_writer(move || writer.clone())
            .finish();
        tracing::subscriber::with_default(subscriber, work);
    }

    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

#[test]
fn a_producer_that_is_dropped_with_records_open_says_how_many_at_once() {
    let cluster = small_cluster();
    cluster.fault(Fault::hang().on(ApiKey::Produce).always());
    let logs = Logs::default();
    logs.during(|| {
        let producer = builder(&cluster).build().unwrap().blocking();
        for _ in 0..3 {
            let record = Record::to("events").value("a value");
            drop(producer.produce_async(record).unwrap());
        }
        drop(producer);
        let said = logs.text();
        assert!(said.contains("unresolved=3"), "{said}");
        assert!(said.contains("at most 120 s"), "{said}");
    });
    let logs = Logs::default();
    cluster.clear_faults();
    logs.during(|| {
        let producer = builder(&cluster).build().unwrap();
        let record = Record::to("events").value("a value");
        producer.blocking().produce_sync(record).unwrap();
        drop(producer);
        assert!(!logs.text().contains("unresolved"), "{}", logs.text());
    });
}
