//! Ways to break bytes. What decoders make of them, the tests say.

/// A small generator of pseudo-random numbers: the same seed gives the same run.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// Splitmix64.
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Less than `end`; 0 if that is 0.
    fn below(&mut self, end: usize) -> usize {
        (self.next() % end.max(1) as u64) as usize
    }
}

/// One of `samples` with one to four things wrong.
pub(crate) fn mutate(random: &mut Random, samples: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = samples[random.below(samples.len())].clone();
    for _ in 0..=random.below(4) {
        // Lengths lie near the beginning of most messages, so half of the hits go there.
        let reach = if random.below(2) == 0 {
            bytes.len().min(48)
        } else {
            bytes.len()
        };
        let at = random.below(reach);
        break_once(random, &mut bytes, at, samples);
    }
    bytes
}

fn break_once(random: &mut Random, bytes: &mut Vec<u8>, at: usize, samples: &[Vec<u8>]) {
    let rest = bytes.len() - at;
    match random.below(9) {
        0 => bytes.truncate(at),
        1 => overwrite(bytes, at, &[random.next() as u8]),
        2 => {
            if let Some(byte) = bytes.get_mut(at) {
                *byte ^= 1 << random.below(8);
            }
        }
        3 => {
            let claim = [i16::MAX, i16::MIN, -1, -2, rest as i16][random.below(5)];
            overwrite(bytes, at, &claim.to_be_bytes());
        }
        4 => {
            let rest = rest as i32;
            let claim = [
                i32::MAX,
                i32::MIN,
                -1,
                -2,
                rest,
                rest / 2,
                rest / 3,
                1 << 24,
            ];
            overwrite(bytes, at, &claim[random.below(8)].to_be_bytes());
        }
        5 => {
            // Unsigned varints of every length, up to ones that do not end.
            let len = 1 + random.below(11);
            let mut claim = vec![0xff; len];
            claim[len - 1] = random.next() as u8;
            overwrite(bytes, at, &claim);
        }
        6 => {
            let end = at + random.below(rest.min(64));
            bytes.drain(at..end);
        }
        7 => {
            let end = at + random.below(rest.min(64));
            let copy = bytes[at..end].to_vec();
            bytes.splice(at..at, copy);
        }
        _ => {
            let other = &samples[random.below(samples.len())];
            let from = random.below(other.len());
            bytes.truncate(at);
            bytes.extend_from_slice(&other[from..]);
        }
    }
}

fn overwrite(bytes: &mut [u8], at: usize, with: &[u8]) {
    for (byte, new) in bytes[at..].iter_mut().zip(with) {
        *byte = *new;
    }
}
