//! Questions to the cluster, and the wait for their answers.
//!
//! Callers ask them by `asking`, and a record that names a partition that is not known by `door`.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use downpour_core::client::partition_info::PartitionInfo;

use crate::accept::wait::{Deadline, DeadlineTimer};
use crate::error::send::{NotSent, SendError, TopicUnavailable, WaitedFor};
use crate::shared::mailbox::Command;
use crate::shared::question::{Holders, Question};
use crate::shared::shared::Shared;
use crate::topics::entry::TopicEntry;

/// Who holds a topic's partitions now.
pub(super) async fn partitions_for(
    shared: &Arc<Shared>,
    topic: Arc<TopicEntry>,
    deadline: Deadline,
) -> Result<Vec<PartitionInfo>, SendError> {
    ask(shared, topic, deadline, Command::Partitions).await
}

/// Has brokers say again which partitions a topic has. What has changed is known before it ends.
pub(super) async fn ask_again(
    shared: &Arc<Shared>,
    topic: Arc<TopicEntry>,
    deadline: Deadline,
) -> Result<(), SendError> {
    let answer = ask(shared, topic, deadline, Command::PartitionMissed);
    answer.await.map(drop)
}

async fn ask(
    shared: &Arc<Shared>,
    topic: Arc<TopicEntry>,
    deadline: Deadline,
    command: fn(Arc<TopicEntry>, Arc<Question<Holders>>) -> Command,
) -> Result<Vec<PartitionInfo>, SendError> {
    let question = Arc::<Question<Holders>>::default();
    let command = command(topic.clone(), question.clone());
    let timer = DeadlineTimer::new(shared, deadline);
    let answer = WaitForAnswer::new(timer, Some(topic.clone()), question, command).await?;
    answer.map_err(|code| {
        let topic = topic.name().clone();
        let refused = TopicUnavailable {
            topic,
            code,
            missing_for: None,
        };
        SendError::new(NotSent::TopicUnavailable(Box::new(refused)))
    })
}

/// Asks the I/O thread, and waits for its answer.
pub(super) struct WaitForAnswer<'a, T> {
    timer: DeadlineTimer<'a>,
    /// Which topic it is about, if it is about one.
    topic: Option<Arc<TopicEntry>>,
    question: Arc<Question<T>>,
    /// Until it was asked.
    command: Option<Command>,
}

impl<'a, T> WaitForAnswer<'a, T> {
    pub(super) fn new(
        timer: DeadlineTimer<'a>,
        topic: Option<Arc<TopicEntry>>,
        question: Arc<Question<T>>,
        command: Command,
    ) -> Self {
        Self {
            timer,
            topic,
            question,
            command: Some(command),
        }
    }
}

impl<T> Future for WaitForAnswer<'_, T> {
    type Output = Result<T, SendError>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        if this.timer.shared().is_forked() {
            return Poll::Ready(Err(SendError::new(NotSent::Forked)));
        }
        if let Poll::Ready(answer) = this.question.poll(context.waker()) {
            return Poll::Ready(Ok(answer));
        }
        // Asked after the waker was left, so that no answer can come before it.
        if let Some(command) = this.command.take() {
            this.timer.shared().ask(command)?;
        }
        let waited_for = match this.topic {
            Some(_) => WaitedFor::Metadata,
            None => WaitedFor::Cluster,
        };
        let topic = this.topic.as_deref();
        let gave_up = ready!(this.timer.guard(waited_for, topic, context.waker()));
        Poll::Ready(gave_up)
    }
}

impl<T> Drop for WaitForAnswer<'_, T> {
    fn drop(&mut self) {
        if !self.timer.shared().is_forked() {
            self.question.forget();
        }
    }
}
