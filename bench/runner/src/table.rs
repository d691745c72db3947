//! A cell's results as a Markdown table.

use std::fmt::Write as _;

use crate::cells::{Cell, Kind};
use crate::contestants::{BARE_SOCKET, BEFORE, FLOOR, PEER_OF_REFERENCE, TASKS_OF_REFERENCE};
use crate::figures::{Results, Spread};

const CPU: &str = "/cpu_ns_per_record";
const RATE: &str = "/records_per_s";

/// The table with its heading.
pub(crate) fn markdown(cell: &Cell, results: &Results) -> String {
    let settings = if cell.is_tuned {
        "batches of 64 KiB, linger 5 ms, 5 in flight"
    } else {
        "defaults"
    };
    let mut text = format!("### {}: {}\n\n", cell.name, cell.what);
    let idempotence = if cell.idempotence { ", idempotent" } else { "" };
    let (open, columns): (_, &[Column]) = match cell.kind {
        Kind::Flood | Kind::Threads => (format!("; at most {} handles", cell.window), &FLOODS),
        Kind::Tasks => (format!("; {} tasks", cell.window), &TASKS),
        Kind::RoundTrip => (String::new(), &ROUND_TRIPS),
        Kind::Idle => (String::new(), &IDLES),
        Kind::Refused => (format!("; at most {} handles", cell.window), &REFUSALS),
        Kind::Backfill => (format!("; at most {} handles", cell.window), &BACKFILLS),
    };
    let mut beside = String::new();
    for (number, default, what) in [
        (cell.keys, 0, "keys"),
        (cell.headers, 0, "headers"),
        (cell.threads, 1, "threads"),
    ] {
        if number != default {
            // Writing to a String cannot fail.
            let _ = write!(beside, ", {number} {what}");
        }
    }
    say(
        &mut text,
        &format!(
            "{} bytes, {} partitions ({}), {}, acks={}{idempotence}{beside}; {settings}{open}",
            cell.size, cell.partitions, cell.spread, cell.codec, cell.acks,
        ),
    );
    say(&mut text, "");
    let beside: &[Column] = if results.peers.iter().any(|peer| is_before(peer.name)) {
        &TO_BEFORE
    } else {
        &[]
    };
    let columns: Vec<&Column> = columns.iter().chain(beside).collect();
    let heads: Vec<&str> = columns.iter().map(|column| column.head).collect();
    say(
        &mut text,
        &format!("| | {} | what does not count |", heads.join(" | ")),
    );
    say(
        &mut text,
        &format!("|---|{}---|", "---|".repeat(columns.len())),
    );
    for (index, peer) in results.peers.iter().enumerate() {
        let cells: Vec<String> = columns
            .iter()
            .map(|column| (column.cell)(results, index))
            .collect();
        let voids = voids(results, index);
        say(
            &mut text,
            &format!("| {} | {} | {voids} |", peer.name, cells.join(" | ")),
        );
    }
    for (peer, why) in &results.left_out {
        let dashes = "- | ".repeat(columns.len());
        say(&mut text, &format!("| {} | {dashes}{why} |", peer.name));
    }
    text
}

fn is_before(name: &str) -> bool {
    name.ends_with(BEFORE)
}

struct Column {
    head: &'static str,
    cell: fn(&Results, usize) -> String,
}

const COST: Column = Column {
    head: "CPU ns/record",
    cell: |results, peer| wide(results.spread(peer, CPU), 1.0),
};

const SPEED: Column = Column {
    head: "k records/s",
    cell: |results, peer| wide(results.spread(peer, RATE), 1e-3),
};

const TO_REFERENCE: Column = Column {
    head: "x rdkafka Threaded",
    cell: |results, peer| ratio(results.ratio(peer, CPU, PEER_OF_REFERENCE)),
};

const REQUESTS: Column = Column {
    head: "requests/1M",
    cell: |results, peer| per_seen(results, peer, "/broker/requests", 1e6),
};

const IN_FLIGHT: Column = Column {
    head: "in flight",
    cell: |results, peer| plain(results.spread(peer, "/broker/in_flight_max"), 1.0),
};

const BATCH_SIZES: Column = Column {
    head: "batch KiB, median / max",
    cell: |results, peer| {
        let median = results.spread(peer, "/broker/batch_bytes/median");
        let max = results.spread(peer, "/broker/batch_bytes/max");
        format!(
            "{} / {}",
            plain(median, 1.0 / 1024.0),
            plain(max, 1.0 / 1024.0)
        )
    },
};

/// Where another state's peers are beside this one's.
const TO_BEFORE: [Column; 2] = [
    Column {
        head: "CPU x before",
        cell: |results, peer| to_before(results, peer, CPU),
    },
    Column {
        head: "rate x before",
        cell: |results, peer| to_before(results, peer, RATE),
    },
];

/// Counts are those of a whole run, warm-up included.
const REFUSALS: [Column; 10] = [
    COST,
    SPEED,
    TO_REFERENCE,
    Column {
        head: "refused",
        cell: |results, peer| plain(results.spread(peer, "/broker/refused_records"), 1.0),
    },
    Column {
        head: "failed or unknown",
        cell: |results, peer| plain(results.spread(peer, "/errors"), 1.0),
    },
    Column {
        head: "unknown",
        cell: |results, peer| plain(results.spread(peer, "/unknown"), 1.0),
    },
    Column {
        head: "batches out of turn behind them",
        cell: |results, peer| plain(results.spread(peer, "/broker/followers"), 1.0),
    },
    Column {
        head: "InitProducerIds",
        cell: |results, peer| plain(results.spread(peer, "/broker/producer_ids"), 1.0),
    },
    REQUESTS,
    IN_FLIGHT,
];

const BACKFILLS: [Column; 6] = [COST, SPEED, TO_REFERENCE, REQUESTS, IN_FLIGHT, BATCH_SIZES];

const FLOODS: [Column; 9] = [
    COST,
    SPEED,
    TO_REFERENCE,
    Column {
        head: "x floor",
        cell: |results, peer| ratio(results.ratio(peer, CPU, FLOOR)),
    },
    Column {
        head: "sleeps/1000",
        cell: |results, peer| per_record(results, peer, "/voluntary_switches", 1e3),
    },
    REQUESTS,
    IN_FLIGHT,
    BATCH_SIZES,
    Column {
        head: "peak MB",
        cell: |results, peer| plain(results.spread(peer, "/peak_rss_bytes"), 1e-6),
    },
];

const TASKS: [Column; 9] = [
    COST,
    SPEED,
    P50,
    P99,
    P999,
    Column {
        head: "x rdkafka Future",
        cell: |results, peer| ratio(results.ratio(peer, CPU, TASKS_OF_REFERENCE)),
    },
    Column {
        head: "sleeps/record",
        cell: |results, peer| per_record(results, peer, "/voluntary_switches", 1.0),
    },
    REQUESTS,
    Column {
        head: "peak MB",
        cell: |results, peer| plain(results.spread(peer, "/peak_rss_bytes"), 1e-6),
    },
];

const IDLES: [Column; 2] = [
    Column {
        head: "wake-ups/s",
        cell: |results, peer| shared(results, peer, "/wakeups", "/wall_s", 1.0),
    },
    Column {
        head: "peak MB",
        cell: |results, peer| plain(results.spread(peer, "/peak_rss_bytes"), 1e-6),
    },
];

const P50: Column = Column {
    head: "p50 us",
    cell: |results, peer| fine(results.spread(peer, "/latency_us/p50")),
};

const P99: Column = Column {
    head: "p99 us",
    cell: |results, peer| fine(results.spread(peer, "/latency_us/p99")),
};

const P999: Column = Column {
    head: "p99.9 us",
    cell: |results, peer| fine(results.spread(peer, "/latency_us/p999")),
};

const ROUND_TRIPS: [Column; 8] = [
    Column {
        head: "round trips/s",
        cell: |results, peer| wide(results.spread(peer, RATE), 1.0),
    },
    P50,
    P99,
    P999,
    Column {
        head: "time x bare socket",
        cell: |results, peer| ratio(results.ratio(peer, "/us_per_record", BARE_SOCKET)),
    },
    Column {
        head: "p50 x bare socket",
        cell: |results, peer| ratio(results.ratio(peer, "/latency_us/p50", BARE_SOCKET)),
    },
    Column {
        head: "CPU us/record",
        cell: |results, peer| {
            fine(results.spread(peer, CPU).map(|cpu| Spread {
                median: cpu.median / 1e3,
                min: cpu.min / 1e3,
                max: cpu.max / 1e3,
            }))
        },
    },
    Column {
        head: "sleeps/record",
        cell: |results, peer| per_record(results, peer, "/voluntary_switches", 1.0),
    },
];

fn say(text: &mut String, line: &str) {
    // Writing to a String cannot fail.
    let _ = writeln!(text, "{line}");
}

fn none() -> String {
    "-".to_owned()
}

fn wide(spread: Option<Spread>, scale: f64) -> String {
    spread.map_or_else(none, |spread| {
        let [median, min, max] = [spread.median, spread.min, spread.max].map(|n| n * scale);
        format!("{median:.0} ({min:.0}-{max:.0})")
    })
}

fn fine(spread: Option<Spread>) -> String {
    spread.map_or_else(none, |spread| {
        format!("{:.1} ({:.1}-{:.1})", spread.median, spread.min, spread.max)
    })
}

fn ratio(spread: Option<Spread>) -> String {
    spread.map_or_else(none, |spread| {
        format!("{:.2} ({:.2}-{:.2})", spread.median, spread.min, spread.max)
    })
}

fn to_before(results: &Results, peer: usize, field: &str) -> String {
    let before = format!("{}{BEFORE}", results.peers[peer].name);
    ratio(results.ratio(peer, field, &before))
}

fn plain(spread: Option<Spread>, scale: f64) -> String {
    spread.map_or_else(none, |spread| format!("{:.0}", spread.median * scale))
}

/// A field divided by the number of records that were measured.
fn per_record(results: &Results, peer: usize, field: &str, unit: f64) -> String {
    shared(results, peer, field, "/records", unit)
}

/// A field of the broker divided by the number of records that it saw, warm-up included.
fn per_seen(results: &Results, peer: usize, field: &str, unit: f64) -> String {
    shared(results, peer, field, "/broker/records", unit)
}

fn shared(results: &Results, peer: usize, field: &str, by: &str, unit: f64) -> String {
    let (Some(what), Some(records)) = (results.spread(peer, field), results.spread(peer, by))
    else {
        return none();
    };
    let share = what.median / records.median * unit;
    if share < 10.0 {
        format!("{share:.1}")
    } else {
        format!("{share:.0}")
    }
}

fn voids(results: &Results, peer: usize) -> String {
    let voids = results.voids(peer);
    match voids.first() {
        None => String::new(),
        Some(first) => format!("{}: {}", voids.len(), first.replace('|', "/")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::cells::CELLS;
    use crate::contestants::{CONTESTANTS, before};
    use crate::run::Ended;

    #[test]
    fn who_is_left_out_is_told_with_the_reason() {
        let cell = CELLS.iter().find(|cell| cell.name == "keys").unwrap();
        let results = Results::new(&[], vec![(&CONTESTANTS[0], "no keys")], 1);
        let table = markdown(cell, &results);
        assert!(table.contains("10000 keys"));
        let last = table.lines().last().unwrap();
        assert!(last.starts_with("| floor | - | -") && last.ends_with("| no keys |"));
        let head = table.lines().find(|line| line.starts_with("| |")).unwrap();
        assert_eq!(head.matches('|').count(), last.matches('|').count());
    }

    #[test]
    fn what_was_before_is_compared_with_in_the_same_round() {
        let cell = CELLS.iter().find(|cell| cell.name == "refused").unwrap();
        let now = CONTESTANTS.iter().find(|peer| peer.name == "downpour");
        let then = Box::leak(Box::new(before(now.unwrap(), "program").unwrap()));
        let mut results = Results::new(&[now.unwrap(), then], Vec::new(), 1);
        assert!(
            !markdown(cell, &Results::new(&[now.unwrap()], Vec::new(), 1)).contains(" x before")
        );
        for (peer, cpu) in [(0, 150.0), (1, 100.0)] {
            let line = json!({ "cpu_ns_per_record": cpu });
            results.add(peer, 0, Ended::Counts(line));
        }
        let table = markdown(cell, &results);
        assert!(table.contains("| CPU x before | rate x before |"));
        let row = |name: &str| table.lines().find(|line| line.starts_with(name));
        assert!(
            row("| downpour |")
                .unwrap()
                .contains("| 1.50 (1.50-1.50) |")
        );
        assert!(row("| downpour-before |").unwrap().contains("| - | - |"));
    }
}
