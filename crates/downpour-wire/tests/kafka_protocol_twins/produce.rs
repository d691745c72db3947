//! Twins of Produce, whose messages are written by hand.

use downpour_wire::messages::*;
use kafka_protocol::messages as theirs;
use theirs::produce_request::{PartitionProduceData, TopicProduceData};
use theirs::produce_response as response;

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
                topic_data: all(&self.topics, |topic| make!(
                    tags,
                    TopicProduceData {
                        name: theirs::TopicName(text(&topic.name)),
                        topic_id: id(topic.topic_id),
                        partition_data: all(&topic.partitions, |it| make!(
                            tags,
                            PartitionProduceData {
                                index: it.index,
                                records: it.records.clone().map(Into::into),
                            }
                        )),
                    }
                )),
            }
        )
    }
}

fn produce_partition(
    it: &PartitionProduceResponse,
    tags: bool,
) -> response::PartitionProduceResponse {
    // An absent leader stays the default, without unknown tags, so that they do not write it.
    let leader = it.current_leader.map(|leader| {
        make!(
            tags,
            response::LeaderIdAndEpoch {
                leader_id: theirs::BrokerId(leader.leader_id),
                leader_epoch: leader.leader_epoch,
            }
        )
    });
    make!(
        tags,
        response::PartitionProduceResponse {
            index: it.index,
            error_code: it.error_code.0,
            base_offset: it.base_offset,
            log_append_time_ms: it.log_append_time_ms,
            log_start_offset: it.log_start_offset,
            record_errors: all(&it.record_errors, |it| make!(
                tags,
                response::BatchIndexAndErrorMessage {
                    batch_index: it.batch_index,
                    batch_index_error_message: some_text(&it.message),
                }
            )),
            error_message: some_text(&it.error_message),
            current_leader: leader.unwrap_or_default(),
        }
    )
}

impl Twin for ProduceResponse {
    type Twin = theirs::ProduceResponse;

    fn twin(&self, tags: bool) -> Self::Twin {
        make!(
            tags,
            theirs::ProduceResponse {
                responses: all(&self.topics, |topic| make!(
                    tags,
                    response::TopicProduceResponse {
                        name: theirs::TopicName(text(&topic.name)),
                        topic_id: id(topic.topic_id),
                        partition_responses: all(&topic.partitions, |it| produce_partition(
                            it, tags
                        )),
                    }
                )),
                throttle_time_ms: self.throttle_time_ms,
                node_endpoints: all(&self.node_endpoints, |it| make!(
                    tags,
                    response::NodeEndpoint {
                        node_id: theirs::BrokerId(it.node_id),
                        host: text(&it.host),
                        port: it.port,
                        rack: some_text(&it.rack),
                    }
                )),
            }
        )
    }
}
