//! Clients on real sockets.

use std::io::Write as _;
use std::time::Duration;

use downpour_wire::header::{decode_response, encode_request};
use downpour_wire::messages::{
    ApiVersionsRequest, InitProducerIdRequest, MetadataRequest, MetadataRequestTopic, Request,
};

use super::*;

const MS: Duration = Duration::from_millis(1);

fn broker() -> (Arc<Shared>, TcpStream) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let address = listener.local_addr().unwrap();
    let shared = Arc::new(Shared::new(address.port(), 6));
    let serving = shared.clone();
    thread::spawn(move || accept(&listener, &serving));
    (shared, TcpStream::connect(address).unwrap())
}

fn read_frame(socket: &mut TcpStream) -> Vec<u8> {
    let mut len = [0; 4];
    socket.read_exact(&mut len).unwrap();
    let mut frame = vec![0; u32::from_be_bytes(len) as usize];
    socket.read_exact(&mut frame).unwrap();
    frame
}

fn ask<R: Request>(socket: &mut TcpStream, request: &R, version: i16) -> R::Response {
    let bytes = encode_request(request, version, 7, "test").unwrap();
    socket.write_all(&bytes).unwrap();
    let (correlation_id, response) = decode_response::<R>(&read_frame(socket), version).unwrap();
    assert_eq!(correlation_id, 7);
    response
}

#[test]
fn the_control_plane_answers_every_version() {
    let (_shared, mut socket) = broker();
    for version in 0..=4 {
        let versions = ask(&mut socket, &ApiVersionsRequest::default(), version);
        let produce = versions
            .api_keys
            .iter()
            .find(|key| key.api_key == 0)
            .unwrap();
        assert_eq!(
            (produce.min_version, produce.max_version),
            produce::VERSIONS
        );
    }
    let request = MetadataRequest {
        topics: Some(vec![MetadataRequestTopic {
            name: Some("bench-12".into()),
            ..MetadataRequestTopic::default()
        }]),
        ..MetadataRequest::default()
    };
    for version in 1..=13 {
        let metadata = ask(&mut socket, &request, version);
        assert_eq!(metadata.topics[0].partitions.len(), 12);
        assert!(version < 10 || !metadata.topics[0].topic_id.is_zero());
    }
    let mut last = 0;
    for version in 0..=5 {
        let identity = ask(&mut socket, &InitProducerIdRequest::default(), version);
        assert!(identity.producer_id > last);
        last = identity.producer_id;
    }
}

#[test]
fn a_version_of_the_future_is_told_which_there_are() {
    let (_shared, mut socket) = broker();
    // ApiVersions 99, correlation id 3, no client id, no tagged fields, and bytes nobody knows.
    socket
        .write_all(&[0, 0, 0, 13, 0, 18, 0, 99, 0, 0, 0, 3, 0xff, 0xff, 0, 1, 1])
        .unwrap();
    let frame = read_frame(&mut socket);
    let (_, versions) = decode_response::<ApiVersionsRequest>(&frame, 0).unwrap();
    assert_eq!(versions.error_code.0, 35);
    assert!(!versions.api_keys.is_empty());
}

#[test]
fn a_frame_that_comes_byte_by_byte_is_served() {
    let (_shared, mut socket) = broker();
    socket.set_nodelay(true).unwrap();
    for byte in encode_request(&InitProducerIdRequest::default(), 4, 9, "slow").unwrap() {
        socket.write_all(&[byte]).unwrap();
    }
    let frame = read_frame(&mut socket);
    assert_eq!(
        decode_response::<InitProducerIdRequest>(&frame, 4)
            .unwrap()
            .0,
        9
    );
}

#[test]
fn what_is_not_served_is_counted_and_ends_the_connection() {
    let (shared, mut socket) = broker();
    // Fetch.
    socket
        .write_all(&[0, 0, 0, 10, 0, 1, 0, 4, 0, 0, 0, 1, 0xff, 0xff])
        .unwrap();
    assert_eq!(socket.read(&mut [0; 16]).unwrap(), 0);
    assert_eq!(shared.ledger().statistics.bad_requests, 1);
}

/// How long three requests at once take, and in which order they are answered.
fn three(network_us: u64, service_us: u64) -> (Duration, Vec<i32>) {
    let (shared, mut socket) = broker();
    shared.delays.set(network_us, service_us);
    let began = Instant::now();
    for correlation_id in [1, 2, 3] {
        let request = InitProducerIdRequest::default();
        socket
            .write_all(&encode_request(&request, 4, correlation_id, "x").unwrap())
            .unwrap();
    }
    let answered = (0..3)
        .map(|_| {
            let frame = read_frame(&mut socket);
            decode_response::<InitProducerIdRequest>(&frame, 4)
                .unwrap()
                .0
        })
        .collect();
    (began.elapsed(), answered)
}

#[test]
fn a_slow_network_delays_all_at_once_and_a_slow_broker_one_by_one() {
    let (took, answered) = three(60_000, 0);
    assert_eq!(answered, [1, 2, 3]);
    assert!(took >= 60 * MS && took < 170 * MS, "{took:?}");
    let (took, answered) = three(0, 60_000);
    assert_eq!(answered, [1, 2, 3]);
    assert!(took >= 180 * MS, "{took:?}");
}
