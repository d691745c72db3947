//! What core tells its shell: commands to carry out in order, and events to observe.
//!
//! The types alone. Queues and the engine push them; `produce` says when they are polled.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use downpour_wire::batch::Body;
use downpour_wire::error_code::ErrorCode;
use downpour_wire::frame::Frame;

use crate::client::partition_info::PartitionInfo;
use crate::config::Address;
use crate::event::Event;
use crate::ids::{ConnectionId, MemoryLine, PartitionId};
use crate::outcome::Verdict;
use crate::seal::SealJob;

/// What is to be done, the next first. One poll fills it and the shell empties it.
pub type Outputs<T> = VecDeque<Output<T>>;

/// What the shell must do, one thing at a time and in the order in which it was polled.
///
/// `T` is the completion handle of a batch, called a ticket: the shell finds by it who waits for
/// the batch. Core clones it and looks no further.
#[derive(Debug)]
#[non_exhaustive]
pub enum Output<T> {
    /// Open a connection, then call `handle_connected` or `handle_connect_failed`.
    Connect {
        /// The name under which everything about this connection is said from now on.
        connection_id: ConnectionId,
        /// Where to; not resolved yet.
        address: Address,
        /// The broker that advertised the address; `None` while bootstrapping.
        broker: Option<i32>,
    },
    /// Close a connection. The engine has forgotten it: what still comes from it is ignored.
    Disconnect {
        /// The connection.
        connection_id: ConnectionId,
    },
    /// Write a frame behind all earlier ones of that connection.
    Write {
        /// The connection.
        connection_id: ConnectionId,
        /// The request, its length included.
        frame: Frame,
    },
    /// Tell those who wait for a topic.
    Topic {
        /// The shell's number of the topic.
        topic: u32,
        /// What became of it.
        update: TopicUpdate,
    },
    /// Tell those who asked whether the cluster can be used.
    Cluster(ClusterUpdate),
    /// Tell those who asked who holds a topic's partitions.
    Partitions {
        /// The shell's number of the topic.
        topic: u32,
        /// All of them, or why the cluster does not say.
        answer: Result<Vec<PartitionInfo>, ErrorCode>,
    },
    /// Compress a batch without any lock, bring it back to its queue, then call `mark_dirty`.
    Seal {
        /// The queue that the batch has to come back to.
        partition: PartitionId,
        /// The work. A job that is lost blocks its partition forever.
        job: Box<SealJob>,
    },
    /// Give a run of records their verdict. No record gets two.
    Resolve {
        /// Their batch.
        ticket: T,
        /// Index of the first of them within the batch.
        first: u32,
        /// Records in the run.
        count: u32,
        /// Records in the whole batch, all of its runs together.
        total: u32,
        /// How they ended.
        verdict: Verdict,
    },
    /// Give memory back to those who wait for it.
    Free {
        /// Bytes of credit.
        bytes: usize,
        /// The line that they were lent in.
        line: MemoryLine,
        /// What lay in that memory, where its chunks can be used again.
        body: Option<Arc<Body>>,
    },
    /// A broker became silent, or answers again. Once per change.
    Silence {
        /// The broker.
        broker: i32,
        /// Where it is, as far as that is known.
        address: Option<Address>,
        /// Since when it owes an answer or is out of reach; `None` once it answers again, or
        /// nothing is asked of it any more.
        since: Option<Instant>,
    },
    /// Tell whoever observes; nothing depends on it.
    Event(Event),
}

/// What was found out about the cluster since somebody asked.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum ClusterUpdate {
    /// A broker told its versions and the cluster's brokers, and granted a producer id if there is to
    /// be one.
    Usable,
    /// None of the addresses that the user gave could be reached; why, their events have said.
    Unreachable,
    /// A broker was reached that grants no producer id.
    NoIdentity {
        /// What it said, unless it is too old to know the question.
        code: Option<ErrorCode>,
        /// The same in words.
        reason: Arc<str>,
    },
}

/// What became of a topic that somebody asked for.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum TopicUpdate {
    /// Records can be sent to it.
    Available {
        /// One entry per partition: the broker that leads it, `None` while nobody does.
        leaders: Arc<[Option<i32>]>,
    },
    /// Records cannot be sent to it now.
    Unavailable {
        /// The broker's reason.
        code: ErrorCode,
        /// How long brokers have been saying that there is no such topic, if that is it.
        missing_for: Option<Duration>,
        /// Asking again would bring the same answer: the name is invalid, access is denied, or it
        /// has been missing for [`unknown_topic_timeout`](crate::config::Config::unknown_topic_timeout).
        fatal: bool,
    },
    /// Nobody has sent to it for [`metadata_max_idle`](crate::config::Config::metadata_max_idle): it is
    /// asked for again once somebody wants it. What comes to its partitions until then waits there.
    Idle,
}
