//! What callers own beside the queues: memory credit, a batch's verdicts, the choice of a
//! partition. Plain state machines that neither the queues nor the engine use.

pub mod budget;
pub mod completion;
pub mod partitioner;
pub mod waiters;
