//! All connections of a client: which are open, which may be opened when, where a question goes.
//!
//! *Invariant:* a broker has one connection at most. Nothing is opened here: what is due is told,
//! and the caller says so to its shell. One connection's course is in `connection`.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use downpour_wire::messages::ApiKey;

use crate::client::bootstrap::Bootstrap;
use crate::client::connect_error::ConnectError;
use crate::client::connection::Connection;
use crate::client::ending::{DisconnectReason, Ending};
use crate::client::notice::{Notice, Notices};
use crate::client::versions::{Features, Versions};
use crate::config::{Address, Config};
use crate::ids::ConnectionId;
use crate::mutants;
use crate::rng::Rng;

/// Connections, and how reaching each broker went so far. `P` is what a request was for.
#[derive(Debug)]
pub(crate) struct Connections<P> {
    open: BTreeMap<ConnectionId, Connection<P>>,
    next: u64,
    peers: BTreeMap<i32, Peer>,
    bootstrap: Bootstrap,
    features: Features,
    /// Addresses in trouble, from the first failure to the next answer. That a connection can be used
    /// ends nothing: some can, and are closed at the first question.
    notices: Notices<Address>,
    /// Addresses that could be used before, so many at most.
    worked: BTreeSet<Address>,
}

/// Addresses that are remembered to have worked.
const WORKED_MAX: usize = 1024;
/// A connection that cannot be used after this is not waited for alone: another address is tried beside
/// it. One that accepts and says nothing would otherwise keep all waiting for a connect timeout.
const BESIDE_AFTER: Duration = Duration::from_millis(500);

/// A broker that was tried.
#[derive(Debug, Default)]
struct Peer {
    /// Set while a connection is open or being opened.
    connection: Option<ConnectionId>,
    /// Connections in a row that ended before they could be used; one that can sets this back.
    failures: u32,
    /// The same with those that could be used and ended before anything was answered: the backoff
    /// grows with them. A broker that lets everybody in and closes would else be knocked at for ever
    /// as fast as the first backoff allows.
    fruitless: u32,
    /// Why the last of them did, until one can be used.
    failure: Option<ConnectError>,
    retry_at: Option<Instant>,
}

/// Where to find somebody to ask when nothing is connected.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Entrance {
    /// At this broker, which is known and not known to fail.
    Broker(i32),
    /// At this address that the user gave.
    Bootstrap {
        address: Address,
        /// The known brokers were tried before, all in vain (KIP-899).
        is_again: bool,
    },
    /// Nowhere before a backoff ends.
    Later,
}

impl<P> Connections<P> {
    /// None yet. `first` says which of the user's addresses comes first.
    pub(crate) fn new(first: usize) -> Self {
        Self {
            open: BTreeMap::new(),
            next: 0,
            peers: BTreeMap::new(),
            bootstrap: Bootstrap {
                next: first,
                ..Bootstrap::default()
            },
            features: Features::default(),
            notices: Notices::default(),
            worked: BTreeSet::new(),
        }
    }

    pub(crate) fn get(&self, id: ConnectionId) -> Option<&Connection<P>> {
        self.open.get(&id)
    }

    pub(crate) fn get_mut(&mut self, id: ConnectionId) -> Option<&mut Connection<P>> {
        self.open.get_mut(&id)
    }

    /// All of them, the oldest first.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Connection<P>> {
        self.open.values()
    }

    /// The connection to a broker, usable or not.
    pub(crate) fn to(&self, broker: i32) -> Option<&Connection<P>> {
        let id = self.peers.get(&broker)?.connection?;
        self.open.get(&id)
    }

    /// What the cluster has agreed on, as the newest broker told it.
    #[expect(dead_code, reason = "asked for by transactions (KIP-890)")]
    pub(crate) fn features(&self) -> &Features {
        &self.features
    }

    /// Whether a connection to a broker may be opened now: there is none, and no backoff.
    pub(crate) fn may_open(&self, broker: i32, now: Instant) -> bool {
        self.peers.get(&broker).is_none_or(|peer| {
            let is_given_up = mutants::is(40) && peer.failures > 2;
            peer.connection.is_none() && !is_given_up && peer.retry_at.is_none_or(|at| at <= now)
        })
    }

    /// Notes a connection that is being opened: its name from now on.
    pub(crate) fn add(
        &mut self,
        address: Address,
        broker: Option<i32>,
        now: Instant,
    ) -> ConnectionId {
        let id = ConnectionId(self.next);
        self.next += 1;
        if let Some(broker) = broker {
            self.peers.entry(broker).or_default().connection = Some(id);
        }
        let connection = Connection::new(id, address, broker, now);
        self.open.insert(id, connection);
        id
    }

    /// Where to begin when there is no connection to ask on; `None` if there is one. `known` are
    /// the brokers that metadata named.
    pub(crate) fn entrance(
        &mut self,
        known: impl Iterator<Item = i32>,
        addresses: &[Address],
        now: Instant,
    ) -> Option<Entrance> {
        if self.beside_at().is_none_or(|at| at > now) && !self.open.is_empty() {
            return None;
        }
        let (mut any, mut all_fail) = (false, true);
        for broker in known {
            any = true;
            let peer = self.peers.get(&broker);
            if peer.is_some_and(|peer| peer.failures > 0) {
                continue;
            }
            if peer.is_none_or(|peer| peer.connection.is_none()) {
                return Some(Entrance::Broker(broker));
            }
            all_fail = false;
        }
        if self.bootstrap.retry_at.is_some_and(|at| at > now) {
            return Some(Entrance::Later);
        }
        // Whose turn it is, of those that are not being tried.
        let tried: Vec<&Address> = self.open.values().map(Connection::address).collect();
        let from = self.bootstrap.next % addresses.len().max(1);
        let turns = (from..from + addresses.len()).map(|at| at % addresses.len());
        let at = turns
            .into_iter()
            .find(|&at| !tried.contains(&&addresses[at]))?;
        let address = &addresses[at];
        self.bootstrap.next = at.wrapping_add(1);
        let is_again = any && all_fail && !std::mem::replace(&mut self.bootstrap.again, true);
        Some(Entrance::Bootstrap {
            address: address.clone(),
            is_again,
        })
    }

    /// When another address may be tried beside those that are being tried; `None` while none is, or
    /// while one can be used.
    fn beside_at(&self) -> Option<Instant> {
        let mut newest = None;
        for connection in self.open.values() {
            newest = newest.max(Some(connection.opening_since()?));
        }
        Some(newest? + BESIDE_AFTER)
    }

    /// The versions of a connection are chosen; whether that led it to another stage.
    pub(crate) fn handle_versions(&mut self, id: ConnectionId, versions: Versions) -> bool {
        self.features.merge(versions.features());
        let connection = self.open.get_mut(&id);
        connection.is_some_and(|connection| connection.handle_versions(versions))
    }

    /// A connection is set up: to reach whom it leads to has not failed any more. Whether that is
    /// worth a line.
    pub(crate) fn handle_usable(&mut self, id: ConnectionId) -> Notice {
        let address = self.open.get(&id).map(Connection::address);
        let is_in_trouble = address.is_some_and(|address| self.notices.has(address));
        if let Some(address) = address.filter(|_| self.worked.len() < WORKED_MAX) {
            self.worked.insert(address.clone());
        }
        if let Some(broker) = self.open.get(&id).and_then(Connection::broker) {
            let peer = self.peers.entry(broker).or_default();
            *peer = Peer {
                connection: Some(id),
                fruitless: peer.fruitless,
                ..Peer::default()
            };
        }
        match is_in_trouble {
            true => Notice::Quiet,
            false => Notice::New,
        }
    }

    /// Whether a connection to this address could be used before.
    pub(crate) fn has_worked(&self, address: &Address) -> bool {
        self.worked.contains(address)
    }

    /// A connection ended, or could not be set up; whether that is worth a line.
    pub(crate) fn note_end(
        &mut self,
        address: &Address,
        ended: &Result<DisconnectReason, ConnectError>,
        now: Instant,
    ) -> Notice {
        match ended {
            // Nobody misses it.
            Ok(DisconnectReason::Idle(_)) => Notice::New,
            Ok(_) => self.notices.note(address, u8::MAX, now),
            Err(error) => self.notices.note(address, error.kind() as u8, now),
        }
    }

    /// A question was answered on a connection. If its address was in trouble: where, how long, and
    /// how many attempts that took.
    pub(crate) fn handle_answered(
        &mut self,
        id: ConnectionId,
        now: Instant,
    ) -> Option<(Address, Duration, u32)> {
        if self.notices.is_empty() {
            return None;
        }
        let address = self.open.get(&id)?.address();
        let (lasted, times) = self.notices.end(address, now)?;
        Some((address.clone(), lasted, times))
    }

    /// Somebody answered who knows the cluster.
    pub(crate) fn handle_cluster_known(&mut self) {
        self.bootstrap.again = false;
    }

    /// Takes a connection out that has ended, and the backoff before its broker, or the next of the
    /// user's addresses, is tried again.
    pub(crate) fn remove(
        &mut self,
        id: ConnectionId,
        config: &Config,
        rng: &mut Rng,
        now: Instant,
    ) -> Option<(Connection<P>, Duration)> {
        let connection = self.open.remove(&id)?;
        let limits = config.reconnect_backoff;
        let failed = u32::from(connection.has_failed());
        let was_fruitless = connection.was_fruitless(limits.1, now);
        let count = |before: u32| {
            if was_fruitless {
                before.saturating_add(1)
            } else {
                0
            }
        };
        let backoff = match connection.broker() {
            Some(broker) => {
                let peer = self.peers.entry(broker).or_default();
                peer.connection = None;
                peer.failures += failed;
                peer.fruitless = count(peer.fruitless);
                let backoff = rng.backoff(limits, peer.fruitless);
                peer.retry_at = Some(mutants::pick(38, now, now + backoff));
                backoff
            }
            None => {
                self.bootstrap.fruitless = count(self.bootstrap.fruitless);
                // Each address is tried before the first one's turn comes again.
                let turns = self.bootstrap.fruitless / config.bootstrap.len().max(1) as u32;
                let backoff = rng.backoff(limits, turns);
                self.bootstrap.retry_at = Some(now + backoff);
                backoff
            }
        };
        Some((connection, backoff))
    }

    /// Another cluster than the one that is known answers on a connection: it ends, as one that led
    /// nowhere.
    pub(crate) fn handle_stray(&mut self, id: ConnectionId) {
        if let Some(connection) = self.open.get_mut(&id) {
            connection.handle_stray();
        }
    }

    /// The brokers are others from now on: nothing that was learnt of the former ones holds. None of
    /// them has a connection any more.
    pub(crate) fn forget_peers(&mut self) {
        self.peers.clear();
    }

    /// A broker could not be reached.
    pub(crate) fn handle_unreachable(&mut self, broker: i32, error: ConnectError) {
        self.peers.entry(broker).or_default().failure = Some(error);
    }

    /// The brokers that could not be reached when they were tried last, and why.
    pub(crate) fn unreachable(&self) -> impl Iterator<Item = (i32, &ConnectError)> {
        let peers = self.peers.iter();
        peers.filter_map(|(&broker, peer)| Some((broker, peer.failure.as_ref()?)))
    }

    /// Takes the bootstrap connections out that have done their work, which they have once a
    /// broker's own connection is usable.
    pub(crate) fn take_done(&mut self) -> Vec<ConnectionId> {
        let is_own = |c: &Connection<P>| c.broker().is_some() && c.is_usable();
        let is_done = |c: &&Connection<P>| c.broker().is_none() && c.is_usable() && c.is_quiet();
        let done = self.open.values().filter(is_done).map(Connection::id);
        let done: Vec<ConnectionId> = done.collect();
        if done.is_empty() || !self.open.values().any(is_own) {
            return Vec::new();
        }
        self.bootstrap.fruitless = 0;
        self.open.retain(|id, _| !done.contains(id));
        done
    }

    /// Takes all of them out; nobody is tried again.
    pub(crate) fn take_all(&mut self) -> Vec<ConnectionId> {
        self.peers.clear();
        std::mem::take(&mut self.open).into_keys().collect()
    }

    /// Where a question goes that any broker can answer, and the version to use: the connection with
    /// the fewest requests on it, but another one than the last time, if there is one.
    ///
    /// A broker that is cut off from the others loses its leaderships. It carries nothing then, and
    /// would always be asked, and what it knows is as old as its loss.
    pub(crate) fn whom_to_ask(
        &self,
        key: ApiKey,
        last: Option<ConnectionId>,
        now: Instant,
    ) -> Option<(ConnectionId, i16)> {
        let usable = self.open.values().filter(|c| c.takes_requests(now));
        let speaking = usable.filter_map(|c| Some((c, c.version_of(key)?)));
        let (connection, version) = speaking.min_by_key(|(c, _)| {
            let id = Some(c.id());
            (id == last, c.unanswered(), c.broker().is_none(), id <= last)
        })?;
        Some((connection.id(), version))
    }

    /// A usable connection to a broker that knows a request, and the version to use.
    pub(crate) fn who_speaks(&self, key: ApiKey) -> Option<(ConnectionId, i16)> {
        self.open
            .values()
            .filter_map(|c| Some((c.id(), c.version_of(key)?)))
            .next()
    }

    /// A connection that got no further in time or carried nothing for too long, and why.
    pub(crate) fn first_late(
        &self,
        config: &Config,
        now: Instant,
    ) -> Option<(ConnectionId, Ending)> {
        self.open.values().find_map(|connection| {
            let ending = connection.is_late(config, now)?;
            Some((connection.id(), ending))
        })
    }

    /// When something about a connection, or about opening one, is due next after `now`.
    /// `is_needed` tells, where none is open, whether somebody has to be asked.
    pub(crate) fn next_wake(
        &self,
        config: &Config,
        now: Instant,
        is_needed: impl FnOnce() -> bool,
    ) -> Option<Instant> {
        let mut wake: Option<Instant> = None;
        let mut consider = |at: Option<Instant>| {
            if let Some(at) = at.filter(|&at| at > now) {
                wake = Some(wake.map_or(at, |wake| wake.min(at)));
            }
        };
        for connection in self.open.values() {
            consider(connection.deadline(config.connect_timeout, config.request_timeout));
            consider(connection.idle_at(config.idle_timeout));
            consider(connection.throttled_until());
        }
        let beside_at = self.beside_at();
        if (self.open.is_empty() || beside_at.is_some()) && is_needed() {
            consider(beside_at);
            let peers = self.peers.values().map(|peer| peer.retry_at);
            peers.chain([self.bootstrap.retry_at]).for_each(consider);
        }
        wake
    }

    /// Metadata was taken in: connections to where a broker is no longer are left, once nothing is
    /// waited for on them. Whoever listens there may say for ever that it leads no partition.
    pub(crate) fn leave_moved(&mut self, brokers: &BTreeMap<i32, Address>) {
        for connection in self.open.values_mut() {
            let address = connection.broker().and_then(|id| brokers.get(&id));
            let is_elsewhere = address.is_some_and(|address| address != connection.address());
            connection.set_left_behind(is_elsewhere);
        }
    }

    /// Forgets how it went with brokers that are not known any more, unless one is connected, or is
    /// not to be tried again yet: each answer of a hostile one could name others, and one that comes
    /// and goes in what others say would be tried without a backoff.
    pub(crate) fn forget_others(&mut self, is_known: impl Fn(i32) -> bool, now: Instant) {
        self.peers.retain(|&broker, peer| {
            let is_early = peer.retry_at.is_some_and(|at| at > now);
            peer.connection.is_some() || is_early || is_known(broker)
        });
    }

    /// When a broker may be tried again, if that is not now.
    pub(crate) fn retry_at(&self, broker: i32) -> Option<Instant> {
        self.peers.get(&broker)?.retry_at
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use downpour_wire::messages::{ApiVersion, ApiVersionsResponse};

    use super::*;
    use crate::client::connect_error::{ConnectErrorKind, ConnectFailure};
    use crate::client::versions::Versions;

    fn address(host: &str) -> Address {
        Address {
            host: Arc::from(host),
            port: 9092,
        }
    }

    struct Bench {
        connections: Connections<()>,
        config: Config,
        rng: Rng,
        now: Instant,
    }

    impl Bench {
        fn new() -> Self {
            Self {
                connections: Connections::new(0),
                config: Config::new(vec![address("one"), address("two")]),
                rng: Rng::new(1),
                now: Instant::now(),
            }
        }

        fn entrance(&mut self, known: &[i32]) -> Option<Entrance> {
            let known = known.iter().copied();
            self.connections
                .entrance(known, &self.config.bootstrap, self.now)
        }

        /// Who is asked for metadata, four times in a row.
        fn turns(&self) -> Vec<ConnectionId> {
            let mut last = None;
            let asked = (0..4).map(|_| {
                let asked = self
                    .connections
                    .whom_to_ask(ApiKey::Metadata, last, self.now);
                last = asked.map(|(id, _)| id);
                last.unwrap()
            });
            asked.collect()
        }

        /// A connection that can be used.
        fn open(&mut self, broker: Option<i32>) -> ConnectionId {
            let mut response = ApiVersionsResponse::default();
            response.api_keys.push(ApiVersion {
                api_key: ApiKey::Metadata as i16,
                min_version: 0,
                max_version: 9,
            });
            let versions = Versions::choose(&response, &[]).unwrap();
            let id = self.connections.add(address("b"), broker, self.now);
            self.connections.get_mut(id).unwrap().handle_connected();
            self.connections.handle_versions(id, versions);
            self.connections.handle_usable(id);
            id
        }

        /// A question is answered on it.
        fn answer(&mut self, id: ConnectionId) {
            let connection = self.connections.get_mut(id).unwrap();
            connection.handle_request((ApiKey::Metadata, 4), 10, true, (), self.now);
            connection.handle_frame(&[0; 4], self.now).unwrap();
        }

        fn fail(&mut self, id: ConnectionId) -> Duration {
            let (_, backoff) = self
                .connections
                .remove(id, &self.config, &mut self.rng, self.now)
                .unwrap();
            backoff
        }
    }

    #[test]
    fn a_broker_has_one_connection_and_is_not_tried_within_its_backoff() {
        let mut bench = Bench::new();
        assert!(bench.connections.may_open(1, bench.now));
        let id = bench.connections.add(address("b"), Some(1), bench.now);
        assert!(!bench.connections.may_open(1, bench.now));
        let backoff = bench.fail(id);
        assert!(!bench.connections.may_open(1, bench.now));
        assert!(bench.connections.may_open(1, bench.now + backoff));
        assert!(bench.connections.may_open(2, bench.now));
    }

    #[test]
    fn brokers_that_fail_are_passed_over_and_then_the_user_s_addresses_come_in_turn() {
        let mut bench = Bench::new();
        assert_eq!(bench.entrance(&[1, 2]), Some(Entrance::Broker(1)));
        for broker in [1, 2] {
            let id = bench.connections.add(address("b"), Some(broker), bench.now);
            assert_eq!(bench.entrance(&[1, 2]), None, "one is being opened");
            bench.fail(id);
        }
        for (host, is_again) in [("one", true), ("two", false), ("one", false)] {
            let found = bench.entrance(&[1, 2]);
            let expected = Entrance::Bootstrap {
                address: address(host),
                is_again,
            };
            assert_eq!(found, Some(expected));
            let id = bench.connections.add(address(host), None, bench.now);
            let backoff = bench.fail(id);
            assert_eq!(bench.entrance(&[1, 2]), Some(Entrance::Later));
            bench.now += backoff;
        }
    }

    #[test]
    fn brokers_that_are_named_no_more_are_forgotten_once_they_may_be_tried_again() {
        let mut bench = Bench::new();
        let failure = ConnectFailure::new(ConnectErrorKind::Resolve, "no such port");
        for broker in 0..1000 {
            let error = ConnectError::new(address("b"), failure.clone());
            bench.connections.handle_unreachable(broker, error);
        }
        let tried = bench.connections.add(address("b"), Some(5), bench.now);
        let open = bench.connections.add(address("c"), Some(6), bench.now);
        let backoff = bench.fail(tried);
        bench
            .connections
            .forget_others(|broker| broker == 7, bench.now);
        let left: Vec<i32> = bench.connections.peers.keys().copied().collect();
        assert_eq!(left, [5, 6, 7]);
        bench.fail(open);
        let later = bench.now + 10 * backoff;
        bench.connections.forget_others(|_| false, later);
        assert!(bench.connections.peers.is_empty());
    }

    #[test]
    fn a_broker_that_lets_in_and_closes_is_tried_ever_more_rarely_until_it_answers() {
        let mut bench = Bench::new();
        for broker in [Some(1), None] {
            let mut end = |answers: bool, lives_ms: u64| {
                let id = bench.open(broker);
                if answers {
                    bench.answer(id);
                }
                bench.now += Duration::from_millis(lives_ms);
                bench.fail(id)
            };
            let pauses: Vec<Duration> = (0..8).map(|_| end(false, 1)).collect();
            assert!(pauses[7] > 4 * pauses[0], "{pauses:?}");
            assert!(end(true, 1) < 2 * pauses[0], "it is of use");
            assert!(end(false, 60_000) < 2 * pauses[0], "it lived for long");
        }
    }

    #[test]
    fn who_carries_nothing_is_not_asked_twice_in_a_row() {
        let mut bench = Bench::new();
        let mut response = ApiVersionsResponse::default();
        response.api_keys.push(ApiVersion {
            api_key: ApiKey::Metadata as i16,
            min_version: 0,
            max_version: 9,
        });
        let versions = Versions::choose(&response, &[]).unwrap();
        let mut open = |broker| {
            let id = bench.connections.add(address("b"), Some(broker), bench.now);
            let connection = bench.connections.get_mut(id).unwrap();
            connection.handle_connected();
            connection.handle_versions(versions.clone());
            id
        };
        let (idle, busy, other) = (open(1), open(2), open(3));
        for id in [busy, other] {
            let connection = bench.connections.get_mut(id).unwrap();
            connection.handle_request((ApiKey::Produce, 8), 10, true, (), bench.now);
        }
        assert_eq!(bench.turns(), [idle, busy, idle, busy]);
        // All alike: each has its turn.
        for id in [busy, other] {
            let connection = bench.connections.get_mut(id).unwrap();
            connection.take_requests().for_each(drop);
        }
        assert_eq!(bench.turns(), [idle, busy, other, idle]);
    }
}
