//! What the integration tests share: values of every message in every version.

pub(crate) mod entropy;
pub(crate) mod samples;
