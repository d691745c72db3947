//! The fake cluster that stands in for brokers: inside this process for `produce`, in a process
//! of its own for `perf`, whose CPU and memory must not count it.

use std::io::{self, BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::Duration;

use downpour::ProducerBuilder;
use downpour_fake::FakeCluster;

use crate::args::{ConnectionArgs, EmbeddedBrokerArgs};
use crate::ending::{Ending, Refusal};
use crate::settings;

/// A cluster inside this process, and a producer that knows it.
pub(crate) fn start(
    args: &ConnectionArgs,
    topic: &str,
) -> Result<(FakeCluster, ProducerBuilder), Refusal> {
    let cluster = cluster(topic, args.embedded_partitions)?;
    let builder = settings::builder(args, Some(&cluster.bootstrap_servers()))?;
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
pub(crate) struct Apart {
    child: Child,
    orders: Option<ChildStdin>,
    bootstrap: String,
}

impl Apart {
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
        let orders = child.stdin.take();
        let mut bootstrap = String::new();
        if let Some(output) = child.stdout.take() {
            BufReader::new(output)
                .read_line(&mut bootstrap)
                .map_err(failed)?;
        }
        let apart = Self {
            child,
            orders,
            bootstrap: bootstrap.trim().to_owned(),
        };
        if apart.bootstrap.is_empty() {
            return Err(Refusal::new(
                "the embedded cluster did not tell its address",
            ));
        }
        Ok(apart)
    }

    /// Where its brokers are.
    pub(crate) fn bootstrap(&self) -> &str {
        &self.bootstrap
    }

    /// From now on each request takes it so long.
    pub(crate) fn set_service_delay(&mut self, delay: Duration) -> Result<(), Refusal> {
        let Some(orders) = &mut self.orders else {
            return Ok(());
        };
        writeln!(orders, "{}", delay.as_millis())
            .map_err(|error| Refusal::new(format!("the embedded cluster is gone: {error}")))
    }
}

impl Drop for Apart {
    fn drop(&mut self) {
        // The end of its input ends it.
        self.orders = None;
        let _ = self.child.wait();
    }
}

/// The other process: prints the address, and takes milliseconds of delay as lines of input
/// until that ends.
pub(crate) fn serve(args: &EmbeddedBrokerArgs) -> Result<Ending, Refusal> {
    let cluster = cluster(&args.topic, args.partitions)?;
    let mut output = io::stdout();
    let told = writeln!(output, "{}", cluster.bootstrap_servers()).and_then(|()| output.flush());
    if told.is_err() {
        return Ok(Ending::Incomplete);
    }
    for line in io::stdin().lock().lines() {
        let Ok(line) = line else { break };
        if let Ok(millis) = line.trim().parse() {
            cluster.set_service_delay(Duration::from_millis(millis));
        }
    }
    Ok(Ending::Complete)
}
