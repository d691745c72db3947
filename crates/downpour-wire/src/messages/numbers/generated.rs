//! The numbers of every answer that a producer reads. Written by `cargo xtask messages`: what is changed here by hand is lost.

mod add_offsets_to_txn;
mod add_partitions_to_txn;
mod api_versions;
mod end_txn;
mod find_coordinator;
mod init_producer_id;
mod metadata;
mod produce;
mod sasl_authenticate;
mod sasl_handshake;
mod txn_offset_commit;

use super::{EachNumber, Number, Numbers};
