//! The values that all peers send, like JSON and the same in every run. Half a MiB of them is more
//! than LZ4 looks back, so that no value repeats within its reach, and fits the caches.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

const FILE: usize = 512 << 10;

const EVENTS: [&str; 8] = [
    "page_view",
    "add_to_cart",
    "checkout",
    "search",
    "login",
    "logout",
    "purchase",
    "refund",
];

/// Writes the file of values of one size and returns its path.
pub(crate) fn write(dir: &Path, size: usize) -> Result<PathBuf, String> {
    let path = dir.join(format!("payloads-{size}.bin"));
    fs::write(&path, values(size)).map_err(|error| format!("{}: {error}", path.display()))?;
    Ok(path)
}

fn values(size: usize) -> Vec<u8> {
    let mut random = Random(7);
    let count = (FILE / size).max(1);
    let mut bytes = Vec::with_capacity(count * size);
    for _ in 0..count {
        bytes.extend_from_slice(&value(&mut random, size));
    }
    bytes
}

fn value(random: &mut Random, size: usize) -> Vec<u8> {
    let mut text = format!(
        r#"{{"id":{},"user":"u-{:06x}","event":"{}","at":{},"path":"/items/{}","ms":{}"#,
        random.below(100_000_000),
        random.below(1 << 24),
        EVENTS[random.below(8) as usize],
        1_760_000_000_000 + random.below(100_000_000),
        random.below(100_000),
        random.below(900),
    );
    while text.len() + 2 < size {
        let (name, event) = (random.below(20), EVENTS[random.below(8) as usize]);
        // Writing to a String cannot fail.
        let _ = write!(
            text,
            r#","attr_{name}":"{event}-{}""#,
            random.below(1_000_000)
        );
    }
    text.truncate(size.saturating_sub(2));
    text.push_str("\"}");
    text.truncate(size);
    text.into_bytes()
}

/// A xorshift generator, which is good enough for digits.
struct Random(u64);

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % end
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_have_their_size_and_are_the_same_each_time() {
        for size in [10, 100, 1024] {
            let bytes = values(size);
            assert_eq!(bytes.len() % size, 0);
            assert_eq!(bytes, values(size));
            assert!(
                bytes
                    .chunks(size)
                    .all(|value| value.starts_with(br#"{"id":"#))
            );
        }
    }
}
