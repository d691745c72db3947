//! What may go to other threads: every public type and every future. Fails by not compiling.

use downpour::{
    Acks, Address, Cause, Choice, Compression, CompressionError, ConfigError, ConfigProblem,
    Deliveries, Delivery, DeliveryError, ErrorCode, Field, HeaderValues, Headers, InvalidRecord,
    Part, ProduceError, ProduceManyError, Producer, ProducerBuilder, Record, Report, SendError,
    SendManyError, SendTimeout, Topic, TopicRef, Unfinished, UnknownRecords, WaitTimeout,
    WaitedFor, WaitingFor, Written, blocking,
};

fn shared<T: Send + Sync + 'static>() {}

#[test]
fn every_public_type_may_be_shared_between_threads() {
    shared::<(Producer, blocking::Producer, ProducerBuilder)>();
    shared::<(Topic, TopicRef<'static>, Record<'static>)>();
    shared::<(Part<'static>, Headers<'static>, HeaderValues<'static>)>();
    shared::<(Delivery, Deliveries, Report)>();
    shared::<(Unfinished, UnknownRecords)>();
    shared::<(SendError, SendTimeout, WaitedFor, InvalidRecord, Field)>();
    shared::<(SendManyError, ProduceError, ProduceManyError)>();
    shared::<(DeliveryError, WaitTimeout, Cause, WaitingFor, Written)>();
    shared::<(ConfigError, ConfigProblem)>();
    shared::<(Acks, Address, Choice, ErrorCode)>();
    shared::<(Compression, CompressionError)>();
    shared::<Box<dyn downpour::Partitioner>>();
}

fn error<T: std::error::Error + Clone + Send + Sync + 'static>() {}

#[test]
fn every_error_may_be_cloned_and_kept() {
    error::<SendError>();
    error::<SendManyError>();
    error::<DeliveryError>();
    error::<ProduceError>();
    error::<ProduceManyError>();
    error::<WaitTimeout>();
    error::<ConfigError>();
    error::<InvalidRecord>();
    error::<SendTimeout>();
    error::<CompressionError>();
}

fn sent<T: Send>(future: T) {
    drop(future);
}

#[test]
fn every_future_may_be_sent_to_another_thread() {
    let producer = Producer::builder("localhost:1").build().unwrap();
    let record = || Record::to("events");
    let records = [record()];
    sent(producer.send(record()));
    sent(producer.send_and_wait(record()));
    sent(producer.send_many(&records));
    sent(producer.send_many_and_wait(&records));
    sent(producer.topic("events"));
    sent(producer.flush());
    sent(producer.close());
    sent(producer.close_within(std::time::Duration::ZERO));
}
