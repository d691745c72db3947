//! SIGINT (Ctrl-C) and SIGTERM, turned into a flag and a call, on a thread that does nothing else.
//! What is done about it is the command's.

#[cfg(unix)]
mod unix {
    use nix::sys::signal::{SigSet, Signal};
    use std::thread;
    use std::time::{Duration, Instant};

    /// For so long after the first, another one means the same: timeout(1) signals the process and
    /// then its group, and a terminal's Ctrl-C comes once more from a parent that passes it on.
    const SAME: Duration = Duration::from_millis(500);

    /// The signals that are waited for. It must be made before any other thread starts: threads
    /// inherit the mask, and a thread without it would take the signal and end the process.
    #[derive(Debug)]
    pub(crate) struct Signals(SigSet);

    impl Signals {
        /// Takes SIGINT and SIGTERM from their default, which is to end the process.
        pub(crate) fn take() -> Option<Self> {
            let mut set = SigSet::empty();
            set.add(Signal::SIGINT);
            set.add(Signal::SIGTERM);
            // If the mask cannot be set, the signals end the process, as they do by default.
            set.thread_block().ok().map(|()| Self(set))
        }

        /// Calls back with each signal's number and how many came before; what comes together
        /// counts as one.
        pub(crate) fn watch(self, mut each: impl FnMut(u8, u32) + Send + 'static) {
            // Without the thread the signals do nothing, and the process still ends by itself.
            let _ = thread::Builder::new()
                .name("signals".into())
                .spawn(move || {
                    let mut before = 0;
                    let mut first = None;
                    while let Ok(signal) = self.0.wait() {
                        let first = *first.get_or_insert_with(Instant::now);
                        if before > 0 && first.elapsed() < SAME {
                            continue;
                        }
                        each(u8::try_from(signal as i32).unwrap_or(0), before);
                        before += 1;
                    }
                });
        }
    }
}

#[cfg(not(unix))]
mod other {
    /// Where there are no such signals, nothing is waited for.
    #[derive(Debug)]
    pub(crate) struct Signals;

    impl Signals {
        pub(crate) fn take() -> Option<Self> {
            None
        }

        pub(crate) fn watch(self, _: impl FnMut(u8, u32) + Send + 'static) {}
    }
}

#[cfg(not(unix))]
pub(crate) use other::Signals;
#[cfg(unix)]
pub(crate) use unix::Signals;
