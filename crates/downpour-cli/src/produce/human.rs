//! Results for people: failures on standard error as they come, offsets by partition at the end.

use std::io::{self, BufWriter, Write};

use downpour::{DeliveryError, Report, Written};
use indicatif::HumanCount;

use super::entry::InputLine;
use super::report::{Sink, Summary};
use crate::console::Console;
use crate::patient;

/// Consecutive lines of one source that failed alike are one line of output.
#[derive(Debug)]
struct Run {
    source: usize,
    first: u64,
    last: u64,
    text: String,
}

#[derive(Debug)]
pub(super) struct Human {
    console: Console,
    names: Vec<String>,
    /// Whether a program reads the summary, so that nothing but failures is written here.
    failures_only: bool,
    quiet: bool,
    open: Option<Run>,
}

impl Human {
    pub(super) fn new(console: Console, names: Vec<String>, quiet: bool) -> Self {
        Self {
            console,
            names,
            failures_only: false,
            quiet,
            open: None,
        }
    }

    /// The same without an end: failures only.
    pub(super) fn failures_only(mut self) -> Self {
        self.failures_only = true;
        self
    }

    fn note(&mut self, at: InputLine, text: String) {
        if let Some(run) = &mut self.open {
            if run.source == at.source && run.last + 1 == at.line && run.text == text {
                run.last = at.line;
                return;
            }
        }
        self.close();
        let InputLine { source, line } = at;
        self.open = Some(Run {
            source,
            first: line,
            last: line,
            text,
        });
    }

    fn close(&mut self) {
        if let Some(Run {
            source,
            first,
            last,
            text,
        }) = self.open.take()
        {
            let name = self.name(source);
            let lines = if first == last {
                format!("{first}")
            } else {
                format!("{first}-{last}")
            };
            self.console.line(&format!("{name}:{lines}: {text}"));
        }
    }

    fn name(&self, source: usize) -> &str {
        self.names.get(source).map_or("?", String::as_str)
    }
}

impl Sink for Human {
    fn delivered(&mut self, _: InputLine, _: &Report) -> io::Result<()> {
        Ok(())
    }

    fn failed(&mut self, at: InputLine, error: &DeliveryError) -> io::Result<()> {
        let text = match error.written() {
            // The library's words begin with the same verdict.
            Written::No | Written::Unknown => error.to_string(),
            _ => format!("not acknowledged: {error}"),
        };
        self.note(at, text);
        Ok(())
    }

    fn refused(&mut self, at: InputLine, reason: &str) -> io::Result<()> {
        self.note(at, format!("not sent: {reason}"));
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.close();
        Ok(())
    }

    fn summary(&mut self, summary: &Summary<'_>) -> io::Result<()> {
        self.close();
        if let Some(halt) = summary.halt {
            let at = match halt.at {
                Some(at) => {
                    let name = self.name(at.source);
                    format!(
                        " before line {} of {name}; from there on nothing was sent",
                        at.line
                    )
                }
                None => String::new(),
            };
            self.console.line(&format!("stopped{at}: {}", halt.reason));
            for source in &halt.untouched {
                self.console.line(&format!(
                    "{}: not read, nothing was sent",
                    self.name(*source)
                ));
            }
        }
        let tally = summary.tally;
        for (count, what) in [
            (
                tally.not_written,
                "not written: they are not in the log and may be sent again",
            ),
            (
                tally.unknown,
                "maybe written: nobody can say, and sent again they may be twice",
            ),
            (tally.refused, "not sent: they were refused"),
        ] {
            if count > 0 {
                self.console.line(&format!("{} {what}", records(count)));
            }
        }
        if self.failures_only || self.quiet {
            return Ok(());
        }
        let mut output = BufWriter::new(patient::output());
        for (partition, tally) in &tally.partitions {
            write!(
                output,
                "{}[{partition}]: {}",
                summary.topic,
                records(tally.records)
            )?;
            match tally.offsets {
                Some((low, high)) if low == high => writeln!(output, ", offset {low}")?,
                Some((low, high)) => writeln!(output, ", offsets {low} to {high}")?,
                None => writeln!(output, ", no offsets were told")?,
            }
        }
        writeln!(
            output,
            "{} acknowledged in {:.2} s ({}/s)",
            records(tally.acknowledged),
            summary.elapsed.as_secs_f64(),
            HumanCount(summary.rate() as u64),
        )?;
        output.flush()
    }
}

pub(super) fn records(count: u64) -> String {
    let noun = if count == 1 { "record" } else { "records" };
    format!("{} {noun}", HumanCount(count))
}
