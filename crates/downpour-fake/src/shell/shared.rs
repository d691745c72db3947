//! What all threads of a fake cluster share: the logic behind a lock, the clock, and the register
//! of listeners and connections. What a connection does with it is in `connection`.

use std::collections::BTreeMap;
use std::io;
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::gate::Gate;
use super::stream::Stream;
use crate::logic::{Cluster, Reaction, Then};

/// How often a fetch that waits for records looks whether its connection is still there.
const PARKED_SLICE: Duration = Duration::from_millis(50);

/// A listening broker.
#[derive(Debug)]
pub(super) struct Listener {
    pub(super) address: SocketAddr,
    pub(super) stop: Arc<AtomicBool>,
    pub(super) thread: JoinHandle<()>,
}

impl Listener {
    /// Ends the listening thread and with it the port.
    fn close(self) {
        self.stop.store(true, Ordering::Release);
        // The thread sleeps in accept; a connection wakes it. Without one it would be left behind
        // rather than waited for.
        if TcpStream::connect_timeout(&self.address, Duration::from_secs(1)).is_ok() {
            let _ = self.thread.join();
        }
    }
}

#[derive(Debug)]
struct Connection {
    node: i32,
    stream: Stream,
    gate: Arc<Gate>,
}

impl Connection {
    fn close(&self) {
        self.gate.close();
        self.stream.shutdown();
    }
}

#[derive(Debug, Default)]
struct Register {
    /// By node; a node without TCP has `None`. A node that is down is not in it.
    open: BTreeMap<i32, Option<Listener>>,
    connections: BTreeMap<u64, Connection>,
    threads: Vec<JoinHandle<()>>,
    last_id: u64,
}

/// See the module.
#[derive(Debug)]
pub(super) struct Shared {
    cluster: Mutex<Guarded>,
    appended: Condvar,
    register: Mutex<Register>,
    started: Instant,
    connections_max: usize,
    pub(super) idle_max: Duration,
}

#[derive(Debug)]
struct Guarded {
    cluster: Cluster,
    /// How many fetches wait for records.
    parked: usize,
}

/// A connection that was let in.
pub(super) struct Admitted {
    pub(super) id: u64,
    pub(super) stream: Stream,
    pub(super) gate: Arc<Gate>,
}

impl Shared {
    pub(super) fn new(cluster: Cluster, connections_max: usize, idle_max: Duration) -> Self {
        Self {
            cluster: Mutex::new(Guarded { cluster, parked: 0 }),
            appended: Condvar::new(),
            register: Mutex::default(),
            started: Instant::now(),
            connections_max,
            idle_max,
        }
    }

    fn lock(&self) -> MutexGuard<'_, Guarded> {
        // A test that panicked while it looked at the cluster has changed nothing by halves.
        self.cluster.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn register(&self) -> MutexGuard<'_, Register> {
        self.register.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs `look` on the logic and wakes the connections whose fetches wait for records.
    pub(super) fn with<T>(&self, look: impl FnOnce(&mut Cluster) -> T) -> T {
        let looked = look(&mut self.lock().cluster);
        self.appended.notify_all();
        looked
    }

    /// Waits until `condition` holds; false if it still does not after `timeout`.
    pub(super) fn wait_until(
        &self,
        timeout: Duration,
        condition: impl Fn(&Cluster) -> bool,
    ) -> bool {
        let begun = Instant::now();
        let mut guarded = self.lock();
        loop {
            if condition(&guarded.cluster) {
                return true;
            }
            let left = timeout.saturating_sub(begun.elapsed());
            if left.is_zero() {
                return false;
            }
            guarded.parked += 1;
            let waited = self.appended.wait_timeout(guarded, left.min(PARKED_SLICE));
            guarded = waited.unwrap_or_else(PoisonError::into_inner).0;
            guarded.parked -= 1;
        }
    }

    /// Time since the cluster started.
    pub(super) fn now(&self) -> Duration {
        self.started.elapsed()
    }

    /// Serves a request, waiting as long as a fetch wants to wait. `None` once the gate is closed.
    pub(super) fn handle(&self, node: i32, id: u64, frame: &[u8], gate: &Gate) -> Option<Reaction> {
        let mut guarded = self.lock();
        let mut reaction = guarded.cluster.handle(self.now(), node, id, frame);
        if guarded.parked > 0 {
            self.appended.notify_all();
        }
        while let Some(until) = reaction.parked_until {
            if !gate.is_open() {
                return None;
            }
            let slice = until.saturating_sub(self.now()).min(PARKED_SLICE);
            guarded.parked += 1;
            let waited = self.appended.wait_timeout(guarded, slice);
            guarded = waited.unwrap_or_else(PoisonError::into_inner).0;
            guarded.parked -= 1;
            reaction = guarded.cluster.resume(self.now(), node, id, until, frame);
        }
        let is_down = reaction.then == Then::Close && !guarded.cluster.is_alive(node);
        drop(guarded);
        if is_down {
            self.close_node(node);
        }
        Some(reaction)
    }

    /// Lets a node's connections in, over TCP if there is a listener.
    pub(super) fn open_node(&self, node: i32, listener: Option<Listener>) {
        self.register().open.insert(node, listener);
    }

    /// Closes a node's port and its connections.
    pub(super) fn close_node(&self, node: i32) {
        let mut register = self.register();
        let listener = register.open.remove(&node);
        for connection in register
            .connections
            .values()
            .filter(|found| found.node == node)
        {
            connection.close();
        }
        // The listening thread may be about to ask for the register.
        drop(register);
        if let Some(listener) = listener.flatten() {
            listener.close();
        }
    }

    /// Closes a node's connections, or all, and leaves the ports open.
    pub(super) fn disconnect(&self, node: Option<i32>) {
        let register = self.register();
        let connections = register.connections.values();
        for connection in connections.filter(|found| node.is_none_or(|node| node == found.node)) {
            connection.close();
        }
    }

    /// Registers a new connection, if its node is up and there is room.
    pub(super) fn admit(&self, node: i32, stream: Stream) -> io::Result<Admitted> {
        let kept = stream.try_clone()?;
        let mut register = self.register();
        if !register.open.contains_key(&node) {
            return Err(io::Error::new(
                io::ErrorKind::ConnectionRefused,
                "the broker is down",
            ));
        }
        if register.connections.len() >= self.connections_max {
            let full = "the fake has as many connections as it may have";
            return Err(io::Error::new(io::ErrorKind::ConnectionRefused, full));
        }
        register.last_id += 1;
        let id = register.last_id;
        let gate = Arc::new(Gate::default());
        let connection = Connection {
            node,
            stream: kept,
            gate: Arc::clone(&gate),
        };
        register.connections.insert(id, connection);
        Ok(Admitted { id, stream, gate })
    }

    /// Remembers a thread to be joined, and forgets those that have ended.
    pub(super) fn keep(&self, thread: JoinHandle<()>) {
        let mut register = self.register();
        register.threads.retain(|thread| !thread.is_finished());
        register.threads.push(thread);
    }

    /// Forgets a connection, which closes it for good.
    pub(super) fn forget(&self, id: u64) {
        if let Some(connection) = self.register().connections.remove(&id) {
            connection.close();
        }
    }

    /// How many connections are open.
    pub(super) fn connections(&self) -> usize {
        self.register().connections.len()
    }

    /// Closes everything and waits for all threads.
    pub(super) fn stop(&self) {
        let nodes: Vec<i32> = self.register().open.keys().copied().collect();
        for node in nodes {
            self.close_node(node);
        }
        self.appended.notify_all();
        let threads = std::mem::take(&mut self.register().threads);
        for thread in threads {
            // A thread that panicked has said so.
            let _ = thread.join();
        }
    }
}
