//! What the I/O thread has to say as `tracing` lines, for operators. Target `downpour`, fields
//! before words.
//!
//! Per batch, request or connection, never per record.

use std::sync::Arc;
use std::time::Duration;

use downpour_core::event::Event;
use downpour_core::outcome::Written;
use downpour_core::time::Readable;

use crate::sys::callback;

const TARGET: &str = "downpour";

/// Lines that wait to be written; what does not fit is counted.
const LINES_MAX: usize = 4096;

/// What is said beside the events: the end of a producer, and defects of this library.
#[derive(Debug)]
pub(crate) enum Line {
    Event(Event),
    ResolvedTwice {
        topic: Arc<str>,
        partition: i32,
        first: u32,
        records: u32,
    },
    Unreadable {
        topic: Arc<str>,
        partition: i32,
        records: u32,
        error: String,
    },
    ThreadPanicked,
    /// The last handle was dropped without a close while so many records had no verdict.
    DroppedOpen {
        unresolved: u64,
        /// For how long they are tried at most.
        within: Duration,
    },
    /// What came of that: so many records were not delivered.
    Dropped {
        undelivered: u64,
    },
}

/// Lines in the order of what happened. They are noted where a lock is held, and written where
/// none is: a subscriber is foreign code.
#[derive(Debug, Default)]
pub(crate) struct Lines {
    lines: Vec<Line>,
    left_out: usize,
}

impl Lines {
    pub(crate) fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// Adds a line, if there is room.
    pub(crate) fn push(&mut self, line: Line) {
        if self.lines.len() < LINES_MAX {
            self.lines.push(line);
        } else {
            self.left_out += 1;
        }
    }

    /// Adds another one's, behind these.
    pub(crate) fn append(&mut self, other: Self) {
        other.lines.into_iter().for_each(|line| self.push(line));
        self.left_out += other.left_out;
    }

    /// Writes them all, each on its own; at how many a subscriber panicked. No lock may be held.
    pub(crate) fn write(self) -> u32 {
        let written = |line: &Line| u32::from(callback::run(|| write(line)).is_none());
        let panics = self.lines.iter().map(written).sum();
        let left_out = self.left_out;
        if left_out > 0 {
            callback::say(|| {
                tracing::warn!(target: TARGET, left_out, "more happened than could be logged");
            });
        }
        panics
    }
}

fn write(line: &Line) {
    match line {
        Line::Event(it) => event(it),
        Line::ResolvedTwice {
            topic,
            partition,
            first,
            records,
        } => {
            tracing::error!(
                target: TARGET, %topic, partition, first, records,
                "records were about to get a second verdict; please report this"
            );
        }
        Line::Unreadable {
            topic,
            partition,
            records,
            error,
        } => {
            tracing::error!(
                target: TARGET, %topic, partition, records, %error,
                "records that were not sent could not be read back; please report this"
            );
        }
        Line::ThreadPanicked => {
            tracing::error!(target: TARGET, "the I/O thread panicked; please report this");
        }
        Line::DroppedOpen { unresolved, within } => {
            tracing::warn!(
                target: TARGET, unresolved,
                "the producer was dropped without close; its records are sent on for at most {}, \
                 and those without a verdict are lost if the process ends before",
                Readable(*within)
            );
        }
        Line::Dropped { undelivered: 0 } => {
            tracing::debug!(
                target: TARGET,
                "the producer was dropped; everything was delivered"
            );
        }
        Line::Dropped { undelivered } => {
            tracing::warn!(
                target: TARGET, undelivered,
                "the producer was dropped without close, and records were not delivered"
            );
        }
    }
}

/// Writes an event's line.
fn event(event: &Event) {
    connections(event);
    records(event);
}

fn connections(event: &Event) {
    match event {
        Event::Connecting { address, broker } => {
            tracing::debug!(target: TARGET, %address, ?broker, "connecting");
        }
        Event::Connected {
            address,
            broker,
            produce_version,
            metadata_version,
        } => {
            tracing::info!(
                target: TARGET, %address, ?broker, produce_version, metadata_version, "connected"
            );
        }
        Event::ConnectFailed {
            error,
            broker: None,
            retry_after,
        } => {
            let (address, reason) = (error.address(), error.reason());
            tracing::warn!(
                target: TARGET, %address, %reason, ?retry_after,
                "no connection to a bootstrap address"
            );
        }
        Event::ConnectFailed {
            error,
            broker: Some(broker),
            retry_after,
        } => {
            let (address, reason) = (error.address(), error.reason());
            tracing::warn!(
                target: TARGET, %address, broker, %reason, ?retry_after,
                "no connection to the address that this broker advertises; is its listener \
                 reachable from here?"
            );
        }
        Event::Disconnected {
            address,
            broker,
            reason,
            unanswered,
        } => {
            tracing::info!(target: TARGET, %address, ?broker, %reason, unanswered, "disconnected");
        }
        Event::Rebootstrap => {
            tracing::warn!(
                target: TARGET,
                "no known broker can be reached; asking the bootstrap addresses again"
            );
        }
        Event::MetadataUpdated { brokers, topics } => {
            tracing::debug!(target: TARGET, brokers, topics, "metadata updated");
        }
        Event::Throttled { broker, throttle } => {
            tracing::info!(target: TARGET, ?broker, ?throttle, "throttled");
        }
        _ => {}
    }
}

fn records(event: &Event) {
    match event {
        Event::TopicUnavailable { topic, code } => {
            tracing::warn!(target: TARGET, %topic, %code, "topic unavailable");
        }
        Event::LeaderMoved {
            topic,
            partition,
            leader,
            leader_epoch,
        } => {
            tracing::info!(target: TARGET, %topic, partition, ?leader, leader_epoch, "leader moved");
        }
        Event::Retry {
            topic,
            partition,
            records,
            attempts,
            cause,
        } => {
            tracing::info!(
                target: TARGET, %topic, partition, records, attempts, %cause, "batch is sent again"
            );
        }
        Event::Split {
            topic,
            partition,
            parts,
        } => {
            tracing::info!(
                target: TARGET, %topic, partition, parts, "batch was too large and was split"
            );
        }
        Event::DeliveryFailed {
            topic,
            partition,
            records,
            written,
            cause,
        } => {
            let maybe_written = *written == Written::Unknown;
            tracing::warn!(
                target: TARGET, %topic, partition, records, maybe_written, %cause,
                "records were not acknowledged"
            );
        }
        Event::IdentityGranted { producer_id, epoch } => {
            tracing::info!(target: TARGET, producer_id, epoch, "producer id granted");
        }
        Event::DataLost {
            topic,
            partition,
            broker,
            acknowledged,
        } => {
            tracing::warn!(
                target: TARGET, %topic, partition, ?broker, acknowledged,
                "broker lost records that it had acknowledged"
            );
        }
        Event::EpochBumped { producer_id, epoch } => {
            tracing::info!(target: TARGET, producer_id, epoch, "epoch bumped");
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_bounded_and_those_left_out_are_counted() {
        let mut lines = Lines::default();
        assert!(lines.is_empty());
        for undelivered in 0..LINES_MAX as u64 + 3 {
            lines.push(Line::Dropped { undelivered });
        }
        assert_eq!((lines.lines.len(), lines.left_out), (LINES_MAX, 3));
        let mut more = Lines::default();
        more.push(Line::ThreadPanicked);
        more.append(lines);
        assert_eq!((more.lines.len(), more.left_out), (LINES_MAX, 4));
        assert!(
            matches!(more.lines[0], Line::ThreadPanicked),
            "in their order"
        );
    }
}
