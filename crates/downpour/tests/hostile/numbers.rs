//! Hostile numbers, to a whole producer: somebody stands between it and the fake, and sets one number
//! of one answer. A sample; all of them, in every version, are tried on the engine in core.
#![cfg(unix)]

use std::collections::VecDeque;
use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use downpour::{Producer, Record};
use downpour_fake::FakeCluster;
use downpour_wire::header::{decode_response, encode_response};
use downpour_wire::messages::numbers::{Numbers, numbers_of, set_number};
use downpour_wire::messages::{
    ApiKey, ApiVersionsRequest, Encode, InitProducerIdRequest, MetadataRequest, ProduceRequest,
    Request,
};

/// The number that is to be set: in the first answer to this, at this place.
#[derive(Debug, Default)]
struct Plan {
    key: Option<ApiKey>,
    set: Option<(usize, i64)>,
    /// What numbers the answer had; none until it came.
    found: Vec<(&'static str, Vec<i64>)>,
}

type Shared = Arc<Mutex<Plan>>;

fn read_frame(stream: &mut UnixStream) -> io::Result<Vec<u8>> {
    let mut frame = vec![0; 4];
    stream.read_exact(&mut frame)?;
    let length = u32::from_be_bytes([frame[0], frame[1], frame[2], frame[3]]);
    frame.resize(4 + length as usize, 0);
    stream.read_exact(&mut frame[4..])?;
    Ok(frame)
}

/// Sets the number in an answer that has it.
fn spoil<R: Request>(plan: &mut Plan, version: i16, frame: &[u8]) -> Vec<u8>
where
    R::Response: Numbers + Encode,
{
    let (id, mut response) = decode_response::<R>(&frame[4..], version).unwrap();
    plan.found = numbers_of(&mut response, version);
    plan.key = None;
    if let Some((place, value)) = plan.set {
        assert!(set_number(&mut response, version, place, value));
    }
    encode_response(R::KEY, &response, version, id).unwrap()
}

fn pass_on(plan: &mut Plan, (key, version): (i16, i16), frame: Vec<u8>) -> Vec<u8> {
    let key = ApiKey::try_from(key).unwrap();
    if plan.key != Some(key) {
        return frame;
    }
    match key {
        ApiKey::ApiVersions => spoil::<ApiVersionsRequest>(plan, version, &frame),
        ApiKey::Metadata => spoil::<MetadataRequest>(plan, version, &frame),
        ApiKey::InitProducerId => spoil::<InitProducerIdRequest>(plan, version, &frame),
        ApiKey::Produce => spoil::<ProduceRequest>(plan, version, &frame),
        _ => frame,
    }
}

/// Stands between the two ends of a connection.
fn stand_between(mut client: UnixStream, mut broker: UnixStream, plan: Shared) -> io::Result<()> {
    let asked = Arc::new(Mutex::new(VecDeque::new()));
    let (mut from_client, mut to_broker) = (client.try_clone()?, broker.try_clone()?);
    let asking = asked.clone();
    std::thread::spawn(move || {
        while let Ok(frame) = read_frame(&mut from_client) {
            let number = |at: usize| i16::from_be_bytes([frame[at], frame[at + 1]]);
            asking.lock().unwrap().push_back((number(4), number(6)));
            if to_broker.write_all(&frame).is_err() {
                break;
            }
        }
        let _ = to_broker.shutdown(std::net::Shutdown::Both);
    });
    std::thread::spawn(move || {
        while let Ok(frame) = read_frame(&mut broker) {
            let asked = asked.lock().unwrap().pop_front().unwrap();
            let frame = pass_on(&mut plan.lock().unwrap(), asked, frame);
            if client.write_all(&frame).is_err() {
                break;
            }
        }
        let _ = client.shutdown(std::net::Shutdown::Both);
    });
    Ok(())
}

fn producer(cluster: &FakeCluster, plan: &Shared) -> Producer {
    let (open, plan) = (cluster.connector(), plan.clone());
    let ms = Duration::from_millis;
    Producer::builder(cluster.bootstrap_servers())
        .retry_backoff(ms(5), ms(50))
        .reconnect_backoff(ms(5), ms(50))
        .max_block(ms(3000))
        .delivery_timeout(ms(1000))
        .request_timeout(ms(900))
        .connector(move |host, port| {
            let (ours, theirs) = UnixStream::pair()?;
            stand_between(theirs, open(host, port)?, plan.clone())?;
            Ok(ours)
        })
        .build()
        .unwrap()
}

const PATIENCE: Duration = Duration::from_secs(30);

/// Sends to each partition until a record of each is delivered.
fn deliver(producer: &Producer, what: &str) {
    let began = Instant::now();
    for partition in 0..2 {
        loop {
            let record = Record::to("events").value("v").partition(partition);
            match producer.blocking().produce_sync(record) {
                Ok(report) => {
                    assert!(report.offset().is_none_or(|offset| offset >= 0), "{what}");
                    break;
                }
                Err(error) => {
                    assert!(!error.to_string().is_empty(), "{what}");
                    assert!(began.elapsed() < PATIENCE, "{what}: {error}");
                    // What a broker said a moment ago is believed until the next answer.
                    std::thread::sleep(Duration::from_millis(5));
                }
            }
        }
    }
}

#[test]
fn a_producer_goes_on_after_any_number_in_any_answer() {
    let cluster = FakeCluster::builder().brokers(2).topic("events", 2);
    let cluster = cluster.start().unwrap();
    let plan = Shared::default();
    let run = |key: ApiKey, set: Option<(usize, i64)>, what: &str| {
        *plan.lock().unwrap() = Plan {
            key: Some(key),
            set,
            found: Vec::new(),
        };
        let producer = producer(&cluster, &plan);
        deliver(&producer, what);
        producer.blocking().close();
        std::mem::take(&mut plan.lock().unwrap().found)
    };
    let mut tried = 0;
    for key in [
        ApiKey::ApiVersions,
        ApiKey::Metadata,
        ApiKey::InitProducerId,
        ApiKey::Produce,
    ] {
        let found = run(key, None, "nothing wrong");
        assert!(!found.is_empty());
        for (place, (name, values)) in found.iter().enumerate() {
            // Of each number the ends, and none.
            let some = |value: &&i64| {
                let is_end = values.first() == Some(value) || values.last() == Some(value);
                is_end || **value == -1
            };
            for value in values.iter().filter(some) {
                let what = format!("{key:?}: {name} is {value}");
                run(key, Some((place, *value)), &what);
                tried += 1;
            }
        }
    }
    assert!(tried > 100, "{tried}");
}
