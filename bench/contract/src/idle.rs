//! How often the library's threads wake up while nothing is sent. Only Linux tells.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::thread;
use std::time::Duration;

/// How long nothing is sent.
const IDLE_FOR: Duration = Duration::from_secs(10);

/// What threads may still have to do when the last record is acknowledged.
const SETTLED_AFTER: Duration = Duration::from_secs(1);

/// Waits until threads that were busy have gone to sleep.
pub(crate) fn settle() {
    thread::sleep(SETTLED_AFTER);
}

/// Sleeps, and says how often all other threads went to sleep meanwhile: each time, one had been
/// awake.
pub(crate) fn wakeups() -> io::Result<u64> {
    let before = switches()?;
    thread::sleep(IDLE_FOR);
    let after = switches()?;
    let during = |(thread, count): (&String, &u64)| count - before.get(thread).unwrap_or(&0);
    Ok(after.iter().map(during).sum())
}

/// Voluntary switches so far, of each thread but this.
fn switches() -> io::Result<BTreeMap<String, u64>> {
    let this = fs::read_link("/proc/thread-self")?;
    let mut switches = BTreeMap::new();
    for task in fs::read_dir("/proc/self/task")? {
        let task = task?;
        if this.file_name() == Some(&task.file_name()) {
            continue;
        }
        // One that has ended since is no matter.
        let status = fs::read_to_string(task.path().join("status")).unwrap_or_default();
        if let Some(count) = voluntary(&status) {
            switches.insert(task.file_name().to_string_lossy().into_owned(), count);
        }
    }
    Ok(switches)
}

fn voluntary(status: &str) -> Option<u64> {
    let line = |line: &str| {
        line.strip_prefix("voluntary_ctxt_switches:")?
            .trim()
            .parse()
            .ok()
    };
    status.lines().find_map(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_voluntary_switches_are_read() {
        let status = "Name:\tx\nvoluntary_ctxt_switches:\t17\nnonvoluntary_ctxt_switches:\t4\n";
        assert_eq!(voluntary(status), Some(17));
        assert_eq!(voluntary("nonvoluntary_ctxt_switches:\t4"), None);
    }
}
