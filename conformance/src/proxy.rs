//! A proxy in front of one broker that knows where Kafka's frames begin and end. It cuts a connection
//! in the middle of one, or when the broker has answered and nobody was told; it loses an answer, holds
//! a request back, is slow, or goes silent.

use std::collections::VecDeque;
use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

/// A length above this is taken for garbage.
const FRAME_MAX: usize = 64 << 20;

/// Kafka's api key for Produce.
const PRODUCE: i16 = 0;

/// So many frames of a connection are slow.
const SLOW_FRAMES: u32 = 30;

/// What happens to a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cut {
    /// Half of a request has reached the broker.
    MidRequest,
    /// The broker has written the records and answered; the answer is dropped.
    BeforeAnswer,
    /// Half of the answer has reached the producer.
    MidAnswer,
    /// The answer is left out, and the connection goes on.
    LostAnswer,
    /// The request is held back for so long, and reaches the broker then, even if its client is gone.
    Stall(Duration),
    /// The connection stays open, and nothing passes any more.
    HalfOpen,
    /// This frame and some more are late, each by so much.
    Slow(Duration),
}

impl Cut {
    /// The kinds that end a connection at once, in the order in which they take turns.
    pub const ALL: [Self; 3] = [Self::MidRequest, Self::BeforeAnswer, Self::MidAnswer];

    /// A short name of its kind.
    pub fn name(self) -> &'static str {
        match self {
            Self::MidRequest => "cut in a request",
            Self::BeforeAnswer => "cut before an answer",
            Self::MidAnswer => "cut in an answer",
            Self::LostAnswer => "answer lost",
            Self::Stall(_) => "request held back",
            Self::HalfOpen => "half open",
            Self::Slow(_) => "slow connection",
        }
    }
}

/// A running proxy. It ends when this is dropped.
#[derive(Debug)]
pub struct Proxy {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    listen: SocketAddr,
    target: SocketAddr,
    /// Only connections of clients whose id begins so are cut.
    client_id: String,
    /// The next cut. [`Proxy::arm`] sets it, and the next Produce request takes it. Without the
    /// second, every connection would be cut.
    armed: Mutex<Option<Cut>>,
    /// How many cuts were made.
    done: AtomicU32,
    /// Set when the proxy is dropped, for the thread that accepts connections, which would hold the
    /// address otherwise.
    is_over: AtomicBool,
}

/// One entry per request on its way: how its answer is cut.
type Answers = Mutex<VecDeque<Option<Cut>>>;

impl Proxy {
    /// Listens at `listen` and forwards to `target`. What is done to connections is done to those of
    /// clients whose id begins with `client_id`.
    ///
    /// # Errors
    /// When it cannot listen there, for example because somebody else does.
    pub fn start(listen: SocketAddr, target: SocketAddr, client_id: &str) -> io::Result<Self> {
        let listener = TcpListener::bind(listen)?;
        let shared = Arc::new(Shared {
            listen: listener.local_addr()?,
            target,
            client_id: client_id.to_owned(),
            armed: Mutex::new(None),
            done: AtomicU32::new(0),
            is_over: AtomicBool::new(false),
        });
        let proxy = shared.clone();
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                if proxy.is_over.load(Ordering::Relaxed) {
                    return;
                }
                // A client whose broker cannot be reached sees its connection end.
                let _ = proxy.clone().connect(stream);
            }
        });
        Ok(Self { shared })
    }

    /// The address that it listens at.
    pub fn address(&self) -> SocketAddr {
        self.shared.listen
    }

    /// Does this to the connection that carries the next Produce request.
    pub fn arm(&self, cut: Cut) {
        *lock(&self.shared.armed) = Some(cut);
    }

    /// Takes back what no request has met.
    pub fn disarm(&self) {
        *lock(&self.shared.armed) = None;
    }

    /// How many connections it has cut.
    pub fn cuts(&self) -> u32 {
        self.shared.done.load(Ordering::Relaxed)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.shared.is_over.store(true, Ordering::Relaxed);
        // This wakes the thread that accepts connections.
        let _ = TcpStream::connect(self.shared.listen);
    }
}

impl Shared {
    fn connect(self: Arc<Self>, client: TcpStream) -> io::Result<()> {
        let broker = TcpStream::connect(self.target)?;
        client.set_nodelay(true)?;
        broker.set_nodelay(true)?;
        let answers = Arc::new(Answers::default());
        let (requests_from, requests_to) = (client.try_clone()?, broker.try_clone()?);
        let (shared, waiting) = (self.clone(), answers.clone());
        thread::spawn(move || {
            let _ = shared.requests(&requests_from, &requests_to, &waiting);
            disconnect(&requests_from, &requests_to);
        });
        thread::spawn(move || {
            let _ = self.answers(&broker, &client, &answers);
            disconnect(&client, &broker);
        });
        Ok(())
    }

    /// Forwards requests until one of the sides ends, or the connection is cut.
    fn requests(&self, from: &TcpStream, to: &TcpStream, answers: &Answers) -> io::Result<()> {
        let mut frame = Vec::new();
        let mut slow = (0, Duration::ZERO);
        loop {
            read_frame(from, &mut frame)?;
            let is_ours = self.is_ours(&frame);
            let cut = is_ours.then(|| lock(&self.armed).take()).flatten();
            match cut {
                None | Some(Cut::BeforeAnswer | Cut::MidAnswer | Cut::LostAnswer) => {}
                Some(Cut::MidRequest) => {
                    self.done.fetch_add(1, Ordering::Relaxed);
                    let half = frame.len() / 2;
                    return (&mut &*to).write_all(&frame[..half]);
                }
                Some(Cut::Stall(time)) => {
                    self.done.fetch_add(1, Ordering::Relaxed);
                    thread::sleep(time);
                }
                Some(Cut::Slow(time)) => {
                    self.done.fetch_add(1, Ordering::Relaxed);
                    slow = (SLOW_FRAMES, time);
                }
                Some(Cut::HalfOpen) => {
                    self.done.fetch_add(1, Ordering::Relaxed);
                    lock(answers).push_back(cut);
                    (&mut &*to).write_all(&frame)?;
                    // Whatever comes is swallowed until the client gives up.
                    loop {
                        read_frame(from, &mut frame)?;
                    }
                }
            }
            if slow.0 > 0 {
                slow.0 -= 1;
                thread::sleep(slow.1);
            }
            // It is noted before the request leaves, because the answer may be quick.
            lock(answers).push_back(cut);
            (&mut &*to).write_all(&frame)?;
        }
    }

    /// Forwards answers, which come in the order of their requests.
    fn answers(&self, from: &TcpStream, to: &TcpStream, answers: &Answers) -> io::Result<()> {
        let mut frame = Vec::new();
        loop {
            read_frame(from, &mut frame)?;
            let cut = lock(answers).pop_front().flatten();
            let passes = match cut {
                Some(Cut::MidAnswer) => frame.len() / 2,
                Some(Cut::BeforeAnswer | Cut::LostAnswer | Cut::HalfOpen) => 0,
                None | Some(Cut::MidRequest | Cut::Stall(_) | Cut::Slow(_)) => frame.len(),
            };
            (&mut &*to).write_all(&frame[..passes])?;
            match cut {
                Some(Cut::MidAnswer | Cut::BeforeAnswer) => {
                    self.done.fetch_add(1, Ordering::Relaxed);
                    return Ok(());
                }
                Some(Cut::LostAnswer) => {
                    self.done.fetch_add(1, Ordering::Relaxed);
                }
                // The side of the requests ends it.
                Some(Cut::HalfOpen) => loop {
                    read_frame(from, &mut frame)?;
                },
                _ => {}
            }
        }
    }

    /// Whether a frame is a Produce request of the client whose connections are cut.
    fn is_ours(&self, frame: &[u8]) -> bool {
        // The frame's length, key, version, correlation id, and the client id with its length.
        let (Some(key), Some(len)) = (short(frame, 4), short(frame, 12)) else {
            return false;
        };
        let id = frame.get(14..14 + usize::try_from(len).unwrap_or_default());
        key == PRODUCE && id.is_some_and(|id| id.starts_with(self.client_id.as_bytes()))
    }
}

fn short(frame: &[u8], at: usize) -> Option<i16> {
    let bytes = frame.get(at..at + 2)?.try_into().ok()?;
    Some(i16::from_be_bytes(bytes))
}

/// Reads a frame with its length into `frame`.
fn read_frame(mut from: &TcpStream, frame: &mut Vec<u8>) -> io::Result<()> {
    let mut len = [0; 4];
    from.read_exact(&mut len)?;
    let body = u32::from_be_bytes(len) as usize;
    if body > FRAME_MAX {
        return Err(io::ErrorKind::InvalidData.into());
    }
    frame.clear();
    frame.extend(len);
    frame.resize(4 + body, 0);
    from.read_exact(&mut frame[4..])
}

/// Ends both connections, also for a thread that reads or writes at them now.
fn disconnect(client: &TcpStream, broker: &TcpStream) {
    // One that has ended already is left alone.
    let _ = client.shutdown(Shutdown::Both);
    let _ = broker.shutdown(Shutdown::Both);
}

fn lock<T>(it: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    it.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    /// A request of this key by `me`, 40 bytes long.
    fn request(key: i16) -> Vec<u8> {
        let mut frame = vec![0, 0, 0, 36];
        frame.extend(key.to_be_bytes());
        frame.extend([0; 6]);
        frame.extend([0, 2]);
        frame.extend(b"me");
        frame.resize(40, 7);
        frame
    }

    /// A broker that answers every request with a frame, and sends how many bytes it read in all.
    fn echo() -> (SocketAddr, mpsc::Receiver<usize>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (sender, receiver) = mpsc::channel();
        thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut read = Vec::<u8>::new();
            let mut buffer = [0; 40];
            while let Ok(len @ 1..) = stream.read(&mut buffer) {
                read.extend(&buffer[..len]);
                if read.len() % 40 == 0 && stream.write_all(&request(1)).is_err() {
                    break;
                }
            }
            sender.send(read.len()).unwrap();
        });
        (address, receiver)
    }

    /// How many bytes the broker and the client got in all, when a first request is not to be cut and
    /// a second one is.
    fn bytes_of(cut: Cut) -> (usize, usize) {
        let (address, broker) = echo();
        let any = "127.0.0.1:0".parse().unwrap();
        let proxy = Proxy::start(any, address, "me").unwrap();
        proxy.arm(cut);
        let mut client = TcpStream::connect(proxy.address()).unwrap();
        client.write_all(&request(3)).unwrap();
        client.read_exact(&mut [0; 40]).unwrap();
        client.write_all(&request(0)).unwrap();
        if !Cut::ALL.contains(&cut) {
            // It stays open, so that it is ended from here.
            client.shutdown(Shutdown::Write).unwrap();
        }
        let mut rest = Vec::new();
        let _ = client.read_to_end(&mut rest);
        assert_eq!(proxy.cuts(), 1);
        (broker.recv().unwrap(), rest.len())
    }

    #[test]
    fn a_connection_is_cut_where_it_was_armed_to_be() {
        assert_eq!(bytes_of(Cut::MidRequest), (60, 0));
        assert_eq!(bytes_of(Cut::BeforeAnswer), (80, 0));
        assert_eq!(bytes_of(Cut::MidAnswer), (80, 20));
    }

    #[test]
    fn a_request_that_is_held_back_reaches_the_broker_although_its_client_is_gone() {
        let (sent, _) = bytes_of(Cut::Stall(Duration::from_millis(50)));
        assert_eq!(sent, 80);
        let (sent, got) = bytes_of(Cut::HalfOpen);
        assert_eq!((sent, got), (80, 0));
    }
}
