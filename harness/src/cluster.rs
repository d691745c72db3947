//! One cluster of Apache Kafka on loopback: its start, its end, and what tests do to its brokers in
//! between. Its processes are run by `nodes`, topics are in `topics`, Kafka's own tools in `tools`.

use std::fs;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use crate::artifacts::Artifacts;
use crate::error::Error;
use crate::home::{home, new_dir, sweep};
use crate::nodes::Nodes;
use crate::process::{Process, Signal};
use crate::setup;
use crate::spec::Spec;
use crate::state::{Node, State};
use crate::version::Version;

/// How long a broker may take to hand over its partitions before it is killed.
const STOP_WITHIN: Duration = Duration::from_secs(20);

/// A running cluster. It ends when this is dropped and also when this process dies, unless it was
/// started to stay.
#[derive(Debug)]
pub struct Cluster {
    artifacts: Artifacts,
    nodes: Nodes,
}

impl Cluster {
    /// Starts a cluster that ends with this value, at the latest with this process. Waits until
    /// every broker knows every other.
    ///
    /// # Errors
    /// When Kafka cannot be resolved, or a node does not answer within three minutes; the end of its
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
            nodes: Nodes::new(dir.to_path_buf(), state),
        })
    }

    /// The directories of the clusters below `target/kafka` that were started to stay.
    pub fn staying() -> Vec<PathBuf> {
        let dirs = State::dirs(&home()).into_iter();
        dirs.filter(|dir| State::load(dir).is_ok_and(|state| state.owner.is_none()))
            .collect()
    }

    fn start_owned(spec: &Spec, owner: Option<Process>) -> Result<Self, Error> {
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
        let mut nodes = Nodes::new(dir, spec.plan(owner)?);
        nodes.save()?;
        let started =
            setup::write_files(spec, &artifacts, &nodes).and_then(|()| nodes.start_all(&artifacts));
        if let Err(error) = started {
            nodes.end_all(Duration::ZERO)?;
            // The logs stay, because they say more than this error does.
            return Err(error);
        }
        Ok(Self { artifacts, nodes })
    }

    /// The addresses of all brokers, dead ones too, for a producer's `bootstrap.servers`.
    pub fn bootstrap(&self) -> String {
        let brokers = self.nodes.brokers();
        brokers
            .map(|node| format!("127.0.0.1:{}", node.port))
            .collect::<Vec<_>>()
            .join(",")
    }

    /// The release of Apache Kafka that its nodes run.
    pub fn version(&self) -> Version {
        self.nodes.version()
    }

    /// All nodes, brokers first.
    pub fn nodes(&self) -> &[Node] {
        self.nodes.all()
    }

    /// The ids of the brokers, dead ones too.
    pub fn broker_ids(&self) -> Vec<i32> {
        self.nodes.brokers().map(|node| node.id).collect()
    }

    /// The directory that holds everything that this cluster writes.
    pub fn dir(&self) -> &Path {
        self.nodes.dir()
    }

    /// The file that a node writes its log to.
    pub fn log_file(&self, id: i32) -> PathBuf {
        self.nodes.log_file(id)
    }

    /// The directory in which a broker keeps its partitions.
    pub fn data_dir(&self, id: i32) -> PathBuf {
        self.nodes.data_dir(id)
    }

    /// The file of properties that a node reads at its start; changes count from its next start on.
    pub fn properties_file(&self, id: i32) -> PathBuf {
        self.nodes.properties_file(id)
    }

    /// Kills a broker with SIGKILL.
    ///
    /// # Errors
    /// When there is no such broker.
    pub fn kill(&mut self, id: i32) -> Result<(), Error> {
        self.nodes.end(id, Duration::ZERO)
    }

    /// Asks a broker to end, as an operator would: it hands over its partitions first.
    ///
    /// # Errors
    /// When there is no such broker.
    pub fn stop(&mut self, id: i32) -> Result<(), Error> {
        self.nodes.end(id, STOP_WITHIN)
    }

    /// Stops a broker's process without ending it: its connections stay open and silent.
    ///
    /// # Errors
    /// When there is no such broker.
    pub fn pause(&self, id: i32) -> Result<(), Error> {
        self.nodes.signal(id, Signal::Stop)
    }

    /// Lets a paused broker run on.
    ///
    /// # Errors
    /// When there is no such broker.
    pub fn resume(&self, id: i32) -> Result<(), Error> {
        self.nodes.signal(id, Signal::Continue)
    }

    /// Lets a broker write no file beyond its first page from now on, as if its disk were full, until
    /// it is started again. A broker of KRaft ends by itself then.
    ///
    /// # Errors
    /// When there is no such broker, or no `prlimit`.
    pub fn fill_disk(&self, id: i32) -> Result<(), Error> {
        self.nodes.limit_files(id)
    }

    /// Whether a node's process runs; a paused one does.
    pub fn is_alive(&self, id: i32) -> bool {
        self.nodes()
            .iter()
            .any(|node| node.id == id && node.is_alive())
    }

    /// The id of the node that is the controller of a KRaft cluster of several brokers, or the
    /// ZooKeeper. It can be killed, paused and started as a broker can.
    pub fn quorum_id(&self) -> Option<i32> {
        let mut nodes = self.nodes().iter();
        nodes
            .find(|node| !node.role.is_broker())
            .map(|node| node.id)
    }

    /// Starts a broker that was killed or stopped, on the port and the data it had, and waits
    /// until it is part of the cluster again. Its replicas may still lag:
    /// see [`Cluster::wait_in_sync`].
    ///
    /// # Errors
    /// When there is no such broker or it does not answer.
    pub fn start_broker(&mut self, id: i32) -> Result<(), Error> {
        self.nodes.start_broker(id, &self.artifacts)
    }

    /// Stops a broker if it runs, and starts it again.
    ///
    /// # Errors
    /// As [`Cluster::start_broker`].
    pub fn restart(&mut self, id: i32) -> Result<(), Error> {
        self.stop(id)?;
        self.start_broker(id)
    }

    /// Ends the cluster, each node after being asked to, and removes its directory.
    ///
    /// # Errors
    /// When a process survives.
    pub fn down(mut self) -> Result<(), Error> {
        self.nodes.end_all(STOP_WITHIN)?;
        fs::remove_dir_all(self.dir()).map_err(Error::io(self.dir().display()))
    }

    pub(crate) fn artifacts(&self) -> &Artifacts {
        &self.artifacts
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if !self.nodes.has_owner() {
            return;
        }
        // Killed, because nobody needs what they would still write. The supervisors kill what this
        // does not, and a directory that is left is swept at the next start.
        let _ = self.nodes.end_all(Duration::ZERO);
        if thread::panicking() {
            // The logs stay for whoever reads why the test failed; the records go.
            for node in self.nodes.all() {
                let _ = fs::remove_dir_all(self.nodes.data_dir(node.id));
            }
        } else {
            let _ = fs::remove_dir_all(self.dir());
        }
    }
}
