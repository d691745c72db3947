//! A topic's partitions grow while senders look at them, and those who wait for metadata are woken;
//! topics are added while others look them up.

use std::collections::BTreeSet;
use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;
use std::time::Instant;

use downpour_core::config::Config;
use downpour_core::queue::QueueSettings;
use downpour_wire::error_code::ErrorCode;

use super::explore::{OFTEN, explore};
use crate::sys::park::block_on;
use crate::sys::sync::thread;
use crate::sys::wake;
use crate::topics::entry::{Metadata, Refusal, TopicEntry};
use crate::topics::table::Topics;

/// More than the first segment of the table holds.
const PARTITIONS: i32 = 10;

fn update(topic: &TopicEntry, count: i32) {
    let settings = QueueSettings::from(&Config::new(Vec::new()));
    let leaders: Vec<Option<i32>> = (0..count).map(|index| Some(index % 2)).collect();
    let mut woken = Vec::new();
    topic.update(
        &Arc::from(leaders),
        (settings, false),
        &BTreeSet::new(),
        |_| (),
        &mut woken,
    );
    wake::wake_all(&mut woken);
}

/// All that are counted are there, and stay where they are.
fn look(topic: &TopicEntry) {
    let count = topic.partitions.count() as i32;
    assert!([0, 2, PARTITIONS].contains(&count), "{count} are counted");
    for index in 0..count {
        let entry = topic.partitions.get(index).expect("it was counted");
        assert_eq!(entry.id.index, index);
        let again = topic.partitions.get(index).unwrap();
        assert!(std::ptr::eq(entry, again));
    }
    assert!(topic.partitions.iter().count() as i32 >= count);
    if let Some(chosen) = topic.sticky(1, 1) {
        assert!(
            topic.partitions.get(chosen).is_some(),
            "{chosen} is unknown"
        );
    }
}

fn wait_for_metadata(topic: &TopicEntry) -> Result<(), ErrorCode> {
    let mut wait = None;
    block_on(poll_fn(|context| {
        match topic.poll_metadata(&mut wait, context.waker()) {
            Metadata::Ready => Poll::Ready(Ok(())),
            Metadata::Refused(refusal) => Poll::Ready(Err(refusal.code)),
            Metadata::Waiting => Poll::Pending,
        }
    }))
    .unwrap()
}

#[test]
fn partitions_that_are_counted_are_there_and_whoever_waits_is_woken() {
    explore(OFTEN / 2, || {
        let topic = Arc::new(TopicEntry::new(Arc::from("t"), 0, 1));
        let callers: [fn(&TopicEntry); 4] = [
            look,
            look,
            |topic| {
                // Refused or not: what counts is that it ends.
                if wait_for_metadata(topic).is_ok() {
                    look(topic);
                }
            },
            |topic| {
                let mut woken = Vec::new();
                let refusal = Refusal {
                    code: ErrorCode::TOPIC_AUTHORIZATION_FAILED,
                    missing_for: None,
                };
                topic.handle_unavailable(refusal, true, Instant::now(), &mut woken);
                wake::wake_all(&mut woken);
                update(topic, 2);
                update(topic, PARTITIONS);
            },
        ];
        let callers = callers.map(|call| {
            let topic = topic.clone();
            thread::spawn(move || call(&topic))
        });
        callers
            .into_iter()
            .for_each(|caller| caller.join().unwrap());
        assert_eq!(topic.partitions.count(), PARTITIONS as u32);
        assert_eq!(topic.partitions.iter().count(), PARTITIONS as usize);
    });
}

#[test]
fn whoever_waits_for_a_topic_that_comes_to_rest_is_woken_when_it_is_back() {
    explore(OFTEN / 2, || {
        let topic = Arc::new(TopicEntry::new(Arc::from("t"), 0, 1));
        update(&topic, 2);
        let callers: [fn(&TopicEntry); 3] = [
            look,
            |topic| {
                assert_eq!(wait_for_metadata(topic), Ok(()));
                look(topic);
            },
            |topic| {
                topic.rest();
                update(topic, PARTITIONS);
            },
        ];
        let callers = callers.map(|call| {
            let topic = topic.clone();
            thread::spawn(move || call(&topic))
        });
        callers
            .into_iter()
            .for_each(|caller| caller.join().unwrap());
        assert_eq!(topic.partitions.count(), PARTITIONS as u32);
        assert_eq!(topic.partitions.counted_last(), PARTITIONS as u32);
    });
}

#[test]
fn a_topic_has_one_entry_whoever_adds_it() {
    explore(OFTEN / 2, || {
        let topics = Arc::new(Topics::new(1, 10));
        let adders = ["a", "b", "a"].map(|name| {
            let topics = topics.clone();
            thread::spawn(move || {
                let mine = topics.add(name).unwrap();
                let found = topics.with(name, Arc::clone).expect("it was added");
                assert!(Arc::ptr_eq(&mine, &found));
                mine
            })
        });
        let [a, b, again] = adders.map(|adder| adder.join().unwrap());
        assert!(Arc::ptr_eq(&a, &again));
        assert_ne!(a.index(), b.index());
        assert_eq!(topics.all().len(), 2);
    });
}
