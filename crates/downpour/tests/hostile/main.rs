//! Brokers that say what no broker should say, to a whole producer: what it holds, and whether it goes
//! on. A test binary of its own, since its allocator counts. The engine alone, at every number of
//! every answer, is tried in core.

mod counting;
#[cfg(test)]
mod memory;
#[cfg(test)]
mod numbers;
#[cfg(test)]
mod scripted;
