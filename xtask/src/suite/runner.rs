//! Runs cargo for one section: shows what it prints, counts the tests in it, and ends it with all
//! its children when it hangs.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use kafka_harness::Process;

use super::tally::Tally;

/// So many printed lines may wait to be shown.
const LINES_MAX: usize = 1000;

/// Runs cargo and returns how many tests passed; a section without tests counts as one.
///
/// # Errors
/// When cargo or a test fails, or it takes too long; with the counts until then.
pub(super) fn cargo(
    toolchain: Option<&str>,
    dir: &Path,
    arguments: &[&str],
    env: &[(&str, &str)],
    within: Duration,
) -> Result<Tally, (Tally, String)> {
    let failed = |tally: Tally, what: String| {
        // Code that does not compile has no test that could fail.
        (
            Tally {
                failed: tally.failed.max(1),
                ..tally
            },
            what,
        )
    };
    let mut command = match toolchain {
        Some(name) => {
            let mut rustup = Command::new("rustup");
            // Variables that cargo sets for its children name the toolchain in use, not this one.
            rustup.args(["run", name, "cargo"]).env_remove("RUSTC");
            rustup.env_remove("RUSTDOC").env_remove("CARGO");
            rustup
        }
        None => Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into())),
    };
    command
        .args(arguments)
        .current_dir(dir)
        .envs(env.iter().copied());
    let started = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn();
    let mut child = started.map_err(|error| failed(Tally::default(), format!("cargo: {error}")))?;
    let mut tally = Tally::default();
    let lines = child.stdout.take().map(lines);
    let until = Instant::now() + within;
    let in_time = lines.is_none_or(|lines| show(&lines, until, &mut tally));
    if !in_time {
        end(&mut child);
        return Err(failed(tally, format!("ended after {} s", within.as_secs())));
    }
    let status = child
        .wait()
        .map_err(|error| failed(tally, error.to_string()))?;
    if !status.success() {
        return Err(failed(
            tally,
            format!("cargo {}: {status}", arguments.join(" ")),
        ));
    }
    if tally.is_empty() {
        tally.passed = 1;
    }
    Ok(tally)
}

/// Reads lines on a thread of its own, because a read cannot be interrupted after a time.
fn lines(from: impl Read + Send + 'static) -> Receiver<String> {
    let (sender, receiver) = sync_channel(LINES_MAX);
    thread::spawn(move || {
        let mut from = BufReader::new(from);
        let mut line = Vec::new();
        while from.read_until(b'\n', &mut line).is_ok_and(|len| len > 0) {
            let text = String::from_utf8_lossy(&line).trim_end().to_owned();
            if sender.send(text).is_err() {
                return;
            }
            line.clear();
        }
    });
    receiver
}

/// Shows and counts lines to their end, and returns whether that came in time.
fn show(lines: &Receiver<String>, until: Instant, tally: &mut Tally) -> bool {
    loop {
        match lines.recv_timeout(until.saturating_duration_since(Instant::now())) {
            Ok(line) => {
                println!("{line}");
                tally.read_line(&line);
            }
            Err(RecvTimeoutError::Disconnected) => return true,
            Err(RecvTimeoutError::Timeout) => return false,
        }
    }
}

/// Ends a child and all that it started.
fn end(child: &mut Child) {
    for process in Process::descendants(child.id()) {
        // One that cannot be killed has ended.
        let _ = process.kill();
    }
    let _ = child.kill();
    let _ = child.wait();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_that_never_end_are_given_up() {
        let mut child = Command::new("sh")
            .args(["-c", "echo a; sleep 600"])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = lines(child.stdout.take().unwrap());
        let mut tally = Tally::default();
        assert!(!show(
            &lines,
            Instant::now() + Duration::from_millis(300),
            &mut tally
        ));
        let below = Process::descendants(child.id());
        end(&mut child);
        assert!(!below.is_empty(), "it started a sleep");
        // Killed is not gone: on a busy machine the kernel takes a moment to end a process.
        let begun = Instant::now();
        while below.iter().any(Process::is_alive) {
            assert!(begun.elapsed() < Duration::from_secs(60), "{below:?}");
            thread::sleep(Duration::from_millis(1));
        }
    }

    #[test]
    fn cargo_that_fails_without_tests_is_one_failure() {
        let within = Duration::from_secs(60);
        let (tally, _) =
            cargo(None, Path::new("."), &["no-such-command"], &[], within).unwrap_err();
        assert_eq!(
            tally,
            Tally {
                passed: 0,
                failed: 1,
                skipped: 0
            }
        );
        let tally = cargo(None, Path::new("."), &["--version"], &[], within).unwrap();
        assert_eq!(
            tally,
            Tally {
                passed: 1,
                failed: 0,
                skipped: 0
            }
        );
    }
}
