//! A producer whose time, sockets, names, pool and thread are given from outside.
//!
//! For downpour's own simulator; nothing in here is promised to anybody else. What is simulated is
//! the whole library but for the blocking facade, whose callers sleep on the system's clock.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

pub use crate::io::driver::Sleep;
pub use crate::io::pool::{Pool, Work};
pub use crate::io::sockets::{Socket, SocketEvent, SocketOptions, Sockets};

use downpour_core::config::{BatchOptions, Config};
use downpour_core::ids::MemoryLine;
use downpour_core::outcome::Cause;

use crate::accept::append::{AcceptProgress, Obstacle, accept};
use crate::accept::door::wait_for;
use crate::builder::ProducerBuilder;
use crate::delivery::delivery::Delivery;
use crate::error::config::ConfigError;
use crate::error::delivery::DeliveryError;
use crate::error::send::SendError;
use crate::io::given::{self, Given};
use crate::io::rounds::Rounds;
use crate::producer::Producer;
use crate::record::record::Record;
use crate::shared::shared::Shared;
use crate::sys::clock::{Clock, SimulatedClock};
use crate::sys::lock::lock;
use crate::sys::random;
use crate::sys::sync::Mutex;

/// Clocks that show what they are set to.
#[derive(Debug, Clone)]
pub struct Clocks(Arc<SimulatedClock>);

impl Clocks {
    /// At no time since they began, in the year 1970.
    #[expect(
        clippy::new_without_default,
        reason = "each call begins at another time"
    )]
    pub fn new() -> Self {
        Self(Arc::new(SimulatedClock::new()))
    }

    /// What deadlines are told by shows so much since the beginning, and the wall clock so many
    /// milliseconds since 1970.
    pub fn set(&self, elapsed: Duration, unix_millis: i64) {
        self.0.set(elapsed, unix_millis);
    }

    /// The beginning.
    pub fn base(&self) -> Instant {
        self.0.base()
    }
}

/// Finds the addresses of a host's name and port.
pub type Resolve = Arc<dyn Fn(&str, u16) -> io::Result<Vec<SocketAddr>> + Send + Sync>;

/// Reads settings without making a producer.
///
/// # Errors
/// As [`build`](ProducerBuilder::build).
pub fn check<F>(builder: ProducerBuilder<F>) -> Result<(), ConfigError> {
    builder.resolve().map(drop)
}

/// Everything that a producer has from outside.
pub struct Surroundings<S> {
    /// The time.
    pub clocks: Clocks,
    /// The network.
    pub sockets: S,
    /// What runs beside the I/O thread.
    pub pool: Arc<dyn Pool>,
    /// Called by jobs of the pool.
    pub resolve: Resolve,
    /// Called when the I/O thread is to end its sleep.
    pub wake: Arc<dyn Fn() + Send + Sync>,
    /// Of all random numbers.
    pub seed: u64,
}

impl<S> std::fmt::Debug for Surroundings<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Surroundings")
            .field("seed", &self.seed)
            .finish_non_exhaustive()
    }
}

/// The I/O thread as something that is run by hand.
pub struct IoThread<S: Sockets> {
    rounds: Arc<Mutex<Option<Rounds<S>>>>,
}

impl<S: Sockets> std::fmt::Debug for IoThread<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("IoThread").finish_non_exhaustive()
    }
}

impl<S: Sockets> IoThread<S> {
    /// Whether the producer has asked for it and it has not ended.
    pub fn is_running(&self) -> bool {
        lock(&self.rounds).is_some()
    }

    /// Gets up, runs a round after these events, and says how long it sleeps then.
    /// [`Sleep::Never`] is its end.
    pub fn get_up(&self, events: Vec<SocketEvent>) -> Sleep {
        // Not kept locked: what is woken after a round may start another producer.
        let Some(rounds) = lock(&self.rounds).take() else {
            return Sleep::Never;
        };
        rounds.note_awake();
        let sleep = rounds.run(events.into_iter());
        if matches!(sleep, Sleep::Never) {
            rounds.finish(false);
        } else {
            *lock(&self.rounds) = Some(rounds);
        }
        sleep
    }
}

/// Makes a producer, and the thread that it starts when it is first used. What core decides by is
/// taken from `core`, and the memory is so many bytes, also where no builder would let them through.
///
/// # Errors
/// As [`ProducerBuilder::build`].
pub fn build<S: Sockets>(
    builder: ProducerBuilder,
    core: Config,
    memory: usize,
    surroundings: Surroundings<S>,
) -> Result<(Producer, IoThread<S>), ConfigError> {
    let Surroundings {
        clocks,
        sockets,
        pool,
        resolve,
        wake,
        seed,
    } = surroundings;
    random::reseed(seed);
    let rounds = Arc::default();
    let thread = IoThread {
        rounds: Arc::clone(&rounds),
    };
    let by_address: given::Resolve = Arc::new(move |address| resolve(&address.host, address.port));
    let given = Given::new(sockets, pool, by_address, seed);
    let given = Mutex::new(Some(given));
    let start = move |shared: &Arc<Shared>| {
        let given = lock(&given).take();
        let given = given.ok_or_else(|| io::Error::other("a thread is started once"))?;
        // A thread that begins is awake.
        wake();
        let wake = wake.clone();
        shared.mailbox.set_waker(Box::new(move || {
            wake();
            Ok(())
        }));
        let (new, run_inline) = Rounds::new(shared, given);
        *lock(&rounds) = Some(new);
        Ok(run_inline)
    };
    let clock = Clock::simulated(clocks.0);
    let mut settings = builder.resolve()?;
    settings.options = core.batch_options();
    settings.core = Arc::new(core);
    settings.buffer_memory = memory;
    let producer = Producer::new(settings, clock, Box::new(start));
    Ok((producer, thread))
}

/// [`Producer::send`] with options of its own.
///
/// # Errors
/// As [`Producer::send`].
pub async fn send(
    producer: &Producer,
    record: &Record<'_>,
    options: &BatchOptions,
) -> Result<Delivery, SendError> {
    let shared = producer.shared();
    let mut progress = AcceptProgress::with_options(options);
    match accept(shared, record.addressed(), &mut progress) {
        Ok(delivery) => Ok(delivery),
        Err(Obstacle::Refused(error)) => Err(error),
        Err(obstacle) => wait_for(shared, record.addressed(), progress, obstacle).await,
    }
}

/// What core says about a record that was not delivered.
pub fn cause(error: &DeliveryError) -> &Cause {
    error.cause()
}

/// Whether the I/O thread sleeps though there is mail. Ask between two steps.
pub fn is_mail_slept_on(producer: &Producer) -> bool {
    let mailbox = &producer.shared().mailbox;
    mailbox.has_mail() && !mailbox.is_awake()
}

/// Whether every byte of memory that is lent is held by somebody, in the line where it was lent.
/// Ask between two steps, when no caller is on its way in.
///
/// # Errors
/// What the lines hold and what their partitions do, if that is not the same.
pub fn check_memory(producer: &Producer) -> Result<(), String> {
    let shared = producer.shared();
    let mut held = BTreeMap::new();
    shared.each_partition(|_, inner| {
        *held.entry(inner.queue.line()).or_insert(0) += inner.queue.held();
    });
    held.retain(|_, bytes| *bytes > 0);
    let lent: BTreeMap<_, _> = shared.memory.holders().into_iter().collect();
    let used = shared.memory.used();
    let sum = |lines: &BTreeMap<MemoryLine, usize>| lines.values().sum::<usize>();
    // What was granted and not collected is with no partition yet.
    let is_waited_for = shared.memory.is_contended();
    if sum(&lent) != used || (!is_waited_for && lent != held) {
        return Err(format!(
            "{used} bytes are lent, lines hold {lent:?}, partitions {held:?}"
        ));
    }
    Ok(())
}
