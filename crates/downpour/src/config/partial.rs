//! The configuration while it is being written: what the caller said, and nothing else.
//!
//! `None` means that the caller said nothing, which matters: a default may give way where an
//! explicit word is a contradiction. Checks and defaults are in `resolve`.

use std::sync::Arc;
use std::time::Duration;

use downpour_core::config::{Acks, Linger};
use downpour_wire::codec::CompressionType;

use crate::config::connector::Connector;
use crate::error::config::ConfigProblem;
use crate::partitioner::Partitioner;

/// What the caller said so far.
#[derive(Debug, Clone, Default)]
pub(crate) struct PartialConfig {
    pub(crate) bootstrap: Option<String>,
    pub(crate) client_id: Option<String>,
    pub(crate) acks: Option<Acks>,
    pub(crate) idempotence: Option<bool>,
    pub(crate) allow_reordering: Option<bool>,
    pub(crate) resend_unknown: Option<bool>,
    pub(crate) max_in_flight: Option<usize>,
    pub(crate) linger: Option<Linger>,
    pub(crate) batch_size: Option<usize>,
    pub(crate) record_max: Option<usize>,
    pub(crate) request_max: Option<usize>,
    pub(crate) codec: Option<CompressionType>,
    /// The level of the codec that was chosen with it.
    pub(crate) level: Option<i32>,
    /// Levels by Kafka's property names; they count only for the codec they name.
    pub(crate) gzip_level: Option<i32>,
    pub(crate) zstd_level: Option<i32>,
    pub(crate) delivery_timeout: Option<Duration>,
    pub(crate) request_timeout: Option<Duration>,
    pub(crate) max_block: Option<Duration>,
    pub(crate) retry_backoff: Option<Duration>,
    pub(crate) retry_backoff_max: Option<Duration>,
    pub(crate) reconnect_backoff: Option<Duration>,
    pub(crate) reconnect_backoff_max: Option<Duration>,
    pub(crate) connect_timeout: Option<Duration>,
    pub(crate) idle_timeout: Option<Duration>,
    pub(crate) metadata_max_age: Option<Duration>,
    pub(crate) old_record_age: Option<Duration>,
    pub(crate) auto_create_topics: Option<bool>,
    pub(crate) response_max: Option<usize>,
    pub(crate) buffer_memory: Option<usize>,
    pub(crate) send_buffer: Option<usize>,
    pub(crate) receive_buffer: Option<usize>,
    pub(crate) partitioner: Option<Arc<dyn Partitioner>>,
    pub(crate) connector: Connector,
    /// Problems of names and values, found as they came in.
    pub(crate) problems: Vec<ConfigProblem>,
    /// Whether names that are known but not here are skipped with a warning.
    pub(crate) ignore_unsupported: bool,
}
