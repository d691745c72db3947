//! What the kernel says that another process has used so far.

use std::collections::BTreeMap;
use std::error::Error;
use std::ffi::OsString;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use nix::time::{clock_getcpuclockid, clock_gettime};
use nix::unistd::Pid;

/// At one moment.
#[derive(Debug)]
pub(crate) struct Reading {
    pub(crate) at: Instant,
    /// Of all threads, those that ended too.
    pub(crate) cpu: Duration,
    /// Of each thread that lives: switches that it wanted, and others.
    switches: BTreeMap<OsString, (u64, u64)>,
    /// Since the process began, in bytes.
    pub(crate) peak_rss: u64,
}

impl Reading {
    pub(crate) fn of(process: u32) -> Result<Self, Box<dyn Error>> {
        let clock = clock_getcpuclockid(Pid::from_raw(process.try_into()?))?;
        let cpu = Duration::from(clock_gettime(clock)?);
        let at = Instant::now();
        let root = Path::new("/proc").join(process.to_string());
        let mut reading = Self {
            at,
            cpu,
            switches: BTreeMap::new(),
            peak_rss: number(&fs::read_to_string(root.join("status"))?, "VmHWM:") * 1024,
        };
        for thread in fs::read_dir(root.join("task"))? {
            let thread = thread?;
            // A thread may end while the list is read.
            let Ok(status) = fs::read_to_string(thread.path().join("status")) else {
                continue;
            };
            let both = (
                number(&status, "voluntary_ctxt_switches:"),
                number(&status, "nonvoluntary_ctxt_switches:"),
            );
            reading.switches.insert(thread.file_name(), both);
        }
        Ok(reading)
    }

    /// Switches since an earlier reading, voluntary and not, of the threads that live now.
    pub(crate) fn switches_since(&self, before: &Self) -> (u64, u64) {
        let mut sum = (0, 0);
        for (thread, (voluntary, involuntary)) in &self.switches {
            let (then, other) = before.switches.get(thread).copied().unwrap_or_default();
            sum.0 += voluntary.saturating_sub(then);
            sum.1 += involuntary.saturating_sub(other);
        }
        sum
    }
}

/// The number on the line of that name; zero if there is none.
fn number(status: &str, name: &str) -> u64 {
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    let word = line.and_then(|line| line.split_whitespace().next());
    word.and_then(|word| word.parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_told_apart_by_their_whole_name() {
        let status =
            "VmHWM:\t  12 kB\nvoluntary_ctxt_switches:\t3\nnonvoluntary_ctxt_switches:\t4\n";
        assert_eq!(number(status, "VmHWM:"), 12);
        assert_eq!(number(status, "voluntary_ctxt_switches:"), 3);
        assert_eq!(number(status, "nonvoluntary_ctxt_switches:"), 4);
        assert_eq!(number(status, "VmPeak:"), 0);
    }

    #[test]
    fn cpu_time_of_another_moves_with_its_work() {
        let own = std::process::id();
        let before = Reading::of(own).unwrap();
        let until = Instant::now() + Duration::from_millis(20);
        while Instant::now() < until {}
        let after = Reading::of(own).unwrap();
        assert!(after.cpu > before.cpu);
        assert!(after.peak_rss > 0);
    }

    #[test]
    fn switches_of_threads_that_ended_do_not_hide_those_of_others() {
        let mut before = Reading::of(std::process::id()).unwrap();
        let mut after = Reading::of(std::process::id()).unwrap();
        before.switches = BTreeMap::from([("1".into(), (5, 5)), ("2".into(), (100, 100))]);
        after.switches = BTreeMap::from([("1".into(), (8, 6)), ("3".into(), (2, 2))]);
        assert_eq!(after.switches_since(&before), (5, 3));
    }
}
