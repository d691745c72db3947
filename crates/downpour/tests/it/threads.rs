//! What may go to other threads: every public type and every future. Fails by not compiling.

use downpour::{
    Acks, Address, BrokerInfo, BrokerStatistics, Choice, Compression, CompressionError,
    CompressionType, ConfigError, ConfigProblem, ConnectError, ConnectErrorKind, Counts,
    DefaultPartitioner, Deliveries, DeliveriesIntoIter, DeliveriesIter, Delivery, DeliveryError,
    ErrorCode, ErrorKind, Field, HeaderValues, Headers, HeadersIter, InvalidRecord, MemoryHolder,
    Message, ParseError, Part, PartitionContext, PartitionInfo, PartitionStatistics, ProduceError,
    ProduceManyError, Producer, ProducerBuilder, Raw, Record, Report, Reports, SendError,
    SendManyError, Statistics, Topic, TopicProducer, TopicRef, Unfinished, UnknownRecords,
    WaitTimeout, WaitedFor, Written, blocking, future,
};

fn shared<T: Send + Sync + 'static>() {}

#[test]
fn every_public_type_may_be_shared_between_threads() {
    shared::<(Producer, blocking::Producer, ProducerBuilder)>();
    shared::<(
        Topic,
        Raw,
        TopicRef<'static>,
        Record<'static>,
        Message<'static>,
    )>();
    // Whatever its keys and values are.
    shared::<Topic<*const u8, std::cell::Cell<u8>>>();
    shared::<(TopicProducer, blocking::TopicProducer)>();
    shared::<(PartitionInfo, BrokerInfo)>();
    shared::<(Part<'static>, Headers<'static>, HeaderValues<'static>)>();
    shared::<(Delivery, Deliveries, Report)>();
    shared::<(Unfinished, UnknownRecords)>();
    shared::<(SendError, ErrorKind, WaitedFor, InvalidRecord, Field)>();
    shared::<(SendManyError, ProduceError, ProduceManyError)>();
    shared::<(DeliveryError, WaitTimeout, Written)>();
    shared::<(ConfigError, ConfigProblem)>();
    shared::<(Acks, Address, Choice, ErrorCode)>();
    shared::<(Compression, CompressionError)>();
    shared::<(CompressionType, ParseError, ConnectError, ConnectErrorKind)>();
    shared::<(DefaultPartitioner, PartitionContext<'static>)>();
    shared::<Box<dyn downpour::Partitioner>>();
    shared::<(
        DeliveriesIter<'static>,
        DeliveriesIntoIter,
        Reports<'static>,
    )>();
    shared::<HeadersIter<'static>>();
    shared::<(Statistics, Counts, PartitionStatistics, BrokerStatistics)>();
    shared::<MemoryHolder>();
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
    error::<CompressionError>();
    error::<ConnectError>();
    error::<ParseError>();
}

fn sent<T: Send + Unpin>(future: T) {
    drop(future);
}

fn kept<T: Send + 'static>() {}

#[test]
fn every_future_has_a_name() {
    kept::<(future::Send<'static>, future::SendAndWait<'static>)>();
    kept::<(future::SendMany<'static>, future::SendManyAndWait<'static>)>();
    kept::<(future::Flush, future::Close, future::CloseWithin)>();
    kept::<(future::BindTopic, future::Connect)>();
    kept::<(future::PartitionCount, future::PartitionsFor)>();
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
    sent(producer.connect());
    sent(producer.partition_count("events"));
    sent(producer.partitions_for("events"));
    sent(producer.flush());
    sent(producer.close());
    sent(producer.close_within(std::time::Duration::ZERO));
}
