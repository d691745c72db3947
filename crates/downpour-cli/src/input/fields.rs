//! Single fields of a JSON object, each read with an error that names it.

use std::borrow::Cow;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::value::RawValue;

use super::line::BadLine;

/// Text as it is, other JSON as it is written, `None` for null.
pub(super) fn bytes<'a>(
    field: &'static str,
    raw: &'a RawValue,
) -> Result<Option<Cow<'a, [u8]>>, BadLine> {
    let json = raw.get();
    if json == "null" {
        return Ok(None);
    }
    if json.starts_with('"') {
        return text(field, json).map(|text| Some(into_bytes(text)));
    }
    Ok(Some(Cow::Borrowed(json.as_bytes())))
}

/// The same out of base64.
pub(super) fn base64<'a>(
    field: &'static str,
    raw: &'a RawValue,
) -> Result<Option<Cow<'a, [u8]>>, BadLine> {
    let remedy = "give standard base64 with padding, as in \"aGk=\", or null";
    let json = raw.get();
    if json == "null" {
        return Ok(None);
    }
    if !json.starts_with('"') {
        return Err(BadLine::new(
            field,
            format!("is {}, not text", shown(json)),
            remedy,
        ));
    }
    let text = text(field, json)?;
    match STANDARD.decode(text.as_bytes()) {
        Ok(bytes) => Ok(Some(Cow::Owned(bytes))),
        Err(error) => Err(BadLine::new(
            field,
            format!("is not base64: {error}"),
            remedy,
        )),
    }
}

/// A whole number from 0.
pub(super) fn number<T: TryFrom<i64>>(
    field: &'static str,
    raw: &RawValue,
    remedy: &'static str,
) -> Result<Option<T>, BadLine> {
    let json = raw.get();
    if json == "null" {
        return Ok(None);
    }
    let number = json.parse::<i64>().ok().filter(|n| *n >= 0);
    match number.and_then(|n| T::try_from(n).ok()) {
        Some(number) => Ok(Some(number)),
        None => Err(BadLine::new(field, format!("is {}", shown(json)), remedy)),
    }
}

/// Text out of a JSON string, borrowed if nothing in it is escaped.
pub(super) fn text<'a>(field: &'static str, json: &'a str) -> Result<Cow<'a, str>, BadLine> {
    let inner = json
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'));
    match inner {
        Some(plain) if !plain.contains('\\') => Ok(Cow::Borrowed(plain)),
        _ => serde_json::from_str(json).map(Cow::Owned).map_err(|error| {
            let error = without_place(&error);
            BadLine::new(
                field,
                format!("is no text: {error}"),
                "escape it as JSON wants",
            )
        }),
    }
}

pub(super) fn into_bytes(text: Cow<'_, str>) -> Cow<'_, [u8]> {
    match text {
        Cow::Borrowed(text) => Cow::Borrowed(text.as_bytes()),
        Cow::Owned(text) => Cow::Owned(text.into_bytes()),
    }
}

/// The start of a text, short enough for a message.
pub(super) fn shown(json: &str) -> String {
    const SHOWN: usize = 40;
    match json.char_indices().nth(SHOWN) {
        Some((at, _)) => format!("{}...", &json[..at]),
        None => json.to_owned(),
    }
}

/// What is wrong, without the line, which to serde is always the first.
pub(super) fn without_place(error: &serde_json::Error) -> String {
    let full = error.to_string();
    let place = format!(" at line {} column {}", error.line(), error.column());
    full.strip_suffix(&place).unwrap_or(&full).to_owned()
}
