//! The thread that waits for verdicts, in the input's order, counts them and hands them to the
//! sinks.

use std::io;
use std::sync::mpsc::Receiver;

use super::entry::Entry;
use super::report::Sink;
use super::tally::Tally;
use super::window::Window;
use crate::console::Console;

pub(super) struct Reporter {
    pub(super) sinks: Vec<Box<dyn Sink>>,
    pub(super) tally: Tally,
    /// The first error of standard output; later ones are not told.
    pub(super) trouble: Option<io::Error>,
    console: Console,
}

impl Reporter {
    pub(super) fn new(sinks: Vec<Box<dyn Sink>>, console: Console) -> Self {
        Self {
            sinks,
            tally: Tally::default(),
            trouble: None,
            console,
        }
    }

    /// Works until the sending side has ended and everything is reported.
    pub(super) fn run(mut self, entries: Receiver<Vec<Entry>>, window: &Window) -> Self {
        for entries in entries {
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

    /// Tells every sink; trouble is kept and does not stop the others.
    pub(super) fn tell(&mut self, mut what: impl FnMut(&mut dyn Sink) -> io::Result<()>) {
        for sink in &mut self.sinks {
            if let Err(error) = what(&mut **sink) {
                self.trouble.get_or_insert(error);
            }
        }
    }
}
