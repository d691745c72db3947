//! What the I/O thread has to say as `tracing` lines. Target `downpour`, fields before words; the page
//! for users is LOGGING.md. What operators read is in `operators`.
//!
//! Per batch, request or connection, never per record.

use std::sync::Arc;
use std::time::Duration;

use downpour_core::client::notice::Notice;
use downpour_core::event::Event;
use downpour_core::outcome::Written;
use downpour_core::time::Readable;

use crate::sys::callback;

mod operators;
#[cfg(test)]
mod page;

const TARGET: &str = "downpour";

/// Lines that wait to be written; what does not fit is counted.
const LINES_MAX: usize = 4096;

/// What is said beside the events: the end of a producer, and defects of this library.
#[derive(Debug)]
pub(crate) enum Line {
    /// What happened, and whether that is worth a line to operators or to debuggers only.
    Event(Event, Notice),
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
        Line::Event(event, notice) => match notice {
            Notice::Quiet => quiet(event),
            notice => operators::write(event, *notice),
        },
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

/// What was told, and goes on: for whoever looks closely.
fn quiet(event: &Event) {
    match event {
        Event::ConnectFailed {
            error,
            broker,
            retry_after,
            ..
        } => {
            let (address, reason) = (error.address(), error.reason());
            let retry_after = Readable::coarse(*retry_after);
            tracing::debug!(
                target: TARGET, %address, broker, %reason, %retry_after, "no connection"
            );
        }
        Event::Connected {
            address, broker, ..
        } => {
            tracing::debug!(target: TARGET, %address, broker, "connected");
        }
        Event::Disconnected {
            address,
            broker,
            reason,
            unanswered,
            ..
        } => {
            tracing::debug!(
                target: TARGET, %address, broker, %reason, unanswered, "disconnected"
            );
        }
        Event::Unanswered {
            question,
            address,
            reason,
            ..
        } => {
            tracing::debug!(target: TARGET, ?question, %address, %reason, "no answer that helps");
        }
        Event::TopicUnavailable { topic, code, .. } => {
            tracing::debug!(target: TARGET, %topic, %code, "topic unavailable");
        }
        Event::Throttled {
            broker, throttle, ..
        } => {
            let throttle = Readable(*throttle);
            tracing::debug!(target: TARGET, broker, %throttle, "throttled");
        }
        Event::LeaderMoved {
            topic,
            partition,
            leader,
            leader_epoch,
        } => {
            tracing::debug!(
                target: TARGET, %topic, partition, leader, leader_epoch, "leader moved"
            );
        }
        Event::Retry {
            topic,
            partition,
            records,
            attempts,
            cause,
        } => {
            tracing::debug!(
                target: TARGET, %topic, partition, records, attempts, %cause, "batch is sent again"
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
            tracing::debug!(
                target: TARGET, %topic, partition, records, maybe_written, %cause,
                "records were not acknowledged"
            );
        }
        Event::Split {
            topic,
            partition,
            parts,
        } => {
            tracing::debug!(
                target: TARGET, %topic, partition, parts, "batch was too large and was split"
            );
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
