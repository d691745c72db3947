//! Every number of every answer that a producer reads, at its extremes and in every version: what is
//! written is read back as it is. What a producer makes of such an answer is tested in core.

mod common;

use common::entropy::Entropy;
use common::samples::{Sample, each_answer};
use downpour_wire::messages::numbers::{Numbers, numbers_of, set_number};
use downpour_wire::messages::*;
use downpour_wire::primitives::Reader;

/// Two values of a message: one of each array's elements, and three.
fn samples<M: Sample>(version: i16) -> [M; 2] {
    [[1; 400], [3; 400]].map(|bytes| M::sample(&mut Entropy::new(&bytes), version))
}

fn try_all<M: Sample + Numbers + Clone>() -> usize {
    let (mut tried, (min, max)) = (0, M::KEY.versions());
    for version in min..=max {
        for mut message in samples::<M>(version) {
            for (place, (name, values)) in numbers_of(&mut message, version).iter().enumerate() {
                for &value in values {
                    let mut hostile = message.clone();
                    assert!(set_number(&mut hostile, version, place, value));
                    assert_ne!(hostile, message, "{name} is {value} in version {version}");
                    let mut bytes = Vec::new();
                    assert!(hostile.encode(&mut bytes, version).is_ok(), "{name}");
                    let mut reader = Reader::new(&bytes);
                    let read = M::decode(&mut reader, version);
                    assert_eq!(
                        read.as_ref(),
                        Ok(&hostile),
                        "{name} is {value} in version {version}"
                    );
                    tried += 1;
                }
            }
        }
    }
    tried
}

#[test]
fn every_number_of_every_answer_is_read_as_it_was_written() {
    let mut tried = 0;
    macro_rules! try_each {
        ($($message:ident),*) => { $(
            let of_this = try_all::<$message>();
            assert!(of_this > 0, "{} has no number", stringify!($message));
            tried += of_this;
        )* };
    }
    each_answer!(try_each);
    assert!(tried > 50_000, "{tried}");
}
