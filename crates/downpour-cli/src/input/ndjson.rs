//! A line as a JSON object with a record's parts. What the parts may be is in `fields` and
//! `headers`.

use std::borrow::Cow;

use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use super::line::{BadLine, Line};
use super::{fields, headers};
use crate::args::values;

/// The fields as they are written: numbers keep their digits, and null is not absent.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Object<'a> {
    #[serde(borrow, default, deserialize_with = "present")]
    value: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    value_base64: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    key: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    key_base64: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    headers: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    partition: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    partition_key: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    timestamp: Option<&'a RawValue>,
}

fn present<'de: 'a, 'a, D: Deserializer<'de>>(d: D) -> Result<Option<&'a RawValue>, D::Error> {
    <&RawValue>::deserialize(d).map(Some)
}

/// Reads a line; `None` if it is blank.
pub(super) fn parse(line: &[u8]) -> Result<Option<Line<'_>>, BadLine> {
    let line = line.trim_ascii();
    if line.is_empty() {
        return Ok(None);
    }
    if line.starts_with(&[0xff, 0xfe]) || line.starts_with(&[0xfe, 0xff]) {
        return Err(BadLine::new(
            None,
            "is UTF-16",
            "make it UTF-8, as with iconv -f UTF-16 -t UTF-8",
        ));
    }
    if line[0] != b'{' {
        let shown = fields::shown(&String::from_utf8_lossy(line));
        return Err(BadLine::new(
            None,
            format!("{shown} is not a JSON object"),
            "write one such as {\"key\":\"k\",\"value\":\"v\"}, or say --format lines",
        ));
    }
    let object: Object<'_> = serde_json::from_slice(line).map_err(|error| bad_json(&error))?;
    Ok(Some(Line {
        key: either("key", object.key, object.key_base64)?.flatten(),
        value: value(&object)?,
        headers: object
            .headers
            .map(headers::parse)
            .transpose()?
            .unwrap_or_default(),
        partition: object
            .partition
            .map(|raw| {
                fields::number(
                    "partition",
                    raw,
                    "give a whole number from 0, or leave it out",
                )
            })
            .transpose()?
            .flatten(),
        partition_key: partition_key(object.partition_key)?,
        timestamp: object.timestamp.map(timestamp).transpose()?.flatten(),
    }))
}

fn timestamp(raw: &RawValue) -> Result<Option<i64>, BadLine> {
    let remedy = "give milliseconds since 1970, or leave it out for the time of sending";
    let given = fields::number("timestamp", raw, remedy)?;
    match given {
        Some(late) if late > values::TIMESTAMP_MAX => {
            let trouble = format!("is {late}, after the year 9999");
            let remedy = values::TIMESTAMP_REMEDY;
            Err(BadLine::new("timestamp", trouble, remedy))
        }
        given => Ok(given),
    }
}

fn value<'a>(object: &Object<'a>) -> Result<Option<Cow<'a, [u8]>>, BadLine> {
    either("value", object.value, object.value_base64)?
        .ok_or_else(|| BadLine::new("value", "is missing", "give text, or null for a tombstone"))
}

/// A part as text or as base64, whichever is there; inside, `None` is null.
#[expect(clippy::option_option, reason = "absent and null are two things here")]
fn either<'a>(
    field: &'static str,
    plain: Option<&'a RawValue>,
    base64: Option<&'a RawValue>,
) -> Result<Option<Option<Cow<'a, [u8]>>>, BadLine> {
    match (plain, base64) {
        (None, None) => Ok(None),
        (Some(plain), None) => fields::bytes(field, plain).map(Some),
        (None, Some(base64)) => {
            let field = if field == "key" {
                "key_base64"
            } else {
                "value_base64"
            };
            fields::base64(field, base64).map(Some)
        }
        (Some(_), Some(_)) => Err(BadLine::new(
            field,
            "is there twice, once as base64",
            "leave one of them out",
        )),
    }
}

fn partition_key(raw: Option<&RawValue>) -> Result<Option<Cow<'_, [u8]>>, BadLine> {
    let key = raw
        .map(|raw| fields::bytes("partition_key", raw))
        .transpose()?
        .flatten();
    if key.as_ref().is_some_and(|key| key.is_empty()) {
        return Err(BadLine::new(
            "partition_key",
            "is empty",
            "leave it out, or give what chooses the partition",
        ));
    }
    Ok(key)
}

fn bad_json(error: &serde_json::Error) -> BadLine {
    let trouble = fields::without_place(error);
    let column = error.column();
    if error.is_data() {
        return BadLine::new(
            None,
            format!("column {column}: {trouble}"),
            "see 'downpour produce --help' for the fields",
        );
    }
    BadLine::new(
        None,
        format!("column {column}: not JSON: {trouble}"),
        "write one whole object a line, or say --format lines",
    )
}
