//! Where input comes from: files and standard input, all opened before anything is sent.

use std::fs::File;
use std::io::{self, Read, Seek};
use std::path::{Path, PathBuf};

use super::blocks::Blocks;
use crate::args::{InputArgs, InputFormat};
use crate::ending::Refusal;
use crate::patient::Patient;

/// The longest line is this at least, so that most garbage is told by what it is.
pub(super) const LINE_MAX_LEAST: usize = 16 * 1024 * 1024;
/// What a line has beside the record's own bytes: a separator, names of fields.
const LINE_REST: usize = 64 * 1024;
/// JSON may write a byte with six: `\u0041`.
const ESCAPED: usize = 6;

#[derive(Debug)]
pub(crate) struct Source {
    /// What it is called in messages.
    pub(crate) name: String,
    pub(crate) format: InputFormat,
    input: Input,
    line_max: usize,
}

#[derive(Debug)]
enum Input {
    Stdin,
    /// A file, which may be read twice.
    Regular(File),
    /// A pipe with a name, or a device.
    Once(File),
}

/// The longest line: any that a record of the largest size can make.
fn line_max(format: InputFormat, record_max: usize) -> usize {
    let times = match format {
        InputFormat::Lines => 1,
        InputFormat::Ndjson => ESCAPED,
    };
    let line = record_max.saturating_mul(times).saturating_add(LINE_REST);
    line.max(LINE_MAX_LEAST)
}

/// Opens everything that the command line names, for records of at most `record_max` bytes.
pub(crate) fn open(
    files: &[PathBuf],
    args: &InputArgs,
    record_max: usize,
) -> Result<Vec<Source>, Refusal> {
    let source = |name: String, format: InputFormat, input: Input| Source {
        name,
        format,
        input,
        line_max: line_max(format, record_max),
    };
    let stdin = || {
        let format = args.format.unwrap_or(InputFormat::Lines);
        source("stdin".into(), format, Input::Stdin)
    };
    if files.is_empty() {
        return Ok(vec![stdin()]);
    }
    let mut sources = Vec::new();
    let mut problems = Vec::new();
    for path in files {
        if path.as_os_str() == "-" {
            sources.push(stdin());
            continue;
        }
        match file(path) {
            Ok(input) => {
                let format = args.format.unwrap_or_else(|| by_name(path));
                sources.push(source(path.display().to_string(), format, input));
            }
            Err(why) => problems.push(format!("{}: {why}", path.display())),
        }
    }
    if sources
        .iter()
        .filter(|source| matches!(source.input, Input::Stdin))
        .count()
        > 1
    {
        problems.push("standard input (-) is named twice; it can be read once".into());
    }
    if args.key_separator.is_some()
        && sources
            .iter()
            .all(|source| source.format == InputFormat::Ndjson)
    {
        problems.push(
            "--key-separator cuts lines, and all of the input is ndjson; say --format lines, or \
             put the key into the objects"
                .into(),
        );
    }
    if problems.is_empty() {
        Ok(sources)
    } else {
        Err(Refusal(problems))
    }
}

fn file(path: &Path) -> Result<Input, String> {
    let file = File::open(path).map_err(|error| format!("cannot be opened: {error}"))?;
    let kind = file
        .metadata()
        .map_err(|error| format!("cannot be read: {error}"))?;
    if kind.is_dir() {
        return Err("is a directory; name the files in it".into());
    }
    Ok(if kind.is_file() {
        Input::Regular(file)
    } else {
        Input::Once(file)
    })
}

fn by_name(path: &Path) -> InputFormat {
    let ending = path.extension().unwrap_or_default().to_ascii_lowercase();
    match ending.to_str() {
        Some("ndjson" | "jsonl" | "json") => InputFormat::Ndjson,
        _ => InputFormat::Lines,
    }
}

impl Source {
    pub(crate) fn is_stdin(&self) -> bool {
        matches!(self.input, Input::Stdin)
    }

    /// How long it is, if that is known before it is read.
    pub(crate) fn size(&self) -> Option<u64> {
        match &self.input {
            Input::Regular(file) => file.metadata().ok().map(|file| file.len()),
            Input::Stdin | Input::Once(_) => None,
        }
    }

    /// Reads it once without using it up, if it can be read again.
    pub(super) fn read_ahead(&self, index: usize) -> Option<Blocks<&File>> {
        match &self.input {
            Input::Regular(file) => Some(Blocks::new(file, index, self.line_max)),
            Input::Stdin | Input::Once(_) => None,
        }
    }

    /// Back to the start after the check.
    pub(super) fn rewind(&self) -> io::Result<()> {
        match &self.input {
            Input::Regular(file) => {
                let mut file = file;
                file.rewind()
            }
            Input::Stdin | Input::Once(_) => Ok(()),
        }
    }

    pub(crate) fn into_blocks(self, index: usize) -> Blocks<Box<dyn Read + Send>> {
        let input: Box<dyn Read + Send> = match self.input {
            Input::Stdin => Box::new(Patient(io::stdin())),
            Input::Regular(file) | Input::Once(file) => Box::new(Patient(file)),
        };
        Blocks::new(input, index, self.line_max)
    }
}
