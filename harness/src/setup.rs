//! Writes the files that the nodes of a new cluster read at their start. What is in them is decided
//! in `config`.

use std::fs;
use std::hash::{BuildHasher, RandomState};
use std::path::Path;

use crate::artifacts::Artifacts;
use crate::config::{self, Common, Place, Role};
use crate::error::Error;
use crate::nodes::Nodes;
use crate::spec::Spec;

/// Writes the files of every node.
///
/// # Errors
/// When a file cannot be written.
pub(crate) fn write_files(spec: &Spec, artifacts: &Artifacts, nodes: &Nodes) -> Result<(), Error> {
    let apart = nodes.all().iter().find(|node| !node.role.is_broker());
    let cluster_id = new_cluster_id();
    let common = Common {
        version: spec.version,
        brokers: spec.brokers,
        // A combined node is its own quorum.
        quorum_id: apart.map_or(1, |node| node.id),
        quorum_port: nodes.quorum_port(),
        clients_at: spec.clients_at,
        extra: &spec.properties,
    };
    for node in nodes.all() {
        let dir = nodes.node_dir(node.id);
        let data = nodes.data_dir(node.id);
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
        write(&nodes.properties_file(node.id), &text)?;
        let (name, text, _) = config::logging(spec.version, &nodes.log_file(node.id));
        write(&dir.join(name), &text)?;
        if !spec.version.has_zookeeper() {
            let meta = config::meta_properties(&cluster_id, &place);
            write(&data.join("meta.properties"), &meta)?;
            let from = artifacts.bootstrap_checkpoint();
            let to = data.join("bootstrap.checkpoint");
            fs::copy(&from, &to).map_err(Error::io(from.display()))?;
        }
    }
    Ok(())
}

/// Sixteen bytes as Kafka writes them, which differ from one cluster to the next.
fn new_cluster_id() -> String {
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
