//! Twins of Fetch. Written by `cargo xtask messages`: what is changed here by hand is lost.

use downpour_wire::messages::*;
use kafka_protocol::messages as theirs;

#[allow(unused_imports, reason = "each file needs some of them")]
use super::{Twin, all, id, make, some_text, text};

impl Twin for FetchRequest {
    type Twin = theirs::FetchRequest;

    fn twin(&self, tags: bool) -> Self::Twin {
        make!(
            tags,
            theirs::FetchRequest {
                replica_id: theirs::BrokerId(self.replica_id),
                max_wait_ms: self.max_wait_ms,
                min_bytes: self.min_bytes,
                max_bytes: self.max_bytes,
                isolation_level: self.isolation_level,
                session_id: self.session_id,
                session_epoch: self.session_epoch,
                topics: all(&self.topics, |it| fetch_topic(it, tags)),
                forgotten_topics_data: all(&self.forgotten_topics, |it| forgotten_topic(it, tags)),
                rack_id: text(&self.rack_id),
            }
        )
    }
}

fn fetch_topic(it: &FetchTopic, tags: bool) -> theirs::fetch_request::FetchTopic {
    make!(
        tags,
        theirs::fetch_request::FetchTopic {
            topic: theirs::TopicName(text(&it.topic)),
            partitions: all(&it.partitions, |it| fetch_partition(it, tags)),
        }
    )
}

fn fetch_partition(it: &FetchPartition, tags: bool) -> theirs::fetch_request::FetchPartition {
    make!(
        tags,
        theirs::fetch_request::FetchPartition {
            partition: it.partition,
            current_leader_epoch: it.current_leader_epoch,
            fetch_offset: it.fetch_offset,
            last_fetched_epoch: it.last_fetched_epoch,
            log_start_offset: it.log_start_offset,
            partition_max_bytes: it.partition_max_bytes,
        }
    )
}

fn forgotten_topic(it: &ForgottenTopic, tags: bool) -> theirs::fetch_request::ForgottenTopic {
    make!(
        tags,
        theirs::fetch_request::ForgottenTopic {
            topic: theirs::TopicName(text(&it.topic)),
            partitions: it.partitions.clone(),
        }
    )
}

impl Twin for FetchResponse {
    type Twin = theirs::FetchResponse;

    fn twin(&self, tags: bool) -> Self::Twin {
        make!(
            tags,
            theirs::FetchResponse {
                throttle_time_ms: self.throttle_time_ms,
                error_code: self.error_code.0,
                session_id: self.session_id,
                responses: all(&self.topics, |it| fetch_topic_response(it, tags)),
            }
        )
    }
}

fn fetch_topic_response(
    it: &FetchTopicResponse,
    tags: bool,
) -> theirs::fetch_response::FetchableTopicResponse {
    make!(
        tags,
        theirs::fetch_response::FetchableTopicResponse {
            topic: theirs::TopicName(text(&it.topic)),
            partitions: all(&it.partitions, |it| fetch_partition_response(it, tags)),
        }
    )
}

fn fetch_partition_response(
    it: &FetchPartitionResponse,
    tags: bool,
) -> theirs::fetch_response::PartitionData {
    make!(
        tags,
        theirs::fetch_response::PartitionData {
            partition_index: it.partition_index,
            error_code: it.error_code.0,
            high_watermark: it.high_watermark,
            last_stable_offset: it.last_stable_offset,
            log_start_offset: it.log_start_offset,
            current_leader: it
                .current_leader
                .as_ref()
                .map(|it| fetch_leader(it, tags))
                .unwrap_or_default(),
            aborted_transactions: it
                .aborted_transactions
                .as_ref()
                .map(|it| all(it, |it| aborted_transaction(it, tags))),
            preferred_read_replica: theirs::BrokerId(it.preferred_read_replica),
            records: it.records.clone().map(Into::into),
        }
    )
}

fn fetch_leader(it: &FetchLeader, tags: bool) -> theirs::fetch_response::LeaderIdAndEpoch {
    make!(
        tags,
        theirs::fetch_response::LeaderIdAndEpoch {
            leader_id: theirs::BrokerId(it.leader_id),
            leader_epoch: it.leader_epoch,
        }
    )
}

fn aborted_transaction(
    it: &AbortedTransaction,
    tags: bool,
) -> theirs::fetch_response::AbortedTransaction {
    make!(
        tags,
        theirs::fetch_response::AbortedTransaction {
            producer_id: theirs::ProducerId(it.producer_id),
            first_offset: it.first_offset,
        }
    )
}
