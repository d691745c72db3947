//! Bytes that no client sends: the logic closes and never panics.

use downpour_fake::logic::{Cluster, Then};
use downpour_fake::{ApiKey, KafkaVersion};
use downpour_wire::messages::MetadataRequest;

use crate::support::*;

/// A small generator, so that the test is the same every time.
struct Noise(u64);

impl Noise {
    fn next(&mut self) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        self.0 >> 33
    }
}

#[test]
fn noise_behind_a_sound_header_never_panics() {
    let mut cluster = one_broker();
    let mut noise = Noise(1);
    for api in ApiKey::ALL {
        for version in 0..=13_i16 {
            for _ in 0..20 {
                let mut bytes = (*api as i16).to_be_bytes().to_vec();
                bytes.extend(version.to_be_bytes());
                bytes.extend([0, 0, 0, 1, 0xff, 0xff]);
                let length = noise.next() % 200;
                bytes.extend((0..length).map(|_| (noise.next() % 7) as u8));
                let _ = cluster.handle(T0, 1, 1, &bytes);
            }
        }
    }
}

#[test]
fn sound_request_with_one_changed_byte_never_panics() {
    let mut cluster = one_broker();
    let mut noise = Noise(2);
    for version in [3, 9, 13] {
        let mut request = produce_request(-1, "events", 0, stamped(0, 0, 3));
        request.topics[0].topic_id = cluster.topic_id("events").expect("there is one");
        let sound = frame(&request, version, 1);
        for at in 0..sound.len() {
            let mut bytes = sound.clone();
            bytes[at] ^= (noise.next() % 255 + 1) as u8;
            let _ = cluster.handle(T0, 1, 1, &bytes);
        }
    }
}

#[test]
fn request_that_ends_early_closes_the_connection() {
    let sound = frame(&MetadataRequest::default(), 9, 1);
    for length in 0..sound.len() {
        let mut cluster = one_broker();
        let reaction = cluster.handle(T0, 1, 1, &sound[..length]);
        assert_eq!(
            (reaction.answer, reaction.then),
            (None, Then::Close),
            "{length} bytes"
        );
        assert_eq!(cluster.violations().len(), 1);
    }
}

#[test]
fn unknown_request_closes_the_connection() {
    let mut cluster = Cluster::new(1, KafkaVersion::V4_3);
    let bytes = [0, 99, 0, 0, 0, 0, 0, 1, 0xff, 0xff];
    assert_eq!(cluster.handle(T0, 1, 1, &bytes).then, Then::Close);
    assert_eq!(cluster.requests().len(), 0);
}
