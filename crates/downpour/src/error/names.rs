//! The names of settings as the caller used them, for what is said while the producer runs.

/// A setter's name or a property's. A setting of which nothing was said has its setter's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Names {
    pub(crate) buffer_memory: &'static str,
    pub(crate) buffer_records: &'static str,
    pub(crate) max_block: &'static str,
    pub(crate) record_max: &'static str,
}
