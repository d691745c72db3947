//! Where callers note what they were told. The world reads it between two events.

use std::time::Duration;

use downpour::{Delivery, DeliveryError, Report, Unfinished, Written, simulation};

use crate::history::{Entry, Fate, History, Told};
use crate::world::tasks::Task;

/// How a record ended.
pub(crate) type End = Result<Report, DeliveryError>;

/// What callers know.
#[derive(Default)]
pub(crate) struct Desk {
    pub(crate) now: Duration,
    /// The process stands or stood still until then.
    pub(crate) suspended_until: Duration,
    pub(crate) history: History,
    /// Records that were accepted and have no verdict that somebody waits for.
    pub(crate) open: usize,
    /// Bytes of their values.
    pub(crate) open_bytes: usize,
    /// Records that each flush that came back had to wait for.
    pub(crate) flushed: Vec<Vec<u32>>,
    /// Flushes and closings that have not come back.
    pub(crate) ending: usize,
    /// Records that were refused because their partition does not exist.
    pub(crate) misplaced: u64,
    /// Questions that sent nothing.
    pub(crate) questions: u64,
    /// What the closing handed back.
    pub(crate) unfinished: Option<Unfinished>,
    /// Callers that began since the world looked last.
    pub(crate) spawned: Vec<Task>,
    /// What was noted since the world looked last.
    pub(crate) notes: Vec<Note>,
}

impl std::fmt::Debug for Desk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Desk").finish_non_exhaustive()
    }
}

/// Something that a caller was told.
#[derive(Debug)]
pub(crate) enum Note {
    Accepted(u32),
    Verdict(u32),
    /// For the tally.
    Counted(&'static str),
    /// For the trace.
    Said(String),
    Broken(String),
}

impl Desk {
    pub(crate) fn accept(&mut self, id: u32, entry: Entry) {
        if entry.watched {
            self.open += 1;
            self.open_bytes += entry.len;
        }
        self.history.accept(id, entry);
        self.notes.push(Note::Accepted(id));
    }

    /// The end of a record, as whoever waited for it was told.
    pub(crate) fn resolve(&mut self, id: u32, delivery: &Delivery, end: &End, acks: bool) {
        let now = self.now;
        let Some(entry) = self.history.entries.get_mut(&id) else {
            return;
        };
        let fate = fate_of(end, acks);
        if let Err(error) = end {
            entry.told = Some(Box::new(Told {
                cause: simulation::cause(error).clone(),
                age: error.age(),
            }));
        }
        if entry.fate.replace((fate, now)).is_some() {
            let what = format!("record {id} got a second verdict");
            self.notes.push(Note::Broken(what));
        }
        let partition = match end {
            Ok(report) => report.partition(),
            Err(error) => error.partition(),
        };
        if delivery.partition() != entry.place.1 || partition != entry.place.1 {
            let what = format!("record {id} got a verdict of another partition");
            self.notes.push(Note::Broken(what));
        }
        self.open -= 1;
        self.open_bytes -= entry.len;
        self.notes.push(Note::Verdict(id));
    }

    pub(crate) fn count(&mut self, what: &'static str) {
        self.notes.push(Note::Counted(what));
    }
}

fn fate_of(end: &End, acks: bool) -> Fate {
    match end {
        Ok(report) if acks => Fate::Delivered {
            offset: report.offset(),
        },
        Ok(_) => Fate::Sent,
        Err(error) => {
            let why = error.to_string();
            match error.written() {
                Written::No => Fate::Failed { why },
                _ => Fate::Unknown { why },
            }
        }
    }
}
