//! Which partition a record goes to, and what travels beside it.

use std::sync::{Arc, OnceLock};

use downpour::{
    Choice, DefaultPartitioner, ErrorKind, PartitionContext, Partitioner, Producer,
    ProducerBuilder, Record,
};
use downpour_fake::FakeCluster;

use crate::setup::{PATIENCE, builder, cluster, producer};

#[test]
fn keys_go_where_javas_producer_puts_them() {
    let cluster = cluster();
    let producer = producer(&cluster).blocking();
    // murmur2 of these keys, masked, modulo six.
    for (key, partition) in [
        ("21", 0x7fff_ffff & -973_932_308i32),
        ("foobar", 0x7fff_ffff & -790_332_482),
    ] {
        let report = producer
            .produce_sync(Record::to("events").key(key).value("v"))
            .unwrap();
        assert_eq!(report.partition(), partition % 6, "{key}");
        let by_other = Record::to("events")
            .key("other")
            .partition_key(key)
            .value("v");
        assert_eq!(
            producer.produce_sync(by_other).unwrap().partition(),
            partition % 6,
            "{key}"
        );
        let explicit = Record::to("events").key(key).partition(3).value("v");
        assert_eq!(producer.produce_sync(explicit).unwrap().partition(), 3);
    }
    producer.close();
    let keys: Vec<_> = (0..6)
        .flat_map(|p| cluster.records("events", p))
        .filter(|r| r.key_str().as_deref() == Some("other"))
        .collect();
    assert_eq!(keys.len(), 2, "the key is stored, the partition key is not");
}

#[test]
fn records_without_a_key_spread_over_all_partitions_by_bytes() {
    let cluster = cluster();
    let producer = builder(&cluster)
        .batch_size(1000)
        .build()
        .unwrap()
        .blocking();
    for _ in 0..3000 {
        drop(
            producer
                .produce_async(Record::to("events").value(vec![b'x'; 80]))
                .unwrap(),
        );
    }
    producer.close();
    for (partition, records) in cluster.records_by_partition("events").iter().enumerate() {
        assert!(
            (200..=800).contains(&records.len()),
            "{partition}: {}",
            records.len()
        );
    }
}

#[test]
fn minus_one_as_partition_leaves_the_choice_to_the_key() {
    let cluster = cluster();
    let producer = producer(&cluster).blocking();
    let partition_of = |record: Record<'_>| producer.produce_sync(record).unwrap().partition();
    let record = || Record::to("events").key("21").value("v");
    assert_eq!(partition_of(record().partition(-1)), partition_of(record()));
    let back = record().partition(4).partition(-1);
    assert_eq!(partition_of(back), partition_of(record()));
}

fn by_length(context: &PartitionContext<'_>) -> Choice {
    assert_eq!((context.topic, context.count), ("events", 6));
    assert_eq!(context.available.len(), 6);
    assert_eq!(context.headers.last("h"), context.value);
    let key = context.key;
    key.map_or(Choice::Sticky, |key| Choice::Partition(key.len() as i32))
}

#[test]
fn a_custom_partitioner_may_choose_pass_or_be_wrong() {
    let cluster = cluster();
    let record = || Record::to("events").value("v").header("h", "v");
    let producer = builder(&cluster)
        .partitioner(by_length)
        .build()
        .unwrap()
        .blocking();
    let report = producer.send_and_wait(record().key("four")).unwrap();
    assert_eq!(report.partition(), 4);
    let report = producer.send_and_wait(record().key("four").partition_key("five5"));
    assert_eq!(report.unwrap().partition(), 5);
    producer.send_and_wait(record()).unwrap();
    let wrong = producer.send(record().key("seven77")).unwrap_err();
    assert_eq!(wrong.kind(), ErrorKind::InvalidRecord);
}

#[test]
fn a_custom_partitioner_may_call_the_default_one() {
    let cluster = cluster();
    let placed = |builder: ProducerBuilder| {
        let producer = builder.build().unwrap().blocking();
        let record = |n: usize| Record::to("events").key(n.to_string());
        let partition = |n| producer.send_and_wait(record(n)).unwrap().partition();
        (0..30).map(partition).collect::<Vec<_>>()
    };
    let own = |context: &PartitionContext<'_>| DefaultPartitioner.partition(context);
    let expected = placed(builder(&cluster));
    assert_eq!(placed(builder(&cluster).partitioner(own)), expected);
    assert_eq!(
        placed(builder(&cluster).partitioner(DefaultPartitioner)),
        expected
    );
}

/// Sends a record itself whenever it is asked.
#[derive(Default)]
struct Sends(OnceLock<Producer>);

impl Partitioner for Sends {
    fn partition(&self, _: &PartitionContext<'_>) -> Choice {
        if let Some(producer) = self.0.get() {
            drop(producer.try_send(&Record::to("events").value("own").partition(0)));
        }
        Choice::Partition(0)
    }
}

#[test]
fn a_partitioner_is_asked_under_no_lock() {
    let cluster = cluster();
    let sends = Arc::new(Sends::default());
    let own = sends.clone();
    let producer = builder(&cluster)
        .partitioner(move |context: &PartitionContext<'_>| own.partition(context))
        .build()
        .unwrap();
    producer
        .blocking()
        .produce_sync(Record::to("events").value("first"))
        .unwrap();
    sends.0.set(producer.clone()).unwrap();
    let (done, ended) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let records = (0..50).map(|n| Record::to("events").value(n.to_string()));
        let records: Vec<_> = records.collect();
        let deliveries = producer.blocking().send_many_and_wait(&records);
        done.send(deliveries.map(|d| d.len()).map_err(drop))
            .unwrap();
    });
    assert_eq!(ended.recv_timeout(PATIENCE), Ok(Ok(50)));
    let own = cluster.records("events", 0);
    let own = own
        .iter()
        .filter(|r| r.value_str().as_deref() == Some("own"));
    assert!(own.count() >= 50);
}

#[test]
fn a_tombstone_is_null_and_an_empty_value_is_not() {
    let cluster = FakeCluster::builder().topic("events", 1).start().unwrap();
    let producer = producer(&cluster).blocking();
    producer
        .produce_sync(Record::tombstone("events", "k"))
        .unwrap();
    producer
        .produce_sync(Record::to("events").key("k"))
        .unwrap();
    producer
        .produce_sync(Record::to("events").header("n", downpour::Part::NULL))
        .unwrap();
    let records = cluster.records("events", 0);
    assert_eq!(
        (records[0].value.as_deref(), records[0].key.as_deref()),
        (None, Some(&b"k"[..]))
    );
    assert_eq!(records[1].value.as_deref(), Some(&b""[..]));
    assert_eq!(
        (records[2].key.as_ref(), &records[2].headers[0].1),
        (None, &None)
    );
}

#[test]
fn send_many_reports_each_record_in_order() {
    let cluster = cluster();
    let producer = producer(&cluster).blocking();
    let values: Vec<String> = (0..500).map(|n| n.to_string()).collect();
    let records: Vec<_> = values
        .iter()
        .enumerate()
        .map(|(n, value)| Record::to("events").key(value).value(value).label(n))
        .collect();
    let deliveries = producer.send_many_and_wait(&records).unwrap();
    assert_eq!(deliveries.len(), 500);
    for (n, ended) in deliveries.reports().enumerate() {
        let report = ended.unwrap().unwrap();
        assert_eq!(report.label::<usize>(), Some(&n));
        let stored =
            &cluster.records("events", report.partition())[report.offset().unwrap() as usize];
        assert_eq!(stored.value_str().as_deref(), Some(values[n].as_str()));
    }
    assert!(producer.send_many_and_wait(&[]).unwrap().is_empty());
}

/// Long runs into one partition, short ones, two topics by handle and by name, a label now and
/// then, keys, the library's choice: whatever the way in, order and places hold.
#[test]
fn send_many_keeps_order_and_places_whatever_its_records_are_like() {
    let cluster = FakeCluster::builder()
        .topic("events", 6)
        .topic("others", 2)
        .start()
        .unwrap();
    let producer = producer(&cluster).blocking();
    let events = producer.topic("events").unwrap();
    let values: Vec<String> = (0..2_000).map(|n| format!("value {n}")).collect();
    let record = |n: usize| {
        let record = match n / 100 % 4 {
            0 => Record::to(&events).partition(3),
            1 => Record::to(&events).partition((n % 6) as i32),
            2 if n % 2 == 0 => Record::to("others").key("k"),
            2 => Record::to(&events).partition_key("k"),
            _ => Record::to("events"),
        };
        let record = record.value(&values[n]);
        if n % 37 == 0 { record.label(n) } else { record }
    };
    let records: Vec<_> = (0..2_000).map(record).collect();
    let deliveries = producer.send_many_and_wait(&records).unwrap();
    let mut last = std::collections::BTreeMap::new();
    for (n, ended) in deliveries.reports().enumerate() {
        let report = ended.unwrap().unwrap();
        match n / 100 % 4 {
            0 => assert_eq!(report.partition(), 3),
            1 => assert_eq!(report.partition(), (n % 6) as i32),
            2 if n % 2 == 0 => assert_eq!(report.topic(), "others"),
            _ => assert_eq!(report.topic(), "events"),
        }
        let place = (report.topic().to_owned(), report.partition());
        let offset = report.offset().unwrap();
        let stored = &cluster.records(report.topic(), report.partition())[offset as usize];
        assert_eq!(stored.value_str().as_deref(), Some(values[n].as_str()));
        assert!(
            last.insert(place, offset)
                .is_none_or(|before| before < offset)
        );
        let label = report.label::<usize>();
        assert_eq!(label.copied(), (n % 37 == 0).then_some(n));
    }
    let count = |topic| cluster.record_count(topic);
    assert_eq!(
        (count("events") + count("others"), count("others")),
        (2_000, 250)
    );
}

#[test]
fn a_topic_of_another_producer_goes_by_name() {
    let (one, two) = (cluster(), cluster());
    let (first, second) = (producer(&one), producer(&two));
    let topic = smol::block_on(first.topic("events")).unwrap();
    second
        .blocking()
        .produce_sync(Record::to(&topic).value("v"))
        .unwrap();
    assert_eq!(
        (one.record_count("events"), two.record_count("events")),
        (0, 1)
    );
}
