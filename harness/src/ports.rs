//! Free ports on loopback for brokers that come back on the port they had.

use std::net::{Ipv4Addr, TcpListener};
use std::sync::atomic::{AtomicU16, Ordering};

use crate::error::Error;

/// Ports are taken from here on. They lie below the range from which Linux takes the ports of
/// outgoing connections: in there, a client that tries to reach a killed broker may get the
/// broker's own port and talk to itself.
const FIRST: u16 = 20_000;

/// How many ports are tried.
const COUNT: u16 = 10_000;

/// How many ports this process has tried, so that its next search goes on behind them.
static NEXT: AtomicU16 = AtomicU16::new(0);

/// Finds ports that nobody listens on.
pub(crate) fn free(count: usize) -> Result<Vec<u16>, Error> {
    // Processes that start at once search in different places.
    let spread = (std::process::id() % u32::from(COUNT)) as u16;
    let mut ports = Vec::with_capacity(count);
    for _ in 0..COUNT {
        if ports.len() == count {
            return Ok(ports);
        }
        let step = NEXT.fetch_add(1, Ordering::Relaxed) % COUNT;
        let offset = (u32::from(spread) * 37 + u32::from(step)) % u32::from(COUNT);
        let port = FIRST + offset as u16;
        if is_free(port) {
            ports.push(port);
        }
    }
    Err(Error::new(format!("no {count} free ports from {FIRST} on")))
}

/// Whether nobody listens there.
pub(crate) fn is_free(port: u16) -> bool {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_is_given_once_and_never_a_taken_one() {
        let first = free(3).unwrap();
        let _taken = TcpListener::bind((Ipv4Addr::LOCALHOST, first[0])).unwrap();
        let second = free(3).unwrap();
        assert!(
            first.iter().all(|port| !second.contains(port)),
            "{first:?} {second:?}"
        );
    }
}
