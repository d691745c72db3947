//! What a stretch of this process cost, by getrusage. Whether it was worth it, others judge.

use std::time::{Duration, Instant};

use nix::sys::resource::{Usage, UsageWho, getrusage};
use nix::sys::time::TimeVal;

/// Runs from its start.
#[derive(Debug, Clone, Copy)]
pub struct Meter {
    began: Instant,
    cpu: Duration,
    voluntary: i64,
    involuntary: i64,
}

/// What was spent between start and stop.
#[derive(Debug, Clone, Copy)]
pub struct Spent {
    /// Time on the wall.
    pub wall: Duration,
    /// User and system time of all threads.
    pub cpu: Duration,
    /// How often a thread went to sleep.
    pub voluntary_switches: i64,
    /// How often a thread was put aside.
    pub involuntary_switches: i64,
    /// The most memory that was ever resident, since the process began, in bytes.
    pub peak_rss: i64,
}

fn usage() -> Usage {
    getrusage(UsageWho::RUSAGE_SELF).expect("RUSAGE_SELF is known to every kernel")
}

fn duration(time: TimeVal) -> Duration {
    let micros = time.tv_sec() * 1_000_000 + time.tv_usec();
    Duration::from_micros(micros.unsigned_abs())
}

fn cpu(usage: &Usage) -> Duration {
    duration(usage.user_time()) + duration(usage.system_time())
}

impl Meter {
    /// Starts.
    #[must_use]
    pub fn start() -> Self {
        let usage = usage();
        Self {
            began: Instant::now(),
            cpu: cpu(&usage),
            voluntary: usage.voluntary_context_switches(),
            involuntary: usage.involuntary_context_switches(),
        }
    }

    /// What was spent since the start.
    #[must_use]
    pub fn stop(self) -> Spent {
        let wall = self.began.elapsed();
        let usage = usage();
        Spent {
            wall,
            cpu: cpu(&usage).saturating_sub(self.cpu),
            voluntary_switches: usage.voluntary_context_switches() - self.voluntary,
            involuntary_switches: usage.involuntary_context_switches() - self.involuntary,
            peak_rss: peak_rss().unwrap_or(usage.max_rss() * 1024),
        }
    }
}

/// Linux begins getrusage's peak with that of the process that started this one.
fn peak_rss() -> Option<i64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = |line: &str| {
        line.strip_prefix("VmHWM:")?
            .strip_suffix("kB")?
            .trim()
            .parse()
            .ok()
    };
    status.lines().find_map(line).map(|kib: i64| kib * 1024)
}
