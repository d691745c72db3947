//! The lines that operators read, with a subscriber for the whole process. A test finds its own by
//! what stands in them alone.

use std::io::{self, Write};
use std::sync::{Mutex, Once, PoisonError};
use std::time::{Duration, Instant};

use downpour::{Producer, ProducerBuilder, Record};
use downpour_fake::{ApiKey, ErrorCode, FakeCluster, Fault};

static LINES: Mutex<Vec<u8>> = Mutex::new(Vec::new());

struct Writer;

impl Write for Writer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut lines = LINES.lock().unwrap_or_else(PoisonError::into_inner);
        lines.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn listen() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        tracing_subscriber::fmt()
            .with_max_level(tracing::Level::DEBUG)
            .with_ansi(false)
            .without_time()
            .with_writer(|| Writer)
            .init();
    });
}

/// The lines so far that have all of these words.
fn lines(words: &[&str]) -> Vec<String> {
    let bytes = LINES.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let text = String::from_utf8(bytes).unwrap();
    let mut lines: Vec<&str> = text.lines().collect();
    // The last may be written at this moment.
    lines.truncate(
        lines
            .len()
            .saturating_sub(usize::from(!text.ends_with('\n'))),
    );
    let has_all = |line: &&&str| words.iter().all(|word| line.contains(word));
    lines
        .iter()
        .filter(has_all)
        .map(|line| (*line).to_owned())
        .collect()
}

fn until(words: &[&str], count: usize) -> Vec<String> {
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        let found = lines(words);
        if found.len() >= count {
            return found;
        }
        let all = lines(&[]).join("\n");
        assert!(Instant::now() < deadline, "{words:?} in {all}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn builder(cluster: &FakeCluster) -> ProducerBuilder {
    listen();
    let ms = Duration::from_millis;
    Producer::builder(cluster.bootstrap_servers())
        .retry_backoff(ms(5), ms(20))
        .reconnect_backoff(ms(5), ms(20))
}

#[test]
fn a_broker_that_goes_away_is_told_once_and_when_it_answers_again() {
    let cluster = FakeCluster::builder().topic("t", 1).start().unwrap();
    let address = cluster.bootstrap_servers();
    let producer = builder(&cluster).build().unwrap().blocking();
    let record = || Record::to("t").value("v");
    producer.produce_sync(record()).unwrap();
    cluster.kill(1);
    let waits = producer.produce_async(record()).unwrap();
    let here = format!("address={address}");
    until(&["DEBUG", &here, "no connection"], 20);
    // One per kind of failure: in the moment of its end it may accept once more, and then refuses.
    let warned = lines(&["WARN", &here]);
    assert!((1..4).contains(&warned.len()), "{warned:#?}");
    let gone = "no connection any more to an address that worked before";
    let gone: Vec<_> = warned.iter().filter(|line| line.contains(gone)).collect();
    assert!(
        gone[0].contains("retry_after=") && gone[0].contains(" ms"),
        "{gone:#?}"
    );
    let ended = lines(&["INFO", &here, " disconnected"]);
    assert!((1..3).contains(&ended.len()), "{ended:#?}");
    assert_eq!(lines(&["INFO", &here, "answers again"]).len(), 0);
    cluster.restart(1).unwrap();
    waits.wait().unwrap();
    until(&["INFO", &here, "answers again", "lasted=", "times="], 1);
    // Its own connection and one by the bootstrap address, before and since.
    let connected = lines(&["INFO", &here, " connected"]);
    assert!(connected.len() <= 4, "{connected:#?}");
}

#[test]
fn a_topic_that_does_not_exist_is_told_once_however_many_send_to_it() {
    let cluster = FakeCluster::builder().topic("t", 1).start().unwrap();
    let producer = builder(&cluster)
        .unknown_topic_timeout(Duration::from_millis(50))
        .build()
        .unwrap()
        .blocking();
    for _ in 0..3 {
        producer.produce_async(Record::to("nowhere")).unwrap_err();
    }
    let topic = "topic=nowhere";
    let told = until(&["WARN", topic], 1);
    let [once] = &told[..] else {
        panic!("{told:#?}")
    };
    assert!(
        once.contains("topic does not exist; sends to it are refused"),
        "{once}"
    );
    assert!(once.contains("UNKNOWN_TOPIC_OR_PARTITION"), "{once}");
    assert!(lines(&["DEBUG", topic, "topic unavailable"]).len() > 2);
    cluster.create_topic("nowhere", 1);
    while producer.produce_async(Record::to("nowhere")).is_err() {}
    until(&["INFO", topic, "topic available again"], 1);
}

#[test]
fn what_happens_to_many_batches_is_told_once_per_topic() {
    let cluster = FakeCluster::builder().topic("busy", 6).start().unwrap();
    let code = ErrorCode::NOT_ENOUGH_REPLICAS;
    cluster.fault(Fault::error(code).on(ApiKey::Produce).times(30));
    let producer = builder(&cluster).build().unwrap().blocking();
    for n in 0..12 {
        let record = Record::to("busy").partition(n % 6).value("v");
        producer.produce_sync(record).unwrap();
    }
    until(&["DEBUG", "topic=busy", "batch is sent again"], 20);
    assert_eq!(
        lines(&["INFO", "topic=busy", "batch is sent again"]).len(),
        1
    );
}

#[test]
fn a_refused_producer_id_is_told_once_with_what_helps() {
    let cluster = FakeCluster::builder()
        .topic("forbidden", 1)
        .start()
        .unwrap();
    let address = format!("address={}", cluster.bootstrap_servers());
    let code = ErrorCode::CLUSTER_AUTHORIZATION_FAILED;
    cluster.fault(Fault::error(code).on(ApiKey::InitProducerId).always());
    let producer = builder(&cluster).build().unwrap().blocking();
    for _ in 0..5 {
        let record = Record::to("forbidden").value("v");
        producer.produce_sync(record).unwrap_err();
    }
    let told = until(
        &[
            "WARN",
            &address,
            "a producer id, without which nothing is sent",
        ],
        1,
    );
    assert_eq!(told.len(), 1, "{told:#?}");
    assert!(told[0].contains("enable.idempotence=false"), "{told:#?}");
}
