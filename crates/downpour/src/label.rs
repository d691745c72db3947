//! What a caller may put beside a record. It is never sent.

use std::any::Any;
use std::sync::Arc;

/// A value of the caller's own that travels beside a record into its report or its error, and
/// never to a broker.
pub type Label = Arc<dyn Any + Send + Sync>;
