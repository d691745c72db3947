//! What can be said on the command line, in the environment and in a file, and by whose names.

use std::io::Write;
use std::time::Duration;

use downpour_fake::{ApiKey, FakeCluster, FakeRecord, Fault};

use super::{Run, TempFile, command, run, run_with, values};

fn cluster() -> (FakeCluster, String) {
    let cluster = FakeCluster::builder().topic("events", 1).start().unwrap();
    let servers = cluster.bootstrap_servers();
    (cluster, servers)
}

/// Runs it with brokers in the environment.
fn run_in(brokers: &str, words: &[&str], input: &str) -> Run {
    let mut child = command(words)
        .env("DOWNPOUR_BROKERS", brokers)
        .spawn()
        .unwrap();
    // A command that refuses does not read.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    child.wait_with_output().unwrap().into()
}

#[test]
fn a_header_without_an_equals_sign_is_null() {
    let (cluster, servers) = cluster();
    let words = [
        "produce", "events", "-b", &servers, "-H", "none", "-H", "empty=", "-H", "a=b=c",
    ];
    let shown = run_with(&words, "x\n");
    assert_eq!(shown.code, Some(0), "{shown:?}");
    let header = |name: &str, value: Option<&str>| (name.to_owned(), value.map(Into::into));
    let wanted = [
        header("none", None),
        header("empty", Some("")),
        header("a", Some("b=c")),
    ];
    assert_eq!(cluster.records("events", 0)[0].headers, wanted);
    let help = run(&["produce", "--help"]).out;
    assert!(
        help.contains("NAME= an empty one, NAME alone a null"),
        "{help}"
    );
}

#[test]
fn codecs_are_named_in_any_case() {
    let (cluster, servers) = cluster();
    let input = "the same words again and again\n".repeat(2000);
    for codec in ["GZIP", "Snappy", "lZ4", "NONE", "GZip:9"] {
        let words = ["produce", "events", "-b", &servers, "-z", codec];
        let shown = run_with(&words, &input);
        assert_eq!(shown.code, Some(0), "{codec}: {shown:?}");
    }
    assert_eq!(cluster.record_count("events"), 10_000);
}

#[test]
fn names_that_other_tools_have_are_understood() {
    let (cluster, servers) = cluster();
    let file = TempFile::new("value.txt", "from a file\n");
    let runs: [&[&str]; 6] = [
        // kcat
        &["produce", "-b", &servers, "-t", "events"],
        &["produce", "-t", "events", "-b", &servers, file.path()],
        &[
            "produce",
            file.path(),
            "--topic",
            "events",
            "--brokers",
            &servers,
        ],
        // kafka-console-producer
        &[
            "produce",
            "--bootstrap-server",
            &servers,
            "--topic",
            "events",
            "--producer-property",
            "linger.ms=1",
            "--compression-codec",
            "lz4",
            "--request-required-acks",
            "all",
        ],
        &["produce", "--broker-list", &servers, "--topic", "events"],
        &["produce", "events", "--bootstrap-servers", &servers],
    ];
    for words in runs {
        let shown = run_with(words, "piped\n");
        assert_eq!(shown.code, Some(0), "{words:?}: {shown:?}");
    }
    let piped = "piped".to_owned();
    let filed = "from a file".to_owned();
    assert_eq!(
        values(&cluster),
        [&piped, &filed, &filed, &piped, &piped, &piped].map(String::as_str)
    );
    let words = ["perf", "-t", "events", "--brokers", &servers, "-n", "10"];
    let shown = run(&words);
    assert_eq!(shown.code, Some(0), "{shown:?}");
}

#[test]
fn a_topic_must_be_named_once() {
    for words in [&["produce", "--embedded"][..], &["perf", "--embedded"]] {
        let shown = run(words);
        assert_eq!(shown.code, Some(2), "{shown:?}");
        assert!(shown.err.contains("<TOPIC>"), "{shown:?}");
    }
}

#[test]
fn the_environment_names_brokers_where_nothing_else_does() {
    let (cluster, servers) = cluster();
    let shown = run_in(&servers, &["produce", "events"], "a\n");
    assert_eq!(shown.code, Some(0), "{shown:?}");
    let shown = run_in("nowhere:1", &["produce", "events", "-b", &servers], "b\n");
    assert_eq!(shown.code, Some(0), "{shown:?}");
    let file = TempFile::new(
        "client.properties",
        format!("bootstrap.servers={servers}\n"),
    );
    let words = ["produce", "events", "-F", file.path()];
    let shown = run_in("nowhere:1", &words, "c\n");
    assert_eq!(shown.code, Some(0), "{shown:?}");
    let shown = run_in("nowhere:1", &["produce", "events", "--embedded"], "d\n");
    assert_eq!(shown.code, Some(0), "{shown:?}");
    assert_eq!(values(&cluster), ["a", "b", "c"]);
    let shown = run_in("", &["produce", "events"], "e\n");
    assert_eq!(shown.code, Some(2), "{shown:?}");
    assert!(shown.err.contains("DOWNPOUR_BROKERS"), "{shown:?}");
}

#[test]
fn a_file_of_properties_that_kafkas_tools_read_works() {
    let (cluster, servers) = cluster();
    let (host, port) = servers.split_once(':').unwrap();
    let text = format!(
        "# see org.apache.kafka.clients.producer.ProducerConfig\n\
         ! another way to remark\n\
         \n\
         bootstrap.servers = nowhere:1,\\\n    {host}\\:{port}\n\
         client.id: caf\\u00e9\n\
         compression.type lz4\n\
         \tlinger.ms\t=\t5\\\n\
         0\n\
         # remarks are not continued \\\n\
         security.protocol=PLAINTEXT\n\
         key.serializer=org.apache.kafka.common.serialization.StringSerializer\n\
         group.id=of-a-consumer\n"
    );
    let file = TempFile::new("client.properties", text);
    let words = ["-v", "produce", "events", "-F", file.path()];
    let shown = run_with(&words, "a\n");
    assert_eq!(shown.code, Some(0), "{shown:?}");
    assert!(
        shown.err.contains("group.id is a consumer's, and skipped"),
        "{shown:?}"
    );
    let asked = cluster.requests();
    assert!(
        asked
            .iter()
            .all(|request| request.client_id.as_deref() == Some("café")),
        "{asked:?}"
    );
}

#[test]
fn options_win_over_the_file_and_properties_over_options() {
    let (cluster, servers) = cluster();
    let file = TempFile::new(
        "client.properties",
        "bootstrap.servers=nowhere:1\nclient.id=file\nacks=0\n",
    );
    let words = [
        "produce",
        "events",
        "-F",
        file.path(),
        "-b",
        &servers,
        "-a",
        "all",
        "-X",
        "client.id=option",
    ];
    let shown = run_with(&words, "a\n");
    assert_eq!(shown.code, Some(0), "{shown:?}");
    assert!(shown.out.contains("offset 0"), "{shown:?}");
    let asked = cluster.requests();
    assert!(
        asked
            .iter()
            .all(|request| request.client_id.as_deref() == Some("option"))
    );
}

#[test]
fn what_is_wrong_in_a_file_of_properties_is_named_with_its_line() {
    let file = TempFile::new(
        "bad.properties",
        "linger.ms=5\n\nlinger=5\nclient.id=\\u00g1\n",
    );
    let words = ["produce", "events", "--embedded", "-F", file.path()];
    let shown = run_with(&words, "a\n");
    assert_eq!(shown.code, Some(2), "{shown:?}");
    assert!(
        shown.err.contains(&format!(
            "{}:4: \\u wants four hexadecimal digits",
            file.path()
        )),
        "{shown:?}"
    );
    let file = TempFile::new("unknown.properties", "linger.ms=5\n\nlinger=5\n");
    let words = ["produce", "events", "--embedded", "-F", file.path()];
    let shown = run_with(&words, "a\n");
    assert_eq!(shown.code, Some(2), "{shown:?}");
    assert!(shown.err.contains("did you mean linger.ms?"), "{shown:?}");
    let shown = run(&["produce", "events", "--embedded", "-F", "no-such-file"]);
    assert_eq!(shown.code, Some(2), "{shown:?}");
    assert!(
        shown.err.contains("no-such-file: cannot be read"),
        "{shown:?}"
    );
}

#[test]
fn security_in_a_file_is_never_dropped_and_never_shown() {
    let file = TempFile::new(
        "client.properties",
        "bootstrap.servers=localhost:1\nsecurity.protocol=SASL_SSL\nsasl.mechanism=PLAIN\n\
         sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required \\\n\
         username=\"me\" \\\n  password=\"tell-nobody-7731\";\n",
    );
    let words = [
        "-vv",
        "produce",
        "events",
        "--ignore-unsupported",
        "-F",
        file.path(),
    ];
    let shown = run_with(&words, "a\n");
    assert_eq!(shown.code, Some(2), "{shown:?}");
    assert!(shown.err.contains("neither TLS nor SASL"), "{shown:?}");
    assert!(!shown.err.contains("tell-nobody"), "{shown:?}");
}

#[test]
fn who_cannot_be_reached_is_said_within_the_limit() {
    // A port that was free a moment ago refuses.
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let servers = free.local_addr().unwrap().to_string();
    drop(free);
    // One that accepts and says nothing.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let silent = silent
        .local_addr()
        .map(|at| (at.to_string(), silent))
        .unwrap();
    for servers in [&servers, &silent.0] {
        for command in ["produce", "perf"] {
            // Without it these are the library's 60 s.
            let words = [command, "events", "-b", servers, "--reach-within", "0.5"];
            let shown = run_with(&words, "a\n");
            assert_eq!(shown.code, Some(2), "{shown:?}");
            assert!(
                shown.err.contains("no metadata for topic events within"),
                "{shown:?}"
            );
            assert!(shown.err.contains("--reach-within SECONDS"), "{shown:?}");
        }
    }
    let help = run(&["produce", "--help"]).out;
    assert!(help.contains("[default: 10]"), "{help}");
}

#[test]
fn a_start_that_max_block_ends_is_not_said_to_need_another_option() {
    let words = ["produce", "events", "--embedded", "-X", "max.block.ms=0"];
    let shown = run_with(&words, "a\n");
    assert_eq!(shown.code, Some(2), "{shown:?}");
    assert!(
        shown.err.contains("a larger max.block.ms waits longer"),
        "{shown:?}"
    );
    assert!(!shown.err.contains("--reach-within"), "{shown:?}");
}

#[test]
fn a_topic_that_does_not_exist_is_said_within_the_limit() {
    let cluster = FakeCluster::builder().auto_create(false).start().unwrap();
    let servers = cluster.bootstrap_servers();
    let words = ["produce", "evnets", "-b", &servers, "--reach-within", "0.5"];
    let shown = run_with(&words, "a\n");
    assert_eq!(shown.code, Some(2), "{shown:?}");
    assert!(shown.err.contains("evnets"), "{shown:?}");
    assert!(
        shown.err.contains("UNKNOWN_TOPIC_OR_PARTITION"),
        "{shown:?}"
    );
    assert!(shown.err.contains("nothing was sent"), "{shown:?}");
}

#[test]
fn the_limit_of_the_start_is_none_for_records() {
    let (cluster, servers) = cluster();
    cluster.fault(
        Fault::delay(Duration::from_secs(1))
            .on(ApiKey::Produce)
            .always(),
    );
    // Most records wait for memory for longer than the start may take.
    let words = [
        "produce",
        "events",
        "-b",
        &servers,
        "--reach-within",
        "0.5",
        "-X",
        "buffer.memory=32768",
        "-X",
        "batch.size=16384",
    ];
    let input = format!("{}\n", "x".repeat(15_000)).repeat(6);
    let shown = run_with(&words, &input);
    assert_eq!(shown.code, Some(0), "{shown:?}");
    let values = cluster.records("events", 0);
    assert_eq!(values.iter().filter_map(FakeRecord::value_str).count(), 6);
}
