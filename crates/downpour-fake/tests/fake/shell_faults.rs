//! Faults as a client on a socket sees them.

use std::io::{Read, Write};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use downpour_fake::{ApiKey, FakeCluster, Fault};

use crate::shell::{Client, produce_frame, start};
use crate::support::eventually;

#[test]
fn lost_answer_is_an_end_of_stream_and_the_record_is_there() {
    let cluster = start();
    cluster.fault(Fault::apply_and_lose_answer().on(ApiKey::Produce).nth(2));
    let mut client = Client::connect(&cluster, 1).expect("it listens");
    client.produce("a").expect("an answer");
    assert!(client.produce("b").is_err());
    cluster.assert_delivered_once("events", ["a", "b"]);
    cluster.assert_faults_happened();
}

#[test]
fn answer_that_is_cut_gives_exactly_its_first_bytes() {
    let cluster = start();
    cluster.fault(Fault::disconnect_mid_frame(10).on(ApiKey::Produce));
    let (host, port) = cluster.with(|cluster| cluster.address(1));
    let mut stream = std::net::TcpStream::connect((host.as_str(), port)).expect("it listens");
    let request = produce_frame("a", 7);
    stream
        .write_all(&(request.len() as u32).to_be_bytes())
        .expect("reads");
    stream.write_all(&request).expect("reads");
    let mut got = Vec::new();
    stream.read_to_end(&mut got).expect("a clean end");
    assert_eq!(got.len(), 10);
    assert_eq!(got[4..8], 7_i32.to_be_bytes());
}

#[test]
fn cut_answer_waits_for_those_before_it_on_a_slow_network() {
    let cluster = start();
    cluster.set_network_delay(Duration::from_millis(50));
    cluster.fault(Fault::disconnect_mid_frame(10).on(ApiKey::Produce).nth(2));
    let mut client = Client::connect(&cluster, 1).expect("it listens");
    client.send(&produce_frame("a", 1));
    client.send(&produce_frame("b", 2));
    client.receive().expect("the first answer");
    assert!(client.receive().is_err());
    cluster.assert_delivered_once("events", ["a", "b"]);
}

#[test]
fn connection_that_hangs_is_silent_and_others_are_served() {
    let cluster = start();
    cluster.fault(Fault::hang().on(ApiKey::Produce));
    let mut hanging = Client::connect(&cluster, 1).expect("it listens");
    hanging.send(&produce_frame("a", 1));
    hanging.send(&produce_frame("b", 2));
    eventually(|| cluster.pending_faults() == 0);
    let mut other = Client::connect(&cluster, 1).expect("it listens");
    other.produce("c").expect("an answer");
    cluster.assert_delivered_once("events", ["c"]);
}

#[test]
fn held_request_is_applied_although_its_client_has_gone() {
    let cluster = start();
    cluster.fault(Fault::hold(Duration::from_millis(150)).on(ApiKey::Produce));
    let mut gone = Client::connect(&cluster, 1).expect("it listens");
    gone.send(&produce_frame("late", 1));
    eventually(|| cluster.pending_faults() == 0);
    drop(gone);
    let mut client = Client::connect(&cluster, 1).expect("it listens");
    client.produce("early").expect("an answer");
    let both = |cluster: &downpour_fake::logic::Cluster| cluster.end_offset("events", 0) == 2;
    assert!(cluster.wait_until(Duration::from_secs(10), both));
    cluster.assert_in_order("events", ["early", "late"]);
}

#[test]
fn throttled_connection_is_not_served_for_that_long() {
    let cluster = start();
    cluster.fault(Fault::throttle(150).on(ApiKey::Produce));
    let mut client = Client::connect(&cluster, 1).expect("it listens");
    // Before the first answer: on a busy machine it may be read long after it was sent.
    let begun = Instant::now();
    client.produce("a").expect("the answer itself is not late");
    client.produce("b").expect("an answer");
    assert!(
        begun.elapsed() >= Duration::from_millis(150),
        "{:?}",
        begun.elapsed()
    );
}

#[test]
fn broker_killed_by_a_fault_closes_its_port() {
    let cluster = FakeCluster::builder().brokers(2).topic("events", 1).start();
    let cluster = cluster.expect("ports are free");
    cluster.fault(Fault::apply_and_kill_broker().on(ApiKey::Produce));
    let mut client = Client::connect(&cluster, 1).expect("it listens");
    assert!(client.produce("a").is_err());
    eventually(|| Client::connect(&cluster, 1).is_err());
    let mut other = Client::connect(&cluster, 2).expect("the other lives");
    assert_eq!(other.produce("b").expect("an answer"), 1);
    cluster.restart(1).expect("the port is free");
    assert!(Client::connect(&cluster, 1).is_ok());
}

#[test]
fn brokers_die_and_return_under_load_and_nothing_is_stuck() {
    let cluster = FakeCluster::builder().brokers(2).topic("events", 1).start();
    let cluster = cluster.expect("ports are free");
    cluster.set_network_delay(Duration::from_millis(1));
    let over = AtomicBool::new(false);
    let acknowledged = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while !over.load(Ordering::Relaxed) {
                    let leader = cluster.leader("events", 0).max(1);
                    let Ok(mut client) = Client::connect(&cluster, leader) else {
                        continue;
                    };
                    // A client that connects behind the last cut would otherwise go on forever.
                    while !over.load(Ordering::Relaxed)
                        && client.produce_on("a").is_ok_and(|offset| offset >= 0)
                    {
                        acknowledged.fetch_add(1, Ordering::Relaxed);
                    }
                }
            });
        }
        for round in 0..20 {
            let node = 1 + round % 2;
            std::thread::sleep(Duration::from_millis(5));
            cluster.kill(node);
            std::thread::sleep(Duration::from_millis(5));
            let begun = Instant::now();
            while let Err(error) = cluster.restart(node) {
                assert!(begun.elapsed() < Duration::from_secs(5), "{error}");
            }
        }
        over.store(true, Ordering::Relaxed);
        cluster.disconnect_clients(1);
        cluster.disconnect_clients(2);
    });
    let appended = cluster.records("events", 0).len();
    let acknowledged = acknowledged.load(Ordering::Relaxed);
    assert!(acknowledged > 0);
    assert!(
        appended >= acknowledged,
        "{appended} of {acknowledged} are there"
    );
    let begun = Instant::now();
    drop(cluster);
    assert!(begun.elapsed() < Duration::from_secs(5));
}
