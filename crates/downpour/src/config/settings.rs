//! The configuration once it is checked: what the producer's parts read.

use std::sync::Arc;
use std::time::Duration;

use downpour_core::config::{BatchOptions, Config};

use crate::config::connector::Connector;
use crate::config::family::AddressFamily;
use crate::error::names::Names;
use crate::partitioner::Partitioner;

/// Checked settings, the core's and the shell's own.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    pub(crate) core: Arc<Config>,
    pub(crate) options: BatchOptions,
    pub(crate) buffer_memory: usize,
    /// Topics that the producer may know.
    pub(crate) topics_max: usize,
    /// At most ten years, so that it can be added to an instant.
    pub(crate) max_block: Duration,
    /// For what is said of settings while the producer runs.
    pub(crate) names: Names,
    pub(crate) partitioner: Option<Arc<dyn Partitioner>>,
    pub(crate) connector: Connector,
    pub(crate) send_buffer: Option<usize>,
    pub(crate) receive_buffer: Option<usize>,
    /// Whether the kernel looks after connections that carry nothing.
    pub(crate) keepalive: bool,
    /// Which of a name's addresses are used.
    pub(crate) family: AddressFamily,
}
