//! What is known of a running cluster, kept in a file so that another process can end it.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::config::Role;
use crate::error::Error;
use crate::process::Process;
use crate::version::Version;

const FILE: &str = "cluster.json";

/// A cluster's nodes and who owns it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct State {
    pub(crate) version: Version,
    /// The process that the cluster ends with; none when it was started to stay.
    pub(crate) owner: Option<Process>,
    /// Where the controller or ZooKeeper listens for the brokers.
    pub(crate) quorum_port: u16,
    pub(crate) nodes: Vec<Node>,
}

/// One node of a cluster.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// Its `node.id` or `broker.id`.
    pub id: i32,
    /// What it does in the cluster.
    pub role: Role,
    /// The port on loopback where clients reach it; brokers reach a controller or a ZooKeeper there.
    pub port: u16,
    /// The process of its last start; none when it was never started. It stays here when it was
    /// killed, until the node is started again.
    pub process: Option<Process>,
    /// The most heap that its JVM may take.
    pub heap_mb: u32,
}

impl Node {
    /// Whether its process runs; a paused one does.
    pub fn is_alive(&self) -> bool {
        self.process.is_some_and(|process| process.is_alive())
    }
}

impl State {
    pub(crate) fn save(&self, dir: &Path) -> Result<(), Error> {
        let path = dir.join(FILE);
        // It is renamed into place, so that a reader sees the old one or the new one.
        let scratch = dir.join("cluster.json.new");
        fs::write(&scratch, format!("{:#}\n", self.to_json()))
            .map_err(Error::io(scratch.display()))?;
        fs::rename(&scratch, &path).map_err(Error::io(path.display()))
    }

    pub(crate) fn load(dir: &Path) -> Result<Self, Error> {
        let path = dir.join(FILE);
        let text = fs::read_to_string(&path).map_err(Error::io(path.display()))?;
        let value = serde_json::from_str(&text).ok();
        value
            .as_ref()
            .and_then(Self::from_json)
            .ok_or_else(|| Error::new(format!("{} is not what was written there", path.display())))
    }

    /// The directories below `home` that hold a cluster.
    pub(crate) fn dirs(home: &Path) -> Vec<PathBuf> {
        let entries = fs::read_dir(home).into_iter().flatten().flatten();
        let mut dirs: Vec<PathBuf> = entries
            .map(|entry| entry.path())
            .filter(|dir| dir.join(FILE).is_file())
            .collect();
        dirs.sort();
        dirs
    }

    fn to_json(&self) -> Value {
        let nodes: Vec<Value> = self
            .nodes
            .iter()
            .map(|node| {
                json!({
                    "id": node.id,
                    "role": role_name(node.role),
                    "port": node.port,
                    "process": node.process.map(process_to_json),
                    "heap_mb": node.heap_mb,
                })
            })
            .collect();
        json!({
            "version": self.version.name(),
            "owner": self.owner.map(process_to_json),
            "quorum_port": self.quorum_port,
            "nodes": nodes,
        })
    }

    fn from_json(value: &Value) -> Option<Self> {
        let nodes = value["nodes"].as_array()?.iter().map(|node| {
            Some(Node {
                id: node["id"].as_i64()?.try_into().ok()?,
                role: role_from_name(node["role"].as_str()?)?,
                port: node["port"].as_u64()?.try_into().ok()?,
                process: process_from_json(&node["process"]),
                heap_mb: node["heap_mb"].as_u64()?.try_into().ok()?,
            })
        });
        Some(Self {
            version: value["version"].as_str()?.parse().ok()?,
            owner: process_from_json(&value["owner"]),
            quorum_port: value["quorum_port"].as_u64()?.try_into().ok()?,
            nodes: nodes.collect::<Option<_>>()?,
        })
    }
}

const ROLES: [(Role, &str); 4] = [
    (Role::Broker, "broker"),
    (Role::Combined, "combined"),
    (Role::Controller, "controller"),
    (Role::ZooKeeper, "zookeeper"),
];

fn role_name(role: Role) -> &'static str {
    ROLES
        .iter()
        .find(|(known, _)| *known == role)
        .map_or("", |(_, name)| name)
}

fn role_from_name(name: &str) -> Option<Role> {
    ROLES
        .iter()
        .find(|(_, known)| *known == name)
        .map(|(role, _)| *role)
}

fn process_to_json(process: Process) -> Value {
    json!({"pid": process.pid, "started_at": process.started_at})
}

fn process_from_json(value: &Value) -> Option<Process> {
    let pid = value["pid"].as_u64()?.try_into().ok()?;
    Some(Process {
        pid,
        started_at: value["started_at"].as_u64()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_saved_is_loaded() {
        let process = Some(Process {
            pid: 7,
            started_at: 1 << 40,
        });
        let nodes = ROLES
            .iter()
            .map(|(role, _)| Node {
                id: 1,
                role: *role,
                port: 65_535,
                process,
                heap_mb: 256,
            })
            .collect();
        let state = State {
            version: Version::V3_9_2,
            owner: None,
            quorum_port: 1,
            nodes,
        };
        assert_eq!(State::from_json(&state.to_json()), Some(state));
    }
}
