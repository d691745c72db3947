//! Records as callers describe them and as they get them back when nothing was sent.
//!
//! What makes a record valid is in `accept`, its bytes on the wire are `downpour-wire`'s.

pub(crate) mod headers;
pub(crate) mod message;
pub(crate) mod part;
#[expect(
    clippy::module_inception,
    reason = "each file has its main type's name"
)]
pub(crate) mod record;
pub(crate) mod unfinished;
