//! Starts, signals and recognises processes. What runs in them is not known here.
//!
//! A process is known by its id and its start time, so that an id that was given to somebody else
//! in the meantime is never signalled. It works on Linux only, because of `/proc`.

use std::fs::{self, File, OpenOptions};
use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::error::Error;

/// How often the end of a process is looked for.
const POLL: Duration = Duration::from_millis(10);

/// A shell that runs a command in the background, prints its id, and kills it at the end of
/// standard input. That end comes when the process that holds the other end closes it or dies,
/// whatever it dies of.
const SUPERVISOR: &str = r#"out="$1"; shift
"$@" </dev/null >>"$out" 2>&1 &
echo $!
read -r _
kill -KILL $! 2>/dev/null"#;

/// A process that cannot be mistaken for another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Process {
    /// The process id, which the kernel may give to another process later.
    pub pid: u32,
    /// When it started, in clock ticks since boot, as `/proc/PID/stat` says.
    pub started_at: u64,
}

/// What can be sent to a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Signal {
    Terminate,
    Kill,
    Stop,
    Continue,
}

impl Process {
    /// The process that calls this.
    ///
    /// # Errors
    /// Where there is no `/proc`.
    pub fn this() -> Result<Self, Error> {
        Self::of(std::process::id())
    }

    pub(crate) fn of(pid: u32) -> Result<Self, Error> {
        let stat = Stat::read(pid)
            .ok_or_else(|| Error::new(format!("/proc says nothing about process {pid}")))?;
        Ok(Self {
            pid,
            started_at: stat.started_at,
        })
    }

    /// The children of a process, their children and so on, as far as they still run.
    pub fn descendants(pid: u32) -> Vec<Self> {
        let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
        let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
        let known: Vec<(u32, Stat)> = pids
            .filter_map(|pid| Some((pid, Stat::read(pid)?)))
            .collect();
        let mut found: Vec<Self> = Vec::new();
        let mut parents = vec![pid];
        while let Some(parent) = parents.pop() {
            for (pid, stat) in known.iter().filter(|(_, stat)| stat.parent == parent) {
                if !found.iter().any(|process| process.pid == *pid) {
                    found.push(Self {
                        pid: *pid,
                        started_at: stat.started_at,
                    });
                    parents.push(*pid);
                }
            }
        }
        found
    }

    /// Kills it with SIGKILL; one that has ended already is left alone.
    ///
    /// # Errors
    /// When that is not allowed.
    pub fn kill(&self) -> Result<(), Error> {
        self.signal(Signal::Kill)
    }

    /// Whether it still runs; paused counts as running, a zombie does not.
    pub fn is_alive(&self) -> bool {
        Stat::read(self.pid)
            .is_some_and(|stat| stat.started_at == self.started_at && !stat.has_ended)
    }

    /// The memory that it holds now, in bytes; `None` once it has ended.
    pub fn resident_bytes(&self) -> Option<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.pid)).ok()?;
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix("VmRSS:"))?;
        Some(
            line.trim()
                .trim_end_matches("kB")
                .trim()
                .parse::<u64>()
                .ok()?
                * 1024,
        )
    }

    /// Lets it write no file beyond the first page.
    pub(crate) fn limit_files(&self) -> Result<(), Error> {
        let told = Command::new("prlimit")
            .args(["--pid", &self.pid.to_string(), "--fsize=4096:"])
            .output()
            .map_err(Error::io("prlimit does not start"))?;
        if told.status.success() || !self.is_alive() {
            return Ok(());
        }
        let words = String::from_utf8_lossy(&told.stderr).into_owned();
        Err(Error::new(format!("prlimit: {}", words.trim())))
    }

    /// Sends a signal; one that has ended already is left alone.
    pub(crate) fn signal(&self, signal: Signal) -> Result<(), Error> {
        if !self.is_alive() {
            return Ok(());
        }
        let name = match signal {
            Signal::Terminate => "TERM",
            Signal::Kill => "KILL",
            Signal::Stop => "STOP",
            Signal::Continue => "CONT",
        };
        let sent = Command::new("sh")
            .args([
                "-c",
                "kill -\"$1\" \"$2\"",
                "sh",
                name,
                &self.pid.to_string(),
            ])
            .stderr(Stdio::null())
            .status()
            .map_err(Error::io("sh does not start"))?;
        // It may have ended after it was looked at and before the signal.
        if sent.success() || !self.is_alive() {
            return Ok(());
        }
        Err(Error::new(format!(
            "process {} does not take SIG{name}",
            self.pid
        )))
    }

    /// Waits for its end and answers whether it came within the time.
    pub(crate) fn wait_end(&self, within: Duration) -> bool {
        let until = Instant::now() + within;
        while self.is_alive() {
            if Instant::now() >= until {
                return false;
            }
            thread::sleep(POLL);
        }
        true
    }

    /// Asks it to end and does not wait.
    pub(crate) fn ask_to_end(&self) -> Result<(), Error> {
        self.signal(Signal::Terminate)?;
        // A paused process takes the signal when it runs again.
        self.signal(Signal::Continue)
    }

    /// Ends it: asks it to, and kills it when it takes longer than `grace`. Without any grace it is
    /// killed at once.
    pub(crate) fn end(&self, grace: Duration) -> Result<(), Error> {
        if !grace.is_zero() {
            self.ask_to_end()?;
        }
        if self.wait_end(grace) {
            return Ok(());
        }
        self.signal(Signal::Kill)?;
        if self.wait_end(Duration::from_secs(10)) {
            return Ok(());
        }
        Err(Error::new(format!("process {} survives SIGKILL", self.pid)))
    }
}

/// Kills its process when it is dropped, and when this process dies before that.
#[derive(Debug)]
pub(crate) struct Supervisor {
    shell: Child,
}

impl Drop for Supervisor {
    fn drop(&mut self) {
        drop(self.shell.stdin.take());
        // The shell has nothing left to wait for; an error means that it is gone already.
        let _ = self.shell.wait();
    }
}

/// Starts a command that lives at most as long as the answered supervisor.
pub(crate) fn start_supervised(
    command: &[String],
    out: &Path,
) -> Result<(Process, Supervisor), Error> {
    let mut shell = Command::new("sh")
        .args(["-c", SUPERVISOR, "sh"])
        .arg(out)
        .args(command)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        // An interrupt from the keyboard is meant for this process only; the command ends when this
        // process does.
        .process_group(0)
        .spawn()
        .map_err(Error::io("sh does not start"))?;
    let mut line = String::new();
    if let Some(told) = shell.stdout.take() {
        BufReader::new(told)
            .read_line(&mut line)
            .map_err(Error::io("the supervisor is mute"))?;
    }
    let supervisor = Supervisor { shell };
    let pid = line
        .trim()
        .parse()
        .map_err(|_| Error::new(format!("the supervisor tells `{line}` for a process id")))?;
    Ok((Process::of(pid)?, supervisor))
}

/// Starts a command that goes on when this process ends.
pub(crate) fn start_detached(command: &[String], out: &Path) -> Result<Process, Error> {
    let (program, arguments) = command
        .split_first()
        .ok_or_else(|| Error::new("there is no command to start"))?;
    let file = append_to(out)?;
    let also = file.try_clone().map_err(Error::io(out.display()))?;
    let child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(file)
        .stderr(also)
        .process_group(0)
        .spawn()
        .map_err(Error::io(format!("{program} does not start")))?;
    Process::of(child.id())
}

fn append_to(path: &Path) -> Result<File, Error> {
    OpenOptions::new()
        .create(true)
        .append(true)
        .open(path)
        .map_err(Error::io(path.display()))
}

struct Stat {
    has_ended: bool,
    parent: u32,
    started_at: u64,
}

impl Stat {
    fn read(pid: u32) -> Option<Self> {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        // The second field is the name in parentheses, which may hold anything.
        let mut fields = stat[stat.rfind(')')? + 1..].split_whitespace();
        let state = fields.next()?;
        let parent = fields.next()?.parse().ok()?;
        let started_at = fields.nth(17)?.parse().ok()?;
        Some(Self {
            has_ended: matches!(state, "Z" | "X"),
            parent,
            started_at,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sleeper() -> Vec<String> {
        vec!["sleep".to_owned(), "600".to_owned()]
    }

    #[test]
    fn a_supervised_process_ends_with_its_supervisor() {
        let (process, supervisor) = start_supervised(&sleeper(), Path::new("/dev/null")).unwrap();
        assert!(process.is_alive());
        drop(supervisor);
        assert!(process.wait_end(Duration::from_secs(5)));
    }

    #[test]
    fn a_paused_process_lives_and_can_be_ended() {
        let process = start_detached(&sleeper(), Path::new("/dev/null")).unwrap();
        process.signal(Signal::Stop).unwrap();
        assert!(process.is_alive());
        process.end(Duration::from_secs(5)).unwrap();
        assert!(!process.is_alive());
    }

    #[test]
    fn an_id_with_another_start_time_is_somebody_else() {
        let process = start_detached(&sleeper(), Path::new("/dev/null")).unwrap();
        let other = Process {
            started_at: process.started_at + 1,
            ..process
        };
        assert!(!other.is_alive());
        other.signal(Signal::Kill).unwrap();
        assert!(process.is_alive());
        process.end(Duration::ZERO).unwrap();
    }
}
