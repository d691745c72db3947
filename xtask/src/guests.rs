//! `cargo xtask guests`: producers that others wrote send to the fake, as every Kafka that it plays,
//! with every codec, idempotent or not, and the fake counts what arrived. The programs are in
//! `xtask/guests`; what they need is installed below `target/guests` by the languages' own clients.

use std::fs;
use std::io::{BufRead, BufReader, Lines, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Instant;

use clap::Args;
use kafka_harness::Version;

/// What is tried.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Only these guests; all by default.
    #[arg(long = "guest", value_parser = GUESTS)]
    guests: Vec<String>,
    /// Only as this Kafka; as all by default.
    #[arg(long = "kafka", value_parser = RELEASES)]
    releases: Vec<String>,
    /// How many records each sends.
    #[arg(long, default_value_t = 500)]
    records: u32,
}

const GUESTS: [&str; 5] = ["librdkafka", "java", "franz-go", "sarama", "aiokafka"];

const RELEASES: [&str; 4] = ["2.1", "2.8", "3.9", "4.3"];

/// The oldest Kafka of the fake's does not take zstd from everybody, and some clients know that.
const CODECS: [&str; 5] = ["none", "gzip", "snappy", "lz4", "zstd"];

/// Lets all chosen guests send, and returns whether everything arrived once.
///
/// # Errors
/// When a guest cannot be installed, or the fake does not start.
pub(crate) fn run(root: &Path, arguments: &Arguments) -> Result<bool, String> {
    let work = root.join("target").join("guests");
    fs::create_dir_all(&work).map_err(|error| format!("{}: {error}", work.display()))?;
    let chosen = |all: &[&'static str], some: &[String]| -> Vec<&'static str> {
        let is_chosen = |name: &&&str| some.is_empty() || some.iter().any(|one| one == **name);
        all.iter().filter(is_chosen).copied().collect()
    };
    let mut guests = Vec::new();
    for name in chosen(&GUESTS, &arguments.guests) {
        println!("installing {name}");
        guests.push((name, install(root, &work, name)?));
    }
    let mut all_well = true;
    for release in chosen(&RELEASES, &arguments.releases) {
        let mut fake = Fake::start(root, release)?;
        for (name, command) in &guests {
            let began = Instant::now();
            let mut bad = Vec::new();
            let mut odd = None;
            for codec in CODECS {
                for idempotent in [true, false] {
                    let how = format!(
                        "{codec}{}",
                        if idempotent { "" } else { ", not idempotent" }
                    );
                    let topic = format!("{name}-{codec}-{idempotent}");
                    let sent = [
                        codec,
                        &idempotent.to_string(),
                        &arguments.records.to_string(),
                    ];
                    match fake.visit(command, &topic, sent, release) {
                        Ok(None) => {}
                        Ok(Some(what)) => odd = Some(what),
                        Err(what) => bad.push(format!("    {how}: {what}")),
                    }
                }
            }
            all_well &= bad.is_empty();
            let tried = CODECS.len() * 2;
            println!(
                "{name} to Kafka {release}: {} of {tried} well, {:.0} s{}",
                tried - bad.len(),
                began.elapsed().as_secs_f64(),
                odd.map_or_else(String::new, |odd| format!("; {odd}")),
            );
            for line in bad {
                println!("{line}");
            }
        }
    }
    Ok(all_well)
}

/// Installs a guest and returns the command that runs it.
fn install(root: &Path, work: &Path, name: &str) -> Result<Vec<String>, String> {
    let from = root.join("xtask").join("guests");
    match name {
        "librdkafka" => {
            // The same build as that of the reader, because librdkafka takes minutes.
            let manifest = path(&root.join("foreign-reader").join("Cargo.toml"));
            let words = ["--quiet", "--release", "--manifest-path", &manifest];
            let binary = ["--bin", "write-topic"];
            done(cargo().arg("build").args(words).args(binary))?;
            let program = path(Path::new(cargo().get_program()));
            let run = [&[program.as_str(), "run"], &words[..], &binary[..], &["--"]].concat();
            Ok(run.into_iter().map(str::to_owned).collect())
        }
        "java" => {
            let classes = kafka_harness::classpath(Version::V4_3_1).map_err(|e| e.to_string())?;
            let source = path(&from.join("java").join("Guest.java"));
            let words = ["java", "-XX:TieredStopAtLevel=1", "-cp", &classes, &source];
            Ok(words.map(str::to_owned).to_vec())
        }
        "franz-go" | "sarama" => {
            let name = name.trim_end_matches("-go");
            let binary = work.join(name);
            let mut go = Command::new("go");
            go.args(["build", "-o"])
                .arg(&binary)
                .arg(format!("./{name}"));
            done(go.current_dir(from.join("go")))?;
            Ok(vec![path(&binary)])
        }
        _ => {
            let venv = work.join("venv");
            let python = venv.join("bin").join("python");
            if !python.exists() {
                done(Command::new("python3").args(["-m", "venv"]).arg(&venv))?;
            }
            let wanted = from.join("python").join("requirements.txt");
            let mut pip = Command::new(&python);
            pip.args(["-m", "pip", "install", "--quiet", "--requirement"]);
            done(pip.arg(wanted))?;
            Ok(vec![
                path(&python),
                path(&from.join("python").join("guest.py")),
            ])
        }
    }
}

fn path(path: &Path) -> String {
    path.display().to_string()
}

fn cargo() -> Command {
    Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

/// Runs a command to its end, which must be a good one.
fn done(command: &mut Command) -> Result<(), String> {
    let program = PathBuf::from(command.get_program());
    let told = command
        .stdin(Stdio::null())
        .output()
        .map_err(|error| format!("{}: {error}", program.display()))?;
    if told.status.success() {
        return Ok(());
    }
    let words = [told.stdout, told.stderr].concat();
    let words = String::from_utf8_lossy(&words).trim().to_owned();
    // The last line says why; what comes before it is how the program got there.
    let last = words.lines().last().unwrap_or_default();
    Err(format!("{}: {last}", program.display()))
}

/// The fake in a process of its own.
struct Fake {
    child: Child,
    commands: ChildStdin,
    told: Lines<BufReader<ChildStdout>>,
    bootstrap: String,
}

impl Fake {
    fn start(root: &Path, release: &str) -> Result<Self, String> {
        let mut cargo = cargo();
        cargo.args([
            "run",
            "--quiet",
            "-p",
            "downpour-fake",
            "--features",
            "zstd",
        ]);
        cargo.args(["--example", "serve", "--", "1", "3", release]);
        cargo
            .current_dir(root)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        let mut child = cargo.spawn().map_err(|error| format!("cargo: {error}"))?;
        let (Some(commands), Some(told)) = (child.stdin.take(), child.stdout.take()) else {
            return Err("the fake has no pipes".to_owned());
        };
        let mut fake = Self {
            child,
            commands,
            told: BufReader::new(told).lines(),
            bootstrap: String::new(),
        };
        fake.bootstrap = fake.line()?;
        Ok(fake)
    }

    fn line(&mut self) -> Result<String, String> {
        match self.told.next() {
            Some(Ok(line)) => Ok(line),
            _ => Err("the fake says nothing more".to_owned()),
        }
    }

    /// Lets a guest send to a new topic. What was odd is told; what did not arrive is an error.
    fn visit(
        &mut self,
        command: &[String],
        topic: &str,
        sent: [&str; 3],
        release: &str,
    ) -> Result<Option<String>, String> {
        self.command(&format!("create {topic} 3"))?;
        let [codec, idempotent, records] = sent;
        let mut guest = Command::new(&command[0]);
        guest.args(&command[1..]).args([&self.bootstrap, topic]);
        let sent = done(guest.args([codec, idempotent, records, release]));
        self.command(&format!("count {topic}"))?;
        let counted = self.line()?;
        let odd = match counted.rsplit_once(", ") {
            Some((_, "0 odd")) => None,
            _ => Some(self.line()?),
        };
        sent?;
        let expected = format!("{topic}: {records} records, {records} values, ");
        if counted.starts_with(&expected) {
            Ok(odd)
        } else {
            Err(counted)
        }
    }

    fn command(&mut self, words: &str) -> Result<(), String> {
        writeln!(self.commands, "{words}").map_err(|error| format!("the fake: {error}"))
    }
}

impl Drop for Fake {
    fn drop(&mut self) {
        // It is cargo; the fake below it ends with its input, which is closed after this.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
