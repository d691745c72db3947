//! What counted programs and micro benches share: values as the bench's peers send them.

use std::fmt::Write as _;

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

/// Values of this size, to be sent in turn: like JSON, the same in every run, and more of them
/// than a codec looks back.
pub fn values(size: usize) -> Vec<Vec<u8>> {
    let mut random = Random(7);
    let count = ((512 << 10) / size).max(1);
    (0..count).map(|_| value(&mut random, size)).collect()
}

fn value(random: &mut Random, size: usize) -> Vec<u8> {
    let mut text = format!(
        r#"{{"id":{},"user":"u-{:06x}","event":"{}","at":{}"#,
        random.below(100_000_000),
        random.below(1 << 24),
        EVENTS[random.below(8) as usize],
        1_760_000_000_000 + random.below(100_000_000),
    );
    while text.len() + 2 < size {
        let (name, event) = (random.below(20), EVENTS[random.below(8) as usize]);
        // A string takes whatever is written.
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

/// xorshift: good enough for digits.
struct Random(u64);

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % end
    }
}
