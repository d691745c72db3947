//! Our messages as `kafka-protocol`'s: the comparison is in `kafka_protocol.rs`.

mod generated;

use std::collections::BTreeMap;

use downpour_wire::messages::{Decode, Encode};
use downpour_wire::primitives::Uuid;
use kafka_protocol::protocol::{Decodable, Encodable, StrBytes};

/// A message that `kafka-protocol` has as well.
pub(crate) trait Twin: Encode + Decode {
    type Twin: Encodable + Decodable + PartialEq + std::fmt::Debug;

    /// The same value, with fields of unknown tags in every struct if `tags` is set.
    fn twin(&self, tags: bool) -> Self::Twin;
}

/// Their struct with these fields, and unknown tags if the first argument says so.
macro_rules! make {
    ($($path:ident)::+ { $($field:ident: $value:expr),* $(,)? }) => {{
        let mut made = $($path)::+::default();
        $(made.$field = $value;)*
        made
    }};
    ($tags:expr, $($path:ident)::+ { $($field:ident: $value:expr),* $(,)? }) => {{
        let mut made = $crate::twins::make!($($path)::+ { $($field: $value),* });
        if $tags {
            made.unknown_tagged_fields = $crate::twins::unknown_tags();
        }
        made
    }};
}
pub(crate) use make;

fn unknown_tags<B: From<Vec<u8>>>() -> BTreeMap<i32, B> {
    [
        (100, vec![1, 2, 3]),
        (300, Vec::new()),
        (i32::MAX, vec![0xff; 200]),
    ]
    .into_iter()
    .map(|(tag, bytes)| (tag, bytes.into()))
    .collect()
}

fn text(text: &str) -> StrBytes {
    text.to_owned().into()
}

fn some_text(text: &Option<String>) -> Option<StrBytes> {
    text.clone().map(Into::into)
}

/// Their id type is from a crate that this one does not depend on; it is parsed instead.
fn id<T: std::str::FromStr>(id: Uuid) -> T {
    let hex = format!("{:032x}", u128::from_be_bytes(id.0));
    hex.parse().ok().expect("32 hexadecimal digits are an id")
}

fn all<T, U>(items: &[T], twin: impl FnMut(&T) -> U) -> Vec<U> {
    items.iter().map(twin).collect()
}
