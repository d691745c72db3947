//! What a driver speaks through: sockets that never block, and what is told of them.
//!
//! The system's are here; the simulator brings its own. Which connection a socket belongs to, and
//! what goes over it, is `connections` and `connection`.

use std::io::{self, IoSlice, Read, Write};
use std::net::SocketAddr;
use std::time::Duration;

use mio::event::Source;
use mio::net::TcpStream;
#[cfg(unix)]
use mio::net::UnixStream;
use mio::{Interest, Registry, Token};
use socket2::{SockRef, TcpKeepalive};

/// Opens sockets.
pub trait Sockets: Send + 'static {
    /// What it opens.
    type Socket: Socket;

    /// Begins to open a connection; events that carry `token` tell how it goes.
    ///
    /// # Errors
    /// It is known at once that there will be none.
    fn connect(
        &mut self,
        token: usize,
        address: SocketAddr,
        options: SocketOptions,
    ) -> io::Result<Self::Socket>;

    /// Takes over a stream that somebody else opened.
    ///
    /// # Errors
    /// It cannot be used.
    #[cfg(unix)]
    fn adopt(
        &mut self,
        token: usize,
        stream: std::os::unix::net::UnixStream,
    ) -> io::Result<Self::Socket>;
}

/// One socket. Events are edges: one that was told of something is told again only after a read
/// or a write has found nothing more.
pub trait Socket: std::fmt::Debug + Send + 'static {
    /// Whether a read that does not fill its buffer arms the next event, as one that would block does.
    const SHORT_READ_ARMS: bool = true;

    /// Whether it is open; that it is not yet is no error.
    ///
    /// # Errors
    /// It will not open.
    fn is_open(&self) -> io::Result<bool>;

    /// Takes what has arrived. A read that does not fill `buffer` found all there was, see
    /// [`SHORT_READ_ARMS`](Self::SHORT_READ_ARMS).
    ///
    /// # Errors
    /// As [`Read::read`] does, `WouldBlock` among them.
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize>;

    /// Hands over as much as there is room for.
    ///
    /// # Errors
    /// As [`Write::write_vectored`] does, `WouldBlock` among them.
    fn write_vectored(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize>;
}

/// What was asked of the kernel.
#[derive(Debug, Clone, Copy, Default)]
pub struct SocketOptions {
    /// Bytes for what is sent; `None` leaves it to the kernel.
    pub send_buffer: Option<usize>,
    /// Bytes for what arrives; `None` leaves it to the kernel.
    pub receive_buffer: Option<usize>,
    /// Whether the kernel looks after a peer that says nothing.
    pub keepalive: bool,
}

/// What is told of a socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SocketEvent {
    /// Whose it is.
    pub token: usize,
    /// Something can be read, the end and an error included.
    pub readable: bool,
    /// There is room to write.
    pub writable: bool,
    /// The peer ends the stream, or it broke; said once.
    pub ending: bool,
}

impl From<&mio::event::Event> for SocketEvent {
    fn from(event: &mio::event::Event) -> Self {
        let ending = event.is_read_closed() || event.is_error();
        Self {
            token: event.token().0,
            readable: event.is_readable() || ending,
            writable: event.is_writable(),
            ending,
        }
    }
}

/// A peer that says nothing is asked after so long whether it is still there. The system's own two
/// hours are longer than any forwarder remembers a connection.
const KEEPALIVE_AFTER: Duration = Duration::from_secs(30);
/// And again after so long.
const KEEPALIVE_EACH: Duration = Duration::from_secs(10);
/// So often before it is given up.
#[cfg(not(any(windows, target_os = "openbsd")))]
const KEEPALIVE_TIMES: u32 = 3;

/// There is no user timeout beside it (`TCP_USER_TIMEOUT`): a request without an answer ends its
/// connection after the request timeout, and a shorter one would end connections to brokers that
/// read nothing for a while because a quota makes them.
fn keepalive() -> TcpKeepalive {
    let keepalive = TcpKeepalive::new().with_time(KEEPALIVE_AFTER);
    #[cfg(not(target_os = "openbsd"))]
    let keepalive = keepalive.with_interval(KEEPALIVE_EACH);
    #[cfg(not(any(windows, target_os = "openbsd")))]
    let keepalive = keepalive.with_retries(KEEPALIVE_TIMES);
    keepalive
}

/// The system's sockets.
#[derive(Debug)]
pub(super) struct SystemSockets {
    registry: Registry,
}

/// A socket of either kind.
#[derive(Debug)]
pub(super) enum SystemSocket {
    Tcp(TcpStream),
    #[cfg(unix)]
    Unix(UnixStream),
}

impl SystemSockets {
    pub(super) fn new(registry: Registry) -> Self {
        Self { registry }
    }

    fn register(&self, source: &mut dyn Source, token: usize) -> io::Result<()> {
        let interest = Interest::READABLE | Interest::WRITABLE;
        source.register(&self.registry, Token(token), interest)
    }
}

impl Sockets for SystemSockets {
    type Socket = SystemSocket;

    fn connect(
        &mut self,
        token: usize,
        address: SocketAddr,
        options: SocketOptions,
    ) -> io::Result<SystemSocket> {
        let mut stream = TcpStream::connect(address)?;
        let socket = SockRef::from(&stream);
        if let Some(bytes) = options.send_buffer {
            socket.set_send_buffer_size(bytes)?;
        }
        if let Some(bytes) = options.receive_buffer {
            socket.set_recv_buffer_size(bytes)?;
        }
        if options.keepalive {
            socket.set_tcp_keepalive(&keepalive())?;
        }
        // Requests are written whole; waiting for more to fill a packet only delays them.
        socket.set_tcp_nodelay(true)?;
        self.register(&mut stream, token)?;
        Ok(SystemSocket::Tcp(stream))
    }

    #[cfg(unix)]
    fn adopt(
        &mut self,
        token: usize,
        stream: std::os::unix::net::UnixStream,
    ) -> io::Result<SystemSocket> {
        stream.set_nonblocking(true)?;
        let mut stream = UnixStream::from_std(stream);
        self.register(&mut stream, token)?;
        Ok(SystemSocket::Unix(stream))
    }
}

impl Socket for SystemSocket {
    // There mio asks the system anew when a read would block, and not before (mio#1611).
    const SHORT_READ_ARMS: bool = cfg!(not(windows));

    fn is_open(&self) -> io::Result<bool> {
        let stream = match self {
            Self::Tcp(stream) => stream,
            #[cfg(unix)]
            Self::Unix(_) => return Ok(true),
        };
        if let Some(error) = stream.take_error()? {
            return Err(error);
        }
        match stream.peer_addr() {
            Ok(_) => Ok(true),
            Err(e) if e.kind() == io::ErrorKind::NotConnected => Ok(false),
            Err(e) => Err(e),
        }
    }

    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Tcp(stream) => stream.read(buffer),
            #[cfg(unix)]
            Self::Unix(stream) => stream.read(buffer),
        }
    }

    fn write_vectored(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        match self {
            Self::Tcp(stream) => stream.write_vectored(slices),
            #[cfg(unix)]
            Self::Unix(stream) => stream.write_vectored(slices),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernel_is_asked_for_what_was_set() {
        let poll = mio::Poll::new().unwrap();
        let mut sockets = SystemSockets::new(poll.registry().try_clone().unwrap());
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        for keepalive in [false, true] {
            let options = SocketOptions {
                keepalive,
                ..SocketOptions::default()
            };
            let socket = sockets.connect(0, address, options).unwrap();
            let SystemSocket::Tcp(stream) = &socket else {
                panic!("{socket:?}");
            };
            let socket = SockRef::from(stream);
            assert_eq!(socket.keepalive().unwrap(), keepalive);
            #[cfg(target_os = "linux")]
            if keepalive {
                assert_eq!(socket.tcp_keepalive_time().unwrap(), KEEPALIVE_AFTER);
                assert_eq!(socket.tcp_keepalive_interval().unwrap(), KEEPALIVE_EACH);
                assert_eq!(socket.tcp_keepalive_retries().unwrap(), KEEPALIVE_TIMES);
            }
        }
    }
}
