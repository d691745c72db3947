//! As many records as go: encode, and when a batch is full, seal it and write it.

use std::error::Error;
use std::io::{self, IoSlice, Write as _};
use std::net::TcpStream;
use std::sync::Arc;
use std::thread;

use bench_contract::{Pace, Payloads, Run, Tally};

use crate::batch::Batch;
use crate::codec::Packer;
use crate::connection::{self, Identity};
use crate::requests;
use crate::retire::{Slot, Wire};

const BATCH_BYTES: usize = 64 << 10;

/// Requests in flight over all partitions; with one partition five, as idempotence allows.
const IN_FLIGHT: usize = 10;

struct Queue {
    batch: Batch,
    slot: Arc<Slot>,
}

struct Flood {
    run: Run,
    socket: TcpStream,
    identity: Identity,
    queues: Vec<Queue>,
    packer: Option<Packer>,
    wire: Arc<Wire>,
    in_flight: usize,
    sticky: usize,
}

pub(crate) fn flood(
    run: &Run,
    has_handles: bool,
) -> Result<impl FnMut(&mut Payloads, u64) -> Tally + use<>, Box<dyn Error>> {
    let (socket, identity) = connection::open(run)?;
    let wire = Arc::new(Wire::default());
    let (reading, answers, topic) = (wire.clone(), socket.try_clone()?, run.topic.clone());
    thread::spawn(move || reading.read(answers, &topic));
    let batch_bytes = run.batch_bytes.unwrap_or(BATCH_BYTES);
    let queue = |_| Queue {
        batch: Batch::new(batch_bytes),
        slot: Arc::default(),
    };
    let mut flood = Flood {
        run: run.clone(),
        socket,
        identity,
        queues: (0..run.partitions).map(queue).collect(),
        packer: Packer::of(run, batch_bytes)?,
        wire,
        in_flight: if run.partitions == 1 {
            IN_FLIGHT / 2
        } else {
            IN_FLIGHT
        },
        sticky: 0,
    };
    Ok(move |payloads: &mut Payloads, records| {
        let mut tally = Tally::default();
        let sent = if has_handles {
            flood.with_handles(payloads, records)
        } else {
            flood.without(payloads, records)
        };
        if let Err(error) = sent {
            tally.fail(error);
        }
        let failed = flood.wire.drain();
        if failed > 0 {
            tally.fail("a batch was refused");
            tally.errors += failed - 1;
        }
        tally
    })
}

impl Flood {
    fn without(&mut self, payloads: &mut Payloads, records: u64) -> io::Result<()> {
        for number in 0..records {
            self.append(payloads.borrowed(), number)?;
        }
        self.flush()
    }

    /// The handle of a record is its batch's slot, its index there, and the queue.
    fn with_handles(&mut self, payloads: &mut Payloads, records: u64) -> io::Result<()> {
        let mut pace: Pace<(Arc<Slot>, u32, u32)> = Pace::new(self.run.window);
        for number in 0..records {
            let index = self.append(payloads.borrowed(), number)?;
            let queue = &self.queues[index];
            let handle = (queue.slot.clone(), queue.batch.count(), index as u32);
            if let Some((oldest, _, queue)) = pace.push(handle) {
                // Nobody else sends a batch that is not full: there is no linger.
                if Arc::ptr_eq(&oldest, &self.queues[queue as usize].slot) {
                    self.send(queue as usize)?;
                }
                self.wire.wait(&oldest);
            }
        }
        self.flush()?;
        while let Some((oldest, ..)) = pace.pop() {
            self.wire.wait(&oldest);
        }
        Ok(())
    }

    /// Appends a record to the queue whose index it returns.
    #[inline]
    fn append(&mut self, value: &[u8], number: u64) -> io::Result<usize> {
        let mut index = self
            .run
            .partition(number)
            .map_or(self.sticky, |index| index as usize);
        if self.queues[index].batch.is_full(value.len()) {
            self.send(index)?;
            if self.run.partition(number).is_none() {
                self.sticky = (index + 1) % self.queues.len();
                index = self.sticky;
            }
        }
        self.queues[index].batch.append(value);
        Ok(index)
    }

    fn flush(&mut self) -> io::Result<()> {
        for index in 0..self.queues.len() {
            if self.queues[index].batch.count() > 0 {
                self.send(index)?;
            }
        }
        Ok(())
    }

    #[cold]
    fn send(&mut self, index: usize) -> io::Result<()> {
        let queue = &mut self.queues[index];
        let batch = queue.batch.seal(self.identity, self.packer.as_mut());
        let acks = connection::acks(&self.run);
        let head = requests::produce(&self.run.topic, index as i32, acks, batch.len());
        self.wire
            .enter(std::mem::take(&mut queue.slot), self.in_flight);
        let mut slices = [IoSlice::new(&head), IoSlice::new(batch)];
        let mut rest = slices.as_mut_slice();
        while !rest.is_empty() {
            let written = self.socket.write_vectored(rest)?;
            if written == 0 {
                return Err(io::ErrorKind::WriteZero.into());
            }
            IoSlice::advance_slices(&mut rest, written);
        }
        queue.batch.clear();
        Ok(())
    }
}
