//! From lines to accepted records: on the command's own thread, in the input's order.

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::mpsc::SyncSender;

use downpour::blocking::Producer;
use downpour::{SendError, Topic};

use super::entry::{Entry, Place};
use super::report::Halt;
use super::window::Window;
use crate::args::InputFormat;
use crate::input::{Block, Template};

/// What is needed to send.
pub(super) struct Sender<'a> {
    pub(super) producer: &'a Producer,
    pub(super) topic: &'a Topic,
    pub(super) template: &'a Template,
    pub(super) formats: &'a [InputFormat],
    pub(super) keep_going: bool,
    /// The number of the signal that ends it, or 0.
    pub(super) interrupted: &'a AtomicU8,
    pub(super) window: &'a Window,
    pub(super) entries: SyncSender<Vec<Entry>>,
}

impl Sender<'_> {
    /// Sends the records of a block, or says where and why it stopped.
    pub(super) fn block(&self, block: &Block) -> ControlFlow<Halt> {
        let mut entries = Vec::new();
        let flow = self.lines(block, &mut entries);
        self.window.enter(entries.len());
        if self.entries.send(entries).is_err() {
            return stop(None, "the reporting thread is gone");
        }
        flow
    }

    fn lines(&self, block: &Block, entries: &mut Vec<Entry>) -> ControlFlow<Halt> {
        let format = self.formats[block.source];
        for (number, line) in block.lines() {
            let place = Place {
                source: block.source,
                line: number,
            };
            if self.interrupted.load(Ordering::Relaxed) != 0 {
                return stop(Some(place), "interrupted");
            }
            let record = match self.template.read(format, line) {
                Ok(Some(read)) => read.into_record(self.topic),
                Ok(None) => continue,
                Err(bad) => {
                    self.refuse(place, bad.to_string(), entries)?;
                    continue;
                }
            };
            match self.producer.produce_async(record) {
                Ok(delivery) => entries.push(Entry::Accepted(place, delivery)),
                Err(SendError::Invalid(invalid)) => {
                    self.refuse(place, invalid.to_string(), entries)?;
                }
                Err(SendError::Closed) if self.interrupted.load(Ordering::Relaxed) != 0 => {
                    return stop(Some(place), "interrupted");
                }
                // Whatever keeps this record out keeps out the next: order is kept.
                Err(error) => return stop(Some(place), error.to_string()),
            }
        }
        ControlFlow::Continue(())
    }

    fn refuse(&self, place: Place, reason: String, entries: &mut Vec<Entry>) -> ControlFlow<Halt> {
        entries.push(Entry::Refused(place, reason));
        if self.keep_going {
            return ControlFlow::Continue(());
        }
        let next = Place {
            line: place.line + 1,
            ..place
        };
        stop(
            Some(next),
            "the line before was refused; --keep-going skips such lines",
        )
    }
}

fn stop(place: Option<Place>, reason: impl Into<String>) -> ControlFlow<Halt> {
    ControlFlow::Break(Halt {
        place,
        reason: reason.into(),
        untouched: Vec::new(),
    })
}
