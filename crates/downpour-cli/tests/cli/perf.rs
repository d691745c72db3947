//! The measurements: that they measure what they say, not how fast anything is.

use downpour_fake::FakeCluster;
use serde_json::Value;

use super::run;

fn measured(options: &[&str]) -> Value {
    let mut words = vec!["-q", "perf", "events", "--json", "--records", "3000"];
    words.extend(options);
    let shown = run(&words);
    assert_eq!(shown.code, Some(0), "{shown:?}");
    shown.json().pop().unwrap()
}

#[test]
fn every_way_of_awaiting_delivers_every_record() {
    for how in ["handles", "each", "many"] {
        let result = measured(&["--embedded", "--await", how]);
        assert_eq!(result["acknowledged"], 3000, "{how}: {result}");
        assert_eq!(result["not_sent"], 0, "{how}: {result}");
        assert_eq!(
            result["round_trip_us"].is_null(),
            how != "each",
            "{how}: {result}"
        );
    }
    let result = measured(&["--embedded", "--await", "none"]);
    assert_eq!(result["verdicts_not_read"], 3000, "{result}");
}

#[test]
fn sizes_threads_and_partitions_are_as_asked_for() {
    let cluster = FakeCluster::builder().topic("events", 4).start().unwrap();
    let servers = cluster.bootstrap_servers();
    let result = measured(&[
        "-b", &servers, "-s", "321", "-j", "3", "-p", "each", "-z", "lz4",
    ]);
    assert_eq!(result["acknowledged"], 3000);
    let partitions = cluster.records_by_partition("events");
    for records in &partitions {
        assert_eq!(records.len(), 750);
        assert!(
            records
                .iter()
                .all(|r| r.value.as_ref().is_some_and(|v| v.len() == 321))
        );
    }
    let result = measured(&["-b", &servers, "-p", "2"]);
    assert_eq!(result["acknowledged"], 3000);
    assert_eq!(cluster.records("events", 2).len(), 3750);
    cluster.assert_no_violations();
}

#[test]
fn nothing_to_measure_against_is_refused() {
    let shown = run(&["perf", "events"]);
    assert_eq!(shown.code, Some(2), "{shown:?}");
    assert!(shown.err.contains("--embedded"), "{shown:?}");
    let shown = run(&["perf", "events", "--embedded", "-p", "3"]);
    assert_eq!(shown.code, Some(2), "{shown:?}");
    assert!(shown.err.contains("events has 3 partitions"), "{shown:?}");
}
