//! Writes the golden records as batches of every codec into a folder, for `ReadBack.java` to read
//! with Kafka's own reader: `write_batches -- FOLDER`. See `tests/golden/README.md`.

#[path = "../tests/golden/records.rs"]
mod records;

use std::error::Error;
use std::fs;
use std::path::PathBuf;

use downpour_wire::batch::Stamp;
use downpour_wire::codec::{CompressionType, Compressor};

use records::{STAMP, batch, records};

fn main() -> Result<(), Box<dyn Error>> {
    let folder = std::env::args().nth(1).ok_or("name a folder to write to")?;
    let folder = PathBuf::from(folder);
    fs::create_dir_all(&folder)?;
    let mut compressor = Compressor::new();
    for codec in CompressionType::ALL
        .into_iter()
        .filter(|codec| codec.is_compiled())
    {
        // Once in a single chunk, once with blocks that cross the edges of chunks.
        for (suffix, chunk_len) in [("", 1 << 20), ("-chunks", 5000)] {
            let body = batch(&records(), chunk_len).seal(codec.into(), &mut compressor)?;
            fs::write(
                folder.join(format!("{codec}{suffix}.bin")),
                body.to_vec(&STAMP),
            )?;
        }
        let transactional = Stamp {
            transactional: true,
            ..STAMP
        };
        let body = batch(&records(), 1 << 20).seal(codec.into(), &mut compressor)?;
        let bytes = body.to_vec(&transactional);
        fs::write(folder.join(format!("{codec}-transactional.bin")), bytes)?;

        let mut bytes = Vec::new();
        let mut stamp = STAMP;
        for part in body.split(4096, &mut compressor)? {
            bytes.extend(part.to_vec(&stamp));
            let sequence = i64::from(stamp.base_sequence) + i64::from(part.count());
            stamp.base_sequence = (sequence & i64::from(i32::MAX)) as i32;
        }
        fs::write(folder.join(format!("{codec}-split.bin")), bytes)?;
    }
    Ok(())
}
