//! One connection: frames in, one at a time, reactions out. Which broker says what is `logic`'s;
//! delaying answers is `outbox`'s.

use std::io::{BufReader, Read};
use std::sync::Arc;

use super::gate::Gate;
use super::outbox::Outbox;
use super::shared::Shared;
use super::stream::Stream;
use crate::logic::{Reaction, Then};

/// Kafka's own bound on a request (`socket.request.max.bytes`).
const FRAME_BYTES_MAX: u32 = 100 << 20;

/// Serves a connection until either side closes it.
pub(super) fn serve(shared: &Shared, node: i32, id: u64, stream: Stream, gate: &Arc<Gate>) {
    let Ok(reading) = stream.try_clone() else {
        return;
    };
    // Selector.IdleExpiryManager: no bytes for so long. A time of zero would be an error.
    if !shared.idle_max.is_zero() && reading.set_read_timeout(shared.idle_max).is_err() {
        return;
    }
    let mut reader = BufReader::with_capacity(64 << 10, reading);
    let mut outbox = Outbox::new(stream, Arc::clone(gate));
    while let Some(frame) = read_frame(&mut reader) {
        let Some(reaction) = shared.handle(node, id, &frame, gate) else {
            break;
        };
        match carry_out(reaction, &mut outbox, gate) {
            Then::Continue => {}
            Then::Hang => {
                drain(&mut reader);
                break;
            }
            _ => {
                outbox.finish();
                break;
            }
        }
    }
    // Whoever stopped reading has no use for answers that are still on their way.
    gate.close();
    outbox.finish();
}

/// Waits and sends as the reaction says, and returns what is to become of the connection.
fn carry_out(reaction: Reaction, outbox: &mut Outbox, gate: &Gate) -> Then {
    if !gate.wait_for(reaction.service_delay) {
        return Then::Close;
    }
    let travel = reaction.network_delay;
    let then = reaction.then;
    match (reaction.answer, then) {
        (answer, Then::Close) => {
            outbox.send(answer.unwrap_or_default(), travel, true);
        }
        (Some(mut answer), Then::CloseAfter(bytes)) => {
            answer.truncate(bytes);
            outbox.send(answer, travel, true);
        }
        (Some(answer), _) => {
            if !outbox.send(answer, travel, false) {
                return Then::Close;
            }
        }
        (None, _) => {}
    }
    if gate.wait_for(reaction.mute) {
        then
    } else {
        Then::Close
    }
}

/// Reads a frame without its length; `None` at the end, or if it is no frame.
fn read_frame(reader: &mut impl Read) -> Option<Vec<u8>> {
    let mut length = [0; 4];
    reader.read_exact(&mut length).ok()?;
    let length = u32::from_be_bytes(length);
    if length > FRAME_BYTES_MAX {
        return None;
    }
    // Grows as bytes arrive, so that a length alone does not cost memory.
    let mut frame = Vec::new();
    let read = reader
        .take(u64::from(length))
        .read_to_end(&mut frame)
        .ok()?;
    (read == length as usize).then_some(frame)
}

/// Reads and forgets until the connection ends.
fn drain(reader: &mut impl Read) {
    let mut scratch = vec![0; 16 << 10];
    while matches!(reader.read(&mut scratch), Ok(1..)) {}
}
