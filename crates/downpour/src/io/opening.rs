//! What of opening a connection may block and is done on the pool: a name is resolved, or the
//! caller's own connector runs.
//!
//! What comes after it is in `connect` and `connections`.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use downpour_core::config::Address;
use downpour_core::ids::ConnectionId;

use crate::config::connector::Connector;
use crate::io::given::Resolve;
use crate::shared::shared::Shared;
#[cfg(unix)]
use crate::sys::callback;
use crate::sys::lock::lock;

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
                let resolved = (self.resolve)(address).map(Opened::Resolved);
                resolved.map_err(|error| error.to_string())
            }
            #[cfg(unix)]
            Connector::Custom(open) => {
                // The error may be the caller's own type: its words, too, are got here.
                let open = || match open(&address.host, address.port) {
                    Ok(stream) => Ok(Opened::Stream(stream)),
                    Err(error) => Err(error.to_string()),
                };
                callback::run(open).unwrap_or_else(|| Err("the connector panicked".to_owned()))
            }
        };
        self.tell(opened);
    }

    /// It cannot be done.
    pub(super) fn fail(&self, error: &io::Error) {
        self.tell(Err(error.to_string()));
    }

    fn tell(&self, opened: Result<Opened, String>) {
        lock(&self.results).push((self.connection_id, opened));
        self.shared.mailbox.wake();
    }
}

pub(super) type Results = Arc<Mutex<Vec<(ConnectionId, Result<Opened, String>)>>>;
