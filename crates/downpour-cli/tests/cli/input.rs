//! Bytes as they come: marks, line ends, long lines, pipes that do not block. What arrives of good
//! input otherwise is in `produce`.

use std::io::{BufRead, BufReader, Write};
use std::process::Stdio;

use downpour_fake::FakeCluster;

use super::{TempFile, command, run, run_with, values};

fn cluster() -> (FakeCluster, String) {
    let cluster = FakeCluster::builder().topic("events", 1).start().unwrap();
    let servers = cluster.bootstrap_servers();
    (cluster, servers)
}

#[cfg(unix)]
#[test]
fn a_pipe_that_does_not_block_is_read_to_its_end() {
    use std::os::fd::OwnedFd;
    use std::os::unix::net::UnixStream;

    let (cluster, servers) = cluster();
    // As Node makes them.
    let (reader, mut writer) = UnixStream::pair().unwrap();
    reader.set_nonblocking(true).unwrap();
    let mut child = command(&["produce", "events", "-b", &servers, "--json"])
        .stdin(Stdio::from(OwnedFd::from(reader)))
        .spawn()
        .unwrap();
    let mut output = BufReader::new(child.stdout.take().unwrap()).lines();
    // The pipe is empty before each of these, and in the middle of the last line.
    for number in 1..=3 {
        writeln!(writer, "value {number}").unwrap();
        let line = output.next().unwrap().unwrap();
        assert!(line.contains(&format!("\"line\":{number},")), "{line}");
    }
    write!(writer, "no end").unwrap();
    drop(writer);
    assert_eq!(output.count(), 2);
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert_eq!(
        values(&cluster),
        ["value 1", "value 2", "value 3", "no end"]
    );
}

#[test]
fn a_byte_order_mark_is_no_part_of_the_first_record() {
    let (cluster, servers) = cluster();
    let objects = TempFile::new("mark.ndjson", "\u{feff}{\"key\":\"k0\",\"value\":\"v0\"}\n");
    let lines = TempFile::new("mark.txt", "\u{feff}k1=v1\n\u{feff}k2=v2\n");
    let words = ["produce", "events", "-b", &servers, "-K", "="];
    let shown = run(&[&words[..], &[objects.path(), lines.path()]].concat());
    assert_eq!(shown.code, Some(0), "{shown:?}");
    let shown = run_with(&words, "\u{feff}k3=v3\n");
    assert_eq!(shown.code, Some(0), "{shown:?}");
    let keys: Vec<_> = cluster
        .records("events", 0)
        .iter()
        .map(|record| record.key_str().unwrap())
        .collect();
    // In the middle it is what the input has there.
    assert_eq!(keys, ["k0", "k1", "\u{feff}k2", "k3"]);
}

#[test]
fn utf_16_is_named_where_json_is_expected() {
    let text: Vec<u8> = "\u{feff}{\"value\":1}\r\n"
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    let file = TempFile::new("wide.ndjson", text);
    let shown = run(&["produce", "events", "--embedded", file.path()]);
    assert_eq!(shown.code, Some(2), "{shown:?}");
    assert!(shown.err.contains(":1: is UTF-16"), "{shown:?}");
    assert!(shown.err.contains("iconv"), "{shown:?}");
}

#[test]
fn only_a_carriage_return_before_a_line_feed_ends_a_line() {
    let (cluster, servers) = cluster();
    let shown = run_with(
        &["produce", "events", "-b", &servers],
        "one\r\ntwo\r\r\nth\rree\nfour\r",
    );
    assert_eq!(shown.code, Some(0), "{shown:?}");
    assert_eq!(values(&cluster), ["one", "two\r", "th\rree", "four\r"]);
}

#[test]
fn lines_may_be_as_long_as_the_largest_record_makes_them() {
    let cluster = FakeCluster::builder()
        .topic("events", 1)
        .max_message_bytes(40_000_000)
        .start()
        .unwrap();
    let servers = cluster.bootstrap_servers();
    let long = "x".repeat(20_000_000);
    // Escaped text is six times as long as what it says.
    let escaped = format!("{{\"value\":\"{}\"}}\n", "\\u0041".repeat(4_000_000));
    let mut words = vec!["produce", "events", "-b", &servers];
    words.extend(["-X", "max.request.size=30000000"]);
    let shown = run_with(&words, &format!("{long}\nshort\n"));
    assert_eq!(shown.code, Some(0), "{shown:?}");
    words.extend(["-f", "ndjson"]);
    let shown = run_with(&words, &escaped);
    assert_eq!(shown.code, Some(0), "{shown:?}");
    let lengths: Vec<_> = values(&cluster).iter().map(String::len).collect();
    assert_eq!(lengths, [20_000_000, 5, 4_000_000]);
}

#[test]
fn a_refused_line_is_where_it_stopped() {
    for (input, line) in [("a=1\nb=2\nbroken\n", 3), ("broken\n\n", 1)] {
        let shown = run_with(&["produce", "events", "--embedded", "-K", "="], input);
        assert_eq!(shown.code, Some(1), "{shown:?}");
        let stopped = format!("stopped before line {line} of stdin");
        assert!(shown.err.contains(&stopped), "{shown:?}");
    }
}

#[test]
fn a_timestamp_in_microseconds_is_refused() {
    let micros = "1732147200000000";
    let shown = run_with(
        &["produce", "events", "--embedded", "-f", "ndjson"],
        &format!("{{\"value\":1,\"timestamp\":{micros}}}\n"),
    );
    assert_eq!(shown.code, Some(1), "{shown:?}");
    assert!(
        shown.err.contains("timestamp is 1732147200000000"),
        "{shown:?}"
    );
    assert!(shown.err.contains("milliseconds since 1970"), "{shown:?}");
    let shown = run(&["produce", "events", "--embedded", "--timestamp", micros]);
    assert_eq!(shown.code, Some(2), "{shown:?}");
    assert!(shown.err.contains("not microseconds"), "{shown:?}");
    let shown = run_with(
        &[
            "produce",
            "events",
            "--embedded",
            "--timestamp",
            "1732147200000",
        ],
        "a\n",
    );
    assert_eq!(shown.code, Some(0), "{shown:?}");
}

#[cfg(unix)]
#[test]
fn files_show_how_much_is_done_and_the_time_that_is_left() {
    use std::fs::File;
    use std::io::Read;

    use downpour_fake::{ApiKey, Fault};

    // One record of two arrives: the second's leader does not answer.
    let cluster = FakeCluster::builder()
        .brokers(2)
        .topic("events", 2)
        .start()
        .unwrap();
    let servers = cluster.bootstrap_servers();
    let silent = cluster.leader("events", 1);
    assert_ne!(silent, cluster.leader("events", 0));
    let hang = Fault::hang().on(ApiKey::Produce);
    cluster.fault(hang.broker(silent).always());
    // As long as what is read at once.
    let half = |partition| {
        let start = format!("{{\"partition\":{partition},\"value\":\"");
        let value = "x".repeat(64 * 1024 - start.len() - 3);
        format!("{start}{value}\"}}\n")
    };
    let file = TempFile::new("halves.ndjson", half(0) + &half(1));
    let terminal = nix::pty::openpty(
        Some(&nix::pty::Winsize {
            ws_row: 24,
            ws_col: 120,
            ws_xpixel: 0,
            ws_ypixel: 0,
        }),
        None,
    )
    .unwrap();
    let words = ["produce", "events", "-b", &servers, file.path()];
    let mut child = command(&words)
        .stderr(Stdio::from(terminal.slave))
        .spawn()
        .unwrap();
    let mut screen = File::from(terminal.master);
    let mut shown = String::new();
    let mut piece = [0; 4096];
    while !(shown.contains("50%") && shown.contains(" left")) {
        let read = screen.read(&mut piece).unwrap_or(0);
        assert_ne!(read, 0, "{shown}");
        shown.push_str(&String::from_utf8_lossy(&piece[..read]));
    }
    child.kill().unwrap();
    child.wait().unwrap();
}
