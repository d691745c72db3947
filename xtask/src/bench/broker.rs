//! The null broker as a child: commands go to its input, one line each.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::Value;

/// Runs until it is dropped.
#[derive(Debug)]
pub(crate) struct Broker {
    child: Child,
    commands: ChildStdin,
    answers: BufReader<ChildStdout>,
    port: u64,
}

impl Broker {
    pub(crate) fn start(program: &Path) -> Result<Self, String> {
        let mut child = Command::new(program)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| format!("{}: {error}", program.display()))?;
        let commands = child.stdin.take().ok_or("the broker has no input")?;
        let answers = child.stdout.take().ok_or("the broker has no output")?;
        let mut broker = Self {
            child,
            commands,
            answers: BufReader::new(answers),
            port: 0,
        };
        broker.port = broker.answer()?["port"]
            .as_u64()
            .ok_or("the broker has no port")?;
        Ok(broker)
    }

    pub(crate) fn bootstrap(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Forgets all and takes these delays.
    pub(crate) fn prepare(&mut self, network_us: u64, service_us: u64) -> Result<(), String> {
        self.ask(&format!("delay {network_us} {service_us}"))?;
        self.ask("reset").map(drop)
    }

    /// What it counted.
    pub(crate) fn statistics(&mut self) -> Result<Value, String> {
        self.ask("stats")
    }

    fn ask(&mut self, command: &str) -> Result<Value, String> {
        writeln!(self.commands, "{command}").map_err(|error| format!("the broker: {error}"))?;
        self.answer()
    }

    fn answer(&mut self) -> Result<Value, String> {
        let mut line = String::new();
        self.answers
            .read_line(&mut line)
            .map_err(|error| format!("the broker: {error}"))?;
        serde_json::from_str(&line).map_err(|_| format!("the broker said `{}`", line.trim()))
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        // It may have ended on its own.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
