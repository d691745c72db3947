//! What is measured: families of cells. Who takes part is in `contestants`.

use std::sync::LazyLock;

/// What kind of work a cell is. Contestants that can do it take part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Records as fast as the peer takes them.
    Flood,
    /// The same from several threads.
    Threads,
    /// Many tasks that each await their own record.
    Tasks,
    /// One record, its acknowledgement, the next.
    RoundTrip,
    /// Ten seconds in which nothing is sent, after a few records.
    Idle,
    /// A flood of which the broker refuses some batches for good.
    Refused,
    /// A flood of old records.
    Backfill,
}

/// One kind of load, which every contestant that can is put under.
#[derive(Debug)]
pub(crate) struct Cell {
    pub(crate) name: String,
    pub(crate) what: String,
    pub(crate) kind: Kind,
    /// The size of a value in bytes.
    pub(crate) size: usize,
    pub(crate) partitions: u32,
    pub(crate) records: u64,
    pub(crate) codec: &'static str,
    pub(crate) acks: &'static str,
    pub(crate) idempotence: bool,
    pub(crate) spread: &'static str,
    /// How many different keys there are; 0 stands for records without key.
    pub(crate) keys: u32,
    /// How many headers a record has.
    pub(crate) headers: u32,
    /// How many threads send.
    pub(crate) threads: u32,
    /// True: batches of 64 KiB, linger 5 ms, 5 in flight, 64 MiB of memory. False: each library's
    /// own defaults.
    pub(crate) is_tuned: bool,
    /// How many handles may be open; in cells of tasks, how many tasks there are. It is larger
    /// where answers are late or partitions are many, because the handles would be the limit there.
    pub(crate) window: u64,
    pub(crate) network_us: u64,
    pub(crate) service_us: u64,
    /// One batch in so many is refused by the broker; 0 stands for none.
    pub(crate) refuse_every: u64,
    /// How old records are by their timestamps, in seconds; `None` leaves them to the library.
    pub(crate) record_age_s: Option<u64>,
}

const AUTOMATIC: &str = "automatic";
const EXPLICIT: &str = "explicit";
const RANDOM: &str = "random";

const FLOOD: Cell = Cell {
    name: String::new(),
    what: String::new(),
    kind: Kind::Flood,
    size: 100,
    partitions: 6,
    records: 2_000_000,
    codec: "none",
    acks: "all",
    idempotence: true,
    spread: EXPLICIT,
    keys: 0,
    headers: 0,
    threads: 1,
    is_tuned: true,
    window: 20_000,
    network_us: 0,
    service_us: 0,
    refuse_every: 0,
    record_age_s: None,
};

/// All cells.
pub(crate) static CELLS: LazyLock<Vec<Cell>> = LazyLock::new(|| {
    let mut cells = settings();
    cells.extend(sizes());
    cells.extend(one_partition());
    cells.extend(PARTITIONS.map(partitions));
    cells.extend(THREADS.map(threads));
    cells.extend(TASKS.map(tasks));
    cells.extend(others());
    cells.extend([0, 2000].map(refused));
    cells.extend([0, 2000].map(backfill));
    cells
});

/// Every combination of sizes, codecs, acks and spreads.
fn settings() -> Vec<Cell> {
    // Numbers of records are such that a cell takes about a second.
    let kinds = [
        ("100b", "100 bytes", 100, "none", 2_000_000),
        ("100b", "100 bytes", 100, "lz4", 1_000_000),
        ("100b", "100 bytes", 100, "zstd", 600_000),
        ("1k", "1 KiB", 1024, "none", 500_000),
        ("1k", "1 KiB", 1024, "lz4", 300_000),
        ("1k", "1 KiB", 1024, "zstd", 200_000),
    ];
    let levels = [("", "all", true), ("-acks1", "1", false)];
    let spreads = [("", EXPLICIT), ("-automatic", AUTOMATIC)];
    let mut cells = Vec::new();
    for (short, long, size, codec, records) in kinds {
        for (level, acks, idempotence) in levels {
            for (suffix, spread) in spreads {
                let codec_what = match codec {
                    "none" => "not compressed",
                    codec => codec,
                };
                let acks_what = if idempotence {
                    ""
                } else {
                    ", acks=1 without idempotence"
                };
                let spread_what = if spread == AUTOMATIC {
                    ", the library chooses the partition"
                } else {
                    ""
                };
                cells.push(Cell {
                    name: format!("{short}-{codec}{level}{suffix}"),
                    what: format!("{long}, {codec_what}{acks_what}{spread_what}"),
                    size,
                    codec,
                    records,
                    acks,
                    idempotence,
                    spread,
                    ..FLOOD
                });
            }
        }
    }
    cells
}

/// The smallest values and the largest. Windows are such that batches fill and memory is not the
/// limit.
fn sizes() -> [Cell; 2] {
    [
        Cell {
            name: "10b".into(),
            what: "10 bytes".into(),
            size: 10,
            records: 4_000_000,
            window: 100_000,
            ..FLOOD
        },
        Cell {
            name: "10k".into(),
            what: "10 KiB".into(),
            size: 10 << 10,
            records: 100_000,
            window: 2_000,
            ..FLOOD
        },
    ]
}

fn one_partition() -> [Cell; 5] {
    let one = |name: &str, what: &str, network_us, service_us, is_tuned: bool| Cell {
        name: name.into(),
        what: format!("one partition, {what}"),
        partitions: 1,
        records: 1_000_000,
        window: if network_us + service_us > 0 {
            100_000
        } else {
            FLOOD.window
        },
        network_us,
        service_us,
        is_tuned,
        ..FLOOD
    };
    let service = "2 ms of service, one request at a time";
    [
        one("one", "no delay", 0, 0, true),
        one("one-network", "2 ms of network", 2000, 0, true),
        one(
            "one-network-defaults",
            "2 ms of network, each library's defaults",
            2000,
            0,
            false,
        ),
        one("one-service", service, 0, 2000, true),
        one(
            "one-service-defaults",
            "2 ms of service, each library's defaults",
            0,
            2000,
            false,
        ),
    ]
}

/// Numbers of partitions, each with its window.
const PARTITIONS: [(u32, u64); 4] = [
    (48, 20_000),
    (200, 100_000),
    (1_000, 100_000),
    // That is about what 64 MiB hold.
    (10_000, 400_000),
];

fn partitions((partitions, window): (u32, u64)) -> Cell {
    Cell {
        name: format!("partitions-{partitions}"),
        what: format!("{partitions} partitions, in no order"),
        partitions,
        window,
        spread: RANDOM,
        ..FLOOD
    }
}

/// Numbers of threads, each with the number of partitions.
const THREADS: [(u32, u32); 5] = [(1, 6), (2, 6), (4, 6), (16, 6), (16, 1)];

fn threads((threads, partitions): (u32, u32)) -> Cell {
    let (suffix, on_one) = if partitions == 1 {
        ("-one", " on one partition")
    } else {
        ("", "")
    };
    let plural = if threads == 1 { "" } else { "s" };
    Cell {
        name: format!("threads-{threads}{suffix}"),
        what: format!("{threads} sending thread{plural}{on_one}"),
        kind: Kind::Threads,
        threads,
        partitions,
        spread: AUTOMATIC,
        ..FLOOD
    }
}

/// Numbers of tasks, each with the number of records.
const TASKS: [(u64, u64); 3] = [(100, 100_000), (1_000, 600_000), (10_000, 1_000_000)];

fn tasks((tasks, records): (u64, u64)) -> Cell {
    Cell {
        name: format!("tasks-{tasks}"),
        what: format!("{tasks} tasks that each await their own record, each library's defaults"),
        kind: Kind::Tasks,
        records,
        window: tasks,
        spread: AUTOMATIC,
        is_tuned: false,
        ..FLOOD
    }
}

fn others() -> [Cell; 4] {
    [
        Cell {
            name: "keys".into(),
            what: "10,000 keys, which choose the partition".into(),
            keys: 10_000,
            spread: AUTOMATIC,
            ..FLOOD
        },
        Cell {
            name: "headers".into(),
            what: "3 headers on each record".into(),
            records: 1_000_000,
            headers: 3,
            ..FLOOD
        },
        Cell {
            name: "each".into(),
            what: "each record awaited before the next, each library's defaults".into(),
            kind: Kind::RoundTrip,
            records: 20_000,
            window: 1,
            is_tuned: false,
            ..FLOOD
        },
        Cell {
            name: "idle".into(),
            what: "nothing sent for ten seconds, each library's defaults".into(),
            kind: Kind::Idle,
            records: 1_000,
            is_tuned: false,
            ..FLOOD
        },
    ]
}

/// The suffix of a cell's name, what is said of it, and its window.
fn delayed(network_us: u64) -> (&'static str, &'static str, u64) {
    if network_us == 0 {
        ("", "no delay", FLOOD.window)
    } else {
        ("-network", "2 ms of network", 100_000)
    }
}

fn refused(network_us: u64) -> Cell {
    let (suffix, delay, window) = delayed(network_us);
    Cell {
        name: format!("refused{suffix}"),
        what: format!("1 % of records refused by the broker, a batch at a time, {delay}"),
        kind: Kind::Refused,
        // Prime, so that each of the partitions has its turn.
        refuse_every: 101,
        network_us,
        window,
        ..FLOOD
    }
}

fn backfill(network_us: u64) -> Cell {
    let (suffix, delay, window) = delayed(network_us);
    Cell {
        name: format!("backfill{suffix}"),
        what: format!("records of two days ago, {delay}"),
        kind: Kind::Backfill,
        record_age_s: Some(2 * 24 * 3600),
        network_us,
        window,
        ..FLOOD
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_cell_has_a_name_of_its_own() {
        let names: BTreeSet<_> = CELLS.iter().map(|cell| cell.name.as_str()).collect();
        assert_eq!(names.len(), CELLS.len());
        let told = [
            "100b-none",
            "100b-lz4-acks1",
            "1k-zstd-automatic",
            "100b-none-acks1-automatic",
            "partitions-10000",
            "threads-16-one",
            "tasks-1000",
            "refused-network",
            "backfill",
        ];
        assert!(told.iter().all(|name| names.contains(name)));
    }
}
