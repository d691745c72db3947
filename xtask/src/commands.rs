//! `cargo xtask kafka ..`: what is done to clusters that stay when the command ends.

use std::path::PathBuf;
use std::time::Instant;

use clap::{Args, Subcommand};
use kafka_harness::{Cluster, Error, Spec, Version};

/// What to do with real clusters.
#[derive(Debug, Subcommand)]
pub(crate) enum Kafka {
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
    /// Where to keep it; below target/kafka by default.
    #[arg(long)]
    dir: Option<PathBuf>,
    /// A broker property, NAME=VALUE; may come several times.
    #[arg(long = "set", value_name = "NAME=VALUE")]
    properties: Vec<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Where {
    /// The cluster's directory; not needed when there is one only.
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

/// Does one command.
pub(crate) fn kafka(command: Kafka) -> Result<(), Error> {
    match command {
        Kafka::Up(up) => self::up(up),
        Kafka::Down(place) => {
            let cluster = open(&place)?;
            let dir = cluster.dir().display().to_string();
            cluster.down()?;
            println!("ended {dir}");
            Ok(())
        }
        Kafka::List => {
            for dir in Cluster::staying() {
                tell(&Cluster::open(&dir)?);
            }
            Ok(())
        }
        Kafka::Kill(broker) => open(&broker.place)?.kill(broker.id),
        Kafka::Stop(broker) => open(&broker.place)?.pause(broker.id),
        Kafka::Cont(broker) => open(&broker.place)?.resume(broker.id),
        Kafka::Restart(broker) => open(&broker.place)?.restart(broker.id),
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

/// The cluster that is meant.
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
