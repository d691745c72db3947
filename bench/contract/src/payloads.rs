//! The values that are sent: slices of a file that all peers share, so that all languages send
//! the same bytes. Who makes the file is not known here.

use std::io;
use std::path::Path;
use std::sync::Arc;

/// Values of one size, handed out in turn.
#[derive(Debug)]
pub struct Payloads {
    bytes: Arc<[u8]>,
    size: usize,
    at: usize,
    scratch: Vec<u8>,
    many: Vec<u8>,
}

impl Payloads {
    /// Reads a file of values of `size` bytes each.
    ///
    /// # Errors
    /// If it cannot be read, or is no whole number of values.
    pub fn read(path: &Path, size: usize) -> io::Result<Self> {
        let bytes = std::fs::read(path)?;
        if size == 0 || bytes.is_empty() || bytes.len() % size != 0 {
            return Err(io::Error::other("the payload file holds no whole values"));
        }
        Ok(Self::of(bytes, size))
    }

    pub(crate) fn of(bytes: impl Into<Arc<[u8]>>, size: usize) -> Self {
        Self {
            bytes: bytes.into(),
            size,
            at: 0,
            scratch: vec![0; size],
            many: Vec::new(),
        }
    }

    /// The same values for another thread or task, each of which begins elsewhere.
    #[must_use]
    pub fn another(&self, index: usize) -> Self {
        let values = self.bytes.len() / self.size;
        Self {
            at: index % values * self.size,
            ..Self::of(Arc::clone(&self.bytes), self.size)
        }
    }

    /// The next value, written once, as a program writes its own: for producers that copy.
    pub fn borrowed(&mut self) -> &[u8] {
        let at = self.advance();
        self.scratch
            .copy_from_slice(&self.bytes[at..at + self.size]);
        &self.scratch
    }

    /// The next values, each written once, side by side: for producers that copy many at once.
    pub fn borrowed_many(&mut self, count: usize) -> impl Iterator<Item = &[u8]> {
        self.many.clear();
        for _ in 0..count {
            let at = self.advance();
            self.many.extend_from_slice(&self.bytes[at..at + self.size]);
        }
        self.many.chunks_exact(self.size)
    }

    /// The next value in memory of its own: for producers that take it.
    pub fn owned(&mut self) -> Vec<u8> {
        let at = self.advance();
        self.bytes[at..at + self.size].to_vec()
    }

    fn advance(&mut self) -> usize {
        let at = self.at;
        let next = at + self.size;
        self.at = if next == self.bytes.len() { 0 } else { next };
        at
    }
}
