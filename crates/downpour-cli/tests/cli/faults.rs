//! What goes wrong on the way: each failed record is listed, with what is known of it.

use std::io::{BufRead, BufReader, Write};
use std::time::{Duration, Instant};

use downpour_fake::{ApiKey, ErrorCode, FakeCluster, Fault};
use serde_json::Value;

use super::{Run, run_with, start};

fn cluster() -> (FakeCluster, String) {
    let cluster = FakeCluster::builder().topic("events", 1).start().unwrap();
    let servers = cluster.bootstrap_servers();
    (cluster, servers)
}

#[test]
fn records_that_a_broker_refuses_are_listed_as_not_written() {
    let (cluster, servers) = cluster();
    let refusal = Fault::error(ErrorCode::TOPIC_AUTHORIZATION_FAILED);
    cluster.fault(refusal.on(ApiKey::Produce).always());
    let shown = run_with(&["produce", "events", "-b", &servers], "a\nb\nc\n");
    assert_eq!(shown.code, Some(1), "{shown:?}");
    assert!(shown.err.contains("stdin:1"), "{shown:?}");
    assert!(
        shown
            .err
            .contains("not written: TOPIC_AUTHORIZATION_FAILED"),
        "{shown:?}"
    );
    assert!(shown.err.contains("3 records not written"), "{shown:?}");
    assert!(shown.out.contains("0 records acknowledged"), "{shown:?}");
    assert_eq!(cluster.record_count("events"), 0);
}

#[test]
fn a_lost_answer_that_is_found_again_is_written_once() {
    let (cluster, servers) = cluster();
    cluster.fault(Fault::apply_and_lose_answer().on(ApiKey::Produce));
    let shown = run_with(&["produce", "events", "-b", &servers, "--json"], "a\nb\n");
    assert_eq!(shown.code, Some(0), "{shown:?}");
    cluster.assert_delivered_once("events", ["a", "b"]);
}

#[test]
fn records_of_which_nobody_can_say_are_listed_as_maybe_written() {
    let (cluster, servers) = cluster();
    cluster.fault(Fault::apply_and_hang().on(ApiKey::Produce).always());
    let words = [
        "produce",
        "events",
        "-b",
        &servers,
        "--json",
        "-X",
        "request.timeout.ms=300",
        "-X",
        "delivery.timeout.ms=800",
    ];
    let shown = run_with(&words, "a\n");
    assert_eq!(shown.code, Some(1), "{shown:?}");
    let (records, summary) = shown.records();
    assert_eq!(records[0]["written"], "unknown", "{shown:?}");
    assert_eq!(records[0]["line"], 1);
    assert_eq!(summary["unknown"], 1);
    assert_eq!(cluster.record_count("events"), 1);
}

#[test]
fn lines_that_fail_alike_are_one_line_of_output() {
    let (cluster, servers) = cluster();
    let refusal = Fault::error(ErrorCode::INVALID_REQUIRED_ACKS);
    cluster.fault(refusal.on(ApiKey::Produce).always());
    let input = "x\n".repeat(1000);
    let shown = run_with(
        &["produce", "events", "-b", &servers, "-X", "linger.ms=200"],
        &input,
    );
    assert_eq!(shown.code, Some(1), "{shown:?}");
    assert!(shown.err.contains("stdin:1-1000: not written"), "{shown:?}");
}

#[cfg(unix)]
fn signal(child: &std::process::Child, signal: nix::sys::signal::Signal) {
    let pid = nix::unistd::Pid::from_raw(i32::try_from(child.id()).unwrap());
    nix::sys::signal::kill(pid, signal).unwrap();
}

/// Sends a signal as a terminal's Ctrl-C does.
#[cfg(unix)]
fn interrupt(child: &std::process::Child) {
    signal(child, nix::sys::signal::Signal::SIGINT);
}

/// As timeout(1) does, which signals the process and then its group.
#[cfg(unix)]
#[test]
fn signals_that_come_together_are_one() {
    use nix::sys::signal::Signal;
    let (cluster, servers) = cluster();
    cluster.fault(Fault::delay(Duration::from_millis(700)).on(ApiKey::Produce));
    let mut child = start(&["produce", "events", "-b", &servers]);
    let mut input = child.stdin.take().unwrap();
    writeln!(input, "one").unwrap();
    while cluster.request_count(ApiKey::Produce) == 0 {
        std::thread::sleep(Duration::from_millis(1));
    }
    // Two of the same could become one on their way.
    signal(&child, Signal::SIGINT);
    signal(&child, Signal::SIGTERM);
    let run = Run::from(child.wait_with_output().unwrap());
    assert!(!run.err.contains("interrupted again"), "{run:?}");
    assert!(run.out.contains("1 record acknowledged"), "{run:?}");
    assert!([130, 143].map(Some).contains(&run.code), "{run:?}");
}

#[cfg(unix)]
#[test]
fn a_second_signal_that_comes_later_ends_at_once() {
    let (cluster, servers) = cluster();
    cluster.fault(Fault::hang().on(ApiKey::Produce).always());
    let mut child = start(&["produce", "events", "-b", &servers]);
    let mut input = child.stdin.take().unwrap();
    writeln!(input, "one").unwrap();
    while cluster.request_count(ApiKey::Produce) == 0 {
        std::thread::sleep(Duration::from_millis(1));
    }
    while child.try_wait().unwrap().is_none() {
        interrupt(&child);
        std::thread::sleep(Duration::from_millis(50));
    }
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("interrupted again"), "{said}");
    assert_eq!(output.status.code(), Some(130));
}

#[cfg(unix)]
#[test]
fn an_interrupt_of_an_endless_pipe_keeps_what_was_accepted() {
    let (cluster, servers) = cluster();
    let mut child = start(&["produce", "events", "-b", &servers, "--json"]);
    let mut input = child.stdin.take().unwrap();
    writeln!(input, "one\ntwo").unwrap();
    let mut output = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(output.next().unwrap().unwrap().contains("\"line\":1"));
    interrupt(&child);
    let rest: Vec<String> = output.map(Result::unwrap).collect();
    let last: Value = serde_json::from_str(rest.last().unwrap()).unwrap();
    assert_eq!(last["summary"]["acknowledged"], 2, "{rest:?}");
    assert_eq!(last["summary"]["stopped"]["line"], 3, "{rest:?}");
    assert_eq!(child.wait().unwrap().code(), Some(130));
    cluster.assert_delivered_once("events", ["one", "two"]);
}

#[cfg(unix)]
#[test]
fn an_interrupt_while_nothing_moves_lists_what_was_not_delivered() {
    let (cluster, servers) = cluster();
    cluster.fault(Fault::hang().on(ApiKey::Produce).always());
    let mut child = start(&[
        "produce",
        "events",
        "-b",
        &servers,
        "-X",
        "buffer.memory=131072",
    ]);
    let mut input = child.stdin.take().unwrap();
    // More than the buffer takes, so that a send is waiting too.
    let feeding = std::thread::spawn(move || {
        let line = format!("{}\n", "x".repeat(1000));
        while input.write_all(line.as_bytes()).is_ok() {}
    });
    while cluster.request_count(ApiKey::Produce) == 0 {
        std::thread::sleep(Duration::from_millis(10));
    }
    std::thread::sleep(Duration::from_millis(200));
    let began = Instant::now();
    interrupt(&child);
    let output = child.wait_with_output().unwrap();
    assert!(began.elapsed() < Duration::from_secs(20));
    feeding.join().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(130), "{said}");
    assert!(said.contains("stdin:1"), "{said}");
    assert!(said.contains("maybe written"), "{said}");
    assert!(said.contains("stopped before line"), "{said}");
    assert!(said.contains("interrupted"), "{said}");
}
