//! Readers of properties' values, the plain ones and those of names that work in a way of their own.

use std::sync::Arc;
use std::time::Duration;

use downpour_core::callers::partitioner::by_name::{self, Named};
use downpour_core::config::{Acks, Linger};
use downpour_wire::codec::{Compression, CompressionType};

use super::refusal::{Not, Refusal};
use crate::config::family::AddressFamily;
use crate::config::partial::PartialConfig;
use crate::partitioner::{PartitionContext, Partitioner};

fn bad(trouble: impl Into<String>, remedy: impl Into<String>) -> Refusal {
    Refusal::Invalid(trouble.into(), remedy.into())
}

/// What is none of the words that a name takes.
fn no_such(words: &str) -> Refusal {
    bad("is not among its values", format!("use {words}"))
}

fn number(value: &str) -> Result<u64, Refusal> {
    if value.is_empty() || value.bytes().any(|byte| !byte.is_ascii_digit()) {
        return Err(bad(
            "is not a whole number of 0 or more",
            "use digits alone, without sign or unit",
        ));
    }
    value.parse().map_err(|_| too_large(u64::MAX))
}

fn too_large(most: u64) -> Refusal {
    bad("is too large", format!("use at most {most}"))
}

pub(super) fn bytes(value: &str) -> Result<usize, Refusal> {
    let number = number(value)?;
    usize::try_from(number).map_err(|_| too_large(usize::MAX as u64))
}

pub(super) fn millis(value: &str) -> Result<Duration, Refusal> {
    number(value).map(Duration::from_millis)
}

pub(super) fn boolean(value: &str) -> Result<bool, Refusal> {
    if value.eq_ignore_ascii_case("true") {
        Ok(true)
    } else if value.eq_ignore_ascii_case("false") {
        Ok(false)
    } else {
        Err(no_such("true or false"))
    }
}

/// A size of which -1 (Java) and 0 (librdkafka) mean the kernel's choice.
pub(super) fn socket_buffer(value: &str) -> Result<Option<usize>, Refusal> {
    if value == "-1" {
        return Ok(None);
    }
    match bytes(value)? {
        0 => Ok(None),
        bytes => Ok(Some(bytes)),
    }
}

type Taken = Result<(), Refusal>;

pub(super) fn acks(partial: &mut PartialConfig, name: &'static str, value: &str) -> Taken {
    let acks: Acks = value.parse().map_err(|_| no_such("all (or -1), 1 or 0"))?;
    partial.acks.set_as(name, acks);
    Ok(())
}

pub(super) fn retries(partial: &mut PartialConfig, name: &'static str, value: &str) -> Taken {
    let retries = u32::try_from(number(value)?).map_err(|_| too_large(u32::MAX.into()))?;
    partial.retries.set_as(name, retries);
    Ok(())
}

pub(super) fn linger(partial: &mut PartialConfig, name: &'static str, value: &str) -> Taken {
    // librdkafka takes fractions of a millisecond. Its limits are those of the setter.
    let time = match value.parse::<f64>() {
        Ok(ms) if ms >= 0.0 => Duration::try_from_secs_f64(ms / 1000.0).unwrap_or(Duration::MAX),
        _ => {
            return Err(bad(
                "is not a number of 0 or more",
                "use milliseconds as digits, with a point for parts of one",
            ));
        }
    };
    partial.linger.set_as(name, Linger::Fixed(time));
    Ok(())
}

/// librdkafka's 0 is no limit.
pub(super) fn message_timeout(
    partial: &mut PartialConfig,
    name: &'static str,
    value: &str,
) -> Taken {
    let time = match millis(value)? {
        Duration::ZERO => Duration::MAX,
        time => time,
    };
    partial.delivery_timeout.set_as(name, time);
    Ok(())
}

/// Java's -1 and librdkafka's 0 are never.
pub(super) fn idle(partial: &mut PartialConfig, name: &'static str, value: &str) -> Taken {
    let time = match value {
        "-1" => Duration::MAX,
        _ => millis(value)?,
    };
    partial.idle_timeout.set_as(name, time);
    Ok(())
}

/// librdkafka's -1 is never.
pub(super) fn refresh(partial: &mut PartialConfig, name: &'static str, value: &str) -> Taken {
    let time = match value {
        "-1" => Duration::MAX,
        _ => millis(value)?,
    };
    partial.metadata_max_age.set_as(name, time);
    Ok(())
}

pub(super) fn codec(partial: &mut PartialConfig, name: &'static str, value: &str) -> Taken {
    let value = value.to_ascii_lowercase();
    // librdkafka's word for a topic's codec: whatever was said for all topics.
    if name == "compression.codec" && value == "inherit" {
        return Ok(());
    }
    let codec = CompressionType::from_name(&value)
        .ok_or_else(|| no_such("none, gzip, snappy, lz4 or zstd"))?;
    partial.codec.set_as(name, codec);
    // The level of an earlier word belongs to that word's codec.
    partial.level.forget();
    Ok(())
}

pub(super) fn gzip_level(partial: &mut PartialConfig, name: &'static str, value: &str) -> Taken {
    match value {
        "-1" => partial.gzip_level.forget(),
        _ => partial
            .gzip_level
            .set_as(name, level(value, CompressionType::Gzip)?),
    }
    Ok(())
}

pub(super) fn zstd_level(partial: &mut PartialConfig, name: &'static str, value: &str) -> Taken {
    let level = level(value, CompressionType::Zstd)?;
    partial.zstd_level.set_as(name, level);
    Ok(())
}

pub(super) fn any_level(partial: &mut PartialConfig, name: &'static str, value: &str) -> Taken {
    match value {
        "-1" => partial.any_level.forget(),
        _ => match value.parse() {
            Ok(level) if (0..=12).contains(&level) => partial.any_level.set_as(name, level),
            _ => {
                return Err(bad(
                    "is no level",
                    "use 0 to 12, or -1 for the codec's usual one",
                ));
            }
        },
    }
    Ok(())
}

/// A level that the codec has: those that [`Compression::with_level`] takes.
fn level(value: &str, codec: CompressionType) -> Result<i32, Refusal> {
    let remedy = "use a level that the codec has, or leave it out for its usual one";
    let level = value
        .parse()
        .map_err(|_| bad("is no whole number that a level can be", remedy))?;
    match Compression::with_level(codec, level) {
        Ok(_) => Ok(level),
        Err(error) => Err(bad(error.to_string(), remedy)),
    }
}

pub(super) fn kilobytes_of_memory(
    partial: &mut PartialConfig,
    name: &'static str,
    value: &str,
) -> Taken {
    let bytes = bytes(value)?.checked_mul(1024);
    let bytes = bytes.ok_or_else(|| too_large(usize::MAX as u64 / 1024))?;
    partial.buffer_memory.set_as(name, bytes);
    Ok(())
}

/// librdkafka's 0 is no limit.
pub(super) fn messages(partial: &mut PartialConfig, name: &'static str, value: &str) -> Taken {
    match bytes(value)? {
        0 => partial.buffer_records.forget(),
        records => partial.buffer_records.set_as(name, records),
    }
    Ok(())
}

pub(super) fn family(partial: &mut PartialConfig, name: &'static str, value: &str) -> Taken {
    let family: AddressFamily = value.parse().map_err(|_| no_such("any, v4 or v6"))?;
    partial.family.set_as(name, family);
    Ok(())
}

/// librdkafka's names of partitioners.
pub(super) fn partitioner(partial: &mut PartialConfig, name: &'static str, value: &str) -> Taken {
    if value == "murmur2_random" {
        // Java's, which is what happens anyway.
        partial.partitioner.forget();
        return Ok(());
    }
    let named = by_name::of(value).ok_or_else(|| {
        no_such(
            "consistent, consistent_random, murmur2, murmur2_random, fnv1a, fnv1a_random \
             or random",
        )
    })?;
    partial.partitioner.set_as(name, as_partitioner(named));
    Ok(())
}

fn as_partitioner(named: Named) -> Arc<dyn Partitioner> {
    Arc::new(move |context: &PartitionContext<'_>| named.choose(context.key, context.count))
}

pub(super) fn partitioner_class(
    partial: &mut PartialConfig,
    name: &'static str,
    value: &str,
) -> Taken {
    match value
        .strip_prefix("org.apache.kafka.clients.producer.")
        .unwrap_or(value)
    {
        "" | "null" | "internals.DefaultPartitioner" => partial.partitioner.forget(),
        "UniformStickyPartitioner" => no_key_counts(partial, name),
        _ => {
            return Err(Refusal::Not(Not::Refused(
                "Java classes cannot be loaded",
                "pass a Partitioner to ProducerBuilder::partitioner",
            )));
        }
    }
    Ok(())
}

pub(super) fn ignore_keys(partial: &mut PartialConfig, name: &'static str, value: &str) -> Taken {
    if boolean(value)? {
        no_key_counts(partial, name);
    } else if partial.partitioner.name() == name {
        partial.partitioner.forget();
    }
    Ok(())
}

fn no_key_counts(partial: &mut PartialConfig, name: &'static str) {
    if let Some(random) = by_name::of("random") {
        partial.partitioner.set_as(name, as_partitioner(random));
    }
}

pub(super) fn security_protocol(_: &mut PartialConfig, _: &'static str, value: &str) -> Taken {
    let reason = match value.to_ascii_uppercase().as_str() {
        "PLAINTEXT" => return Ok(()),
        "SSL" => "this version has no TLS",
        "SASL_SSL" => "this version has neither TLS nor SASL",
        "SASL_PLAINTEXT" => "this version has no SASL",
        _ => {
            return Err(no_such(
                "PLAINTEXT; SSL, SASL_PLAINTEXT and SASL_SSL are not here",
            ));
        }
    };
    Err(Refusal::Not(Not::Never(
        reason,
        "use a PLAINTEXT listener without authentication, or a tunnel in front of one",
    )))
}
