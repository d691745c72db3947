//! Writes or reads a Metadata response of 1,000 partitions as often as it is told, for whoever counts
//! instructions and allocations under valgrind: `metadata encode 20` less `metadata encode 0`.

use std::error::Error;
use std::hint::black_box;

use downpour_wire::messages::{
    Decode, Encode, MetadataBroker, MetadataPartition, MetadataResponse, MetadataTopic,
};
use downpour_wire::primitives::{Reader, Uuid};

/// What every release since Kafka 3.9 speaks.
const VERSION: i16 = 12;

fn response() -> MetadataResponse {
    let partition = |index| MetadataPartition {
        partition_index: index,
        leader_id: index % 3,
        leader_epoch: 5,
        replica_nodes: vec![0, 1, 2],
        isr_nodes: vec![0, 1, 2],
        ..MetadataPartition::default()
    };
    let topic = |number| MetadataTopic {
        name: Some(format!("topic-{number}")),
        topic_id: Uuid([number; 16]),
        partitions: (0..100).map(partition).collect(),
        ..MetadataTopic::default()
    };
    let broker = |node_id| MetadataBroker {
        node_id,
        host: format!("broker-{node_id}.example"),
        port: 9092,
        rack: Some("a".to_owned()),
    };
    MetadataResponse {
        brokers: (0..3).map(broker).collect(),
        topics: (0..10).map(topic).collect(),
        ..MetadataResponse::default()
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [what, times] = arguments.as_slice() else {
        return Err("metadata encode|decode TIMES".into());
    };
    let value = response();
    let mut bytes = Vec::new();
    value.encode(&mut bytes, VERSION)?;
    let mut out = Vec::with_capacity(bytes.len());
    for _ in 0..times.parse::<u32>()? {
        match what.as_str() {
            "encode" => {
                out.clear();
                value.encode(black_box(&mut out), VERSION)?;
            }
            "decode" => {
                let read = MetadataResponse::decode(&mut Reader::new(black_box(&bytes)), VERSION)?;
                black_box(read);
            }
            _ => return Err("encode or decode".into()),
        }
    }
    Ok(())
}
