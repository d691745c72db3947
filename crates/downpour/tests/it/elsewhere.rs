//! Another cluster behind the same name, brokers that lost data, slow and deaf ways to a broker.

use std::io::{self, Read, Write};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use downpour::{Acks, ErrorKind, Producer, ProducerBuilder, Record};
use downpour_fake::{ApiKey, ErrorCode, FakeCluster, Fault};

use crate::setup::{PATIENCE, builder, quick, small_cluster};

/// Two clusters at the same addresses, and which of them is there.
fn two() -> (FakeCluster, FakeCluster, Arc<AtomicBool>, ProducerBuilder) {
    let named = |name: &str| FakeCluster::builder().cluster_id(name).tcp(false);
    let first = named("first")
        .topic("events", 1)
        .start()
        .expect("a cluster");
    let second = named("second").topic("other", 1).topic("events", 1);
    let second = second.start().expect("a cluster");
    let moved = Arc::new(AtomicBool::new(false));
    let (there, is_moved) = ((first.connector(), second.connector()), moved.clone());
    let builder = quick(Producer::builder(first.bootstrap_servers()));
    let builder = builder.connector(move |host, port| match is_moved.load(Ordering::SeqCst) {
        false => (there.0)(host, port),
        true => (there.1)(host, port),
    });
    (first, second, moved, builder)
}

#[test]
fn a_producer_follows_its_name_to_another_cluster() {
    let (first, second, moved, builder) = two();
    let producer = builder.build().unwrap().blocking();
    let record = || Record::to("events").value("v");
    assert_eq!(producer.produce_sync(record()).unwrap().offset(), Some(0));
    moved.store(true, Ordering::SeqCst);
    first.kill(1);
    // One that left before its connection ended may be in the first cluster's log: it stays unknown.
    let delivered = (0..100).find_map(|_| producer.produce_sync(record()).ok());
    assert_eq!(delivered.expect("it goes on there").offset(), Some(0));
    assert_eq!(second.records("events", 0).len(), 1);
    // Under an id that the second cluster granted.
    assert_eq!(second.request_count(ApiKey::InitProducerId), 1);
}

#[test]
fn a_producer_that_may_not_follow_fails_what_is_sent() {
    let (first, second, moved, builder) = two();
    let builder = builder.fail_on_cluster_change(true);
    let producer = builder.build().unwrap().blocking();
    let record = || Record::to("events").value("v");
    producer.produce_sync(record()).unwrap();
    moved.store(true, Ordering::SeqCst);
    first.kill(1);
    let error = producer.produce_sync(record()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::OtherCluster, "{error}");
    assert!(!error.is_retriable());
    let said = "cluster second answers there, and this producer writes to cluster first";
    assert!(error.to_string().contains(said), "{error}");
    assert!(second.records("events", 0).is_empty());
}

#[test]
fn lost_data_is_an_error_where_that_is_asked_for() {
    for fails in [false, true] {
        let cluster = small_cluster();
        let producer = builder(&cluster).fail_on_data_loss(fails);
        let producer = producer.build().unwrap().blocking();
        let record = || Record::to("events").value("v");
        producer.produce_sync(record()).unwrap();
        // As a leader says that does not have that one any more.
        let gap = Fault::error(ErrorCode::OUT_OF_ORDER_SEQUENCE_NUMBER);
        cluster.fault(gap.on(ApiKey::Produce));
        match producer.produce_sync(record()) {
            Ok(_) => assert!(!fails),
            Err(error) => {
                assert!(fails, "{error}");
                assert_eq!(error.kind(), ErrorKind::DataLoss);
                assert!(error.is_retriable() && error.to_string().contains("up to offset 0"));
            }
        }
        producer.produce_sync(record()).unwrap();
    }
}

#[test]
fn slow_ways_to_brokers_do_not_wait_for_each_other() {
    const BROKERS: usize = 6;
    let cluster = FakeCluster::builder().brokers(BROKERS as i32).tcp(false);
    let cluster = cluster.topic("events", BROKERS as i32).start().unwrap();
    let connector = cluster.connector();
    // Whether somebody has come in, and how many are on their way since.
    let calls = Arc::new((Mutex::new((false, 0)), Condvar::new()));
    let builder = quick(Producer::builder(cluster.bootstrap_servers()));
    let builder = builder.connector(move |host, port| {
        let (state, changed) = &*calls;
        let mut state = state.lock().unwrap();
        if std::mem::replace(&mut state.0, true) {
            state.1 += 1;
            changed.notify_all();
            // Nobody gets there before all are on their way.
            let alone = |state: &mut (bool, usize)| state.1 < BROKERS;
            let (back, waited) = changed.wait_timeout_while(state, PATIENCE, alone).unwrap();
            state = back;
            if waited.timed_out() {
                state.1 -= 1;
                return Err(io::Error::other("nobody else is on the way"));
            }
        }
        drop(state);
        connector(host, port)
    });
    let builder = builder.connect_timeout(PATIENCE).delivery_timeout(PATIENCE);
    let producer = builder.build().unwrap().blocking();
    let record = |partition| Record::to("events").value("v").partition(partition);
    let sent = (0..BROKERS as i32).map(|partition| producer.produce_async(record(partition)));
    let sent: Vec<_> = sent.map(Result::unwrap).collect();
    for handle in sent {
        handle.wait().unwrap();
    }
}

/// Passes on what is said either way, until it is deaf to the client.
fn pass_on(client: &UnixStream, broker: &UnixStream, deaf: &Arc<AtomicBool>) {
    let pairs = [(client, broker, true), (broker, client, false)];
    for (from, to, from_client) in pairs {
        let (mut from, mut to) = (
            from.try_clone().expect("one more"),
            to.try_clone().expect("one more"),
        );
        let deaf = deaf.clone();
        std::thread::spawn(move || {
            let mut buffer = vec![0; 64 << 10];
            while let Ok(count @ 1..) = from.read(&mut buffer) {
                if to.write_all(&buffer[..count]).is_err() {
                    break;
                }
                if from_client && deaf.load(Ordering::SeqCst) {
                    std::thread::park();
                }
            }
            let _ = to.shutdown(Shutdown::Both);
        });
    }
}

#[test]
fn without_acks_a_broker_that_reads_nothing_is_given_up_and_records_go_on() {
    let cluster = FakeCluster::builder().tcp(false).topic("events", 1);
    let cluster = cluster.start().unwrap();
    let connector = cluster.connector();
    let ways: Arc<Mutex<Vec<Arc<AtomicBool>>>> = Arc::default();
    let made = ways.clone();
    let producer = quick(Producer::builder(cluster.bootstrap_servers()))
        .acks(Acks::None)
        .request_timeout(Duration::from_millis(300))
        .delivery_timeout(PATIENCE)
        .linger(Duration::ZERO)
        .connector(move |host, port| {
            let broker = connector(host, port)?;
            let (ours, theirs) = UnixStream::pair()?;
            let deaf = Arc::default();
            pass_on(&theirs, &broker, &deaf);
            made.lock().unwrap().push(deaf);
            Ok(ours)
        });
    let producer = producer.build().unwrap().blocking();
    let record = || Record::to("events").value(vec![7; 100_000]);
    producer.produce_sync(record()).unwrap();
    // Those that there are; the next one hears again.
    for deaf in ways.lock().unwrap().iter() {
        deaf.store(true, Ordering::SeqCst);
    }
    // More than the sockets hold.
    let sent = (0..50).map(|_| producer.produce_async(record()).unwrap());
    let sent: Vec<_> = sent.collect();
    for handle in sent {
        handle.wait().unwrap();
    }
    producer.close();
}
