//! What of opening a connection may block and is done on the pool: a name is resolved, or the
//! caller's own connector runs.
//!
//! What comes after it is in `connect` and `connections`.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use downpour_core::client::connect_error::{ConnectErrorKind, ConnectFailure};
use downpour_core::config::Address;
use downpour_core::ids::ConnectionId;

use crate::config::connector::Connector;
use crate::io::given::Resolve;
use crate::shared::shared::Shared;
#[cfg(unix)]
use crate::sys::callback;
use crate::sys::lock::lock;
use crate::sys::sync::Mutex;

/// What the pool brought back.
pub(super) enum Opened {
    Resolved(Vec<SocketAddr>),
    #[cfg(unix)]
    Stream(std::os::unix::net::UnixStream),
}

/// What is left to do without the driver's lock: a name is resolved, or the caller's closure
/// runs, which may do anything, panic included.
#[derive(Clone)]
pub(super) struct Opening {
    pub(super) connection_id: ConnectionId,
    pub(super) connector: Connector,
    pub(super) resolve: Resolve,
    pub(super) address: Address,
    pub(super) results: Results,
    pub(super) shared: Arc<Shared>,
}

impl Opening {
    /// Does it. Blocks.
    pub(super) fn run(self) {
        let address = &self.address;
        let opened = match &self.connector {
            Connector::Tcp => {
                let family = self.shared.settings.family;
                let resolved = (self.resolve)(address).map(|mut found| {
                    found.retain(|address| family.has(address));
                    Opened::Resolved(found)
                });
                resolved.map_err(|error| {
                    let kind = ConnectErrorKind::Resolve;
                    ConnectFailure::new(kind, error.to_string()).with_source(error)
                })
            }
            #[cfg(unix)]
            Connector::Custom(open) => {
                let failed =
                    |reason: String| ConnectFailure::new(ConnectErrorKind::Connector, reason);
                // The error may be the caller's own type: its words, too, are got here, and here
                // it is dropped.
                let open = || match open(&address.host, address.port) {
                    Ok(stream) => Ok(Opened::Stream(stream)),
                    Err(error) => Err(failed(error.to_string()).with_source(plain(error))),
                };
                let panicked = || Err(failed("the connector panicked".to_owned()));
                callback::run(open).unwrap_or_else(panicked)
            }
        };
        self.tell(opened);
    }

    /// It cannot be done: there is no thread for it.
    pub(super) fn fail(&self, error: &io::Error) {
        let kind = ConnectErrorKind::NoThread;
        self.tell(Err(ConnectFailure::new(kind, error.to_string())));
    }

    fn tell(&self, opened: Result<Opened, ConnectFailure>) {
        lock(&self.results).push((self.connection_id, opened));
        self.shared.mailbox.wake();
    }
}

/// The error without a value of the caller's own in it, which may do anything when it is dropped: a
/// failure is dropped under locks, too.
#[cfg(unix)]
fn plain(error: io::Error) -> io::Error {
    match error.get_ref() {
        Some(_) => io::Error::new(error.kind(), error.to_string()),
        None => error,
    }
}

pub(super) type Results = Arc<Mutex<Vec<(ConnectionId, Result<Opened, ConnectFailure>)>>>;
