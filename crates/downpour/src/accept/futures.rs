//! What the async verbs return: futures with names, so that a caller's own types can hold them.
//!
//! None needs a particular executor, none does anything before it is polled, and all are `Unpin`
//! and `Send`. What they do is in `door`, `many` and `wait`.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use crate::accept::append::{AcceptProgress, Obstacle, accept};
use crate::accept::door::wait_and_accept;
use crate::accept::many;
use crate::accept::wait::{WaitForBatches, WaitForTermination};
use crate::delivery::deliveries::Deliveries;
use crate::delivery::delivery::Delivery;
use crate::delivery::many::{ProduceManyError, SendManyError};
use crate::delivery::report::Report;
use crate::error::produce::ProduceError;
use crate::error::send::SendError;
use crate::record::message::Message;
use crate::record::record::{Record, TopicRef};
use crate::record::unfinished::Unfinished;
use crate::shared::mailbox::Command;
use crate::shared::shared::Shared;

type Boxed<'a, T> = Pin<Box<dyn Future<Output = T> + std::marker::Send + 'a>>;

/// The future of [`Producer::send`](crate::Producer::send).
///
/// Dropped before it ended, its record is not sent.
#[must_use = "nothing is sent before it is awaited"]
pub struct Send<'a> {
    // Written by hand because an async function would move the record twice more; only a record
    // that must wait gets a future on the heap.
    shared: &'a Arc<Shared>,
    record: Option<Record<'a>>,
    waiting: Option<Boxed<'a, Result<Delivery, SendError>>>,
}

impl<'a> Send<'a> {
    #[inline]
    pub(crate) fn new(shared: &'a Arc<Shared>, record: Record<'a>) -> Self {
        Self {
            shared,
            record: Some(record),
            waiting: None,
        }
    }
}

impl Future for Send<'_> {
    type Output = Result<Delivery, SendError>;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        if let Some(record) = &this.record {
            let mut progress = AcceptProgress::new(this.shared);
            match accept(this.shared, record.addressed(), &mut progress) {
                Ok(delivery) => {
                    this.record = None;
                    return Poll::Ready(Ok(delivery));
                }
                Err(Obstacle::Refused(error)) => {
                    this.record = None;
                    return Poll::Ready(Err(error));
                }
                Err(obstacle) => {
                    let Some(record) = this.record.take() else {
                        unreachable!("it was there just now")
                    };
                    let waiting = wait_and_accept(this.shared, record, progress, obstacle);
                    this.waiting = Some(Box::pin(waiting));
                }
            }
        }
        match &mut this.waiting {
            Some(waiting) => waiting.as_mut().poll(context),
            None => panic!("a send was polled after completion"),
        }
    }
}

/// The future of [`Producer::send_and_wait`](crate::Producer::send_and_wait).
///
/// Dropped before it ended, a record that was accepted stays on its way.
#[must_use = "nothing is sent before it is awaited"]
pub struct SendAndWait<'a>(Stage<'a>);

enum Stage<'a> {
    Sending(Send<'a>),
    Waiting(Delivery),
}

impl<'a> SendAndWait<'a> {
    #[inline]
    pub(crate) fn new(shared: &'a Arc<Shared>, record: Record<'a>) -> Self {
        Self(Stage::Sending(Send::new(shared, record)))
    }
}

impl Future for SendAndWait<'_> {
    type Output = Result<Report, ProduceError>;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        loop {
            match &mut self.0 {
                Stage::Sending(sending) => {
                    let delivery = ready!(Pin::new(sending).poll(context))?;
                    self.0 = Stage::Waiting(delivery);
                }
                Stage::Waiting(delivery) => {
                    let ended = ready!(Pin::new(delivery).poll(context));
                    return Poll::Ready(ended.map_err(Into::into));
                }
            }
        }
    }
}

/// The future of [`Producer::send_many`](crate::Producer::send_many).
///
/// Dropped before it ended, records that were accepted stay on their way, and the others are not
/// sent.
#[must_use = "nothing is sent before it is awaited"]
pub struct SendMany<'a>(Boxed<'a, Result<Deliveries, SendManyError>>);

impl<'a> SendMany<'a> {
    pub(crate) fn new(shared: &'a Arc<Shared>, records: &'a [Record<'_>]) -> Self {
        Self(Box::pin(many::accept_many(shared, records, true)))
    }

    /// All of them to this topic.
    pub(crate) fn to(
        shared: &'a Arc<Shared>,
        topic: TopicRef<'a>,
        messages: &'a [Message<'_>],
    ) -> Self {
        Self(Box::pin(async move {
            many::accept_many(shared, (&topic, messages), true).await
        }))
    }
}

/// The future of [`Producer::send_many_and_wait`](crate::Producer::send_many_and_wait).
///
/// Dropped before it ended, records that were accepted stay on their way, and the others are not
/// sent.
#[must_use = "nothing is sent before it is awaited"]
pub struct SendManyAndWait<'a>(Boxed<'a, Result<Deliveries, ProduceManyError>>);

impl<'a> SendManyAndWait<'a> {
    /// What is accepted is waited for, too.
    pub(crate) fn new(sending: SendMany<'a>) -> Self {
        Self(Box::pin(async move {
            let accepted = sending.await;
            let waiting = many::dispatched(&accepted).clone();
            many::judge(accepted, waiting.await)
        }))
    }
}

/// The future of [`Producer::flush`](crate::Producer::flush).
///
/// Dropped before it ended, records are on their way all the same.
#[must_use = "nothing is flushed before it is awaited"]
pub struct Flush {
    shared: Arc<Shared>,
    waiting: Option<WaitForBatches>,
}

impl Flush {
    pub(crate) fn new(shared: &Arc<Shared>) -> Self {
        Self {
            shared: shared.clone(),
            waiting: None,
        }
    }
}

impl Future for Flush {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let this = &mut *self;
        if this.shared.is_forked() {
            return Poll::Ready(());
        }
        let begin = || WaitForBatches::new(this.shared.flush());
        let waiting = this.waiting.get_or_insert_with(begin);
        Pin::new(waiting).poll(context)
    }
}

/// The future of [`Producer::close`](crate::Producer::close).
///
/// Dropped after it was polled, closing goes on.
#[must_use = "nothing is closed before it is awaited"]
pub struct Close(CloseWithin);

impl Close {
    pub(crate) fn new(shared: &Arc<Shared>) -> Self {
        Self(CloseWithin::new(shared, None))
    }
}

impl Future for Close {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        Pin::new(&mut self.0).poll(context).map(drop)
    }
}

/// The future of [`Producer::close_within`](crate::Producer::close_within).
///
/// Dropped after it was polled, closing goes on.
#[must_use = "nothing is closed before it is awaited"]
pub struct CloseWithin {
    shared: Arc<Shared>,
    time: Option<Duration>,
    waiting: Option<WaitForTermination>,
}

impl CloseWithin {
    /// Without a time it waits for as long as it takes.
    pub(crate) fn new(shared: &Arc<Shared>, time: Option<Duration>) -> Self {
        Self {
            shared: shared.clone(),
            time,
            waiting: None,
        }
    }

    /// Has the producer closed; `None` if there is nothing to wait for.
    fn begin(&self) -> Option<WaitForTermination> {
        let shared = &self.shared;
        if shared.is_forked() {
            return None;
        }
        let now = shared.clock.now();
        let deadline = self.time.and_then(|time| now.checked_add(time));
        shared.begin_closing();
        if !shared.is_started_or_never() {
            return None;
        }
        shared.mailbox.command(Command::Close { deadline });
        Some(WaitForTermination::new(shared.clone()))
    }
}

impl Future for CloseWithin {
    type Output = Unfinished;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Unfinished> {
        if self.waiting.is_none() {
            self.waiting = self.begin();
        }
        match &mut self.waiting {
            Some(waiting) => Pin::new(waiting).poll(context),
            None => Poll::Ready(Unfinished::default()),
        }
    }
}

/// Futures that are what they hold.
macro_rules! boxed {
    ($($name:ident: $output:ty;)*) => {
        $(
            impl Future for $name<'_> {
                type Output = $output;

                fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<$output> {
                    self.0.as_mut().poll(context)
                }
            }
        )*
    };
}

boxed! {
    SendMany: Result<Deliveries, SendManyError>;
    SendManyAndWait: Result<Deliveries, ProduceManyError>;
}

macro_rules! opaque {
    ($($name:ty, $shown:literal;)*) => {
        $(
            impl fmt::Debug for $name {
                fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    f.debug_struct($shown).finish_non_exhaustive()
                }
            }
        )*
    };
}

opaque! {
    Send<'_>, "Send";
    SendAndWait<'_>, "SendAndWait";
    SendMany<'_>, "SendMany";
    SendManyAndWait<'_>, "SendManyAndWait";
    Flush, "Flush";
    Close, "Close";
    CloseWithin, "CloseWithin";
}
