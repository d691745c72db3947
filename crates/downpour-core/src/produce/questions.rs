//! Which questions of callers have no answer yet. What answers them is in `asking`.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use crate::config::Address;

/// Questions without an answer, each until when it is asked.
#[derive(Debug, Default)]
pub(super) struct Asking {
    pub(super) cluster: Option<ClusterWanted>,
    pub(super) partitions: BTreeMap<u32, Instant>,
}

/// Somebody wants to know whether the cluster can be used.
#[derive(Debug)]
pub(super) struct ClusterWanted {
    pub(super) until: Instant,
    /// Set by an answer that came since: brokers and leaders can be asked for.
    pub(super) has_metadata: bool,
    /// Addresses of the user's that could not be reached since.
    pub(super) unreachable: BTreeSet<Address>,
}

impl Asking {
    pub(super) fn is_open(&self) -> bool {
        self.cluster.is_some() || self.asks_for_partitions()
    }

    pub(super) fn asks_for_partitions(&self) -> bool {
        !self.partitions.is_empty()
    }

    /// Forgets what nobody waits for any more.
    pub(super) fn expire(&mut self, now: Instant) {
        self.partitions.retain(|_, until| *until > now);
        self.cluster.take_if(|wanted| wanted.until <= now);
    }
}
