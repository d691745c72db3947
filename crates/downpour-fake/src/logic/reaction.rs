//! What a broker does about one request: the bytes of its answer and what becomes of the
//! connection. Whoever owns the connection carries it out; nothing here is sent.

use std::time::Duration;

/// What becomes of a connection after a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Then {
    /// It stays open and serves the next request.
    #[default]
    Continue,
    /// It stays open, and nothing is ever answered on it again.
    Hang,
    /// It is closed once the answer, if there is one, is out.
    Close,
    /// It is closed once that many bytes of the answer are out; fewer than the answer has.
    CloseAfter(usize),
}

/// A broker's reaction to one request.
///
/// Carried out like this: wait [`service_delay`](Self::service_delay) without serving the
/// connection's next request; send the answer so that it arrives
/// [`network_delay`](Self::network_delay) later, in order, serving the next request meanwhile;
/// obey [`then`](Self::then); serve nothing on this connection for
/// [`mute`](Self::mute). A driver with its own scheduler may interpret the delays differently.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Reaction {
    /// The answer's frame, its four length bytes included. `None` where Kafka does not answer
    /// (acks=0), where a fault swallows the answer, and while the request is parked.
    pub answer: Option<Vec<u8>>,
    /// Obeyed after the answer, if there is one.
    pub then: Then,
    /// How long the broker works on the request after it was applied.
    pub service_delay: Duration,
    /// How much later the answer arrives than it was sent.
    pub network_delay: Duration,
    /// How long the connection is not read after the answer, because it is throttled.
    pub mute: Duration,
    /// Set if there is no answer yet, because a fetch waits for records or a fault holds the
    /// request. Call [`Cluster::resume`](super::Cluster::resume) with the same frame at this time
    /// (by the clock that `handle` was given), and, because it may be a fetch, also after records were
    /// appended. Meanwhile nothing else of the connection is served.
    pub parked_until: Option<Duration>,
}

impl Reaction {
    pub(crate) fn only(then: Then) -> Self {
        Self {
            then,
            ..Self::default()
        }
    }

    pub(crate) fn parked(until: Duration) -> Self {
        Self {
            parked_until: Some(until),
            ..Self::default()
        }
    }
}
