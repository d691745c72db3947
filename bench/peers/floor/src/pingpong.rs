//! A bare socket's round trip: write a request of one record, read its answer, and again.

use std::error::Error;
use std::io::{self, Write as _};
use std::net::TcpStream;
use std::time::Instant;

use bench_contract::{Payloads, Run, Tally};

use crate::batch::Batch;
use crate::connection::{self, Identity};
use crate::requests;

struct Pingpong {
    run: Run,
    socket: TcpStream,
    identity: Identity,
    batches: Vec<Batch>,
    frame: Vec<u8>,
    answer: Vec<u8>,
}

pub(crate) fn pingpong(
    run: &Run,
) -> Result<impl FnMut(&mut Payloads, u64) -> Tally + use<>, Box<dyn Error>> {
    let (socket, identity) = connection::open(run)?;
    let room = run.size + 256;
    let mut pingpong = Pingpong {
        run: run.clone(),
        socket,
        identity,
        batches: (0..run.partitions).map(|_| Batch::new(room)).collect(),
        frame: Vec::new(),
        answer: Vec::new(),
    };
    Ok(move |payloads: &mut Payloads, records| {
        let mut tally = Tally::default();
        for number in 0..records {
            let began = Instant::now();
            match pingpong.once(payloads.borrowed(), number) {
                Ok(0) => {}
                Ok(code) => tally.fail(format!("error code {code}")),
                Err(error) => tally.fail(error),
            }
            tally.latencies.push(began.elapsed().as_nanos() as u64);
        }
        tally
    })
}

impl Pingpong {
    fn once(&mut self, value: &[u8], number: u64) -> io::Result<i16> {
        let index = self.run.partition(number).unwrap_or(0);
        let batch = &mut self.batches[index as usize];
        batch.append(value);
        let sealed = batch.seal(self.identity, None);
        let acks = connection::acks(&self.run);
        self.frame.clear();
        self.frame.extend(requests::produce(
            &self.run.topic,
            index,
            acks,
            sealed.len(),
        ));
        self.frame.extend_from_slice(sealed);
        batch.clear();
        self.socket.write_all(&self.frame)?;
        connection::read_answer(&mut self.socket, &mut self.answer)?;
        Ok(requests::produce_error(&self.answer, &self.run.topic))
    }
}
