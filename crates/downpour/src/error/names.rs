//! The names of settings as the caller used them, for what is said while the producer runs.

/// Setters' names or properties'. A setting of which nothing was said has its setter's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Names {
    /// What is full when there is no memory for a record: the bound on bytes, or on records where
    /// there is one. One word wide, as it goes into the smallest of errors.
    pub(crate) bound: &'static &'static str,
    pub(crate) buffer_memory: &'static str,
    pub(crate) max_block: &'static str,
    pub(crate) record_max: &'static str,
}

#[cfg(test)]
impl Names {
    /// Those of the setters.
    pub(crate) const SETTERS: Self = Self {
        bound: &"buffer_memory",
        buffer_memory: "buffer_memory",
        max_block: "max_block",
        record_max: "record_max",
    };
}
