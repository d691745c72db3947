//! Letting connections in: the thread that accepts a broker's TCP connections, the pairs in memory,
//! and the thread of each connection.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::connection::serve;
use super::shared::{Listener, Shared};
use super::stream::Stream;

/// Binds a port of the loopback interface; 0 takes any that is free.
pub(super) fn bind(port: u16) -> io::Result<TcpListener> {
    TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], port)))
}

/// Starts to accept a broker's connections.
pub(super) fn listen(shared: &Arc<Shared>, node: i32, socket: TcpListener) -> io::Result<Listener> {
    let address = socket.local_addr()?;
    let stop = Arc::new(AtomicBool::new(false));
    let (seen, shared) = (Arc::clone(&stop), Arc::clone(shared));
    let thread = std::thread::Builder::new()
        .name(format!("fake-broker-{node}"))
        .spawn(move || accept(&shared, node, &socket, &seen))?;
    Ok(Listener {
        address,
        stop,
        thread,
    })
}

fn accept(shared: &Arc<Shared>, node: i32, socket: &TcpListener, stop: &AtomicBool) {
    loop {
        let accepted = socket.accept();
        if stop.load(Ordering::Acquire) {
            return;
        }
        match accepted {
            Ok((stream, _)) => {
                // Without this, answers would wait for the acknowledgement of earlier ones. A
                // connection that cannot be served is dropped, which closes it.
                let _ = stream.set_nodelay(true);
                let _ = start(shared, node, Stream::Tcp(stream));
            }
            // The process has no descriptors left, or the peer is gone again: no reason to spin.
            Err(_) => std::thread::sleep(std::time::Duration::from_millis(10)),
        }
    }
}

/// Serves a connection on a thread of its own.
pub(super) fn start(shared: &Arc<Shared>, node: i32, stream: Stream) -> io::Result<()> {
    let admitted = shared.admit(node, stream)?;
    let id = admitted.id;
    let serving = Arc::clone(shared);
    let thread = std::thread::Builder::new()
        .name(format!("fake-connection-{id}"))
        .spawn(move || {
            serve(&serving, node, id, admitted.stream, &admitted.gate);
            serving.forget(id);
        });
    match thread {
        Ok(thread) => {
            shared.keep(thread);
            Ok(())
        }
        Err(error) => {
            shared.forget(id);
            Err(error)
        }
    }
}
