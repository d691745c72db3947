//! One partition's queue under sequences of operations, against a model of the brokers that lead it.
//! Brokers refuse, append without saying so, lose answers, change places and forget what they may
//! forget. At the end they are well: then everything has its verdict, all memory is back, and a record
//! that is sent now arrives.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use downpour_core::client::ending::DisconnectReason;
use downpour_core::config::{Address, BatchOptions, Config, Linger};
use downpour_core::identity::{Bump, Grant, Identity, IdentityState};
use downpour_core::ids::MemoryLine;
use downpour_core::outcome::{Cause, WaitingFor};
use downpour_core::output::{Output, Outputs};
use downpour_core::queue::{
    Answer, Drain, DrainContext, Left, OutgoingBatch, Queue, QueueSettings, Readiness,
    RecordRefusal,
};
use downpour_core::seal::SealJob;
use downpour_wire::codec::{CompressionType, Compressor};
use downpour_wire::error_code::ErrorCode;

use crate::model::appending::{Given, append};
use crate::model::book::{Book, End, Excused};
use crate::model::log::{Came, Log};
use crate::script::Script;
use crate::trace::tell;

/// When virtual time begins, in milliseconds since 1970.
const BEGAN: i64 = 1_700_000_000_000;
const DAY: i64 = 86_400_000;
/// The only partition.
const P: usize = 0;
/// Rounds within which all is over once brokers are well.
const ROUNDS: usize = 2000;

/// Not appended.
const REFUSED: &[ErrorCode] = &[
    ErrorCode::NOT_ENOUGH_REPLICAS,
    ErrorCode::NOT_LEADER_OR_FOLLOWER,
    ErrorCode::CORRUPT_MESSAGE,
    ErrorCode::UNKNOWN_TOPIC_OR_PARTITION,
    ErrorCode::OUT_OF_ORDER_SEQUENCE_NUMBER,
    ErrorCode::UNKNOWN_PRODUCER_ID,
    ErrorCode::THROTTLING_QUOTA_EXCEEDED,
    ErrorCode::MESSAGE_TOO_LARGE,
    ErrorCode::MESSAGE_TOO_LARGE,
    ErrorCode::INVALID_RECORD,
    ErrorCode::TOPIC_AUTHORIZATION_FAILED,
];
/// Appended or not.
const OPEN: &[ErrorCode] = &[
    ErrorCode::REQUEST_TIMED_OUT,
    ErrorCode::NOT_ENOUGH_REPLICAS_AFTER_APPEND,
    ErrorCode::KAFKA_STORAGE_ERROR,
    ErrorCode::UNKNOWN_SERVER_ERROR,
];

/// A batch in a request.
struct Sending {
    send_id: u64,
    broker: i32,
    came: Came,
    /// When it left, in milliseconds since 1970.
    at: i64,
    /// What its broker will say, once it has looked at it.
    answer: Option<Answer>,
}

struct Run {
    queue: Queue<u32>,
    book: Book,
    log: Log,
    out: Outputs<u32>,
    now: Instant,
    unix_ms: i64,
    idempotent: bool,
    across_options: bool,
    identity: IdentityState,
    granted: i64,
    options: [BatchOptions; 3],
    leader: i32,
    flight: VecDeque<Sending>,
    /// Requests whose connection ended, and that a broker may still read.
    afloat: Vec<(i32, Came)>,
    jobs: Vec<SealJob>,
    compressor: Compressor,
    lent: usize,
    excused: Excused,
    /// The topic has LogAppendTime.
    stamps: bool,
    is_over: bool,
}

/// Runs the operations that the bytes say.
pub fn run(bytes: &[u8]) {
    let mut script = Script::new(bytes);
    let mut run = Run::new(&mut script);
    while !script.is_over() && !run.is_over {
        run.operate(&mut script);
        run.take_outputs();
    }
    run.finish();
}

fn config(script: &mut Script<'_>) -> Config {
    let mut config = Config::new(vec![Address {
        host: Arc::from("b"),
        port: 1,
    }]);
    let modes = script.byte();
    config.idempotence = modes % 8 != 7;
    config.allow_reordering = modes & 8 != 0;
    config.resend_unknown = modes & 0xf0 == 0xf0;
    config.order_across_options = modes & 0x30 == 0x30;
    config.max_in_flight = [5, 5, 2, 3, 1][script.below(5)];
    let sizes = script.byte();
    config.batch_size = [64, 200, 600, 4000][usize::from(sizes & 3)];
    config.batch_max = [700, 5000][usize::from(sizes >> 2 & 1)].max(config.batch_size);
    config.batch_records = [u32::MAX, u32::MAX, 3, 1][usize::from(sizes >> 3 & 3)];
    config.record_share = [0, 0, 40, 100][usize::from(sizes >> 5 & 3)];
    config.records_ahead = 1 + usize::from(sizes >> 7) * 3;
    config.retries = [u32::MAX, u32::MAX, u32::MAX, 2][script.below(4)];
    config.linger = Linger::Adaptive(Duration::from_millis([5, 0, 1000][script.below(3)]));
    config
}

impl Run {
    fn new(script: &mut Script<'_>) -> Self {
        let config = config(script);
        let seconds = Duration::from_secs;
        let timeout = [seconds(120), seconds(30), Duration::from_millis(700)][script.below(3)];
        let options = BatchOptions::new(config.compression, timeout);
        let snappy = BatchOptions::new(CompressionType::Snappy.into(), timeout);
        let shorter = BatchOptions::new(config.compression, timeout / 2);
        let reorders = !config.idempotence && config.allow_reordering;
        let mut run = Self {
            queue: Queue::new(
                Arc::from("t"),
                0,
                MemoryLine(Some(1)),
                QueueSettings::from(&config),
                1,
            ),
            book: Book::default(),
            log: Log::default(),
            out: Outputs::new(),
            now: Instant::now(),
            unix_ms: BEGAN,
            idempotent: config.idempotence,
            across_options: config.order_across_options,
            identity: IdentityState::default(),
            granted: 6,
            options: [options, snappy, shorter],
            leader: 1,
            flight: VecDeque::new(),
            afloat: Vec::new(),
            jobs: Vec::new(),
            compressor: Compressor::new(),
            lent: 0,
            excused: Excused {
                loss: false,
                failed: false,
                copies: config.resend_unknown || !config.idempotence,
                order: config.resend_unknown || reorders,
            },
            stamps: script.one_in(4),
            is_over: false,
        };
        if script.one_in(2) {
            run.grant();
        }
        run
    }

    fn operate(&mut self, script: &mut Script<'_>) {
        match script.byte() % 32 {
            0..=5 => self.append(script),
            6..=12 => self.drain(script.one_in(4)),
            13..=15 => self.serve(script),
            16..=19 => self.hear(),
            20 | 21 => self.cut(script),
            22 => self.sleep([1, 5, 40, 100, 101, 400, 1000][script.below(7)]),
            23 => self
                .sleep([10_000, 29_999, 61_000, 120_000, 3_600_000, DAY, 2 * DAY][script.below(7)]),
            24 => self.expire(),
            25 => self.move_leader(script),
            26 => self.seal(script.below(4)),
            27 => self.surface(script),
            28 => self.forget_aged(),
            29 => self.queue.request_flush(),
            30 => match script.below(8) {
                0 => self.fail_unsent(),
                1 | 2 => self.grant(),
                3 => self.abort(),
                _ => {
                    self.queue.peek(self.now);
                }
            },
            _ => match script.below(16) {
                0 => {
                    tell!("what was acknowledged is lost");
                    self.excused.loss |= self.log.lose(script.below(6));
                    self.excuse_all();
                }
                1 => {
                    tell!("all producers are forgotten");
                    self.log.forget_all();
                    self.excuse_all();
                }
                2 if !self.stamps => self.queue.handle_made_anew(),
                _ => self.queue.handle_leader_moved(),
            },
        }
    }

    /// Brokers forget producers that are a day old by their records' timestamps.
    fn forget_aged(&mut self) {
        // What is read hours later, and then would be taken for something new, no client can help.
        let is_late = |sent: &Sending| sent.answer.is_none() && sent.at < self.unix_ms - DAY / 24;
        if self.flight.iter().any(is_late) {
            return;
        }
        self.afloat.clear();
        tell!("producers are forgotten that are a day old");
        self.log.forget_before(self.unix_ms - DAY);
    }

    fn excuse_all(&mut self) {
        self.excused.copies = true;
        self.excused.order = true;
        self.excused.failed = true;
    }

    fn append(&mut self, script: &mut Script<'_>) {
        let how = script.byte();
        let class = [0, 0, 0, 0, 0, 1, 1, 2][usize::from(how & 7)];
        let age = [0, 0, 0, 0, 0, 0, DAY / 3, 8 * DAY][usize::from(how >> 3 & 7)];
        let size = [0, 10, 50, 150][usize::from(how >> 6)];
        for _ in 0..=script.below(4) {
            self.append_one(class, age, size);
        }
    }

    fn append_one(&mut self, class: u8, age: i64, size: usize) {
        let number = self.book.next_record();
        tell!("append {number} of options {class}, {size} bytes, {age} ms old");
        let given = Given {
            partition: P,
            options: (&self.options[usize::from(class)], class),
            size,
            timestamp: self.unix_ms - age,
        };
        let left = append(&mut self.queue, &mut self.book, &given, self.now);
        self.lent += left.lent;
        self.jobs.extend(left.job.map(|job| *job));
    }

    fn grant(&mut self) {
        if self.identity.current().is_none() {
            self.granted += 1;
            let identity = Identity {
                id: self.granted,
                epoch: if self.granted % 2 == 0 { 32_766 } else { 0 },
            };
            self.identity.handle_granted(Grant {
                identity,
                generation: 0,
            });
        }
    }

    /// As the engine asks a queue.
    fn drain(&mut self, only_half: bool) {
        let mut context = DrainContext {
            now: self.now,
            broker: self.leader,
            identity: self.identity.current(),
            unix_ms: Some(self.unix_ms),
            readiness: if only_half {
                Readiness::Half
            } else {
                Readiness::Anything
            },
        };
        let mut drain = self.queue.poll_drain(&context, &mut self.out);
        if let Drain::NeedBump(stale) = drain {
            context.identity = match self.identity.bump(stale) {
                Bump::Use(grant) | Bump::Bumped(grant) => Some(grant),
                _ => None,
            };
            drain = self.queue.poll_drain(&context, &mut self.out);
        }
        match drain {
            Drain::Send(outgoing) => self.send(&outgoing),
            Drain::Seal(job) => self.jobs.push(*job),
            _ => {}
        }
    }

    fn send(&mut self, outgoing: &OutgoingBatch) {
        let mut bytes = outgoing.header.to_vec();
        bytes.extend(outgoing.body.chunks().iter().flatten());
        let came = Came::read(&bytes);
        assert_eq!(came.stamp.is_some(), self.idempotent);
        tell!("send {} to {}: {came:?}", outgoing.send_id, self.leader);
        self.book.check_unspent(P, &came);
        for other in &self.flight {
            assert_eq!(other.broker, self.leader, "in flight at two brokers");
            let both = came.sequences().flat_map(|mine| {
                let same = move |theirs: &((i64, i16, i32), u32)| theirs.0 == mine.0;
                other.came.sequences().filter(same)
            });
            assert_eq!(both.count(), 0, "two in flight share a sequence");
        }
        self.flight.push_back(Sending {
            send_id: outgoing.send_id,
            broker: self.leader,
            came,
            at: self.unix_ms,
            answer: None,
        });
    }

    /// The broker looks at the next request.
    fn serve(&mut self, script: &mut Script<'_>) {
        let how = script.byte();
        let which = script.byte();
        let at = self.flight.iter().position(|sent| sent.answer.is_none());
        let Some(at) = at else { return };
        let answer = match how % 8 {
            _ if self.flight[at].broker != self.leader => {
                Answer::of(ErrorCode::NOT_LEADER_OR_FOLLOWER)
            }
            0..=3 => self.append_to_log(at, how & 0x80 != 0),
            4 | 5 => self.refuse(at, which),
            6 => Answer::of(OPEN[usize::from(which) % OPEN.len()]),
            // Appended, and not said so.
            _ => {
                let mut answer = self.append_to_log(at, false);
                if answer.code == ErrorCode::NONE {
                    // Also where it had been there already.
                    answer = match which % 5 {
                        4 => Answer {
                            base_offset: answer.base_offset,
                            ..Answer::of(ErrorCode::NOT_LEADER_OR_FOLLOWER)
                        },
                        open => Answer::of(OPEN[usize::from(open)]),
                    };
                }
                tell!("{} is appended: {answer:?}", self.flight[at].send_id);
                self.flight[at].answer = Some(answer);
                return;
            }
        };
        self.make_safe(&answer);
        tell!("{} is answered: {answer:?}", self.flight[at].send_id);
        self.flight[at].answer = Some(answer);
    }

    /// What is acknowledged is on every replica.
    fn make_safe(&mut self, answer: &Answer) {
        let acknowledges = [ErrorCode::NONE, ErrorCode::DUPLICATE_SEQUENCE_NUMBER];
        if acknowledges.contains(&answer.code) {
            self.log.make_safe();
        }
    }

    fn append_to_log(&mut self, at: usize, forgets_where: bool) -> Answer {
        let came = &self.flight[at].came;
        match self.log.append(came, self.stamped()) {
            Ok(place) if place.is_repeated && forgets_where => {
                Answer::of(ErrorCode::DUPLICATE_SEQUENCE_NUMBER)
            }
            Ok(place) => Answer {
                base_offset: place.base,
                log_append_time: match place.is_repeated {
                    // As brokers do wherever the times are from.
                    true => came.max_timestamp,
                    false => self.stamped().unwrap_or(-1),
                },
                ..Answer::of(ErrorCode::NONE)
            },
            Err(code) => Answer::of(code),
        }
    }

    /// The time that the topic stamps records with, if it does.
    fn stamped(&self) -> Option<i64> {
        self.stamps.then_some(self.unix_ms)
    }

    fn refuse(&self, at: usize, which: u8) -> Answer {
        let mut answer = Answer::of(REFUSED[usize::from(which >> 4) % REFUSED.len()]);
        if answer.code == ErrorCode::INVALID_RECORD {
            let count = self.flight[at].came.records.len() as u32;
            let named = (0..=count).filter(|index| which >> (index % 4) & 1 == 1);
            answer.refusals = named
                .map(|index| RecordRefusal {
                    index,
                    message: None,
                })
                .collect();
        }
        answer
    }

    /// The next answer comes.
    fn hear(&mut self) {
        let Some(Sending {
            answer: Some(_), ..
        }) = self.flight.front()
        else {
            return;
        };
        let Some(sent) = self.flight.pop_front() else {
            return;
        };
        let answer = sent.answer.expect("looked at just now");
        tell!("{} comes: {}", sent.send_id, answer.code);
        self.book.note_spent(P, &sent.came);
        let is_refused = answer.code != ErrorCode::NONE;
        if OPEN.contains(&answer.code) || is_refused && answer.base_offset >= 0 {
            self.book.note_doubt(&sent.came);
        }
        self.queue
            .handle_answer(sent.send_id, &answer, self.now, &mut self.out);
    }

    /// The connection ends: what the broker had looked at has left, and of the rest some.
    fn cut(&mut self, script: &mut Script<'_>) {
        let whole = script.below(6);
        let has_part = script.one_in(2);
        let mut sendings = std::mem::take(&mut self.flight);
        let looked_at = sendings.iter().take_while(|sent| sent.answer.is_some());
        let whole = looked_at.count().max(whole);
        for (at, sent) in sendings.drain(..).enumerate() {
            let left = match at {
                at if at < whole => Left::Whole,
                at if at == whole && has_part => Left::Part,
                _ => Left::Nothing,
            };
            tell!("{} is lost, {left:?} had left", sent.send_id);
            if left != Left::Nothing {
                self.book.note_spent(P, &sent.came);
            }
            if left == Left::Whole {
                self.book.note_doubt(&sent.came);
                if sent.answer.is_none() {
                    self.afloat.push((sent.broker, sent.came));
                }
            }
            let cause = Cause::Disconnected {
                reason: DisconnectReason::Closed,
            };
            self.queue
                .handle_lost(sent.send_id, left, cause, self.now, &mut self.out);
        }
    }

    /// A broker reads what a connection had brought that has ended.
    fn surface(&mut self, script: &mut Script<'_>) {
        if self.afloat.is_empty() {
            return;
        }
        let (broker, came) = self.afloat.swap_remove(script.below(self.afloat.len()));
        if broker == self.leader {
            // Without sequences nothing tells it from a newer one.
            self.excused.order |= !self.idempotent;
            let at = self.log.append(&came, self.stamped());
            tell!("what was afloat, {came:?}: {at:?}");
        }
    }

    fn sleep(&mut self, ms: i64) {
        tell!("{ms} ms later");
        self.now += Duration::from_millis(ms.unsigned_abs());
        self.unix_ms += ms;
        if ms >= 10_000 {
            self.afloat.clear();
        }
    }

    fn expire(&mut self) {
        let waiting_for = WaitingFor::Leader;
        self.queue
            .expire(self.now, waiting_for, (None, false), &mut self.out);
    }

    /// What ends without its answer may be unknown.
    fn note_in_flight(&mut self) {
        for sent in &self.flight {
            self.book.note_doubt(&sent.came);
        }
    }

    fn move_leader(&mut self, script: &mut Script<'_>) {
        self.leader = 1 + script.below(3) as i32;
        self.log.fail_over(script.below(12));
        tell!("{} leads, with {:?}", self.leader, self.log.records());
        self.queue.set_leader_line(MemoryLine(Some(self.leader)));
        if script.one_in(2) {
            self.queue.handle_leader_moved();
        }
        self.turn();
    }

    fn turn(&mut self) {
        let held = self.queue.held();
        if let Some(turn) = self.queue.poll_turn() {
            assert_eq!(turn.bytes, held, "what goes to another line");
            assert_eq!(turn.to, self.queue.line());
        }
    }

    fn seal(&mut self, which: usize) {
        if self.jobs.is_empty() {
            return;
        }
        let job = self.jobs.swap_remove(which % self.jobs.len());
        let done = self.queue.finish_seal(job.run(&mut self.compressor));
        self.give_back(done.freed);
    }

    fn give_back(&mut self, bytes: usize) {
        assert!(bytes <= self.lent, "more comes back than was lent");
        self.lent -= bytes;
    }

    fn fail_unsent(&mut self) {
        let cause = Cause::PartitionGone;
        self.queue.fail_unsent(&cause, self.now, &mut self.out);
    }

    fn abort(&mut self) {
        self.note_in_flight();
        let mut unsent = Vec::new();
        self.queue.abort(self.now, &mut unsent, &mut self.out);
        for sent in std::mem::take(&mut self.flight) {
            if sent.answer.is_none() {
                self.afloat.push((sent.broker, sent.came));
            }
        }
        self.take_outputs();
        for unsent in unsent {
            let records = unsent.body.records().expect("records that core wrote");
            for record in records {
                let value = record.value.expect("each record has a value");
                let number = value.first_chunk().expect("each record has a number");
                let end = self.book.end(u32::from_be_bytes(*number));
                assert_eq!(end, Some(End::Failed), "what is handed back");
            }
        }
        self.is_over = true;
    }

    fn take_outputs(&mut self) {
        while let Some(output) = self.out.pop_front() {
            tell!("  {output:?}");
            match output {
                Output::Resolve {
                    ticket,
                    first,
                    count,
                    total,
                    verdict,
                } => {
                    let flight = &self.flight;
                    let sent = |record| flight.iter().any(|s| s.came.records.contains(&record));
                    self.book
                        .resolve(ticket, (first, count), total, &verdict, sent);
                }
                Output::Free { bytes, .. } => self.give_back(bytes),
                _ => {}
            }
        }
        self.turn();
        assert_eq!(self.queue.held(), self.lent, "what is lent");
        assert_eq!(self.queue.unresolved(), self.book.unresolved() as u64);
    }

    /// Brokers are well from now on.
    fn finish(&mut self) {
        tell!("all is well");
        self.take_outputs();
        if !self.is_over {
            self.settle();
            let probe = self.book.next_record();
            self.append_one(0, 0, 0);
            self.settle();
            let end = self.book.end(probe);
            assert!(
                matches!(end, Some(End::At(_) | End::Delivered)),
                "a record to brokers that are well: {end:?}"
            );
        }
        while !self.jobs.is_empty() {
            self.seal(0);
        }
        if self.is_over {
            // A batch that was being compressed comes back, and its end is asked for again.
            self.abort();
        }
        self.take_outputs();
        while let Some((broker, came)) = self.afloat.pop() {
            if broker == self.leader {
                self.excused.order |= !self.idempotent;
                let _ = self.log.append(&came, self.stamped());
            }
        }
        assert_eq!(self.lent, 0, "memory that did not come back");
        self.book
            .check(P, &[&self.log], self.excused, self.across_options);
    }

    /// Runs until everything has its verdict.
    fn settle(&mut self) {
        for _ in 0..ROUNDS {
            if self.queue.is_empty() && self.jobs.is_empty() {
                return;
            }
            self.grant();
            while !self.jobs.is_empty() {
                self.seal(0);
            }
            while let Some(at) = self.flight.iter().position(|sent| sent.answer.is_none()) {
                let answer = match self.flight[at].broker == self.leader {
                    true => self.append_to_log(at, false),
                    false => Answer::of(ErrorCode::NOT_LEADER_OR_FOLLOWER),
                };
                self.make_safe(&answer);
                self.flight[at].answer = Some(answer);
            }
            while !self.flight.is_empty() {
                self.hear();
            }
            self.drain(false);
            self.take_outputs();
            if self.flight.is_empty() && self.jobs.is_empty() {
                self.sleep(50);
                self.expire();
                self.take_outputs();
            }
        }
        panic!(
            "{} records have no verdict though brokers are well",
            self.book.unresolved()
        );
    }
}
