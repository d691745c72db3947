//! The peer as a child: what it says, and the line that lets it go on.

use std::error::Error;
use std::ffi::{OsStr, OsString};
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::{Map, Value};

/// Runs until it is dropped.
#[derive(Debug)]
pub(crate) struct Peer {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

/// A line of the peer's.
#[derive(Debug)]
pub(crate) enum Said {
    /// It waits for the clocks to be read.
    Mark,
    /// It is done.
    Result(Map<String, Value>),
}

impl Peer {
    pub(crate) fn start(
        program: &OsStr,
        arguments: impl Iterator<Item = OsString>,
    ) -> Result<Self, Box<dyn Error>> {
        let mut child = Command::new(program)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| format!("{}: {error}", Path::new(program).display()))?;
        let input = child.stdin.take().ok_or("the peer has no input")?;
        let output = child.stdout.take().ok_or("the peer has no output")?;
        Ok(Self {
            child,
            input,
            output: BufReader::new(output),
        })
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn listen(&mut self) -> Result<Said, Box<dyn Error>> {
        let mut line = String::new();
        if self.output.read_line(&mut line)? == 0 {
            let status = self.child.wait()?;
            return Err(format!("the peer ended without a result: {status}").into());
        }
        let line = line.trim();
        if line == "mark" {
            return Ok(Said::Mark);
        }
        match serde_json::from_str(line) {
            Ok(fields) => Ok(Said::Result(fields)),
            Err(_) => Err(format!("the peer printed `{line}`").into()),
        }
    }

    pub(crate) fn go_on(&mut self) -> io::Result<()> {
        self.input.write_all(b"\n")
    }

    pub(crate) fn end(&mut self) -> Result<(), Box<dyn Error>> {
        let status = self.child.wait()?;
        if status.success() {
            Ok(())
        } else {
            Err(format!("the peer ended badly: {status}").into())
        }
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        // It may have ended on its own.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
