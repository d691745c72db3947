//! Samples of Produce, whose messages are written by hand.

use downpour_wire::messages::*;

use super::super::entropy::Entropy;
use super::Sample;

/// `value` if the version has the field, otherwise what a decoder fills in.
fn since<T>(has: bool, value: T, absent: T) -> T {
    if has { value } else { absent }
}

impl Sample for ProduceRequest {
    const KEY: ApiKey = ApiKey::Produce;

    fn sample(e: &mut Entropy<'_>, v: i16) -> Self {
        let partition = |e: &mut Entropy<'_>| ProducePartition {
            index: e.i32(),
            records: e.option(Entropy::bytes),
        };
        Self {
            transactional_id: e.option(Entropy::string),
            acks: e.i16(),
            timeout_ms: e.i32(),
            topics: e.vec(|e| ProduceTopic {
                name: since(v < 13, e.string(), String::new()),
                topic_id: since(v >= 13, e.uuid(), Default::default()),
                partitions: e.vec(partition),
            }),
        }
    }
}

fn produce_partition(e: &mut Entropy<'_>, v: i16) -> PartitionProduceResponse {
    // A leader of twice -1 is the default of the tagged field and would not be written by all.
    let leader = |e: &mut Entropy<'_>| LeaderIdAndEpoch {
        leader_id: e.i32().max(0),
        leader_epoch: e.i32(),
    };
    let error = |e: &mut Entropy<'_>| RecordError {
        batch_index: e.i32(),
        message: e.option(Entropy::string),
    };
    PartitionProduceResponse {
        index: e.i32(),
        error_code: e.error(),
        base_offset: e.i64(),
        log_append_time_ms: e.i64(),
        log_start_offset: since(v >= 5, e.i64(), -1),
        record_errors: since(v >= 8, e.vec(error), Vec::new()),
        error_message: since(v >= 8, e.option(Entropy::string), None),
        current_leader: since(v >= 10, e.option(leader), None),
    }
}

impl Sample for ProduceResponse {
    const KEY: ApiKey = ApiKey::Produce;

    fn sample(e: &mut Entropy<'_>, v: i16) -> Self {
        let endpoint = |e: &mut Entropy<'_>| NodeEndpoint {
            node_id: e.i32(),
            host: e.string(),
            port: e.i32(),
            rack: e.option(Entropy::string),
        };
        Self {
            topics: e.vec(|e| TopicProduceResponse {
                name: since(v < 13, e.string(), String::new()),
                topic_id: since(v >= 13, e.uuid(), Default::default()),
                partitions: e.vec(|e| produce_partition(e, v)),
            }),
            throttle_time_ms: e.i32(),
            node_endpoints: since(v >= 10, e.vec(endpoint), Vec::new()),
        }
    }
}
