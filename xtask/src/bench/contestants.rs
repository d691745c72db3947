//! Who takes part: a peer's program in one of its modes. What is measured is `cells`'s.

use super::cells::Kind;

/// How a peer's program is made. Peers in other languages get a variant each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Program {
    /// A package of the bench's workspace with a binary of its name.
    Cargo(&'static str),
}

/// A program in one mode.
#[derive(Debug)]
pub(crate) struct Contestant {
    pub(crate) name: &'static str,
    pub(crate) what: &'static str,
    pub(crate) kind: Kind,
    pub(crate) program: Program,
    pub(crate) mode: &'static str,
    /// Arguments beyond those of the cell; they win.
    pub(crate) arguments: &'static [(&'static str, &'static str)],
    /// The share of the cell's records, for those that would take minutes.
    pub(crate) share: f64,
}

/// Others are given as multiples of these, in the same round.
pub(crate) const PEER_OF_REFERENCE: &str = "rdkafka-threaded";
/// What a producer without features costs.
pub(crate) const FLOOR: &str = "floor";
/// What a round trip takes without a producer.
pub(crate) const BARE_SOCKET: &str = "bare-socket";

const fn flood(
    name: &'static str,
    what: &'static str,
    package: &'static str,
    mode: &'static str,
) -> Contestant {
    Contestant {
        name,
        what,
        kind: Kind::Flood,
        program: Program::Cargo(package),
        mode,
        arguments: &[],
        share: 1.0,
    }
}

const fn round_trip(
    name: &'static str,
    what: &'static str,
    package: &'static str,
    mode: &'static str,
) -> Contestant {
    Contestant {
        kind: Kind::RoundTrip,
        ..flood(name, what, package, mode)
    }
}

/// All of them.
#[rustfmt::skip]
pub(crate) const CONTESTANTS: &[Contestant] = &[
    flood(FLOOR, "no features, nothing per record", "bench-floor", "forget"),
    flood("floor-handles", "no features, a completion slot per record", "bench-floor", "handles"),
    flood("downpour", "a handle per record, blocking facade", "bench-downpour", "handles"),
    flood("downpour-tokio", "a handle per record, tokio", "bench-downpour", "handles-tokio"),
    flood("downpour-forget", "handles are dropped", "bench-downpour", "forget"),
    flood("downpour-many", "one handle for a thousand records", "bench-downpour", "many"),
    flood("rdkafka-base", "callbacks, the caller polls", "bench-rdkafka", "base"),
    flood(PEER_OF_REFERENCE, "callbacks, a thread polls", "bench-rdkafka", "threaded"),
    flood("rdkafka-future", "a future per record, tokio", "bench-rdkafka", "future"),
    round_trip(BARE_SOCKET, "a request of one record and its answer", "bench-floor", "pingpong"),
    round_trip("downpour-each", "blocking facade", "bench-downpour", "each"),
    round_trip("downpour-each-tokio", "tokio", "bench-downpour", "each-tokio"),
    Contestant {
        share: 0.05,
        ..round_trip("rdkafka-each", "a future per record, tokio", "bench-rdkafka", "future")
    },
    Contestant {
        arguments: &[("linger-ms", "0")],
        ..round_trip("rdkafka-each-linger-0", "the same with linger 0", "bench-rdkafka", "future")
    },
];
