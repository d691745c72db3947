//! `cargo xtask kafka ..`: what is done to clusters that stay when the command ends. It is a thin
//! layer; what a cluster is lives in the crate `kafka-harness`.

use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::time::Instant;

use clap::{Args, Subcommand};
use kafka_harness::{Cluster, Error, Spec, Version};

/// Where a program looks for Kafka that was told nothing else.
const USUAL_PORT: u16 = 9092;

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
    /// A topic to create; the option may be given several times. Without a number it has one partition.
    #[arg(long = "topic", value_name = "NAME:PARTITIONS", value_parser = topic)]
    topics: Vec<(String, u32)>,
    /// The first broker's port; by default 9092, or a free one if that is taken.
    #[arg(long)]
    port: Option<u16>,
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

/// A name, and how many partitions; what Kafka would refuse is refused before it is started.
fn topic(text: &str) -> Result<(String, u32), String> {
    let (name, partitions) = match text.rsplit_once(':') {
        Some((name, partitions)) => {
            let partitions = partitions.parse().ok().filter(|count| *count > 0);
            let partitions = partitions.ok_or("the partitions are a number from 1 on")?;
            (name, partitions)
        }
        None => (text, 1),
    };
    let is_legal = |letter: char| letter.is_ascii_alphanumeric() || "._-".contains(letter);
    let length = name.chars().count();
    if !name.chars().all(is_legal) || !(1..=249).contains(&length) || matches!(name, "." | "..") {
        return Err("a topic's name has 1 to 249 letters, digits, '.', '_' and '-'".into());
    }
    Ok((name.to_owned(), partitions))
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
    // Where programs look for Kafka, if nobody is there.
    let is_free = |port: &u16| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok();
    spec.port = up.port.or_else(|| Some(USUAL_PORT).filter(is_free));
    let began = Instant::now();
    let cluster = Cluster::start_to_stay(&spec)?;
    for (topic, partitions) in &up.topics {
        if let Err(error) = cluster.create_topic(topic, *partitions, &[]) {
            cluster.down()?;
            return Err(error);
        }
    }
    tell(&cluster);
    for (topic, partitions) in &up.topics {
        println!("  topic {topic} with {partitions} partitions");
    }
    println!("up in {:.1} s", began.elapsed().as_secs_f64());
    println!("{} ends it", down(cluster.dir(), &Cluster::staying()));
    Ok(())
}

/// The command that ends the cluster in a directory, where these can be ended without a name.
fn down(dir: &Path, staying: &[PathBuf]) -> String {
    match staying {
        [only] if only == dir => "cargo xtask kafka down".to_owned(),
        _ => format!("cargo xtask kafka down --dir {}", dir.display()),
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_topic_is_a_name_and_perhaps_a_number() {
        assert_eq!(topic("events:6"), Ok(("events".into(), 6)));
        assert_eq!(topic("a.b_c-1"), Ok(("a.b_c-1".into(), 1)));
        for bad in [
            "",
            ":6",
            "a b:1",
            "events:0",
            "events:six",
            "events:",
            "..:1",
            "a:b:1",
        ] {
            assert!(topic(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_cluster_is_ended_by_its_directory_where_it_is_not_the_only_one() {
        let [one, two] = ["kafka/one", "kafka/two"].map(PathBuf::from);
        assert_eq!(
            down(&one, std::slice::from_ref(&one)),
            "cargo xtask kafka down"
        );
        for staying in [&[][..], &[one.clone(), two.clone()], &[two]] {
            assert_eq!(
                down(&one, staying),
                "cargo xtask kafka down --dir kafka/one"
            );
        }
    }
}
