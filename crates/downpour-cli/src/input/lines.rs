//! A line as a value, or as a key, a separator and a value.

use super::line::{BadLine, Line};

/// How lines are cut.
#[derive(Debug, Clone, Default)]
pub(crate) struct Cut {
    /// Between key and value.
    pub(crate) separator: Option<String>,
    /// Whether nothing after the separator is a tombstone.
    pub(crate) tombstones: bool,
}

/// Reads a line without its end.
pub(super) fn parse<'a>(line: &'a [u8], cut: &Cut) -> Result<Line<'a>, BadLine> {
    let Some(separator) = &cut.separator else {
        return Ok(Line {
            value: Some(line.into()),
            ..Line::default()
        });
    };
    let Some(at) = find(line, separator.as_bytes()) else {
        return Err(BadLine::new(
            "key",
            format!("is missing: there is no {separator:?} in the line"),
            "put it between key and value, or leave --key-separator out",
        ));
    };
    let (key, value) = (&line[..at], &line[at + separator.len()..]);
    let is_tombstone = cut.tombstones && value.is_empty();
    Ok(Line {
        key: Some(key.into()),
        value: (!is_tombstone).then(|| value.into()),
        ..Line::default()
    })
}

fn find(line: &[u8], separator: &[u8]) -> Option<usize> {
    match separator {
        [byte] => line.iter().position(|b| b == byte),
        _ => line
            .windows(separator.len())
            .position(|window| window == separator),
    }
}
