//! Readers of properties' values, the plain ones and those of names that work in a way of their own.

use std::sync::Arc;
use std::time::Duration;

use downpour_core::callers::partitioner::by_name::{self, Named};
use downpour_core::config::{Acks, Linger};
use downpour_wire::codec::CompressionType;

use super::refusal::{Not, Refusal};
use crate::config::family::Family;
use crate::config::partial::PartialConfig;
use crate::partitioner::{PartitionContext, Partitioner};

fn bad(trouble: impl Into<String>) -> Refusal {
    Refusal::Invalid(trouble.into())
}

fn number(value: &str) -> Result<u64, Refusal> {
    let is_number = value.bytes().all(|byte| byte.is_ascii_digit());
    match value.parse() {
        Ok(number) if is_number => Ok(number),
        _ => Err(bad("must be a whole number that is not negative")),
    }
}

pub(super) fn bytes(value: &str) -> Result<usize, Refusal> {
    let number = number(value)?;
    usize::try_from(number).map_err(|_| bad("must fit this machine's memory"))
}

pub(super) fn millis(value: &str) -> Result<Duration, Refusal> {
    let number = number(value)?;
    // As in Kafka, whose times are signed.
    if number > i64::MAX as u64 {
        return Err(bad("is longer than any clock lasts"));
    }
    Ok(Duration::from_millis(number))
}

pub(super) fn boolean(value: &str) -> Result<bool, Refusal> {
    if value.eq_ignore_ascii_case("true") {
        Ok(true)
    } else if value.eq_ignore_ascii_case("false") {
        Ok(false)
    } else {
        Err(bad("must be true or false"))
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
    let acks = match value {
        "all" | "-1" => Acks::All,
        "1" => Acks::Leader,
        "0" => Acks::None,
        _ => return Err(bad("must be all, -1, 1 or 0")),
    };
    partial.acks.set_as(name, acks);
    Ok(())
}

pub(super) fn retries(partial: &mut PartialConfig, name: &'static str, value: &str) -> Taken {
    match number(value)? {
        retries if retries <= i32::MAX as u64 => {
            partial.retries.set_as(name, retries as u32);
            Ok(())
        }
        _ => Err(bad("must be at most 2147483647")),
    }
}

pub(super) fn linger(partial: &mut PartialConfig, name: &'static str, value: &str) -> Taken {
    // librdkafka takes fractions of a millisecond.
    let time = match value.parse::<f64>() {
        Ok(ms) if (0.0..=86_400_000.0).contains(&ms) => Duration::from_secs_f64(ms / 1000.0),
        _ => return Err(bad("must be milliseconds, from 0 to a day")),
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
        .ok_or_else(|| bad("must be none, gzip, snappy, lz4 or zstd"))?;
    partial.codec.set_as(name, codec);
    // The level of an earlier word belongs to that word's codec.
    partial.level.forget();
    Ok(())
}

pub(super) fn gzip_level(partial: &mut PartialConfig, name: &'static str, value: &str) -> Taken {
    match value {
        "-1" => partial.gzip_level.forget(),
        _ => partial.gzip_level.set_as(name, level(value, 1, 9)?),
    }
    Ok(())
}

pub(super) fn zstd_level(partial: &mut PartialConfig, name: &'static str, value: &str) -> Taken {
    let level = level(value, -131_072, 22)?;
    partial.zstd_level.set_as(name, level);
    Ok(())
}

pub(super) fn any_level(partial: &mut PartialConfig, name: &'static str, value: &str) -> Taken {
    match value {
        "-1" => partial.any_level.forget(),
        _ => partial.any_level.set_as(name, level(value, 0, 12)?),
    }
    Ok(())
}

fn level(value: &str, least: i32, most: i32) -> Result<i32, Refusal> {
    match value.parse() {
        Ok(level) if (least..=most).contains(&level) => Ok(level),
        _ => Err(bad(format!("must be {least} to {most}"))),
    }
}

pub(super) fn kilobytes_of_memory(
    partial: &mut PartialConfig,
    name: &'static str,
    value: &str,
) -> Taken {
    let bytes = bytes(value)?.checked_mul(1024);
    let bytes = bytes.ok_or_else(|| bad("must fit this machine's memory"))?;
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
    let family = match value.to_ascii_lowercase().as_str() {
        "any" => Family::Any,
        "v4" => Family::V4,
        "v6" => Family::V6,
        _ => return Err(bad("must be any, v4 or v6")),
    };
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
        bad(
            "must be consistent, consistent_random, murmur2, murmur2_random, fnv1a, fnv1a_random \
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
        _ => return Err(bad("must be PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL")),
    };
    Err(Refusal::Not(Not::Never(
        reason,
        "use a PLAINTEXT listener without authentication, or a tunnel in front of one",
    )))
}
