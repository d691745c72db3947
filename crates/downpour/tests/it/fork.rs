//! A producer in a forked child.
#![cfg(unix)]
#![expect(
    unsafe_code,
    reason = "running code between fork and exec is unsafe by its nature"
)]

use std::future::Future;
use std::io;
use std::os::unix::process::CommandExt;
use std::pin::Pin;
use std::process::Command;
use std::task::{Context, Waker};
use std::time::Duration;

use downpour::{ErrorKind, Producer, Record, SendError};
use downpour_fake::FakeCluster;

#[test]
fn a_forked_child_is_refused_and_the_parent_goes_on() {
    let cluster = FakeCluster::builder()
        .topic("events", 1)
        .start()
        .expect("a cluster");
    let producer = Producer::builder(cluster.bootstrap_servers())
        .build()
        .expect("a producer");
    let blocking = producer.blocking();
    blocking
        .produce_sync(Record::to("events").value("before"))
        .expect("delivered");

    let inherited = producer.clone();
    let in_child = move || match inherited.try_send(&Record::to("events").value("child")) {
        Err(error) if error.kind() == ErrorKind::Forked => Ok(()),
        // No words: formatting between fork and exec could wait for a lock forever.
        _ => Err(io::Error::from_raw_os_error(libc::EPROTO)),
    };
    let mut command = Command::new("true");
    // SAFETY: the closure loads an atomic and returns; it takes no lock and starts no thread.
    unsafe { command.pre_exec(in_child) };
    let status = command.status().expect("the child was refused");
    assert!(status.success());

    blocking
        .produce_sync(Record::to("events").value("after"))
        .expect("delivered");
    assert_eq!(cluster.records("events", 0).len(), 2);
}

/// What a child may do without a signal that ends it.
const SECONDS: u32 = 20;

#[test]
fn in_a_forked_child_whatever_waits_ends_and_a_producer_of_its_own_works() {
    let cluster = FakeCluster::builder().topic("events", 1).start();
    let cluster = cluster.expect("a cluster");
    let bootstrap = cluster.bootstrap_servers();
    let build = || {
        let builder = Producer::builder(&bootstrap).linger(Duration::from_secs(60));
        builder.build().expect("a producer")
    };
    let (producer, unused) = (build(), build());
    let record = || Record::to("events").value("parent");
    let blocking = producer.blocking();
    let handle = blocking.send(record()).expect("accepted");
    let many = blocking.send_many(&[record(), record()]).expect("accepted");
    // Leaves its waker, which is the child's to drop.
    let mut waited = handle.clone();
    let mut context = Context::from_waker(Waker::noop());
    assert!(Pin::new(&mut waited).poll(&mut context).is_pending());
    let mut inherited = Some((producer.clone(), unused, handle.clone(), many, waited));

    let in_child = move || {
        // SAFETY: it is a system call; what is set ends with the program that comes next.
        unsafe { libc::alarm(SECONDS) };
        let Some((producer, unused, handle, many, waited)) = inherited.take() else {
            return Err(io::Error::from_raw_os_error(libc::EPROTO));
        };
        let own = producer.blocking();
        let is_forked = |kind: ErrorKind| kind == ErrorKind::Forked;
        let refused = [
            own.send(record()).is_err_and(|e| is_forked(e.kind())),
            own.send(Record::to("new"))
                .is_err_and(|e| is_forked(e.kind())),
            own.send_and_wait(record())
                .is_err_and(|e| is_forked(e.kind())),
            own.send_many(&[Record::to("newer")])
                .is_err_and(|e| is_forked(e.kind())),
            own.send_many_and_wait(&[record()])
                .is_err_and(|e| is_forked(e.kind())),
            handle.wait().is_err_and(|e| is_forked(e.kind())),
            handle.try_report().is_some_and(|end| end.is_err()),
            handle.label::<u8>().is_none(),
            many.wait().is_err_and(|e| is_forked(e.kind())),
            many.reports().all(|end| matches!(end, Some(Err(_)))),
            own.buffered_bytes() == 0,
            own.statistics().partitions.is_empty(),
        ];
        own.flush();
        let left = own.close_within(Duration::from_secs(1));
        own.close();
        drop((waited, handle, many, own, producer, unused));
        let fresh = Producer::builder(&bootstrap).build();
        let fresh = fresh.map_err(io::Error::other)?.blocking();
        let sent = fresh.send_and_wait(Record::to("events").value("child"));
        fresh.close();
        match refused == [true; 12] && left.is_empty() && sent.is_ok() {
            true => Ok(()),
            false => Err(io::Error::from_raw_os_error(libc::EPROTO)),
        }
    };
    let mut command = Command::new("true");
    // SAFETY: nothing in it waits for a lock of the parent's, which is what it shows; libc's
    // allocator can be used after its fork.
    unsafe { command.pre_exec(in_child) };
    assert!(command.status().expect("a child").success());

    blocking.close();
    handle.wait().expect("delivered in the parent");
    let values = ["child", "parent", "parent", "parent"];
    cluster.assert_delivered_once("events", values);
}

#[test]
fn a_forked_child_is_not_told_what_its_parent_knew() {
    let cluster = FakeCluster::builder().topic("events", 1).start();
    let cluster = cluster.expect("a cluster");
    let producer = Producer::builder(cluster.bootstrap_servers());
    let inherited = producer.build().expect("a producer").blocking();
    inherited.topic("events").expect("known from now on");

    let in_child = move || {
        let topic = inherited.topic("events").map(drop);
        let count = inherited.partition_count("events").map(drop);
        let holders = inherited.partitions_for("events").map(drop);
        let refused = |asked: Result<(), SendError>| {
            asked.is_err_and(|error| error.kind() == ErrorKind::Forked)
        };
        match [topic, count, holders, inherited.connect()].map(refused) {
            [true, true, true, true] => Ok(()),
            _ => Err(io::Error::from_raw_os_error(libc::EPROTO)),
        }
    };
    let mut command = Command::new("true");
    // SAFETY: the closure allocates, which libc's fork leaves usable, and starts no thread.
    unsafe { command.pre_exec(in_child) };
    assert!(command.status().expect("the child was refused").success());
}
