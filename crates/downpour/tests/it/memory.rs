//! `buffer_memory`: waiting in turn, being refused, and getting it all back.

use std::pin::Pin;
use std::task::{Context, Waker};
use std::time::{Duration, Instant};

use downpour::{ErrorKind, Message, Producer, Record, WaitedFor};
use downpour_fake::{ApiKey, FakeCluster, Fault};

use crate::setup::{PATIENCE, builder, small_cluster};

/// A producer of little memory whose broker does not answer Produce for a while.
fn full(cluster: &FakeCluster, patience: Duration) -> Producer {
    let producer = builder(cluster)
        .buffer_memory(16 << 10)
        .batch_size(4 << 10)
        .max_block(patience)
        .build()
        .unwrap();
    let topic = smol::block_on(producer.topic("events")).unwrap();
    while topic.try_send(&vec![1; 1000].into()).is_ok() {}
    producer
}

#[test]
fn try_send_says_that_memory_is_full_and_works_again_when_it_is_not() {
    let cluster = small_cluster();
    cluster.set_network_delay(Duration::from_millis(200));
    let producer = full(&cluster, PATIENCE);
    let record = Record::to("events").value(vec![1; 1000]);
    let error = producer.try_send(&record).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::BufferFull);
    assert_eq!(error.waited_for(), Some(WaitedFor::Memory));
    assert!(!error.is_timeout() && error.is_retriable());
    smol::block_on(producer.flush());
    assert_eq!(producer.buffered_bytes(), 0);
    drop(producer.try_send(&record).unwrap());
}

#[test]
fn try_send_on_a_full_buffer_never_waits_and_loses_no_record() {
    const LIMIT: usize = 1 << 20;
    let cluster = FakeCluster::builder().topic("events", 3).start().unwrap();
    let producer = builder(&cluster).buffer_memory(LIMIT).build().unwrap();
    let topic = smol::block_on(producer.topic("events")).unwrap();
    let (mut accepted, mut handles) = (Vec::new(), Vec::new());
    let mut number = 0;
    let mut is_accepted = || {
        let value = format!("{number:>1024}");
        number += 1;
        let answer = topic.try_send(&Message::from(&value));
        assert!(producer.buffered_bytes() <= LIMIT);
        match answer {
            Ok(handle) => {
                handles.push(handle);
                accepted.push(value);
                true
            }
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::BufferFull);
                false
            }
        }
    };
    // Connections wait for the fake's lock meanwhile, so nothing is answered and no memory comes
    // back: a call that waited for some would give up with another reason, a minute later.
    let refused = cluster.with(|_| {
        while is_accepted() {}
        (0..10_000).filter(|_| !is_accepted()).count()
    });
    // A batch that was open when the memory ran out may have had room.
    assert!(refused > 9_000, "{refused}");
    // Now memory comes back while others want it.
    for _ in 0..10_000 {
        is_accepted();
    }
    smol::block_on(producer.flush());
    assert!(is_accepted());
    for handle in &handles {
        handle.wait().unwrap();
    }
    cluster.assert_delivered_once("events", &accepted);
    cluster.assert_in_order("events", &accepted);
    cluster.assert_no_violations();
    assert_eq!(producer.buffered_bytes(), 0);
}

#[test]
fn a_send_that_waits_too_long_for_memory_says_so() {
    let cluster = small_cluster();
    cluster.fault(Fault::hang().on(ApiKey::Produce));
    let producer = full(&cluster, Duration::from_millis(150));
    let began = Instant::now();
    let error = smol::block_on(producer.send(Record::to("events").value(vec![1; 1000])));
    let error = error.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::BufferFull);
    assert_eq!(error.waited_for(), Some(WaitedFor::Memory));
    assert!(error.is_timeout() && error.is_retriable());
    assert!(began.elapsed() >= Duration::from_millis(150));
    drop(smol::block_on(
        producer.close_within(Duration::from_millis(1)),
    ));
}

#[test]
fn those_who_wait_are_served_in_turn_and_nobody_is_left_out() {
    let cluster = small_cluster();
    cluster.set_network_delay(Duration::from_millis(50));
    let producer = full(&cluster, PATIENCE);
    // Polled once, which puts it into the line; each takes all of the memory, so that grants
    // come one at a time.
    let in_line: Vec<_> = (0..6)
        .map(|number| {
            let record = Record::to("events").value(vec![number; 12_000]);
            let mut send = producer.send(record);
            let mut context = Context::from_waker(Waker::noop());
            assert!(Pin::new(&mut send).poll(&mut context).is_pending());
            send
        })
        .collect();
    std::thread::scope(|scope| {
        // The last one first, as far as threads have an order.
        for send in in_line.into_iter().rev() {
            scope.spawn(|| smol::block_on(send).unwrap().wait().unwrap());
        }
    });
    let arrived: Vec<u8> = cluster
        .records("events", 0)
        .iter()
        .filter_map(|r| r.value.as_ref().filter(|v| v.len() == 12_000).map(|v| v[0]))
        .collect();
    assert_eq!(arrived, [0, 1, 2, 3, 4, 5]);
    assert_eq!(producer.buffered_bytes(), 0);
}

#[test]
fn many_threads_with_little_memory_deliver_everything_once() {
    let cluster = FakeCluster::builder()
        .brokers(2)
        .topic("events", 8)
        .start()
        .unwrap();
    let producer = builder(&cluster)
        .buffer_memory(64 << 10)
        .batch_size(8 << 10)
        .build()
        .unwrap();
    let threads: Vec<_> = (0..8)
        .map(|thread| {
            let producer = producer.blocking();
            std::thread::spawn(move || {
                for number in 0..1500 {
                    let value = format!("{thread}:{number}:{}", "x".repeat(100));
                    drop(
                        producer
                            .produce_async(Record::to("events").value(value))
                            .unwrap(),
                    );
                }
            })
        })
        .collect();
    for thread in threads {
        thread.join().unwrap();
    }
    let producer = producer.blocking();
    producer.flush();
    assert_eq!(producer.as_async().buffered_bytes(), 0);
    let sent = (0..8).flat_map(|t| (0..1500).map(move |n| format!("{t}:{n}:{}", "x".repeat(100))));
    cluster.assert_delivered_once("events", sent);
    cluster.assert_no_violations();
}

/// The batch size of the settings gives way to the memory, whatever either is.
#[test]
fn memory_below_a_batch_or_a_record_is_what_is_held_at_most() {
    let cluster = small_cluster();
    let producer = builder(&cluster).buffer_memory(4000).build().unwrap();
    let blocking = producer.blocking();
    let record = |bytes: usize| Record::to("events").value(vec![1; bytes]);
    let error = blocking.send(record(30_000)).unwrap_err();
    assert!(error.is_too_large(), "{error}");
    assert!(error.to_string().contains("raise buffer_memory"), "{error}");
    assert_eq!(producer.buffered_bytes(), 0);
    let handles = (0..200).map(|n| {
        let handle = blocking.send(record(n * 19)).unwrap();
        // Chunks are powers of two: one that is alone may be rounded up.
        let held = producer.buffered_bytes();
        assert!(held <= 4096, "{held}");
        handle
    });
    for handle in handles.collect::<Vec<_>>() {
        handle.wait().unwrap();
    }
    blocking.flush();
    assert_eq!(producer.buffered_bytes(), 0);
}

#[test]
fn a_record_larger_than_the_memory_is_refused() {
    let cluster = small_cluster();
    let producer = builder(&cluster)
        .buffer_memory(8 << 10)
        .batch_size(4 << 10)
        .build()
        .unwrap();
    let error = producer
        .blocking()
        .produce_sync(Record::to("events").value(vec![0; 20_000]));
    let error = error.unwrap_err();
    assert!(error.to_string().contains("raise buffer_memory"), "{error}");
    assert_eq!(producer.buffered_bytes(), 0);
}
