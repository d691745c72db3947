//! What callers ask without sending anything: futures with names, and how they wait.
//!
//! They wait as records do, for at most `max_block`; see `wait`. What is asked of whom, and when it
//! is answered, is in core's `produce::asking`.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use downpour_core::client::partition_info::PartitionInfo;
use downpour_core::produce::ClusterUpdate;

use crate::accept::answer::{WaitForAnswer, partitions_for};
use crate::accept::door;
use crate::accept::wait::{Deadline, DeadlineTimer};
use crate::error::send::{NoIdentity, NotSent, SendError};
use crate::record::record::TopicRef;
use crate::shared::mailbox::Command;
use crate::shared::shared::Shared;

type Boxed<T> = Pin<Box<dyn Future<Output = Result<T, SendError>> + Send>>;

/// The future of [`Producer::connect`](crate::Producer::connect).
///
/// Dropped before it ended, the cluster is asked all the same.
#[must_use = "nothing is asked before it is awaited"]
pub struct Connect(Boxed<()>);

impl Connect {
    pub(crate) fn new(shared: &Arc<Shared>) -> Self {
        let shared = shared.clone();
        Self(Box::pin(async move { connect(&shared).await }))
    }
}

/// The future of [`Producer::partition_count`](crate::Producer::partition_count).
///
/// Dropped before it ended, nothing is kept but that the topic was asked for.
#[must_use = "nothing is asked before it is awaited"]
pub struct PartitionCount(Boxed<u32>);

impl PartitionCount {
    pub(crate) fn new(shared: &Arc<Shared>, topic: TopicRef<'static>) -> Self {
        let shared = shared.clone();
        Self(Box::pin(async move {
            let topic = door::warm_up(&shared, &topic, Deadline::new(&shared)).await?;
            Ok(topic.partitions.count())
        }))
    }
}

/// The future of [`Producer::partitions_for`](crate::Producer::partitions_for).
///
/// Dropped before it ended, nothing is kept but that the topic was asked for.
#[must_use = "nothing is asked before it is awaited"]
pub struct PartitionsFor(Boxed<Vec<PartitionInfo>>);

impl PartitionsFor {
    pub(crate) fn new(shared: &Arc<Shared>, topic: TopicRef<'static>) -> Self {
        let shared = shared.clone();
        Self(Box::pin(async move {
            let deadline = Deadline::new(&shared);
            let topic = door::warm_up(&shared, &topic, deadline).await?;
            partitions_for(&shared, topic, deadline).await
        }))
    }
}

async fn connect(shared: &Arc<Shared>) -> Result<(), SendError> {
    let question = Arc::default();
    let command = Command::Connect(Arc::clone(&question));
    let deadline = Deadline::new(shared);
    let timer = DeadlineTimer::new(shared, deadline);
    match WaitForAnswer::new(timer, None, question, command).await? {
        ClusterUpdate::Usable => Ok(()),
        ClusterUpdate::NoIdentity { code, reason } => {
            let refused = NoIdentity { code, reason };
            Err(SendError::new(NotSent::NoIdentity(Box::new(refused))))
        }
        _ => Err(deadline.nobody_there(shared)),
    }
}

macro_rules! named {
    ($($name:ident: $output:ty;)*) => {
        $(
            impl Future for $name {
                type Output = Result<$output, SendError>;

                fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
                    self.0.as_mut().poll(context)
                }
            }

            impl fmt::Debug for $name {
                fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    f.debug_struct(stringify!($name)).finish_non_exhaustive()
                }
            }
        )*
    };
}

named! {
    Connect: ();
    PartitionCount: u32;
    PartitionsFor: Vec<PartitionInfo>;
}
