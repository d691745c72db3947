//! The end of a producer: close, a deadline, a drop, and what is left.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use downpour::{Delivery, ErrorKind, Part, Producer, Record, SendError, Written};
use downpour_fake::{ApiKey, Fault};

use crate::setup::{PATIENCE, builder, cluster, poll_and_drop, producer, small_cluster, until};

#[test]
fn close_delivers_what_was_accepted_and_refuses_what_comes_after() {
    let cluster = cluster();
    let producer = builder(&cluster)
        .linger(Duration::from_secs(20))
        .build()
        .unwrap();
    let blocking = producer.blocking();
    let handles: Vec<_> = (0..100)
        .map(|n| {
            blocking
                .produce_async(Record::to("events").value(n.to_string()))
                .unwrap()
        })
        .collect();
    let began = Instant::now();
    blocking.close();
    assert!(began.elapsed() < Duration::from_secs(10), "lingering ends");
    assert!(
        handles
            .iter()
            .all(|h| h.try_report().is_some_and(|r| r.is_ok()))
    );
    let clone = producer.clone();
    let late = clone.blocking().produce_async(Record::to("events"));
    assert_eq!(late.unwrap_err().kind(), ErrorKind::Closed);
    blocking.close();
    cluster.assert_delivered_once("events", (0..100).map(|n| n.to_string()));
    assert_eq!(producer.buffered_bytes(), 0);
}

#[test]
fn a_producer_that_was_never_used_closes_at_once_and_never_connects() {
    let cluster = cluster();
    let producer = producer(&cluster);
    assert!(poll_and_drop(1, producer.flush()), "nothing to wait for");
    assert!(poll_and_drop(1, producer.close()), "nothing to wait for");
    drop(producer);
    assert_eq!(cluster.connections(), 0);
}

#[test]
fn close_within_hands_back_what_never_left_with_its_labels() {
    let cluster = small_cluster();
    let producer = builder(&cluster)
        .max_in_flight(1)
        .build()
        .unwrap()
        .blocking();
    producer
        .produce_sync(Record::to("events").value("first"))
        .unwrap();
    // One request at a time: what comes behind the one that hangs cannot leave.
    cluster.fault(Fault::hang().on(ApiKey::Produce));
    let hanging = producer
        .produce_async(Record::to("events").value("hanging"))
        .unwrap();
    assert!(cluster.wait_until(PATIENCE, |c| c.request_count(ApiKey::Produce) == 2));
    let record = |n: i32| {
        Record::tombstone("events", "k")
            .value(n.to_string())
            .header("h", "v")
            .header("n", Part::NULL)
            .partition_key("chooses")
            .timestamp_ms(1_700_000_000_000 + i64::from(n))
            .label(n)
    };
    let mut handles: Vec<_> = (0..3)
        .map(|n| producer.produce_async(record(n)).unwrap())
        .collect();
    let deleted = Record::tombstone("events", "gone").label(3);
    handles.push(producer.produce_async(deleted).unwrap());
    let began = Instant::now();
    let left = producer.close_within(Duration::from_millis(100));
    assert!(began.elapsed() < Duration::from_secs(5));
    let error = hanging.try_report().unwrap().unwrap_err();
    assert_eq!(error.written(), Written::Unknown, "{error}");
    assert_eq!(error.kind(), ErrorKind::Closed, "{error}");
    assert_eq!(left.unknown().len(), 1, "{left:?}");
    assert_eq!(left.unsent().len(), 4, "{left:?}");
    let label = |record: &Record<'_>| *record.get_label::<i32>().unwrap();
    let (sent, gone) = left.unsent().split_at(3);
    for (n, record) in (0..3).zip(sent) {
        assert_eq!(record.get_topic(), "events");
        assert_eq!(record.get_partition(), Some(0), "the one that was chosen");
        assert_eq!(record.get_partition_key(), None, "it has chosen");
        assert_eq!(record.get_timestamp_ms(), Some(1_700_000_000_000 + n));
        assert_eq!(record.get_key(), Some(&b"k"[..]));
        assert_eq!(record.get_value(), Some(n.to_string().as_bytes()));
        assert!(!record.is_tombstone());
        let headers: Vec<_> = record.get_headers().iter().collect();
        assert_eq!(headers, [("h", Some(&b"v"[..])), ("n", None)]);
        assert_eq!(i64::from(label(record)), n);
    }
    assert_eq!(gone[0].get_key(), Some(&b"gone"[..]));
    assert!(gone[0].is_tombstone() && gone[0].get_value().is_none());
    assert_eq!(label(&gone[0]), 3);
    for (n, handle) in (0..4).zip(&handles) {
        let error = handle.try_report().unwrap().unwrap_err();
        assert_eq!(error.written(), Written::No, "{error}");
        assert_eq!(error.kind(), ErrorKind::Closed, "{error}");
        assert_eq!(error.label::<i32>(), Some(&n));
    }
    let second = self::producer(&cluster).blocking();
    drop(second.send_many_and_wait(left.unsent()).unwrap());
    // A tombstone shows as nothing.
    cluster.assert_delivered_once("events", ["first", "0", "1", "2", ""]);
}

#[test]
fn with_no_time_to_close_nothing_leaves_that_has_not_left() {
    let cluster = small_cluster();
    let producer = builder(&cluster)
        .linger(Duration::from_secs(30))
        .build()
        .unwrap()
        .blocking();
    let first = producer
        .produce_async(Record::to("events").value("first"))
        .unwrap();
    producer.flush();
    first.wait().unwrap();
    let handles: Vec<_> = (0..3)
        .map(|n| {
            let record = Record::to("events").value(n.to_string());
            producer.produce_async(record).unwrap()
        })
        .collect();
    let left = producer.close_within(Duration::ZERO);
    assert!(left.unknown().is_empty(), "{left:?}");
    let values = left.unsent().iter().filter_map(Record::get_value);
    assert!(values.eq([b"0", b"1", b"2"]), "{left:?}");
    for handle in handles {
        let error = handle.try_report().unwrap().unwrap_err();
        let end = (error.kind(), error.written());
        assert_eq!(end, (ErrorKind::Closed, Written::No));
    }
    cluster.assert_delivered_once("events", ["first"]);
}

#[test]
fn close_within_counts_those_of_which_nobody_can_say() {
    let cluster = small_cluster();
    let producer = producer(&cluster).blocking();
    producer
        .produce_sync(Record::to("events").value("first"))
        .unwrap();
    cluster.fault(Fault::apply_and_hang().on(ApiKey::Produce));
    let handle = producer
        .produce_async(Record::to("events").value("second").label("mine"))
        .unwrap();
    assert_eq!(handle.label::<&str>().as_deref(), Some(&"mine"));
    assert!(cluster.wait_until(PATIENCE, |c| c.end_offset("events", 0) == 2));
    let left = producer.close_within(Duration::from_millis(50));
    assert!(left.unsent().is_empty());
    let [unknown] = left.unknown() else {
        panic!("{left:?}")
    };
    assert_eq!(
        (unknown.topic(), unknown.partition(), unknown.count()),
        ("events", 0, 1)
    );
    assert!(unknown.labels::<&str>().eq([&"mine"]));
    assert_eq!(unknown.labels::<u8>().count(), 0);
    assert_eq!(
        handle.try_report().unwrap().unwrap_err().written(),
        Written::Unknown
    );
    assert_eq!(producer.as_async().buffered_bytes(), 0);
}

#[test]
fn a_drop_drains_in_the_background() {
    let cluster = cluster();
    cluster.set_network_delay(Duration::from_millis(30));
    let producer = producer(&cluster);
    let blocking = producer.blocking();
    let handles: Vec<_> = (0..50)
        .map(|n| {
            blocking
                .produce_async(Record::to("events").value(n.to_string()))
                .unwrap()
        })
        .collect();
    drop(blocking);
    drop(producer);
    for handle in handles {
        handle.wait_timeout(PATIENCE).unwrap().unwrap();
    }
    cluster.assert_delivered_once("events", (0..50).map(|n| n.to_string()));
    until("its connections end", || cluster.connections() == 0);
}

#[test]
fn handles_outlive_the_runtime_and_the_producer() {
    let cluster = cluster();
    cluster.set_network_delay(Duration::from_millis(30));
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .build()
        .unwrap();
    let producer = producer(&cluster);
    let delivery = runtime
        .block_on(producer.send(Record::to("events").value("v")))
        .unwrap();
    drop(producer);
    runtime.shutdown_background();
    delivery.wait_timeout(PATIENCE).unwrap().unwrap();
}

#[test]
fn close_ends_those_who_wait_to_be_accepted() {
    let cluster = small_cluster();
    let producer = producer(&cluster);
    let waiting = {
        let producer = producer.blocking();
        std::thread::spawn(move || producer.produce_async(Record::to("missing")))
    };
    // Whoever asks for metadata waits for it already.
    assert!(cluster.wait_until(PATIENCE, |c| c.request_count(ApiKey::Metadata) > 0));
    producer.blocking().close();
    let error = waiting.join().unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Closed);
}

#[test]
fn each_of_several_threads_that_close_returns_when_all_is_delivered() {
    let cluster = cluster();
    let producer = producer(&cluster).blocking();
    producer.topic("events").unwrap();
    // Nobody can be done before the others have come.
    cluster.set_network_delay(Duration::from_millis(100));
    let handles: Vec<_> = (0..100)
        .map(|n| {
            let record = Record::to("events").value(n.to_string());
            producer.produce_async(record).unwrap()
        })
        .collect();
    std::thread::scope(|scope| {
        for n in 0..4 {
            let (producer, handles) = (producer.clone(), &handles);
            scope.spawn(move || {
                match n % 2 {
                    0 => producer.close(),
                    _ => assert!(producer.close_within(PATIENCE).is_empty()),
                }
                let is_delivered = |h: &Delivery| h.try_report().is_some_and(|r| r.is_ok());
                assert!(handles.iter().all(is_delivered), "thread {n} was early");
            });
        }
    });
    let late = producer.produce_async(Record::to("events"));
    assert_eq!(late.unwrap_err().kind(), ErrorKind::Closed);
    cluster.assert_delivered_once("events", (0..100).map(|n| n.to_string()));
    until("its connections end", || cluster.connections() == 0);
}

type Call = Box<dyn Fn(&Producer) -> Result<(), ErrorKind> + Send>;

/// One call of each verb that can fail.
fn calls(topic: &str) -> Vec<Call> {
    let (name, record) = (topic.to_owned(), Record::to(topic.to_owned()).value("v"));
    fn kind<T>(answer: Result<T, SendError>) -> Result<(), ErrorKind> {
        answer.map(drop).map_err(|error| error.kind())
    }
    macro_rules! call {
        (|$p:ident, $record:ident, $name:ident| $answer:expr) => {{
            let ($record, $name) = (record.clone(), name.clone());
            Box::new(move |$p: &Producer| {
                let _ = (&$record, &$name);
                $answer
            })
        }};
    }
    vec![
        call!(|p, record, n| kind(p.blocking().send(record.clone()))),
        call!(|p, record, n| kind(p.try_send(&record))),
        call!(|p, record, n| kind(smol::block_on(p.send(record.clone())))),
        call!(|p, record, n| {
            let sent = p.blocking().send_and_wait(record.clone());
            sent.map(drop).map_err(|error| error.kind())
        }),
        call!(|p, record, n| {
            let sent = p.blocking().send_many(std::slice::from_ref(&record));
            sent.map(drop).map_err(|error| error.kind())
        }),
        call!(|p, r, name| kind(p.blocking().topic(&*name))),
        call!(|p, r, name| kind(p.blocking().partition_count(&*name))),
        call!(|p, r, name| kind(p.blocking().partitions_for(&*name))),
        call!(|p, r, n| kind(p.blocking().connect())),
    ]
}

#[test]
fn whatever_races_with_a_close_goes_well_or_ends_closed() {
    for _ in 0..10 {
        let cluster = cluster();
        let producer = producer(&cluster);
        producer.blocking().topic("events").unwrap();
        let is_over = Arc::new(AtomicBool::new(false));
        let racers: Vec<_> = calls("events")
            .into_iter()
            .map(|call| {
                let (producer, is_over) = (producer.clone(), is_over.clone());
                std::thread::spawn(move || {
                    loop {
                        let was_over = is_over.load(Ordering::Relaxed);
                        producer.blocking().flush();
                        match call(&producer) {
                            Err(kind) => return kind,
                            Ok(()) => assert!(!was_over, "nothing is accepted any more"),
                        }
                    }
                })
            })
            .collect();
        until("all are at it", || cluster.record_count("events") > 50);
        drop(producer.blocking().close_within(PATIENCE));
        is_over.store(true, Ordering::Relaxed);
        for racer in racers {
            assert_eq!(racer.join().unwrap(), ErrorKind::Closed);
        }
        // Also where there would be something else to say.
        for topic in ["events", "unknown"] {
            for call in calls(topic) {
                assert_eq!(call(&producer), Err(ErrorKind::Closed));
            }
        }
        producer.blocking().close();
    }
}

#[test]
fn records_sent_while_another_thread_closes_are_refused_or_resolved() {
    for _ in 0..10 {
        let cluster = cluster();
        let producer = producer(&cluster);
        producer
            .blocking()
            .produce_sync(Record::to("events").value("v"))
            .unwrap();
        let senders: Vec<_> = (0..3)
            .map(|_| {
                let producer = producer.blocking();
                std::thread::spawn(move || {
                    let mut handles = Vec::new();
                    while let Ok(handle) = producer.produce_async(Record::to("events").value("v")) {
                        handles.push(handle);
                    }
                    handles
                })
            })
            .collect();
        until("all are at it", || cluster.record_count("events") > 50);
        producer.blocking().close();
        for sender in senders {
            for handle in sender.join().unwrap() {
                assert!(handle.try_report().is_some_and(|r| r.is_ok()), "{handle:?}");
            }
        }
        assert_eq!(producer.buffered_bytes(), 0);
    }
}
