//! Writing Kafka's primitive types to the end of a vector.
//! Choosing between the classic and the compact form is the messages' part.

use super::uuid::Uuid;
use crate::error::{EncodeError, EncodeErrorKind};

/// Writes a signed byte.
pub fn put_i8(out: &mut Vec<u8>, value: i8) {
    out.extend_from_slice(&value.to_be_bytes());
}

/// Writes a 16-bit integer.
pub fn put_i16(out: &mut Vec<u8>, value: i16) {
    out.extend_from_slice(&value.to_be_bytes());
}

/// Writes a 32-bit integer.
pub fn put_i32(out: &mut Vec<u8>, value: i32) {
    out.extend_from_slice(&value.to_be_bytes());
}

/// Writes a 64-bit integer.
pub fn put_i64(out: &mut Vec<u8>, value: i64) {
    out.extend_from_slice(&value.to_be_bytes());
}

/// Writes an unsigned 32-bit integer.
pub fn put_u32(out: &mut Vec<u8>, value: u32) {
    out.extend_from_slice(&value.to_be_bytes());
}

/// Writes a boolean as one byte.
pub fn put_bool(out: &mut Vec<u8>, value: bool) {
    out.push(u8::from(value));
}

/// Writes the sixteen bytes of an id.
pub fn put_uuid(out: &mut Vec<u8>, value: Uuid) {
    out.extend_from_slice(&value.0);
}

/// How many bytes `value` takes as an unsigned varint: 1 to 5.
#[must_use]
pub const fn uvarint_len(value: u32) -> usize {
    // Zero takes one byte too, hence the bit set below.
    ((38 - (value | 1).leading_zeros()) / 7) as usize
}

/// How many bytes `value` takes as a zigzag varint: 1 to 5.
#[must_use]
pub const fn varint_len(value: i32) -> usize {
    uvarint_len(zigzag_32(value))
}

/// How many bytes `value` takes as a zigzag varlong: 1 to 10.
#[must_use]
pub const fn varlong_len(value: i64) -> usize {
    ((70 - (zigzag_64(value) | 1).leading_zeros()) / 7) as usize
}

const fn zigzag_32(value: i32) -> u32 {
    ((value << 1) ^ (value >> 31)) as u32
}

const fn zigzag_64(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)) as u64
}

/// Writes an unsigned varint of up to 32 bits.
pub fn put_uvarint(out: &mut Vec<u8>, mut value: u32) {
    while value >= 0x80 {
        out.push((value as u8) | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Writes a zigzag varint of 32 bits.
pub fn put_varint(out: &mut Vec<u8>, value: i32) {
    put_uvarint(out, zigzag_32(value));
}

/// Writes a zigzag varint of 64 bits.
pub fn put_varlong(out: &mut Vec<u8>, value: i64) {
    let mut value = zigzag_64(value);
    while value >= 0x80 {
        out.push((value as u8) | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

fn put_i16_len(out: &mut Vec<u8>, len: usize, what: &'static str) -> Result<(), EncodeError> {
    let len =
        i16::try_from(len).map_err(|_| EncodeError::new(EncodeErrorKind::TooLong, what, -1))?;
    put_i16(out, len);
    Ok(())
}

fn put_i32_len(out: &mut Vec<u8>, len: usize, what: &'static str) -> Result<(), EncodeError> {
    let len =
        i32::try_from(len).map_err(|_| EncodeError::new(EncodeErrorKind::TooLong, what, -1))?;
    put_i32(out, len);
    Ok(())
}

/// Kafka's readers take a compact length as an `i32`, so that is the limit here too.
fn put_compact_len(out: &mut Vec<u8>, len: usize, what: &'static str) -> Result<(), EncodeError> {
    match u32::try_from(len) {
        Ok(len) if len < i32::MAX as u32 => {
            put_uvarint(out, len + 1);
            Ok(())
        }
        _ => Err(EncodeError::new(EncodeErrorKind::TooLong, what, -1)),
    }
}

/// Writes a string with a 16-bit length.
///
/// # Errors
/// `TooLong` above 32,767 bytes.
pub fn put_string(out: &mut Vec<u8>, value: &str) -> Result<(), EncodeError> {
    put_i16_len(out, value.len(), "a string")?;
    out.extend_from_slice(value.as_bytes());
    Ok(())
}

/// Writes a string with a 16-bit length, or -1 for null.
///
/// # Errors
/// `TooLong` above 32,767 bytes.
pub fn put_nullable_string(out: &mut Vec<u8>, value: Option<&str>) -> Result<(), EncodeError> {
    if let Some(value) = value {
        return put_string(out, value);
    }
    put_i16(out, -1);
    Ok(())
}

/// Writes a string with its length plus one as an unsigned varint.
///
/// # Errors
/// `TooLong` above `i32::MAX - 1` bytes.
pub fn put_compact_string(out: &mut Vec<u8>, value: &str) -> Result<(), EncodeError> {
    put_compact_len(out, value.len(), "a string")?;
    out.extend_from_slice(value.as_bytes());
    Ok(())
}

/// Writes a string in the compact form, or 0 for null.
///
/// # Errors
/// `TooLong` above `i32::MAX - 1` bytes.
pub fn put_compact_nullable_string(
    out: &mut Vec<u8>,
    value: Option<&str>,
) -> Result<(), EncodeError> {
    if let Some(value) = value {
        return put_compact_string(out, value);
    }
    put_uvarint(out, 0);
    Ok(())
}

/// Writes bytes with a 32-bit length.
///
/// # Errors
/// `TooLong` above `i32::MAX` bytes.
pub fn put_bytes(out: &mut Vec<u8>, value: &[u8]) -> Result<(), EncodeError> {
    put_i32_len(out, value.len(), "bytes")?;
    out.extend_from_slice(value);
    Ok(())
}

/// Writes bytes with a 32-bit length, or -1 for null.
///
/// # Errors
/// `TooLong` above `i32::MAX` bytes.
pub fn put_nullable_bytes(out: &mut Vec<u8>, value: Option<&[u8]>) -> Result<(), EncodeError> {
    if let Some(value) = value {
        return put_bytes(out, value);
    }
    put_i32(out, -1);
    Ok(())
}

/// Writes bytes with their length plus one as an unsigned varint.
///
/// # Errors
/// `TooLong` above `i32::MAX - 1` bytes.
pub fn put_compact_bytes(out: &mut Vec<u8>, value: &[u8]) -> Result<(), EncodeError> {
    put_compact_len(out, value.len(), "bytes")?;
    out.extend_from_slice(value);
    Ok(())
}

/// Writes bytes in the compact form, or 0 for null.
///
/// # Errors
/// `TooLong` above `i32::MAX - 1` bytes.
pub fn put_compact_nullable_bytes(
    out: &mut Vec<u8>,
    value: Option<&[u8]>,
) -> Result<(), EncodeError> {
    if let Some(value) = value {
        return put_compact_bytes(out, value);
    }
    put_uvarint(out, 0);
    Ok(())
}

/// Writes an array's length as 32 bits, or -1 for null.
///
/// # Errors
/// `TooLong` above `i32::MAX` elements.
pub fn put_array_len(out: &mut Vec<u8>, len: Option<usize>) -> Result<(), EncodeError> {
    match len {
        Some(len) => put_i32_len(out, len, "an array"),
        None => {
            put_i32(out, -1);
            Ok(())
        }
    }
}

/// Writes an array's length plus one as an unsigned varint, or 0 for null.
///
/// # Errors
/// `TooLong` above `i32::MAX - 1` elements.
pub fn put_compact_array_len(out: &mut Vec<u8>, len: Option<usize>) -> Result<(), EncodeError> {
    match len {
        Some(len) => put_compact_len(out, len, "an array"),
        None => {
            put_uvarint(out, 0);
            Ok(())
        }
    }
}

/// Writes the one byte that says "no tagged fields".
pub fn put_empty_tagged_fields(out: &mut Vec<u8>) {
    out.push(0);
}

/// Writes one tagged field; how many there are must have been written, in ascending order of tag.
///
/// # Errors
/// `TooLong` above `i32::MAX - 1` bytes.
pub fn put_tagged_field(out: &mut Vec<u8>, tag: u32, body: &[u8]) -> Result<(), EncodeError> {
    let len = i32::try_from(body.len())
        .map_err(|_| EncodeError::new(EncodeErrorKind::TooLong, "a tagged field", -1))?;
    put_uvarint(out, tag);
    put_uvarint(out, len as u32);
    out.extend_from_slice(body);
    Ok(())
}
