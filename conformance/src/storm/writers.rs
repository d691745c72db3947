//! The writers of a storm: threads and tasks that send tagged records at a steady pace and write down
//! what they are told of each. What they send is in `plan`.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use downpour::{Delivery, Record, SendManyError, TopicProducer, blocking};

use crate::storm::book::Book;
use crate::storm::plan::{OLD, REBORN, Shape, TOPICS, Verb, WRITERS, WriterPlan};
use crate::storm::tag::{HEADER, Tag};

/// How often a writer sends.
const TICK: Duration = Duration::from_millis(20);

/// A writer that is later than this does not catch up, so that a wait is not followed by a flood.
const LATE_MAX: Duration = Duration::from_millis(200);

/// Old records are older than brokers remember a producer by default, which is a day.
const OLD_BY_MS: i64 = 25 * 3_600_000;

/// Those that name a partition of the topic that is made anew name one of so many, some of which there
/// may not be.
const REBORN_MAX: u32 = 6;

/// What writers and faults share.
#[derive(Debug, Default)]
pub struct Shared {
    /// Set when enough was sent, and never cleared: without it writers would send on forever.
    pub is_over: AtomicBool,
    /// By topic: how many times it was made anew, or lost its in-sync leader, so far. The faults
    /// count; a record sent under the last count is excused for nothing.
    pub eras: [AtomicU32; TOPICS.len()],
    /// By topic: how many records were said to be delivered. Writers count, and a fault that needs
    /// records waits for it.
    pub delivered: [AtomicU64; TOPICS.len()],
}

/// A writer at work.
struct Writer<'a> {
    plan: &'static WriterPlan,
    id: u16,
    /// It says how many partitions there are, and every other record goes by it.
    topic: &'a TopicProducer,
    shared: &'a Shared,
    book: Book,
    /// Records without verdict by partition, in the order in which they were sent.
    pending: Vec<VecDeque<(u32, Delivery)>>,
}

/// When the next records are due.
struct Pace {
    due: f64,
    tick: Instant,
}

impl Pace {
    fn new() -> Self {
        Self {
            due: 0.0,
            tick: Instant::now(),
        }
    }

    /// How many records are due now, and how long to sleep after them.
    fn next(&mut self, per_second: u64) -> u64 {
        self.due += per_second as f64 * TICK.as_secs_f64();
        let count = self.due as u64;
        self.due -= count as f64;
        count
    }

    fn rest(&mut self) -> Duration {
        self.tick += TICK;
        let now = Instant::now();
        if now > self.tick + LATE_MAX {
            self.tick = now;
        }
        self.tick.saturating_duration_since(now)
    }
}

/// Runs a writer that is a thread until the storm is over and its verdicts have come, for which it
/// waits until `verdict_within` after that.
pub fn run_thread(
    id: usize,
    topic: &TopicProducer,
    shared: &Shared,
    verdict_within: Duration,
) -> Book {
    let mut writer = Writer::new(id, topic, shared);
    let topic = topic.blocking();
    let producer = topic.producer();
    let mut pace = Pace::new();
    while !shared.is_over.load(Ordering::SeqCst) {
        let due = pace.next(writer.plan.per_second);
        match writer.plan.verb {
            Verb::Many => writer.many(&producer, due as usize),
            Verb::Wait => (0..due).for_each(|_| writer.wait(&producer)),
            _ => (0..due).for_each(|_| writer.send(&producer, &topic)),
        }
        writer.take_verdicts();
        thread::sleep(pace.rest());
    }
    let until = Instant::now() + verdict_within;
    while !writer.take_verdicts() && Instant::now() < until {
        thread::sleep(TICK);
    }
    writer.book
}

/// Runs a writer that is a task, as [`run_thread`].
///
/// # Cancel safety
/// What it was told is lost with its future.
pub async fn run_task(
    id: usize,
    topic: &TopicProducer,
    shared: &Shared,
    verdict_within: Duration,
) -> Book {
    let mut writer = Writer::new(id, topic, shared);
    let producer = topic.producer().clone();
    let mut pace = Pace::new();
    while !shared.is_over.load(Ordering::SeqCst) {
        for _ in 0..pace.next(writer.plan.per_second) {
            let (number, record) = writer.next();
            if writer.plan.verb == Verb::TaskWait {
                let end = producer.send_and_wait(record).await;
                writer.waited(number, end);
            } else {
                let end = producer.send(record).await;
                writer.sent(number, end);
            }
        }
        writer.take_verdicts();
        tokio::time::sleep(pace.rest()).await;
    }
    let until = Instant::now() + verdict_within;
    while !writer.take_verdicts() && Instant::now() < until {
        tokio::time::sleep(TICK).await;
    }
    writer.book
}

impl<'a> Writer<'a> {
    fn new(id: usize, topic: &'a TopicProducer, shared: &'a Shared) -> Self {
        Self {
            plan: &WRITERS[id],
            id: id as u16,
            topic,
            shared,
            book: Book::default(),
            pending: Vec::new(),
        }
    }

    fn next(&mut self) -> (u32, Record<'static>) {
        let topic = self.plan.topic;
        let era = self.shared.eras[topic].load(Ordering::SeqCst);
        let count = self.topic.partitions();
        let number = self.book.begin(era as u16, count);
        let tag = Tag {
            writer: self.id,
            number,
        };
        let mut value = Vec::new();
        tag.value(self.plan.value_max, &mut value);
        let mut record = Record::to(TOPICS[topic].name).value(value);
        match self.plan.shape {
            Shape::Keyed => record = record.key(tag.key()),
            Shape::Keyless => {}
            Shape::Explicit => {
                let among = if topic == REBORN {
                    REBORN_MAX
                } else {
                    TOPICS[topic].partitions
                };
                record = record.partition((number % among) as i32);
            }
        }
        if let Some(header) = tag.header() {
            record = record.header(HEADER, [Some(header)]);
        }
        if topic == OLD {
            let now = SystemTime::now().duration_since(UNIX_EPOCH);
            let now = now.unwrap_or_default().as_millis() as i64;
            record = record.timestamp_ms(now - OLD_BY_MS);
        }
        (number, record)
    }

    fn send(&mut self, producer: &blocking::Producer, topic: &blocking::TopicProducer) {
        let (number, record) = self.next();
        let end = if number % 2 == 0 {
            producer.send(record)
        } else {
            topic.send(record.into_message())
        };
        self.sent(number, end);
    }

    fn sent(&mut self, number: u32, end: Result<Delivery, downpour::SendError>) {
        match end {
            Ok(delivery) => self.accepted(number, delivery),
            Err(error) => {
                let why = format!("not accepted: {}", error.kind());
                self.book.refuse(number, error.written(), why);
            }
        }
    }

    fn accepted(&mut self, number: u32, delivery: Delivery) {
        let partition = delivery.partition();
        let count = self.topic.partitions();
        self.book.accept(number, partition, count);
        let at = usize::try_from(partition).unwrap_or_default();
        if self.pending.len() <= at {
            self.pending.resize_with(at + 1, VecDeque::new);
        }
        self.pending[at].push_back((number, delivery));
    }

    fn wait(&mut self, producer: &blocking::Producer) {
        let (number, record) = self.next();
        let end = producer.send_and_wait(record);
        self.waited(number, end);
    }

    fn waited(&mut self, number: u32, end: Result<downpour::Report, downpour::ProduceError>) {
        match end {
            Ok(report) => {
                let count = self.topic.partitions();
                self.book.accept(number, report.partition(), count);
                self.book.resolve(number, &Ok(report));
            }
            Err(error) => match error.delivery_error() {
                Some(failed) => self.book.resolve(number, &Err(failed.clone())),
                None => {
                    let why = format!("not accepted: {}", error.kind());
                    self.book.refuse(number, error.written(), why);
                }
            },
        }
    }

    fn many(&mut self, producer: &blocking::Producer, due: usize) {
        if due == 0 {
            return;
        }
        let (numbers, records): (Vec<u32>, Vec<Record<'static>>) =
            (0..due).map(|_| self.next()).unzip();
        let (deliveries, error) = match producer.send_many(&records) {
            Ok(deliveries) => (deliveries, None),
            Err(error) => {
                let kind = error.kind();
                let why = format!("not accepted: {kind}");
                let written = error.error().written();
                (SendManyError::into_dispatched(error), Some((written, why)))
            }
        };
        let mut deliveries = deliveries.into_iter();
        for number in numbers {
            match (deliveries.next(), &error) {
                (Some(delivery), _) => self.accepted(number, delivery),
                (None, Some((written, why))) => {
                    self.book.refuse(number, *written, why.clone());
                }
                // Neither dispatched nor refused: it stays unresolved, which the judge finds.
                (None, None) => {}
            }
        }
    }

    /// Writes down the verdicts that have come; whether all have.
    fn take_verdicts(&mut self) -> bool {
        for pending in &mut self.pending {
            while let Some((number, delivery)) = pending.front() {
                let Some(end) = delivery.try_report() else {
                    break;
                };
                self.book.resolve(*number, &end);
                if end.is_ok() {
                    self.shared.delivered[self.plan.topic].fetch_add(1, Ordering::SeqCst);
                }
                pending.pop_front();
            }
        }
        self.pending.iter().all(VecDeque::is_empty)
    }
}
