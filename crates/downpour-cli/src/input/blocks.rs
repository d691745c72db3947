//! Input in blocks of whole lines. A block has what is there, up to a bound: so the lone record of a
//! pipe leaves at once, and a file is read in large pieces.

use std::io::{self, Read};

/// How many bytes one read asks for.
const BLOCK: usize = 64 * 1024;
/// What some editors and spreadsheets begin a file with; it is no part of the text.
const MARK: &[u8] = "\u{feff}".as_bytes();

/// Some whole lines of one source.
#[derive(Debug)]
pub(crate) struct Block {
    /// Which source, in the order of the command line.
    pub(crate) source: usize,
    /// Number of its first line; the first of a source is 1.
    pub(crate) first_line: u64,
    bytes: Vec<u8>,
    /// How much of the source it was.
    pub(crate) size: u64,
}

impl Block {
    /// The lines with their numbers; each but a source's last ends in a line feed.
    pub(crate) fn lines(&self) -> impl Iterator<Item = (u64, &[u8])> {
        (self.first_line..).zip(self.bytes.split_inclusive(|&byte| byte == b'\n'))
    }
}

/// Why a source cannot be read on.
#[derive(Debug)]
pub(crate) struct ReadError {
    /// Which one, in the order of the command line.
    pub(crate) source: usize,
    /// The line that cannot be read.
    pub(crate) line: u64,
    /// What is wrong and what to do.
    pub(crate) reason: String,
}

/// Cuts one source into blocks.
#[derive(Debug)]
pub(crate) struct Blocks<R> {
    input: R,
    source: usize,
    piece: Box<[u8]>,
    /// The start of a line whose end has not been read.
    carry: Vec<u8>,
    next_line: u64,
    line_max: usize,
    ended: bool,
}

impl<R: Read> Blocks<R> {
    /// A line longer than `line_max` is refused.
    pub(super) fn new(input: R, source: usize, line_max: usize) -> Self {
        Self {
            input,
            source,
            piece: vec![0; BLOCK].into(),
            carry: Vec::new(),
            next_line: 1,
            line_max,
            ended: false,
        }
    }

    /// The next lines, waiting for at least one; `None` at the end.
    pub(crate) fn next_block(&mut self) -> Result<Option<Block>, ReadError> {
        while !self.ended {
            let before = self.carry.len();
            if before > self.line_max {
                return Err(self.error(format!(
                    "longer than {} bytes; is it text with line feeds? Where records are that \
                     large, -X max.request.size=BYTES raises the limit",
                    self.line_max
                )));
            }
            let read = self.input.read(&mut self.piece);
            let got = *read.as_ref().unwrap_or(&0);
            self.carry.extend_from_slice(&self.piece[..got]);
            match read {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(self.error(format!("cannot be read: {error}"))),
                Ok(0) => {
                    self.ended = true;
                    let rest = std::mem::take(&mut self.carry);
                    return Ok((!rest.is_empty()).then(|| self.block(rest)));
                }
                Ok(_) => {
                    let end = self.carry[before..].iter().rposition(|&byte| byte == b'\n');
                    if let Some(end) = end {
                        let rest = self.carry.split_off(before + end + 1);
                        let lines = std::mem::replace(&mut self.carry, rest);
                        return Ok(Some(self.block(lines)));
                    }
                }
            }
        }
        Ok(None)
    }

    fn block(&mut self, mut bytes: Vec<u8>) -> Block {
        let size = bytes.len() as u64;
        if self.next_line == 1 && bytes.starts_with(MARK) {
            bytes.drain(..MARK.len());
        }
        let block = Block {
            size,
            source: self.source,
            first_line: self.next_line,
            bytes,
        };
        self.next_line += block.lines().count() as u64;
        block
    }

    fn error(&mut self, reason: String) -> ReadError {
        self.ended = true;
        ReadError {
            source: self.source,
            line: self.next_line,
            reason,
        }
    }
}
