//! Reads files before anything is sent, so that a broken line is found while it costs nothing.

use super::sources::Source;
use super::template::Template;
use crate::ending::Refusal;

/// How many problems are named at most.
const NAMED: usize = 10;

/// What the input asks of the topic.
#[derive(Debug, Default)]
pub(crate) struct Needs {
    /// The highest partition that a record names, and where.
    pub(crate) partition: Option<(i32, String)>,
}

/// Reads every source that can be read twice.
pub(crate) fn check(sources: &[Source], template: &Template) -> Result<Needs, Refusal> {
    let mut needs = Needs::default();
    let mut problems = Vec::new();
    let mut unnamed = 0_u64;
    let mut problem = |text: String| {
        if problems.len() < NAMED {
            problems.push(text);
        } else {
            unnamed += 1;
        }
    };
    for (index, source) in sources.iter().enumerate() {
        let Some(mut blocks) = source.read_ahead(index) else {
            continue;
        };
        loop {
            let block = match blocks.next_block() {
                Ok(Some(block)) => block,
                Ok(None) => break,
                Err(error) => {
                    problem(format!("{}:{}: {}", source.name, error.line, error.reason));
                    break;
                }
            };
            for (number, line) in block.lines() {
                let place = || format!("{}:{number}", source.name);
                match template.read(source.format, line) {
                    Ok(line) => {
                        let named = line.and_then(|line| line.partition);
                        let highest = needs.partition.as_ref().map_or(-1, |(highest, _)| *highest);
                        if let Some(named) = named.filter(|named| *named > highest) {
                            needs.partition = Some((named, place()));
                        }
                    }
                    Err(bad) => problem(format!("{}: {bad}", place())),
                }
            }
        }
        if let Err(error) = source.rewind() {
            problem(format!("{}: cannot be read again: {error}", source.name));
        }
    }
    if problems.is_empty() {
        return Ok(needs);
    }
    if unnamed > 0 {
        problems.push(format!("and {unnamed} more"));
    }
    problems.push("nothing was sent; --keep-going skips broken lines".into());
    Err(Refusal(problems))
}
