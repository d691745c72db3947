//! Connections over a network, a name server and a pool that are the test's own.

use std::net::SocketAddr;
use std::sync::Mutex;
use std::time::Duration;

use downpour_wire::codec::Compressor;

use super::*;
use crate::config::partial::PartialConfig;
use crate::config::resolve;
use crate::io::fixtures::{Net, v4};
use crate::io::pool::Work;
use crate::sys::clock::Clock;

/// Jobs that the test runs when it likes.
#[derive(Default)]
struct Jobs(Mutex<Vec<Work>>);

impl std::fmt::Debug for Jobs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Jobs")
    }
}

impl Pool for Jobs {
    fn compute(&self, work: Work) -> Result<(), Work> {
        Err(work)
    }

    fn block(&self, work: Work) -> Result<(), Work> {
        self.0.lock().unwrap().push(work);
        Ok(())
    }
}

struct Bench {
    net: Net,
    jobs: Arc<Jobs>,
    connections: Connections<Net>,
    now: Instant,
    out: Vec<ConnectionEvent>,
}

impl Bench {
    /// Every name has these addresses.
    fn new(addresses: Vec<SocketAddr>) -> Self {
        let settings = resolve::settings(PartialConfig::of("one:9092")).unwrap();
        let never = Box::new(|_: &Arc<Shared>| Err(std::io::Error::other("not in this test")));
        let shared = Shared::new(settings, Clock::default(), never);
        let net = Net::default();
        let resolve: Resolve = Arc::new(move |_| Ok(addresses.clone()));
        Self {
            connections: Connections::new(shared, net.clone(), resolve),
            net,
            jobs: Arc::default(),
            now: Instant::now(),
            out: Vec::new(),
        }
    }

    /// Begins a connection; whether that leads to a look-up is seen by the jobs.
    fn begin(&mut self, id: u64) {
        let address = Address {
            host: "name".into(),
            port: 9092,
        };
        let pool: Arc<dyn Pool> = self.jobs.clone();
        let mut after = After::default();
        let id = ConnectionId(id);
        self.connections
            .connect(id, &address, (&pool, &mut after), self.now, &mut self.out);
        after.carry_out();
    }

    /// Runs all look-ups, and takes what they found.
    fn look_up(&mut self) -> usize {
        let jobs = std::mem::take(&mut *self.jobs.0.lock().unwrap());
        let count = jobs.len();
        for job in jobs {
            job(&mut Compressor::new());
        }
        self.connections.take_results(self.now, &mut self.out);
        count
    }

    /// Lets the next thing happen that time brings.
    fn go_on(&mut self) {
        self.now = self.connections.next_wake().expect("something is due");
        let pool: Arc<dyn Pool> = self.jobs.clone();
        let mut after = After::default();
        self.connections
            .poll_attempts((&pool, &mut after), self.now, &mut self.out);
        after.carry_out();
    }

    /// Something is told of a socket: how many frames came.
    fn tell(&mut self, token: usize, ending: bool) -> usize {
        let event = SocketEvent {
            token,
            readable: true,
            writable: true,
            ending,
        };
        let mut frames = 0;
        self.connections
            .handle_event(event, self.now, |_, _| frames += 1, &mut self.out);
        frames
    }

    fn has_connected(&mut self, id: u64) -> bool {
        let connected =
            |event: &ConnectionEvent| matches!(event, ConnectionEvent::Connected(of) if of.0 == id);
        std::mem::take(&mut self.out).iter().any(connected)
    }
}

/// An answer of four bytes.
const FRAME: [u8; 8] = [0, 0, 0, 4, 0, 0, 0, 1];

#[test]
fn at_the_next_attempt_the_address_that_answered_last_comes_first() {
    let mut bench = Bench::new(vec![v4(1), v4(2)]);
    bench.net.answer(v4(2), true);
    bench.begin(0);
    bench.look_up();
    assert!(!bench.has_connected(0));
    bench.go_on();
    assert!(bench.has_connected(0), "the silent one cost a moment");
    assert_eq!(bench.net.take_tried(), [v4(1), v4(2)]);
    bench.net.say(&FRAME);
    let token = bench.net.token(v4(2));
    assert_eq!(bench.tell(token, false), 1);
    bench.connections.disconnect(ConnectionId(0));
    bench.begin(1);
    bench.look_up();
    assert!(bench.has_connected(1), "at once");
    assert_eq!(bench.net.take_tried(), [v4(2)]);
}

#[test]
fn one_that_opens_and_says_nothing_comes_last_the_next_time() {
    let mut bench = Bench::new(vec![v4(1), v4(2)]);
    bench.net.answer(v4(1), true);
    bench.net.answer(v4(2), true);
    bench.begin(0);
    bench.look_up();
    assert_eq!(bench.net.take_tried(), [v4(1)]);
    bench.connections.disconnect(ConnectionId(0));
    bench.begin(1);
    bench.look_up();
    assert_eq!(bench.net.take_tried(), [v4(2)]);
}

#[test]
fn what_is_told_of_a_socket_that_lost_says_nothing_of_the_winner() {
    let mut bench = Bench::new(vec![v4(1), v4(2)]);
    bench.begin(0);
    bench.look_up();
    bench.go_on();
    bench.net.answer(v4(1), true);
    let (winner, loser) = (bench.net.token(v4(1)), bench.net.token(v4(2)));
    // It is the loser's event by which the winner is found to be open.
    bench.tell(loser, true);
    assert!(bench.has_connected(0));
    assert_eq!(bench.net.held(), [v4(1)], "the loser is closed");
    bench.net.say(&FRAME);
    assert_eq!(bench.tell(loser, true), 0);
    assert_eq!(bench.tell(winner, false), 1);
}

#[test]
fn a_look_up_that_outlived_its_connection_serves_the_next_one() {
    let mut bench = Bench::new(vec![v4(1)]);
    bench.net.answer(v4(1), true);
    bench.begin(0);
    bench.connections.disconnect(ConnectionId(0));
    bench.now += Duration::from_secs(11);
    bench.begin(1);
    assert_eq!(bench.look_up(), 1, "one job for both");
    assert!(bench.has_connected(1));
    assert_eq!(bench.net.take_tried(), [v4(1)], "nothing for the first");
    // Also where nobody waited when it came.
    bench.begin(2);
    bench.connections.disconnect(ConnectionId(2));
    bench.look_up();
    bench.begin(3);
    assert!(bench.has_connected(3));
}

#[test]
fn a_look_up_that_panics_is_a_failed_attempt() {
    let mut bench = Bench::new(vec![v4(1)]);
    bench.begin(0);
    // The pool contains the panic, and drops the job.
    bench.jobs.0.lock().unwrap().clear();
    bench.look_up();
    let failed = |event: &ConnectionEvent| matches!(event, ConnectionEvent::ConnectFailed(..));
    assert!(bench.out.iter().any(failed), "{:?}", bench.out);
}
