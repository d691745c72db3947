//! What stays of a bench: `latest.md` to read, `latest.json` with every run; with `--kafka` these are
//! `kafka.md` and `kafka.json`.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use crate::cells::Cell;
use crate::figures::Results;
use crate::table;

/// What was measured so far; it grows cell by cell.
#[derive(Debug)]
pub(crate) struct Report {
    /// The name of both files without their extensions.
    name: &'static str,
    machine: Value,
    rounds: usize,
    tables: Vec<String>,
    cells: Vec<Value>,
    versions: BTreeMap<String, String>,
    voids: usize,
}

impl Report {
    pub(crate) fn new(name: &'static str, machine: Value, rounds: usize) -> Self {
        Self {
            name,
            machine,
            rounds,
            tables: Vec::new(),
            cells: Vec::new(),
            versions: BTreeMap::new(),
            voids: 0,
        }
    }

    pub(crate) fn add(&mut self, cell: &Cell, results: &Results) {
        let mut peers = Vec::new();
        for (index, peer) in results.peers.iter().enumerate() {
            for line in results.lines(index) {
                let text = |field: &str| line[field].as_str().unwrap_or_default().to_owned();
                self.versions.insert(text("peer"), text("version"));
            }
            let voids = results.voids(index);
            self.voids += voids.len();
            let lines: Vec<&Value> = results.lines(index).collect();
            peers.push(json!({ "name": peer.name, "runs": lines, "void": voids }));
        }
        let left_out = results.left_out.iter();
        let left_out: Vec<_> = left_out
            .map(|(peer, why)| json!({ "name": peer.name, "why": why }))
            .collect();
        self.cells.push(json!({
            "cell": cell.name, "what": cell.what, "peers": peers, "left_out": left_out,
        }));
        self.tables.push(table::markdown(cell, results));
    }

    /// Whether every run counts.
    pub(crate) fn all_count(&self) -> bool {
        self.voids == 0
    }

    /// The machine and the versions as a line of text.
    pub(crate) fn machine(&self) -> String {
        let word = |name: &str| self.machine[name].to_string().replace('"', "");
        let versions: Vec<String> = self
            .versions
            .iter()
            .map(|(peer, version)| format!("{peer} {version}"))
            .collect();
        let kafka = self.machine["kafka"].as_str();
        let kafka = kafka.map_or_else(String::new, |kafka| format!("; {kafka}"));
        format!(
            "{}, {} cores, {}; Linux {}; {}; commit {}; load before {}{kafka}.\n{} rounds, medians (min-max); \
             ratios within a round. {}.",
            word("cpu"),
            word("cores"),
            word("memory"),
            word("kernel"),
            word("rustc"),
            word("commit"),
            word("load_before"),
            self.rounds,
            versions.join("; "),
        )
    }

    /// Writes both files.
    pub(crate) fn write(&self, dir: &Path) -> Result<(), String> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        let whole = json!({
            "unix_time": now.map_or(0, |now| now.as_secs()),
            "machine": self.machine,
            "versions": self.versions,
            "rounds": self.rounds,
            "cells": self.cells,
        });
        let text = format!(
            "# Bench\n\n{}\n\n{}",
            self.machine(),
            self.tables.join("\n")
        );
        let put = |name: &str, text: &str| {
            let path = dir.join(name);
            fs::write(&path, text).map_err(|error| format!("{}: {error}", path.display()))
        };
        put(&format!("{}.md", self.name), &text)?;
        put(&format!("{}.json", self.name), &whole.to_string())
    }
}
