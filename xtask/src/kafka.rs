//! `cargo xtask kafka ..`: what is done to clusters that stay when the command ends. It is a thin
//! layer; what a cluster is lives in the crate `kafka-harness`.

use std::path::PathBuf;
use std::time::Instant;

use clap::{Args, Subcommand};
use kafka_harness::{Cluster, Error, Spec, Version};

/// Commands about real clusters.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Start a cluster and leave it running.
    Up(Up),
    /// End a cluster and remove what it wrote.
    Down(Where),
    /// List the clusters that were left running.
    List,
    /// Kill a broker with SIGKILL.
    Kill(Broker),
    /// Pause a broker with SIGSTOP: its connections stay open and silent.
    Stop(Broker),
    /// Let a paused broker run on.
    Cont(Broker),
    /// Start a broker again, after stopping it if it runs.
    Restart(Broker),
}

#[derive(Debug, Args)]
pub(crate) struct Up {
    /// 4.3.1, 3.9.2 or 2.8.2.
    #[arg(long, default_value = "4.3.1", value_parser = version)]
    version: Version,
    /// How many brokers: 1 or 3.
    #[arg(long, default_value_t = 1)]
    brokers: usize,
    /// The directory to keep it in; a new one below target/kafka by default.
    #[arg(long)]
    dir: Option<PathBuf>,
    /// A broker property; the option may be given several times.
    #[arg(long = "set", value_name = "NAME=VALUE")]
    properties: Vec<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Where {
    /// The cluster's directory; it is not needed when there is only one cluster.
    #[arg(long)]
    dir: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct Broker {
    /// The broker's id: 1, 2, 3; 100 is the controller or ZooKeeper.
    id: i32,
    #[command(flatten)]
    place: Where,
}

fn version(text: &str) -> Result<Version, String> {
    text.parse().map_err(|error: Error| error.to_string())
}

/// Does what a command says.
pub(crate) fn run(command: Command) -> Result<(), Error> {
    match command {
        Command::Up(up) => self::up(up),
        Command::Down(place) => {
            let cluster = open(&place)?;
            let dir = cluster.dir().display().to_string();
            cluster.down()?;
            println!("ended {dir}");
            Ok(())
        }
        Command::List => {
            for dir in Cluster::staying() {
                tell(&Cluster::open(&dir)?);
            }
            Ok(())
        }
        Command::Kill(broker) => open(&broker.place)?.kill(broker.id),
        Command::Stop(broker) => open(&broker.place)?.pause(broker.id),
        Command::Cont(broker) => open(&broker.place)?.resume(broker.id),
        Command::Restart(broker) => open(&broker.place)?.restart(broker.id),
    }
}

fn up(up: Up) -> Result<(), Error> {
    let mut spec = Spec::new(up.version, up.brokers);
    spec.dir = up.dir;
    for property in &up.properties {
        let (name, value) = property
            .split_once('=')
            .ok_or_else(|| Error::new(format!("`{property}` is no NAME=VALUE")))?;
        spec = spec.property(name, value);
    }
    let began = Instant::now();
    let cluster = Cluster::start_to_stay(&spec)?;
    tell(&cluster);
    println!("up in {:.1} s", began.elapsed().as_secs_f64());
    Ok(())
}

/// The cluster in the named directory, or the only one that was left running.
fn open(place: &Where) -> Result<Cluster, Error> {
    if let Some(dir) = &place.dir {
        return Cluster::open(dir);
    }
    match Cluster::staying().as_slice() {
        [only] => Cluster::open(only),
        [] => Err(Error::new("no cluster was left running below target/kafka")),
        several => {
            let dirs: Vec<String> = several
                .iter()
                .map(|dir| dir.display().to_string())
                .collect();
            Err(Error::new(format!(
                "which one? --dir {}",
                dirs.join(" or --dir ")
            )))
        }
    }
}

fn tell(cluster: &Cluster) {
    println!(
        "Apache Kafka {} in {}",
        cluster.version(),
        cluster.dir().display()
    );
    println!("  bootstrap.servers={}", cluster.bootstrap());
    for node in cluster.nodes() {
        let process = node.process.filter(|process| process.is_alive());
        let state = process.map_or_else(
            || "dead".to_owned(),
            |process| {
                let bytes = process.resident_bytes().unwrap_or_default();
                format!("process {}, {} MB", process.pid, bytes >> 20)
            },
        );
        println!(
            "  node {} {:?} at port {}: {state}",
            node.id, node.role, node.port
        );
    }
}
