//! What programs read of it: JSON and the help's way to filter it, and an output that is closed.

use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};

use downpour_fake::{ApiKey, ErrorCode, FakeCluster, Fault};

use super::{command, run, run_with, start};

fn cluster() -> (FakeCluster, String) {
    let cluster = FakeCluster::builder().topic("events", 1).start().unwrap();
    let servers = cluster.bootstrap_servers();
    (cluster, servers)
}

/// What jq prints of some output, by the filter that the help names.
fn filtered(output: &str) -> Vec<String> {
    let help = run(&["produce", "--help"]).out;
    let (_, rest) = help.split_once("jq -c '").expect("the help names a filter");
    let (filter, _) = rest.split_once('\'').unwrap();
    let jq = Command::new("jq")
        .args(["-c", filter])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn();
    let Ok(mut jq) = jq else {
        // Without jq, what this filter says is done here.
        assert_eq!(
            filter,
            r#"select(.written == "no" or .written == "unknown")"#
        );
        let is_chosen = |line: &&str| {
            line.contains(r#""written":"no""#) || line.contains(r#""written":"unknown""#)
        };
        return output
            .lines()
            .filter(is_chosen)
            .map(str::to_owned)
            .collect();
    };
    jq.stdin
        .take()
        .unwrap()
        .write_all(output.as_bytes())
        .unwrap();
    let output = jq.wait_with_output().unwrap();
    assert!(output.status.success(), "{filter}");
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().map(str::to_owned).collect()
}

#[test]
fn the_helps_filter_shows_what_is_not_acknowledged_and_nothing_else() {
    let words = ["produce", "events", "--embedded", "--json"];
    let shown = run_with(&words, "a\nb\n");
    assert_eq!(shown.code, Some(0), "{shown:?}");
    assert_eq!(filtered(&shown.out), [""; 0]);
    let (cluster, servers) = cluster();
    let refusal = Fault::error(ErrorCode::TOPIC_AUTHORIZATION_FAILED);
    cluster.fault(refusal.on(ApiKey::Produce).always());
    let words = ["produce", "events", "-b", &servers, "--json"];
    let shown = run_with(&words, "a\nb\n");
    assert_eq!(shown.code, Some(1), "{shown:?}");
    let told = filtered(&shown.out);
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(
        told.iter().all(|line| line.contains("\"line\":")),
        "{told:?}"
    );
}

#[test]
fn seconds_have_no_more_digits_than_a_clock() {
    for _ in 0..5 {
        let shown = run_with(&["produce", "events", "--embedded", "--json"], "a\n");
        let (_, rest) = shown.out.split_once("\"seconds\":").unwrap();
        let digits = rest.split(',').next().unwrap();
        let (_, decimals) = digits.split_once('.').unwrap_or_default();
        assert!(decimals.len() <= 6, "{digits}");
    }
}

#[cfg(unix)]
#[test]
fn a_reader_that_goes_away_ends_the_run_though_the_input_stays_open() {
    let (cluster, servers) = cluster();
    let mut child = start(&["produce", "events", "-b", &servers, "--json"]);
    let mut input = child.stdin.take().unwrap();
    writeln!(input, "one").unwrap();
    let mut output = BufReader::new(child.stdout.take().unwrap());
    output.read_line(&mut String::new()).unwrap();
    drop(output);
    // Nothing else is written: it sees by itself that nobody reads.
    let ended = child.wait_with_output().unwrap();
    drop(input);
    let said = String::from_utf8(ended.stderr).unwrap();
    assert_eq!(ended.status.code(), Some(141), "{said}");
    assert!(said.contains("standard output was closed"), "{said}");
    assert!(said.contains("1 record acknowledged"), "{said}");
    cluster.assert_delivered_once("events", ["one"]);
    let help = run(&["--help"]).out;
    assert!(help.contains("141"), "{help}");
}

#[cfg(unix)]
#[test]
fn an_endless_input_is_not_sent_on_to_nobody() {
    let (cluster, servers) = cluster();
    let mut child = command(&["produce", "events", "-b", &servers, "--json"])
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let mut input = child.stdin.take().unwrap();
    // It ends when nobody reads the pipe.
    while input.write_all(b"value\n").is_ok() {}
    let ended = child.wait_with_output().unwrap();
    let said = String::from_utf8(ended.stderr).unwrap();
    assert_eq!(ended.status.code(), Some(141), "{said}");
    assert!(said.contains("stopped before line"), "{said}");
    // What was accepted has its verdict, and all of it is counted.
    let count = cluster.record_count("events");
    let noun = if count == 1 { "record" } else { "records" };
    let digits: String = said.chars().filter(|letter| *letter != ',').collect();
    assert!(
        digits.contains(&format!("{count} {noun} acknowledged")),
        "{count}: {said}"
    );
    cluster.assert_no_violations();
}

#[cfg(target_os = "linux")]
#[test]
fn an_output_that_is_full_ends_the_run() {
    let (_cluster, servers) = cluster();
    let mut child = command(&["produce", "events", "-b", &servers, "--json"])
        .stdout(
            std::fs::File::options()
                .write(true)
                .open("/dev/full")
                .unwrap(),
        )
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    while input.write_all(b"value\n").is_ok() {}
    let ended = child.wait_with_output().unwrap();
    let said = String::from_utf8(ended.stderr).unwrap();
    assert_eq!(ended.status.code(), Some(1), "{said}");
    assert!(said.contains("cannot be written"), "{said}");
}

#[cfg(unix)]
#[test]
fn an_output_that_does_not_block_is_told_everything() {
    use std::os::fd::OwnedFd;
    use std::os::unix::net::UnixStream;

    let (reader, writer) = UnixStream::pair().unwrap();
    writer.set_nonblocking(true).unwrap();
    let (cluster, servers) = cluster();
    let mut child = command(&["produce", "events", "-b", &servers, "--json"])
        .stdout(Stdio::from(OwnedFd::from(writer)))
        .spawn()
        .unwrap();
    let input = "value\n".repeat(20_000);
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(input.as_bytes()).unwrap();
    drop(stdin);
    // By then the pipe is full of results that nobody has read.
    while cluster.record_count("events") < 20_000 {
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    let lines = BufReader::new(reader).lines();
    assert_eq!(lines.map_while(Result::ok).count(), 20_001);
    assert_eq!(child.wait().unwrap().code(), Some(0));
}
