//! What is measured: one row a cell. Who takes part is `contestants`'s.

/// What kind of work a cell is; who can do it takes part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// As many records as go.
    Flood,
    /// One record, its acknowledgement, the next.
    RoundTrip,
}

/// One cell.
#[derive(Debug)]
pub(crate) struct Cell {
    pub(crate) name: &'static str,
    pub(crate) what: &'static str,
    pub(crate) kind: Kind,
    /// Bytes of a value.
    pub(crate) size: usize,
    pub(crate) partitions: u32,
    pub(crate) records: u64,
    pub(crate) codec: &'static str,
    pub(crate) acks: &'static str,
    pub(crate) idempotence: bool,
    pub(crate) spread: &'static str,
    /// True: batches of 64 KiB, linger 5 ms, 5 in flight, 64 MiB of memory. False: each library's
    /// own defaults.
    pub(crate) is_tuned: bool,
    /// Handles that may be open. Where answers are late, more, or the handles would be the limit.
    pub(crate) window: u64,
    pub(crate) network_us: u64,
    pub(crate) service_us: u64,
}

const FLOOD: Cell = Cell {
    name: "",
    what: "",
    kind: Kind::Flood,
    size: 100,
    partitions: 6,
    records: 2_000_000,
    codec: "none",
    acks: "all",
    idempotence: true,
    spread: "explicit",
    is_tuned: true,
    window: 20_000,
    network_us: 0,
    service_us: 0,
};

const ONE: Cell = Cell {
    partitions: 1,
    records: 1_000_000,
    ..FLOOD
};

/// All of them.
pub(crate) const CELLS: &[Cell] = &[
    Cell {
        name: "100b-none",
        what: "100 bytes, not compressed",
        ..FLOOD
    },
    Cell {
        name: "100b-lz4",
        what: "100 bytes, LZ4",
        codec: "lz4",
        records: 1_000_000,
        ..FLOOD
    },
    Cell {
        name: "1k-none",
        what: "1 KiB, not compressed",
        size: 1024,
        records: 500_000,
        ..FLOOD
    },
    Cell {
        name: "1k-lz4",
        what: "1 KiB, LZ4",
        size: 1024,
        codec: "lz4",
        records: 300_000,
        ..FLOOD
    },
    Cell {
        name: "100b-automatic",
        what: "100 bytes, the library chooses the partition",
        spread: "automatic",
        ..FLOOD
    },
    Cell {
        name: "one",
        what: "one partition, no delay",
        ..ONE
    },
    Cell {
        name: "one-network",
        what: "one partition, 2 ms of network",
        window: 100_000,
        network_us: 2000,
        ..ONE
    },
    Cell {
        name: "one-network-defaults",
        what: "one partition, 2 ms of network, each library's defaults",
        window: 100_000,
        network_us: 2000,
        is_tuned: false,
        ..ONE
    },
    Cell {
        name: "one-service",
        what: "one partition, 2 ms of service, one request at a time",
        window: 100_000,
        service_us: 2000,
        ..ONE
    },
    Cell {
        name: "one-service-defaults",
        what: "one partition, 2 ms of service, each library's defaults",
        window: 100_000,
        service_us: 2000,
        is_tuned: false,
        ..ONE
    },
    Cell {
        name: "each",
        what: "each record awaited before the next, each library's defaults",
        kind: Kind::RoundTrip,
        records: 20_000,
        window: 1,
        is_tuned: false,
        ..FLOOD
    },
];
