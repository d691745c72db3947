//! What callers tell the I/O thread, and the one wake-up that many of them share.
//!
//! *Invariant:* whoever posts while the I/O thread sleeps, or is about to, wakes it; whoever
//! posts while it works does not, because it looks at the mail again before it sleeps.
//!
//! Why no mail is slept on. The thread (1) says that it is not awake, (2) looks at the mail under
//! its lock, and sleeps if there is none. A caller (a) posts under that lock, (b) looks whether
//! the thread is awake. If (a) comes before (2), the thread finds the mail and stays up. If (a)
//! comes after (2), it comes after (1) too, and the caller finds the thread asleep and wakes it.
//! With (b) before (a), or with (2) before (1), both could miss each other.
//!
//! A caller that writes itself what it opened posts without waking (`post_silently`). In time:
//! the thread sleeps; caller A posts, finds it asleep and runs a round, which takes A's mail;
//! caller B posts now, finds it asleep as well, and cannot run a round because A is at it. A may
//! have taken the mail before B's came, so B calls `unpark`: the thread gets up, waits until A is
//! through and finds what B posted.

use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Instant;

use downpour_core::ids::PartitionId;
use downpour_core::mutants;
use downpour_core::produce::ClusterUpdate;

use crate::shared::question::{Holders, Question};
use crate::sys::callback;
use crate::sys::lock::lock;
use crate::sys::sync::atomic::{AtomicBool, Ordering};
use crate::sys::sync::{Mutex, MutexGuard, OnceLock};
use crate::topics::entry::TopicEntry;

/// Something for the I/O thread to do.
#[derive(Debug)]
pub(crate) enum Command {
    /// A topic's metadata is wanted.
    Topic(Arc<TopicEntry>),
    /// Whether the cluster can be used is wanted.
    Connect(Arc<Question<ClusterUpdate>>),
    /// Who holds a topic's partitions is wanted.
    Partitions(Arc<TopicEntry>, Arc<Question<Holders>>),
    /// The same, for a record that names a partition which is not known.
    PartitionMissed(Arc<TopicEntry>, Arc<Question<Holders>>),
    /// No record comes any more; end when all have their verdict, or at the deadline.
    Close { deadline: Option<Instant> },
    /// The same, and nobody waits for it.
    Detach,
}

/// Wakes the I/O thread.
pub(crate) type ThreadWaker = Box<dyn Fn() -> io::Result<()> + Send + Sync>;

/// Everything posted since it was last emptied.
#[derive(Debug, Default)]
pub(crate) struct Mail {
    /// Queues that have something new. Few have two entries: a queue that has
    /// said so says it again only after the engine has looked at it; a flush names all.
    pub(crate) dirty: Vec<PartitionId>,
    pub(crate) commands: Vec<Command>,
    /// Something lies elsewhere: a compressed batch, a resolved name, a timer. Set by `wake`,
    /// cleared by `take`. A thread that is about to sleep looks only into the mail; without this
    /// mark it would sleep on what the pool has brought.
    signalled: bool,
}

impl Mail {
    pub(crate) fn is_empty(&self) -> bool {
        self.dirty.is_empty() && self.commands.is_empty() && !self.signalled
    }
}

/// Where callers post.
pub(crate) struct Mailbox {
    mail: Mutex<Mail>,
    /// Whether the I/O thread is awake or has been woken, so that nobody needs to wake it.
    /// Cleared by the thread in `may_sleep`; set by it when it stays or gets up, and by the first
    /// of those who wake it, which spares the others the system call.
    awake: AtomicBool,
    /// None before there is a thread, which then looks at the mail before it first sleeps.
    waker: OnceLock<ThreadWaker>,
}

impl fmt::Debug for Mailbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mailbox")
            .field("mail", &self.mail)
            .finish_non_exhaustive()
    }
}

impl Mailbox {
    pub(crate) fn new() -> Self {
        // Nobody is to be woken before there is a thread, so it counts as awake.
        Self {
            mail: Mutex::default(),
            awake: AtomicBool::new(true),
            waker: OnceLock::new(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Mail> {
        lock(&self.mail)
    }

    /// Names the thread's waker, once, before the thread starts.
    pub(crate) fn set_waker(&self, waker: ThreadWaker) {
        let _ = self.waker.set(waker);
    }

    /// A queue has something new.
    pub(crate) fn post(&self, partition: PartitionId) {
        self.lock().dirty.push(partition);
        self.unpark();
    }

    /// The same without waking anybody. True if the I/O thread sleeps: then the caller takes the
    /// mail itself, in a round, or calls [`unpark`](Self::unpark).
    pub(crate) fn post_silently(&self, partition: PartitionId) -> bool {
        self.lock().dirty.push(partition);
        // After the mail was posted, see above. A thread that is awake takes it before it sleeps.
        !self.awake.load(Ordering::Acquire)
    }

    /// Several queues have something new.
    pub(crate) fn post_all(&self, partitions: Vec<PartitionId>) {
        if !partitions.is_empty() {
            self.lock().dirty.extend(partitions);
            self.unpark();
        }
    }

    /// The I/O thread is to do something.
    pub(crate) fn command(&self, command: Command) {
        self.lock().commands.push(command);
        self.unpark();
    }

    /// Makes the I/O thread look around: something lies elsewhere than in the mail.
    pub(crate) fn wake(&self) {
        self.signal();
        if !mutants::is(41) {
            self.unpark();
        }
    }

    /// The same without waking anybody, for who holds a lock: it calls [`unpark`](Self::unpark)
    /// later.
    pub(crate) fn signal(&self) {
        self.lock().signalled = true;
    }

    /// Wakes the I/O thread, unless it is awake or about to be.
    pub(crate) fn unpark(&self) {
        if self.awake.swap(true, Ordering::AcqRel) {
            return;
        }
        if let Some(waker) = self.waker.get() {
            if let Err(error) = waker() {
                callback::say(|| tracing::error!(%error, "the I/O thread could not be woken"));
            }
        }
    }

    /// Moves everything posted into `into`, which is empty. Called by whoever runs a round.
    pub(crate) fn take(&self, into: &mut Mail) {
        into.signalled = false;
        debug_assert!(into.is_empty(), "mail would be lost");
        std::mem::swap(&mut *self.lock(), into);
    }

    /// Called by the I/O thread: from now on whoever posts wakes it. False if there is mail
    /// already, and then it is still awake.
    pub(crate) fn may_sleep(&self) -> bool {
        self.awake.store(false, Ordering::Release);
        let empty = self.lock().is_empty();
        if !empty {
            self.awake.store(true, Ordering::Release);
        }
        empty
    }

    /// Called by the I/O thread: it is awake and will look before it sleeps again.
    pub(crate) fn note_awake(&self) {
        self.awake.store(true, Ordering::Release);
    }

    /// Whether the I/O thread is awake, or is about to be.
    #[cfg(feature = "simulation")]
    pub(crate) fn is_awake(&self) -> bool {
        self.awake.load(Ordering::Acquire)
    }

    /// Whether there is mail.
    #[cfg(feature = "simulation")]
    pub(crate) fn has_mail(&self) -> bool {
        !self.lock().is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_sleeps_on_unread_mail() {
        let mailbox = Mailbox::new();
        assert!(mailbox.may_sleep());
        mailbox.post(PartitionId { topic: 0, index: 1 });
        assert!(!mailbox.may_sleep());
        let mut mail = Mail::default();
        mailbox.take(&mut mail);
        assert_eq!(mail.dirty.len(), 1);
        assert!(mailbox.may_sleep());
    }

    #[test]
    fn nobody_sleeps_on_a_nudge_that_came_while_working() {
        let mailbox = Mailbox::new();
        mailbox.wake();
        assert!(!mailbox.may_sleep());
        mailbox.take(&mut Mail::default());
        assert!(mailbox.may_sleep());
    }

    #[test]
    fn many_posts_to_a_sleeping_thread_wake_it_once() {
        let mut poll = mio::Poll::new().unwrap();
        let mailbox = Mailbox::new();
        let waker = mio::Waker::new(poll.registry(), mio::Token(0)).unwrap();
        mailbox.set_waker(Box::new(move || waker.wake()));
        mailbox.post(PartitionId { topic: 0, index: 0 });
        let mut events = mio::Events::with_capacity(4);
        poll.poll(&mut events, Some(std::time::Duration::ZERO))
            .unwrap();
        assert!(events.is_empty(), "it is awake and will look");
        let mut mail = Mail::default();
        mailbox.take(&mut mail);
        assert!(mailbox.may_sleep());
        for index in 0..3 {
            mailbox.post(PartitionId { topic: 0, index });
        }
        poll.poll(&mut events, Some(std::time::Duration::from_secs(5)))
            .unwrap();
        assert_eq!(events.iter().count(), 1);
    }
}
