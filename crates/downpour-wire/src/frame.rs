//! Frames on their way out and in: a gather list that shares batch bodies, the Produce request
//! built as one, and the splitting of a stream. Sockets and readiness are the shell's part.

mod gather;
mod produce;
mod reader;

pub use gather::Frame;
pub use produce::ProduceFrame;
pub use reader::{FRAME_MAX, FrameReader};

#[cfg(test)]
mod tests;
