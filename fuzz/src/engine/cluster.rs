//! A cluster as brokers keep it: who leads what, the logs, and what is answered, wrong answers included.
//! Connections are in `network`.

use std::sync::Arc;

use downpour_wire::error_code::ErrorCode;
use downpour_wire::messages::*;
use downpour_wire::primitives::Uuid;

use crate::model::book::Excused;
use crate::model::log::{Came, Log};
use crate::script::Script;
use crate::trace::tell;

/// Partitions of a topic, at most.
pub(super) const PARTITIONS: usize = 6;
const DAY: i64 = 86_400_000;

/// Not appended.
const REFUSED: &[ErrorCode] = &[
    ErrorCode::NOT_ENOUGH_REPLICAS,
    ErrorCode::NOT_LEADER_OR_FOLLOWER,
    ErrorCode::UNKNOWN_TOPIC_OR_PARTITION,
    ErrorCode::MESSAGE_TOO_LARGE,
    ErrorCode::INVALID_RECORD,
    ErrorCode::TOPIC_AUTHORIZATION_FAILED,
    ErrorCode::OUT_OF_ORDER_SEQUENCE_NUMBER,
    ErrorCode::UNKNOWN_PRODUCER_ID,
];
/// Appended or not.
const OPEN: &[ErrorCode] = &[
    ErrorCode::REQUEST_TIMED_OUT,
    ErrorCode::NOT_ENOUGH_REPLICAS_AFTER_APPEND,
    ErrorCode::KAFKA_STORAGE_ERROR,
    ErrorCode::UNKNOWN_SERVER_ERROR,
];

#[derive(Debug, Default)]
pub(super) struct Partition {
    leader: Option<i32>,
    epoch: i32,
    log: Log,
}

#[derive(Debug)]
pub(super) struct Topic {
    pub(super) name: Arc<str>,
    id: Uuid,
    /// All that it had under this name.
    ids: Vec<Uuid>,
    is_there: bool,
    pub(super) partitions: Vec<Partition>,
    /// Logs of those that were deleted, by their partition.
    former: Vec<(usize, Log)>,
}

/// A batch on its way: the number of its topic and of its partition.
#[derive(Debug, Clone)]
pub(super) struct Carried {
    pub(super) topic: usize,
    pub(super) id: Option<Uuid>,
    pub(super) index: usize,
    pub(super) came: Came,
}

impl Carried {
    /// The number of its partition in the book.
    pub(super) fn partition(&self) -> usize {
        self.topic * PARTITIONS + self.index
    }
}

#[derive(Debug)]
pub(super) struct Cluster {
    /// Of the brokers 1, 2, ...
    pub(super) up: Vec<bool>,
    pub(super) topics: Vec<Topic>,
    tells_ids: bool,
    tells_epochs: bool,
    pub(super) produce_max: i16,
    metadata_max: i16,
    stamps: bool,
    acks: bool,
    idempotent: bool,
    granted: i64,
    next_id: u8,
    /// By the number of the partition in the book.
    pub(super) excused: Vec<Excused>,
    /// What was told some time ago.
    stale: Option<MetadataResponse>,
    pub(super) unix_ms: i64,
}

impl Cluster {
    pub(super) fn new(script: &mut Script<'_>, acks: bool, idempotent: bool) -> Self {
        let how = script.byte();
        let mut cluster = Self {
            up: vec![true; 1 + usize::from(how % 3)],
            topics: Vec::new(),
            tells_ids: how & 0x10 != 0,
            tells_epochs: how & 0x20 == 0,
            produce_max: [13, 13, 12, 9, 7, 3][script.below(6)],
            metadata_max: [13, 12, 10, 4][script.below(4)],
            stamps: how & 0xc0 == 0xc0,
            acks,
            idempotent,
            granted: 10,
            next_id: 0,
            excused: vec![Excused::default(); 2 * PARTITIONS],
            stale: None,
            unix_ms: 1_700_000_000_000,
        };
        for name in ["a", "b"] {
            cluster.topics.push(Topic {
                name: Arc::from(name),
                id: Uuid::ZERO,
                ids: Vec::new(),
                is_there: false,
                partitions: Vec::new(),
                former: Vec::new(),
            });
        }
        let counts = script.byte();
        cluster.make_anew(0, 1 + usize::from(counts % 3));
        if counts & 0x80 == 0 {
            cluster.make_anew(1, 1 + usize::from(counts >> 4 & 3));
        }
        cluster
    }

    fn brokers(&self) -> impl Iterator<Item = i32> {
        (1..=self.up.len() as i32).filter(|id| self.up[*id as usize - 1])
    }

    fn some_broker(&self, which: usize) -> Option<i32> {
        let count = self.brokers().count();
        self.brokers().nth(which % count.max(1))
    }

    /// Deletes a topic. Who has records for it under way cannot tell it from the next one.
    pub(super) fn delete(&mut self, number: usize) {
        let topic = &mut self.topics[number];
        for (index, partition) in topic.partitions.drain(..).enumerate() {
            topic.former.push((index, partition.log));
            let excused = &mut self.excused[number * PARTITIONS + index];
            excused.order = true;
            excused.failed = true;
        }
        topic.is_there = false;
    }

    pub(super) fn make_anew(&mut self, number: usize, count: usize) {
        self.delete(number);
        self.next_id += 1;
        let topic = &mut self.topics[number];
        topic.id = Uuid([self.next_id; 16]);
        topic.ids.push(topic.id);
        topic.is_there = true;
        self.grow(number, count);
    }

    pub(super) fn grow(&mut self, number: usize, count: usize) {
        let brokers: Vec<i32> = self.brokers().collect();
        let topic = &mut self.topics[number];
        if !topic.is_there {
            return;
        }
        for at in topic.partitions.len()..count.min(PARTITIONS) {
            topic.partitions.push(Partition {
                leader: brokers.get(at % brokers.len().max(1)).copied(),
                ..Partition::default()
            });
        }
    }

    /// Another broker leads a partition, or none.
    pub(super) fn move_leader(&mut self, script: &mut Script<'_>) {
        let (number, which, lost) = (script.below(2), script.byte(), script.below(12));
        let leader = match which & 0x80 != 0 {
            true => None,
            false => self.some_broker(usize::from(which)),
        };
        let partitions = &mut self.topics[number].partitions;
        let count = partitions.len();
        if let Some(partition) = partitions.get_mut(usize::from(which >> 3) % count.max(1)) {
            partition.leader = leader;
            partition.epoch += 1;
            partition.log.fail_over(lost);
            tell!("{leader:?} leads in {number}: {partition:?}");
        }
    }

    /// A broker goes away, and others lead what it led; or it comes back.
    pub(super) fn turn_broker(&mut self, which: usize) {
        let at = which % self.up.len();
        self.up[at] = !self.up[at];
        tell!("broker {} is up: {}", at + 1, self.up[at]);
        let new = self.some_broker(which / 3);
        for partition in self.topics.iter_mut().flat_map(|t| &mut t.partitions) {
            let leads = partition.leader == Some(at as i32 + 1);
            if (leads && !self.up[at]) || partition.leader.is_none() {
                partition.leader = new;
                partition.epoch += 1;
                partition.log.fail_over(which);
            }
        }
    }

    /// All is well from now on.
    pub(super) fn mend(&mut self) {
        self.up.fill(true);
        self.stale = None;
        for number in 0..self.topics.len() {
            if !self.topics[number].is_there {
                self.make_anew(number, 2);
            }
            for partition in &mut self.topics[number].partitions {
                if partition.leader.is_none() {
                    partition.leader = Some(1);
                    partition.epoch += 1;
                }
            }
        }
    }

    pub(super) fn forget_aged(&mut self) {
        let before = self.unix_ms - DAY;
        let partitions = self.topics.iter_mut().flat_map(|t| &mut t.partitions);
        partitions.for_each(|partition| partition.log.forget_before(before));
    }

    /// What no broker should do.
    pub(super) fn misbehave(&mut self, script: &mut Script<'_>) {
        let (which, lost) = (script.byte(), script.below(6));
        for (number, topic) in self.topics.iter_mut().enumerate() {
            for (index, partition) in topic.partitions.iter_mut().enumerate() {
                if which >> (index % 4) & 1 == 0 {
                    continue;
                }
                let excused = &mut self.excused[number * PARTITIONS + index];
                (excused.copies, excused.order, excused.failed) = (true, true, true);
                if which & 0x80 != 0 {
                    partition.log.forget_all();
                } else {
                    excused.loss |= partition.log.lose(lost);
                }
            }
        }
        tell!("a broker loses what all had, or forgets producers");
    }

    /// All logs of a partition, those of former topics of the name included.
    pub(super) fn logs(&self, number: usize, index: usize) -> Vec<&Log> {
        let topic = &self.topics[number];
        let former = topic.former.iter().filter(|(at, _)| *at == index);
        let now = topic.partitions.get(index).map(|partition| &partition.log);
        former.map(|(_, log)| log).chain(now).collect()
    }

    pub(super) fn versions(&self) -> ApiVersionsResponse {
        let mut response = ApiVersionsResponse::default();
        let known = [
            (0, self.produce_max),
            (3, self.metadata_max),
            (18, 4),
            (22, 5),
        ];
        for (api_key, max_version) in known {
            response.api_keys.push(ApiVersion {
                api_key,
                min_version: 0,
                max_version,
            });
        }
        response
    }

    pub(super) fn identity(&mut self, fault: u8) -> InitProducerIdResponse {
        self.granted += 1;
        let mut response = InitProducerIdResponse {
            producer_id: self.granted,
            producer_epoch: if self.granted % 4 == 0 { 32_766 } else { 0 },
            ..Default::default()
        };
        match fault {
            1 => response.error_code = ErrorCode::COORDINATOR_LOAD_IN_PROGRESS,
            2 => response.error_code = ErrorCode::CLUSTER_AUTHORIZATION_FAILED,
            3 => response.producer_id = -1,
            _ => {}
        }
        response
    }

    /// What is told of the cluster; `fault` is 0 for the truth.
    pub(super) fn metadata(
        &mut self,
        request: &MetadataRequest,
        version: i16,
        fault: u8,
    ) -> MetadataResponse {
        let mut response = MetadataResponse::default();
        for node_id in self.brokers() {
            response.brokers.push(MetadataBroker {
                node_id,
                host: format!("b{node_id}"),
                port: if fault == 1 { 0 } else { 9092 },
                rack: None,
            });
        }
        for asked in request.topics.iter().flatten() {
            let name = asked.name.as_deref().unwrap_or_default();
            let topic = self.topics.iter().find(|topic| *topic.name == *name);
            let topic = topic.filter(|topic| topic.is_there && fault != 2);
            let mut told = MetadataTopic {
                name: Some(name.to_owned()),
                ..Default::default()
            };
            let Some(topic) = topic else {
                told.error_code = ErrorCode::UNKNOWN_TOPIC_OR_PARTITION;
                response.topics.push(told);
                continue;
            };
            if self.tells_ids && version >= 10 {
                told.topic_id = topic.id;
            }
            for (partition_index, partition) in (0..).zip(&topic.partitions) {
                told.partitions.push(MetadataPartition {
                    partition_index,
                    leader_id: match fault {
                        3 => -1,
                        _ => partition.leader.unwrap_or(-1),
                    },
                    leader_epoch: match self.tells_epochs && version >= 7 {
                        true => partition.epoch,
                        false => -1,
                    },
                    ..Default::default()
                });
            }
            response.topics.push(told);
        }
        match fault {
            4 => response.brokers.clear(),
            5 if version >= 13 => response.error_code = ErrorCode::REBOOTSTRAP_REQUIRED,
            6 => self.stale = Some(response.clone()),
            7 if !response.topics.is_empty() => {
                response = self.stale.clone().unwrap_or(response);
            }
            8 => response.topics.clear(),
            9 => response.throttle_time_ms = 300,
            _ => {}
        }
        if version < 10 {
            // What was told another broker.
            let topics = response.topics.iter_mut();
            topics.for_each(|topic| topic.topic_id = Uuid::ZERO);
        }
        response
    }

    /// The number of the topic that a request names.
    pub(super) fn number_of(&self, name: &str, id: Uuid) -> usize {
        let is_it = |topic: &Topic| match name.is_empty() {
            true => topic.ids.contains(&id),
            false => *topic.name == *name,
        };
        let found = self.topics.iter().position(is_it);
        found.expect("a topic that there is or was")
    }

    /// What its leader says of a batch. `doubt` is told of it if the answer leaves open whether it was
    /// written.
    pub(super) fn take_batch(
        &mut self,
        broker: i32,
        carried: &Carried,
        (how, which): (u8, u8),
    ) -> PartitionProduceResponse {
        let mut said = PartitionProduceResponse {
            index: carried.index as i32,
            base_offset: -1,
            error_code: ErrorCode::NONE,
            ..Default::default()
        };
        let topic = &mut self.topics[carried.topic];
        if carried.id.is_some_and(|id| id != topic.id) || !topic.is_there {
            said.error_code = match carried.id {
                Some(_) => ErrorCode::UNKNOWN_TOPIC_ID,
                None => ErrorCode::UNKNOWN_TOPIC_OR_PARTITION,
            };
            return said;
        }
        let Some(partition) = topic.partitions.get_mut(carried.index) else {
            said.error_code = ErrorCode::UNKNOWN_TOPIC_OR_PARTITION;
            return said;
        };
        if partition.leader != Some(broker) {
            said.error_code = ErrorCode::NOT_LEADER_OR_FOLLOWER;
            if which & 1 == 1 && self.tells_epochs {
                said.current_leader = partition.leader.map(|leader_id| LeaderIdAndEpoch {
                    leader_id,
                    leader_epoch: partition.epoch,
                });
            }
            return said;
        }
        if how % 16 == 13 {
            said.error_code = REFUSED[usize::from(which >> 4) % REFUSED.len()];
            if said.error_code == ErrorCode::INVALID_RECORD {
                let count = carried.came.records.len() as i32;
                let named = (0..=count).filter(|index| which >> (index % 4) & 1 == 1);
                said.record_errors = named
                    .map(|batch_index| RecordError {
                        batch_index,
                        message: None,
                    })
                    .collect();
            }
            return said;
        }
        if how % 16 == 14 {
            said.error_code = OPEN[usize::from(which) % OPEN.len()];
            return said;
        }
        let stamped = self.stamps.then_some(self.unix_ms);
        match partition.log.append(&carried.came, stamped) {
            Err(code) => said.error_code = code,
            Ok(_) if how % 16 == 15 => match which % 5 {
                4 => {
                    said.error_code = ErrorCode::NOT_LEADER_OR_FOLLOWER;
                    said.base_offset = partition.log.records().len() as i64;
                }
                open => said.error_code = OPEN[usize::from(open)],
            },
            Ok(at) => {
                partition.log.make_safe();
                said.base_offset = at.base;
                said.log_append_time_ms = match at.is_repeated {
                    true => carried.came.max_timestamp,
                    false => stamped.unwrap_or(-1),
                };
                if at.is_repeated && which & 1 == 1 {
                    said.error_code = ErrorCode::DUPLICATE_SEQUENCE_NUMBER;
                    said.base_offset = -1;
                }
            }
        }
        said
    }

    /// A broker reads a batch whose connection had ended.
    pub(super) fn take_late(&mut self, broker: i32, carried: &Carried) {
        let excused = &mut self.excused[carried.partition()];
        // Without sequences nothing tells it from a newer one.
        excused.order |= !self.idempotent;
        if self.up[broker as usize - 1] {
            let said = self.take_batch(broker, carried, (0, 0));
            tell!("what was afloat, {carried:?}: {said:?}");
        }
    }

    /// Whether anybody waits for answers to Produce.
    pub(super) fn answers(&self) -> bool {
        self.acks
    }
}

/// Whether an answer leaves open that the batch was appended.
pub(super) fn leaves_open(said: &PartitionProduceResponse) -> bool {
    OPEN.contains(&said.error_code) || (!said.error_code.is_none() && said.base_offset >= 0)
}
