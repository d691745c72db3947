//! Where input comes from: files and standard input, all opened before anything is sent.

use std::fs::File;
use std::io::{self, Read, Seek};
use std::path::Path;

use super::blocks::Blocks;
use crate::args::{InputFormat, ProduceArgs};
use crate::ending::Refusal;

#[derive(Debug)]
pub(crate) struct Source {
    /// What it is called in messages.
    pub(crate) name: String,
    pub(crate) format: InputFormat,
    input: Input,
}

#[derive(Debug)]
enum Input {
    Stdin,
    /// A file, which may be read twice.
    Regular(File),
    /// A pipe with a name, or a device.
    Once(File),
}

/// Opens everything that the command line names.
pub(crate) fn open(args: &ProduceArgs) -> Result<Vec<Source>, Refusal> {
    let stdin = || Source {
        name: "stdin".into(),
        format: args.input.format.unwrap_or(InputFormat::Lines),
        input: Input::Stdin,
    };
    if args.files.is_empty() {
        return Ok(vec![stdin()]);
    }
    let mut sources = Vec::new();
    let mut problems = Vec::new();
    for path in &args.files {
        if path.as_os_str() == "-" {
            sources.push(stdin());
            continue;
        }
        match file(path) {
            Ok(input) => sources.push(Source {
                name: path.display().to_string(),
                format: args.input.format.unwrap_or_else(|| by_name(path)),
                input,
            }),
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
    if args.input.key_separator.is_some()
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

    /// Reads it once without using it up, if it can be read again.
    pub(super) fn read_ahead(&self, index: usize) -> Option<Blocks<&File>> {
        match &self.input {
            Input::Regular(file) => Some(Blocks::new(file, index)),
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
            Input::Stdin => Box::new(io::stdin()),
            Input::Regular(file) | Input::Once(file) => Box::new(file),
        };
        Blocks::new(input, index)
    }
}
