//! The shell: sockets, memory, delays, and an end in bounded time.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use downpour_fake::{ApiKey, FakeCluster, FakeClusterBuilder, TopicSpec};
use downpour_wire::messages::{FetchRequest, MetadataRequest, ProduceRequest};

use crate::support::*;

/// More than any of these tests takes, less than a hang.
const SOON: Duration = Duration::from_secs(10);

/// A client of one connection.
pub(crate) struct Client<S> {
    stream: S,
}

impl Client<TcpStream> {
    pub(crate) fn connect(cluster: &FakeCluster, node: i32) -> std::io::Result<Self> {
        let (host, port) = cluster.with(|cluster| cluster.address(node));
        let stream = TcpStream::connect((host.as_str(), port))?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(SOON))?;
        Ok(Self { stream })
    }
}

impl<S: Read + Write> Client<S> {
    pub(crate) fn send(&mut self, request: &[u8]) {
        let mut bytes = (request.len() as u32).to_be_bytes().to_vec();
        bytes.extend(request);
        self.stream.write_all(&bytes).expect("the fake reads");
    }

    /// An answer with its length; an error at the end of the stream.
    pub(crate) fn receive(&mut self) -> std::io::Result<Vec<u8>> {
        let mut answer = vec![0; 4];
        self.stream.read_exact(&mut answer)?;
        let length = u32::from_be_bytes(answer[..4].try_into().expect("four bytes"));
        answer.resize(4 + length as usize, 0);
        self.stream.read_exact(&mut answer[4..])?;
        Ok(answer)
    }

    /// Produces a value to partition 0 of `events`, and returns its offset.
    pub(crate) fn produce(&mut self, value: &str) -> std::io::Result<i64> {
        self.send(&produce_frame(value, 7));
        self.base_offset()
    }

    /// The same, where the connection may be gone already.
    pub(crate) fn produce_on(&mut self, value: &str) -> std::io::Result<i64> {
        let request = produce_frame(value, 7);
        self.stream
            .write_all(&(request.len() as u32).to_be_bytes())?;
        self.stream.write_all(&request)?;
        self.base_offset()
    }

    fn base_offset(&mut self) -> std::io::Result<i64> {
        let answer = self.receive()?;
        Ok(only(read::<ProduceRequest>(&answer, 9, 7)).base_offset)
    }
}

pub(crate) fn produce_frame(value: &str, correlation_id: i32) -> Vec<u8> {
    frame(
        &produce_request(-1, "events", 0, batch(&[value])),
        9,
        correlation_id,
    )
}

pub(crate) fn start() -> FakeCluster {
    FakeCluster::builder()
        .topic("events", 1)
        .start()
        .expect("ports are free")
}

#[test]
fn idle_connection_is_closed_without_a_word() {
    let builder = FakeCluster::builder().topic("events", 1);
    let cluster = builder.idle_max(Duration::from_millis(50)).start().unwrap();
    let mut client = Client::connect(&cluster, 1).unwrap();
    assert_eq!(client.produce("a").unwrap(), 0);
    // It ends by itself, long before the client's own patience.
    assert_eq!(
        client.receive().unwrap_err().kind(),
        ErrorKind::UnexpectedEof
    );
}

#[test]
fn too_large_a_request_closes_its_connection() {
    let builder = FakeCluster::builder().topic("events", 1);
    let cluster = builder.request_bytes_max(200).start().unwrap();
    let mut client = Client::connect(&cluster, 1).unwrap();
    assert_eq!(client.produce("a").unwrap(), 0);
    client.produce_on(&"x".repeat(200)).unwrap_err();
    let mut another = Client::connect(&cluster, 1).unwrap();
    assert_eq!(another.produce("b").unwrap(), 1);
}

#[test]
fn records_come_in_over_tcp() {
    let cluster = start();
    let mut client = Client::connect(&cluster, 1).expect("it listens");
    assert_eq!(client.produce("a").expect("an answer"), 0);
    assert_eq!(client.produce("b").expect("an answer"), 1);
    cluster.assert_delivered_once("events", ["a", "b"]);
    cluster.assert_in_order("events", ["a", "b"]);
    cluster.assert_request_count(ApiKey::Produce, 2);
    cluster.assert_no_violations();
}

#[test]
fn metadata_names_the_ports_that_listen() {
    let cluster = FakeCluster::builder()
        .brokers(3)
        .start()
        .expect("ports are free");
    let mut client = Client::connect(&cluster, 2).expect("it listens");
    client.send(&frame(&MetadataRequest::default(), 9, 1));
    let answer = read::<MetadataRequest>(&client.receive().expect("an answer"), 9, 1);
    let named: Vec<String> = answer
        .brokers
        .iter()
        .map(|broker| format!("{}:{}", broker.host, broker.port))
        .collect();
    assert_eq!(named.join(","), cluster.bootstrap_servers());
}

#[cfg(unix)]
#[test]
fn records_come_in_through_memory_without_any_port() {
    let cluster = FakeCluster::builder()
        .brokers(2)
        .topic("events", 1)
        .tcp(false)
        .start();
    let cluster = cluster.expect("nothing to bind");
    let connect = cluster.connector();
    let (host, port) = cluster.with(|cluster| cluster.address(1));
    let mut client = Client {
        stream: connect(&host, port).expect("broker 1 lives"),
    };
    assert_eq!(client.produce("a").expect("an answer"), 0);
    let kind = |host: &str, port| connect(host, port).expect_err("nobody there").kind();
    assert_eq!(kind("elsewhere", 9092), ErrorKind::ConnectionRefused);
    cluster.kill(1);
    assert_eq!(kind(&host, port), ErrorKind::ConnectionRefused);
    cluster.restart(1).expect("nothing to bind");
    assert!(connect(&host, port).is_ok());
    drop(cluster);
    assert_eq!(kind(&host, port), ErrorKind::ConnectionRefused);
}

#[test]
fn network_delay_is_paid_once_by_requests_that_overlap() {
    let cluster = start();
    cluster.set_network_delay(Duration::from_millis(200));
    let mut client = Client::connect(&cluster, 1).expect("it listens");
    let begun = Instant::now();
    for id in 0..10 {
        client.send(&produce_frame("a", id));
    }
    for id in 0..10 {
        read::<ProduceRequest>(&client.receive().expect("an answer"), 9, id);
    }
    let took = begun.elapsed();
    assert!(took >= Duration::from_millis(200), "{took:?}");
    assert!(
        took < Duration::from_millis(1500),
        "ten delays would be 2 s, not {took:?}"
    );
}

#[test]
fn service_delay_is_paid_by_every_request_of_a_connection() {
    let cluster = start();
    cluster.set_service_delay(Duration::from_millis(60));
    let begun = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..6 {
            scope.spawn(|| {
                let mut client = Client::connect(&cluster, 1).expect("it listens");
                for id in 0..5 {
                    client.send(&produce_frame("a", id));
                }
                for id in 0..5 {
                    read::<ProduceRequest>(&client.receive().expect("an answer"), 9, id);
                }
            });
        }
    });
    let took = begun.elapsed();
    assert!(took >= Duration::from_millis(300), "{took:?}");
    assert!(
        took < Duration::from_millis(1500),
        "one after the other would be 1.8 s, not {took:?}"
    );
}

#[test]
fn answers_keep_their_order_when_the_delay_shrinks() {
    let cluster = start();
    let mut client = Client::connect(&cluster, 1).expect("it listens");
    cluster.set_network_delay(Duration::from_millis(100));
    client.send(&produce_frame("a", 1));
    eventually(|| cluster.request_count(ApiKey::Produce) > 0);
    cluster.set_network_delay(Duration::ZERO);
    client.send(&produce_frame("b", 2));
    read::<ProduceRequest>(&client.receive().expect("an answer"), 9, 1);
    read::<ProduceRequest>(&client.receive().expect("an answer"), 9, 2);
}

#[test]
fn killed_broker_closes_its_connections_and_its_port_and_comes_back_there() {
    let cluster = start();
    let mut client = Client::connect(&cluster, 1).expect("it listens");
    client.produce("a").expect("an answer");
    cluster.kill(1);
    assert!(client.receive().is_err());
    assert!(Client::connect(&cluster, 1).is_err());
    cluster.restart(1).expect("the port is free");
    let mut client = Client::connect(&cluster, 1).expect("it listens again");
    assert_eq!(client.produce("b").expect("an answer"), 1);
    cluster.assert_delivered_once("events", ["a", "b"]);
}

#[test]
fn fetch_that_waits_is_answered_as_soon_as_a_record_comes() {
    let cluster = start();
    let mut reader = Client::connect(&cluster, 1).expect("it listens");
    let fetch = FetchRequest {
        max_wait_ms: 30_000,
        min_bytes: 1,
        max_bytes: 1 << 20,
        topics: vec![downpour_wire::messages::FetchTopic {
            topic: "events".to_owned(),
            partitions: vec![downpour_wire::messages::FetchPartition {
                partition_max_bytes: 1 << 20,
                current_leader_epoch: -1,
                ..Default::default()
            }],
        }],
        ..FetchRequest::default()
    };
    reader.send(&frame(&fetch, 11, 3));
    eventually(|| cluster.request_count(ApiKey::Fetch) > 0);
    let begun = Instant::now();
    let mut writer = Client::connect(&cluster, 1).expect("it listens");
    writer.produce("a").expect("an answer");
    let answer = read::<FetchRequest>(&reader.receive().expect("an answer"), 11, 3);
    assert_eq!(answer.topics[0].partitions[0].high_watermark, 1);
    assert!(begun.elapsed() < SOON);
}

#[test]
fn cluster_ends_at_once_whatever_its_connections_wait_for() {
    let cluster = start();
    cluster.set_network_delay(Duration::from_secs(60));
    let mut delayed = Client::connect(&cluster, 1).expect("it listens");
    delayed.send(&produce_frame("a", 1));
    eventually(|| cluster.request_count(ApiKey::Produce) == 1);
    cluster.set_service_delay(Duration::from_secs(60));
    let mut slow = Client::connect(&cluster, 1).expect("it listens");
    slow.send(&produce_frame("b", 1));
    eventually(|| cluster.request_count(ApiKey::Produce) == 2);
    let _idle = Client::connect(&cluster, 1).expect("it listens");
    let begun = Instant::now();
    drop(cluster);
    assert!(
        begun.elapsed() < Duration::from_secs(5),
        "{:?}",
        begun.elapsed()
    );
    assert!(delayed.receive().is_err());
}

#[test]
fn connections_beyond_the_bound_are_closed() {
    let cluster = FakeCluster::builder()
        .connections_max(2)
        .start()
        .expect("ports are free");
    let ask = frame(&MetadataRequest::default(), 9, 1);
    let mut kept: Vec<_> = (0..2)
        .map(|_| {
            let mut client = Client::connect(&cluster, 1).expect("it listens");
            client.send(&ask);
            client.receive().expect("an answer");
            client
        })
        .collect();
    let mut third = Client::connect(&cluster, 1).expect("the port is open");
    assert!(third.receive().is_err());
    assert_eq!(cluster.connections(), 2);
    kept.clear();
    eventually(|| cluster.connections() == 0);
    let mut fourth = Client::connect(&cluster, 1).expect("it listens");
    fourth.send(&ask);
    assert!(fourth.receive().is_ok());
}

#[test]
fn description_that_makes_no_sense_is_refused_with_what_is_wrong() {
    let refused = |builder: FakeClusterBuilder, what: &str| {
        let error = builder.start().expect_err(what);
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        assert!(error.to_string().contains(what), "{error}");
    };
    let cluster = FakeCluster::builder;
    refused(cluster().brokers(0), "at least one broker, not 0");
    for name in ["", ".", "..", "a b", "ä", &"x".repeat(250)] {
        let what = format!("cannot create topic {name:?}: a name has 1 to 249 of");
        refused(cluster().topic(name, 1), &what);
    }
    let twice = cluster().topic("events", 1).topic("events", 2);
    refused(twice, "\"events\": it exists");
    refused(cluster().topic("events", 0), "1 to 100000 partitions");
    let replicas = TopicSpec::new(1).replication(3);
    let few = cluster().brokers(2).topic("events", replicas);
    refused(few, "2 brokers can hold 1 to 2 replicas");
    let longest = "x".repeat(249);
    assert!(
        cluster()
            .topic(&longest, 1)
            .topic("events-1.raw_x", 1)
            .start()
            .is_ok()
    );
}

#[test]
fn frame_that_is_too_long_closes_the_connection() {
    let cluster = start();
    let mut client = Client::connect(&cluster, 1).expect("it listens");
    client
        .stream
        .write_all(&u32::MAX.to_be_bytes())
        .expect("it reads");
    assert!(client.receive().is_err());
}

#[test]
#[should_panic(expected = "missing (partition@offset), 1:\n    \"b\"")]
fn assertion_names_what_is_missing() {
    let cluster = start();
    let mut client = Client::connect(&cluster, 1).expect("it listens");
    client.produce("a").expect("an answer");
    cluster.assert_delivered_once("events", ["a", "b"]);
}

#[test]
fn clients_can_be_disconnected_without_a_broken_broker() {
    let cluster = start();
    let mut client = Client::connect(&cluster, 1).expect("it listens");
    client.produce("a").expect("an answer");
    cluster.disconnect_clients(1);
    assert!(client.receive().is_err());
    let mut client = Client::connect(&cluster, 1).expect("it still listens");
    client.produce("b").expect("an answer");
}

#[test]
fn test_can_wait_for_what_arrives() {
    let cluster = start();
    let is_there = |cluster: &downpour_fake::logic::Cluster| cluster.end_offset("events", 0) == 1;
    assert!(!cluster.wait_until(Duration::from_millis(20), is_there));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            Client::connect(&cluster, 1)
                .expect("it listens")
                .produce("a")
        });
        assert!(cluster.wait_until(SOON, is_there));
    });
}
