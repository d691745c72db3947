//! One cluster of Apache Kafka on loopback: its start, its end, and what tests do to its brokers
//! in between. Kafka's own tools are run by `tools`.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use super::artifacts::Artifacts;
use super::config::{self, Common, Place, Role};
use super::error::Error;
use super::ports;
use super::probe::{self, NewTopic, Partition, View};
use super::process::{Process, Signal, Supervisor, start_detached, start_supervised};
use super::state::{Node, State};
use super::version::{Tool, Version};

/// A node that does not answer by then has failed to start.
const READY_WITHIN: Duration = Duration::from_secs(60);

/// How long a broker may take to hand over its partitions before it is killed.
const STOP_WITHIN: Duration = Duration::from_secs(20);

/// A new topic is in sync by then.
const SETTLED_WITHIN: Duration = Duration::from_secs(20);

/// How often readiness is looked for.
const POLL: Duration = Duration::from_millis(50);

/// A broker that comes back before ZooKeeper misses it finds its own name taken and ends.
const STARTS_MAX: u32 = 4;

/// The id of the node that is not a broker.
const QUORUM_ID: i32 = 100;

/// What to start.
#[derive(Debug, Clone)]
pub struct Spec {
    /// Which Kafka.
    pub version: Version,
    /// How many brokers; their ids are 1, 2, 3. With three, topics have three replicas by default
    /// and `min.insync.replicas` is 2.
    pub brokers: usize,
    /// Broker properties on top of the usual ones.
    pub properties: Vec<(String, String)>,
    /// The heap of each broker's JVM.
    pub heap_mb: u32,
    /// Where to keep everything; by default a new directory below `target/kafka`.
    pub dir: Option<PathBuf>,
}

impl Spec {
    /// So many brokers of a version, otherwise the usual.
    pub fn new(version: Version, brokers: usize) -> Self {
        Self {
            version,
            brokers,
            properties: Vec::new(),
            heap_mb: 384,
            dir: None,
        }
    }

    /// Sets one property of the brokers.
    #[must_use]
    pub fn property(mut self, name: &str, value: impl ToString) -> Self {
        self.properties.push((name.to_owned(), value.to_string()));
        self
    }
}

/// A running cluster. It ends when this is dropped and also when this process dies, unless it was
/// started to stay.
#[derive(Debug)]
pub struct Cluster {
    artifacts: Artifacts,
    dir: PathBuf,
    state: State,
    /// By node id. Empty when the cluster stays.
    supervisors: BTreeMap<i32, Supervisor>,
}

impl Cluster {
    /// Starts a cluster that ends with this value, at the latest with this process. Waits until
    /// every broker knows every other.
    ///
    /// # Errors
    /// When Kafka cannot be resolved, or a node does not answer within a minute; the end of its
    /// log is told then.
    pub fn start(spec: &Spec) -> Result<Self, Error> {
        Self::start_owned(spec, Some(Process::this()?))
    }

    /// Starts a cluster that stays when this process ends. [`Cluster::open`] finds it again.
    ///
    /// # Errors
    /// As [`Cluster::start`].
    pub fn start_to_stay(spec: &Spec) -> Result<Self, Error> {
        Self::start_owned(spec, None)
    }

    /// Opens a cluster that was started to stay.
    ///
    /// # Errors
    /// When there is none in `dir`, or it belongs to another process.
    pub fn open(dir: &Path) -> Result<Self, Error> {
        let state = State::load(dir)?;
        if let Some(owner) = state.owner {
            let what = format!("{} belongs to process {}", dir.display(), owner.pid);
            return Err(Error::new(what));
        }
        let artifacts = Artifacts::resolve(&home(), state.version)?;
        Ok(Self {
            artifacts,
            dir: dir.to_path_buf(),
            state,
            supervisors: BTreeMap::new(),
        })
    }

    /// The directories of the clusters below `target/kafka` that were started to stay.
    pub fn staying() -> Vec<PathBuf> {
        let dirs = State::dirs(&home()).into_iter();
        dirs.filter(|dir| State::load(dir).is_ok_and(|state| state.owner.is_none()))
            .collect()
    }

    /// For a producer's `bootstrap.servers`.
    pub fn bootstrap(&self) -> String {
        let brokers = self.nodes().iter().filter(|node| node.role.is_broker());
        brokers
            .map(|node| format!("127.0.0.1:{}", node.port))
            .collect::<Vec<_>>()
            .join(",")
    }

    /// Which Kafka it is.
    pub fn version(&self) -> Version {
        self.state.version
    }

    /// All nodes, brokers first.
    pub fn nodes(&self) -> &[Node] {
        &self.state.nodes
    }

    /// The ids of the brokers, dead ones too.
    pub fn broker_ids(&self) -> Vec<i32> {
        self.nodes()
            .iter()
            .filter(|node| node.role.is_broker())
            .map(|node| node.id)
            .collect()
    }

    /// Where everything is kept.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// What a node logs.
    pub fn log_file(&self, id: i32) -> PathBuf {
        self.node_dir(id).join("server.log")
    }

    /// Where a broker keeps its partitions.
    pub fn data_dir(&self, id: i32) -> PathBuf {
        self.node_dir(id).join("data")
    }

    /// Kills a broker with SIGKILL.
    ///
    /// # Errors
    /// When there is no such broker.
    pub fn kill(&mut self, id: i32) -> Result<(), Error> {
        self.end_node(id, Duration::ZERO)
    }

    /// Asks a broker to end, as an operator would: it hands over its partitions first.
    ///
    /// # Errors
    /// When there is no such broker.
    pub fn stop(&mut self, id: i32) -> Result<(), Error> {
        self.end_node(id, STOP_WITHIN)
    }

    /// Stops a broker's process without ending it: its connections stay open and silent.
    ///
    /// # Errors
    /// When there is no such broker.
    pub fn pause(&self, id: i32) -> Result<(), Error> {
        self.signal(id, Signal::Stop)
    }

    /// Lets a paused broker run on.
    ///
    /// # Errors
    /// When there is no such broker.
    pub fn resume(&self, id: i32) -> Result<(), Error> {
        self.signal(id, Signal::Continue)
    }

    /// Starts a broker that was killed or stopped, on the port and the data it had, and waits
    /// until it is part of the cluster again. Its replicas may still lag:
    /// see [`Cluster::wait_in_sync`].
    ///
    /// # Errors
    /// When there is no such broker or it does not answer.
    pub fn start_broker(&mut self, id: i32) -> Result<(), Error> {
        let until = Instant::now() + READY_WITHIN;
        for _ in 0..STARTS_MAX {
            self.start_node(id)?;
            match self.wait_ready(until) {
                Ok(()) => return Ok(()),
                Err(_) if !self.node(id)?.is_alive() && Instant::now() < until => {}
                Err(error) => return Err(error),
            }
        }
        Err(self.told_by_log(id, "ends as soon as it is started"))
    }

    /// Stops a broker if it runs, and starts it again.
    ///
    /// # Errors
    /// As [`Cluster::start_broker`].
    pub fn restart(&mut self, id: i32) -> Result<(), Error> {
        self.stop(id)?;
        self.start_broker(id)
    }

    /// Creates a topic with as many replicas as the cluster has brokers, three at most.
    ///
    /// # Errors
    /// As [`Cluster::create_topic_with_replicas`].
    pub fn create_topic(
        &self,
        topic: &str,
        partitions: u32,
        configs: &[(&str, &str)],
    ) -> Result<(), Error> {
        let replicas = self.broker_ids().len().min(3) as u16;
        self.create_topic_with_replicas(topic, partitions, replicas, configs)
    }

    /// Creates a topic with a number of replicas and waits until they are in sync.
    ///
    /// # Errors
    /// When the cluster refuses, for example because the topic exists; its words are told.
    pub fn create_topic_with_replicas(
        &self,
        topic: &str,
        partitions: u32,
        replicas: u16,
        configs: &[(&str, &str)],
    ) -> Result<(), Error> {
        let controller = self.ask(&[])?.controller;
        let new = NewTopic {
            name: topic,
            partitions,
            replicas,
            configs,
        };
        probe::create_topic(self.node(controller)?.port, &new)?;
        self.wait_in_sync(topic, SETTLED_WITHIN)
    }

    /// Deletes a topic. Brokers may still know it for a moment.
    ///
    /// # Errors
    /// When the cluster refuses, for example because there is no such topic.
    pub fn delete_topic(&self, topic: &str) -> Result<(), Error> {
        let controller = self.ask(&[])?.controller;
        probe::delete_topic(self.node(controller)?.port, topic)
    }

    /// What the cluster says of a topic; see [`Cluster::ask`] for which broker is asked.
    ///
    /// # Errors
    /// When no broker answers.
    pub fn partitions(&self, topic: &str) -> Result<Vec<Partition>, Error> {
        Ok(self.ask(&[topic])?.partitions)
    }

    /// The broker that leads a partition.
    ///
    /// # Errors
    /// When no broker answers, or the partition has no leader now.
    pub fn leader(&self, topic: &str, partition: i32) -> Result<i32, Error> {
        let partitions = self.partitions(topic)?;
        let found = partitions.iter().find(|found| found.id == partition);
        found
            .map(|found| found.leader)
            .filter(|leader| *leader >= 0)
            .ok_or_else(|| Error::new(format!("partition {partition} of {topic} has no leader")))
    }

    /// Asks the first broker that answers about some topics.
    ///
    /// # Errors
    /// When no broker answers within 3 s.
    pub fn ask(&self, topics: &[&str]) -> Result<View, Error> {
        let mut last = Error::new("no broker runs");
        for node in self
            .nodes()
            .iter()
            .filter(|node| node.role.is_broker() && node.is_alive())
        {
            match probe::view(node.port, topics) {
                Ok(view) => return Ok(view),
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    /// Waits until every partition of a topic has a leader and all its replicas in sync.
    ///
    /// # Errors
    /// When that does not come within the time; the partitions that lag are told.
    pub fn wait_in_sync(&self, topic: &str, within: Duration) -> Result<(), Error> {
        let until = Instant::now() + within;
        loop {
            let lagging = match self.partitions(topic) {
                Ok(partitions) if partitions.is_empty() => "it has no partitions".to_owned(),
                Ok(partitions) => {
                    let lags = |p: &&Partition| p.leader < 0 || p.in_sync.len() < p.replicas.len();
                    let lagging: Vec<_> = partitions.iter().filter(lags).collect();
                    if lagging.is_empty() {
                        return Ok(());
                    }
                    format!("{lagging:?}")
                }
                Err(error) => error.to_string(),
            };
            if Instant::now() >= until {
                return Err(Error::new(format!("{topic} is not in sync: {lagging}")));
            }
            thread::sleep(POLL);
        }
    }

    /// Ends the cluster, each node after being asked to, and removes its directory.
    ///
    /// # Errors
    /// When a process survives.
    pub fn down(mut self) -> Result<(), Error> {
        self.end_all(STOP_WITHIN)?;
        fs::remove_dir_all(&self.dir).map_err(Error::io(self.dir.display()))
    }

    pub(super) fn artifacts(&self) -> &Artifacts {
        &self.artifacts
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if self.state.owner.is_none() {
            return;
        }
        // Killed, because nobody needs what they would still write. The supervisors kill what this
        // does not, and a directory left is swept at the next start.
        let _ = self.end_all(Duration::ZERO);
        if thread::panicking() {
            for node in &self.state.nodes {
                let _ = fs::remove_dir_all(self.data_dir(node.id));
            }
        } else {
            let _ = fs::remove_dir_all(&self.dir);
        }
    }
}

/// The start, and what it shares with the end.
impl Cluster {
    fn start_owned(spec: &Spec, owner: Option<Process>) -> Result<Self, Error> {
        if spec.brokers == 0 || spec.brokers > 9 {
            return Err(Error::new(format!(
                "{} brokers: from 1 to 9 are possible",
                spec.brokers
            )));
        }
        let home = home();
        sweep(&home);
        let artifacts = Artifacts::resolve(&home, spec.version)?;
        let dir = spec.dir.clone().unwrap_or_else(|| new_dir(&home));
        fs::create_dir_all(&dir).map_err(Error::io(dir.display()))?;
        let dir = dir.canonicalize().map_err(Error::io(dir.display()))?;
        if State::load(&dir).is_ok() {
            return Err(Error::new(format!(
                "{} holds a cluster already",
                dir.display()
            )));
        }
        let state = plan(spec, owner)?;
        let mut cluster = Self {
            artifacts,
            dir,
            state,
            supervisors: BTreeMap::new(),
        };
        cluster.state.save(&cluster.dir)?;
        let started = cluster.configure(spec).and_then(|()| cluster.start_nodes());
        if let Err(error) = started {
            cluster.end_all(Duration::ZERO)?;
            // The logs stay: they say more than this error does.
            return Err(error);
        }
        Ok(cluster)
    }

    /// Writes what each node reads at its start.
    fn configure(&self, spec: &Spec) -> Result<(), Error> {
        let apart = self.nodes().iter().find(|node| !node.role.is_broker());
        let cluster_id = new_cluster_id();
        let common = Common {
            version: spec.version,
            brokers: spec.brokers,
            // A combined node is its own quorum.
            quorum_id: apart.map_or(1, |node| node.id),
            quorum_port: self.state.quorum_port,
            extra: &spec.properties,
        };
        for node in self.nodes() {
            let dir = self.node_dir(node.id);
            let data = self.data_dir(node.id);
            fs::create_dir_all(&data).map_err(Error::io(data.display()))?;
            let place = Place {
                id: node.id,
                role: node.role,
                port: node.port,
                data: &data,
            };
            let text = match node.role {
                Role::ZooKeeper => config::zookeeper(&place),
                _ => config::node(&common, &place),
            };
            write(&dir.join("node.properties"), &text)?;
            let (name, text, _) = config::logging(spec.version, &self.log_file(node.id));
            write(&dir.join(name), &text)?;
            if !spec.version.has_zookeeper() {
                let meta = config::meta_properties(&cluster_id, &place);
                write(&data.join("meta.properties"), &meta)?;
                let from = self.artifacts.bootstrap_checkpoint();
                let to = data.join("bootstrap.checkpoint");
                fs::copy(&from, &to).map_err(Error::io(from.display()))?;
            }
        }
        Ok(())
    }

    fn start_nodes(&mut self) -> Result<(), Error> {
        // The quorum first: the brokers would wait for it.
        let mut ids: Vec<i32> = self.nodes().iter().map(|node| node.id).collect();
        ids.reverse();
        for id in ids {
            self.start_node(id)?;
        }
        self.wait_ready(Instant::now() + READY_WITHIN)
    }

    fn start_node(&mut self, id: i32) -> Result<(), Error> {
        let node = self.node(id)?;
        if node.is_alive() {
            return Ok(());
        }
        let dir = self.node_dir(id);
        let (logging, _, option) = config::logging(self.version(), &dir);
        let tool = if node.role == Role::ZooKeeper {
            Tool::ZooKeeper
        } else {
            Tool::Broker
        };
        let mut command = self.artifacts.java();
        command.push(format!("-Xmx{}m", node.heap_mb));
        command.push("-XX:+UseSerialGC".to_owned());
        command.push(format!("{option}{}", dir.join(logging).display()));
        command.push(self.version().class(tool).to_owned());
        command.push(dir.join("node.properties").display().to_string());
        let out = dir.join("out.txt");
        let process = if self.state.owner.is_some() {
            // The supervisor of a broker that ended is done.
            self.supervisors.remove(&id);
            let (process, supervisor) = start_supervised(&command, &out)?;
            self.supervisors.insert(id, supervisor);
            process
        } else {
            start_detached(&command, &out)?
        };
        let nodes = self.state.nodes.iter_mut();
        nodes
            .filter(|node| node.id == id)
            .for_each(|node| node.process = Some(process));
        self.state.save(&self.dir)
    }

    /// Waits until every broker whose process runs is known by each of the others.
    fn wait_ready(&self, until: Instant) -> Result<(), Error> {
        let brokers = || self.nodes().iter().filter(|node| node.role.is_broker());
        let mut expected: Vec<i32> = brokers()
            .filter(|node| node.is_alive())
            .map(|node| node.id)
            .collect();
        expected.sort_unstable();
        loop {
            let mut missing = None;
            for node in brokers().filter(|node| expected.contains(&node.id)) {
                if !node.is_alive() {
                    return Err(self.told_by_log(node.id, "ended at its start"));
                }
                match probe::view(node.port, &[]) {
                    Ok(view) if view.brokers == expected && view.controller >= 0 => {}
                    Ok(_) => missing = Some((node.id, "does not know all others".to_owned())),
                    Err(error) => missing = Some((node.id, error.to_string())),
                }
            }
            let Some((id, what)) = missing else {
                return Ok(());
            };
            if Instant::now() >= until {
                return Err(self.told_by_log(id, &what));
            }
            thread::sleep(POLL);
        }
    }

    /// An error that ends with what the node wrote last.
    fn told_by_log(&self, id: i32, what: &str) -> Error {
        let mut lines: Vec<String> = Vec::new();
        for file in ["out.txt", "server.log"] {
            let text = fs::read_to_string(self.node_dir(id).join(file)).unwrap_or_default();
            let from = text.lines().count().saturating_sub(12);
            lines.extend(text.lines().skip(from).map(str::to_owned));
        }
        Error::new(format!("node {id} {what}; it wrote:\n{}", lines.join("\n")))
    }

    fn end_node(&mut self, id: i32, grace: Duration) -> Result<(), Error> {
        if let Some(process) = self.node(id)?.process {
            process.end(grace)?;
        }
        self.supervisors.remove(&id);
        Ok(())
    }

    /// Ends the brokers side by side, then what they depend on.
    fn end_all(&mut self, grace: Duration) -> Result<(), Error> {
        let (brokers, others): (Vec<&Node>, Vec<&Node>) =
            self.nodes().iter().partition(|node| node.role.is_broker());
        for nodes in [brokers, others] {
            let processes = || nodes.iter().filter_map(|node| node.process);
            if !grace.is_zero() {
                for process in processes() {
                    process.ask_to_end()?;
                }
            }
            for process in processes() {
                process.end(grace)?;
            }
        }
        self.supervisors.clear();
        Ok(())
    }

    fn signal(&self, id: i32, signal: Signal) -> Result<(), Error> {
        self.node(id)?
            .process
            .map_or(Ok(()), |process| process.signal(signal))
    }

    fn node(&self, id: i32) -> Result<&Node, Error> {
        let found = self.nodes().iter().find(|node| node.id == id);
        found.ok_or_else(|| Error::new(format!("no node {id} in {}", self.dir.display())))
    }

    fn node_dir(&self, id: i32) -> PathBuf {
        self.dir.join(format!("node-{id}"))
    }
}

/// The nodes of a new cluster: brokers first.
fn plan(spec: &Spec, owner: Option<Process>) -> Result<State, Error> {
    let ports = ports::free(spec.brokers + 1)?;
    let quorum_port = ports[spec.brokers];
    let mut nodes = Vec::new();
    let quorum = if spec.version.has_zookeeper() {
        Role::ZooKeeper
    } else {
        Role::Controller
    };
    let is_combined = spec.brokers == 1 && quorum == Role::Controller;
    for (id, port) in (1..).zip(&ports[..spec.brokers]) {
        let role = if is_combined {
            Role::Combined
        } else {
            Role::Broker
        };
        nodes.push(Node {
            id,
            role,
            port: *port,
            process: None,
            heap_mb: spec.heap_mb,
        });
    }
    if !is_combined {
        let (id, port) = (QUORUM_ID, quorum_port);
        nodes.push(Node {
            id,
            role: quorum,
            port,
            process: None,
            heap_mb: 256,
        });
    }
    Ok(State {
        version: spec.version,
        owner,
        quorum_port,
        nodes,
    })
}

/// Removes what clusters left whose owner was killed; their processes ended with it.
fn sweep(home: &Path) {
    for dir in State::dirs(home) {
        let owner = State::load(&dir).ok().and_then(|state| state.owner);
        if owner.is_some_and(|owner| !owner.is_alive()) {
            let _ = fs::remove_dir_all(&dir);
        }
    }
}

fn home() -> PathBuf {
    crate::root().join("target").join("kafka")
}

fn new_dir(home: &Path) -> PathBuf {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    home.join(format!("run-{}-{count}", std::process::id()))
}

/// Sixteen bytes as Kafka writes them, which differ from one cluster to the next.
fn new_cluster_id() -> String {
    use std::hash::{BuildHasher, RandomState};
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let random = RandomState::new();
    // The last letter holds the last two bits; a dash at the start looks like an option.
    let letter = |at: u32| match at {
        0 => 'K',
        21 => 'A',
        _ => LETTERS[random.hash_one(at) as usize % LETTERS.len()] as char,
    };
    (0..22).map(letter).collect()
}

fn write(path: &Path, text: &str) -> Result<(), Error> {
    fs::write(path, text).map_err(Error::io(path.display()))
}
