//! How a connection is made: TCP, or whatever a test hands over in its place.
//!
//! Only the choice lives here; resolving, connecting and everything after is `io`'s.

use std::fmt;
#[cfg(unix)]
use std::io;
#[cfg(unix)]
use std::os::unix::net::UnixStream;
#[cfg(unix)]
use std::sync::Arc;

#[cfg(unix)]
type Open = dyn Fn(&str, u16) -> io::Result<UnixStream> + Send + Sync;

/// Opens connections to brokers.
#[derive(Clone, Default)]
pub(crate) enum Connector {
    /// TCP to every address that the host's name resolves to, the first that answers.
    #[default]
    Tcp,
    /// A closure of the caller's, called with host and port on a thread that may block.
    #[cfg(unix)]
    Custom(Arc<Open>),
}

impl fmt::Debug for Connector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Tcp => "Tcp",
            #[cfg(unix)]
            Self::Custom(_) => "Custom",
        })
    }
}
