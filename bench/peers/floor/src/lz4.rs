//! LZ4 frames of independent blocks, through the block interface with a table that is kept.

use lz4_flex::block::{CompressTable, compress_into_with_table, get_maximum_output_size};

use crate::batch::HEADER_LEN;

/// Magic, version 1 with independent blocks and no checksums, blocks of 64 KiB, header checksum.
const FRAME: [u8; 7] = [0x04, 0x22, 0x4d, 0x18, 0x60, 0x40, 0x82];

const BLOCK: usize = 64 << 10;

/// The table, and the last batch that was packed.
pub(crate) struct Lz4 {
    table: CompressTable,
    bytes: Vec<u8>,
}

impl Lz4 {
    pub(crate) fn new(batch: usize) -> Self {
        let blocks = batch.div_ceil(BLOCK);
        let room = HEADER_LEN + FRAME.len() + blocks * (4 + get_maximum_output_size(BLOCK)) + 4;
        Self {
            // The small table is quicker and takes less than 64 KiB.
            table: if batch - HEADER_LEN < BLOCK - 1 {
                CompressTable::small()
            } else {
                CompressTable::large()
            },
            bytes: vec![0; room],
        }
    }

    /// Packs records behind room for the batch's header.
    pub(crate) fn pack(&mut self, records: &[u8]) -> &mut [u8] {
        let mut at = HEADER_LEN + FRAME.len();
        self.bytes[HEADER_LEN..at].copy_from_slice(&FRAME);
        for block in records.chunks(BLOCK) {
            let out = &mut self.bytes[at + 4..];
            let packed =
                compress_into_with_table(block, out, &mut self.table).unwrap_or(usize::MAX);
            let (len, word) = if packed < block.len() {
                (packed, packed as u32)
            } else {
                out[..block.len()].copy_from_slice(block);
                (block.len(), block.len() as u32 | 1 << 31)
            };
            self.bytes[at..at + 4].copy_from_slice(&word.to_le_bytes());
            at += 4 + len;
        }
        self.bytes[at..at + 4].fill(0);
        &mut self.bytes[..at + 4]
    }
}
