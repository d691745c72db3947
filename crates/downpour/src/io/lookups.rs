//! Who waits for a name to be resolved, or for a connector: what is begun when, and who gets the result.
//!
//! Nothing blocks here; the work itself is `opening`. One look-up serves all who want the same host, a
//! result that comes late serves whoever wants it then, and what nobody wants any more is not begun.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use downpour_core::client::connect_error::ConnectFailure;
use downpour_core::config::Address;
use downpour_core::ids::ConnectionId;

use crate::io::opening::{LookupId, Opened};
use crate::io::pool::BLOCKED_MAX;

/// One that takes so many connect timeouts is not waited for: another may be begun.
const LOST_AFTER: u32 = 2;
/// How long a result is kept that came when nobody waited for it.
const KEPT_FOR: Duration = Duration::from_secs(30);
/// Results that are kept.
const KEPT_MAX: usize = 64;

/// What was found, and the connection that it is for.
pub(super) type Found = (ConnectionId, Result<Opened, ConnectFailure>);

/// All look-ups of a producer.
#[derive(Debug)]
pub(super) struct Lookups {
    /// The oldest first.
    waiting: BTreeMap<ConnectionId, Address>,
    running: BTreeMap<LookupId, (Address, Instant)>,
    next: LookupId,
    kept: BTreeMap<Address, (Instant, Opened)>,
    /// Whether a result is good for every port of a host. A connector's is for one address.
    by_host: bool,
    lost_after: Duration,
}

impl Lookups {
    pub(super) fn new(by_host: bool, connect_timeout: Duration) -> Self {
        Self {
            waiting: BTreeMap::new(),
            running: BTreeMap::new(),
            next: 0,
            kept: BTreeMap::new(),
            by_host,
            lost_after: connect_timeout.saturating_mul(LOST_AFTER),
        }
    }

    /// What two have to have in common to be served by one look-up.
    fn key(&self, address: &Address) -> Address {
        Address {
            host: address.host.clone(),
            port: if self.by_host { 0 } else { address.port },
        }
    }

    /// A connection wants this address: a result that came too late for another, if there is one.
    /// Otherwise it waits.
    pub(super) fn want(
        &mut self,
        connection_id: ConnectionId,
        address: &Address,
        now: Instant,
    ) -> Option<Opened> {
        if let Some((at, opened)) = self.kept.remove(&self.key(address)) {
            if now < at + KEPT_FOR {
                return Some(opened.at_port(address.port));
            }
        }
        self.waiting.insert(connection_id, address.clone());
        None
    }

    /// A connection was given up.
    pub(super) fn forget(&mut self, connection_id: ConnectionId) {
        self.waiting.remove(&connection_id);
    }

    /// The next look-up that is to be begun, if there is one.
    pub(super) fn begin(&mut self, now: Instant) -> Option<(LookupId, Address)> {
        if self.waiting.is_empty() {
            return None;
        }
        let lost_after = self.lost_after;
        self.running
            .retain(|_, (_, began)| now < *began + lost_after);
        if self.running.len() >= BLOCKED_MAX {
            return None;
        }
        let mut waiting = self.waiting.values();
        let due = waiting.find(|address| !self.is_running(&self.key(address)))?;
        let (id, address) = (self.next, due.clone());
        self.next += 1;
        self.running.insert(id, (self.key(&address), now));
        Some((id, address))
    }

    fn is_running(&self, key: &Address) -> bool {
        self.running.values().any(|(running, _)| running == key)
    }

    /// When one is due to be begun though nothing happens: what it waits for is lost then.
    pub(super) fn next_wake(&self) -> Option<Instant> {
        if self.waiting.is_empty() {
            return None;
        }
        let running = self.running.values();
        running.map(|(_, began)| *began + self.lost_after).min()
    }

    /// A look-up came to an end: what each connection gets that waits for it.
    pub(super) fn handle_done(
        &mut self,
        id: LookupId,
        address: &Address,
        result: Result<Opened, ConnectFailure>,
        now: Instant,
    ) -> Vec<Found> {
        let key = self.key(address);
        let was_lost = self.running.remove(&id).is_none();
        let waits = |(_, wanted): &(&ConnectionId, &Address)| self.key(wanted) == key;
        let waiting: Vec<(ConnectionId, u16)> = self
            .waiting
            .iter()
            .filter(waits)
            .map(|(&connection_id, wanted)| (connection_id, wanted.port))
            .collect();
        let mut found = Vec::new();
        match result {
            // Another one was begun in its place, or will be.
            Err(_) if was_lost => {}
            Err(failure) => {
                found.extend(waiting.iter().map(|(id, _)| (*id, Err(failure.clone()))));
            }
            Ok(Opened::Resolved(addresses)) if !waiting.is_empty() => {
                for &(connection_id, port) in &waiting {
                    let opened = Opened::Resolved(addresses.clone()).at_port(port);
                    found.push((connection_id, Ok(opened)));
                }
            }
            Ok(opened) => match waiting.first() {
                Some(&(connection_id, _)) => found.push((connection_id, Ok(opened))),
                None => self.keep(key, opened, now),
            },
        }
        for (connection_id, _) in &found {
            self.waiting.remove(connection_id);
        }
        found
    }

    fn keep(&mut self, key: Address, opened: Opened, now: Instant) {
        self.kept.retain(|_, (at, _)| now < *at + KEPT_FOR);
        if self.kept.len() < KEPT_MAX {
            self.kept.insert(key, (now, opened));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;
    use std::sync::Arc;

    use downpour_core::client::connect_error::ConnectErrorKind;

    use super::*;

    const PATIENCE: Duration = Duration::from_secs(10);

    fn address(host: &str, port: u16) -> Address {
        Address {
            host: Arc::from(host),
            port,
        }
    }

    fn resolved() -> Result<Opened, ConnectFailure> {
        Ok(Opened::Resolved(vec![([10, 0, 0, 1], 1).into()]))
    }

    /// The port of each connection that was served.
    fn ports(found: Vec<Found>) -> Vec<(u64, u16)> {
        let served = found.into_iter().map(|(id, result)| match result {
            Ok(Opened::Resolved(addresses)) => (id.0, addresses[0].port()),
            other => panic!("{other:?}"),
        });
        served.collect()
    }

    fn lookups() -> (Lookups, Instant) {
        (Lookups::new(true, PATIENCE), Instant::now())
    }

    #[test]
    fn one_look_up_serves_all_who_want_the_host_each_at_its_port() {
        let (mut lookups, now) = lookups();
        for (id, port) in [(0, 9092), (1, 9093)] {
            let wanted = lookups.want(ConnectionId(id), &address("a", port), now);
            assert!(wanted.is_none());
        }
        let (id, begun) = lookups.begin(now).unwrap();
        assert_eq!(begun, address("a", 9092));
        assert!(lookups.begin(now).is_none(), "it serves both");
        let found = lookups.handle_done(id, &begun, resolved(), now);
        assert_eq!(ports(found), [(0, 9092), (1, 9093)]);
        assert!(lookups.begin(now).is_none(), "nobody waits");
    }

    #[test]
    fn a_late_result_serves_who_wants_the_host_then_once() {
        let (mut lookups, now) = lookups();
        let host = address("slow", 9092);
        lookups.want(ConnectionId(0), &host, now);
        let (id, begun) = lookups.begin(now).unwrap();
        lookups.forget(ConnectionId(0));
        // Tried again while the same look-up goes on.
        lookups.want(ConnectionId(1), &host, now + PATIENCE);
        assert!(lookups.begin(now + PATIENCE).is_none());
        lookups.forget(ConnectionId(1));
        let done = now + 2 * PATIENCE;
        let found = lookups.handle_done(id, &begun, resolved(), done);
        assert!(ports(found).is_empty());
        let late = lookups.want(ConnectionId(2), &host, done);
        let late = late.map(|opened| ports(vec![(ConnectionId(2), Ok(opened))]));
        assert_eq!(late, Some(vec![(2, 9092)]));
        assert!(lookups.want(ConnectionId(3), &host, done).is_none());
        // What is kept for too long is of no use.
        let (id, begun) = lookups.begin(done).unwrap();
        lookups.forget(ConnectionId(3));
        assert!(lookups.handle_done(id, &begun, resolved(), done).is_empty());
        let later = done + KEPT_FOR;
        assert!(lookups.want(ConnectionId(4), &host, later).is_none());
    }

    #[test]
    fn so_many_run_beside_each_other_and_what_nobody_wants_any_more_is_not_begun() {
        let (mut lookups, now) = lookups();
        for id in 0..20 {
            let host = address(&format!("host-{id}"), 9092);
            lookups.want(ConnectionId(id), &host, now);
        }
        let begun: Vec<_> = std::iter::from_fn(|| lookups.begin(now)).collect();
        assert_eq!(begun.len(), BLOCKED_MAX);
        for id in 8..19 {
            lookups.forget(ConnectionId(id));
        }
        lookups.handle_done(begun[0].0, &begun[0].1, resolved(), now);
        let next = lookups.begin(now).map(|(_, address)| address);
        assert_eq!(next, Some(address("host-19", 9092)));
    }

    #[test]
    fn one_that_never_comes_back_is_begun_again_and_its_failure_then_says_nothing() {
        let (mut lookups, now) = lookups();
        let host = address("a", 9092);
        lookups.want(ConnectionId(0), &host, now);
        let (lost, _) = lookups.begin(now).unwrap();
        let at = lookups.next_wake().unwrap();
        assert_eq!(at, now + LOST_AFTER * PATIENCE);
        let (second, _) = lookups.begin(at).unwrap();
        let failure = || Err(ConnectFailure::new(ConnectErrorKind::Resolve, "none"));
        assert!(lookups.handle_done(lost, &host, failure(), at).is_empty());
        let found = lookups.handle_done(second, &host, failure(), at);
        assert!(matches!(&*found, [(ConnectionId(0), Err(_))]), "{found:?}");
    }

    #[test]
    #[cfg(unix)]
    fn what_a_connector_opened_is_for_one_connection() {
        let mut lookups = Lookups::new(false, PATIENCE);
        let now = Instant::now();
        let host = address("a", 9092);
        for id in 0..2 {
            lookups.want(ConnectionId(id), &host, now);
        }
        lookups.want(ConnectionId(2), &address("a", 9093), now);
        let begun: Vec<_> = std::iter::from_fn(|| lookups.begin(now)).collect();
        assert_eq!(begun.len(), 2, "one per address");
        let (stream, _peer) = std::os::unix::net::UnixStream::pair().unwrap();
        let found = lookups.handle_done(begun[0].0, &host, Ok(Opened::Stream(stream)), now);
        assert!(matches!(&*found, [(ConnectionId(0), Ok(_))]), "{found:?}");
        assert!(lookups.begin(now).is_some(), "the other needs its own");
    }

    #[test]
    fn a_port_is_put_into_every_address() {
        let found: Vec<SocketAddr> = vec![([10, 0, 0, 1], 1).into(), ([10, 0, 0, 2], 1).into()];
        let Opened::Resolved(found) = Opened::Resolved(found).at_port(9094) else {
            unreachable!()
        };
        assert!(found.iter().all(|address| address.port() == 9094));
    }
}
