//! The verbs: the same on both facades, with errors that go through `?` and say what was accepted.

use std::error::Error;
use std::time::Duration;

use downpour::{ErrorKind, Record, Written};
use downpour_fake::{ApiKey, ErrorCode, Fault};

use crate::setup::{cluster, producer};

type Done = Result<(), Box<dyn Error + Send + Sync>>;

fn record(n: i32) -> Record<'static> {
    Record::to("events").partition(0).value(n.to_string())
}

#[test]
fn both_facades_have_the_same_verbs() -> Done {
    let cluster = cluster();
    let producer = producer(&cluster);
    smol::block_on(async {
        drop(producer.topic("events").await?);
        producer.try_send(&record(0))?.await?;
        producer.send(record(1)).await?.await?;
        producer.send_and_wait(record(2)).await?;
        producer.send_many(&[record(3), record(4)]).await?.await?;
        let many = [record(5), record(6)];
        let many = producer.send_many_and_wait(&many).await?;
        assert!(many.iter().all(|delivery| !delivery.is_pending()));
        producer.flush().await;
        Done::Ok(())
    })?;
    let blocking = producer.blocking();
    drop(blocking.topic("events")?);
    blocking.try_send(&record(7))?.wait()?;
    blocking.send(record(8))?.wait()?;
    blocking.send_and_wait(record(9))?;
    blocking.send_many(&[record(10), record(11)])?.wait()?;
    let many = blocking.send_many_and_wait(&[record(12), record(13)])?;
    assert!(many.iter().all(|delivery| !delivery.is_pending()));
    blocking.produce_async(record(14))?.wait()?;
    blocking.produce_sync(record(15))?;
    blocking.produce_many_async(&[record(16)])?.wait()?;
    drop(blocking.produce_many_sync(&[record(17)])?);
    blocking.flush();
    assert_eq!(blocking.statistics().total.delivered, 18);
    assert_eq!(blocking.buffered_bytes(), 0);
    assert!(blocking.close_within(Duration::from_secs(60)).is_empty());
    blocking.close();
    smol::block_on(producer.close());
    cluster.assert_in_order("events", (0..18).map(|n| n.to_string()));
    Ok(())
}

#[test]
fn the_rest_is_what_was_given_without_what_was_dispatched() {
    let cluster = cluster();
    let producer = producer(&cluster).blocking();
    // That there is no such partition is known once there is metadata, when the first is accepted.
    let records = [record(0), record(1).partition(99), record(2)];
    let error = producer.send_many(&records).unwrap_err();
    assert_eq!((error.dispatched().len(), error.index()), (1, 1));
    assert_eq!(error.kind(), ErrorKind::InvalidRecord, "{error}");
    let error = producer.send_many_and_wait(&records).unwrap_err();
    assert_eq!((error.dispatched().len(), error.index()), (1, 1));
    let mut reports = error.dispatched().reports();
    assert!(matches!(reports.next(), Some(Some(Ok(_)))), "{error}");
    let rest = &records[error.dispatched().len()..];
    producer.send_and_wait(rest[1].clone()).unwrap();
    cluster.assert_in_order("events", ["0", "0", "2"]);
}

#[test]
fn of_many_the_first_that_was_not_delivered_is_named() {
    let cluster = cluster();
    let producer = producer(&cluster);
    let refusal = Fault::error(ErrorCode::POLICY_VIOLATION);
    cluster.fault(refusal.on(ApiKey::Produce).topic("events").partition(2));
    let records = [0, 1, 2, 3].map(|n| record(n).partition(n).label(n));
    let sent = smol::block_on(producer.send_many_and_wait(&records));
    let error = sent.unwrap_err();
    assert_eq!((error.dispatched().len(), error.index()), (4, 2));
    assert!(error.error().send_error().is_none());
    let first = error.error().delivery_error().unwrap();
    assert_eq!(
        (first.written(), first.label::<i32>()),
        (Written::No, Some(&2))
    );
    let good = error.dispatched().reports();
    assert_eq!(good.filter(|end| matches!(end, Some(Ok(_)))).count(), 3);
}
