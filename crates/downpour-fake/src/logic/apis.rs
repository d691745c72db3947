//! One file a request: what a broker answers, given the state and what a fault asks for. Decoding
//! is `logic::protocol`'s; faults about the connection and the log of requests are
//! `logic::cluster`'s.

mod api_versions;
mod create_topics;
mod fetch;
mod init_producer_id;
mod list_offsets;
mod metadata;
mod produce;

pub(super) use api_versions::{api_versions, api_versions_too_high};
pub(super) use create_topics::create_topics;
pub(super) use fetch::fetch;
pub(super) use init_producer_id::init_producer_id;
pub(super) use list_offsets::list_offsets;
pub(super) use metadata::metadata;
pub(super) use produce::{Produced, produce, topic_names, unserved};
