//! What people read on standard error: errors, failed records, warnings and the progress bar,
//! which must not tear each other. Results go to standard output and are not here.

use std::fmt;
use std::io::{self, IsTerminal, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use indicatif::{
    HumanCount, HumanDuration, ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle,
};

use crate::ending::Refusal;
use crate::patient::Patient;

/// Standard error, shared by all threads. Cloning is cheap.
#[derive(Debug, Clone)]
pub(crate) struct Console {
    bar: ProgressBar,
    quiet: bool,
    records: Arc<AtomicU64>,
    /// Whether the bar is about the input's bytes, not about records.
    by_input: Arc<AtomicBool>,
}

impl Console {
    pub(crate) fn new(quiet: bool) -> Self {
        Self {
            bar: ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden()),
            quiet,
            records: Arc::default(),
            by_input: Arc::default(),
        }
    }

    /// Shows how much of the input is done, and the time that is left.
    pub(crate) fn show_progress_of_input(&self, bytes: u64) {
        self.by_input.store(true, Ordering::Relaxed);
        self.show("{bar:30} {percent}% {records} records", Some(bytes));
    }

    /// Shows progress from here on, if standard error is a terminal; `words`
    /// name what is counted.
    pub(crate) fn show_progress(&self, total: Option<u64>, words: &str) {
        let start = match total {
            Some(_) => "{bar:30} {percent}% {human_pos}/{human_len}",
            None => "{spinner} {human_pos}",
        };
        self.show(&format!("{start} {words}"), total);
    }

    fn show(&self, start: &str, total: Option<u64>) {
        if self.quiet || !io::stderr().is_terminal() {
            return;
        }
        if let Some(total) = total {
            self.bar.set_length(total);
        }
        let template = format!("{start}, {{rate}}, {{elapsed}}{{left}}{{msg}}");
        if let Ok(style) = ProgressStyle::with_template(&template) {
            let counted = self.records.clone();
            let records = move |_: &ProgressState, text: &mut dyn fmt::Write| {
                let _ = write!(text, "{}", HumanCount(counted.load(Ordering::Relaxed)));
            };
            // The bar's own rate would show decimals, and perhaps bytes.
            let counted = self.records.clone();
            let rate = move |state: &ProgressState, text: &mut dyn fmt::Write| {
                let seconds = state.elapsed().as_secs_f64().max(1e-3);
                let rate = counted.load(Ordering::Relaxed) as f64 / seconds;
                let _ = write!(text, "{}/s", HumanCount(rate as u64));
            };
            // Before anything is done nobody can say.
            let left = |state: &ProgressState, text: &mut dyn fmt::Write| {
                if state.pos() > 0 && state.len().is_some_and(|len| state.pos() < len) {
                    let _ = write!(text, ", {:#} left", HumanDuration(state.eta()));
                }
            };
            let style = style.with_key("records", records);
            self.bar
                .set_style(style.with_key("rate", rate).with_key("left", left));
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

    /// So many records more are done.
    pub(crate) fn advance(&self, by: u64) {
        self.records.fetch_add(by, Ordering::Relaxed);
        if !self.by_input.load(Ordering::Relaxed) {
            self.bar.inc(by);
        }
    }

    /// So many bytes of the input more are done.
    pub(crate) fn advance_input(&self, bytes: u64) {
        if self.by_input.load(Ordering::Relaxed) {
            self.bar.inc(bytes);
        }
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
            let _ = Patient(io::stderr()).write_all(format!("{line}\n").as_bytes());
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
        self.bar.suspend(|| Patient(io::stderr()).write_all(bytes))
    }
}
