//! A property that would change nothing here, until the caller is told so.

/// Its name, its value and why it changes nothing.
#[derive(Debug, Clone)]
pub(crate) struct Ignored {
    name: &'static str,
    /// As it may be shown.
    value: String,
    reason: &'static str,
}

impl Ignored {
    /// A property with its value as it may be shown.
    pub(crate) fn new(name: &'static str, value: String, reason: &'static str) -> Self {
        Self {
            name,
            value,
            reason,
        }
    }

    /// Tells of it.
    pub(crate) fn warn(&self) {
        let Self {
            name,
            value,
            reason,
        } = self;
        tracing::warn!(property = name, value, "property ignored: {reason}");
    }
}
