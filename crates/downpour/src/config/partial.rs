//! The configuration while it is being written: what the caller said, and nothing else.
//!
//! That the caller said nothing matters: a default may give way where an explicit word is a
//! contradiction. Checks and defaults are in `resolve`.

use std::sync::Arc;
use std::time::Duration;

use downpour_core::config::{Acks, Linger};
use downpour_wire::codec::CompressionType;

use crate::config::connector::Connector;
use crate::config::family::AddressFamily;
use crate::config::ignored::Ignored;
use crate::config::servers::BootstrapServers;
use crate::config::setting::Setting;
use crate::error::config::{ConfigProblem, Said};
use crate::partitioner::Partitioner;

/// What the caller said so far.
#[derive(Debug, Clone)]
pub(crate) struct PartialConfig {
    pub(crate) bootstrap: Setting<BootstrapServers>,
    pub(crate) client_id: Setting<String>,
    pub(crate) acks: Setting<Acks>,
    pub(crate) idempotence: Setting<bool>,
    pub(crate) allow_reordering: Setting<bool>,
    pub(crate) resend_unknown: Setting<bool>,
    pub(crate) fail_on_data_loss: Setting<bool>,
    pub(crate) fail_on_cluster_change: Setting<bool>,
    pub(crate) max_in_flight: Setting<usize>,
    pub(crate) retries: Setting<u32>,
    pub(crate) linger: Setting<Linger>,
    pub(crate) batch_size: Setting<usize>,
    pub(crate) batch_records: Setting<usize>,
    pub(crate) record_max: Setting<usize>,
    pub(crate) request_max: Setting<usize>,
    pub(crate) codec: Setting<CompressionType>,
    /// The level of the codec that was chosen with it.
    pub(crate) level: Setting<i32>,
    /// Levels by property names that name a codec; they count only for that.
    pub(crate) gzip_level: Setting<i32>,
    pub(crate) zstd_level: Setting<i32>,
    /// librdkafka's level, which is for whatever codec there is.
    pub(crate) any_level: Setting<i32>,
    pub(crate) delivery_timeout: Setting<Duration>,
    pub(crate) request_timeout: Setting<Duration>,
    pub(crate) max_block: Setting<Duration>,
    pub(crate) retry_backoff: Setting<Duration>,
    pub(crate) retry_backoff_max: Setting<Duration>,
    pub(crate) reconnect_backoff: Setting<Duration>,
    pub(crate) reconnect_backoff_max: Setting<Duration>,
    pub(crate) connect_timeout: Setting<Duration>,
    pub(crate) idle_timeout: Setting<Duration>,
    pub(crate) metadata_max_age: Setting<Duration>,
    pub(crate) metadata_max_idle: Setting<Duration>,
    pub(crate) topics_max: Setting<usize>,
    pub(crate) old_record_age: Setting<Duration>,
    pub(crate) unknown_topic_timeout: Setting<Duration>,
    pub(crate) auto_create_topics: Setting<bool>,
    pub(crate) response_max: Setting<usize>,
    pub(crate) buffer_memory: Setting<usize>,
    pub(crate) buffer_records: Setting<usize>,
    pub(crate) send_buffer: Setting<usize>,
    pub(crate) receive_buffer: Setting<usize>,
    pub(crate) keepalive: Setting<bool>,
    pub(crate) family: Setting<AddressFamily>,
    pub(crate) partitioner: Setting<Arc<dyn Partitioner>>,
    pub(crate) connector: Connector,
    /// The texts of properties that were taken, as they may be shown; the latest of each name.
    pub(crate) written: Vec<(&'static str, String)>,
    /// Problems of names and values, found as they came in.
    pub(crate) problems: Vec<ConfigProblem>,
    /// Properties that change nothing here, to be told.
    pub(crate) ignored: Vec<Ignored>,
    /// Whether names that are known but not here are skipped with a warning.
    pub(crate) ignore_unsupported: bool,
}

impl Default for PartialConfig {
    fn default() -> Self {
        Self {
            bootstrap: Setting::unsaid("bootstrap"),
            client_id: Setting::unsaid("client_id"),
            acks: Setting::unsaid("acks"),
            idempotence: Setting::unsaid("idempotence"),
            allow_reordering: Setting::unsaid("allow_reordering"),
            resend_unknown: Setting::unsaid("resend_unknown"),
            fail_on_data_loss: Setting::unsaid("fail_on_data_loss"),
            fail_on_cluster_change: Setting::unsaid("fail_on_cluster_change"),
            max_in_flight: Setting::unsaid("max_in_flight"),
            retries: Setting::unsaid("retries"),
            linger: Setting::unsaid("linger"),
            batch_size: Setting::unsaid("batch_size"),
            batch_records: Setting::unsaid("batch_records"),
            record_max: Setting::unsaid("record_max"),
            request_max: Setting::unsaid("request_max"),
            codec: Setting::unsaid("compression"),
            level: Setting::unsaid("compression level"),
            gzip_level: Setting::unsaid("compression level"),
            zstd_level: Setting::unsaid("compression level"),
            any_level: Setting::unsaid("compression level"),
            delivery_timeout: Setting::unsaid("delivery_timeout"),
            request_timeout: Setting::unsaid("request_timeout"),
            max_block: Setting::unsaid("max_block"),
            retry_backoff: Setting::unsaid("retry_backoff"),
            retry_backoff_max: Setting::unsaid("retry_backoff (largest)"),
            reconnect_backoff: Setting::unsaid("reconnect_backoff"),
            reconnect_backoff_max: Setting::unsaid("reconnect_backoff (largest)"),
            connect_timeout: Setting::unsaid("connect_timeout"),
            idle_timeout: Setting::unsaid("idle_timeout"),
            metadata_max_age: Setting::unsaid("metadata_max_age"),
            metadata_max_idle: Setting::unsaid("metadata_max_idle"),
            topics_max: Setting::unsaid("topics_max"),
            old_record_age: Setting::unsaid("old_record_age"),
            unknown_topic_timeout: Setting::unsaid("unknown_topic_timeout"),
            auto_create_topics: Setting::unsaid("auto_create_topics"),
            response_max: Setting::unsaid("response_max"),
            buffer_memory: Setting::unsaid("buffer_memory"),
            buffer_records: Setting::unsaid("buffer_records"),
            send_buffer: Setting::unsaid("send_buffer"),
            receive_buffer: Setting::unsaid("receive_buffer"),
            keepalive: Setting::unsaid("keepalive"),
            family: Setting::unsaid("address_family"),
            partitioner: Setting::unsaid("partitioner"),
            connector: Connector::default(),
            written: Vec::new(),
            problems: Vec::new(),
            ignored: Vec::new(),
            ignore_unsupported: false,
        }
    }
}

impl PartialConfig {
    /// Keeps a property's text, as it may be shown, for errors that are found later.
    pub(crate) fn write_down(&mut self, name: &'static str, shown: String) {
        match self.written.iter_mut().find(|(known, _)| *known == name) {
            Some((_, text)) => *text = shown,
            None => self.written.push((name, shown)),
        }
    }

    /// What was written under this name, or else this value.
    pub(crate) fn as_written(&self, name: &str, value: impl ToString) -> String {
        match self.written.iter().find(|(known, _)| *known == name) {
            Some((_, text)) => text.clone(),
            None => value.to_string(),
        }
    }

    /// A setting as the caller wrote it, or with the value that holds.
    pub(crate) fn said<T>(&self, setting: &Setting<T>, value: impl ToString) -> Said {
        let name = setting.name();
        Said {
            name: name.to_owned(),
            value: Some(self.as_written(name, value)),
        }
    }
}

#[cfg(test)]
impl PartialConfig {
    /// One that names a broker.
    pub(crate) fn of(bootstrap: &str) -> Self {
        let mut partial = Self::default();
        partial.bootstrap.set(bootstrap.into());
        partial
    }
}
