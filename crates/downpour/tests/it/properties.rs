//! Settings by Kafka's names, and the least and the largest value of every setting: what a built
//! producer does with them.

use std::collections::HashSet;
use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use downpour::{
    ConfigError, ConfigProblem, Producer, ProducerBuilder, Record, SendError, WaitedFor,
};
use downpour_fake::{ApiKey, Fault};

use crate::setup::{builder, cluster, quick, small_cluster, until};

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

/// What a record may come to under a setting so small that it keeps records out.
fn keeps_out(setting: &str) -> bool {
    [
        "delivery.timeout.ms",
        "message.timeout.ms",
        "delivery_timeout",
        "max.block.ms",
        "metadata.fetch.timeout.ms",
        "max_block",
        "buffer.memory",
        "buffer_memory",
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

/// Sends a record by a producer that was built with this setting.
fn send(producer: &Producer, setting: &str) {
    let producer = producer.blocking();
    let sent = producer.produce_async(Record::to("events").key("k").value("v"));
    let left = producer.close_within(if keeps_out(setting) {
        Duration::ZERO
    } else {
        Duration::from_secs(60)
    });
    drop(left);
    match sent {
        Ok(delivery) => {
            let end = delivery.wait();
            assert!(end.is_ok() || keeps_out(setting), "{setting}: {end:?}");
        }
        Err(error) => assert!(keeps_out(setting), "{setting}: {error}"),
    }
}

/// The producer works, or every problem names the setting.
fn try_out(setting: &str, built: Result<Producer, ConfigError>) -> bool {
    match built {
        Ok(producer) => {
            send(&producer, setting);
            true
        }
        Err(error) => {
            for problem in error.problems() {
                let said = problem.to_string();
                assert!(said.contains(setting), "{setting}: {said}");
                assert!(!matches!(problem, ConfigProblem::Unknown { .. }), "{said}");
            }
            false
        }
    }
}

#[test]
fn zero_one_and_the_largest_value_of_every_property_work_or_are_refused_by_name() {
    let cluster = small_cluster();
    let mut works = 0;
    for name in names() {
        for value in [
            "0",
            "1",
            "2147483647",
            "9223372036854775807",
            "18446744073709551615",
        ] {
            let builder = Producer::builder(cluster.bootstrap_servers());
            let built = builder.property(name, value).build();
            works += usize::from(try_out(name, built));
        }
    }
    assert!(works > 200, "{works}");
}

type Set<T> = fn(ProducerBuilder, T) -> ProducerBuilder;

#[test]
fn zero_one_and_the_largest_value_of_every_setter_work_or_are_refused_by_name() {
    let cluster = small_cluster();
    let start = || Producer::builder(cluster.bootstrap_servers());
    let numbers: [(&str, Set<usize>); 9] = [
        ("max_in_flight", ProducerBuilder::max_in_flight),
        ("batch_size", ProducerBuilder::batch_size),
        ("batch_records", ProducerBuilder::batch_records),
        ("record_max", ProducerBuilder::record_max),
        ("request_max", ProducerBuilder::request_max),
        ("response_max", ProducerBuilder::response_max),
        ("buffer_memory", ProducerBuilder::buffer_memory),
        ("buffer_records", ProducerBuilder::buffer_records),
        ("send_buffer", ProducerBuilder::send_buffer),
    ];
    for (setter, set) in numbers {
        for value in [0, 1, usize::MAX] {
            try_out(setter, set(start(), value).build());
        }
    }
    let times: [(&str, Set<Duration>); 12] = [
        ("linger", ProducerBuilder::linger),
        ("linger_adaptive", ProducerBuilder::linger_adaptive),
        ("delivery_timeout", ProducerBuilder::delivery_timeout),
        ("request_timeout", ProducerBuilder::request_timeout),
        ("max_block", ProducerBuilder::max_block),
        ("connect_timeout", ProducerBuilder::connect_timeout),
        ("idle_timeout", ProducerBuilder::idle_timeout),
        ("metadata_max_age", ProducerBuilder::metadata_max_age),
        (
            "unknown_topic_timeout",
            ProducerBuilder::unknown_topic_timeout,
        ),
        ("old_record_age", ProducerBuilder::old_record_age),
        ("retry_backoff", |b, t| b.retry_backoff(t, t)),
        ("reconnect_backoff", |b, t| b.reconnect_backoff(t, t)),
    ];
    for (setter, set) in times {
        for value in [Duration::ZERO, Duration::from_nanos(1), Duration::MAX] {
            try_out(setter, set(start(), value).build());
        }
    }
    for retries in [0, 1, u32::MAX] {
        try_out("retries", start().retries(retries).build());
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
        assert!(
            matches!(refused, SendError::NotReady(WaitedFor::Memory)),
            "{refused}"
        );
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
