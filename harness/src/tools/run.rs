//! Runs one of Kafka's tools to its end, within a limit.

use std::fs::{self, File};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::cluster::Cluster;
use crate::config;
use crate::error::Error;
use crate::version::Tool;

/// A tool that takes longer is taken to hang.
const WITHIN: Duration = Duration::from_secs(180);

const POLL: Duration = Duration::from_millis(20);

/// What a tool wrote.
#[derive(Debug)]
pub(super) struct Told {
    pub(super) stdout: Vec<u8>,
    pub(super) stderr: String,
}

/// Runs a tool with exactly these arguments.
pub(super) fn run(cluster: &Cluster, tool: Tool, arguments: &[&str]) -> Result<Told, Error> {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let file = |kind: &str| -> PathBuf {
        cluster
            .dir()
            .join(format!("tool-{}-{count}.{kind}", std::process::id()))
    };
    let [out, err, log, conf] = ["out", "err", "log", "properties"].map(file);
    // Log lines go to a file, because on standard output they would pass for records.
    let (_, text, option) = config::logging(cluster.version(), &log);
    fs::write(&conf, text).map_err(Error::io(conf.display()))?;
    let create = |path: &PathBuf| File::create(path).map_err(Error::io(path.display()));
    let class = cluster.version().class(tool);
    let java = cluster.artifacts().java();
    let mut child = Command::new(&java[0])
        .args(&java[1..])
        // The JVM lives for a second: optimised code is not worth compiling, nor many threads
        // starting.
        .args(["-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"])
        .arg(format!("{option}{}", conf.display()))
        .arg(class)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(create(&out)?)
        .stderr(create(&err)?)
        .spawn()
        .map_err(Error::io("java does not start"))?;
    let until = Instant::now() + WITHIN;
    let status = loop {
        match child.try_wait().map_err(Error::io(class))? {
            Some(status) => break Some(status),
            None if Instant::now() >= until => {
                let _ = child.kill();
                let _ = child.wait();
                break None;
            }
            None => thread::sleep(POLL),
        }
    };
    let stdout = fs::read(&out).map_err(Error::io(out.display()))?;
    let stderr = fs::read(&err).map_err(Error::io(err.display()))?;
    let stderr = String::from_utf8_lossy(&stderr).into_owned();
    if status.is_some_and(|status| status.success()) {
        for path in [out, err, log, conf] {
            let _ = fs::remove_file(path);
        }
        return Ok(Told { stdout, stderr });
    }
    let how = status.map_or_else(|| "does not end".to_owned(), |status| status.to_string());
    let said = String::from_utf8_lossy(&stdout);
    Err(Error::new(format!(
        "{class}: {how}: {} {}",
        stderr.trim(),
        said.trim()
    )))
}
