//! What this process has used: CPU time and memory, from the operating system.

use std::time::Duration;

/// CPU time and peak memory of the process so far.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Usage {
    pub(crate) user: Duration,
    /// In the kernel.
    pub(crate) system: Duration,
    /// The most memory that was resident at once, in bytes.
    pub(crate) peak_rss: u64,
    /// Voluntary context switches: how often a thread gave up its core to wait.
    pub(crate) switches: u64,
}

impl Usage {
    /// User and system time since an earlier moment.
    pub(crate) fn cpu_since(&self, earlier: &Self) -> Duration {
        (self.user + self.system).saturating_sub(earlier.user + earlier.system)
    }
}

/// What has been used up to now; zeros where the operating system does not say.
#[cfg(unix)]
pub(crate) fn now() -> Usage {
    use nix::sys::resource::{UsageWho, getrusage};
    use nix::sys::time::TimeVal;

    let time = |t: TimeVal| {
        let micros = t
            .tv_sec()
            .saturating_mul(1_000_000)
            .saturating_add(t.tv_usec());
        Duration::from_micros(u64::try_from(micros).unwrap_or(0))
    };
    let unit = if cfg!(any(target_os = "macos", target_os = "ios")) {
        1
    } else {
        1024
    };
    match getrusage(UsageWho::RUSAGE_SELF) {
        Ok(usage) => Usage {
            user: time(usage.user_time()),
            system: time(usage.system_time()),
            peak_rss: u64::try_from(usage.max_rss()).unwrap_or(0) * unit,
            switches: u64::try_from(usage.voluntary_context_switches()).unwrap_or(0),
        },
        Err(_) => Usage::default(),
    }
}

/// Zeros: there is no `getrusage`.
#[cfg(not(unix))]
pub(crate) fn now() -> Usage {
    Usage::default()
}
