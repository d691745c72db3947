//! Twins of Produce. Written by `cargo xtask messages`: what is changed here by hand is lost.

use downpour_wire::messages::*;
use kafka_protocol::messages as theirs;

#[allow(unused_imports, reason = "each file needs some of them")]
use super::{Twin, all, id, make, some_text, text};

impl Twin for ProduceRequest {
    type Twin = theirs::ProduceRequest;

    fn twin(&self, tags: bool) -> Self::Twin {
        make!(
            tags,
            theirs::ProduceRequest {
                transactional_id: some_text(&self.transactional_id).map(theirs::TransactionalId),
                acks: self.acks,
                timeout_ms: self.timeout_ms,
                topic_data: all(&self.topics, |it| produce_topic(it, tags)),
            }
        )
    }
}

fn produce_topic(it: &ProduceTopic, tags: bool) -> theirs::produce_request::TopicProduceData {
    make!(
        tags,
        theirs::produce_request::TopicProduceData {
            name: theirs::TopicName(text(&it.name)),
            topic_id: id(it.topic_id),
            partition_data: all(&it.partitions, |it| produce_partition(it, tags)),
        }
    )
}

fn produce_partition(
    it: &ProducePartition,
    tags: bool,
) -> theirs::produce_request::PartitionProduceData {
    make!(
        tags,
        theirs::produce_request::PartitionProduceData {
            index: it.index,
            records: it.records.clone().map(Into::into),
        }
    )
}

impl Twin for ProduceResponse {
    type Twin = theirs::ProduceResponse;

    fn twin(&self, tags: bool) -> Self::Twin {
        make!(
            tags,
            theirs::ProduceResponse {
                responses: all(&self.topics, |it| topic_produce_response(it, tags)),
                throttle_time_ms: self.throttle_time_ms,
                node_endpoints: all(&self.node_endpoints, |it| node_endpoint(it, tags)),
            }
        )
    }
}

fn topic_produce_response(
    it: &TopicProduceResponse,
    tags: bool,
) -> theirs::produce_response::TopicProduceResponse {
    make!(
        tags,
        theirs::produce_response::TopicProduceResponse {
            name: theirs::TopicName(text(&it.name)),
            topic_id: id(it.topic_id),
            partition_responses: all(&it.partitions, |it| partition_produce_response(it, tags)),
        }
    )
}

fn partition_produce_response(
    it: &PartitionProduceResponse,
    tags: bool,
) -> theirs::produce_response::PartitionProduceResponse {
    make!(
        tags,
        theirs::produce_response::PartitionProduceResponse {
            index: it.index,
            error_code: it.error_code.0,
            base_offset: it.base_offset,
            log_append_time_ms: it.log_append_time_ms,
            log_start_offset: it.log_start_offset,
            record_errors: all(&it.record_errors, |it| record_error(it, tags)),
            error_message: some_text(&it.error_message),
            current_leader: it
                .current_leader
                .as_ref()
                .map(|it| leader_id_and_epoch(it, tags))
                .unwrap_or_default(),
        }
    )
}

fn record_error(
    it: &RecordError,
    tags: bool,
) -> theirs::produce_response::BatchIndexAndErrorMessage {
    make!(
        tags,
        theirs::produce_response::BatchIndexAndErrorMessage {
            batch_index: it.batch_index,
            batch_index_error_message: some_text(&it.message),
        }
    )
}

fn leader_id_and_epoch(
    it: &LeaderIdAndEpoch,
    tags: bool,
) -> theirs::produce_response::LeaderIdAndEpoch {
    make!(
        tags,
        theirs::produce_response::LeaderIdAndEpoch {
            leader_id: theirs::BrokerId(it.leader_id),
            leader_epoch: it.leader_epoch,
        }
    )
}

fn node_endpoint(it: &NodeEndpoint, tags: bool) -> theirs::produce_response::NodeEndpoint {
    make!(
        tags,
        theirs::produce_response::NodeEndpoint {
            node_id: theirs::BrokerId(it.node_id),
            host: text(&it.host),
            port: it.port,
            rack: some_text(&it.rack),
        }
    )
}
