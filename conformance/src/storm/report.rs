//! What a storm prints at its end.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use kafka_harness::Version;

use crate::storm::book::{Book, Fate};
use crate::storm::deck::Kind;
use crate::storm::judge::Findings;
use crate::storm::plan::{PRODUCERS, WRITERS};

/// So many violations are printed; more are in the file `violations.txt`.
const TOLD_MAX: usize = 8;

/// What happened in a storm.
#[derive(Debug)]
#[non_exhaustive]
pub struct StormReport {
    /// The release of the brokers.
    pub version: Version,
    /// What all was drawn from.
    pub seed: u64,
    /// From the first record to the last verdict.
    pub took: Duration,
    /// How many faults the cluster had, by kind.
    pub faults: BTreeMap<Kind, u32>,
    /// How many faults connections had, by kind.
    pub cuts: BTreeMap<&'static str, u32>,
    /// What the writers were told, by their places.
    pub books: Vec<Book>,
    /// What is true of that.
    pub findings: Findings,
    /// Where logs and history are kept, if a promise was broken.
    pub kept: Option<PathBuf>,
}

impl StormReport {
    /// Whether every promise was kept.
    pub fn is_good(&self) -> bool {
        self.findings.is_good()
    }
}

/// Sent, acknowledged, failed, unknown.
fn counts<'a>(books: impl Iterator<Item = &'a Book>) -> [u64; 4] {
    let mut sums = [0; 4];
    for book in books {
        sums[0] += book.entries.len() as u64;
        sums[1] += book.count(|fate| matches!(fate, Fate::Delivered(_) | Fate::Sent));
        sums[2] += book.count(|fate| fate == Fate::Failed);
        sums[3] += book.count(|fate| fate == Fate::Unknown);
    }
    sums
}

/// Each kind with its count.
fn listed<K: fmt::Display>(counts: &BTreeMap<K, u32>) -> String {
    let all = counts.iter().map(|(kind, count)| format!("{kind} {count}"));
    all.collect::<Vec<_>>().join(", ")
}

impl fmt::Display for StormReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Findings {
            broken, unpromised, ..
        } = &self.findings;
        let found = &self.findings;
        let seconds = self.took.as_secs_f64();
        writeln!(
            f,
            "storm on Apache Kafka {}, seed {}, {} producers, {} writers, {seconds:.0} s",
            self.version,
            self.seed,
            PRODUCERS.len(),
            WRITERS.len()
        )?;
        writeln!(f, "records       sent acknowledged  failed unknown")?;
        for (at, producer) in PRODUCERS.iter().enumerate() {
            let own = |writer: &usize| WRITERS[*writer].producer == at;
            let books = (0..self.books.len()).filter(own).map(|at| &self.books[at]);
            let [sent, good, failed, unknown] = counts(books);
            let name = producer.name;
            writeln!(
                f,
                "  {name:<8} {sent:>8} {good:>12} {failed:>7} {unknown:>7}"
            )?;
        }
        let [sent, good, failed, unknown] = counts(self.books.iter());
        writeln!(
            f,
            "  {:<8} {sent:>8} {good:>12} {failed:>7} {unknown:>7}",
            "all"
        )?;
        writeln!(f, "faults of the cluster: {}", listed(&self.faults))?;
        writeln!(f, "faults of connections: {}", listed(&self.cuts))?;
        writeln!(f, "librdkafka read {}:", found.read)?;
        writeln!(
            f,
            "  lost {}, doubled {}, reordered {}, misplaced {}, at another offset {}",
            broken.lost, broken.doubled, broken.reordered, found.misplaced, broken.offset
        )?;
        writeln!(
            f,
            "  there although failed {}, foreign or damaged {}, without verdict {}, moved {}",
            found.unexpected, found.foreign, found.unresolved, found.moved
        )?;
        writeln!(
            f,
            "  apart: lost with unclean elections {}, gone with deleted topics {}, \
             unknown and there {}, of which old and late {}",
            found.lost_unclean,
            found.gone_with_topic,
            found.unknown_there,
            found.late_and_forgotten
        )?;
        for (producer, counts) in unpromised {
            writeln!(
                f,
                "  not promised by {producer}: lost {}, doubled {}, reordered {}, \
                 at another offset {}",
                counts.lost, counts.doubled, counts.reordered, counts.offset
            )?;
        }
        for told in found.told.iter().take(TOLD_MAX) {
            writeln!(f, "  {told}")?;
        }
        if let Some(kept) = &self.kept {
            writeln!(f, "kept: {}", kept.display())?;
        }
        Ok(())
    }
}
