//! What a target does before its first input: writes the inputs that a corpus begins with, if it is
//! asked to, or makes a known mistake.

use std::path::Path;

use crate::{batch, decoders};

/// Called once by each target. With `DOWNPOUR_FUZZ_SEEDS=DIRECTORY` it writes inputs to begin with, and
/// ends. `DOWNPOUR_FUZZ_MUTANT=N` makes a mistake that is planted in core.
pub fn begin(target: &str) {
    if let Some(directory) = std::env::var_os("DOWNPOUR_FUZZ_SEEDS") {
        let written = write(target, Path::new(&directory));
        written.expect("the directory for the seeds can be written to");
        std::process::exit(0);
    }
    #[cfg(downpour_mutants)]
    if let Ok(number) = std::env::var("DOWNPOUR_FUZZ_MUTANT") {
        let number = number
            .parse()
            .expect("DOWNPOUR_FUZZ_MUTANT is a mutant's number");
        downpour_core::mutants::choose(number);
    }
}

/// How many inputs a target begins with whose bytes are operations, whatever they are.
const SEEDS: u64 = 32;

fn write(target: &str, directory: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(directory)?;
    for number in 0..SEEDS {
        let entropy = entropy(number, 60 + 25 * number as usize);
        let seeds = match target {
            "decoders" if number % 8 == 0 => decoders::seeds(&entropy),
            "batch" if number % 8 == 0 => batch::seeds(&entropy),
            #[cfg(feature = "shell")]
            "properties" if number == 0 => crate::properties::seeds(),
            #[cfg(feature = "shell")]
            "cli" if number == 0 => crate::cli::seeds(),
            "decoders" | "batch" | "properties" | "cli" => Vec::new(),
            _ => vec![entropy],
        };
        for (at, seed) in seeds.iter().enumerate() {
            std::fs::write(directory.join(format!("seed-{number:02}-{at:03}")), seed)?;
        }
    }
    Ok(())
}

/// The same bytes for the same number (splitmix64).
fn entropy(number: u64, len: usize) -> Vec<u8> {
    let mut state = number.wrapping_mul(0x1234_5678_9abc_def1);
    let mut next = || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) as u8
    };
    (0..len).map(|_| next()).collect()
}
