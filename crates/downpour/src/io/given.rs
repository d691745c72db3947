//! What a driver is given, so that the simulator can give it something else. Time is told by the
//! producer's `sys::clock`.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use downpour_core::config::Address;

use crate::io::connect;
use crate::io::pool::{Pool, ThreadPool};
use crate::io::sockets::Sockets;
use crate::sys::random::random_seed;

/// Finds the addresses of a host's name. Blocks, so it is called on the pool.
pub(crate) type Resolve = Arc<dyn Fn(&Address) -> io::Result<Vec<SocketAddr>> + Send + Sync>;

/// What a driver is given.
pub(crate) struct Given<S: Sockets> {
    pub(super) sockets: S,
    pub(super) pool: Arc<dyn Pool>,
    pub(super) resolve: Resolve,
    /// Of the engine's random numbers.
    pub(super) seed: u64,
}

impl<S: Sockets> Given<S> {
    #[cfg(feature = "simulation")]
    pub(crate) fn new(sockets: S, pool: Arc<dyn Pool>, resolve: Resolve, seed: u64) -> Self {
        Self {
            sockets,
            pool,
            resolve,
            seed,
        }
    }

    /// All but the sockets from the system.
    pub(super) fn of_system(sockets: S) -> Self {
        Self {
            sockets,
            pool: Arc::new(ThreadPool::new()),
            resolve: Arc::new(connect::resolve),
            seed: random_seed(),
        }
    }
}
