//! Frames on their way out and in: a gather list that shares batch bodies, the Produce request
//! built as one, and the splitting of a stream. Sockets and readiness are the shell's part.

#[expect(
    clippy::module_inception,
    reason = "a file has the name of what it holds, and this one holds the frame"
)]
mod frame;
mod produce;
mod reader;

pub use frame::Frame;
pub use produce::ProduceFrame;
pub use reader::{FRAME_MAX, FrameReader};

#[cfg(test)]
mod tests;
