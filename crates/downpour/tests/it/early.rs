//! What is wrong is said in time, with the address and the reason.

use std::time::{Duration, Instant};

use downpour::{ErrorCode, ErrorKind, Producer, Record, SendError};
use downpour_fake::{ApiKey, FakeCluster, Fault};

#[cfg(unix)]
use crate::setup::cluster;
use crate::setup::{PATIENCE, builder, small_cluster, until};

const MISSING: ErrorCode = ErrorCode::UNKNOWN_TOPIC_OR_PARTITION;

/// That the topic does not exist, and for how long that was said.
fn missing_for(error: &SendError) -> Duration {
    assert_eq!(error.kind(), ErrorKind::UnknownTopic, "{error}");
    assert_eq!(error.code(), Some(MISSING));
    error.missing_for().unwrap()
}

#[test]
fn a_topic_that_does_not_exist_is_said_after_its_time_with_what_to_try() {
    let cluster = small_cluster();
    let producer = builder(&cluster)
        .unknown_topic_timeout(Duration::from_millis(200))
        .build()
        .unwrap()
        .blocking();
    let began = Instant::now();
    let error = producer.produce_async(Record::to("mising")).unwrap_err();
    let waited = began.elapsed();
    assert!(!error.is_retriable());
    let text = error.to_string();
    assert!(
        text.starts_with("topic mising does not exist, brokers have said for ")
            && text.contains("create it, check its spelling")
            && text.contains("auto_create_topics"),
        "{text}"
    );
    let said = missing_for(&error);
    let limit = Duration::from_millis(200);
    assert!(said >= limit && said <= waited, "{said:?} of {waited:?}");
    // Whoever does not wait is told as well, and it is asked for again.
    let asked = cluster.request_count(ApiKey::Metadata);
    until("it is asked for, and said again", || {
        let error = producer.try_send(&Record::to("mising")).unwrap_err();
        error.kind() == ErrorKind::UnknownTopic && cluster.request_count(ApiKey::Metadata) > asked
    });
    // Nobody is refused for good.
    cluster.create_topic("mising", 2);
    until("it is found", || {
        producer
            .produce_sync(Record::to("mising").value("v"))
            .is_ok()
    });
}

#[test]
fn with_no_time_a_topic_that_does_not_exist_is_said_at_the_first_answer() {
    let cluster = small_cluster();
    let producer = builder(&cluster)
        .unknown_topic_timeout(Duration::ZERO)
        .build()
        .unwrap()
        .blocking();
    let error = producer.produce_async(Record::to("t")).unwrap_err();
    let text = error.to_string();
    assert!(text.contains("does not exist, say the brokers"), "{text}");
    assert_eq!(cluster.request_count(ApiKey::Metadata), 1);
}

#[test]
fn a_topic_that_is_created_because_it_is_asked_for_is_used_and_not_refused() {
    let cluster = FakeCluster::builder().auto_create(true).start().unwrap();
    let producer = builder(&cluster).build().unwrap().blocking();
    for topic in ["one", "two", "three"] {
        producer.produce_sync(Record::to(topic).value("v")).unwrap();
    }
}

#[test]
fn a_topic_that_is_missing_delays_no_other() {
    let mut cluster = FakeCluster::builder();
    for n in 0..10 {
        cluster = cluster.topic(format!("good-{n}"), 1);
    }
    let cluster = cluster.start().unwrap();
    // Whoever had to wait for the backoff of the missing one would run out of time.
    let producer = Producer::builder(cluster.bootstrap_servers())
        .retry_backoff(3 * PATIENCE, 3 * PATIENCE)
        .max_block(PATIENCE)
        .build()
        .unwrap();
    producer.try_send(&Record::to("missing")).unwrap_err();
    let asked = |n| cluster.request_count(ApiKey::Metadata) >= n;
    until("the missing one was asked for", || asked(1));
    let producer = producer.blocking();
    for n in 0..10 {
        let topic = format!("good-{n}");
        drop(
            producer
                .produce_async(Record::to(&*topic).value("v"))
                .unwrap(),
        );
    }
}

/// What spoils an answer, and what is said of it.
fn spoilt() -> [(Fault, &'static str); 8] {
    [
        (Fault::disconnect(), "the broker closed the connection"),
        (Fault::disconnect_mid_frame(6), "the broker closed the conn"),
        (Fault::corrupt_answer(), "an answer could not be read"),
        (Fault::empty_answer(), "an answer could not be read"),
        (
            Fault::wrong_length(-7),
            "what came is no answer: it claims -7 bytes",
        ),
        (
            Fault::wrong_length(i32::MAX),
            "an answer of 2147483647 bytes, which is more than response_max",
        ),
        (Fault::wrong_correlation_id(), "an answer out of order"),
        (Fault::hang(), "no answer within 50 ms"),
    ]
}

#[test]
fn a_cluster_whose_metadata_cannot_be_had_is_named_with_the_reason() {
    for (fault, reason) in spoilt() {
        let cluster = small_cluster();
        let told = format!("{fault:?}");
        cluster.fault(fault.on(ApiKey::Metadata).always());
        let producer = builder(&cluster)
            .request_timeout(Duration::from_millis(50))
            .max_block(Duration::from_millis(400))
            .build()
            .unwrap()
            .blocking();
        let error = producer.produce_async(Record::to("events")).unwrap_err();
        let text = error.to_string();
        let at = format!(
            "no answer about it from {}: {reason}",
            cluster.bootstrap_servers()
        );
        assert!(text.contains(&at), "{told}: {text}");
    }
}

#[test]
fn a_cluster_that_gives_no_producer_id_is_named_with_the_reason() {
    let refused = ErrorCode::COORDINATOR_NOT_AVAILABLE;
    let refused = (Fault::error(refused), "it answered COORDINATOR_NOT_AVAIL");
    for (fault, reason) in spoilt().into_iter().chain([refused]) {
        let cluster = small_cluster();
        let told = format!("{fault:?}");
        cluster.fault(fault.on(ApiKey::InitProducerId).always());
        let producer = builder(&cluster)
            .request_timeout(Duration::from_millis(50))
            .linger(Duration::ZERO)
            .delivery_timeout(Duration::from_millis(400))
            .build()
            .unwrap()
            .blocking();
        let record = Record::to("events").value("v");
        let error = producer.produce_sync(record).unwrap_err();
        let text = error.delivery_error().expect(&told).to_string();
        let address = cluster.bootstrap_servers();
        let why = format!("no producer id: {address} was asked: {reason}");
        assert!(text.contains(&why), "{told}: {text}");
    }
}

#[cfg(unix)]
#[test]
fn a_broker_that_cannot_be_reached_where_it_says_it_is_is_named() {
    let cluster = cluster();
    let bootstrap = cluster.bootstrap_servers();
    let first = bootstrap.split(',').next().unwrap().to_owned();
    let port: u16 = first.rsplit(':').next().unwrap().parse().unwrap();
    let open = cluster.connector();
    let producer = builder(&cluster)
        .bootstrap(&*first)
        .connector(move |host, asked| match asked == port {
            true => open(host, asked),
            false => Err(std::io::Error::other("only the first is reachable")),
        })
        .linger(Duration::ZERO)
        .request_timeout(Duration::from_millis(100))
        .delivery_timeout(Duration::from_millis(300))
        .build()
        .unwrap()
        .blocking();
    let partition = (0..6).find(|p| cluster.leader("events", *p) == 2).unwrap();
    let record = Record::to("events").partition(partition).value("v");
    let error = producer.produce_sync(record).unwrap_err().to_string();
    let second = bootstrap.split(',').nth(1).unwrap();
    let why = format!("no connection to {second}: only the first is reachable");
    assert!(error.contains(&why), "{error}");
}

#[test]
fn an_address_that_accepts_and_says_nothing_keeps_no_other_waiting() {
    let cluster = small_cluster();
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let silent = silent.local_addr().map(|at| (silent, at)).unwrap();
    // Whichever comes first: one of two producers begins at the silent one, or both do not matter.
    for _ in 0..8 {
        let both = format!("{},{}", silent.1, cluster.bootstrap_servers());
        let producer = Producer::builder(both)
            .connect_timeout(3 * PATIENCE)
            .max_block(PATIENCE)
            .build()
            .unwrap()
            .blocking();
        let record = Record::to("events").value("v");
        drop(producer.produce_async(record).unwrap());
    }
}
