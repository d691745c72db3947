//! How the shell lends the engine its queues.

use crate::ids::PartitionId;
use crate::queue::Queue;

/// Lends the partitions' queues; the shell locks one at a time.
pub trait Queues<T> {
    /// Runs `f` on a queue; `None` if there is no such queue. The lock is held for `f` alone:
    /// never for two queues, never across I/O.
    fn with<R>(&mut self, partition: PartitionId, f: impl FnOnce(&mut Queue<T>) -> R) -> Option<R>;
}
