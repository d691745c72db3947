//! How a caller gets a record into a queue.

use std::time::Instant;

use downpour_core::config::BatchOptions;
use downpour_core::queue::{Append, Chunk, Queue};
use downpour_core::seal::SealJob;
use downpour_wire::record::RecordRef;

use super::book::Book;

/// A record to append.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Given<'a> {
    /// The number of its partition in the book.
    pub(crate) partition: usize,
    /// Its options and their number in the book.
    pub(crate) options: (&'a BatchOptions, u8),
    /// Bytes beyond the four of its number.
    pub(crate) size: usize,
    pub(crate) timestamp: i64,
}

/// What an append left to do.
#[derive(Debug)]
pub(crate) struct Left {
    pub(crate) became_dirty: bool,
    pub(crate) job: Option<Box<SealJob>>,
    /// Bytes that were lent for it.
    pub(crate) lent: usize,
}

/// Appends a record, which gets the book's next number.
pub(crate) fn append(
    queue: &mut Queue<u32>,
    book: &mut Book,
    given: &Given<'_>,
    now: Instant,
) -> Left {
    let number = book.next_record();
    let mut value = number.to_be_bytes().to_vec();
    value.resize(4 + given.size, b'.');
    let record = RecordRef {
        key: None,
        value: Some(&value),
        headers: &[],
        timestamp: given.timestamp,
    };
    let (options, class) = given.options;
    let ticket = book.next_ticket();
    let (mut chunk, mut lent) = (None, 0);
    for _ in 0..3 {
        match queue.append(&record, options, &mut chunk, || now, || ticket) {
            Append::NeedChunk { need, line } => {
                assert!(chunk.is_none(), "a chunk that was asked for is not taken");
                lent += need.credit;
                chunk = Some(Chunk {
                    memory: Vec::with_capacity(need.memory),
                    credit: need.credit,
                    line,
                });
            }
            Append::Added(added) => {
                assert!(chunk.is_none(), "a chunk was asked for in vain");
                book.accept(given.partition, class, added.ticket, added.index);
                return Left {
                    became_dirty: added.became_dirty,
                    job: added.job,
                    lent,
                };
            }
            other => panic!("an append that nobody knows: {other:?}"),
        }
    }
    panic!("a record is not taken: {record:?}")
}
