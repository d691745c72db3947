//! The judge of a storm: compares what the writers were told with what a foreign consumer read, by
//! what each producer promises. What Kafka itself may lose is counted apart: records of a topic that
//! was made anew, or led by a replica that was not in sync, after they were sent.

use std::collections::{BTreeMap, HashMap};

use kafka_harness::Record;

use crate::storm::book::{Book, Entry, Fate};
use crate::storm::plan::{OLD, PRODUCERS, Promise, Shape, TOPICS, UNCLEAN, WRITERS, promise_of};
use crate::storm::tag::{Tag, partition_of_key};

/// So many violations are told in words; all are counted.
const TOLD_MAX: usize = 40;

/// So many records before and after one are shown.
const AROUND: usize = 12;

/// What is counted of what was found.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Counts {
    /// Delivered and not in the log.
    pub lost: u64,
    /// In the log more than once.
    pub doubled: u64,
    /// Behind one of the same writer and partition that was sent later.
    pub reordered: u64,
    /// At another offset than was reported.
    pub offset: u64,
}

/// What a judge found.
#[derive(Debug, Default)]
pub struct Findings {
    /// How many records were read.
    pub read: u64,
    /// Against the promise.
    pub broken: Counts,
    /// Not promised: acks below all, or no idempotence; by producer.
    pub unpromised: BTreeMap<&'static str, Counts>,
    /// In another partition than its key, its writer or its report says.
    pub misplaced: u64,
    /// In the log although it failed.
    pub unexpected: u64,
    /// Never sent, or damaged.
    pub foreign: u64,
    /// Without verdict.
    pub unresolved: u64,
    /// Reported at another partition than its handle said.
    pub moved: u64,
    /// Lost with an election of a replica that was not in sync.
    pub lost_unclean: u64,
    /// Gone with a topic that was deleted.
    pub gone_with_topic: u64,
    /// Unknown, too old for the broker to remember its producer, and behind a later one.
    pub late_and_forgotten: u64,
    /// Unknown, and in the log.
    pub unknown_there: u64,
    /// The first violations, as sentences.
    pub told: Vec<String>,
}

impl Findings {
    /// Whether every promise was kept.
    pub fn is_good(&self) -> bool {
        let rest = self.misplaced + self.unexpected + self.foreign + self.unresolved + self.moved;
        self.broken == Counts::default() && rest == 0
    }
}

/// Judges the records of all topics, one topic after the other.
#[derive(Debug)]
pub struct Judge<'a> {
    books: &'a [Book],
    /// By topic, the count of `Shared::eras` at the end.
    eras: [u32; TOPICS.len()],
    /// By writer and number: how often it was read.
    seen: Vec<Vec<u8>>,
    /// Of the topic that is read: the last number by writer and partition.
    last: HashMap<(u16, i32), u32>,
    /// What lies where, by topic and partition, for those who read of a violation.
    logs: HashMap<(usize, i32), Vec<(i64, Tag)>>,
    /// Records of which something is told.
    suspects: Vec<(usize, i32, Tag)>,
    found: Findings,
    scratch: Vec<u8>,
}

impl<'a> Judge<'a> {
    /// A judge that has read nothing yet.
    pub fn new(books: &'a [Book], eras: [u32; TOPICS.len()]) -> Self {
        let seen = books.iter().map(|book| vec![0; book.entries.len()]);
        Self {
            books,
            eras,
            seen: seen.collect(),
            last: HashMap::new(),
            logs: HashMap::new(),
            suspects: Vec::new(),
            found: Findings::default(),
            scratch: Vec::new(),
        }
    }

    fn tell(&mut self, topic: usize, partition: i32, tag: Tag, what: &str) {
        if self.found.told.len() >= TOLD_MAX {
            return;
        }
        let entry = self.entry(tag);
        let line = format!(
            "{}-{partition}: record {} of writer {}: {what}; {entry:?}",
            TOPICS[topic].name, tag.number, tag.writer
        );
        self.found.told.push(line);
        self.suspects.push((topic, partition, tag));
    }

    fn entry(&self, tag: Tag) -> Option<Entry> {
        let book = self.books.get(usize::from(tag.writer))?;
        book.entries.get(tag.number as usize).copied()
    }

    /// Judges the next record of a topic. Those of one partition come in the order of their offsets.
    pub fn record(&mut self, topic: usize, record: &Record) {
        self.found.read += 1;
        let partition = record.partition;
        let known = Tag::of(record).and_then(|tag| Some((tag, self.entry(tag)?)));
        let Some((tag, entry)) = known else {
            self.found.foreign += 1;
            let at = (TOPICS[topic].name, partition, record.offset);
            if self.found.told.len() < TOLD_MAX {
                self.found
                    .told
                    .push(format!("what lies at {at:?} was never sent"));
            }
            return;
        };
        let log = self.logs.entry((topic, partition)).or_default();
        log.push((record.offset, tag));
        let plan = &WRITERS[usize::from(tag.writer)];
        let is_keyed = plan.shape == Shape::Keyed;
        if !tag.is_whole(record, is_keyed, plan.value_max, &mut self.scratch) || plan.topic != topic
        {
            self.found.foreign += 1;
            self.tell(topic, partition, tag, "it is damaged, or of another topic");
            return;
        }
        if !is_in_place(tag, &entry, plan.shape, record) {
            self.found.misplaced += 1;
            self.tell(
                topic,
                partition,
                tag,
                "it does not belong into this partition",
            );
        }
        let writer = usize::from(tag.writer);
        let is_once = promise_of(writer) == Promise::Once;
        let seen = &mut self.seen[writer][tag.number as usize];
        let is_again = *seen > 0;
        *seen = seen.saturating_add(1);
        if is_again {
            self.counts(writer).doubled += 1;
            if is_once {
                self.tell(
                    topic,
                    partition,
                    tag,
                    &format!("again at {}", record.offset),
                );
            }
            return;
        }
        let last = self.last.insert((tag.writer, partition), tag.number);
        if let Some(last) = last.filter(|last| *last > tag.number) {
            self.last.insert((tag.writer, partition), last);
            // A request that comes when its producer has given it up and gone on under a new epoch is
            // refused for its old one, unless the broker has forgotten the producer, as it does if
            // the records are old. No client can prevent that, and this one calls them unknown.
            let is_forgotten = topic == OLD && entry.fate == Fate::Unknown;
            if is_once && is_forgotten {
                self.found.late_and_forgotten += 1;
            } else {
                self.counts(writer).reordered += 1;
            }
            if is_once && !is_forgotten {
                let at = record.offset;
                self.tell(topic, partition, tag, &format!("at {at}, behind {last}"));
            }
        }
        match entry.fate {
            Fate::Delivered(offset) if offset != record.offset => {
                self.counts(writer).offset += 1;
                if is_once {
                    self.tell(topic, partition, tag, &format!("at {}", record.offset));
                }
            }
            Fate::Failed => {
                self.found.unexpected += 1;
                self.tell(topic, partition, tag, &format!("at {}", record.offset));
            }
            Fate::Unknown => self.found.unknown_there += 1,
            Fate::Delivered(_) | Fate::Sent | Fate::Unresolved => {}
        }
    }

    fn counts(&mut self, writer: usize) -> &mut Counts {
        if promise_of(writer) == Promise::Once {
            &mut self.found.broken
        } else {
            let producer = PRODUCERS[WRITERS[writer].producer].name;
            self.found.unpromised.entry(producer).or_default()
        }
    }

    /// Ends the judgement: what was not read by now is not in the log. The text is for those who look
    /// for the cause of what was told.
    pub fn finish(mut self) -> (Findings, String) {
        for (writer, book) in self.books.iter().enumerate() {
            self.found.moved += book.moved;
            let plan = &WRITERS[writer];
            let promise = promise_of(writer);
            for (number, entry) in book.entries.iter().enumerate() {
                let tag = Tag {
                    writer: writer as u16,
                    number: number as u32,
                };
                if entry.fate == Fate::Unresolved {
                    self.found.unresolved += 1;
                    self.tell(plan.topic, entry.partition, tag, "it has no verdict");
                }
                let is_delivered = matches!(entry.fate, Fate::Delivered(_) | Fate::Sent);
                if !is_delivered || self.seen[writer][number] > 0 {
                    continue;
                }
                let is_excused = u32::from(entry.era) < self.eras[plan.topic];
                match promise {
                    Promise::Honest => self.counts(writer).lost += 1,
                    _ if is_excused && plan.topic == UNCLEAN => self.found.lost_unclean += 1,
                    _ if is_excused => self.found.gone_with_topic += 1,
                    _ => {
                        self.found.broken.lost += 1;
                        self.tell(plan.topic, entry.partition, tag, "it is not there");
                    }
                }
            }
        }
        let evidence = self.evidence();
        (self.found, evidence)
    }

    /// What was sent and what was read around each record that something is told of.
    fn evidence(&self) -> String {
        use std::fmt::Write as _;
        let mut text = String::new();
        for ((topic, partition, tag), told) in self.suspects.iter().zip(&self.found.told) {
            // Writing to a String cannot fail.
            let _ = writeln!(text, "{told}\n  sent by writer {} there:", tag.writer);
            let entries = self.books[usize::from(tag.writer)].entries.iter();
            let there: Vec<_> = entries
                .enumerate()
                .filter(|(_, entry)| entry.partition == *partition)
                .collect();
            let at = there
                .iter()
                .position(|(number, _)| *number == tag.number as usize);
            for (number, entry) in around(&there, at) {
                let times = self.seen[usize::from(tag.writer)][*number];
                let _ = writeln!(text, "    {number}: {entry:?}, read {times} times");
            }
            let _ = writeln!(text, "  read there (offset, writer, number):");
            let log = self
                .logs
                .get(&(*topic, *partition))
                .map_or(&[][..], Vec::as_slice);
            for (at, (_, found)) in log.iter().enumerate() {
                if found == tag {
                    for (offset, found) in around(log, Some(at)) {
                        let _ = writeln!(text, "    {offset} {} {}", found.writer, found.number);
                    }
                    let _ = writeln!(text, "    --");
                }
            }
        }
        text
    }
}

fn around<T>(all: &[T], at: Option<usize>) -> &[T] {
    let Some(at) = at else { return &[] };
    &all[at.saturating_sub(AROUND)..all.len().min(at + AROUND)]
}

/// Whether a record lies in the partition that its handle or report named, and that its key or its
/// writer wants, by some count of partitions that the producer knew when it took the record.
fn is_in_place(tag: Tag, entry: &Entry, shape: Shape, record: &Record) -> bool {
    if entry.partition >= 0 && entry.partition != record.partition {
        return false;
    }
    if shape != Shape::Keyed {
        return true;
    }
    let (before, after) = entry.counts;
    let key = tag.key();
    let mut counts = before.min(after)..=before.max(after);
    counts.any(|count| partition_of_key(key.as_bytes(), count.into()) == record.partition)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storm::plan::{GROWING, REBORN};
    use crate::storm::tag::HEADER;

    /// The first writer of this shape to this topic whose producer promises this.
    fn writer(topic: usize, shape: Shape, promise: Promise) -> u16 {
        let mut all = WRITERS.iter().enumerate();
        let found = all.find(|(at, plan)| {
            plan.topic == topic && plan.shape == shape && promise_of(*at) == promise
        });
        found.unwrap().0 as u16
    }

    /// A story of one writer: the fates of its records, all in partition 0, and where they lie.
    struct Story {
        writer: u16,
        entries: Vec<Entry>,
        log: Vec<u32>,
        eras: [u32; TOPICS.len()],
    }

    fn story(writer: u16, fates: &[Fate], log: &[u32]) -> Story {
        let entries = fates.iter().map(|fate| Entry {
            fate: *fate,
            partition: 0,
            counts: (1, 1),
            era: 0,
        });
        Story {
            writer,
            entries: entries.collect(),
            log: log.to_vec(),
            eras: [0; TOPICS.len()],
        }
    }

    impl Story {
        fn judged(&self) -> Findings {
            let mut books: Vec<Book> = WRITERS.iter().map(|_| Book::default()).collect();
            books[usize::from(self.writer)]
                .entries
                .clone_from(&self.entries);
            let mut judge = Judge::new(&books, self.eras);
            let plan = &WRITERS[usize::from(self.writer)];
            for (offset, number) in (0..).zip(&self.log) {
                judge.record(plan.topic, &self.read(*number, offset));
            }
            judge.finish().0
        }

        fn read(&self, number: u32, offset: i64) -> Record {
            let writer = self.writer;
            let tag = Tag { writer, number };
            let plan = &WRITERS[usize::from(writer)];
            let mut value = Vec::new();
            tag.value(plan.value_max, &mut value);
            let header = tag.header().into_iter();
            Record {
                partition: 0,
                offset,
                timestamp_ms: 0,
                is_append_time: false,
                key: (plan.shape == Shape::Keyed).then(|| tag.key().into_bytes()),
                value: Some(value),
                headers: header
                    .map(|value| (HEADER.to_owned(), Some(value.into_bytes())))
                    .collect(),
            }
        }
    }

    const D: fn(i64) -> Fate = Fate::Delivered;

    #[test]
    fn a_log_as_it_was_reported_is_good_and_each_way_to_differ_is_found() {
        let writer = writer(0, Shape::Explicit, Promise::Once);
        let judged = |fates: &[Fate], log: &[u32]| story(writer, fates, log).judged();
        assert!(judged(&[D(0), D(1), Fate::Failed, Fate::Unknown], &[0, 1]).is_good());
        assert!(judged(&[D(0), Fate::Unknown], &[0, 1]).is_good());
        assert_eq!(judged(&[D(0), D(1)], &[0]).broken.lost, 1);
        assert_eq!(judged(&[D(0), D(1)], &[0, 1, 1]).broken.doubled, 1);
        assert_eq!(judged(&[D(1), D(0)], &[1, 0]).broken.reordered, 1);
        assert_eq!(judged(&[D(1)], &[0]).broken.offset, 1);
        assert_eq!(judged(&[Fate::Failed], &[0]).unexpected, 1);
        assert_eq!(judged(&[Fate::Unresolved], &[]).unresolved, 1);
        assert_eq!(judged(&[], &[0]).foreign, 1);
    }

    #[test]
    fn a_key_lies_where_a_count_of_that_time_puts_it() {
        let writer = writer(GROWING, Shape::Keyed, Promise::Once);
        let tag = Tag { writer, number: 0 };
        let mut story = story(writer, &[D(0)], &[0]);
        let elsewhere = (2..50).find(|count| partition_of_key(tag.key().as_bytes(), *count) != 0);
        let count = elsewhere.unwrap() as u16;
        story.entries[0].counts = (count, count);
        assert_eq!(story.judged().misplaced, 1);
        story.entries[0].counts = (1, count);
        assert!(story.judged().is_good());
        story.entries[0].partition = 1;
        assert_eq!(story.judged().misplaced, 1);
    }

    #[test]
    fn what_kafka_may_lose_is_excused_only_if_it_was_sent_before() {
        for topic in [UNCLEAN, REBORN] {
            let writer = writer(topic, Shape::Explicit, Promise::Once);
            let mut story = story(writer, &[D(0), D(0)], &[1]);
            story.eras[topic] = 1;
            story.entries[1].era = 1;
            let found = story.judged();
            assert!(found.is_good(), "{found:?}");
            assert_eq!(found.lost_unclean + found.gone_with_topic, 1);
            story.log.clear();
            assert_eq!(story.judged().broken.lost, 1);
        }
    }

    #[test]
    fn what_is_late_is_excused_only_if_it_is_old_and_unknown() {
        for (topic, shape) in [(OLD, Shape::Keyed), (0, Shape::Explicit)] {
            let writer = writer(topic, shape, Promise::Once);
            let tag = |number| Tag { writer, number }.key();
            // Partition 0 is that of every key if there is one partition.
            assert_eq!(partition_of_key(tag(0).as_bytes(), 1), 0);
            let late = story(writer, &[Fate::Unknown, D(0)], &[1, 0]).judged();
            assert_eq!(late.broken.reordered, u64::from(topic != OLD));
            assert_eq!(late.late_and_forgotten, u64::from(topic == OLD));
            assert!(!story(writer, &[D(1), D(0)], &[1, 0]).judged().is_good());
        }
    }

    #[test]
    fn a_producer_that_promises_less_is_judged_by_that() {
        let weak = writer(crate::storm::plan::WEAK, Shape::Keyed, Promise::Honest);
        let found = story(weak, &[D(0), D(1), D(2)], &[1, 0, 0]).judged();
        assert!(found.is_good(), "{found:?}");
        let told = found.unpromised["leader"];
        assert_eq!((told.lost, told.doubled), (1, 1));
        assert!(!story(weak, &[Fate::Failed], &[0]).judged().is_good());
        let twice = writer(
            crate::storm::plan::WEAK,
            Shape::Keyless,
            Promise::AtLeastOnce,
        );
        assert!(story(twice, &[D(0)], &[0, 0]).judged().is_good());
        assert_eq!(story(twice, &[D(0)], &[]).judged().broken.lost, 1);
    }
}
