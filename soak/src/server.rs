//! The cluster in a process of its own: its command line, and the handle of who started it.

use std::io::{BufRead, BufReader, Lines, Write, stdin};
use std::net::TcpListener;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use downpour_fake::FakeCluster;

use crate::relay::{Counts, relay};

/// What the cluster is.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Arguments {
    /// Topics, `topic-0` and so on.
    #[arg(long, default_value_t = 1)]
    topics: u32,
    /// Partitions of each.
    #[arg(long, default_value_t = 1)]
    partitions: i32,
    /// Counts the bytes on the way.
    #[arg(long)]
    counted: bool,
    /// Accepts connections and answers nothing.
    #[arg(long)]
    silent: bool,
}

/// Tells its address, then answers each line of its input with what was counted, until that ends.
pub(crate) fn serve(arguments: &Arguments) -> Result<()> {
    let counts = Arc::new(Counts::default());
    let mut cluster = None;
    if arguments.silent {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        println!("{}", listener.local_addr()?);
        thread::spawn(move || hold(&listener));
    } else {
        let started = FakeCluster::builder().start()?;
        started.with(|cluster| {
            for topic in 0..arguments.topics {
                cluster.create_topic(&format!("topic-{topic}"), arguments.partitions);
            }
        });
        let mut address = started.bootstrap_servers();
        if arguments.counted {
            let listener = TcpListener::bind("127.0.0.1:0")?;
            let port = listener.local_addr()?.port();
            started.with(|cluster| cluster.set_address(1, "127.0.0.1", port));
            let to = std::mem::replace(&mut address, format!("127.0.0.1:{port}"));
            let counts = counts.clone();
            thread::spawn(move || relay(&listener, &to, &counts));
        }
        println!("{address}");
        let started = Arc::new(started);
        let (topics, partitions) = (arguments.topics, arguments.partitions);
        if topics == 1 {
            let cluster = started.clone();
            thread::spawn(move || forget(&cluster, partitions));
        }
        cluster = Some(started);
    }
    for line in stdin().lines() {
        line?;
        let violations = cluster.as_ref().map_or(0, |c| c.violations().len());
        println!("{counts} {violations}");
    }
    Ok(())
}

/// Takes connections, and reads what comes until they end.
fn hold(listener: &TcpListener) {
    for mut connection in listener.incoming().flatten() {
        thread::spawn(move || std::io::copy(&mut connection, &mut std::io::sink()));
    }
}

/// Keeps the log short: an hour of records takes more memory than there is.
fn forget(cluster: &FakeCluster, partitions: i32) {
    loop {
        thread::sleep(Duration::from_millis(200));
        cluster.with(|cluster| {
            for partition in 0..partitions {
                let end = cluster.end_offset("topic-0", partition);
                cluster.delete_records_before("topic-0", partition, end);
            }
            cluster.clear_requests();
        });
    }
}

/// A cluster in another process, which ends with this handle.
#[derive(Debug)]
pub(crate) struct Server {
    process: Child,
    input: Option<ChildStdin>,
    output: Lines<BufReader<ChildStdout>>,
    address: String,
}

impl Server {
    /// With these arguments.
    pub(crate) fn start(arguments: &[&str]) -> Result<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        command.arg("serve").args(arguments);
        let command = command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = command.spawn().context("no process for the cluster")?;
        let (input, output) = (process.stdin.take(), process.stdout.take());
        let mut output = BufReader::new(output.context("it has no output")?).lines();
        let address = output.next().context("the cluster did not start")??;
        Ok(Self {
            process,
            input,
            output,
            address,
        })
    }

    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// What was counted so far: bytes of metadata that were asked for and answered.
    pub(crate) fn counts(&mut self) -> Result<[u64; 2]> {
        let input = self.input.as_mut().context("it has no input")?;
        writeln!(input)?;
        let line = self.output.next().context("the cluster is gone")??;
        let numbers: Vec<u64> = line.split(' ').map(str::parse).collect::<Result<_, _>>()?;
        match numbers[..] {
            [written, read, 0] => Ok([written, read]),
            [_, _, violations] => bail!("the cluster saw {violations} violations"),
            _ => bail!("not understood: {line}"),
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.input.take());
        // It ends with its input.
        let _ = self.process.wait();
    }
}
