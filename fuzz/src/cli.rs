//! Lines as the command reads them: blocks of whole lines out of any stream, and records out of lines,
//! as text with a separator or as JSON. Nothing panics, no byte is lost, and what one line says does not
//! depend on how the stream was cut.

use std::io::{self, Read};

use crate::args;
use crate::input;
use crate::script::Script;

/// A stream that gives few bytes at a time, and is interrupted.
struct Trickle<'a> {
    left: &'a [u8],
    step: usize,
    is_interrupted: bool,
}

impl Read for Trickle<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        self.is_interrupted = !self.is_interrupted;
        if self.is_interrupted && self.step % 2 == 1 {
            return Err(io::ErrorKind::Interrupted.into());
        }
        let count = self.step.min(self.left.len()).min(out.len());
        let (now, left) = self.left.split_at(count);
        out[..count].copy_from_slice(now);
        self.left = left;
        Ok(count)
    }
}

/// Reads the bytes as input.
pub fn run(bytes: &[u8]) {
    let mut script = Script::new(bytes);
    let step = 1 + usize::from(script.byte());
    let form = script.byte();
    let cut = (form & 1 == 1).then(|| input::Cut {
        separator: (form & 2 != 0)
            .then(|| ["\t", ":", "::", "=>"][usize::from(form >> 3 & 3)].into()),
        tombstones: form & 4 != 0,
    });
    let stream = script.rest();
    let slow = lines(stream, step);
    assert_eq!(slow, lines(stream, usize::MAX), "by {step}");
    let joined: Vec<u8> = slow.concat();
    let text = stream.strip_prefix("\u{feff}".as_bytes()).unwrap_or(stream);
    assert!(
        joined == text || stream.starts_with(b"\xef"),
        "bytes are lost"
    );
    for line in &slow {
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        match input::read(line, cut.as_ref()) {
            Ok(Some(read)) => check(line, &read, cut.as_ref()),
            Ok(None) => assert!(line.trim_ascii().is_empty()),
            Err(bad) => assert!(!bad.to_string().is_empty()),
        }
    }
}

fn lines(stream: &[u8], step: usize) -> Vec<Vec<u8>> {
    let mut blocks = input::blocks(
        Trickle {
            left: stream,
            step,
            is_interrupted: false,
        },
        1 << 20,
    );
    let mut lines = Vec::new();
    let mut size = 0;
    while let Some(block) = blocks.next_block().expect("short lines") {
        size += block.size;
        for (number, line) in block.lines() {
            lines.push(line.to_vec());
            assert_eq!(number, lines.len() as u64);
        }
    }
    assert_eq!(size, stream.len() as u64);
    lines
}

fn check(line: &[u8], read: &input::line::Line<'_>, cut: Option<&input::Cut>) {
    let Some(cut) = cut else {
        assert!(read.partition.is_none_or(|partition| partition >= 0));
        assert!(
            read.timestamp
                .is_none_or(|at| (0..=args::values::TIMESTAMP_MAX).contains(&at))
        );
        return;
    };
    let (key, value) = (read.key.as_deref(), read.value.as_deref());
    let separator = cut.separator.as_deref().unwrap_or_default();
    let whole = [
        key.unwrap_or_default(),
        separator.as_bytes(),
        value.unwrap_or_default(),
    ];
    assert_eq!(whole.concat(), line);
    assert!(value.is_some() || cut.tombstones);
}

/// Inputs to begin with.
pub fn seeds() -> Vec<Vec<u8>> {
    let texts: [&[u8]; 6] = [
        b"{\"key\":\"k\",\"value\":\"v\",\"headers\":{\"a\":\"b\",\"a\":null},\"partition\":3}\n\n{\"value\":null,\"key_base64\":\"aGk=\"}\r\n",
        b"{\"value\":[1,2],\"headers\":[[\"n\",\"t\"],[\"n\",null]],\"timestamp\":1700000000000,\"partition_key\":\"p\"}",
        b"{\"value\":\"\\u00e9\\ud83c\\udf27\",\"value_base64\":\"=\"}\n{",
        b"k\tv\n\xef\xbb\xbfk::v\nk=>\n:\r\n\tv",
        b"\xef\xbb\xbfa:b\nc:\n",
        b"\xff\xfe{\0",
    ];
    let mut seeds = Vec::new();
    for text in texts {
        for form in 0..16 {
            seeds.push([&[3, form], text].concat());
        }
    }
    seeds
}
