//! Counts what goes between a client and its broker, by the kind of request: a forwarder that looks
//! at the frames' lengths and at each request's first two bytes.

use std::collections::VecDeque;
use std::fmt;
use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

/// Kafka's number of the request.
const METADATA: [u8; 2] = 3_i16.to_be_bytes();

/// Bytes of metadata.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    written: AtomicU64,
    read: AtomicU64,
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let of = |count: &AtomicU64| count.load(Ordering::Relaxed);
        write!(f, "{} {}", of(&self.written), of(&self.read))
    }
}

/// Forwards whoever connects to this address.
pub(crate) fn relay(listener: &TcpListener, to: &str, counts: &Arc<Counts>) {
    for client in listener.incoming().flatten() {
        if let Ok(broker) = TcpStream::connect(to) {
            // A connection that cannot be forwarded ends, which the client sees.
            let _ = connect(client, broker, counts.clone());
        }
    }
}

/// Answers come in the order of the requests.
fn connect(client: TcpStream, broker: TcpStream, counts: Arc<Counts>) -> io::Result<()> {
    client.set_nodelay(true)?;
    broker.set_nodelay(true)?;
    let asked = Arc::new(Mutex::new(VecDeque::new()));
    let (from, to) = (client.try_clone()?, broker.try_clone()?);
    let (asking, counting) = (asked.clone(), counts.clone());
    thread::spawn(move || {
        forward(from, to, |frame| {
            let is_metadata = frame.get(4..6) == Some(&METADATA);
            let mut asking = asking.lock().unwrap_or_else(PoisonError::into_inner);
            asking.push_back(is_metadata);
            if is_metadata {
                count(&counting.written, frame);
            }
        })
    });
    thread::spawn(move || {
        forward(broker, client, |frame| {
            let mut asked = asked.lock().unwrap_or_else(PoisonError::into_inner);
            if asked.pop_front() == Some(true) {
                count(&counts.read, frame);
            }
        })
    });
    Ok(())
}

fn count(count: &AtomicU64, frame: &[u8]) {
    count.fetch_add(frame.len() as u64, Ordering::Relaxed);
}

/// Until either side ends.
fn forward(mut from: TcpStream, mut to: TcpStream, mut see: impl FnMut(&[u8])) -> io::Result<()> {
    let mut frame = vec![0; 4];
    loop {
        frame.truncate(4);
        let done = from.read_exact(&mut frame).and_then(|()| {
            let length = [frame[0], frame[1], frame[2], frame[3]];
            frame.resize(4 + u32::from_be_bytes(length) as usize, 0);
            from.read_exact(&mut frame[4..])?;
            see(&frame);
            to.write_all(&frame)
        });
        if done.is_err() {
            // The other direction waits for its end.
            let _ = from.shutdown(std::net::Shutdown::Both);
            return to.shutdown(std::net::Shutdown::Both);
        }
    }
}
