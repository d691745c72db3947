//! Who takes part: a peer's program in one of its modes. What is measured is in `cells`.

use crate::cells::{Cell, Kind};
use crate::foreign::Foreign;

/// How a peer's program is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Program {
    /// A package of the bench's workspace with a binary of its name.
    Cargo(&'static str),
    /// A program that is no package of it.
    Foreign(Foreign),
    /// A program that is there: a peer of another state of the code.
    Built(&'static str),
}

/// A program in one mode.
#[derive(Debug, Clone)]
pub(crate) struct Contestant {
    pub(crate) name: &'static str,
    pub(crate) what: &'static str,
    pub(crate) kinds: &'static [Kind],
    pub(crate) program: Program,
    pub(crate) mode: &'static str,
    /// Arguments that are added to those of the cell, or replace them.
    pub(crate) arguments: Pairs,
    /// The share of the cell's records that it sends. It is below 1 for those that would take
    /// minutes otherwise.
    pub(crate) share: f64,
    /// The fewest records of warm-up, for those whose code is compiled while it runs.
    pub(crate) warmup: u64,
    /// Why it cannot take part in a cell of its kinds; `None` if it can.
    pub(crate) lacks: fn(&Cell) -> Option<&'static str>,
}

/// Takes part in cells of floods, and nowhere else.
const FLOOD: &[Kind] = &[Kind::Flood];
/// Sends from several threads too.
const THREADS: &[Kind] = &[Kind::Flood, Kind::Threads];
/// Shows also what it does while nothing is sent.
const IDLE: &[Kind] = &[Kind::Flood, Kind::Threads, Kind::Idle];
/// Tells also what became of each record of a refused batch.
const REFUSED: &[Kind] = &[Kind::Flood, Kind::Threads, Kind::Idle, Kind::Refused];
/// What others are compared with takes part wherever threads or one of them sends.
const ALL: &[Kind] = &[
    Kind::Flood,
    Kind::Threads,
    Kind::Idle,
    Kind::Refused,
    Kind::Backfill,
];
const BACKFILL: &[Kind] = &[Kind::Backfill];
const TASKS: &[Kind] = &[Kind::Tasks];
const EACH: &[Kind] = &[Kind::RoundTrip];

/// CPU times of others are given as multiples of this one's in the same round.
pub(crate) const PEER_OF_REFERENCE: &str = "rdkafka-threaded";
/// As [`PEER_OF_REFERENCE`], where tasks await their records.
pub(crate) const TASKS_OF_REFERENCE: &str = "rdkafka-tasks";
/// What a producer without features costs.
pub(crate) const FLOOR: &str = "floor";
/// What a round trip takes without a producer.
pub(crate) const BARE_SOCKET: &str = "bare-socket";

/// How the name of a peer of another state of the code ends.
pub(crate) const BEFORE: &str = "-before";

/// A contestant that is a package of the bench's workspace.
const fn native(
    name: &'static str,
    what: &'static str,
    package: &'static str,
    mode: &'static str,
    kinds: &'static [Kind],
) -> Contestant {
    Contestant {
        name,
        what,
        kinds,
        program: Program::Cargo(package),
        mode,
        arguments: &[],
        share: 1.0,
        warmup: 0,
        lacks: |_| None,
    }
}

const fn foreign(
    name: &'static str,
    what: &'static str,
    program: Foreign,
    mode: &'static str,
    kinds: &'static [Kind],
) -> Contestant {
    Contestant {
        program: Program::Foreign(program),
        ..native(name, what, "", mode, kinds)
    }
}

/// Sends fewer records, because it would take minutes: its default is to linger.
const fn lingering(contestant: Contestant) -> Contestant {
    Contestant {
        share: 0.05,
        ..contestant
    }
}

/// Arguments, beside those of the cell or in place of them.
type Pairs = &'static [(&'static str, &'static str)];

const fn with(arguments: Pairs, contestant: Contestant) -> Contestant {
    Contestant {
        arguments,
        ..contestant
    }
}

const fn without_linger(contestant: Contestant) -> Contestant {
    with(&[("linger-ms", "0")], contestant)
}

/// Takes no record of the bench for old.
const TRUSTING: Pairs = &[("old-record-age-s", "2592000")];

const fn warmed(warmup: u64, contestant: Contestant) -> Contestant {
    Contestant {
        warmup,
        ..contestant
    }
}

const fn slow(contestant: Contestant) -> Contestant {
    Contestant {
        share: 0.2,
        ..contestant
    }
}

const fn lacking(lacks: fn(&Cell) -> Option<&'static str>, contestant: Contestant) -> Contestant {
    Contestant {
        lacks,
        ..contestant
    }
}

/// So many records a JVM needs until its compilers are done.
const JIT: u64 = 1_000_000;

const GO: Foreign = Foreign::Go("franz-go");
const SARAMA: Foreign = Foreign::Go("sarama");
const RSKAFKA: Foreign = Foreign::Cargo("rskafka");
const KRAFKA: Foreign = Foreign::Cargo("krafka");
const KACRAB: Foreign = Foreign::Cargo("kacrab");

fn floor_lacks(cell: &Cell) -> Option<&'static str> {
    if cell.keys > 0 {
        Some("no keys")
    } else if cell.headers > 0 {
        Some("no headers")
    } else if cell.partitions > 1000 {
        Some("no limit of memory, and one batch per request")
    } else {
        None
    }
}

fn rskafka_lacks(cell: &Cell) -> Option<&'static str> {
    if cell.keys > 0 && cell.spread == "automatic" {
        Some("no partitioner")
    } else if cell.partitions > 1000 {
        Some("asks for all partitions once for each")
    } else {
        None
    }
}

fn java_lacks(cell: &Cell) -> Option<&'static str> {
    // 64 MiB are a thousand batches of 64 KiB, and it takes each of them whole, so that it sends
    // one record per batch: 0.5 ms per record.
    (cell.partitions > 1000).then_some("no memory for a batch of each partition")
}

fn aiokafka_lacks(cell: &Cell) -> Option<&'static str> {
    (cell.partitions > 1000).then_some("takes longer than a run may: 2 ms per record")
}

fn kafkats_lacks(cell: &Cell) -> Option<&'static str> {
    (cell.codec == "zstd").then_some("no zstd")
}

/// All contestants.
#[rustfmt::skip]
pub(crate) const CONTESTANTS: &[Contestant] = &[
    lacking(floor_lacks, native(FLOOR, "no features, nothing per record", "bench-floor", "forget", FLOOD)),
    lacking(floor_lacks, native("floor-handles", "no features, a completion slot per record", "bench-floor", "handles", FLOOD)),
    native("downpour", "a handle per record, blocking facade", "bench-downpour", "handles", REFUSED),
    native("downpour-tokio", "a handle per record, tokio", "bench-downpour", "handles-tokio", FLOOD),
    native("downpour-forget", "handles are dropped", "bench-downpour", "forget", THREADS),
    native("downpour-many", "one handle for a thousand records", "bench-downpour", "many", FLOOD),
    native("rdkafka-base", "callbacks, the caller polls", "bench-rdkafka", "base", FLOOD),
    native(PEER_OF_REFERENCE, "callbacks, a thread polls", "bench-rdkafka", "threaded", ALL),
    native("rdkafka-future", "a future per record, tokio", "bench-rdkafka", "future", THREADS),
    foreign("franz-go", "a promise per record", GO, "callback", IDLE),
    lacking(java_lacks, warmed(JIT, foreign("java", "a callback per record", Foreign::Java, "callback", IDLE))),
    lacking(rskafka_lacks, foreign("rskafka", "the caller's batches, no idempotence", RSKAFKA, "batches", FLOOD)),
    foreign("krafka", "a handle per record, tokio", KRAFKA, "handles", THREADS),
    foreign("kacrab", "a handle per record, tokio", KACRAB, "handles", THREADS),
    foreign("sarama", "successes from a channel", SARAMA, "callback", FLOOD),
    slow(lacking(aiokafka_lacks, foreign("aiokafka", "a future per record", Foreign::Python, "handles", FLOOD))),
    slow(lacking(kafkats_lacks, foreign("kafkats", "the caller's arrays", Foreign::Node, "arrays", FLOOD))),

    native("downpour-tasks", "tokio", "bench-downpour", "tasks", TASKS),
    native(TASKS_OF_REFERENCE, "a future per record, tokio", "bench-rdkafka", "tasks", TASKS),
    without_linger(native("rdkafka-tasks-linger-0", "the same with linger 0", "bench-rdkafka", "tasks", TASKS)),
    foreign("franz-go-tasks", "goroutines", GO, "tasks", TASKS),
    foreign("franz-go-tasks-promise", "goroutines that each wait for their promise, which lingers", GO, "tasks-promise", TASKS),
    without_linger(foreign("franz-go-tasks-linger-0", "the same with linger 0", GO, "tasks", TASKS)),
    warmed(JIT / 20, foreign("java-tasks", "threads", Foreign::Java, "tasks", TASKS)),
    warmed(JIT / 5, without_linger(foreign("java-tasks-linger-0", "the same with linger 0", Foreign::Java, "tasks", TASKS))),
    foreign("rskafka-tasks", "its batching producer, no idempotence, tokio", RSKAFKA, "tasks", TASKS),
    without_linger(foreign("rskafka-tasks-linger-0", "the same with linger 0", RSKAFKA, "tasks", TASKS)),
    foreign("krafka-tasks", "tokio", KRAFKA, "tasks", TASKS),
    without_linger(foreign("krafka-tasks-linger-0", "the same with linger 0", KRAFKA, "tasks", TASKS)),
    foreign("kacrab-tasks", "tokio", KACRAB, "tasks", TASKS),
    without_linger(foreign("kacrab-tasks-linger-0", "the same with linger 0", KACRAB, "tasks", TASKS)),
    foreign("sarama-tasks", "goroutines", SARAMA, "tasks", TASKS),
    slow(foreign("aiokafka-tasks", "asyncio", Foreign::Python, "tasks", TASKS)),

    native(BARE_SOCKET, "a request of one record and its answer", "bench-floor", "pingpong", EACH),
    native("downpour-each", "blocking facade", "bench-downpour", "each", EACH),
    native("downpour-each-tokio", "tokio", "bench-downpour", "each-tokio", EACH),
    lingering(native("rdkafka-each", "a future per record, tokio", "bench-rdkafka", "each", EACH)),
    without_linger(native("rdkafka-each-linger-0", "the same with linger 0", "bench-rdkafka", "each", EACH)),
    foreign("franz-go-each", "a goroutine", GO, "each", EACH),
    warmed(1_000, lingering(foreign("java-each", "a thread", Foreign::Java, "each", EACH))),
    warmed(JIT / 20, without_linger(foreign("java-each-linger-0", "the same with linger 0", Foreign::Java, "each", EACH))),
    foreign("rskafka-each", "no idempotence, tokio", RSKAFKA, "each", EACH),
    lingering(foreign("krafka-each", "tokio", KRAFKA, "each", EACH)),
    without_linger(foreign("krafka-each-linger-0", "the same with linger 0", KRAFKA, "each", EACH)),
    lingering(foreign("kacrab-each", "tokio", KACRAB, "each", EACH)),
    without_linger(foreign("kacrab-each-linger-0", "the same with linger 0", KACRAB, "each", EACH)),
    foreign("sarama-each", "a goroutine", SARAMA, "each", EACH),
    foreign("aiokafka-each", "asyncio", Foreign::Python, "each", EACH),
    foreign("kafkats-each", "one record per send", Foreign::Node, "each", EACH),

    native("downpour-backfill", "old records", "bench-downpour", "handles", BACKFILL),
    with(&[("record-age-s", "0")], native("downpour-backfill-fresh", "records of today beside them", "bench-downpour", "handles", BACKFILL)),
    with(TRUSTING, native("downpour-backfill-trusting", "old records, old_record_age raised to 30 days", "bench-downpour", "handles", BACKFILL)),
];

/// The same with a program of another state of the code, which is to be compared with this one's;
/// `None` for those who are not downpour, and for what other states may not know.
pub(crate) fn before(peer: &Contestant, program: &'static str) -> Option<Contestant> {
    let is_ours = peer.program == Program::Cargo("bench-downpour");
    (is_ours && peer.arguments != TRUSTING).then(|| Contestant {
        name: Box::leak(format!("{}{BEFORE}", peer.name).into_boxed_str()),
        program: Program::Built(program),
        ..peer.clone()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cells::CELLS;

    #[test]
    fn only_rows_of_downpour_have_one_of_another_state_beside_them() {
        let names: Vec<_> = CONTESTANTS
            .iter()
            .filter_map(|peer| before(peer, "p"))
            .map(|peer| peer.name)
            .collect();
        assert!(names.contains(&"downpour-before") && names.contains(&"downpour-tasks-before"));
        assert!(names.iter().all(|name| name.starts_with("downpour")));
    }

    #[test]
    fn somebody_takes_part_in_every_cell_and_what_others_are_compared_with_too() {
        for cell in CELLS.iter() {
            let takes_part = |name: &str| {
                let is_there = |peer: &&Contestant| peer.kinds.contains(&cell.kind);
                let mut here = CONTESTANTS.iter().filter(is_there);
                here.any(|peer| peer.name == name && (peer.lacks)(cell).is_none())
            };
            let reference = match cell.kind {
                Kind::Tasks => TASKS_OF_REFERENCE,
                Kind::RoundTrip => BARE_SOCKET,
                _ => PEER_OF_REFERENCE,
            };
            assert!(takes_part(reference), "{}", cell.name);
            let can_floor = cell.kind == Kind::Flood
                && cell.keys == 0
                && cell.headers == 0
                && cell.partitions <= 1000;
            assert_eq!(takes_part(FLOOR), can_floor, "{}", cell.name);
        }
    }
}
