//! A queue under test: appends, drains and answers in a line each.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use downpour_wire::batch::BatchView;
use downpour_wire::codec::{Compression, Compressor};
use downpour_wire::error_code::ErrorCode;
use downpour_wire::record::RecordRef;

use crate::client::ending::DisconnectReason;
use crate::config::{Address, BatchOptions, Config};
use crate::identity::{Grant, Identity};
use crate::ids::MemoryLine;
use crate::outcome::{Cause, Verdict};
use crate::output::{Output, Outputs};
use crate::queue::{
    Answer, Append, Chunk, Drain, DrainContext, Left, OutgoingBatch, Queue, QueueSettings,
    Readiness,
};

/// The timestamp of all records, in milliseconds since 1970.
pub(super) const RECORDS_AT: i64 = 1_700_000_000_000;
pub(super) const LINE: MemoryLine = MemoryLine(Some(1));
pub(super) const FIRST: Identity = Identity { id: 7, epoch: 0 };
pub(super) const SECOND: Identity = Identity { id: 7, epoch: 1 };

/// What a sent batch looks like on the wire.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Sent {
    pub(super) send_id: u64,
    pub(super) epoch: i16,
    pub(super) sequence: i32,
    pub(super) values: Vec<String>,
    pub(super) bytes: Vec<u8>,
}

pub(super) struct Bench {
    pub(super) queue: Queue<u32>,
    pub(super) now: Instant,
    pub(super) identity: Option<Identity>,
    pub(super) unix_ms: Option<i64>,
    pub(super) out: Outputs<u32>,
    pub(super) options: BatchOptions,
    next_ticket: u32,
    credit: usize,
}

pub(super) fn config() -> Config {
    Config::new(vec![Address {
        host: Arc::from("b"),
        port: 1,
    }])
}

impl Bench {
    pub(super) fn new() -> Self {
        Self::with(&config())
    }

    pub(super) fn with(config: &Config) -> Self {
        Self {
            queue: Queue::new(Arc::from("t"), 0, LINE, QueueSettings::from(config), 1),
            now: Instant::now(),
            identity: Some(FIRST),
            unix_ms: None,
            out: Outputs::new(),
            options: config.batch_options(),
            next_ticket: 0,
            credit: 0,
        }
    }

    pub(super) fn compressed(mut self, compression: Compression) -> Self {
        self.options.compression = compression;
        self
    }

    pub(super) fn sleep(&mut self, ms: u64) {
        self.now += Duration::from_millis(ms);
    }

    /// Appends a record; sealing work is done at once.
    pub(super) fn append(&mut self, value: &str) -> (u32, u32) {
        let record = RecordRef {
            key: None,
            value: Some(value.as_bytes()),
            headers: &[],
            timestamp: RECORDS_AT,
        };
        let mut chunk = None;
        loop {
            let (now, ticket) = (self.now, self.next_ticket);
            let mut opened = false;
            let append = self.queue.append(
                &record,
                &self.options,
                &mut chunk,
                || now,
                || {
                    opened = true;
                    ticket
                },
            );
            self.next_ticket += u32::from(opened);
            match append {
                Append::NeedChunk { need, line } => {
                    assert!(chunk.is_none(), "asked for a chunk twice");
                    self.credit += need.credit;
                    let memory = Vec::with_capacity(need.memory);
                    assert_eq!(memory.capacity(), need.memory);
                    chunk = Some(Chunk {
                        memory,
                        credit: need.credit,
                        line,
                    });
                }
                Append::Added(added) => {
                    assert!(chunk.is_none(), "a chunk was asked for in vain");
                    if let Some(job) = added.job {
                        let done = self.queue.finish_seal(job.run(&mut Compressor::new()));
                        self.credit -= done.freed;
                    }
                    return (added.ticket, added.index);
                }
            }
        }
    }

    /// One batch of these records, closed by flushing.
    pub(super) fn batch(&mut self, values: &[&str]) {
        for value in values {
            self.append(value);
        }
    }

    pub(super) fn context(&self) -> DrainContext {
        DrainContext {
            now: self.now,
            broker: 1,
            identity: self.identity.map(|identity| Grant {
                identity,
                generation: 0,
            }),
            unix_ms: self.unix_ms,
            readiness: Readiness::Anything,
        }
    }

    pub(super) fn drain(&mut self) -> Drain {
        let context = self.context();
        self.queue.poll_drain(&context, &mut self.out)
    }

    /// Drains a batch that must be there.
    pub(super) fn send(&mut self) -> Sent {
        match self.drain() {
            Drain::Send(outgoing) => read(&outgoing),
            Drain::Seal(job) => {
                self.credit -= self
                    .queue
                    .finish_seal(job.run(&mut Compressor::new()))
                    .freed;
                self.send()
            }
            other => panic!("nothing to send: {other:?}"),
        }
    }

    /// Closes one batch of each group and sends them all.
    pub(super) fn send_batches(&mut self, groups: &[&[&str]]) -> Vec<Sent> {
        let mut sent = Vec::new();
        for group in groups {
            self.batch(group);
            sent.push(self.send());
        }
        sent
    }

    /// Makes the queue fit for five in flight: one batch acknowledged.
    pub(super) fn prove(&mut self) {
        self.batch(&["proof"]);
        let sent = self.send();
        self.answer(&sent, ErrorCode::NONE, 0);
        self.credit = self.lent();
        self.out.clear();
    }

    pub(super) fn answer(&mut self, sent: &Sent, code: ErrorCode, base_offset: i64) -> bool {
        let mut answer = Answer::of(code);
        answer.base_offset = base_offset;
        self.queue
            .handle_answer(sent.send_id, &answer, self.now, &mut self.out)
    }

    /// Loses the answer to a request that had left whole, or a request of which nothing had.
    pub(super) fn lose(&mut self, sent: &Sent, maybe_written: bool) {
        let left = if maybe_written {
            Left::Whole
        } else {
            Left::Nothing
        };
        self.lose_after(sent, left);
    }

    pub(super) fn lose_after(&mut self, sent: &Sent, left: Left) {
        let cause = Cause::Disconnected {
            reason: DisconnectReason::Protocol(Arc::from("cable cut")),
        };
        self.queue
            .handle_lost(sent.send_id, left, cause, self.now, &mut self.out);
    }

    pub(super) fn expire(&mut self) {
        let waiting_for = crate::outcome::WaitingFor::Leader;
        self.queue
            .expire(self.now, waiting_for, (None, false), &mut self.out);
    }

    /// Verdicts so far by ticket and index, in a word each.
    pub(super) fn verdicts(&self) -> HashMap<(u32, u32), String> {
        let mut verdicts = HashMap::new();
        for output in &self.out {
            let Output::Resolve {
                ticket,
                first,
                count,
                total,
                verdict,
            } = output
            else {
                continue;
            };
            assert!(first + count <= *total, "{output:?}");
            for i in 0..*count {
                let word = match verdict {
                    Verdict::Delivered {
                        base_offset: Some(base),
                        ..
                    } => {
                        format!("delivered {}", base + i64::from(i))
                    }
                    Verdict::Delivered {
                        base_offset: None, ..
                    } => "delivered".to_owned(),
                    Verdict::Sent => "sent".to_owned(),
                    Verdict::Failed(failure) => format!("failed: {}", failure.cause),
                    Verdict::Unknown(failure) => format!("unknown: {}", failure.cause),
                };
                let twice = verdicts.insert((*ticket, first + i), word);
                assert!(
                    twice.is_none(),
                    "record {} of {ticket} resolved twice",
                    first + i
                );
            }
        }
        verdicts
    }

    pub(super) fn verdict(&self, ticket: u32) -> String {
        self.verdicts()
            .remove(&(ticket, 0))
            .unwrap_or_else(|| "none".to_owned())
    }

    /// Credit that has not come back.
    pub(super) fn lent(&self) -> usize {
        let freed = self.out.iter().map(|output| match output {
            Output::Free { bytes, .. } => *bytes,
            _ => 0,
        });
        self.credit - freed.sum::<usize>()
    }
}

fn read(outgoing: &OutgoingBatch) -> Sent {
    let mut bytes = outgoing.header.to_vec();
    for chunk in outgoing.body.chunks() {
        bytes.extend_from_slice(chunk);
    }
    let (view, rest) = BatchView::parse(&bytes).unwrap();
    assert!(rest.is_empty());
    view.check_crc().unwrap();
    let records = view.records(1 << 24).unwrap();
    let text = |v: &Option<Vec<u8>>| String::from_utf8(v.clone().unwrap()).unwrap();
    Sent {
        send_id: outgoing.send_id,
        epoch: view.producer_epoch,
        sequence: view.base_sequence,
        values: records.iter().map(|r| text(&r.value)).collect(),
        bytes: bytes.clone(),
    }
}
