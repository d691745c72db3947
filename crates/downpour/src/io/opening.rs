//! What of opening a connection may block and is done on the pool: a name is resolved, or the
//! caller's own connector runs.
//!
//! What comes after it is in `connect` and `connections`.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use downpour_core::client::connect_error::{ConnectErrorKind, ConnectFailure};
use downpour_core::config::Address;

use crate::config::connector::Connector;
use crate::io::given::Resolve;
use crate::shared::shared::Shared;
#[cfg(unix)]
use crate::sys::callback;
use crate::sys::lock::lock;
use crate::sys::sync::Mutex;

/// Names a look-up, or a call of the connector.
pub(super) type LookupId = u64;

/// What the pool brought back.
#[derive(Debug)]
pub(super) enum Opened {
    Resolved(Vec<SocketAddr>),
    #[cfg(unix)]
    Stream(std::os::unix::net::UnixStream),
}

impl Opened {
    /// For this port, if the host alone was looked up.
    pub(super) fn at_port(mut self, port: u16) -> Self {
        if let Self::Resolved(addresses) = &mut self {
            addresses
                .iter_mut()
                .for_each(|address| address.set_port(port));
        }
        self
    }
}

/// What is left to do without the driver's lock: a name is resolved, or the caller's closure
/// runs, which may do anything, panic included.
#[derive(Clone)]
pub(super) struct Opening {
    pub(super) id: LookupId,
    pub(super) connector: Connector,
    pub(super) resolve: Resolve,
    pub(super) address: Address,
    pub(super) results: Results,
    pub(super) shared: Arc<Shared>,
}

impl Opening {
    /// Does it, which blocks. That it is over is told in any case, also if it is never called.
    pub(super) fn into_job(self) -> impl FnOnce() + Send {
        let mut guard = Guard(Some(self));
        move || {
            if let Some(opening) = &guard.0 {
                let opened = opening.open();
                opening.tell(opened);
            }
            drop(guard.0.take());
        }
    }

    fn open(&self) -> Result<Opened, ConnectFailure> {
        let address = &self.address;
        match &self.connector {
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
        }
    }

    /// It cannot be done: there is no thread for it.
    pub(super) fn fail(&self, error: &io::Error) {
        let kind = ConnectErrorKind::NoThread;
        self.tell(Err(ConnectFailure::new(kind, error.to_string())));
    }

    fn tell(&self, opened: Result<Opened, ConnectFailure>) {
        lock(&self.results).push((self.id, self.address.clone(), opened));
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

/// Tells that nothing came of a look-up, if it goes away without having told.
struct Guard(Option<Opening>);

impl Drop for Guard {
    fn drop(&mut self) {
        if let Some(opening) = self.0.take() {
            let kind = ConnectErrorKind::Resolve;
            opening.tell(Err(ConnectFailure::new(
                kind,
                "the look-up came to nothing",
            )));
        }
    }
}

/// Of each look-up that is over: which it was, of what, and what came of it.
pub(super) type Results = Arc<Mutex<Vec<(LookupId, Address, Result<Opened, ConnectFailure>)>>>;
