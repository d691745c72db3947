//! Small programs whose instructions callgrind counts, one a process: `cargo xtask bench
//! --instructions` runs them. Nothing here measures time.
//!
//! Everything outside of `count::counted` is set-up and not counted.

mod batches;
mod count;
mod io;
mod send;
mod stalled;

use std::error::Error;

/// A program; it answers how many records were counted.
type Program = fn() -> Result<u64, Box<dyn Error>>;

/// All of them, as a list prints them.
const PROGRAMS: &[(&str, Program)] = &[
    ("append-wire", batches::append_wire),
    ("append-queue", batches::append_queue),
    ("seal-none", batches::seal_none),
    ("seal-lz4", batches::seal_lz4),
    ("seal-zstd", batches::seal_zstd),
    ("batch-drain", batches::drain),
    ("batch-answer", batches::answer),
    ("send", send::send),
    ("send-one", send::send_one),
    ("send-name", send::send_name),
    ("send-automatic", send::send_automatic),
    ("send-forget", send::send_forget),
    ("send-many", send::send_many),
    ("send-many-one", send::send_many_one),
    ("wait", send::wait),
    ("drop", send::drop_handles),
];

#[allow(
    clippy::print_stdout,
    reason = "what it prints is what it is asked for"
)]
fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<_> = std::env::args().skip(2).collect();
    let name = std::env::args().nth(1).unwrap_or_default();
    if name == io::NAME {
        println!("{}", io::io(&arguments)?);
        return Ok(());
    }
    if name == "list" {
        PROGRAMS.iter().for_each(|(name, _)| println!("{name}"));
        return Ok(());
    }
    let (_, program) = PROGRAMS
        .iter()
        .find(|(known, _)| *known == name)
        .ok_or_else(|| format!("no program `{name}`"))?;
    println!("{}", program()?);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_program_runs_and_counts_records() {
        for (name, program) in PROGRAMS {
            let records = program().unwrap_or_else(|error| panic!("{name}: {error}"));
            assert!(records > 0, "{name}");
        }
    }
}
