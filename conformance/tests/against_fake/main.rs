//! The same requests to the fake and to real Kafka, and their answers compared field by field. What
//! differs is mended in the fake, or stands in `known` with the reason.
#![allow(clippy::unwrap_used, reason = "all of it is a test")]

mod batches;
mod known;
mod others;
mod produce;
mod talk;

use std::collections::BTreeMap;
use std::time::{SystemTime, UNIX_EPOCH};

use downpour_fake::{FakeCluster, KafkaVersion, TopicSpec};
use kafka_harness::{Cluster, Spec, Version};
use talk::{Peer, Talk};

/// A release of Kafka, and what the fake calls it.
fn pairs(version: Version) -> (KafkaVersion, std::ops::RangeInclusive<i16>) {
    match version {
        Version::V2_8_2 => (KafkaVersion::V2_8, 3..=9),
        Version::V3_9_2 => (KafkaVersion::V3_9, 3..=11),
        Version::V4_3_1 => (KafkaVersion::V4_3, 3..=13),
    }
}

fn spec(configs: &[(&str, &str)], partitions: i32) -> TopicSpec {
    let spec = TopicSpec::new(partitions);
    match configs {
        [] => spec,
        [("cleanup.policy", _)] => spec.compacted(true),
        [("message.timestamp.type", _)] => spec.log_append_time(true),
        [("max.message.bytes", bytes)] => spec.max_message_bytes(bytes.parse().unwrap()),
        other => panic!("{other:?} is not known to the fake"),
    }
}

fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    i64::try_from(since.as_millis()).unwrap()
}

/// Runs every script in every version, and says what differed in words.
fn differences(version: Version) -> Vec<known::Difference> {
    let (fake_version, versions) = pairs(version);
    let partitions = u32::try_from(produce::SCRIPTS.len()).unwrap();
    let real = Cluster::start(
        &Spec::new(version, 1)
            .property("log.retention.ms", -1)
            .property("auto.create.topics.enable", true),
    )
    .expect("Kafka starts");
    let mut fake = FakeCluster::builder().kafka(fake_version).auto_create(true);
    let mut topics = Vec::new();
    for (kind, configs) in produce::KINDS {
        real.create_topic(kind, partitions, configs)
            .expect("a topic");
        fake = fake.topic(*kind, spec(configs, partitions as i32));
        topics.push((*kind).to_owned());
    }
    let fake = fake.start().expect("the fake starts");
    let mut peers = [
        Peer::new(fake.bootstrap_servers()),
        Peer::new(real.bootstrap()),
    ];
    for peer in &mut peers {
        peer.learn(&topics);
    }
    let mut found: BTreeMap<(&str, String, String), Vec<i16>> = BTreeMap::new();
    let mut compare =
        |name: &'static str, version: i16, place: i32, script: &dyn Fn(&mut Talk<'_>)| {
            // What a broker stamps lies behind it, also with a clock that is a little late.
            let now_ms = now_ms() - 1000;
            let [fake, real] = [0, 1].map(|at| {
                let mut talk = Talk {
                    peer: &peers[at],
                    version,
                    place,
                    now_ms,
                    heard: Vec::new(),
                    began: BTreeMap::new(),
                };
                topics.iter().for_each(|topic| talk.begin(topic));
                script(&mut talk);
                talk.heard
            });
            if fake != real {
                let [fake, real] = [fake, real].map(|heard| heard.join("\n       "));
                found.entry((name, fake, real)).or_default().push(version);
            }
        };
    for version in versions {
        for (place, (name, script)) in (0..).zip(produce::SCRIPTS) {
            compare(name, version, place, &|talk: &mut Talk<'_>| {
                script(talk);
                talk.read("plain");
            });
        }
    }
    for (name, api, from, script) in others::SCRIPTS {
        for version in *from..=fake_version.highest(*api).expect("the release has it") {
            compare(name, version, 0, script);
        }
    }
    let difference = |((script, fake, real), versions)| known::Difference {
        script,
        versions,
        fake,
        real,
    };
    found.into_iter().map(difference).collect()
}

#[test]
fn fake_answers_as_kafka_4_3_does() {
    known::judge("4.3.1", differences(Version::V4_3_1));
}

#[test]
fn fake_answers_as_kafka_3_9_does() {
    known::judge("3.9.2", differences(Version::V3_9_2));
}

#[test]
fn fake_answers_as_kafka_2_8_does() {
    known::judge("2.8.2", differences(Version::V2_8_2));
}

#[test]
fn java_sends_to_every_kafka_that_the_fake_plays() {
    let real = Cluster::start(&Spec::new(Version::V4_3_1, 1)).expect("Kafka starts");
    let releases = [
        (KafkaVersion::V2_1, ["none", "gzip"]),
        (KafkaVersion::V2_8, ["snappy", "lz4"]),
        (KafkaVersion::V3_9, ["lz4", "zstd"]),
        (KafkaVersion::V4_3, ["zstd", "none"]),
    ];
    for (kafka, codecs) in releases {
        let fake = FakeCluster::builder()
            .kafka(kafka)
            .topic("guest", 3)
            .start();
        let fake = fake.expect("the fake starts");
        let bootstrap = fake.bootstrap_servers();
        for (codec, idempotent) in codecs.into_iter().zip(["true", "false"]) {
            // The tool is the real cluster's; the properties send it elsewhere.
            let properties = [
                ("bootstrap.servers", bootstrap.as_str()),
                ("compression.type", codec),
                ("enable.idempotence", idempotent),
                ("acks", "all"),
            ];
            let sent = real.producer_performance("guest", 300, 100, &properties);
            sent.unwrap_or_else(|error| panic!("{kafka:?} {codec} {idempotent}: {error}"));
        }
        assert_eq!(fake.record_count("guest"), 600, "{kafka:?}");
        fake.assert_no_violations();
    }
}
