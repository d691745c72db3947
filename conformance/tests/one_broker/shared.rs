//! The brokers that the tests of this binary share, one per version, and what all of them do with
//! these. A broker ends with this process.

use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use downpour::blocking::Producer;
use downpour::{ProducerBuilder, Record};
use downpour_conformance::check::{Check, Findings};
use downpour_conformance::ledger::Ledger;
use kafka_harness::foreign_reader;
use kafka_harness::{Cluster, Spec, Version};

/// How long the new broker remembers a producer that sends nothing.
pub(crate) const PRODUCERS_KNOWN_FOR: Duration = Duration::from_secs(3);

static NEW: LazyLock<Mutex<Cluster>> = LazyLock::new(|| {
    // It creates topics that are asked for and the old broker does not, so that both are tested.
    let spec = Spec::new(Version::V4_3_1, 1)
        .property("auto.create.topics.enable", true)
        // It soon forgets a producer that sends nothing.
        .property("producer.id.expiration.ms", PRODUCERS_KNOWN_FOR.as_millis())
        .property("producer.id.expiration.check.interval.ms", 300);
    Mutex::new(Cluster::start(&spec).expect("Apache Kafka 4.3.1 starts"))
});

static OLD: LazyLock<Mutex<Cluster>> = LazyLock::new(|| {
    let spec = Spec::new(Version::V2_8_2, 1);
    Mutex::new(Cluster::start(&spec).expect("Apache Kafka 2.8.2 starts"))
});

/// The broker of 4.3.1, for one test at a time. It creates a topic that is asked for.
pub(crate) fn new() -> MutexGuard<'static, Cluster> {
    // A test that failed leaves a broker that may still be used.
    NEW.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The broker of 2.8.2, for one test at a time. It creates no topic that is asked for.
pub(crate) fn old() -> MutexGuard<'static, Cluster> {
    OLD.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The settings of a producer for this cluster, all of them defaults.
pub(crate) fn builder(cluster: &Cluster) -> ProducerBuilder {
    downpour::Producer::builder(cluster.bootstrap())
}

/// A blocking producer with these settings.
pub(crate) fn build(builder: ProducerBuilder) -> Producer {
    builder.build().expect("the settings are good").blocking()
}

/// Creates a topic with one partition.
pub(crate) fn create(cluster: &Cluster, topic: &str, configs: &[(&str, &str)]) {
    cluster
        .create_topic(topic, 1, configs)
        .expect("the topic is new");
}

/// Sends a value under the key `k`, waits for it, and returns its offset.
pub(crate) fn send(producer: &Producer, topic: &str, value: &str) -> Option<i64> {
    let sent = producer.produce_sync(Record::to(topic).key("k").value(value));
    sent.expect("the broker is there").offset()
}

/// The values of a topic's only partition as librdkafka reads them.
pub(crate) fn values(cluster: &Cluster, topic: &str) -> Vec<String> {
    let read = foreign_reader::read_topic(&cluster.bootstrap(), topic, false);
    let read = read.expect("librdkafka reads").into_iter();
    read.map(|record| String::from_utf8_lossy(&record.value.unwrap_or_default()).into_owned())
        .collect()
}

/// Compares what the producer said of a load with what librdkafka reads.
pub(crate) fn read_back_and_check(cluster: &Cluster, topic: &str, ledger: &Ledger) -> Findings {
    let mut check = Check::new(ledger);
    foreign_reader::for_each_record(&cluster.bootstrap(), topic, false, |record| {
        check.record(&record);
    })
    .expect("librdkafka reads");
    check.finish()
}
