//! The fake cluster that stands in for brokers: inside this process for `produce`, in another
//! process for `perf`, whose CPU time and memory must not include the cluster's.

use std::io::{self, BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, Command, Stdio};

use downpour::ProducerBuilder;
use downpour_fake::FakeCluster;

use crate::args::EmbeddedBrokerArgs;
use crate::ending::{Ending, Refusal};
use crate::settings::Settings;

/// A cluster inside this process, and a producer that knows it.
pub(crate) fn start(
    settings: &Settings<'_>,
    topic: &str,
    partitions: i32,
) -> Result<(FakeCluster, ProducerBuilder), Refusal> {
    let cluster = cluster(topic, partitions)?;
    let builder = settings.builder(Some(&cluster.bootstrap_servers()))?;
    Ok((cluster, builder))
}

fn cluster(topic: &str, partitions: i32) -> Result<FakeCluster, Refusal> {
    FakeCluster::builder()
        .topic(topic, partitions)
        .start()
        .map_err(|error| Refusal::new(format!("the embedded cluster did not start: {error}")))
}

/// A cluster in another process, which ends with this one.
#[derive(Debug)]
pub(crate) struct ClusterProcess {
    child: Child,
    /// Held open for as long as the other process is to run.
    input: Option<ChildStdin>,
    bootstrap: String,
}

impl ClusterProcess {
    /// Starts this program again as a cluster.
    pub(crate) fn start(topic: &str, partitions: i32) -> Result<Self, Refusal> {
        let failed =
            |error: io::Error| Refusal::new(format!("the embedded cluster did not start: {error}"));
        let mut child = Command::new(std::env::current_exe().map_err(failed)?)
            .args([
                "embedded-broker",
                "--partitions",
                &partitions.to_string(),
                "--",
                topic,
            ])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(failed)?;
        let input = child.stdin.take();
        let mut bootstrap = String::new();
        if let Some(output) = child.stdout.take() {
            BufReader::new(output)
                .read_line(&mut bootstrap)
                .map_err(failed)?;
        }
        let process = Self {
            child,
            input,
            bootstrap: bootstrap.trim().to_owned(),
        };
        if process.bootstrap.is_empty() {
            return Err(Refusal::new(
                "the embedded cluster did not tell its address",
            ));
        }
        Ok(process)
    }

    /// Host and port of its broker.
    pub(crate) fn bootstrap(&self) -> &str {
        &self.bootstrap
    }
}

impl Drop for ClusterProcess {
    fn drop(&mut self) {
        // The end of its input ends it.
        self.input = None;
        let _ = self.child.wait();
    }
}

/// The other process: prints the address and serves until its input ends.
pub(crate) fn serve(args: &EmbeddedBrokerArgs) -> Result<Ending, Refusal> {
    let cluster = cluster(&args.topic, args.partitions)?;
    let mut output = io::stdout();
    let told = writeln!(output, "{}", cluster.bootstrap_servers()).and_then(|()| output.flush());
    if told.is_err() {
        return Ok(Ending::Incomplete);
    }
    // An input that fails has ended as well.
    let _ = io::copy(&mut io::stdin().lock(), &mut io::sink());
    Ok(Ending::Complete)
}
