//! What a caller may put beside a record, of any type. It is never sent.
//!
//! Callers see values of their own types only; that they are kept in an `Arc` lets the record, its
//! batch and its report share one.

use std::any::Any;
use std::sync::Arc;

/// A value of the caller's own that travels beside a record into its report or its error, and
/// never to a broker.
pub(crate) type Label = Arc<dyn Any + Send + Sync>;

/// The label as the type that it was given as.
pub(crate) fn as_type<T: Any>(label: Option<&Label>) -> Option<&T> {
    label?.downcast_ref()
}
