//! `cargo xtask bench --instructions`: counts instructions of the caller's path under callgrind
//! and compares them with `bench/instructions.json`. What is counted are the programs of
//! `bench/micro`; nothing here measures time. How the I/O thread is counted is in `io_thread`.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use crate::build;
use crate::cargo;
use crate::io_thread;

const PACKAGE: &str = "bench-micro";
/// The function of that package whose inside is counted; the star is for its type arguments.
const COUNTED: &str = "bench_micro::count::counted*";
/// Growth in percent that is a failure. Repeated runs differ by less than a quarter of it.
const TOLERANCE: f64 = 2.0;
/// The same for the I/O thread, which does not always wake up equally often.
const TOLERANCE_IO: f64 = 3.0;
const ACCEPT: &str = "cargo xtask bench --instructions --accept";

/// Instructions per record by program.
type Counts = BTreeMap<String, f64>;

/// Counts and compares; false if a program grew. With `accepts` the file is written instead.
/// `before` is a program of another state of the code, whose counts are only printed.
pub(crate) fn run(root: &Path, accepts: bool, before: Option<&Path>) -> Result<bool, String> {
    let valgrind = version("valgrind").ok_or(
        "`valgrind` is needed to count instructions and does not run here; it is in the package \
         `valgrind` (Debian: apt-get install valgrind)",
    )?;
    let with = json!({
        "machine": std::env::consts::ARCH,
        "rustc": version("rustc").unwrap_or_default(),
        "valgrind": valgrind,
    });
    let bench = root.join("bench");
    let target = build::target(&bench)?;
    let program = cargo::package(&bench, &target, PACKAGE)?;
    let broker = cargo::package(&bench, &target, build::BROKER)?;
    let dir = root.join("target").join("bench");
    fs::create_dir_all(&dir).map_err(|error| format!("{}: {error}", dir.display()))?;
    let mut counts = Counts::new();
    let names = said(Command::new(&program).arg("list"))?;
    for name in names.lines() {
        eprintln!("{name}");
        counts.insert(name.to_owned(), count(&program, name, &dir)?);
    }
    eprintln!("io");
    let io = io_thread::count(&program, &broker, &dir)?;
    let file = bench.join("instructions.json");
    let known: Value = match fs::read_to_string(&file) {
        Ok(text) => {
            serde_json::from_str(&text).map_err(|error| format!("{}: {error}", file.display()))?
        }
        Err(_) => Value::Null,
    };
    let mut lines = compare(&counts, &known["per_record"]);
    println!("| instructions per record | counted | accepted | |\n|---|---|---|---|");
    for line in &lines {
        println!("{}", line.text);
    }
    let of_io = judge(io.per_batch, io_thread::accepted(&known), TOLERANCE_IO);
    println!("\n{} {}", io.says(), of_io.text);
    lines.push(of_io);
    if let Some(program) = before {
        print_before(program, &broker, &dir, &names)?;
    }
    if accepts {
        let whole = json!({
            "counted_with": with, "io_thread_per_batch": io.per_batch, "per_record": counts,
        });
        let text = format!("{whole:#}\n");
        fs::write(&file, text).map_err(|error| format!("{}: {error}", file.display()))?;
        println!("written to {}", file.display());
        return Ok(true);
    }
    if known["counted_with"] != with {
        println!(
            "what was accepted was counted with {}, this with {with}: that alone may change counts",
            known["counted_with"]
        );
    }
    if lines.iter().any(|line| line.differs) {
        println!(
            "if that is meant to be, `{ACCEPT}` rewrites {}",
            file.display()
        );
    }
    Ok(!lines.iter().any(|line| line.fails))
}

/// A row of the table, and what it means.
struct Line {
    text: String,
    differs: bool,
    fails: bool,
}

fn compare(counts: &Counts, accepted: &Value) -> Vec<Line> {
    let mut lines = Vec::new();
    for (name, &now) in counts {
        let then = accepted[name].as_f64();
        let judged = judge(now, then, TOLERANCE);
        let then = then.map_or_else(|| "-".to_owned(), |then| format!("{then:.1}"));
        lines.push(Line {
            text: format!("| {name} | {now:.1} | {then} | {} |", judged.text),
            ..judged
        });
    }
    let gone = accepted.as_object().into_iter().flat_map(|map| map.keys());
    for name in gone.filter(|name| !counts.contains_key(*name)) {
        lines.push(Line {
            text: format!(
                "| {name} | - | {} | is not there any more |",
                accepted[name]
            ),
            differs: true,
            fails: true,
        });
    }
    lines
}

/// What a number means beside the accepted one.
fn judge(now: f64, then: Option<f64>, tolerance: f64) -> Line {
    let (text, differs, fails) = match then.map(|then| (now / then - 1.0) * 100.0) {
        None => ("was not accepted yet".to_owned(), true, true),
        Some(change) if change > tolerance => (format!("GREW by {change:.1} %"), true, true),
        Some(change) if change < -tolerance => (format!("shrank by {:.1} %", -change), true, false),
        Some(_) => (String::new(), false, false),
    };
    Line {
        text,
        differs,
        fails,
    }
}

/// The same of another state of the code, as far as it has the programs.
fn print_before(program: &Path, broker: &Path, dir: &Path, names: &str) -> Result<(), String> {
    let dir = dir.join("before");
    fs::create_dir_all(&dir).map_err(|error| format!("{}: {error}", dir.display()))?;
    let has = said(Command::new(program).arg("list"))?;
    println!("\n| before | counted |\n|---|---|");
    for name in names
        .lines()
        .filter(|name| has.lines().any(|had| had == *name))
    {
        println!("| {name} | {:.1} |", count(program, name, &dir)?);
    }
    println!("\n{}", io_thread::count(program, broker, &dir)?.says());
    Ok(())
}

/// Instructions per record of one program.
fn count(program: &Path, name: &str, dir: &Path) -> Result<f64, String> {
    // The file stays there for callgrind_annotate, which says where the instructions went.
    let file: PathBuf = dir.join(format!("callgrind.{name}"));
    let mut valgrind = Command::new("valgrind");
    valgrind
        .args(["--tool=callgrind", "--quiet", "--collect-atstart=no"])
        .arg(format!("--toggle-collect={COUNTED}"))
        .arg(format!("--callgrind-out-file={}", file.display()))
        .arg(program)
        .arg(name);
    let records: f64 = said(&mut valgrind)?
        .trim()
        .parse()
        .map_err(|error| format!("{name} did not say how many records it had: {error}"))?;
    let text = fs::read_to_string(&file).map_err(|error| format!("{}: {error}", file.display()))?;
    match total(&text) {
        Some(instructions) if instructions > 0.0 => {
            // Repeated runs do not agree on more digits.
            Ok((instructions / records * 100.0).round() / 100.0)
        }
        _ => Err(format!(
            "{name}: nothing was counted; is there no function {COUNTED} any more?"
        )),
    }
}

/// What callgrind's file says about the whole run.
pub(crate) fn total(text: &str) -> Option<f64> {
    let line = text.lines().find_map(|line| line.strip_prefix("totals:"))?;
    line.trim().parse().ok()
}

/// What a program prints; an error with its complaints if it fails.
pub(crate) fn said(command: &mut Command) -> Result<String, String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = command
        .output()
        .map_err(|error| format!("{name}: {error}"))?;
    if !output.status.success() {
        let complaints = String::from_utf8_lossy(&output.stderr).into_owned();
        return Err(format!("{name}: {}: {complaints}", output.status));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

fn version(program: &str) -> Option<String> {
    let said = said(Command::new(program).arg("--version")).ok()?;
    Some(said.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn compared(now: f64) -> (bool, bool) {
        let counts = Counts::from([("send".to_owned(), now)]);
        let lines = compare(&counts, &json!({ "send": 100.0 }));
        (lines[0].differs, lines[0].fails)
    }

    #[test]
    fn only_growth_fails_and_shrinking_is_told() {
        assert_eq!(compared(101.9), (false, false));
        assert_eq!(compared(102.1), (true, true));
        assert_eq!(compared(97.9), (true, false));
    }

    #[test]
    fn programs_that_come_or_go_must_be_accepted() {
        let counts = Counts::from([("new".to_owned(), 1.0)]);
        let lines = compare(&counts, &json!({ "old": 1.0 }));
        assert!(lines.len() == 2 && lines.iter().all(|line| line.fails));
        assert!(compare(&counts, &Value::Null)[0].fails);
    }

    #[test]
    fn the_total_is_read_from_callgrinds_file() {
        let text = "events: Ir\nfn=(1)\n+3 12\ntotals: 77492054\n";
        assert_eq!(total(text), Some(77_492_054.0));
        assert_eq!(total("events: Ir\n"), None);
    }
}
