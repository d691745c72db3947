//! One row of the table of property names, and the readers of values.

use std::time::Duration;

use downpour_core::config::{Acks, Linger};
use downpour_wire::codec::CompressionType;

use crate::config::partial::PartialConfig;

/// Why a value of a name that works does not.
pub(super) enum Refusal {
    /// No such value.
    Invalid(String),
    /// A value of Kafka's that this producer does not have: the reason, and what to use.
    Unsupported(&'static str, &'static str),
}

type Set = fn(&mut PartialConfig, &str) -> Result<(), Refusal>;

type Setting<T> = fn(&mut PartialConfig) -> &mut Option<T>;

/// What a name answers.
#[derive(Clone, Copy)]
pub(super) enum Answer {
    /// It works, with a text.
    Text(Setting<String>),
    /// It works, with a number of bytes or another whole number.
    ///
    /// Java bounds the record and the request by one number, `max.request.size`; a request
    /// here holds many batches, so that number goes to the record.
    Bytes(Setting<usize>),
    /// It works, with a number of bytes, or -1 for the kernel's choice.
    SocketBuffer(Setting<usize>),
    /// It works, with milliseconds.
    Millis(Setting<Duration>),
    /// It works, with true or false.
    Bool(Setting<bool>),
    /// It works, in a way of its own.
    Works(Set),
    /// It works with these values, because they are what happens anyway; for the others the
    /// reason and the replacement.
    Only(&'static [&'static str], &'static str, &'static str),
    /// It does not work: the reason and the replacement.
    NotHere(&'static str, &'static str),
}

impl Answer {
    /// Takes a value, if the name works with it.
    pub(super) fn set(self, partial: &mut PartialConfig, value: &str) -> Result<(), Refusal> {
        match self {
            Self::Text(setting) => *setting(partial) = Some(value.to_owned()),
            Self::Bytes(setting) => *setting(partial) = Some(bytes(value)?),
            Self::SocketBuffer(setting) => *setting(partial) = socket_buffer(value)?,
            Self::Millis(setting) => *setting(partial) = Some(millis(value)?),
            Self::Bool(setting) => *setting(partial) = Some(boolean(value)?),
            Self::Works(set) => set(partial, value)?,
            // What happens anyway may be asked for.
            Self::Only(accepted, reason, replacement) => {
                if !accepted.iter().any(|a| a.eq_ignore_ascii_case(value)) {
                    return Err(Refusal::Unsupported(reason, replacement));
                }
            }
            Self::NotHere(reason, replacement) => {
                return Err(Refusal::Unsupported(reason, replacement));
            }
        }
        Ok(())
    }
}

pub(super) struct Row {
    pub(super) name: &'static str,
    pub(super) answer: Answer,
}

pub(super) const fn row(name: &'static str, answer: Answer) -> Row {
    Row { name, answer }
}

fn bad(trouble: impl Into<String>) -> Refusal {
    Refusal::Invalid(trouble.into())
}

fn number(value: &str) -> Result<u64, Refusal> {
    value
        .parse()
        .map_err(|_| bad("must be a whole number that is not negative"))
}

fn bytes(value: &str) -> Result<usize, Refusal> {
    let number = number(value)?;
    usize::try_from(number).map_err(|_| bad("must fit this machine's memory"))
}

fn millis(value: &str) -> Result<Duration, Refusal> {
    let number = number(value)?;
    // As in Kafka, whose times are signed.
    if number > i64::MAX as u64 {
        return Err(bad("is longer than any clock lasts"));
    }
    Ok(Duration::from_millis(number))
}

fn boolean(value: &str) -> Result<bool, Refusal> {
    if value.eq_ignore_ascii_case("true") {
        Ok(true)
    } else if value.eq_ignore_ascii_case("false") {
        Ok(false)
    } else {
        Err(bad("must be true or false"))
    }
}

/// A size of which -1 means the kernel's choice.
fn socket_buffer(value: &str) -> Result<Option<usize>, Refusal> {
    if value == "-1" {
        Ok(None)
    } else {
        bytes(value).map(Some)
    }
}

pub(super) fn acks(partial: &mut PartialConfig, value: &str) -> Result<(), Refusal> {
    partial.acks = Some(match value {
        "all" | "-1" => Acks::All,
        "1" => Acks::Leader,
        "0" => Acks::None,
        _ => return Err(bad("must be all, -1, 1 or 0")),
    });
    Ok(())
}

pub(super) fn retries(_: &mut PartialConfig, value: &str) -> Result<(), Refusal> {
    if number(value)? == i32::MAX as u64 {
        return Ok(());
    }
    Err(Refusal::Unsupported(
        "retries are bounded by time, not by count",
        "set delivery.timeout.ms to the time after which to give up",
    ))
}

pub(super) fn linger(partial: &mut PartialConfig, value: &str) -> Result<(), Refusal> {
    // librdkafka takes fractions of a millisecond.
    let time = match value.parse::<f64>() {
        Ok(ms) if (0.0..=86_400_000.0).contains(&ms) => Duration::from_secs_f64(ms / 1000.0),
        _ => return Err(bad("must be milliseconds, from 0 to a day")),
    };
    partial.linger = Some(Linger::Fixed(time));
    Ok(())
}

pub(super) fn idle(partial: &mut PartialConfig, value: &str) -> Result<(), Refusal> {
    // Java's word for never.
    partial.idle_timeout = Some(if value == "-1" {
        Duration::MAX
    } else {
        millis(value)?
    });
    Ok(())
}

pub(super) fn codec(partial: &mut PartialConfig, value: &str) -> Result<(), Refusal> {
    let codec = CompressionType::from_name(&value.to_ascii_lowercase())
        .ok_or_else(|| bad("must be none, gzip, snappy, lz4 or zstd"))?;
    partial.codec = Some(codec);
    // The level of an earlier word belongs to that word's codec.
    partial.level = None;
    Ok(())
}

pub(super) fn gzip_level(partial: &mut PartialConfig, value: &str) -> Result<(), Refusal> {
    partial.gzip_level = match value {
        "-1" => None,
        _ => Some(level(value, 1, 9)?),
    };
    Ok(())
}

pub(super) fn zstd_level(partial: &mut PartialConfig, value: &str) -> Result<(), Refusal> {
    partial.zstd_level = Some(level(value, -131_072, 22)?);
    Ok(())
}

fn level(value: &str, least: i32, most: i32) -> Result<i32, Refusal> {
    match value.parse() {
        Ok(level) if (least..=most).contains(&level) => Ok(level),
        _ => Err(bad(format!("must be {least} to {most}"))),
    }
}

pub(super) fn kilobytes_of_memory(partial: &mut PartialConfig, value: &str) -> Result<(), Refusal> {
    let bytes = bytes(value)?.checked_mul(1024);
    partial.buffer_memory = Some(bytes.ok_or_else(|| bad("must fit this machine's memory"))?);
    Ok(())
}

/// KIP-899: `rebootstrap` is what happens here always.
pub(super) fn recovery(_: &mut PartialConfig, value: &str) -> Result<(), Refusal> {
    match value.to_ascii_lowercase().as_str() {
        "rebootstrap" => Ok(()),
        "none" => Err(Refusal::Unsupported(
            "a producer that lost every broker asks the bootstrap addresses again",
            "leave it out",
        )),
        _ => Err(bad("must be rebootstrap")),
    }
}

pub(super) fn security_protocol(_: &mut PartialConfig, value: &str) -> Result<(), Refusal> {
    match value.to_ascii_uppercase().as_str() {
        "PLAINTEXT" => Ok(()),
        "SSL" | "SASL_SSL" => Err(Refusal::Unsupported(
            "there is no TLS yet",
            "use a PLAINTEXT listener, or a TLS tunnel in front of one",
        )),
        "SASL_PLAINTEXT" => Err(Refusal::Unsupported(
            "there is no SASL yet",
            "use a listener without authentication",
        )),
        _ => Err(bad("must be PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL")),
    }
}

pub(super) fn partitioner_class(_: &mut PartialConfig, value: &str) -> Result<(), Refusal> {
    match value {
        "" | "null" | "org.apache.kafka.clients.producer.internals.DefaultPartitioner" => Ok(()),
        _ => Err(Refusal::Unsupported(
            "Java classes cannot be loaded",
            "pass a Partitioner to ProducerBuilder::partitioner",
        )),
    }
}
