//! A producer in a forked child.
#![cfg(unix)]
#![expect(
    unsafe_code,
    reason = "running code between fork and exec is unsafe by its nature"
)]

use std::io;
use std::os::unix::process::CommandExt;
use std::process::Command;

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
