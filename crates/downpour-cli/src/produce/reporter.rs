//! The thread that waits for verdicts, in the input's order, counts them and hands them to the
//! sinks.

use std::io;
use std::sync::mpsc::Receiver;

use super::entry::{Batch, Entry};
use super::report::Sink;
use super::stop::{Stop, Why};
use super::tally::Tally;
use super::window::Window;
use crate::console::Console;

pub(super) struct Reporter<'a> {
    pub(super) sinks: Vec<Box<dyn Sink>>,
    /// Takes their place once standard output cannot be written to.
    last: Option<Box<dyn Sink>>,
    pub(super) tally: Tally,
    console: Console,
    stop: &'a Stop,
}

impl<'a> Reporter<'a> {
    pub(super) fn new(
        sinks: Vec<Box<dyn Sink>>,
        last: Box<dyn Sink>,
        console: Console,
        stop: &'a Stop,
    ) -> Self {
        Self {
            sinks,
            last: Some(last),
            tally: Tally::default(),
            console,
            stop,
        }
    }

    /// Works until the sending side has ended and everything is reported.
    pub(super) fn run(mut self, batches: Receiver<Batch>, window: &Window) -> Self {
        for Batch { entries, size } in batches {
            let count = entries.len();
            let mut shown = 0;
            for entry in entries {
                if let Entry::Accepted(_, delivery) = &entry {
                    // The next verdict may take long, so what is there is shown first.
                    if delivery.is_pending() {
                        self.show(&mut shown);
                    }
                }
                self.entry(entry);
                shown += 1;
            }
            self.show(&mut shown);
            self.console.advance_input(size);
            window.leave(count);
        }
        self
    }

    fn entry(&mut self, entry: Entry) {
        match entry {
            Entry::Accepted(at, delivery) => match delivery.wait() {
                Ok(report) => {
                    self.tally.acknowledge(&report);
                    self.tell(|sink| sink.delivered(at, &report));
                }
                Err(error) => {
                    self.tally.fail(error.written());
                    self.tell(|sink| sink.failed(at, &error));
                }
            },
            Entry::Refused(at, reason) => {
                self.tally.refused += 1;
                self.tell(|sink| sink.refused(at, &reason));
            }
        }
    }

    fn show(&mut self, records: &mut u64) {
        if *records == 0 {
            return;
        }
        self.tell(|sink| sink.flush());
        self.console.advance(*records);
        self.console.failures(self.tally.failed());
        *records = 0;
    }

    /// Tells every sink. If that fails, sending ends, and what fails from here on is told on standard
    /// error.
    pub(super) fn tell(&mut self, mut what: impl FnMut(&mut dyn Sink) -> io::Result<()>) {
        let mut is_lost = false;
        for sink in &mut self.sinks {
            if let Err(error) = what(&mut **sink) {
                self.stop.now(Why::of(&error));
                is_lost = true;
            }
        }
        if is_lost {
            self.turn();
        }
    }

    /// Tells what fails from here on on standard error.
    pub(super) fn turn(&mut self) {
        if let Some(last) = self.last.take() {
            self.sinks = vec![last];
        }
    }
}
