//! What this process holds at the moment, as the kernel tells.

use std::fmt;
use std::fs;

use anyhow::{Context, Result};

/// Threads, descriptors and memory of this process.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Held {
    pub(crate) threads: usize,
    pub(crate) descriptors: usize,
    /// Resident memory in KiB.
    pub(crate) resident: usize,
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
        })
    }

    pub(crate) const HEAD: &str = " threads  descriptors  RSS MiB";
}

impl fmt::Display for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mib = self.resident as f64 / 1024.0;
        let (threads, descriptors) = (self.threads, self.descriptors);
        write!(f, "{threads:>8}  {descriptors:>11}  {mib:>7.1}")
    }
}
