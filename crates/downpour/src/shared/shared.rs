//! The state of one producer, as callers and its I/O thread share it.
//!
//! Each part guards itself; for the order of locks see ARCHITECTURE.md, Locks.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::Waker;
use std::time::Instant;

use downpour_core::client::connect_error::ConnectError;
use downpour_core::config::Address;
use downpour_core::ids::PartitionId;
use downpour_core::queue::{self, Chunk};

use crate::config::settings::Settings;
use crate::delivery::batch_state::BatchState;
use crate::error::send::{MemoryHolder, NotSent, SendError};
use crate::shared::brokers::Brokers;
use crate::shared::compressors::Compressors;
use crate::shared::mailbox::{Command, Mailbox};
use crate::shared::memory::Memory;
use crate::shared::termination::Termination;
use crate::shared::timers::Timers;
use crate::shared::unusual::{Reason, Unusual};
use crate::sys::callback;
use crate::sys::clock::Clock;
use crate::sys::lock::lock;
use crate::sys::sync::{Mutex, MutexGuard, OnceLock};
use crate::sys::wake;
use crate::topics::entry::{LineChange, TopicEntry};
use crate::topics::table::Topics;

/// Starts the I/O thread; it lives in a module that this one must not know.
pub(crate) type Start = Box<dyn Fn(&Arc<Shared>) -> io::Result<RunInline> + Send + Sync>;

/// Runs a round on the caller's thread, as the I/O thread would do next; false if somebody else
/// is running one.
pub(crate) type RunInline = Box<dyn Fn() -> bool + Send + Sync>;

/// How trying an address has gone so far.
enum Trying {
    /// It has not failed yet.
    Since(Instant),
    Failed(ConnectError),
}

/// The state of one producer.
pub(crate) struct Shared {
    /// Number of this producer in the process; a topic's entry says by it whose it is.
    pub(crate) id: u64,
    pub(crate) settings: Settings,
    pub(crate) queue_settings: queue::QueueSettings,
    pub(crate) topics: Topics,
    pub(crate) brokers: Brokers,
    pub(crate) memory: Memory,
    pub(crate) compressors: Compressors,
    pub(crate) clock: Clock,
    pub(crate) timers: Timers,
    pub(crate) mailbox: Mailbox,
    pub(crate) termination: Termination,
    /// Apart, because all senders read it and others write beside it.
    pub(crate) unusual: Arc<Unusual>,
    start: Start,
    started: OnceLock<Result<RunInline, Arc<io::Error>>>,
    /// Addresses that could not be reached when last tried, or are being tried. Each address that is
    /// known has at most one entry, and whatever the cluster says makes it forget the others.
    unreachable: Mutex<BTreeMap<Address, Trying>>,
    /// Who was asked last about the cluster and gave no answer that helps, and what came instead.
    no_answer: Mutex<Option<Arc<str>>>,
    /// Brokers that owe an answer for too long: where they are, and since when. Each broker has
    /// at most one entry.
    silent: Mutex<BTreeMap<i32, (Option<Address>, Instant)>>,
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared")
            .field("bootstrap", &self.settings.core.bootstrap)
            .field("closing", &self.is_closing())
            .finish_non_exhaustive()
    }
}

impl Shared {
    pub(crate) fn new(settings: Settings, clock: Clock, start: Start) -> Arc<Self> {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let id = NEXT.fetch_add(1, Ordering::Relaxed);
        let unusual = Arc::new(Unusual::new());
        Arc::new(Self {
            id,
            queue_settings: queue::QueueSettings::from(&*settings.core),
            topics: Topics::new(id, settings.topics_max),
            brokers: Brokers::default(),
            memory: Memory::new(settings.buffer_memory, unusual.clone()),
            compressors: Compressors::default(),
            clock,
            timers: Timers::default(),
            mailbox: Mailbox::new(),
            termination: Termination::default(),
            unusual,
            start,
            started: OnceLock::new(),
            unreachable: Mutex::default(),
            no_answer: Mutex::default(),
            silent: Mutex::default(),
            settings,
        })
    }

    /// Whether no record is taken any more.
    pub(crate) fn is_closing(&self) -> bool {
        self.unusual.is(Reason::Closing)
    }

    /// Whether this process is a forked child of the one that built the producer.
    pub(crate) fn is_forked(&self) -> bool {
        self.unusual.is_forked()
    }

    /// Starts the I/O thread, once.
    pub(crate) fn ensure_started(self: &Arc<Self>) -> Result<(), SendError> {
        if self.is_forked() {
            return Err(SendError::new(NotSent::Forked));
        }
        let mut failed = false;
        let started = self.started.get_or_init(|| {
            let started = (self.start)(self);
            failed = started.is_err();
            started.map_err(Arc::new)
        });
        let Err(error) = started else { return Ok(()) };
        if failed {
            // Not where it happened: others wait there for the outcome.
            callback::say(
                || tracing::error!(reason = %error, "the I/O thread could not be started"),
            );
        }
        if self.is_closing() {
            // Whoever closes before there is a thread sees to it that there will be none.
            return Err(SendError::new(NotSent::Closed));
        }
        Err(SendError::new(NotSent::NoThread(error.clone())))
    }

    /// Whether there is an I/O thread that can be told to end; if there is none, there will be
    /// none from now on.
    pub(crate) fn is_started_or_never(&self) -> bool {
        let never = || Err(Arc::new(io::Error::other("the producer is closed")));
        self.started.get_or_init(never).is_ok()
    }

    /// Tells of a batch that was opened. While the I/O thread sleeps, the caller itself writes
    /// what is to leave at once: waking another thread takes longer than that. How the two keep
    /// out of each other's way is told in `mailbox` and in `io::thread`.
    pub(crate) fn post_opened(&self, partition: PartitionId) {
        if !self.mailbox.post_silently(partition) {
            return;
        }
        let ran = match self.started.get() {
            // A callback may have been called after a round, and one within another has no end.
            Some(Ok(run_inline)) if !callback::is_running() => run_inline(),
            _ => false,
        };
        if !ran {
            self.mailbox.unpark();
        }
    }

    /// Asks for a topic's metadata.
    pub(crate) fn want_topic(self: &Arc<Self>, topic: &Arc<TopicEntry>) -> Result<(), SendError> {
        self.ask(Command::Topic(topic.clone()))
    }

    /// Has the I/O thread find something out.
    pub(crate) fn ask(self: &Arc<Self>, command: Command) -> Result<(), SendError> {
        self.ensure_started()?;
        self.mailbox.command(command);
        Ok(())
    }

    /// Takes no more records. Those that wait to be accepted are refused.
    pub(crate) fn begin_closing(&self) {
        let mut woken = Vec::new();
        self.refuse_all(&mut woken);
        wake::wake_all(&mut woken);
    }

    /// The same for a caller that holds a lock and wakes them later.
    pub(crate) fn refuse_all(&self, woken: &mut Vec<Waker>) {
        self.unusual.set(Reason::Closing);
        for topic in self.topics.all() {
            topic.wake_waiting(woken);
        }
        // Whoever waits for memory has a timer, too.
        self.timers.drain(woken);
    }

    /// Calls `f` with every partition's queue, one lock at a time.
    pub(crate) fn each_partition(
        &self,
        mut f: impl FnMut(PartitionId, &mut crate::topics::partitions::PartitionInner),
    ) {
        for topic in self.topics.all() {
            for entry in topic.partitions.iter() {
                f(entry.id, &mut entry.lock());
            }
        }
    }

    /// Makes what is open leave, and lists every batch without a complete verdict.
    pub(crate) fn flush(&self) -> Vec<Arc<BatchState>> {
        let mut tickets = Vec::new();
        let mut partitions = Vec::new();
        self.each_partition(|partition, inner| {
            if !inner.queue.is_empty() {
                inner.queue.request_flush();
                inner.queue.tickets(&mut tickets);
                partitions.push(partition);
            }
        });
        self.mailbox.post_all(partitions);
        tickets
    }

    /// Records that were accepted and have no verdict yet.
    pub(crate) fn unresolved(&self) -> u64 {
        let mut records = 0;
        self.each_partition(|_, inner| records += inner.queue.unresolved());
        records
    }

    fn unreachable_map(&self) -> MutexGuard<'_, BTreeMap<Address, Trying>> {
        lock(&self.unreachable)
    }

    /// An address is being tried.
    pub(crate) fn note_connecting(&self, address: &Address, now: Instant) {
        let mut map = self.unreachable_map();
        map.entry(address.clone())
            .or_insert_with(|| Trying::Since(now));
    }

    /// An address could not be reached.
    pub(crate) fn note_unreachable(&self, error: &ConnectError) {
        let address = error.address().clone();
        self.unreachable_map()
            .insert(address, Trying::Failed(error.clone()));
    }

    /// An address was reached.
    pub(crate) fn note_reachable(&self, address: &Address) {
        self.unreachable_map().remove(address);
    }

    /// Forgets addresses that nobody is at any more: where brokers get a new one with each start, as
    /// pods do, they would be kept, and told to whoever waits, for ever.
    pub(crate) fn forget_unreachable(&self, is_known: impl Fn(&Address) -> bool) {
        self.unreachable_map()
            .retain(|address, _| is_known(address));
    }

    /// What happened last at each address that could not be reached; with those, if asked for, that
    /// are being tried and have not failed.
    pub(crate) fn unreachable(&self, with_untold: bool, now: Instant) -> Vec<ConnectError> {
        let map = self.unreachable_map();
        let errors = map.iter().filter_map(|(address, trying)| match trying {
            Trying::Failed(error) => Some(error.clone()),
            Trying::Since(since) => {
                let time = now.saturating_duration_since(*since);
                with_untold.then(|| ConnectError::still_trying(address, time))
            }
        });
        errors.collect()
    }

    /// A question about the cluster was not answered; `None` if one was.
    pub(crate) fn note_no_answer(&self, told: Option<(&Address, &str)>) {
        let text = told.map(|(address, reason)| Arc::from(format!("{address}: {reason}")));
        *lock(&self.no_answer) = text;
    }

    /// Who was asked last about the cluster in vain, and what came instead of an answer.
    pub(crate) fn no_answer(&self) -> Option<Arc<str>> {
        lock(&self.no_answer).clone()
    }

    /// A broker became silent, or is not any more: records without a key turn to other brokers'
    /// partitions, and those that wait for its memory are woken to do so.
    pub(crate) fn note_silence(
        &self,
        broker: i32,
        address: Option<Address>,
        since: Option<Instant>,
        woken: &mut Vec<Waker>,
    ) {
        let silent: BTreeSet<i32> = {
            let mut map = lock(&self.silent);
            match since {
                Some(since) => map.insert(broker, (address, since)),
                None => map.remove(&broker),
            };
            map.keys().copied().collect()
        };
        self.topics
            .each(|topic| topic.spread_without(broker, &silent));
        // After the topics, where those who are woken look.
        self.memory.set_silent(broker, since.is_some(), woken);
    }

    /// A topic's partitions have these leaders, and their memory goes with them.
    pub(crate) fn update_topic(
        &self,
        topic: &TopicEntry,
        leaders: &Arc<[Option<i32>]>,
        closed: bool,
        woken: &mut Vec<Waker>,
    ) {
        let silent: BTreeSet<i32> = lock(&self.silent).keys().copied().collect();
        let mut moved = Vec::new();
        let change = |change: LineChange| match change {
            LineChange::New(line) => self.memory.add_partition(line),
            LineChange::Turned(turn) => self.memory.turn(turn, &mut moved),
        };
        topic.update(
            leaders,
            (self.queue_settings, closed),
            &silent,
            change,
            woken,
        );
        woken.append(&mut moved);
    }

    /// Whose records hold the memory: those of silent brokers first, then those that hold most.
    pub(crate) fn memory_holders(&self) -> Vec<MemoryHolder> {
        let held = self.memory.holders();
        let silent = lock(&self.silent);
        let holders = held.into_iter().map(|(line, bytes)| {
            let known = line.0.and_then(|broker| silent.get(&broker));
            MemoryHolder {
                broker: line.0,
                bytes,
                address: known.and_then(|(address, _)| address.clone()),
                silent_for: known.map(|(_, since)| since.elapsed()),
            }
        });
        let mut holders: Vec<MemoryHolder> = holders.collect();
        holders.sort_by_key(|h| (h.silent_for.is_none(), std::cmp::Reverse(h.bytes)));
        holders
    }

    /// Gives credit and a chunk back, and wakes who gets it.
    pub(crate) fn give_back(&self, chunk: Chunk) {
        let mut woken: Vec<Waker> = Vec::new();
        self.memory.give_back(chunk, &mut woken);
        wake::wake_all(&mut woken);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::partial::PartialConfig;
    use crate::config::resolve;
    use crate::error::kind::ErrorKind;

    #[test]
    fn a_send_that_comes_to_a_producer_closed_before_its_use_is_told_so() {
        let partial = PartialConfig::of("one:1");
        let settings = resolve::settings(partial).unwrap();
        let start: Start = Box::new(|_| unreachable!("it is closed"));
        let shared = Shared::new(settings, Clock::default(), start);
        shared.begin_closing();
        assert!(!shared.is_started_or_never());
        let told = shared.ensure_started();
        assert_eq!(told.unwrap_err().kind(), ErrorKind::Closed);
    }
}
