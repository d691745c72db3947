//! Twins of the generated messages. Written by `cargo xtask messages`: what is changed here by hand is lost.

mod add_offsets_to_txn;
mod add_partitions_to_txn;
mod api_versions;
mod create_topics;
mod end_txn;
mod fetch;
mod find_coordinator;
mod init_producer_id;
mod list_offsets;
mod metadata;
mod produce;
mod sasl_authenticate;
mod sasl_handshake;
mod txn_offset_commit;

use super::{Twin, all, id, make, some_text, text};
