//! What this process holds at the moment, as the kernel tells.

use std::fmt;
use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

/// For so long threads may take to end that nobody waits for.
const PATIENCE: Duration = Duration::from_secs(30);

/// Threads, descriptors and memory of this process.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Held {
    pub(crate) threads: usize,
    pub(crate) descriptors: usize,
    /// Resident memory in KiB.
    pub(crate) resident: usize,
    /// Processor time until now, in seconds.
    pub(crate) processor: f64,
}

impl Held {
    pub(crate) fn now() -> Result<Self> {
        let status = fs::read_to_string("/proc/self/status").context("/proc is needed")?;
        let of = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name))?;
            line.split_whitespace().next()?.parse().ok()
        };
        Ok(Self {
            threads: of("Threads:").context("no threads are told")?,
            // But for the one that lists them.
            descriptors: fs::read_dir("/proc/self/fd")?.count() - 1,
            resident: of("VmRSS:").context("no memory is told")?,
            processor: processor()?,
        })
    }

    /// Once what ends by itself has ended, or after a while: a closed producer's thread goes when it
    /// has said that it is closed.
    pub(crate) fn settled(before: Self) -> Result<Self> {
        let until = Instant::now() + PATIENCE;
        loop {
            let now = Self::now()?;
            let is_settled = now.threads <= before.threads && now.descriptors <= before.descriptors;
            if is_settled || Instant::now() >= until {
                return Ok(now);
            }
            thread::sleep(Duration::from_millis(5));
        }
    }

    pub(crate) const HEAD: &str = " threads  descriptors  RSS MiB  CPU s";
}

fn processor() -> Result<f64> {
    let stat = fs::read_to_string("/proc/self/stat")?;
    // What is before may hold spaces, in parentheses. Of what is behind, the 12th and 13th.
    let (_, behind) = stat.rsplit_once(')').context("it has a name")?;
    let ticks = behind.split_whitespace().skip(11).take(2);
    let ticks: Vec<f64> = ticks.map(str::parse).collect::<Result<_, _>>()?;
    // A hundred a second wherever Linux runs.
    Ok(ticks.iter().sum::<f64>() / 100.0)
}

impl fmt::Display for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mib = self.resident as f64 / 1024.0;
        let (threads, descriptors) = (self.threads, self.descriptors);
        let processor = self.processor;
        write!(
            f,
            "{threads:>8}  {descriptors:>11}  {mib:>7.1}  {processor:>5.1}"
        )
    }
}
