//! The blocking socket, and what is asked before the first record.

use std::error::Error;
use std::io::{self, Read as _, Write as _};
use std::net::TcpStream;

use bench_contract::{Acks, Run};

use crate::requests;

/// Who we are for the broker, or -1 without idempotence.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Identity {
    pub(crate) id: i64,
    pub(crate) epoch: i16,
}

/// Connects, makes the topic known, and gets an identity if the run wants one.
pub(crate) fn open(run: &Run) -> Result<(TcpStream, Identity), Box<dyn Error>> {
    let mut socket = TcpStream::connect(&run.bootstrap)?;
    socket.set_nodelay(true)?;
    let mut answer = Vec::new();
    socket.write_all(&requests::metadata(&run.topic))?;
    read_answer(&mut socket, &mut answer)?;
    if !run.idempotence {
        return Ok((socket, Identity { id: -1, epoch: -1 }));
    }
    socket.write_all(&requests::init_producer_id())?;
    read_answer(&mut socket, &mut answer)?;
    // Correlation id, throttle time, error code.
    let fields = answer
        .get(10..20)
        .ok_or("a short answer to InitProducerId")?;
    let (id, epoch) = fields.split_at(8);
    let identity = Identity {
        id: i64::from_be_bytes(id.try_into()?),
        epoch: i16::from_be_bytes(epoch.try_into()?),
    };
    Ok((socket, identity))
}

/// The acks of the run as a number.
pub(crate) const fn acks(run: &Run) -> i16 {
    match run.acks {
        Acks::All => -1,
        Acks::One => 1,
        Acks::Zero => 0,
    }
}

/// Reads one answer without its length.
pub(crate) fn read_answer(socket: &mut TcpStream, answer: &mut Vec<u8>) -> io::Result<()> {
    let mut len = [0; 4];
    socket.read_exact(&mut len)?;
    answer.resize(u32::from_be_bytes(len) as usize, 0);
    socket.read_exact(answer)
}
