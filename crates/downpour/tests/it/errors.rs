//! What errors say to programs and to people, against the fake cluster.

use std::error::Error;
use std::fmt::Write as _;
use std::io;
use std::net::TcpListener;
use std::time::Duration;

use downpour::{ErrorCode, ErrorKind, ProduceManyError, Producer, Record, Written, blocking};
use downpour_fake::{ApiKey, Fault};

use crate::setup::{builder, producer, quick, small_cluster};

/// As anyhow's `{:#}` prints an error.
fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(source) = next {
        write!(text, ": {source}").unwrap();
        next = source.source();
    }
    text
}

#[test]
fn a_chain_repeats_the_system_s_words_and_nothing_else() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let closed = listener.local_addr().unwrap();
    drop(listener);
    let producer = quick(Producer::builder(closed.to_string()))
        .max_block(Duration::from_millis(100))
        .build()
        .unwrap()
        .blocking();
    let error = producer.send(Record::to("events")).unwrap_err();
    let [unreachable] = error.unreachable() else {
        panic!("{error}")
    };
    let said = unreachable.source().unwrap().to_string();
    assert!(error.to_string().contains(&said), "{error}");
    assert_eq!(chain(&error), format!("{error}: {said}"));
    let error = producer.send_many(&[Record::to("events")]).unwrap_err();
    assert_eq!(chain(&error), format!("{error}: {said}"));
    let error = ProduceManyError::from(error);
    assert_eq!(chain(&error), format!("{error}: {said}"));
    assert!(error.source().unwrap().is::<io::Error>());
}

#[test]
fn a_right_that_a_producer_id_needs_is_a_right() {
    let cluster = small_cluster();
    let refused = Fault::error(ErrorCode::CLUSTER_AUTHORIZATION_FAILED);
    cluster.fault(refused.on(ApiKey::InitProducerId).always());
    let producer = producer(&cluster).blocking();
    let error = producer.send_and_wait(Record::to("events")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Authorization, "{error}");
    assert_eq!(error.code(), Some(ErrorCode::CLUSTER_AUTHORIZATION_FAILED));
    assert!(!error.is_retriable(), "a right is granted by somebody else");
}

#[test]
fn a_record_that_the_broker_finds_too_large_is_too_large() {
    let cluster = small_cluster();
    let refused = Fault::error(ErrorCode::MESSAGE_TOO_LARGE);
    cluster.fault(refused.on(ApiKey::Produce).always());
    let producer = producer(&cluster).blocking();
    let error = producer.send_and_wait(Record::to("events")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TooLarge, "{error}");
    assert!(error.is_too_large() && !error.is_retriable());
    assert_eq!(
        (error.written(), error.topic()),
        (Written::No, Some("events"))
    );
    assert!(error.invalid_record().is_none(), "the broker said so");
    let here = builder(&cluster).record_max(1000).build().unwrap();
    let record = Record::to("events").value([7; 2000]);
    let error = here.blocking().send_and_wait(record).unwrap_err();
    assert!(error.is_too_large() && error.invalid_record().is_some());
}

#[test]
fn a_record_that_was_still_open_at_the_deadline_for_closing_says_that_it_was_closed() {
    let cluster = small_cluster();
    cluster.fault(Fault::hang().on(ApiKey::InitProducerId).always());
    let producer = producer(&cluster).blocking();
    let delivery = producer.send(Record::to("events")).unwrap();
    let left = producer.close_within(Duration::from_millis(10));
    assert_eq!(left.unsent().len(), 1);
    let error = delivery.wait().unwrap_err();
    assert_eq!(
        (error.kind(), error.written()),
        (ErrorKind::Closed, Written::No)
    );
    assert!(!error.is_timeout() && !error.is_retriable());
}

#[test]
fn what_a_program_ends_with_tells_of_many_how_far_it_came() {
    fn run(producer: &blocking::Producer) -> Result<(), Box<dyn Error>> {
        let records = [Record::to("events"), Record::to("events").partition(7)];
        drop(producer.send_many_and_wait(&records)?);
        Ok(())
    }
    let cluster = small_cluster();
    let producer = producer(&cluster).blocking();
    let error = run(&producer).unwrap_err();
    let debug = "ProduceManyError { kind: InvalidRecord, index: 1, dispatched: 1 }";
    assert_eq!(format!("{error:?}"), format!("{debug}: {error}"));
    let many: &ProduceManyError = error.downcast_ref().unwrap();
    assert_eq!(many.kind(), many.error().kind());
    let records = [Record::to("events").partition_key("")];
    let error = producer.send_many(&records).unwrap_err();
    let debug = "SendManyError { kind: InvalidRecord, index: 0, dispatched: 0 }";
    assert_eq!(format!("{error:?}"), format!("{debug}: {error}"));
}
