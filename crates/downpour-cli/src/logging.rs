//! The library's `tracing` lines on standard error. Which lines there are is the library's.

use std::io::{self, Write};

use tracing::level_filters::LevelFilter;
use tracing_subscriber::fmt::MakeWriter;

use crate::console::Console;

/// Sends log lines to the console from here on.
pub(crate) fn start(verbose: u8, quiet: bool, console: &Console) {
    let level = match (quiet, verbose) {
        (true, _) => LevelFilter::ERROR,
        (false, 0) => LevelFilter::WARN,
        (false, 1) => LevelFilter::INFO,
        (false, _) => LevelFilter::DEBUG,
    };
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(level)
        .with_ansi(false)
        .with_target(false)
        .without_time()
        .with_writer(Lines(console.clone()))
        .finish();
    // It fails only if there is a subscriber already, but the process has just begun.
    let _ = tracing::subscriber::set_global_default(subscriber);
}

/// Hands whole events to the console.
struct Lines(Console);

impl<'a> MakeWriter<'a> for Lines {
    type Writer = Line<'a>;

    fn make_writer(&'a self) -> Line<'a> {
        Line(&self.0)
    }
}

/// The writer of one event, which comes in one piece.
struct Line<'a>(&'a Console);

impl Write for Line<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.raw(bytes)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
