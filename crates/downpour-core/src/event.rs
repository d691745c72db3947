//! The closed list of what an operator can observe.
//!
//! Emitted per batch, request or connection, never per record; the shell turns them
//! into `tracing` lines.

use std::sync::Arc;
use std::time::Duration;

use downpour_wire::error_code::ErrorCode;

use crate::client::connect_error::ConnectError;
use crate::client::ending::DisconnectReason;
use crate::client::notice::Notice;
use crate::config::Address;
use crate::outcome::{Cause, Written};

/// Something that happened.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Event {
    /// A connection is being opened.
    Connecting {
        /// Where to.
        address: Address,
        /// The broker that advertised this address; `None` while bootstrapping.
        broker: Option<i32>,
    },
    /// A connection can be used.
    Connected {
        /// Where to.
        address: Address,
        /// The broker, once known.
        broker: Option<i32>,
        /// Chosen version of Produce.
        produce_version: i16,
        /// Chosen version of Metadata.
        metadata_version: i16,
        /// Quiet where the address was given up before and has not answered anything since:
        /// whether it is well again is told by [`Reachable`](Self::Reachable).
        notice: Notice,
    },
    /// An address whose trouble was told has answered again.
    Reachable {
        /// Where.
        address: Address,
        /// The broker, once known.
        broker: Option<i32>,
        /// How long the trouble lasted.
        lasted: Duration,
        /// Attempts and connections that ended meanwhile.
        times: u32,
    },
    /// A connection could not be made, or ended before it could be used.
    ConnectFailed {
        /// Where to, and why not.
        error: ConnectError,
        /// The broker that advertised this address; `None` while bootstrapping.
        broker: Option<i32>,
        /// Pause before the next attempt.
        retry_after: Duration,
        /// A connection to this address could be used before.
        has_worked: bool,
        /// Whether that is worth a line.
        notice: Notice,
    },
    /// A connection that could be used ended.
    Disconnected {
        /// Where to.
        address: Address,
        /// The broker, once known.
        broker: Option<i32>,
        /// Why.
        reason: DisconnectReason,
        /// Requests that lost their answer.
        unanswered: usize,
        /// Whether that is worth a line.
        notice: Notice,
    },
    /// A question to the cluster got no answer, or one that does not help. It is asked again.
    Unanswered {
        /// What was asked.
        question: Question,
        /// Whom.
        address: Address,
        /// What came instead of an answer.
        reason: Arc<str>,
        /// Whether that is worth a line.
        notice: Notice,
    },
    /// No known broker answers; the bootstrap addresses are asked again.
    Rebootstrap,
    /// Metadata arrived.
    MetadataUpdated {
        /// Brokers in the cluster.
        brokers: usize,
        /// Topics in the answer.
        topics: usize,
    },
    /// A topic has no usable metadata.
    TopicUnavailable {
        /// Its name.
        topic: Arc<str>,
        /// What the broker said.
        code: ErrorCode,
        /// How long brokers have been saying that there is no such topic, if that is it.
        missing_for: Option<Duration>,
        /// Whoever waits for it was refused.
        is_refused: bool,
        /// Whether that is worth a line.
        notice: Notice,
    },
    /// A topic whose trouble was told can be used.
    TopicAvailable {
        /// Its name.
        topic: Arc<str>,
        /// How long the trouble lasted.
        lasted: Duration,
    },
    /// A partition has a new leader.
    LeaderMoved {
        /// Topic.
        topic: Arc<str>,
        /// Partition.
        partition: i32,
        /// New leader; `None` while there is none.
        leader: Option<i32>,
        /// Its epoch.
        leader_epoch: i32,
    },
    /// A broker asked for no requests for a while (KIP-219).
    Throttled {
        /// Broker.
        broker: Option<i32>,
        /// How long.
        throttle: Duration,
        /// Whether that is worth a line.
        notice: Notice,
    },
    /// A batch will be sent again.
    Retry {
        /// Topic.
        topic: Arc<str>,
        /// Partition.
        partition: i32,
        /// Records in it.
        records: u32,
        /// Attempts so far.
        attempts: u32,
        /// Why.
        cause: Cause,
    },
    /// A batch was too large for the broker and became several.
    Split {
        /// Topic.
        topic: Arc<str>,
        /// Partition.
        partition: i32,
        /// Batches that it became.
        parts: usize,
    },
    /// Records got a verdict that is no acknowledgement.
    DeliveryFailed {
        /// Topic.
        topic: Arc<str>,
        /// Partition.
        partition: i32,
        /// Records.
        records: u32,
        /// Whether they may be in the log.
        written: Written,
        /// Why.
        cause: Cause,
    },
    /// A producer id was granted.
    IdentityGranted {
        /// Producer id.
        producer_id: i64,
        /// Epoch.
        epoch: i16,
    },
    /// Another cluster answers at the user's addresses than before. The producer follows it, with a
    /// new producer id.
    ClusterChanged {
        /// Where that was told.
        address: Address,
        /// The former cluster's id.
        before: Arc<str>,
        /// Its id.
        after: Arc<str>,
    },
    /// A broker no longer has records that it acknowledged.
    DataLost {
        /// Topic.
        topic: Arc<str>,
        /// Partition.
        partition: i32,
        /// Who misses them.
        broker: Option<i32>,
        /// The last offset that was acknowledged.
        acknowledged: i64,
    },
    /// A partition's sequence could not be continued; it begins anew.
    EpochBumped {
        /// Producer id.
        producer_id: i64,
        /// The new epoch.
        epoch: i16,
    },
}

/// What a cluster is asked beside taking records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Question {
    /// Who leads what: the Metadata request.
    Metadata,
    /// A producer id: the InitProducerId request.
    ProducerId,
}
