//! Why a connection could not be made: the type that users see, and what whoever noticed it says.
//!
//! Why a connection ended that could be used is in `ending`.

use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use crate::config::Address;
use crate::time::Readable;

/// Why one attempt to connect to a broker failed.
///
/// [`kind`](Self::kind) is for programs, the text for people. Where the operating system said
/// something, its [`io::Error`] is the [`source`](std::error::Error::source). Two are equal that
/// say the same.
#[derive(Debug, Clone)]
pub struct ConnectError {
    address: Address,
    failure: ConnectFailure,
}

impl ConnectError {
    pub(crate) fn new(address: Address, failure: ConnectFailure) -> Self {
        Self { address, failure }
    }

    /// What is said of an address that has been tried for so long and has not failed.
    #[doc(hidden)]
    pub fn still_trying(address: &Address, time: Duration) -> Self {
        let reason = format!("no answer yet, after {} of trying", Readable::coarse(time));
        let failure = ConnectFailure::new(ConnectErrorKind::TimedOut, reason);
        Self::new(address.clone(), failure)
    }

    /// The address as it was given or advertised, before its name was resolved.
    pub fn address(&self) -> &Address {
        &self.address
    }

    /// What kind of failure it is.
    pub fn kind(&self) -> ConnectErrorKind {
        self.failure.kind
    }

    /// The text without the address. Where a name has several addresses, what each of them said.
    pub fn reason(&self) -> &str {
        &self.failure.reason
    }

    /// What the operating system said, if it said something.
    pub(crate) fn io_error(&self) -> Option<&io::Error> {
        self.failure.source.as_deref()
    }
}

impl PartialEq for ConnectError {
    fn eq(&self, other: &Self) -> bool {
        let same = self.kind() == other.kind() && self.reason() == other.reason();
        same && self.address == other.address
    }
}

impl Eq for ConnectError {}

impl fmt::Display for ConnectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no connection to {}: {}", self.address, self.reason())
    }
}

impl std::error::Error for ConnectError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        let source = self.io_error()?;
        Some(source)
    }
}

/// What kind of failure kept a connection from being made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ConnectErrorKind {
    /// The name could not be resolved, or has no address.
    Resolve,
    /// Nobody listens there.
    Refused,
    /// The operating system found no way there, or would not try: no route, a firewall, no socket
    /// left. The source says which.
    Unreachable,
    /// There was no connection within the connect timeout, or no answer to the first request on it.
    TimedOut,
    /// It was open, and ended before the broker had answered the first request. A port that
    /// expects TLS does that.
    Closed,
    /// What came back could not be read: it may be no Kafka broker, or a port that expects TLS and
    /// answers with an alert.
    Protocol,
    /// The broker speaks no version of a request that is needed, or does not tell which.
    Versions,
    /// Another cluster answers there than the one that this producer writes to.
    OtherCluster,
    /// The connector that the user gave failed or panicked.
    Connector,
    /// No thread could be started that would have resolved the name or run the connector.
    NoThread,
}

/// A failed attempt to connect, as told by whoever noticed. Where it led is the engine's to add.
#[derive(Debug, Clone)]
pub struct ConnectFailure {
    kind: ConnectErrorKind,
    reason: Arc<str>,
    source: Option<Arc<io::Error>>,
}

impl ConnectFailure {
    /// A failure of this kind, in words that need no address beside them.
    pub fn new(kind: ConnectErrorKind, reason: impl Into<Arc<str>>) -> Self {
        Self {
            kind,
            reason: reason.into(),
            source: None,
        }
    }

    /// Adds what the operating system said. It is dropped wherever the failure is, under locks too,
    /// and must therefore hold nothing of the user's.
    pub fn with_source(mut self, source: impl Into<Arc<io::Error>>) -> Self {
        self.source = Some(source.into());
        self
    }
}
