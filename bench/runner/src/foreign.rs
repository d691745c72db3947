//! Builds the peers that are no packages of the bench's workspace, each with its own language's
//! tools and from its own lock file, and says how each is called. Whatever is built or fetched for
//! them goes below the bench's target directory.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::cargo;

/// A peer that is no package of the bench's workspace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Foreign {
    /// A cargo workspace of its own below `peers`, with a binary named `bench-` and this.
    Cargo(&'static str),
    /// A command of the Go module.
    Go(&'static str),
    /// The Maven project. `bench-meter` measures it from outside.
    Java,
    /// The Python peer, in a virtual environment.
    Python,
    /// The Node peer.
    Node,
}

/// The options that Kafka's own scripts give a JVM, and a heap that is not the limit.
const JVM: [&str; 6] = [
    "-Xms1g",
    "-Xmx1g",
    "-XX:+UseG1GC",
    "-XX:MaxGCPauseMillis=20",
    "-XX:InitiatingHeapOccupancyPercent=35",
    "-XX:MaxInlineLevel=15",
];

/// A program and its first arguments.
#[derive(Debug)]
pub(crate) struct Call(Vec<OsString>);

impl Call {
    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(&self.0[0]);
        command.args(&self.0[1..]);
        command
    }
}

impl<const N: usize> From<[OsString; N]> for Call {
    fn from(words: [OsString; N]) -> Self {
        Self(words.into())
    }
}

/// Builds it, unless it is built.
pub(crate) fn build(bench: &Path, target: &Path, peer: Foreign) -> Result<Call, String> {
    let peers = bench.join("peers");
    let out = target.join("peers");
    match peer {
        Foreign::Cargo(name) => workspace(&peers.join(name), &out.join(name), name),
        Foreign::Go(name) => go(&peers.join("go"), &out.join("go"), name),
        Foreign::Java => {
            let meter = cargo::package(bench, target, "bench-meter")?;
            java(&peers.join("java"), &out.join("java"), meter)
        }
        Foreign::Python => python(&peers.join("python"), &out.join("python")),
        Foreign::Node => node(&peers.join("node"), &out.join("node")),
    }
}

fn workspace(from: &Path, out: &Path, name: &str) -> Result<Call, String> {
    let mut build = cargo::program();
    build
        .args(["build", "--release", "--target-dir"])
        .arg(out)
        .current_dir(from);
    done(build)?;
    let binary = format!("bench-{name}{}", std::env::consts::EXE_SUFFIX);
    Ok([out.join("release").join(binary).into()].into())
}

fn go(from: &Path, out: &Path, name: &str) -> Result<Call, String> {
    let binary = out.join(format!("{name}{}", std::env::consts::EXE_SUFFIX));
    let mut build = Command::new("go");
    build
        .args(["build", "-mod=readonly", "-o"])
        .arg(&binary)
        .arg(format!("./{name}"))
        .current_dir(from);
    done(build)?;
    Ok([binary.into()].into())
}

fn java(from: &Path, out: &Path, meter: PathBuf) -> Result<Call, String> {
    let mut out_property = OsString::from("-Dout=");
    out_property.push(out);
    let mut build = Command::new("mvn");
    build
        .args(["--quiet", "--batch-mode"])
        .arg(out_property)
        .arg("package")
        .current_dir(from);
    done(build)?;
    let mut words: Vec<OsString> = vec![meter.into(), "java".into()];
    words.extend(JVM.map(OsString::from));
    let jars = [out.join("peer.jar"), out.join("lib").join("*")];
    let path = std::env::join_paths(jars).map_err(|error| error.to_string())?;
    words.extend(["-cp".into(), path, "bench.Peer".into()]);
    Ok(Call(words))
}

fn python(from: &Path, out: &Path) -> Result<Call, String> {
    let inside = out.join("bin").join("python");
    if !inside.exists() {
        let mut make = Command::new("python3");
        make.args(["-m", "venv"]).arg(out);
        done(make)?;
    }
    let mut install = Command::new(&inside);
    install
        .args(["-m", "pip", "install", "--quiet", "--no-deps"])
        .args(["--disable-pip-version-check", "--requirement"])
        .arg(from.join("requirements.txt"));
    done(install)?;
    Ok([inside.into(), from.join("peer.py").into()].into())
}

/// Copies the project below the target directory, because npm installs where the package.json is.
fn node(from: &Path, out: &Path) -> Result<Call, String> {
    let io = |error: std::io::Error| format!("{}: {error}", out.display());
    std::fs::create_dir_all(out).map_err(io)?;
    let lock = "package-lock.json";
    let read = |dir: &Path| std::fs::read(dir.join(lock)).ok();
    let is_installed = out.join("node_modules").exists() && read(out) == read(from);
    if !is_installed {
        std::fs::copy(from.join("package.json"), out.join("package.json")).map_err(io)?;
        let mut install = Command::new("npm");
        install
            .args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"])
            .args(["--loglevel", "error"])
            .current_dir(out);
        // A lock file that is there says that everything is, so it does not stay where npm fails.
        let installed = std::fs::copy(from.join(lock), out.join(lock)).map_err(io);
        let ended = installed.and_then(|_| done(install));
        if ended.is_err() {
            let _ = std::fs::remove_file(out.join(lock));
        }
        ended?;
    }
    std::fs::copy(from.join("peer.mjs"), out.join("peer.mjs")).map_err(io)?;
    Ok(["node".into(), out.join("peer.mjs").into()].into())
}

/// Runs a step of a build. What it prints is told only when it fails.
fn done(mut step: Command) -> Result<(), String> {
    let program = step.get_program().to_string_lossy().into_owned();
    let output = step
        .output()
        .map_err(|error| format!("{program} is needed: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    let said = [output.stdout, output.stderr].concat();
    Err(format!("{step:?}\n{}", String::from_utf8_lossy(&said)))
}
