//! The callers: those who send, those who wait for a verdict, and who flushes.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use downpour::{
    Delivery, ErrorKind, Field, InvalidRecord, Producer, Record, SendError, simulation,
};
use downpour_core::config::{Acks, BatchOptions};

use crate::history::{Entry, value_of};
use crate::plan::{RecordPlan, Verb};
use crate::world::desk::{Desk, Note};
use crate::world::dress::{Dress, NOT_KNOWN};
use crate::world::state::World;
use crate::world::tasks::{Sleeps, TaskId, first_of};

/// How old an old record is, in milliseconds: older than brokers remember a producer.
const TWO_DAYS: i64 = 2 * 24 * 3_600_000;
/// A `try_send` is tried again so often, and after so long.
const TRIES: u32 = 50;
const TRY_AGAIN: Duration = Duration::from_millis(20);
/// Records in one `send_many`.
const MANY: usize = 10;

/// Sends its records, one after the other.
struct Sender {
    number: usize,
    verb: Verb,
    producer: Producer,
    desk: Rc<RefCell<Desk>>,
    sleeps: Sleeps,
    topics: Rc<[String]>,
    options: Rc<[BatchOptions]>,
    /// Records with this verb keep their order among those of one sender alone.
    apart: bool,
    across_options: bool,
    old_records: u64,
    max_block: Duration,
    /// How late it may be told that its time is over.
    late: Duration,
    /// Without any trouble a send takes so long at most.
    takes: Option<Duration>,
    /// Of a hundred sends so many are given up after a while.
    hurried: u64,
    acks: bool,
    /// Of a hundred handles so many are kept.
    kept: u64,
    dress: Dress,
}

impl World {
    /// Begins a sender; its records are numbered from `first`.
    pub(crate) fn add_sender(&mut self, number: usize, first: u32, records: Vec<RecordPlan>) {
        let Some(producer) = self.producer.clone() else {
            return;
        };
        let config = &self.plan.config;
        let verb = self.plan.verbs[number % self.plan.verbs.len()];
        let sender = Sender {
            number,
            verb,
            dress: Dress {
                extras: self.plan.extras,
                verb,
                counts: (0..self.plan.topics.len())
                    .map(|topic| self.plan.counts(topic))
                    .collect(),
                batch_max: config.batch_max,
            },
            producer,
            desk: self.desk.clone(),
            sleeps: self.sleeps.clone(),
            topics: self.plan.topics.iter().map(|t| t.name.clone()).collect(),
            options: self.plan.options.iter().copied().collect(),
            apart: self.plan.verbs.contains(&Verb::Many),
            across_options: config.order_across_options,
            old_records: self.plan.old_records,
            max_block: self.plan.max_block,
            late: self.tolerance(),
            takes: self.plan.send_takes(),
            hurried: self.plan.hurried,
            acks: config.acks != Acks::None,
            kept: self.plan.kept,
        };
        let id = self.tasks.add(Box::pin(sender.run(first, records)));
        self.senders.push(id);
        self.desk.borrow_mut().count("senders: all");
        self.first_poll(id);
    }

    /// Somebody waits until all that was accepted has its verdict.
    pub(crate) fn flush(&mut self) {
        let Some(producer) = self.producer.clone() else {
            return;
        };
        self.tally.count("client: flushed");
        let desk = self.desk.clone();
        let timeouts = self.plan.options.iter().map(|o| o.delivery_timeout);
        let most = timeouts.max().unwrap_or_default();
        let late = self.tolerance();
        desk.borrow_mut().ending += 1;
        let task = async move {
            let accepted: Vec<u32> = desk.borrow().history.entries.keys().copied().collect();
            let began = desk.borrow().now;
            producer.flush().await;
            // Whoever waits for a single record may be told a moment later.
            let mut desk = desk.borrow_mut();
            desk.flushed.push(accepted);
            desk.ending -= 1;
            if desk.now > (began + most).max(desk.suspended_until) + late {
                let what = format!("a flush took {:?}", desk.now - began);
                desk.notes.push(Note::Broken(what));
            }
        };
        let id = self.tasks.add(Box::pin(task));
        self.first_poll(id);
    }

    /// A caller goes away in the middle of what it does. Of several records that were to be sent at
    /// once nobody would know which were accepted.
    pub(crate) fn cancel_sender(&mut self, which: u64) {
        if self.senders.is_empty() {
            return;
        }
        let at = (which % self.senders.len() as u64) as usize;
        if self.plan.verbs[at % self.plan.verbs.len()] != Verb::Many {
            self.tally.count("senders: went away");
            self.tasks.cancel(self.senders[at]);
        }
    }

    fn first_poll(&mut self, id: TaskId) {
        let late = self.jitter();
        self.scheduled.insert(id);
        self.after(late, crate::world::state::Event::Task(id));
    }
}

impl Sender {
    async fn run(self, first: u32, records: Vec<RecordPlan>) {
        let mut at = 0;
        while at < records.len() {
            self.sleeps.sleep(records[at].pause).await;
            let id = first + at as u32;
            let over = match self.verb {
                Verb::Send => {
                    at += 1;
                    self.send(id, &records[at - 1]).await
                }
                Verb::Try => {
                    at += 1;
                    self.try_send(id, &records[at - 1]).await
                }
                Verb::Handle => {
                    at += 1;
                    self.send_by_handle(id, &records[at - 1]).await
                }
                Verb::Many => {
                    let many = &records[at..records.len().min(at + MANY)];
                    at += many.len();
                    self.send_many(id, many).await
                }
            };
            if over {
                return;
            }
        }
    }

    fn record(&self, id: u32, plan: &RecordPlan) -> Record<'static> {
        let topic = self.topics[plan.topic as usize].clone();
        self.dress(Record::to(topic), id, plan)
    }

    fn dress<'a>(&self, record: Record<'a>, id: u32, plan: &RecordPlan) -> Record<'a> {
        let mut record = self.dress.put_on(record, id, plan);
        record = record.value(value_of(id, self.dress.len(id, plan)));
        if u64::from(id) % 100 < self.old_records {
            record = record.timestamp_ms(crate::world::state::TODAY - TWO_DAYS);
        }
        let partition = self.dress.partition(id, plan);
        let mut desk = self.desk.borrow_mut();
        let now = desk.now;
        desk.history.offer(id, (plan.topic, partition), now);
        drop(desk);
        record
    }

    /// Sends with a producer that is bound to the topic, or with the producer's own verb.
    async fn send_by_handle(&self, id: u32, plan: &RecordPlan) -> bool {
        let began = self.desk.borrow().now;
        if id % 3 == 0 {
            return match self.producer.send(self.record(id, plan)).await {
                Ok(delivery) => self.accepted(id, plan, delivery, None),
                Err(error) => self.refused(id, &error, began),
            };
        }
        let name = &self.topics[plan.topic as usize];
        self.ask(id, name).await;
        let began = self.desk.borrow().now;
        let topic = match self.producer.topic(name).await {
            Ok(topic) => topic,
            Err(error) => return self.refused(id, &error, began),
        };
        let began = self.desk.borrow().now;
        let message = self.dress(Record::to(&topic), id, plan).into_message();
        if id % 3 == 1 {
            match topic.try_send(&message) {
                Ok(delivery) => return self.accepted(id, plan, delivery, None),
                Err(error) if would_wait(&error) => {}
                Err(error) => return self.refused(id, &error, began),
            }
        }
        match topic.send(message).await {
            Ok(delivery) => self.accepted(id, plan, delivery, None),
            Err(error) => self.refused(id, &error, began),
        }
    }

    /// Asks, now and then, what sends nothing. Whatever comes of it comes in time.
    async fn ask(&self, id: u32, topic: &str) {
        let began = self.desk.borrow().now;
        self.desk.borrow_mut().questions += u64::from([3, 5].contains(&(id % 7)));
        let told = match id % 7 {
            3 => self.producer.connect().await,
            5 => self.producer.partitions_for(topic).await.map(|known| {
                let numbers = known.iter().map(|known| known.partition);
                if known.is_empty() || !numbers.eq(0..known.len() as i32) {
                    self.broken(format!("{topic} is said to have {known:?}"));
                }
            }),
            _ => return,
        };
        let mut desk = self.desk.borrow_mut();
        desk.count(match told {
            Ok(()) => "senders: asked and were told",
            Err(_) => "senders: asked in vain",
        });
        let due = (began + self.max_block).max(desk.suspended_until) + self.late;
        if desk.now > due {
            let what = format!("an answer took {:?}: {told:?}", desk.now - began);
            desk.notes.push(Note::Broken(what));
        }
    }

    fn options(&self, plan: &RecordPlan) -> &BatchOptions {
        &self.options[plan.options % self.options.len()]
    }

    /// True if the producer takes nothing any more.
    async fn send(&self, id: u32, plan: &RecordPlan) -> bool {
        let record = self.record(id, plan);
        let began = self.desk.borrow().now;
        let send = simulation::send(&self.producer, &record, self.options(plan));
        let is_hurried = u64::from(id.wrapping_mul(2_246_822_519) >> 8) % 100 < self.hurried;
        let sent = if is_hurried {
            let patience = Duration::from_micros(u64::from(id.wrapping_mul(40_503)) % 200_000);
            first_of(self.sleeps.sleep(patience), send).await
        } else {
            Some(send.await)
        };
        match sent {
            Some(Ok(delivery)) => {
                self.accepted(id, plan, delivery, None);
                let mut desk = self.desk.borrow_mut();
                let waited = desk.now.saturating_sub(began);
                if self.takes.is_some_and(|most| waited > most) {
                    let what = format!("a send took {waited:?} without any trouble");
                    desk.notes.push(Note::Broken(what));
                }
                false
            }
            Some(Err(error)) => self.refused(id, &error, began),
            None => {
                self.desk.borrow_mut().count("senders: gave a send up");
                false
            }
        }
    }

    async fn try_send(&self, id: u32, plan: &RecordPlan) -> bool {
        let record = self.record(id, plan);
        for _ in 0..TRIES {
            match self.producer.try_send(&record) {
                Ok(delivery) => {
                    self.accepted(id, plan, delivery, None);
                    return false;
                }
                Err(error) => {
                    if !would_wait(&error) {
                        return self.refused(id, &error, Duration::ZERO);
                    }
                    self.desk.borrow_mut().count(match error.kind() {
                        ErrorKind::BufferFull => "senders: told that there is no memory",
                        _ => "senders: told that there is no metadata",
                    });
                    self.sleeps.sleep(TRY_AGAIN).await;
                }
            }
        }
        self.desk.borrow_mut().count("senders: gave a record up");
        false
    }

    async fn send_many(&self, first: u32, plans: &[RecordPlan]) -> bool {
        let records: Vec<Record<'_>> = (first..)
            .zip(plans)
            .map(|(id, plan)| self.record(id, plan))
            .collect();
        let began = self.desk.borrow().now;
        let (deliveries, error) = match self.producer.send_many(&records).await {
            Ok(deliveries) => (deliveries, None),
            Err(error) => {
                let (accepted, at) = (error.dispatched().len(), error.index());
                let is_first_of_rest = at == accepted || accepted == 0;
                if at >= plans.len() || !is_first_of_rest {
                    self.broken(format!(
                        "of {} records {accepted} were accepted and number {at} was not",
                        plans.len(),
                    ));
                }
                let reason = error.error().clone();
                (error.into_dispatched(), Some(reason))
            }
        };
        let at = first + deliveries.len() as u32;
        for ((id, plan), delivery) in (first..).zip(plans).zip(deliveries.iter()) {
            self.accepted(id, plan, delivery, Some(began));
        }
        if self.kept == 100 && !deliveries.is_empty() {
            let waits = Dress::wait_for_all(deliveries, self.desk.clone());
            self.desk.borrow_mut().spawned.push(Box::pin(waits));
        }
        match error {
            Some(error) => self.refused(at, &error, began),
            None => false,
        }
    }

    fn broken(&self, what: String) {
        self.desk.borrow_mut().notes.push(Note::Broken(what));
    }

    /// Notes that a record was accepted; false, because the producer takes more.
    fn accepted(
        &self,
        id: u32,
        plan: &RecordPlan,
        delivery: Delivery,
        began: Option<Duration>,
    ) -> bool {
        let options = plan.options % self.options.len();
        let options = match self.verb {
            Verb::Send => options,
            // They have no options of their own.
            _ => 0,
        };
        let line = if self.across_options { 0 } else { options };
        let watched =
            self.kept == 100 || u64::from(id.wrapping_mul(2_654_435_761)) % 100 < self.kept;
        let mut desk = self.desk.borrow_mut();
        let now = desk.now;
        let partition = match self.dress.partition(id, plan) {
            NOT_KNOWN => delivery.partition(),
            known => known,
        };
        if !self.dress.may_be_in(delivery.partition(), id, plan) {
            let what = format!("record {id} is in {}", delivery.partition());
            desk.notes.push(Note::Broken(what));
        }
        let place = (plan.topic, partition);
        // Where it went was the producer's choice, perhaps.
        desk.history.offer(id, place, now);
        desk.accept(
            id,
            Entry {
                place,
                line: if self.apart {
                    line + 10 * (self.number + 1)
                } else {
                    line
                },
                keyed: plan.keyed,
                len: plan.len,
                accepted_at: now,
                timeout: self.options[options].delivery_timeout,
                told_late: began,
                watched,
                fate: None,
                told: None,
                returned: false,
            },
        );
        if watched {
            let (own, acks) = (self.desk.clone(), self.acks);
            let (dress, sleeps) = (self.dress.clone(), self.sleeps.clone());
            desk.spawned.push(Box::pin(async move {
                let waited = dress.wait(id, delivery, sleeps, own.clone()).await;
                let (delivery, end) = waited;
                own.borrow_mut().resolve(id, &delivery, &end, acks);
            }));
        }
        false
    }

    /// True if the producer takes nothing any more.
    fn refused(&self, id: u32, error: &SendError, began: Duration) -> bool {
        let mut desk = self.desk.borrow_mut();
        let waited = desk.now.saturating_sub(began);
        let said = format!("record {id} is refused after {waited:?}: {error}");
        desk.notes.push(Note::Said(said));
        match error.kind() {
            _ if error.is_timeout() => {
                desk.count("senders: gave up waiting");
                let due = (began + self.max_block).max(desk.suspended_until) + self.late;
                // Of several records each has its own time, and the first ones' is not known.
                let is_late = desk.now > due && self.verb != Verb::Many;
                if waited < self.max_block || is_late {
                    let what = format!(
                        "record {id} waited {waited:?} and may wait {:?}",
                        self.max_block
                    );
                    desk.notes.push(Note::Broken(what));
                }
                false
            }
            _ if error.code().is_some() => {
                desk.count("senders: topic not available");
                false
            }
            ErrorKind::Closed => {
                desk.count("senders: told that it is closed");
                true
            }
            _ if error.invalid_record().is_some() => {
                desk.count("senders: told that a record is not valid");
                let field = error.invalid_record().map(InvalidRecord::field);
                desk.misplaced += u64::from(field == Some(Field::Partition));
                false
            }
            _ => {
                let what = format!("record {id} is refused: {error}");
                desk.notes.push(Note::Broken(what));
                false
            }
        }
    }
}

/// Whether a `try_send` was refused because it would have to wait.
fn would_wait(error: &SendError) -> bool {
    error.waited_for().is_some() && !error.is_timeout()
}
