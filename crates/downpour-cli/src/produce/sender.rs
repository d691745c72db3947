//! From lines to accepted records: on the command's own thread, in the input's order.

use std::ops::ControlFlow;
use std::sync::mpsc::SyncSender;

use downpour::blocking::{Producer, TopicProducer};

use super::entry::{Batch, Entry, InputLine};
use super::report::Halt;
use super::stop::Stop;
use super::window::Window;
use crate::args::InputFormat;
use crate::input::{Block, Template};

pub(super) struct Sender<'a> {
    pub(super) producer: &'a Producer,
    pub(super) topic: &'a TopicProducer,
    pub(super) template: &'a Template,
    pub(super) formats: &'a [InputFormat],
    pub(super) keep_going: bool,
    pub(super) stop: &'a Stop,
    pub(super) window: &'a Window,
    pub(super) entries: SyncSender<Batch>,
}

impl Sender<'_> {
    /// Sends the records of a block, or says where and why it stopped.
    pub(super) fn block(&self, block: &Block) -> ControlFlow<Halt> {
        let mut entries = Vec::new();
        let flow = self.lines(block, &mut entries);
        self.window.enter(entries.len());
        let size = block.size;
        if self.entries.send(Batch { entries, size }).is_err() {
            return stop(None, "the reporting thread is gone");
        }
        flow
    }

    fn lines(&self, block: &Block, entries: &mut Vec<Entry>) -> ControlFlow<Halt> {
        let format = self.formats[block.source];
        for (number, line) in block.lines() {
            let at = InputLine {
                source: block.source,
                line: number,
            };
            if let Some(why) = self.stop.why() {
                return stop(Some(at), why.to_string());
            }
            let record = match self.template.read(format, line) {
                Ok(Some(read)) => read.into_record(self.topic),
                Ok(None) => continue,
                Err(bad) => {
                    self.refuse(at, bad.to_string(), entries)?;
                    continue;
                }
            };
            match self.producer.send(record) {
                Ok(delivery) => entries.push(Entry::Accepted(at, delivery)),
                Err(error) if error.invalid_record().is_some() => {
                    self.refuse(at, error.to_string(), entries)?;
                }
                // What keeps this record out (a topic that is not there, a producer that closes) keeps
                // the next one out too, so that none overtakes it.
                Err(error) => {
                    let why = self.stop.why().map(ToString::to_string);
                    return stop(Some(at), why.unwrap_or_else(|| error.to_string()));
                }
            }
        }
        ControlFlow::Continue(())
    }

    fn refuse(&self, at: InputLine, reason: String, entries: &mut Vec<Entry>) -> ControlFlow<Halt> {
        entries.push(Entry::Refused(at, reason));
        if self.keep_going {
            return ControlFlow::Continue(());
        }
        stop(
            Some(at),
            "the line was refused; --keep-going skips such lines",
        )
    }
}

fn stop(at: Option<InputLine>, reason: impl Into<String>) -> ControlFlow<Halt> {
    ControlFlow::Break(Halt {
        at,
        reason: reason.into(),
        untouched: Vec::new(),
    })
}
