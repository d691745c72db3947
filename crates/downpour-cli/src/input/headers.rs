//! Headers of a JSON object: a map or pairs, in order, with names that may come again.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::fields;
use super::line::{BadLine, Pair};

const FIELD: &str = "headers";
const REMEDY: &str = "write {\"name\":\"text\"}, or [[\"name\",\"text\"],[\"name\",null]]";

pub(super) fn parse(raw: &RawValue) -> Result<Vec<Pair<'_>>, BadLine> {
    if raw.get() == "null" {
        return Ok(Vec::new());
    }
    let Pairs(pairs) = serde_json::from_str(raw.get())
        .map_err(|error| BadLine::new(FIELD, fields::without_place(&error), REMEDY))?;
    pairs
        .into_iter()
        .map(|(name, value)| {
            let value = fields::bytes(FIELD, value)?;
            Ok((Cow::Owned(name), value))
        })
        .collect()
}

/// Names and values in the order in which they are written, also the same name twice.
struct Pairs<'a>(Vec<(String, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for Pairs<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(PairsVisitor).map(Self)
    }
}

struct PairsVisitor;

impl<'de> Visitor<'de> for PairsVisitor {
    type Value = Vec<(String, &'de RawValue)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object, or pairs of name and value")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut pairs = Vec::new();
        while let Some(pair) = map.next_entry()? {
            pairs.push(pair);
        }
        Ok(pairs)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let mut pairs = Vec::new();
        while let Some(pair) = seq.next_element()? {
            pairs.push(pair);
        }
        Ok(pairs)
    }
}
