//! What a caller may put beside a record. It is never sent.

use std::any::Any;
use std::sync::Arc;

/// Anything of the caller's that travels beside a record into its report, its error and the
/// log, and never to a broker.
pub type Label = Arc<dyn Any + Send + Sync>;
