//! Why a connection ended: one that could be used, or one that was still being set up.

use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use crate::client::connect_error::{ConnectErrorKind, ConnectFailure};
use crate::client::stranger;
use crate::time::Readable;

/// Why an open connection ended. Two are equal that say the same.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum DisconnectReason {
    /// The broker closed it.
    Closed,
    /// It could not be read or written any more.
    Broken(Arc<io::Error>),
    /// What the broker sent could not be read, or answers nothing that it was asked.
    Protocol(Arc<str>),
    /// What answers there is no plaintext Kafka listener, but this.
    Stranger(&'static str),
    /// There was no answer within the request timeout.
    Silent(Duration),
    /// A request that nobody answers (acks=0) did not leave whole within the request timeout.
    Unread(Duration),
    /// It carried nothing for so long.
    Idle(Duration),
    /// The broker named no broker in its metadata, not even itself.
    NoCluster,
    /// The broker is at another address now, as metadata says; nothing was waited for any more.
    Moved,
    /// The producer turned to another cluster, which answers at the user's addresses now.
    ClusterChanged,
}

impl DisconnectReason {
    /// As many of the bytes that came first as [`by_first_bytes`](Self::by_first_bytes) needs.
    pub const FIRST_BYTES: usize = 5;

    /// Why a connection has to end on which these bytes came first, if they are known not to be a
    /// broker's.
    pub fn by_first_bytes(first: &[u8]) -> Option<Self> {
        stranger::recognise(first).map(Self::Stranger)
    }

    /// What it comes to if the connection could not be used yet.
    pub(super) fn before_use(self) -> ConnectFailure {
        use ConnectErrorKind::{Closed, Protocol};
        match self {
            Self::Stranger(who) => ConnectFailure::new(Protocol, format!("connected, but {who}")),
            Self::Protocol(why) => {
                let reason = format!(
                    "connected, but {why}; is that a Kafka broker, and a port without TLS?"
                );
                ConnectFailure::new(Protocol, reason)
            }
            other => {
                let mut reason = format!("connected, but no answer to ApiVersions: {other}");
                if matches!(other, Self::Closed) {
                    reason.push_str(" (as a port does that expects TLS)");
                }
                let failure = ConnectFailure::new(Closed, reason);
                match other {
                    Self::Broken(error) => failure.with_source(error),
                    _ => failure,
                }
            }
        }
    }
}

impl PartialEq for DisconnectReason {
    fn eq(&self, other: &Self) -> bool {
        self.to_string() == other.to_string()
    }
}

impl Eq for DisconnectReason {}

impl fmt::Display for DisconnectReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Closed => f.write_str("the broker closed the connection"),
            Self::Broken(error) => error.fmt(f),
            Self::Protocol(why) => f.write_str(why),
            Self::Stranger(who) => f.write_str(who),
            Self::Silent(within) => write!(f, "no answer within {}", Readable(*within)),
            Self::Unread(within) => write!(
                f,
                "the broker did not read all of a request within {}",
                Readable(*within)
            ),
            Self::Idle(time) => write!(f, "idle for {}", Readable(*time)),
            Self::NoCluster => f.write_str("it knows of no cluster"),
            Self::Moved => f.write_str("the broker is at another address now"),
            Self::ClusterChanged => f.write_str("another cluster answers at the addresses now"),
        }
    }
}

/// What ended a connection, whatever its stage.
#[derive(Debug)]
pub(crate) enum Ending {
    /// It could not be set up.
    Failed(ConnectFailure),
    /// It was open, and ended.
    Ended(DisconnectReason),
}

impl Ending {
    pub(crate) fn failed(kind: ConnectErrorKind, reason: impl Into<Arc<str>>) -> Self {
        Self::Failed(ConnectFailure::new(kind, reason))
    }

    /// The broker sent what cannot be read, or what nobody asked for.
    pub(crate) fn protocol(why: impl fmt::Display) -> Self {
        Self::Ended(DisconnectReason::Protocol(Arc::from(why.to_string())))
    }
}
