//! What the engine remembers of a request until it is answered.

use downpour_wire::primitives::Uuid;

use crate::client::connection::{Connection, Pending};
use crate::ids::PartitionId;
use crate::queue::OutgoingBatch;

/// What a request was for.
#[derive(Debug)]
pub(crate) enum Purpose {
    ApiVersions,
    /// Whether every topic was asked for, or only those that are missing.
    Metadata {
        is_whole: bool,
    },
    InitProducerId,
    /// To bring records.
    Produce(Carried),
}

/// What a Produce request carries, in its order.
#[derive(Debug, Default)]
pub(crate) struct Carried {
    pub(super) batches: Vec<SentBatch>,
    pub(super) topics: Vec<SentTopic>,
}

/// One topic of a Produce request. Its answer is read by this: what is known of the topic now may be
/// about another one, which was made anew under the same name meanwhile.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SentTopic {
    pub(super) number: u32,
    /// What it was when the request was made.
    pub(super) id: Uuid,
}

/// A batch that goes into the next request.
pub(super) type Gathered = (PartitionId, OutgoingBatch);

/// One batch in a Produce request.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SentBatch {
    pub(super) partition: PartitionId,
    /// Names this sending of the batch to its queue; a retry has another one.
    pub(super) send_id: u64,
    /// Whether an answer that is being read has named it.
    pub(super) is_answered: bool,
}

/// Produce requests on a connection that have no answer yet.
pub(super) fn in_flight(connection: &Connection<Purpose>) -> usize {
    if connection.is_quiet() {
        return 0;
    }
    let is_produce = |request: &&Pending<Purpose>| matches!(request.purpose(), Purpose::Produce(_));
    connection.requests().filter(is_produce).count()
}
