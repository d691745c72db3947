//! What is refused before anything is sent, and in which words.

use std::io::Write;
use std::process::Stdio;

use downpour_fake::{ApiKey, FakeCluster};

use super::{TempFile, command, run, run_with};

/// Runs it against a cluster that must not see a record, and gives what it said.
#[track_caller]
fn refused(options: &[&str], input: &str) -> String {
    let cluster = FakeCluster::builder().topic("events", 3).start().unwrap();
    let servers = cluster.bootstrap_servers();
    let mut words = vec!["produce", "events", "-b", &servers];
    words.extend(options);
    let shown = run_with(&words, input);
    assert_eq!(shown.code, Some(2), "{shown:?}");
    assert_eq!(cluster.request_count(ApiKey::Produce), 0);
    assert_eq!(shown.out, "");
    shown.err
}

#[test]
fn broken_lines_of_a_file_are_all_named_and_nothing_is_sent() {
    let file = TempFile::new(
        "bad.ndjson",
        "{\"value\":1}\n{\"vlaue\":2}\n{\"value\":3}\n{\"value\":\n",
    );
    let said = refused(&[file.path()], "");
    assert!(
        said.contains(&format!(
            "{}:2: column 8: unknown field `vlaue`",
            file.path()
        )),
        "{said}"
    );
    assert!(
        said.contains(&format!("{}:4: column 9: not JSON", file.path())),
        "{said}"
    );
    assert!(said.contains("nothing was sent"), "{said}");
}

#[test]
fn a_partition_that_is_not_there_is_found_before_anything_is_sent() {
    let file = TempFile::new(
        "far.ndjson",
        "{\"value\":1}\n{\"value\":2,\"partition\":3}\n",
    );
    let said = refused(&[file.path()], "");
    assert!(
        said.contains(":2: partition is 3, but events has 3 partitions"),
        "{said}"
    );
    let said = refused(&["-p", "9"], "x\n");
    assert!(said.contains("--partition: partition is 9"), "{said}");
}

#[test]
fn settings_that_do_not_work_are_all_named() {
    let options = [
        "-X",
        "linger=5",
        "-X",
        "acks=1",
        "-X",
        "enable.idempotence=true",
        "-X",
        "security.protocol=SSL",
    ];
    let said = refused(&options, "x\n");
    assert!(said.contains("did you mean linger.ms?"), "{said}");
    assert!(said.contains("this version has no TLS"), "{said}");
    let both = "acks=1 with enable.idempotence=true: idempotence needs acks=all";
    assert!(said.contains(both), "{said}");
    let said = refused(&["-z", "brotli"], "x\n");
    assert!(
        said.contains("\"brotli\" is no codec; there are none, gzip"),
        "{said}"
    );
    let said = refused(&["-X", "linger.ms"], "x\n");
    assert!(said.contains("there is no '='; write NAME=VALUE"), "{said}");
}

#[test]
fn a_wish_for_security_or_transactions_is_never_dropped() {
    for property in [
        "security.protocol=SASL_SSL",
        "security.protocol=ssl",
        "sasl.username=me",
        "enable.ssl.certificate.verification=false",
        "transactional.id=t",
    ] {
        let said = refused(&["--ignore-unsupported", "-X", property], "x\n");
        let name = property.split('=').next().unwrap();
        assert!(said.contains(name), "{said}");
    }
}

#[test]
fn a_secret_is_shown_nowhere() {
    for name in [
        "sasl.jaas.config",
        "sasl.password",
        "sasl.oauthbearer.config",
        "sasl.oauthbearer.client.secret",
        "sasl.oauthbearer.assertion.private.key.passphrase",
        "ssl.key.password",
        "ssl.key.pem",
        "ssl_key",
        "ssl.keystore.key",
        "ssl.keystore.certificate.chain",
        "ssl.truststore.certificates",
        "ssl.truststore.password",
        "api.token",
    ] {
        let property = format!("{name}=tell-nobody-7731");
        let options = ["-v", "-v", "--ignore-unsupported", "-X", &property];
        let said = refused(&options, "x\n");
        assert!(said.contains(name), "{said}");
        assert!(!said.contains("tell-nobody"), "{said}");
    }
}

#[test]
fn files_that_cannot_be_read_are_all_named() {
    let here = env!("CARGO_MANIFEST_DIR");
    let said = refused(&["no-such-file", here], "");
    assert!(said.contains("no-such-file: cannot be opened"), "{said}");
    assert!(said.contains("is a directory"), "{said}");
}

#[test]
fn a_bad_topic_is_refused_with_the_remedy() {
    for topic in ["a b", "..", &"x".repeat(250)] {
        let shown = run_with(&["produce", topic, "--embedded"], "x\n");
        assert_eq!(shown.code, Some(2), "{shown:?}");
        let named = format!("cannot create topic {topic:?}: a name has 1 to 249 of");
        assert!(shown.err.contains(&named), "{shown:?}");
    }
}

#[test]
fn without_brokers_the_command_says_what_to_give() {
    let shown = run(&["produce", "events"]);
    assert_eq!(shown.code, Some(2), "{shown:?}");
    assert!(
        shown.err.contains("--bootstrap HOST:PORT, or --embedded"),
        "{shown:?}"
    );
}

#[test]
fn brokers_that_do_not_answer_are_named_with_what_each_said() {
    // A port that was free a moment ago refuses.
    let free = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let servers = free.to_string();
    let words = [
        "produce",
        "events",
        "-b",
        &servers,
        "-X",
        "max.block.ms=300",
    ];
    let shown = run_with(&words, "x\n");
    assert_eq!(shown.code, Some(2), "{shown:?}");
    assert!(
        shown.err.contains(&format!("unreachable: {servers} (")),
        "{shown:?}"
    );
    assert!(shown.err.contains("refused"), "{shown:?}");
    assert!(shown.err.contains("nothing was sent"), "{shown:?}");
}

#[test]
fn a_broken_line_of_a_pipe_stops_there_and_the_records_before_are_delivered() {
    let words = ["produce", "events", "--embedded", "--json", "-K", "="];
    let shown = run_with(&words, "a=1\nb=2\nbroken\nc=3\n");
    assert_eq!(shown.code, Some(1), "{shown:?}");
    let (records, summary) = shown.records();
    let written: Vec<_> = records
        .iter()
        .map(|r| r["written"].as_str().unwrap())
        .collect();
    assert_eq!(written, ["yes", "yes", "no"]);
    assert!(
        records[2]["error"]
            .as_str()
            .unwrap()
            .starts_with("key is missing")
    );
    assert_eq!(summary["stopped"]["line"], 3);
    assert_eq!(summary["complete"], false);
}

#[test]
fn broken_lines_can_be_skipped_and_are_listed() {
    let shown = run_with(
        &[
            "produce",
            "events",
            "--embedded",
            "--keep-going",
            "-f",
            "ndjson",
        ],
        "{\"value\":1}\nnonsense\n{\"value\":3}\n",
    );
    assert_eq!(shown.code, Some(1), "{shown:?}");
    assert!(
        shown
            .err
            .contains("stdin:2: not sent: nonsense is not a JSON object"),
        "{shown:?}"
    );
    assert!(shown.out.contains("2 records acknowledged"), "{shown:?}");
}

#[test]
fn a_record_over_the_limit_is_refused_with_its_line() {
    let input = format!("small\n{}\n", "x".repeat(2 << 20));
    let shown = run_with(&["produce", "events", "--embedded"], &input);
    assert_eq!(shown.code, Some(1), "{shown:?}");
    assert!(
        shown
            .err
            .contains("stdin:2: not sent: invalid record: value makes a batch of")
    );
    assert!(shown.out.contains("1 record acknowledged"), "{shown:?}");
}

#[test]
fn a_line_that_never_ends_is_refused_and_takes_little_memory() {
    let mut child = command(&["produce", "events", "--embedded"])
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    let piece = vec![b'x'; 1 << 20];
    // It stops reading long before this.
    let written = (0..256)
        .take_while(|_| input.write_all(&piece).is_ok())
        .count();
    drop(input);
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("stopped before line 1 of stdin"), "{said}");
    assert!(said.contains("longer than 16777216 bytes"), "{said}");
    assert!(written < 64, "{written} MiB were read");
}
