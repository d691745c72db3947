//! What people read on standard error: errors, failed records, warnings and the progress bar,
//! which must not tear each other. Results go to standard output and are not here.

use std::fmt;
use std::io::{self, IsTerminal, Write};
use std::time::Duration;

use indicatif::{HumanCount, ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};

use crate::ending::Refusal;

/// Standard error, shared by all threads. Cloning is cheap.
#[derive(Debug, Clone)]
pub(crate) struct Console {
    bar: ProgressBar,
    quiet: bool,
}

impl Console {
    pub(crate) fn new(quiet: bool) -> Self {
        Self {
            bar: ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden()),
            quiet,
        }
    }

    /// Shows progress from here on, if standard error is a terminal; `words`
    /// name what is counted.
    pub(crate) fn show_progress(&self, total: Option<u64>, words: &str) {
        if self.quiet || !io::stderr().is_terminal() {
            return;
        }
        let rest = match total {
            Some(total) => {
                self.bar.set_length(total);
                "{bar:30} {human_pos}/{human_len}"
            }
            None => "{spinner} {human_pos}",
        };
        let template = format!("{rest} {words}, {{rate}}, {{elapsed}}{{msg}}");
        if let Ok(style) = ProgressStyle::with_template(&template) {
            // The bar's own rate would show decimals.
            let rate = |state: &ProgressState, text: &mut dyn fmt::Write| {
                let _ = write!(text, "{}/s", HumanCount(state.per_sec() as u64));
            };
            self.bar.set_style(style.with_key("rate", rate));
        }
        self.bar
            .set_draw_target(ProgressDrawTarget::stderr_with_hz(10));
        self.bar.reset();
        self.bar.enable_steady_tick(Duration::from_millis(100));
    }

    /// Whether only results and errors were asked for.
    pub(crate) fn is_quiet(&self) -> bool {
        self.quiet
    }

    pub(crate) fn advance(&self, by: u64) {
        self.bar.inc(by);
    }

    pub(crate) fn failures(&self, failed: u64) {
        if failed > 0 && !self.bar.is_hidden() {
            self.bar.set_message(format!(", {failed} failed"));
        }
    }

    /// Takes the progress bar away.
    pub(crate) fn end_progress(&self) {
        self.bar.finish_and_clear();
    }

    /// Writes a line, also if only results and errors were asked for.
    pub(crate) fn line(&self, line: &str) {
        // Standard error is the last resort: if it is gone, nobody can be told.
        self.bar.suspend(|| {
            let _ = writeln!(io::stderr(), "{line}");
        });
    }

    /// Writes a line unless only results and errors were asked for.
    pub(crate) fn note(&self, line: &str) {
        if !self.quiet {
            self.line(line);
        }
    }

    /// Says why nothing was done.
    pub(crate) fn error(&self, refusal: &Refusal) {
        for reason in &refusal.0 {
            self.line(&format!("error: {reason}"));
        }
    }

    /// Writes bytes that are whole lines already.
    pub(crate) fn raw(&self, bytes: &[u8]) -> io::Result<()> {
        self.bar.suspend(|| io::stderr().write_all(bytes))
    }
}
