//! What a connection sends: at once, or through a thread that holds answers back as a network
//! would. What is sent is decided in `connection`.

use std::io::Write;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::gate::Gate;
use super::stream::Stream;

/// So many answers may be on their way; then the broker waits before it serves on.
const PARCELS_MAX: usize = 1024;

struct Parcel {
    due: Instant,
    bytes: Vec<u8>,
    close: bool,
}

enum Way {
    /// No answer was ever delayed.
    Direct(Stream),
    /// One was, so all later ones follow it through the thread, which keeps their order.
    Delayed {
        parcels: SyncSender<Parcel>,
        carrier: JoinHandle<()>,
    },
    /// The connection is closed.
    Closed,
}

/// The sending half of a connection.
pub(super) struct Outbox {
    way: Way,
    gate: Arc<Gate>,
}

impl Outbox {
    pub(super) fn new(stream: Stream, gate: Arc<Gate>) -> Self {
        Self {
            way: Way::Direct(stream),
            gate,
        }
    }

    /// Sends `bytes` so that they arrive after `delay`, and closes the connection after them if
    /// asked. False if nothing can be sent any more.
    pub(super) fn send(&mut self, bytes: Vec<u8>, delay: Duration, close: bool) -> bool {
        if let Way::Direct(stream) = &mut self.way {
            if delay.is_zero() {
                let sent = bytes.is_empty() || stream.write_all(&bytes).is_ok();
                if close {
                    stream.shutdown();
                }
                return sent && !close;
            }
            self.delay_from_now_on();
        }
        let Way::Delayed { parcels, .. } = &self.way else {
            return false;
        };
        let due = Instant::now() + delay;
        parcels.send(Parcel { due, bytes, close }).is_ok() && !close
    }

    fn delay_from_now_on(&mut self) {
        let Way::Direct(stream) = std::mem::replace(&mut self.way, Way::Closed) else {
            return;
        };
        let (parcels, arriving) = sync_channel(PARCELS_MAX);
        let gate = Arc::clone(&self.gate);
        let carrier = std::thread::Builder::new()
            .name("fake-network".to_owned())
            .spawn(move || carry(&arriving, stream, &gate));
        if let Ok(carrier) = carrier {
            self.way = Way::Delayed { parcels, carrier };
        }
    }

    /// Waits until everything is delivered, or the gate is closed.
    pub(super) fn finish(&mut self) {
        if let Way::Delayed { parcels, carrier } = std::mem::replace(&mut self.way, Way::Closed) {
            drop(parcels);
            // A carrier that panicked has nothing to deliver any more.
            let _ = carrier.join();
        }
    }
}

fn carry(arriving: &Receiver<Parcel>, mut stream: Stream, gate: &Gate) {
    while let Ok(parcel) = arriving.recv() {
        if !gate.wait_until(parcel.due) || stream.write_all(&parcel.bytes).is_err() || parcel.close
        {
            stream.shutdown();
            return;
        }
    }
}
