//! How the process ends: the exit codes, and the error of a command that did nothing.

use std::process::ExitCode;

/// What the exit code says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    /// Every record was acknowledged.
    Complete,
    /// At least one record was not, or could not be reported.
    Incomplete,
    /// Nothing was sent: arguments, settings, input, or no cluster.
    Refused,
    /// A signal ended it; the number is the signal's.
    Interrupted(u8),
    /// Nobody reads the results any more.
    Unread,
}

impl Ending {
    /// The exit code: 0, 1, 2, or 128 and the signal.
    pub(crate) fn code(self) -> u8 {
        match self {
            Self::Complete => 0,
            Self::Incomplete => 1,
            Self::Refused => 2,
            Self::Interrupted(signal) => 128 + signal,
            // As SIGPIPE would have ended it.
            Self::Unread => 128 + 13,
        }
    }
}

impl From<Ending> for ExitCode {
    fn from(ending: Ending) -> Self {
        ending.code().into()
    }
}

/// Why a command did not begin: one line per reason.
#[derive(Debug)]
pub(crate) struct Refusal(pub(crate) Vec<String>);

impl Refusal {
    pub(crate) fn new(reason: impl Into<String>) -> Self {
        Self(vec![reason.into()])
    }
}
