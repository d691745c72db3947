//! What goes well: input of every kind, and what arrives of it.

use std::io::{BufRead, BufReader, Write};

use downpour_fake::{FakeCluster, FakeRecord};
use serde_json::Value;

use super::{TempFile, run, run_with, start};

/// Partition and offset of a reported record.
fn place(record: &Value) -> (i64, i64) {
    (
        record["partition"].as_i64().unwrap(),
        record["offset"].as_i64().unwrap(),
    )
}

fn records(cluster: &FakeCluster) -> Vec<FakeRecord> {
    cluster.assert_no_violations();
    cluster
        .records_by_partition("events")
        .into_iter()
        .flatten()
        .collect()
}

fn cluster() -> (FakeCluster, String) {
    let cluster = FakeCluster::builder().topic("events", 3).start().unwrap();
    let servers = cluster.bootstrap_servers();
    (cluster, servers)
}

#[test]
fn the_example_is_delivered_to_the_embedded_cluster_with_offsets() {
    let example = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/events.ndjson");
    let shown = run(&["produce", "events", "--embedded", example]);
    assert_eq!(shown.code, Some(0), "{shown:?}");
    assert!(shown.out.contains("events[0]: "), "{shown:?}");
    assert!(shown.out.contains("offsets 0 to "), "{shown:?}");
    assert!(shown.out.contains("30 records acknowledged"), "{shown:?}");
    assert_eq!(shown.err, "");
}

#[test]
fn lines_of_standard_input_are_reported_in_their_order() {
    let input: String = (0..1000).map(|n| format!("value {n}\n")).collect();
    let shown = run_with(&["produce", "events", "--embedded", "--json"], &input);
    assert_eq!(shown.code, Some(0), "{shown:?}");
    let (records, summary) = shown.records();
    assert_eq!(records.len(), 1000);
    for (number, record) in (1..).zip(&records) {
        assert_eq!(record["line"], number);
        assert_eq!(record["source"], "stdin");
        assert_eq!(record["written"], "yes");
        assert_eq!(record["topic"], "events");
    }
    let mut places: Vec<_> = records.iter().map(place).collect();
    places.sort_unstable();
    places.dedup();
    assert_eq!(places.len(), 1000);
    assert_eq!(summary["acknowledged"], 1000);
    assert_eq!(summary["complete"], true);
}

#[test]
fn keys_go_with_their_values_and_decide_the_partition() {
    let (cluster, servers) = cluster();
    let input: String = (0..300)
        .map(|n| format!("user-{}\tv{n}\n", n % 10))
        .collect();
    let words = [
        "produce",
        "events",
        "-b",
        &servers,
        "-K",
        "\\t",
        "--json=summary",
    ];
    let shown = run_with(&words, &input);
    assert_eq!(shown.code, Some(0), "{shown:?}");
    let (lines, summary) = shown.records();
    assert!(lines.is_empty());
    assert_eq!(summary["acknowledged"], 300);
    for key in (0..10).map(|n| format!("user-{n}")) {
        let of_key = |records: &Vec<FakeRecord>| {
            records
                .iter()
                .filter(|r| r.key_str().as_ref() == Some(&key))
                .count()
        };
        let counts: Vec<usize> = cluster
            .records_by_partition("events")
            .iter()
            .map(of_key)
            .collect();
        assert_eq!(
            counts.iter().filter(|count| **count > 0).count(),
            1,
            "{key}: {counts:?}"
        );
        assert_eq!(counts.iter().sum::<usize>(), 30);
    }
    cluster.assert_no_violations();
}

#[test]
fn every_part_of_an_object_arrives() {
    let (cluster, servers) = cluster();
    let objects = TempFile::new(
        "parts.jsonl",
        concat!(
            r#"{"key":"k","value":{"n":1},"headers":[["h","1"],["h",null]],"partition":2,"timestamp":17}"#,
            "\n\n",
            r#"{"key":"gone","value":null,"partition":1}"#,
            "\n",
            r#"{"value_base64":"AP8=","partition":0}"#,
        ),
    );
    let shown = run(&[
        "produce",
        "events",
        "-b",
        &servers,
        "-H",
        "from=test",
        objects.path(),
    ]);
    assert_eq!(shown.code, Some(0), "{shown:?}");
    let [bytes, tombstone, full] = &records(&cluster)[..] else {
        panic!("not three records")
    };
    assert_eq!(full.key_str().as_deref(), Some("k"));
    assert_eq!(full.value_str().as_deref(), Some(r#"{"n":1}"#));
    assert_eq!(full.timestamp, 17);
    let header = |name: &str, value: Option<&str>| (name.to_owned(), value.map(Into::into));
    let wanted = [
        header("from", Some("test")),
        header("h", Some("1")),
        header("h", None),
    ];
    assert_eq!(full.headers, wanted);
    assert_eq!(
        (tombstone.key_str().as_deref(), &tombstone.value),
        (Some("gone"), &None)
    );
    assert_eq!(bytes.value.as_deref(), Some(&[0, 255][..]));
}

#[test]
fn files_and_standard_input_are_read_in_the_order_of_the_command_line() {
    let (cluster, servers) = cluster();
    let objects = TempFile::new("a.ndjson", "{\"value\":\"one\"}\n");
    let lines = TempFile::new("b.txt", "three\nfour");
    let words = [
        "produce",
        "events",
        "-b",
        &servers,
        "-p",
        "0",
        objects.path(),
        "-",
        lines.path(),
    ];
    let shown = run_with(&words, "two\n");
    assert_eq!(shown.code, Some(0), "{shown:?}");
    let values: Vec<_> = records(&cluster)
        .iter()
        .filter_map(FakeRecord::value_str)
        .collect();
    assert_eq!(values, ["one", "two", "three", "four"]);
}

#[test]
fn codecs_and_properties_reach_the_broker() {
    let (cluster, servers) = cluster();
    let input = "the same words again and again\n".repeat(2000);
    for codec in ["gzip:9", "snappy", "lz4"] {
        let words = [
            "produce",
            "events",
            "-b",
            &servers,
            "-z",
            codec,
            "-X",
            "linger.ms=20",
        ];
        let shown = run_with(&words, &input);
        assert_eq!(shown.code, Some(0), "{shown:?}");
    }
    assert_eq!(records(&cluster).len(), 6000);
    let sent: usize = cluster.requests().iter().map(|request| request.bytes).sum();
    assert!(sent < 60_000, "{sent} bytes were not compressed");
}

#[test]
fn without_acknowledgements_there_are_no_offsets() {
    let shown = run_with(
        &["produce", "events", "--embedded", "--acks", "0"],
        "a\nb\n",
    );
    assert_eq!(shown.code, Some(0), "{shown:?}");
    assert!(shown.out.contains("no offsets were told"), "{shown:?}");
}

#[test]
fn a_record_of_an_open_pipe_is_delivered_and_reported_at_once() {
    let mut child = start(&["produce", "events", "--embedded", "--json"]);
    let mut input = child.stdin.take().unwrap();
    let mut output = BufReader::new(child.stdout.take().unwrap());
    for number in 1..=3 {
        writeln!(input, "record {number}").unwrap();
        let mut line = String::new();
        output.read_line(&mut line).unwrap();
        let record: Value = serde_json::from_str(&line).unwrap();
        assert_eq!(record["line"], number);
        assert_eq!(record["written"], "yes");
    }
    drop(input);
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn an_empty_input_is_complete() {
    let shown = run(&["produce", "events", "--embedded", "--json"]);
    assert_eq!(shown.code, Some(0), "{shown:?}");
    assert_eq!(shown.records().1["acknowledged"], 0);
}

#[test]
fn quiet_says_nothing_when_all_is_well() {
    let shown = run_with(&["-q", "produce", "events", "--embedded"], "a\n");
    assert_eq!((shown.code, &*shown.out, &*shown.err), (Some(0), "", ""));
}
