//! Opening a TCP connection: the addresses that a name resolves to, in a race (RFC 8305).
//!
//! One that says nothing is not waited for alone: the next is tried beside it after a moment, and at
//! once when one fails. The first that opens is kept. Resolving blocks and is done on the pool.

use std::collections::VecDeque;
use std::io;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::time::{Duration, Instant};

use downpour_core::client::connect_error::{ConnectErrorKind, ConnectFailure};
use downpour_core::config::Address;
use downpour_core::time::Readable;

use crate::io::sockets::{Socket, SocketOptions, Sockets};

/// More addresses than this behind one name are not tried in one attempt.
pub(super) const ADDRESSES_MAX: usize = 16;
/// More than this that a resolver tells are not even looked at.
const FOUND_MAX: usize = 256;
/// So many addresses are tried beside each other.
const AT_ONCE_MAX: usize = 4;
/// After so long without a word from one address the next is tried beside it.
const BESIDE_AFTER: Duration = Duration::from_millis(250);

/// The address itself, if the host is a literal: no name to resolve.
pub(super) fn literal(address: &Address) -> Option<SocketAddr> {
    let ip: IpAddr = address.host.parse().ok()?;
    Some(SocketAddr::new(ip, address.port))
}

/// All addresses of a host's name. Blocks.
pub(super) fn resolve(address: &Address) -> io::Result<Vec<SocketAddr>> {
    let found = (&*address.host, address.port).to_socket_addrs()?;
    Ok(found.take(FOUND_MAX).collect())
}

/// What is known of a name from before: the address that opened last, and whether anybody answered
/// there.
#[derive(Debug, Clone, Copy)]
pub(super) struct Known {
    pub(super) address: SocketAddr,
    pub(super) has_answered: bool,
}

/// The order in which addresses are tried: the families in turn, beginning with the one that the
/// resolver prefers, so that one that leads nowhere costs a moment. What answered last comes first,
/// and what opened and then said nothing comes last.
pub(super) fn in_order(found: Vec<SocketAddr>, known: Option<Known>) -> Vec<SocketAddr> {
    let prefers_v6 = found.first().is_some_and(SocketAddr::is_ipv6);
    let (preferred, others): (Vec<_>, Vec<_>) = found
        .into_iter()
        .partition(|address| address.is_ipv6() == prefers_v6);
    let mut others = others.into_iter();
    let mut ordered = Vec::new();
    for address in preferred {
        ordered.push(address);
        ordered.extend(others.next());
    }
    ordered.extend(others);
    if let Some(known) = known {
        let at = ordered.iter().position(|address| *address == known.address);
        if let Some(address) = at.map(|at| ordered.remove(at)) {
            let at = if known.has_answered { 0 } else { ordered.len() };
            ordered.insert(at, address);
        }
    }
    ordered.truncate(ADDRESSES_MAX);
    ordered
}

/// An attempt to connect.
#[derive(Debug)]
pub(super) struct ConnectAttempt<S> {
    left: VecDeque<SocketAddr>,
    /// Those that have not answered, the oldest first.
    trying: Vec<Try<S>>,
    troubles: Troubles,
    /// When the next address gets its turn though those before it may still answer.
    next_at: Instant,
    /// So long after the last.
    beside_after: Duration,
    /// How long one address may keep another waiting while as many are tried as may be.
    each: Duration,
    options: SocketOptions,
    /// Events of each socket have a token of their own: what is told of one that lost says nothing
    /// of the winner.
    next_token: usize,
}

/// An address that is being tried.
#[derive(Debug)]
struct Try<S> {
    address: SocketAddr,
    token: usize,
    since: Instant,
    socket: S,
}

/// What became of it.
#[derive(Debug)]
pub(super) enum ConnectStep<S> {
    Waiting,
    /// At this address, and with this token. The others are closed with the attempt.
    Open(S, SocketAddr, usize),
    /// None of the addresses answered.
    Failed(ConnectFailure),
}

/// What each address said that did not answer.
#[derive(Debug, Default)]
struct Troubles {
    said: Vec<String>,
    /// Of the one that came nearest: somebody who refuses is nearer than nobody who answers, and
    /// that is nearer than no way there.
    nearest: Option<(ConnectErrorKind, Option<io::Error>)>,
}

impl Troubles {
    /// The operating system said no.
    fn refused(&mut self, address: SocketAddr, error: io::Error) {
        let kind = match error.kind() {
            io::ErrorKind::ConnectionRefused => ConnectErrorKind::Refused,
            io::ErrorKind::TimedOut => ConnectErrorKind::TimedOut,
            _ => ConnectErrorKind::Unreachable,
        };
        self.add(address, &error.to_string(), kind, Some(error));
    }

    /// Nobody said anything.
    fn silent(&mut self, address: SocketAddr, within: Duration) {
        let what = format!("no answer in {}", Readable(within));
        self.add(address, &what, ConnectErrorKind::TimedOut, None);
    }

    fn add(
        &mut self,
        address: SocketAddr,
        what: &str,
        kind: ConnectErrorKind,
        error: Option<io::Error>,
    ) {
        self.said.push(format!("{}: {what}", address.ip()));
        let distance = |kind| match kind {
            ConnectErrorKind::Refused => 0,
            ConnectErrorKind::TimedOut => 1,
            _ => 2,
        };
        let nearest = self.nearest.as_ref();
        if nearest.is_none_or(|(nearest, _)| distance(kind) < distance(*nearest)) {
            self.nearest = Some((kind, error));
        }
    }

    fn take(&mut self) -> ConnectFailure {
        let said = std::mem::take(&mut self.said).join(", ");
        match self.nearest.take() {
            Some((kind, Some(error))) => ConnectFailure::new(kind, said).with_source(error),
            Some((kind, None)) => ConnectFailure::new(kind, said),
            None => ConnectFailure::new(ConnectErrorKind::Resolve, "the name has no address"),
        }
    }
}

impl<S: Socket> ConnectAttempt<S> {
    /// Of these addresses in this order, within this time altogether. Its sockets have the tokens
    /// from the first on, one per address. Call [`poll`](Self::poll) next.
    pub(super) fn new(
        addresses: Vec<SocketAddr>,
        first_token: usize,
        within: Duration,
        options: SocketOptions,
        now: Instant,
    ) -> Self {
        let count = u32::try_from(addresses.len().max(1)).unwrap_or(1);
        Self {
            left: addresses.into(),
            trying: Vec::new(),
            troubles: Troubles::default(),
            next_at: now,
            beside_after: BESIDE_AFTER.min(within / count),
            each: within / count * AT_ONCE_MAX as u32,
            options,
            next_token: first_token,
        }
    }

    /// When to look again though nothing happens.
    pub(super) fn next_wake(&self) -> Option<Instant> {
        (!self.left.is_empty()).then(|| self.turn_at())
    }

    /// When the next address gets its turn.
    fn turn_at(&self) -> Instant {
        match self.trying.first() {
            Some(oldest) if self.trying.len() >= AT_ONCE_MAX => {
                self.next_at.max(oldest.since + self.each)
            }
            _ => self.next_at,
        }
    }

    /// Looks whether an address answered, and goes on to the next if it is its turn.
    pub(super) fn poll(
        &mut self,
        sockets: &mut impl Sockets<Socket = S>,
        now: Instant,
    ) -> ConnectStep<S> {
        loop {
            let mut at = 0;
            while let Some(tried) = self.trying.get(at) {
                match tried.socket.is_open() {
                    Ok(true) => {
                        let won = self.trying.remove(at);
                        return ConnectStep::Open(won.socket, won.address, won.token);
                    }
                    Ok(false) => at += 1,
                    Err(error) => {
                        let failed = self.trying.remove(at);
                        self.troubles.refused(failed.address, error);
                        self.next_at = now;
                    }
                }
            }
            if now < self.turn_at() {
                return ConnectStep::Waiting;
            }
            let Some(address) = self.left.pop_front() else {
                if self.trying.is_empty() {
                    return ConnectStep::Failed(self.troubles.take());
                }
                return ConnectStep::Waiting;
            };
            if self.trying.len() >= AT_ONCE_MAX {
                let oldest = self.trying.remove(0);
                self.troubles.silent(oldest.address, now - oldest.since);
            }
            self.next_at = now + self.beside_after;
            let token = self.next_token;
            self.next_token += 1;
            match sockets.connect(token, address, self.options) {
                Ok(socket) => self.trying.push(Try {
                    address,
                    token,
                    since: now,
                    socket,
                }),
                Err(error) => {
                    self.troubles.refused(address, error);
                    self.next_at = now;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::io::fixtures::{End, Net, v4, v6};

    const WITHIN: Duration = Duration::from_secs(10);

    fn attempt(addresses: Vec<SocketAddr>, now: Instant) -> ConnectAttempt<End> {
        ConnectAttempt::new(addresses, 1, WITHIN, SocketOptions::default(), now)
    }

    /// Lets time pass from one wake to the next until the attempt is over or has nothing to wait for:
    /// where it ended, and when.
    fn run(
        attempt: &mut ConnectAttempt<End>,
        net: &Net,
        began: Instant,
    ) -> (Option<End>, Duration) {
        let mut now = began;
        loop {
            match attempt.poll(&mut net.clone(), now) {
                ConnectStep::Open(socket, _, _) => return (Some(socket), now - began),
                ConnectStep::Failed(_) => return (None, now - began),
                ConnectStep::Waiting => match attempt.next_wake() {
                    Some(at) => {
                        assert!(at > now, "it would spin");
                        now = at;
                    }
                    None => return (None, now - began),
                },
            }
        }
    }

    #[test]
    fn the_families_take_turns_and_what_answered_last_comes_first() {
        let found = vec![v6(1), v6(2), v6(3), v4(1), v4(2)];
        let turns = [v6(1), v4(1), v6(2), v4(2), v6(3)];
        assert_eq!(in_order(found.clone(), None), turns);
        let known = |address, has_answered| Known {
            address,
            has_answered,
        };
        let again = in_order(found.clone(), Some(known(v4(2), true)));
        assert_eq!(again, [v4(2), v6(1), v4(1), v6(2), v6(3)]);
        let again = in_order(found.clone(), Some(known(v6(1), false)));
        assert_eq!(again, [v4(1), v6(2), v4(2), v6(3), v6(1)]);
        let gone = in_order(found, Some(known(v4(9), true)));
        assert_eq!(gone, turns, "the name leads there no more");
        // However many there are of the one, the other is among those that are tried.
        let many = (0..30).map(v6).chain([v4(1)]).collect();
        let many = in_order(many, None);
        assert_eq!((many.len(), many[1]), (ADDRESSES_MAX, v4(1)));
    }

    #[test]
    fn an_address_that_says_nothing_costs_a_moment_and_is_closed_when_another_opens() {
        let (net, now) = (Net::default(), Instant::now());
        net.answer(v4(2), true);
        let mut attempt = attempt(vec![v4(1), v4(2), v4(3)], now);
        let (won, after) = run(&mut attempt, &net, now);
        assert_eq!(won.as_ref().map(End::address), Some(v4(2)));
        assert_eq!(after, BESIDE_AFTER);
        drop(attempt);
        assert_eq!(net.held(), [v4(2)], "the winner alone");
        assert_eq!(net.take_tried(), [v4(1), v4(2)]);
    }

    #[test]
    fn a_slow_address_may_still_win_when_others_are_tried_beside_it() {
        let (net, now) = (Net::default(), Instant::now());
        let mut attempt = attempt(vec![v4(1), v4(2)], now);
        run(&mut attempt, &net, now);
        assert_eq!(net.take_tried(), [v4(1), v4(2)]);
        net.answer(v4(1), true);
        let later = now + 30 * BESIDE_AFTER;
        let step = attempt.poll(&mut net.clone(), later);
        let ConnectStep::Open(_, address, token) = step else {
            panic!("{step:?}")
        };
        assert_eq!((address, token), (v4(1), 1), "each has a token of its own");
    }

    #[test]
    fn the_next_is_tried_at_once_when_one_fails() {
        let (net, now) = (Net::default(), Instant::now());
        for last in 1..4 {
            net.answer(v4(last), false);
        }
        net.answer(v4(4), true);
        let mut attempt = attempt((1..=4).map(v4).collect(), now);
        let (won, after) = run(&mut attempt, &net, now);
        assert_eq!(won.map(|end| end.address()), Some(v4(4)));
        assert_eq!(after, Duration::ZERO);
    }

    #[test]
    fn so_many_are_tried_at_once_and_each_gets_its_turn_in_time() {
        let (net, now) = (Net::default(), Instant::now());
        let mut attempt = attempt((1..=16).map(v4).collect(), now);
        let mut last = Duration::ZERO;
        while let ConnectStep::Waiting = attempt.poll(&mut net.clone(), now + last) {
            assert!(net.held().len() <= AT_ONCE_MAX);
            let Some(at) = attempt.next_wake() else { break };
            last = at - now;
        }
        assert_eq!(net.take_tried().len(), 16);
        assert!(last < WITHIN, "{last:?}");
    }

    #[test]
    fn when_all_have_failed_it_is_over_and_none_is_left_open() {
        let (net, now) = (Net::default(), Instant::now());
        net.answer(v4(2), false);
        let mut attempt = attempt(vec![v4(1), v4(2)], now);
        run(&mut attempt, &net, now);
        net.answer(v4(1), false);
        let step = attempt.poll(&mut net.clone(), now + WITHIN);
        assert!(matches!(step, ConnectStep::Failed(_)), "{step:?}");
        assert!(net.held().is_empty());
    }

    #[test]
    fn of_several_addresses_each_is_named_and_the_nearest_says_what_kind_it_is() {
        let address = |last| SocketAddr::from(([127, 0, 0, last], 9092));
        let mut troubles = Troubles::default();
        troubles.refused(address(1), io::ErrorKind::HostUnreachable.into());
        troubles.silent(address(2), Duration::from_secs(3));
        troubles.refused(address(3), io::ErrorKind::ConnectionRefused.into());
        troubles.refused(address(4), io::ErrorKind::NetworkUnreachable.into());
        let (kind, error) = troubles.nearest.take().unwrap();
        assert_eq!(kind, ConnectErrorKind::Refused);
        assert_eq!(error.unwrap().kind(), io::ErrorKind::ConnectionRefused);
        let hosts = troubles.said.iter().map(|said| said.split(':').next());
        let all = [1, 2, 3, 4].map(|last| format!("127.0.0.{last}"));
        assert!(hosts.eq(all.iter().map(|host| Some(host.as_str()))));
        assert_eq!(troubles.said[1], "127.0.0.2: no answer in 3 s");
    }
}
