//! Who takes part: a peer's program in one of its modes. What is measured is `cells`'s.

use super::cells::Kind;
use super::foreign::Foreign;

/// How a peer's program is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Program {
    /// A package of the bench's workspace with a binary of its name.
    Cargo(&'static str),
    /// One that is no package of it.
    Foreign(Foreign),
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
    /// Records of warm-up at least, for those whose code is compiled while it runs.
    pub(crate) warmup: u64,
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
        warmup: 0,
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

const fn foreign(
    name: &'static str,
    what: &'static str,
    program: Foreign,
    mode: &'static str,
) -> Contestant {
    Contestant {
        program: Program::Foreign(program),
        ..flood(name, what, "", mode)
    }
}

const fn foreign_each(
    name: &'static str,
    what: &'static str,
    program: Foreign,
    mode: &'static str,
) -> Contestant {
    Contestant {
        kind: Kind::RoundTrip,
        ..foreign(name, what, program, mode)
    }
}

const LINGER_0: &[(&str, &str)] = &[("linger-ms", "0")];

/// What a JVM needs until its compilers are done.
const JIT: u64 = 1_000_000;

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
    foreign("franz-go", "a promise per record", Foreign::Go("franz-go"), "callback"),
    Contestant {
        warmup: JIT,
        ..foreign("java", "a callback per record", Foreign::Java, "callback")
    },
    foreign("rskafka", "the caller's batches, no idempotence", Foreign::Cargo("rskafka"), "batches"),
    foreign("krafka", "a handle per record, tokio", Foreign::Cargo("krafka"), "handles"),
    foreign("kacrab", "a handle per record, tokio", Foreign::Cargo("kacrab"), "handles"),
    foreign("sarama", "successes from a channel", Foreign::Go("sarama"), "callback"),
    Contestant {
        share: 0.2,
        ..foreign("aiokafka", "a future per record", Foreign::Python, "handles")
    },
    Contestant {
        share: 0.2,
        ..foreign("kafkats", "the caller's arrays", Foreign::Node, "arrays")
    },
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
    foreign_each("franz-go-each", "a goroutine", Foreign::Go("franz-go"), "each"),
    Contestant {
        share: 0.05,
        warmup: 1_000,
        ..foreign_each("java-each", "a thread", Foreign::Java, "each")
    },
    Contestant {
        arguments: LINGER_0,
        warmup: JIT / 20,
        ..foreign_each("java-each-linger-0", "the same with linger 0", Foreign::Java, "each")
    },
    foreign_each("rskafka-each", "no idempotence, tokio", Foreign::Cargo("rskafka"), "each"),
    Contestant {
        share: 0.05,
        ..foreign_each("krafka-each", "tokio", Foreign::Cargo("krafka"), "each")
    },
    Contestant {
        arguments: LINGER_0,
        ..foreign_each("krafka-each-linger-0", "the same with linger 0", Foreign::Cargo("krafka"), "each")
    },
    Contestant {
        share: 0.05,
        ..foreign_each("kacrab-each", "tokio", Foreign::Cargo("kacrab"), "each")
    },
    Contestant {
        arguments: LINGER_0,
        ..foreign_each("kacrab-each-linger-0", "the same with linger 0", Foreign::Cargo("kacrab"), "each")
    },
    foreign_each("sarama-each", "a goroutine", Foreign::Go("sarama"), "each"),
    foreign_each("aiokafka-each", "asyncio", Foreign::Python, "each"),
    foreign_each("kafkats-each", "one record a send", Foreign::Node, "each"),
];
