//! The processes of one cluster: starts, signals and ends them, and waits until the brokers know
//! each other. What the cluster is for, topics and tools, is not known here.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use crate::artifacts::Artifacts;
use crate::config::{self, Role};
use crate::error::Error;
use crate::probe;
use crate::process::{Process, Signal, Supervisor, start_detached, start_supervised};
use crate::state::{Node, State};
use crate::version::{Tool, Version};

/// A node that does not answer by then has failed to start.
const READY_WITHIN: Duration = Duration::from_secs(180);

/// How often readiness is looked for.
const POLL: Duration = Duration::from_millis(50);

/// A broker that comes back before ZooKeeper misses it finds its own name taken and ends; so it is
/// started up to this many times.
const STARTS_MAX: u32 = 4;

/// So many last lines of each log go into an error.
const TOLD_LINES: usize = 12;

/// The nodes of one cluster, running or not.
#[derive(Debug)]
pub(crate) struct Nodes {
    dir: PathBuf,
    state: State,
    /// By node id. It is empty when the cluster stays.
    supervisors: BTreeMap<i32, Supervisor>,
}

impl Nodes {
    /// Nodes whose files are in `dir`, in the state in which a file says that they are.
    pub(crate) fn new(dir: PathBuf, state: State) -> Self {
        Self {
            dir,
            state,
            supervisors: BTreeMap::new(),
        }
    }

    pub(crate) fn dir(&self) -> &Path {
        &self.dir
    }

    pub(crate) fn version(&self) -> Version {
        self.state.version
    }

    /// Whether the cluster ends with a process.
    pub(crate) fn has_owner(&self) -> bool {
        self.state.owner.is_some()
    }

    pub(crate) fn quorum_port(&self) -> u16 {
        self.state.quorum_port
    }

    /// Brokers first.
    pub(crate) fn all(&self) -> &[Node] {
        &self.state.nodes
    }

    /// Dead ones too.
    pub(crate) fn brokers(&self) -> impl Iterator<Item = &Node> {
        self.all().iter().filter(|node| node.role.is_broker())
    }

    /// # Errors
    /// When there is no node with this id.
    pub(crate) fn get(&self, id: i32) -> Result<&Node, Error> {
        let found = self.all().iter().find(|node| node.id == id);
        found.ok_or_else(|| Error::new(format!("no node {id} in {}", self.dir.display())))
    }

    pub(crate) fn node_dir(&self, id: i32) -> PathBuf {
        self.dir.join(format!("node-{id}"))
    }

    pub(crate) fn data_dir(&self, id: i32) -> PathBuf {
        self.node_dir(id).join("data")
    }

    pub(crate) fn log_file(&self, id: i32) -> PathBuf {
        self.node_dir(id).join("server.log")
    }

    pub(crate) fn properties_file(&self, id: i32) -> PathBuf {
        self.node_dir(id).join("node.properties")
    }

    /// Writes down which processes there are, so that others can end them.
    pub(crate) fn save(&self) -> Result<(), Error> {
        self.state.save(&self.dir)
    }

    /// Starts all nodes and waits until every broker knows every other.
    ///
    /// # Errors
    /// When a node does not start or does not answer; the end of its log is told.
    pub(crate) fn start_all(&mut self, artifacts: &Artifacts) -> Result<(), Error> {
        // The quorum goes first, because the brokers would wait for it.
        let mut ids: Vec<i32> = self.all().iter().map(|node| node.id).collect();
        ids.reverse();
        for id in ids {
            self.start(id, artifacts)?;
        }
        self.wait_ready(Instant::now() + READY_WITHIN)
    }

    /// Starts a broker that does not run and waits until the others know it.
    ///
    /// # Errors
    /// When there is no such node or it does not answer; the end of its log is told.
    pub(crate) fn start_broker(&mut self, id: i32, artifacts: &Artifacts) -> Result<(), Error> {
        let until = Instant::now() + READY_WITHIN;
        for _ in 0..STARTS_MAX {
            self.start(id, artifacts)?;
            match self.wait_ready(until) {
                Ok(()) => return Ok(()),
                Err(_) if !self.get(id)?.is_alive() && Instant::now() < until => {}
                Err(error) => return Err(error),
            }
        }
        Err(self.told_by_log(id, "ends as soon as it is started"))
    }

    fn start(&mut self, id: i32, artifacts: &Artifacts) -> Result<(), Error> {
        let node = self.get(id)?;
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
        let mut command = artifacts.java();
        command.push(format!("-Xmx{}m", node.heap_mb));
        command.push("-XX:+UseSerialGC".to_owned());
        command.push(format!("{option}{}", dir.join(logging).display()));
        command.push(self.version().class(tool).to_owned());
        command.push(self.properties_file(id).display().to_string());
        let out = dir.join("out.txt");
        let process = if self.has_owner() {
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
        self.save()
    }

    /// Waits until every broker whose process runs is known by each of the others.
    fn wait_ready(&self, until: Instant) -> Result<(), Error> {
        let mut expected: Vec<i32> = self
            .brokers()
            .filter(|node| node.is_alive())
            .map(|node| node.id)
            .collect();
        expected.sort_unstable();
        loop {
            let mut missing = None;
            for node in self.brokers().filter(|node| expected.contains(&node.id)) {
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
            let from = text.lines().count().saturating_sub(TOLD_LINES);
            lines.extend(text.lines().skip(from).map(str::to_owned));
        }
        Error::new(format!("node {id} {what}; it wrote:\n{}", lines.join("\n")))
    }

    /// Ends one node: asks it to, and kills it when it takes longer than `grace`. Without any grace
    /// it is killed at once.
    pub(crate) fn end(&mut self, id: i32, grace: Duration) -> Result<(), Error> {
        if let Some(process) = self.get(id)?.process {
            process.end(grace)?;
        }
        self.supervisors.remove(&id);
        Ok(())
    }

    /// Ends the brokers side by side, then what they depend on.
    pub(crate) fn end_all(&mut self, grace: Duration) -> Result<(), Error> {
        let (brokers, others): (Vec<&Node>, Vec<&Node>) =
            self.all().iter().partition(|node| node.role.is_broker());
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

    /// Limits the files of a node's process to a page.
    pub(crate) fn limit_files(&self, id: i32) -> Result<(), Error> {
        let process = self.get(id)?.process;
        process.map_or(Ok(()), |process: Process| process.limit_files())
    }

    /// Sends a signal to a node's process; one that was never started is left alone.
    pub(crate) fn signal(&self, id: i32, signal: Signal) -> Result<(), Error> {
        let process = self.get(id)?.process;
        process.map_or(Ok(()), |process: Process| process.signal(signal))
    }
}
