//! The simulator about itself: runs can be had again, and they exercise what they claim to.

use downpour_sim::{Tally, run};

#[test]
fn the_same_seed_leaves_the_same_trace() {
    for seed in 0..20 {
        let (first, second) = (run(seed, 1_000_000), run(seed, 1_000_000));
        assert_eq!(first.trace, second.trace, "seed {seed}");
    }
}

#[test]
fn a_few_hundred_seeds_meet_every_kind_of_accident() {
    let mut tally = Tally::default();
    for seed in 0..600 {
        let report = run(seed, 0);
        assert_eq!(report.violation, None, "seed {seed}");
        tally.merge(&report.tally);
    }
    let accidents = [
        "client: closed in a hurry",
        "client: flushed",
        "client: requests without an answer",
        "client: retries",
        "faults: answer in pieces",
        "faults: broker killed",
        "faults: connection cut AnswersLost",
        "faults: connection cut Clean",
        "faults: connection cut ClientOnly",
        "faults: connection cut Garbled",
        "faults: connection cut ServerFirst",
        "faults: connection cut Silence",
        "faults: connection cut Unasked",
        "faults: connection lost within a request",
        "faults: connection refused",
        "faults: names not as they should be",
        "faults: process suspended",
        "faults: producers forgotten in a lull",
        "faults: request held",
        "faults: request outlived its connection",
        "faults: wall clock jumped",
        "faults: write in pieces",
        "pool: a look-up never came back",
        "pool: a look-up panicked",
        "pool: batches compressed",
        "pool: no thread",
        "records: delivered",
        "records: delivered, offset unknown",
        "records: failed",
        "records: handed back",
        "records: sent",
        "records: unknown",
        "runs: calm to the end",
        "senders: gave up waiting",
        "senders: told that a record is not valid",
        "senders: told that it is closed",
        "senders: told that there is no memory",
        "senders: told that there is no metadata",
        "senders: topic not available",
        "senders: went away",
    ];
    let missing: Vec<_> = accidents
        .iter()
        .filter(|what| tally.of(what) == 0)
        .collect();
    assert!(missing.is_empty(), "never seen: {missing:?}\n{tally}");
}
