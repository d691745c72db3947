//! A whole producer: callers that send, flush, close and drop against its I/O thread and each other.
//! The cluster answers at once; time goes on only when the I/O thread sleeps until soon.

use std::collections::{BTreeMap, VecDeque};
use std::future::Future;
use std::io::{self, ErrorKind, IoSlice};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use downpour_fake::KafkaVersion;
use downpour_fake::logic::Cluster;
use downpour_wire::codec::Compressor;

use super::explore::{SELDOM, explore};
use crate::delivery::delivery::Delivery;
use crate::error::kind;
use crate::io::driver::Sleep;
use crate::io::given::{self, Given};
use crate::io::pool::{Pool, Work};
use crate::io::rounds::Rounds;
use crate::io::sockets::{Socket, SocketEvent, SocketOptions, Sockets};
use crate::producer::Producer;
use crate::record::record::Record;
use crate::shared::shared::Shared;
use crate::sys::clock::{Clock, SimulatedClock};
use crate::sys::lock::lock;
use crate::sys::park::block_on;
use crate::sys::sync::atomic::{AtomicBool, Ordering};
use crate::sys::sync::{Mutex, thread};

const PARTITIONS: i32 = 3;
/// A sleep until later than this counts as one without an end: nobody may need it.
const SOON: Duration = Duration::from_secs(1);

/// The mio of this world: it ends the I/O thread's sleep.
#[derive(Debug, Default)]
struct Bell {
    rung: AtomicBool,
    sleeper: Mutex<Option<thread::Thread>>,
}

impl Bell {
    fn ring(&self) {
        self.rung.store(true, Ordering::Release);
        let sleeper = lock(&self.sleeper).clone();
        if let Some(sleeper) = sleeper {
            sleeper.unpark();
        }
    }

    /// Sleeps until it rings.
    fn wait(&self) {
        while !self.rung.swap(false, Ordering::AcqRel) {
            thread::park();
        }
    }

    /// Whether it rang; at once if it has, otherwise after the others had a chance.
    fn rings(&self) -> bool {
        let rang = || self.rung.swap(false, Ordering::AcqRel);
        rang() || {
            thread::yield_now();
            rang()
        }
    }
}

/// A client's end of a connection.
#[derive(Debug, Default)]
struct End {
    token: usize,
    inbound: VecDeque<u8>,
    /// Bytes of a request that is not whole.
    sent: Vec<u8>,
}

#[derive(Debug)]
struct State {
    cluster: Cluster,
    ends: BTreeMap<u64, End>,
    next: u64,
    events: Vec<SocketEvent>,
}

/// The network and the cluster of one broker behind it.
#[derive(Debug, Clone)]
struct Net {
    state: Arc<Mutex<State>>,
    bell: Arc<Bell>,
}

impl Net {
    fn new() -> Self {
        let mut cluster = Cluster::new(1, KafkaVersion::V4_3);
        cluster.create_topic("t", PARTITIONS);
        let state = State {
            cluster,
            ends: BTreeMap::new(),
            next: 0,
            events: Vec::new(),
        };
        Self {
            state: Arc::new(Mutex::new(state)),
            bell: Arc::default(),
        }
    }

    fn tell(&self, state: &mut State, token: usize) {
        state.events.push(SocketEvent {
            token,
            readable: true,
            writable: true,
            ending: false,
        });
        self.bell.ring();
    }
}

#[derive(Debug)]
struct Wire {
    id: u64,
    net: Net,
}

impl Sockets for Net {
    type Socket = Wire;

    fn connect(&mut self, token: usize, _: SocketAddr, _: SocketOptions) -> io::Result<Wire> {
        let mut state = lock(&self.state);
        state.next += 1;
        let id = state.next;
        let end = End {
            token,
            ..End::default()
        };
        state.ends.insert(id, end);
        self.tell(&mut state, token);
        drop(state);
        let net = self.clone();
        Ok(Wire { id, net })
    }

    #[cfg(unix)]
    fn adopt(&mut self, _: usize, _: std::os::unix::net::UnixStream) -> io::Result<Wire> {
        Err(ErrorKind::Unsupported.into())
    }
}

impl Socket for Wire {
    fn is_open(&self) -> io::Result<bool> {
        Ok(true)
    }

    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut state = lock(&self.net.state);
        let end = state.ends.get_mut(&self.id).unwrap();
        let count = buffer.len().min(end.inbound.len());
        for (to, from) in buffer.iter_mut().zip(end.inbound.drain(..count)) {
            *to = from;
        }
        match count {
            0 => Err(ErrorKind::WouldBlock.into()),
            _ => Ok(count),
        }
    }

    fn write_vectored(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        let mut guard = lock(&self.net.state);
        let state = &mut *guard;
        let end = state.ends.get_mut(&self.id).unwrap();
        slices.iter().for_each(|slice| end.sent.extend(&**slice));
        let mut answers = 0;
        while let Some(head) = end.sent.first_chunk::<4>() {
            let len = u32::from_be_bytes(*head) as usize + 4;
            if end.sent.len() < len {
                break;
            }
            let rest = end.sent.split_off(len);
            let request = std::mem::replace(&mut end.sent, rest);
            let served = state
                .cluster
                .handle(Duration::ZERO, 1, self.id, &request[4..]);
            end.inbound.extend(served.answer.unwrap_or_default());
            answers += 1;
        }
        let token = end.token;
        if answers > 0 {
            self.net.tell(state, token);
        }
        Ok(slices.iter().map(|slice| slice.len()).sum())
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        lock(&self.net.state).ends.remove(&self.id);
    }
}

/// A pool with a thread for each job.
#[derive(Debug)]
struct Threads;

impl Pool for Threads {
    fn compute(&self, work: Work) -> Result<(), Work> {
        self.block(work)
    }

    fn block(&self, work: Work) -> Result<(), Work> {
        thread::spawn(move || work(&mut Compressor::new()));
        Ok(())
    }
}

struct World {
    net: Net,
    clock: Arc<SimulatedClock>,
    io: Arc<Mutex<Option<thread::JoinHandle<()>>>>,
    shared: Arc<Shared>,
}

impl World {
    /// A producer whose thread starts when it is first used.
    fn new(buffer_memory: usize) -> (Arc<Self>, Producer) {
        let net = Net::new();
        let clock = Arc::new(SimulatedClock::new());
        let io = Arc::new(Mutex::new(None));
        let builder = Producer::builder("broker-1.fake:9092").buffer_memory(buffer_memory);
        let settings = builder.resolve().unwrap();
        let (own, slot, ticks) = (net.clone(), io.clone(), clock.clone());
        let start = move |shared: &Arc<Shared>| {
            let bell = own.bell.clone();
            shared.mailbox.set_waker(Box::new(move || {
                bell.ring();
                Ok(())
            }));
            let address = SocketAddr::from(([10, 0, 0, 1], 9092));
            let resolve: given::Resolve = Arc::new(move |_| Ok(vec![address]));
            let given = Given::new(own.clone(), Arc::new(Threads), resolve, 1);
            let (rounds, run_inline) = Rounds::new(shared, given);
            let (net, clock) = (own.clone(), ticks.clone());
            *lock(&slot) = Some(thread::spawn(move || run(rounds, &net, &clock)));
            Ok(run_inline)
        };
        let producer = Producer::new(settings, Clock::simulated(clock.clone()), Box::new(start));
        let shared = producer.shared().clone();
        let world = Self {
            net,
            clock,
            io,
            shared,
        };
        (Arc::new(world), producer)
    }

    /// Waits for the end of the I/O thread, and compares what was acknowledged with the log.
    fn check(&self, acknowledged: usize) {
        let io = lock(&self.io).take();
        if let Some(io) = io {
            io.join().unwrap();
        }
        assert_eq!(self.shared.memory.used(), 0, "memory was left behind");
        // On real threads time goes on while one of them has no processor.
        let soon = self.clock.base() + Duration::from_secs(60) > self.shared.clock.now();
        assert!(soon || cfg!(not(downpour_shuttle)), "saved by a timeout");
        let state = lock(&self.net.state);
        assert!(state.ends.is_empty(), "a connection was left behind");
        assert_eq!(state.cluster.violations().len(), 0);
        let logged = (0..PARTITIONS).map(|index| state.cluster.records("t", index).len());
        let logged: Vec<usize> = logged.collect();
        assert_eq!(logged.iter().sum::<usize>(), acknowledged, "{logged:?}");
        let used = logged.iter().filter(|count| **count > 0).count();
        assert!(used <= 1, "records of one key are in several partitions");
    }
}

/// The I/O thread, as `io::thread` runs it.
fn run(rounds: Rounds<Net>, net: &Net, clock: &SimulatedClock) {
    *lock(&net.bell.sleeper) = Some(thread::current());
    let mut now = Duration::ZERO;
    loop {
        let events = std::mem::take(&mut lock(&net.state).events);
        let until = match rounds.run(events.into_iter()) {
            Sleep::Never => break,
            Sleep::UntilWoken => None,
            Sleep::Pause(time) => {
                now += time;
                clock.set(now, 0);
                Some(now)
            }
            Sleep::Until(at) => Some(at.saturating_duration_since(clock.base())),
        };
        match until {
            Some(at) if at <= now + SOON => {
                if at > now && !net.bell.rings() {
                    let_others_run();
                    now = at;
                    clock.set(now, 0);
                }
            }
            _ => net.bell.wait(),
        }
        rounds.note_awake();
    }
    rounds.finish(false);
}

/// Before time goes on. Real threads on a busy machine may have no processor for a while, and would
/// find that hours have passed; shuttle lets each have its turn.
fn let_others_run() {
    if cfg!(not(downpour_shuttle)) {
        std::thread::sleep(Duration::from_micros(100));
    }
}

fn now<F: Future>(future: F) -> F::Output {
    block_on(future).expect("it is no callback")
}

/// Sends a record, of the same key each time; `None` if the producer is closed.
fn send(producer: &Producer, bytes: usize) -> Option<Delivery> {
    let record = Record::to("t").key("k").value(vec![7; bytes]);
    match now(producer.send(record)) {
        Ok(delivery) => Some(delivery),
        Err(error) if error.kind() == kind::ErrorKind::Closed => None,
        Err(error) => panic!("{error}"),
    }
}

/// Sends, waits for the verdicts, and counts them.
fn send_and_wait(producer: &Producer, records: usize, bytes: usize) -> usize {
    let sent: Vec<Delivery> = (0..records).map_while(|_| send(producer, bytes)).collect();
    let count = sent.len();
    for delivery in sent {
        assert!(now(delivery).is_ok(), "an accepted record is delivered");
    }
    count
}

fn all(threads: Vec<thread::JoinHandle<usize>>) -> usize {
    threads
        .into_iter()
        .map(|thread| thread.join().unwrap())
        .sum()
}

const AMPLE: usize = 32 << 20;

#[test]
fn what_was_accepted_is_delivered_whoever_closes_meanwhile() {
    explore(SELDOM, || {
        let (world, producer) = World::new(AMPLE);
        let own = producer.clone();
        let mut threads = vec![thread::spawn(move || {
            now(own.close());
            0
        })];
        for records in [1, 2] {
            let own = producer.clone();
            threads.push(thread::spawn(move || send_and_wait(&own, records, 10)));
        }
        world.check(all(threads));
        drop(producer);
    });
}

#[test]
fn the_last_handle_drains_what_was_accepted() {
    explore(SELDOM, || {
        let (world, producer) = World::new(AMPLE);
        let senders = [0; 2].map(|_| {
            let own = producer.clone();
            thread::spawn(move || send(&own, 10).expect("nobody closes"))
        });
        drop(producer);
        let sent = senders.map(|sender| sender.join().unwrap());
        let count = sent.into_iter().map(now).filter(Result::is_ok).count();
        assert_eq!(count, 2);
        world.check(count);
    });
}

/// The I/O thread sleeps, so that callers run rounds in its place.
#[test]
fn callers_that_run_rounds_leave_nothing_undone() {
    explore(SELDOM, || {
        let (world, producer) = World::new(AMPLE);
        assert_eq!(send_and_wait(&producer, 1, 10), 1);
        let mut threads = Vec::new();
        for records in [1, 1, 2] {
            let own = producer.clone();
            threads.push(thread::spawn(move || send_and_wait(&own, records, 10)));
        }
        now(producer.flush());
        let sent = all(threads);
        now(producer.close());
        world.check(1 + sent);
    });
}

/// Room for one of them at a time.
#[test]
fn callers_that_wait_for_memory_get_it_or_hear_of_the_end() {
    explore(SELDOM, || {
        let (world, producer) = World::new(64 << 10);
        let mut threads = Vec::new();
        for _ in 0..3 {
            let own = producer.clone();
            threads.push(thread::spawn(move || send_and_wait(&own, 1, 40 << 10)));
        }
        let own = producer.clone();
        threads.push(thread::spawn(move || {
            thread::yield_now();
            now(own.close());
            0
        }));
        world.check(all(threads));
        drop(producer);
    });
}
