//! A broker that is away: while nobody sends, while records are on their way, or from the beginning.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use downpour::{ErrorKind, Producer, Record, Written};
use downpour_conformance::ledger::Fate;
use downpour_conformance::load::Load;

use crate::shared::{build, builder, create, new, read_back_and_check, send, values};

#[test]
fn a_broker_that_restarts_while_nobody_sends_is_found_again() {
    let mut cluster = new();
    create(&cluster, "restarted", &[]);
    let producer = build(builder(&cluster));
    assert_eq!(send(&producer, "restarted", "before"), Some(0));
    cluster.restart(1).unwrap();
    let began = Instant::now();
    assert_eq!(send(&producer, "restarted", "after"), Some(1));
    println!("delivered {:?} after the restart", began.elapsed());
    assert_eq!(values(&cluster, "restarted"), ["before", "after"]);
}

#[test]
fn closing_hands_back_the_records_that_no_broker_could_take() {
    let mut cluster = new();
    create(&cluster, "outage", &[]);
    let closed = build(builder(&cluster));
    let patient = build(builder(&cluster));
    let hasty = build(
        builder(&cluster)
            .request_timeout(Duration::from_millis(900))
            .delivery_timeout(Duration::from_secs(1)),
    );
    for producer in [&closed, &patient, &hasty] {
        send(producer, "outage", "before");
    }
    cluster.kill(1).unwrap();
    // The producers notice.
    std::thread::sleep(Duration::from_millis(300));
    let label = std::sync::Arc::new(7_u32);
    for number in 0..10 {
        let record = Record::to("outage")
            .key(number.to_string())
            .value("left")
            .header("h", "x")
            .timestamp_ms(5)
            .label(label.clone());
        drop(closed.produce_async(record).unwrap());
    }
    let kept = patient
        .produce_async(Record::to("outage").value("kept"))
        .unwrap();
    let given_up = hasty
        .produce_async(Record::to("outage").value("given up"))
        .unwrap();

    let began = Instant::now();
    let left = closed.close_within(Duration::from_secs(1));
    assert!(began.elapsed() < Duration::from_secs(3));
    assert!(left.unknown().is_empty(), "{left:?}");
    assert_eq!(left.unsent().len(), 10);
    for (number, record) in left.unsent().iter().enumerate() {
        assert_eq!(record.get_topic(), "outage");
        assert_eq!(record.get_key(), Some(number.to_string().as_bytes()));
        assert_eq!(record.get_value(), Some(b"left".as_slice()));
    }

    let error = given_up.wait().unwrap_err();
    println!("{error}");
    assert_eq!(error.written(), Written::No);
    assert!(error.is_timeout(), "{error}");

    cluster.start_broker(1).unwrap();
    assert!(kept.wait().unwrap().offset().is_some());
    // What was handed back may be sent by another producer.
    for record in left.into_unsent() {
        patient.produce_sync(record).unwrap();
    }
    patient.close();
    let read = values(&cluster, "outage");
    let count = |value: &str| read.iter().filter(|read| *read == value).count();
    assert_eq!(
        [
            count("before"),
            count("kept"),
            count("given up"),
            count("left")
        ],
        [3, 1, 0, 10]
    );
}

#[test]
fn a_producer_that_is_closed_after_its_broker_was_killed_accounts_for_every_record() {
    let mut cluster = new();
    cluster.create_topic("killed", 6, &[]).unwrap();
    let load = Load {
        topic: "killed".to_owned(),
        partitions: 6,
        records: 1,
        per_second: 20_000,
        verdict_within: Duration::from_secs(10),
    };
    let producer = build(builder(&cluster));
    let is_over = AtomicBool::new(false);
    let (ledger, left) = std::thread::scope(|scope| {
        let sending = scope.spawn(|| load.run(&producer, || is_over.load(Ordering::Relaxed)));
        std::thread::sleep(Duration::from_secs(1));
        cluster.kill(1).unwrap();
        std::thread::sleep(Duration::from_millis(300));
        let left = producer.close_within(Duration::from_millis(200));
        is_over.store(true, Ordering::Relaxed);
        (sending.join().unwrap(), left)
    });
    cluster.start_broker(1).unwrap();
    let findings = read_back_and_check(&cluster, "killed", &ledger);
    println!("{ledger}\nlibrdkafka {findings}");
    assert!(findings.is_good(), "{findings}");
    // What was handed back is what the handles say was not written.
    let failed = ledger.count(|fate| fate == Fate::Failed);
    let unknown = ledger.count(|fate| fate == Fate::Unknown);
    assert_eq!(left.unsent().len() as u64, failed);
    let told = left.unknown().iter().map(|unknown| unknown.count());
    assert_eq!(told.sum::<u64>(), unknown);
    assert!(failed > 0 && findings.read > 0);
}

#[test]
fn addresses_that_nobody_listens_at_are_named() {
    let producer = Producer::builder("127.0.0.1:1,localhost:2")
        .max_block(Duration::from_secs(1))
        .build()
        .unwrap()
        .blocking();
    let error = producer
        .produce_async(Record::to("t").value("v"))
        .unwrap_err();
    println!("{error}");
    assert_eq!(error.kind(), ErrorKind::Unreachable, "{error}");
    assert_eq!(error.unreachable().len(), 2, "{error}");
    let text = error.to_string();
    for part in ["127.0.0.1:1", "localhost:2", "refused"] {
        assert!(text.contains(part), "{text}");
    }
}

#[test]
fn an_address_that_speaks_no_kafka_is_named() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    std::thread::spawn(move || {
        use std::io::Write as _;
        for stream in listener.incoming().take(100).flatten() {
            let _ = (&stream).write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n");
        }
    });
    let producer = Producer::builder(&address)
        .max_block(Duration::from_secs(1))
        .build()
        .unwrap()
        .blocking();
    let error = producer
        .produce_async(Record::to("t").value("v"))
        .unwrap_err();
    println!("{error}");
    assert!(error.to_string().contains(&address), "{error}");
}
