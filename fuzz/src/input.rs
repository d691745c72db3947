//! The command's reader of lines.
#![allow(
    dead_code,
    unreachable_pub,
    reason = "these are modules of the command"
)]

#[path = "../../crates/downpour-cli/src/input/blocks.rs"]
pub(crate) mod blocks;
#[path = "../../crates/downpour-cli/src/input/fields.rs"]
mod fields;
#[path = "../../crates/downpour-cli/src/input/headers.rs"]
mod headers;
#[path = "../../crates/downpour-cli/src/input/line.rs"]
pub(crate) mod line;
#[path = "../../crates/downpour-cli/src/input/lines.rs"]
mod lines;
#[path = "../../crates/downpour-cli/src/input/ndjson.rs"]
mod ndjson;

use std::io::Read;

pub(crate) use lines::Cut;

/// Reads a line in one form or the other.
pub(crate) fn read<'a>(
    line: &'a [u8],
    cut: Option<&Cut>,
) -> Result<Option<line::Line<'a>>, line::BadLine> {
    match cut {
        Some(cut) => lines::parse(line, cut).map(Some),
        None => ndjson::parse(line),
    }
}

/// Cuts a stream into blocks.
pub(crate) fn blocks<R: Read>(input: R, line_max: usize) -> blocks::Blocks<R> {
    blocks::Blocks::new(input, 0, line_max)
}
