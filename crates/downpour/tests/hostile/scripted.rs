//! A broker that behaves but for its metadata, which a test has written beforehand, so that what is
//! counted is the producer's alone.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use downpour_wire::header::{RequestHeader, encode_response};
use downpour_wire::messages::{
    ApiKey, ApiVersion, ApiVersionsResponse, Decode, Encode, InitProducerIdResponse,
    MetadataBroker, MetadataPartition, MetadataRequest, MetadataResponse, MetadataTopic,
    PartitionProduceResponse, ProduceRequest, ProduceResponse, TopicProduceResponse,
};
use downpour_wire::primitives::{Reader, Uuid};

/// The version of Metadata that it speaks, and no other.
const METADATA: i16 = 12;

/// What is said of topics: by its name that of one, or what is said whatever was asked.
enum Told {
    Topic(String, Vec<u8>),
    Whatever(Vec<u8>),
}

pub(crate) struct Scripted {
    address: String,
    told: Arc<Mutex<Vec<Told>>>,
    port: i32,
}

/// A topic of so many partitions, all led by broker 1.
pub(crate) fn topic(name: &str, partitions: usize) -> MetadataTopic {
    let partitions = (0..partitions as i32).map(|partition_index| MetadataPartition {
        partition_index,
        leader_id: 1,
        leader_epoch: 0,
        replica_nodes: vec![1],
        isr_nodes: vec![1],
        ..MetadataPartition::default()
    });
    MetadataTopic {
        name: Some(name.to_owned()),
        topic_id: Uuid([name.len() as u8; 16]),
        partitions: partitions.collect(),
        ..MetadataTopic::default()
    }
}

fn frame<M: Encode>(key: ApiKey, version: i16, response: &M) -> Vec<u8> {
    encode_response(key, response, version, 0).unwrap()
}

impl Scripted {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let told = Arc::new(Mutex::new(Vec::new()));
        let shared = told.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let told = shared.clone();
                std::thread::spawn(move || serve(stream, &told));
            }
        });
        Self {
            address: address.to_string(),
            told,
            port: address.port().into(),
        }
    }

    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    fn metadata(&self, topics: Vec<MetadataTopic>) -> Vec<u8> {
        let response = MetadataResponse {
            brokers: vec![MetadataBroker {
                node_id: 1,
                host: "127.0.0.1".to_owned(),
                port: self.port,
                rack: None,
            }],
            topics,
            ..MetadataResponse::default()
        };
        frame(ApiKey::Metadata, METADATA, &response)
    }

    /// What it says when it is asked about this topic alone; how many bytes that are.
    pub(crate) fn tell(&self, name: &str, topics: Vec<MetadataTopic>) -> usize {
        let bytes = self.metadata(topics);
        let len = bytes.len();
        self.told
            .lock()
            .unwrap()
            .push(Told::Topic(name.to_owned(), bytes));
        len
    }

    /// What it says when it is asked about none of those.
    pub(crate) fn tell_otherwise(&self, topics: Vec<MetadataTopic>) {
        let bytes = self.metadata(topics);
        self.told.lock().unwrap().push(Told::Whatever(bytes));
    }
}

fn serve(mut stream: TcpStream, told: &Mutex<Vec<Told>>) {
    let mut offset = 0;
    loop {
        let mut length = [0; 4];
        if stream.read_exact(&mut length).is_err() {
            return;
        }
        let mut request = vec![0; u32::from_be_bytes(length) as usize];
        if stream.read_exact(&mut request).is_err() {
            return;
        }
        let mut reader = Reader::new(&request);
        let header = RequestHeader::decode(&mut reader).unwrap();
        let version = header.api_version;
        let id = header.correlation_id.to_be_bytes();
        let mut send = |answer: &[u8]| {
            stream.write_all(&answer[..4])?;
            stream.write_all(&id)?;
            stream.write_all(&answer[8..])
        };
        let key = ApiKey::try_from(header.api_key).unwrap();
        let sent = match key {
            ApiKey::ApiVersions => send(&frame(key, version, &versions())),
            ApiKey::InitProducerId => {
                let response = InitProducerIdResponse {
                    producer_id: 1,
                    producer_epoch: 0,
                    ..InitProducerIdResponse::default()
                };
                send(&frame(key, version, &response))
            }
            ApiKey::Metadata => {
                let asked = MetadataRequest::decode(&mut reader, version).unwrap();
                let topics = asked.topics.unwrap_or_default();
                let names = topics.iter().filter_map(|topic| topic.name.as_deref());
                let names: Vec<&str> = names.collect();
                let told = told.lock().unwrap();
                let is_meant = |told: &&Told| match told {
                    Told::Topic(name, _) => names == [name],
                    Told::Whatever(_) => true,
                };
                let (Told::Topic(_, bytes) | Told::Whatever(bytes)) =
                    told.iter().find(is_meant).unwrap();
                send(bytes)
            }
            _ => {
                let asked = ProduceRequest::decode(&mut reader, version).unwrap();
                send(&frame(key, version, &acknowledge(asked, &mut offset)))
            }
        };
        if sent.is_err() {
            return;
        }
    }
}

fn versions() -> ApiVersionsResponse {
    let mut response = ApiVersionsResponse::default();
    for (api_key, min_version, max_version) in
        [(0, 3, 9), (3, METADATA, METADATA), (18, 0, 4), (22, 0, 4)]
    {
        response.api_keys.push(ApiVersion {
            api_key,
            min_version,
            max_version,
        });
    }
    response
}

fn acknowledge(asked: ProduceRequest, offset: &mut i64) -> ProduceResponse {
    let mut response = ProduceResponse::default();
    for topic in asked.topics {
        let partitions = topic.partitions.iter().map(|partition| {
            *offset += 1;
            PartitionProduceResponse {
                index: partition.index,
                base_offset: *offset,
                ..PartitionProduceResponse::default()
            }
        });
        response.topics.push(TopicProduceResponse {
            partitions: partitions.collect(),
            name: topic.name,
            topic_id: topic.topic_id,
        });
    }
    response
}
