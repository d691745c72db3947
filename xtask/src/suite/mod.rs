//! `cargo xtask test`: everything that must hold, in sections. The table of sections is here; how
//! one is run is in `runner`, what it needs of the machine in `needs`.

mod needs;
mod runner;
mod tally;

use std::io::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

use needs::Need::{self, Component, Java, Of, Program, Target, Toolchain};
use tally::Tally;

/// One part of the suite: a command of cargo, and where and with what it is run.
#[derive(Debug)]
struct Section {
    name: &'static str,
    /// The arguments of cargo.
    cargo: &'static [&'static str],
    /// The directory to run in, relative to the workspace.
    dir: &'static str,
    env: &'static [(&'static str, &'static str)],
    needs: &'static [Need],
    /// The toolchain whose cargo is run; `None` is the one in use.
    toolchain: Option<&'static str>,
}

const fn section(name: &'static str, cargo: &'static [&'static str]) -> Section {
    Section {
        name,
        cargo,
        dir: "",
        env: &[],
        needs: &[],
        toolchain: None,
    }
}

impl Section {
    const fn needs(mut self, needs: &'static [Need]) -> Self {
        self.needs = needs;
        self
    }

    const fn toolchain(mut self, name: &'static str) -> Self {
        self.toolchain = Some(name);
        self
    }

    const fn dir(mut self, dir: &'static str) -> Self {
        self.dir = dir;
        self
    }

    const fn env(mut self, env: &'static [(&'static str, &'static str)]) -> Self {
        self.env = env;
        self
    }
}

/// The oldest Rust that is supported: `rust-version` in the manifest.
const MSRV: &str = "1.85.0";

const MUSL: &str = "x86_64-unknown-linux-musl";

/// All sections, the quick ones first.
#[rustfmt::skip]
const SECTIONS: &[Section] = &[
    section("format", &["fmt", "--all", "--check"]).needs(&[Component("rustfmt")]),
    section("tidy", &["xtask", "tidy"]),
    // The C compiler is for zstd, which the conformance tests turn on for the whole workspace.
    section("clippy", &["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"])
        .needs(&[Component("clippy"), Program("gcc")]),
    section("clippy-default", &[
        "clippy", "-p", "downpour", "-p", "downpour-wire", "--all-targets", "--", "-D", "warnings",
    ]).needs(&[Component("clippy")]),
    section("clippy-bare", &[
        "clippy", "-p", "downpour", "-p", "downpour-wire", "--no-default-features", "--", "-D", "warnings",
    ]).needs(&[Component("clippy")]),
    // Only libraries, because the command has the name of the library and would overwrite its pages.
    section("docs", &["doc", "--workspace", "--no-deps", "--lib"]).env(&[("RUSTDOCFLAGS", "-D warnings")]),
    section("tests", &["test", "--workspace", "--exclude", "downpour-conformance"]),
    section("sim", &["xtask", "sim", "--seeds", "2000"]),
    // A simulator that finds nothing would pass every seed.
    section("sim-mutants", &["xtask", "mutants", "--quick", "--seeds", "200"]),
    // The published crates are tested with the oldest Rust that README promises.
    section("msrv", &[
        "test", "-p", "downpour-wire", "-p", "downpour-core", "-p", "downpour", "-p", "downpour-fake",
        "-p", "downpour-cli",
    ]).toolchain(MSRV).needs(&[Toolchain(MSRV)]),
    // The lowest versions that the manifests allow; `cargo xtask minimal-versions` tests with them too.
    section("minimal-versions", &["xtask", "minimal-versions", "--quick"]).needs(&[Toolchain("nightly")]),
    // The command holds all of them, without what only their tests depend on. It starts only if it is
    // linked statically, because a machine with glibc has no loader of musl's.
    section("musl", &["run", "-p", "downpour-cli", "--target", MUSL, "--", "--version"])
        .env(&[("RUSTFLAGS", "-Ctarget-feature=+crt-static")])
        .toolchain(MSRV).needs(&[Toolchain(MSRV), Target(MSRV, MUSL), Program("gcc")]),
    // It is about the one `unsafe` call of the libraries (docs/adr/0004).
    section("asan", &[
        "test", "-p", "downpour", "--test", "it", "--target", "x86_64-unknown-linux-gnu", "fork",
    ]).env(&[("RUSTFLAGS", "-Zsanitizer=address")]).toolchain("nightly").needs(&[Toolchain("nightly")]),
    // Threads against each other in orders of shuttle's choice: `crates/downpour/src/models`.
    section("shuttle", &[
        "test", "-p", "downpour", "--lib", "--features", "simulation", "--target-dir", "target/shuttle",
        "--config", "profile.dev.package.shuttle-engine.opt-level=2", "models",
    ]).env(&[("RUSTFLAGS", "--cfg downpour_shuttle")]),
    // The same on real threads, which Miri runs with the memory of a weakly ordered processor, and
    // what else of the shell needs no socket. All at once: each test is an interpreter's work.
    section("miri", &[
        "miri", "test", "-p", "downpour", "--lib", "--features", "simulation", "--target-dir", "target/miri",
        "--", "models::", "delivery::", "shared::m", "shared::t", "sys::", "topics::entry", "topics::partitions",
        // It leaks on purpose what panics when it is dropped.
        "--skip", "a_panic_is_contained_whatever",
    ]).env(&[("MIRIFLAGS", "-Zmiri-disable-isolation")]).toolchain("nightly")
        .needs(&[Of("nightly", "miri"), Of("nightly", "rust-src")]),
    // Of core and wire, which have no `unsafe` and no thread, what an interpreter does in two minutes.
    section("miri-core", &[
        "miri", "test", "-p", "downpour-core", "-p", "downpour-wire", "--lib", "--target-dir", "target/miri",
        "--", "client::", "callers::completion", "queue::sequence", "queue::tests::sequences",
        "produce::send_lists", "identity", "frame::tests::bodies", "frame::tests::a_frame",
        // Hours, second by second; and a hundred thousand of something.
        "--skip", "client::notice", "--skip", "client::plausible",
    ]).env(&[("MIRIFLAGS", "-Zmiri-disable-isolation")]).toolchain("nightly")
        .needs(&[Of("nightly", "miri"), Of("nightly", "rust-src")]),
    section("tsan", &[
        "test", "-Zbuild-std", "--target", "x86_64-unknown-linux-gnu", "-p", "downpour", "--lib",
        "--features", "simulation", "--target-dir", "target/tsan",
    ])// A thread that nobody joins is no leak: the I/O thread of a producer whose last handle was dropped.
    .env(&[("RUSTFLAGS", "-Zsanitizer=thread"), ("TSAN_OPTIONS", "report_thread_leaks=0"), ("RUST_BACKTRACE", "0")])
        .toolchain("nightly").needs(&[Of("nightly", "rust-src")]),
    section("fuzz-format", &["fmt", "--all", "--check"]).dir("fuzz").needs(&[Component("rustfmt")]),
    section("fuzz-clippy", &["clippy", "--features", "shell", "--all-targets", "--", "-D", "warnings"])
        .dir("fuzz").needs(&[Component("clippy"), Program("g++")]),
    // Some thousand executions of each target, the same ones each time. libFuzzer is C++.
    section("fuzz", &["xtask", "fuzz"]).needs(&[Program("g++")]),
    section("bench-format", &["fmt", "--all", "--check"]).dir("bench").needs(&[Component("rustfmt")]),
    // It leaves out the one package that compiles librdkafka, which takes minutes.
    section("bench-clippy", &[
        "clippy", "--workspace", "--exclude", "bench-rdkafka", "--all-targets", "--", "-D", "warnings",
    ]).dir("bench").needs(&[Component("clippy"), Program("gcc")]),
    // These are the broker that judges every figure, the runner that leads the rounds, and each small
    // program and micro bench once. Peers are built when the bench runs. The C compiler is for zstd.
    section("bench", &[
        "test", "-p", "bench-broker", "-p", "bench-contract", "-p", "bench-micro", "-p", "bench-preload",
        "-p", "bench-runner",
    ]).dir("bench").needs(&[Program("gcc")]),
    section("foreign-reader", &["test", "--release"]).dir("foreign-reader")
        .needs(&[Program("gcc"), Program("make"), Program("mvn"), Java]),
    // Tests run one at a time, because each has several JVMs of its own and measures time. What the
    // chaos runs counted is shown also when all is well.
    section("conformance", &[
        "test", "-p", "downpour-conformance", "--release", "--", "--test-threads=1", "--show-output",
    ]).needs(&[Program("gcc"), Program("mvn"), Java]),
    // A minute of every kind of writer under faults that follow from a seed, so that each run demands the
    // same. `cargo xtask chaos` runs longer ones.
    section("chaos", &[
        "run", "-p", "downpour-conformance", "--release", "--", "--kafka", "4.3.1", "--seed", "1",
        "--minutes", "0", "--faults", "7",
        "--only", "kill,pause,reassignment,anew with fewer,anew with more,growth,quota",
    ]).needs(&[Program("gcc"), Program("make"), Program("prlimit"), Program("mvn"), Java]),
];

/// A section that takes longer is taken to hang.
const SECTION_WITHIN: Duration = Duration::from_secs(40 * 60);

/// The names of all sections.
pub(crate) fn names() -> Vec<&'static str> {
    SECTIONS.iter().map(|section| section.name).collect()
}

/// Runs the sections with these names, or all, and returns whether all went well.
///
/// # Errors
/// When a name is unknown.
pub(crate) fn run(root: &Path, chosen: &[String]) -> Result<bool, String> {
    if let Some(unknown) = chosen.iter().find(|name| !names().contains(&name.as_str())) {
        return Err(format!(
            "no section {unknown}; there are: {}",
            names().join(", ")
        ));
    }
    let is_strict = std::env::var("CI").is_ok_and(|value| value == "true");
    let began = Instant::now();
    let mut total = Tally::default();
    let mut summary = Vec::new();
    let is_chosen =
        |section: &&Section| chosen.is_empty() || chosen.iter().any(|name| name == section.name);
    for section in SECTIONS.iter().filter(is_chosen) {
        println!("\n== {}", section.name);
        let section_began = Instant::now();
        let missing: Vec<String> = section
            .needs
            .iter()
            .filter_map(|need| need.satisfy().err())
            .collect();
        let (tally, note) = if missing.is_empty() {
            one(root, section)
        } else {
            (
                Tally {
                    skipped: 1,
                    ..Tally::default()
                },
                format!("  NOT RUN: {}", missing.join("; ")),
            )
        };
        let seconds = section_began.elapsed().as_secs_f64();
        summary.push(format!(
            "{:<16} {seconds:>7.1} s  {tally}{note}",
            section.name
        ));
        total += tally;
    }
    println!("\n== summary, {:.0} s", began.elapsed().as_secs_f64());
    for line in summary {
        println!("{line}");
    }
    if is_strict && total.skipped > 0 {
        println!("CI=true: what is skipped counts as failed");
    }
    let total = judged(total, is_strict);
    println!("{} passed, {} failed", total.passed, total.failed);
    // So it is the last line also when both streams go to one file.
    let _ = std::io::stdout().flush();
    Ok(total.failed == 0)
}

/// The counts that decide: a strict run counts what was skipped as failed.
fn judged(total: Tally, is_strict: bool) -> Tally {
    let forgiven = if is_strict { 0 } else { total.skipped };
    Tally {
        failed: total.failed + total.skipped - forgiven,
        ..total
    }
}

fn one(root: &Path, section: &Section) -> (Tally, String) {
    let dir = root.join(section.dir);
    match runner::cargo(
        section.toolchain,
        &dir,
        section.cargo,
        section.env,
        SECTION_WITHIN,
    ) {
        Ok(tally) => (tally, String::new()),
        Err((tally, what)) => {
            println!("{}: {what}", section.name);
            (tally, format!("  FAILED: {what}"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_section_is_refused_before_anything_runs() {
        let told = run(Path::new("."), &["no-such".to_owned()]).unwrap_err();
        assert!(told.contains("format, tidy"), "{told}");
    }

    #[test]
    fn a_skipped_test_fails_a_strict_run_only() {
        let total = Tally {
            passed: 5,
            failed: 1,
            skipped: 2,
        };
        assert_eq!(judged(total, true).failed, 3);
        assert_eq!(judged(total, false).failed, 1);
    }

    #[test]
    fn the_oldest_toolchain_is_the_rust_version_of_the_manifest() {
        assert_eq!(MSRV, format!("{}.0", env!("CARGO_PKG_RUST_VERSION")));
    }

    #[test]
    fn names_are_unique() {
        let mut sorted = names();
        sorted.sort_unstable();
        sorted.dedup();
        assert_eq!(sorted.len(), names().len());
    }
}
