//! The caller's whole path through `downpour::blocking`, and the handles that it returns.
//!
//! A round fills some three batches of each partition: with five waiting the open one would grow.

use std::error::Error;

use bench_micro::values;
use downpour::{Delivery, Message, Record};

use crate::batches::SIZE;
use crate::count::counted;
use crate::stalled::{PARTITIONS, Stand, TOPIC};

/// Rounds that are counted. Where the partitions are drawn, enough of them for an average.
const ROUNDS: u64 = 16;
/// Rounds before them, after which chunks of memory are used again.
const WARM: u64 = 2;
/// Records of a round over all partitions.
const OVER_SIX: u64 = 10_000;
/// Records of a round to one partition.
const TO_ONE: u64 = 2_000;
/// Where the library chooses, a partition may get several batches more than others.
const AUTOMATIC: u64 = 4_000;
/// Records of one `send_many`.
const MANY: u64 = 1_000;

type Answer = Result<u64, Box<dyn Error>>;

/// Runs the rounds: `send` while the I/O thread stands still, then `settled` with what it returned
/// once all of that has its verdict. Both get whether their round counts.
fn rounds<T>(
    records: u64,
    send: impl Fn(&Stand, &[Vec<u8>], bool) -> T,
    settled: impl Fn(T, bool),
) -> Answer {
    let stand = Stand::new()?;
    let values = values(SIZE);
    for round in 0..WARM + ROUNDS {
        let counts = round >= WARM;
        let sent = stand.while_stalled(|| send(&stand, &values, counts))?;
        settled(sent, counts);
    }
    stand.producer.close();
    Ok(ROUNDS * records)
}

/// Does the work, counted or not.
fn work<R>(counts: bool, work: impl FnOnce() -> R) -> R {
    if counts { counted(work) } else { work() }
}

#[inline]
fn value(values: &[Vec<u8>], number: u64) -> &[u8] {
    &values[number as usize % values.len()]
}

#[inline]
fn over_six(number: u64) -> i32 {
    (number % PARTITIONS as u64) as i32
}

/// A handle for each record; who holds them is the caller's. A refusal stops the program, for
/// nothing of it would be worth counting.
#[inline]
fn send_each(
    stand: &Stand,
    values: &[Vec<u8>],
    records: u64,
    partition: impl Fn(u64) -> Option<i32>,
    mut keep: impl FnMut(Delivery),
) {
    for number in 0..records {
        let mut message = Message::new().value(value(values, number));
        if let Some(partition) = partition(number) {
            message = message.partition(partition);
        }
        let sent = stand.topic.send(message);
        keep(sent.expect("there is memory and metadata"));
    }
}

/// All handles of a round.
fn handles(stand: &Stand, values: &[Vec<u8>], counts: bool) -> Vec<Delivery> {
    let mut kept = Vec::with_capacity(OVER_SIX as usize);
    work(counts, || {
        let to = |number| Some(over_six(number));
        send_each(stand, values, OVER_SIX, to, |handle| kept.push(handle));
    });
    kept
}

/// A handle per record, explicit partitions over six.
pub(crate) fn send() -> Answer {
    rounds(OVER_SIX, handles, |_, _| ())
}

/// The same to one partition.
pub(crate) fn send_one() -> Answer {
    let send = |stand: &Stand, values: &[Vec<u8>], counts| {
        let mut kept = Vec::with_capacity(TO_ONE as usize);
        work(counts, || {
            let to = |_| Some(0);
            send_each(stand, values, TO_ONE, to, |handle| kept.push(handle));
        });
        kept
    };
    rounds(TO_ONE, send, |_, _| ())
}

/// At a page's start: libc compares names that lie near the end of a page by a longer way, and
/// where a literal lies differs from build to build.
#[repr(align(4096))]
struct PageStart([u8; TOPIC.len()]);

static NAME: PageStart = PageStart(*b"events");

/// The same over six, the topic given by name in each record.
pub(crate) fn send_name() -> Answer {
    let name = std::str::from_utf8(&NAME.0)?;
    let send = |stand: &Stand, values: &[Vec<u8>], counts| {
        let mut kept = Vec::with_capacity(OVER_SIX as usize);
        work(counts, || {
            for number in 0..OVER_SIX {
                let record = Record::to(name)
                    .partition(over_six(number))
                    .value(value(values, number));
                let sent = stand.producer.send(record);
                kept.push(sent.expect("there is memory and metadata"));
            }
        });
        kept
    };
    rounds(OVER_SIX, send, |_, _| ())
}

/// The library chooses the partition of records without a key.
pub(crate) fn send_automatic() -> Answer {
    let send = |stand: &Stand, values: &[Vec<u8>], counts| {
        let mut kept = Vec::with_capacity(AUTOMATIC as usize);
        work(counts, || {
            let to = |_| None;
            send_each(stand, values, AUTOMATIC, to, |handle| kept.push(handle));
        });
        kept
    };
    rounds(AUTOMATIC, send, |_, _| ())
}

/// Handles are dropped at once.
pub(crate) fn send_forget() -> Answer {
    let send = |stand: &Stand, values: &[Vec<u8>], counts| {
        work(counts, || {
            let to = |number| Some(over_six(number));
            send_each(stand, values, OVER_SIX, to, drop);
        });
    };
    rounds(OVER_SIX, send, |(), _| ())
}

fn many(records: u64, partition: fn(u64) -> i32) -> Answer {
    let send = |stand: &Stand, values: &[Vec<u8>], counts| {
        let mut kept = Vec::with_capacity((records / MANY) as usize);
        work(counts, || {
            for from in (0..records).step_by(MANY as usize) {
                let batch = (from..from + MANY).map(|number| {
                    let message = Message::new().value(value(values, number));
                    message.partition(partition(number))
                });
                let batch: Vec<_> = batch.collect();
                let sent = stand.topic.send_many(&batch);
                kept.push(sent.expect("there is memory and metadata"));
            }
        });
        kept
    };
    rounds(records, send, |_, _| ())
}

/// A thousand records a call, alternating over six partitions.
pub(crate) fn send_many() -> Answer {
    many(OVER_SIX, over_six)
}

/// A thousand records a call, all to one partition.
pub(crate) fn send_many_one() -> Answer {
    many(TO_ONE, |_| 0)
}

/// Waiting on handles whose records have their verdict.
pub(crate) fn wait() -> Answer {
    let send = |stand: &Stand, values: &[Vec<u8>], _| handles(stand, values, false);
    rounds(OVER_SIX, send, |handles, counts| {
        let failed = work(counts, || {
            handles
                .iter()
                .filter(|handle| handle.wait().is_err())
                .count()
        });
        assert_eq!(failed, 0, "records were not delivered");
    })
}

/// Dropping such handles.
pub(crate) fn drop_handles() -> Answer {
    let send = |stand: &Stand, values: &[Vec<u8>], _| handles(stand, values, false);
    rounds(OVER_SIX, send, |handles, counts| {
        work(counts, || drop(handles));
    })
}
