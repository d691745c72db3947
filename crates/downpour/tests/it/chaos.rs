//! Threads, tasks and dropped futures while brokers fail in every way at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use downpour::{CompressionType, Record, Written};
use downpour_fake::{ApiKey, ErrorCode, FakeCluster, Fault};

use crate::setup::{builder, cluster, poll_and_drop};

/// Fails now and then until it is told to stop; every broker lives in the end.
fn fail_now_and_then(cluster: &FakeCluster, stop: &AtomicBool) {
    // A rate, not a wait: this often something breaks, whatever the producer is at.
    let pause = Duration::from_millis(7);
    let mut round = 0;
    while !stop.load(Ordering::Relaxed) {
        round += 1;
        let node = round % 3 + 1;
        match round % 6 {
            0 => cluster.fault(Fault::apply_and_lose_answer().on(ApiKey::Produce)),
            1 => cluster.move_leader("events", round % 6, node),
            2 => cluster.fault(Fault::error(ErrorCode::NOT_LEADER_OR_FOLLOWER).on(ApiKey::Produce)),
            3 => {
                cluster.kill(node);
                std::thread::sleep(pause);
                cluster.restart(node).unwrap();
            }
            4 => cluster.disconnect_clients(node),
            _ => cluster.fault(Fault::disconnect_mid_frame(6).on(ApiKey::Produce)),
        }
        std::thread::sleep(pause);
    }
    cluster.clear_faults();
}

#[test]
fn brokers_that_fail_in_every_way_lose_double_and_reorder_nothing() {
    for codec in [CompressionType::None, CompressionType::Lz4] {
        let cluster = Arc::new(cluster());
        let stop = Arc::new(AtomicBool::new(false));
        let chaos = {
            let (cluster, stop) = (cluster.clone(), stop.clone());
            std::thread::spawn(move || fail_now_and_then(&cluster, &stop))
        };
        let producer = builder(&cluster)
            .compression(codec)
            .buffer_memory(256 << 10)
            .batch_size(4 << 10)
            .build()
            .unwrap();
        let threads: Vec<_> = (0..4)
            .map(|thread| {
                let producer = producer.clone();
                std::thread::spawn(move || {
                    let mut handles = Vec::new();
                    for number in 0..3000 {
                        let value = format!("{thread}-{number:05}");
                        let record = Record::to("events").key(thread.to_string()).value(value);
                        if number % 50 == 0 {
                            let ended = poll_and_drop(1, producer.flush());
                            let _ = ended;
                        }
                        handles.push(smol::block_on(producer.send(record)).unwrap());
                    }
                    handles
                })
            })
            .collect();
        let handles: Vec<_> = threads.into_iter().map(|t| t.join().unwrap()).collect();
        stop.store(true, Ordering::Relaxed);
        chaos.join().unwrap();
        smol::block_on(producer.close());
        // What is not acknowledged must say what is known of it, and be right.
        let mut sure = Vec::new();
        let mut doubtful = Vec::new();
        for (thread, handles) in handles.iter().enumerate() {
            for (number, handle) in handles.iter().enumerate() {
                let value = format!("{thread}-{number:05}");
                match handle.try_report().unwrap() {
                    Ok(_) => sure.push(value),
                    Err(error) if error.written() == Written::Unknown => doubtful.push(value),
                    Err(_) => {}
                }
            }
        }
        let mut arrived: Vec<String> = Vec::new();
        for records in cluster.records_by_partition("events") {
            let values: Vec<String> = records.iter().filter_map(|r| r.value_str()).collect();
            for thread in 0..4 {
                let of = |v: &&String| v.starts_with(&format!("{thread}-"));
                let own: Vec<&String> = values.iter().filter(of).collect();
                assert!(own.windows(2).all(|w| w[0] < w[1]), "order, nothing twice");
            }
            arrived.extend(values);
        }
        arrived.sort();
        assert!(
            sure.iter().all(|v| arrived.binary_search(v).is_ok()),
            "acknowledged and lost"
        );
        let told = |v: &String| sure.binary_search(v).is_ok() || doubtful.contains(v);
        assert!(arrived.iter().all(told), "written, and said not to be");
        assert!(
            sure.len() >= 11_000,
            "{} of 12000 were delivered",
            sure.len()
        );
        assert_eq!(producer.buffered_bytes(), 0);
        cluster.assert_no_violations();
    }
}
