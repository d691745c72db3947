//! From what the caller said to settings: defaults, limits and contradictions.
//!
//! Every problem is found before anything is reported, and nothing is connected.

use std::sync::Arc;
use std::time::Duration;

use downpour_core::config::{Acks, Config, Linger};
use downpour_core::time::Readable;
use downpour_wire::codec::{Compression, CompressionType};

use crate::config::limits::{self, FOREVER};
use crate::config::partial::PartialConfig;
use crate::config::properties;
use crate::config::setting::Setting;
use crate::config::settings::Settings;
use crate::config::{addresses, family::AddressFamily};
use crate::error::config::{ConfigError, ConfigProblem, Said};
use crate::error::names::Names;

/// 64 MiB.
const BUFFER_MEMORY: usize = 64 << 20;
/// More than any cluster serves.
const TOPICS_MAX: usize = 200_000;
const MAX_BLOCK: Duration = Duration::from_secs(60);
/// As long as a topic's name may be; brokers name metrics by it.
const CLIENT_ID_MAX: usize = 249;
/// The bytes of a record without key and value.
const RECORD_LEN_MIN: usize = 7;
/// A batch takes credit for the so many-th part of all records ahead of them, at most.
const AHEAD: usize = 64;

/// The settings that follow from what was asked for, or every problem with it.
pub(crate) fn settings(partial: PartialConfig) -> Result<Settings, ConfigError> {
    let mut problems = partial.problems.clone();
    let bootstrap = match partial.bootstrap.get() {
        Some(servers) => addresses::read(partial.bootstrap.name(), servers.as_str(), &mut problems),
        None => {
            let remedy = "name at least one broker as host:port, here or in bootstrap.servers";
            problems.push(invalid(partial.bootstrap.name(), "", "is missing", remedy));
            Vec::new()
        }
    };
    let mut config = Config::new(bootstrap);
    take_plain(&partial, &mut config);
    take_compression(&partial, &mut config, &mut problems);
    limits::check(&partial, &mut problems);
    check_client_id(&partial, &mut problems);
    resolve_idempotence(&partial, &mut config, &mut problems);
    resolve_sizes(&partial, &mut config, &mut problems);
    resolve_times(&partial, &mut config, &mut problems);
    let buffer_memory = resolve_memory(&partial, &mut config, &mut problems);
    bound_times(&mut config);
    if !problems.is_empty() {
        return Err(ConfigError::new(problems));
    }
    let max_block = partial.max_block.or(MAX_BLOCK).min(FOREVER);
    // Also a topic that only `try_send` asked for is to be there soon.
    config.topic_wanted_for = config.topic_wanted_for.max(max_block);
    let kernel_s = |size: &Setting<usize>| size.get().copied().filter(|bytes| *bytes > 0);
    let names = names(&partial, &config);
    Ok(Settings {
        options: config.batch_options(),
        core: Arc::new(config),
        buffer_memory,
        topics_max: partial.topics_max.or(TOPICS_MAX),
        max_block,
        send_buffer: kernel_s(&partial.send_buffer),
        receive_buffer: kernel_s(&partial.receive_buffer),
        names,
        keepalive: partial.keepalive.or(true),
        family: partial.family.or(AddressFamily::Any),
        partitioner: partial.partitioner.get().cloned(),
        connector: partial.connector,
    })
}

fn invalid(
    name: &str,
    value: impl ToString,
    trouble: impl Into<String>,
    remedy: impl Into<String>,
) -> ConfigProblem {
    ConfigProblem::invalid(name, value.to_string(), trouble, remedy)
}

fn names(partial: &PartialConfig, config: &Config) -> Names {
    let (bound, setter) = match config.record_share {
        0 => (partial.buffer_memory.name(), &"buffer_memory"),
        _ => (partial.buffer_records.name(), &"buffer_records"),
    };
    Names {
        bound: properties::thin(bound).unwrap_or(setter),
        buffer_memory: partial.buffer_memory.name(),
        max_block: partial.max_block.name(),
        record_max: partial.record_max.name(),
    }
}

fn take_plain(partial: &PartialConfig, config: &mut Config) {
    if let Some(id) = partial.client_id.get() {
        config.client_id = Arc::from(id.as_str());
    }
    partial.acks.put(&mut config.acks);
    partial.allow_reordering.put(&mut config.allow_reordering);
    partial.resend_unknown.put(&mut config.resend_unknown);
    partial.fail_on_data_loss.put(&mut config.fail_on_data_loss);
    partial
        .fail_on_cluster_change
        .put(&mut config.fail_on_cluster_change);
    partial.max_in_flight.put(&mut config.max_in_flight);
    partial.retries.put(&mut config.retries);
    partial.linger.put(&mut config.linger);
    partial.request_timeout.put(&mut config.request_timeout);
    partial.delivery_timeout.put(&mut config.delivery_timeout);
    partial.connect_timeout.put(&mut config.connect_timeout);
    partial.idle_timeout.put(&mut config.idle_timeout);
    partial.metadata_max_age.put(&mut config.metadata_max_age);
    partial.metadata_max_idle.put(&mut config.metadata_max_idle);
    partial.old_record_age.put(&mut config.old_record_age);
    partial
        .unknown_topic_timeout
        .put(&mut config.unknown_topic_timeout);
    partial
        .auto_create_topics
        .put(&mut config.auto_create_topics);
    partial.response_max.put(&mut config.response_max);
    let batch_records = partial.batch_records.or(usize::MAX);
    config.batch_records = u32::try_from(batch_records).unwrap_or(u32::MAX);
    // A batch of no bytes would never hold a record: each has a batch of its own, as in Java.
    config.batch_size = partial.batch_size.or(config.batch_size).max(1);
    if config.idle_timeout.is_zero() {
        config.idle_timeout = FOREVER;
    }
}

/// So that a time can be added to any instant.
fn bound_times(config: &mut Config) {
    for time in [
        &mut config.delivery_timeout,
        &mut config.request_timeout,
        &mut config.connect_timeout,
        &mut config.idle_timeout,
        &mut config.metadata_max_age,
        &mut config.metadata_max_idle,
        &mut config.old_record_age,
        &mut config.unknown_topic_timeout,
    ] {
        *time = (*time).min(FOREVER);
    }
    config.linger = with_linger(config.linger, config.linger.duration().min(FOREVER));
}

/// The same kind of lingering for another time.
fn with_linger(linger: Linger, time: Duration) -> Linger {
    match linger {
        Linger::Fixed(_) => Linger::Fixed(time),
        _ => Linger::Adaptive(time),
    }
}

fn take_compression(
    partial: &PartialConfig,
    config: &mut Config,
    problems: &mut Vec<ConfigProblem>,
) {
    let Some(&codec) = partial.codec.get() else {
        return;
    };
    if !codec.is_compiled() {
        problems.push(invalid(
            partial.codec.name(),
            codec,
            "is not in this build",
            format!("enable the feature `{codec}` of downpour, or use another codec"),
        ));
        return;
    }
    let own = match codec {
        CompressionType::Gzip => Some(&partial.gzip_level),
        CompressionType::Zstd => Some(&partial.zstd_level),
        _ => None,
    };
    // librdkafka's level is for any codec; those without levels do as they always do.
    let any = own.is_some().then_some(&partial.any_level);
    if let (None, Some(level)) = (own, partial.any_level.get()) {
        let property = partial.any_level.name();
        tracing::warn!(
            property,
            value = level,
            "property ignored: {codec} has no levels here"
        );
    }
    let said = [Some(&partial.level), own, any].into_iter().flatten();
    let said = said
        .filter_map(|level| Some((level.name(), *level.get()?)))
        .next();
    config.compression = match said {
        None => Compression::new(codec),
        Some((name, level)) => match Compression::with_level(codec, level) {
            Ok(compression) => compression,
            Err(error) => {
                let remedy = "use a level that it has, or leave it out";
                problems.push(invalid(name, level, error.to_string(), remedy));
                return;
            }
        },
    };
}

fn check_client_id(partial: &PartialConfig, problems: &mut Vec<ConfigProblem>) {
    let Some(id) = partial.client_id.get() else {
        return;
    };
    let trouble = if id.chars().any(char::is_control) {
        "has control characters"
    } else if id.len() > CLIENT_ID_MAX {
        "is too long"
    } else {
        return;
    };
    let remedy = "use at most 249 bytes of visible text";
    problems.push(invalid(partial.client_id.name(), id, trouble, remedy));
}

fn resolve_idempotence(
    partial: &PartialConfig,
    config: &mut Config,
    problems: &mut Vec<ConfigProblem>,
) {
    let weak = config.acks != Acks::All;
    let said = partial.idempotence.get().copied();
    config.idempotence = match (said, weak) {
        (Some(true), true) => {
            let (acks, on) = (&partial.acks, &partial.idempotence);
            problems.push(ConfigProblem::contradiction(
                partial.said(acks, config.acks),
                vec![partial.said(on, true)],
                format!("idempotence needs {}=all", acks.name()),
                format!("leave {} out, or use {}=all", on.name(), acks.name()),
            ));
            true
        }
        (None, true) => {
            tracing::info!(
                acks = config.acks.as_i16(),
                "idempotence is off, because acks is not all"
            );
            false
        }
        (None, false) => true,
        (Some(on), _) => on,
    };
    if !config.idempotence {
        return;
    }
    match (said, config.allow_reordering) {
        (Some(true), true) => problems.push(ConfigProblem::contradiction(
            partial.said(&partial.idempotence, true),
            vec![partial.said(&partial.allow_reordering, true)],
            "idempotence keeps order by sequences",
            "leave one of the two out",
        )),
        (None, true) => {
            tracing::info!("allow_reordering has no effect: idempotence is on and keeps order");
        }
        _ => {}
    }
}

fn resolve_sizes(partial: &PartialConfig, config: &mut Config, problems: &mut Vec<ConfigProblem>) {
    let (batch_size, record_max, request_max) = (
        &partial.batch_size,
        &partial.record_max,
        &partial.request_max,
    );
    let size = partial.said(batch_size, config.batch_size);
    // Defaults give way to what was asked for.
    config.batch_max = match (record_max.get(), batch_size.get()) {
        (Some(record), Some(batch)) if batch > record => {
            problems.push(ConfigProblem::contradiction(
                size.clone(),
                vec![partial.said(record_max, record)],
                "a batch may not be larger than the largest batch",
                format!("lower {}, or raise the other", batch_size.name()),
            ));
            *record
        }
        (Some(record), _) => *record,
        (None, Some(batch)) => config.batch_max.max(*batch),
        (None, None) => config.batch_max,
    };
    match request_max.get() {
        None => config.request_max = config.request_max.max(config.batch_max),
        Some(&request) => {
            config.request_max = request;
            if record_max.is_said() && request < config.batch_max {
                problems.push(ConfigProblem::contradiction(
                    partial.said(request_max, request),
                    vec![partial.said(record_max, config.batch_max)],
                    "a request must be able to hold the largest record",
                    format!("raise {}, or lower the other", request_max.name()),
                ));
            } else if batch_size.is_said() && request < config.batch_size {
                problems.push(ConfigProblem::contradiction(
                    partial.said(request_max, request),
                    vec![size],
                    "a request must be able to hold a full batch",
                    format!("raise {}, or lower the other", request_max.name()),
                ));
            }
            config.batch_max = config.batch_max.min(request);
        }
    }
    config.batch_size = config.batch_size.min(config.batch_max);
}

/// Bytes for records, and what each record counts for at least.
fn resolve_memory(
    partial: &PartialConfig,
    config: &mut Config,
    problems: &mut Vec<ConfigProblem>,
) -> usize {
    let bytes = match partial.buffer_memory.get() {
        Some(bytes) => *bytes,
        // A default gives way to what was asked for: the largest record fits.
        None => BUFFER_MEMORY.max(config.batch_max),
    };
    if config.batch_size > bytes {
        if partial.batch_size.is_said() {
            problems.push(ConfigProblem::contradiction(
                partial.said(&partial.buffer_memory, bytes),
                vec![partial.said(&partial.batch_size, config.batch_size)],
                "a full batch would not fit",
                format!("raise {}, or lower the other", partial.buffer_memory.name()),
            ));
        }
        // A batch that is planned larger than all the memory could never be had.
        config.batch_size = bytes;
    }
    if let Some(&records) = partial.buffer_records.get().filter(|records| **records > 0) {
        let share = bytes / records;
        // Every record takes more than this anyway.
        if share > RECORD_LEN_MIN {
            config.record_share = share;
            config.records_ahead = (records / AHEAD).max(1);
            return share * records;
        }
    }
    bytes
}

fn resolve_times(partial: &PartialConfig, config: &mut Config, problems: &mut Vec<ConfigProblem>) {
    if !partial.delivery_timeout.is_said() {
        raise_delivery_timeout(partial, config);
    } else if !config.delivery_timeout.is_zero() {
        fit_into_delivery_timeout(partial, config, problems);
    }
    config.retry_backoff = backoff(
        partial,
        (&partial.retry_backoff, &partial.retry_backoff_max),
        config.retry_backoff,
        problems,
    );
    config.reconnect_backoff = backoff(
        partial,
        (&partial.reconnect_backoff, &partial.reconnect_backoff_max),
        config.reconnect_backoff,
        problems,
    );
}

/// The time of one attempt, from the opening of its batch on.
fn attempt(config: &Config) -> Duration {
    config
        .linger
        .duration()
        .saturating_add(config.request_timeout)
}

fn raise_delivery_timeout(partial: &PartialConfig, config: &mut Config) {
    let floor = attempt(config);
    if config.delivery_timeout < floor {
        tracing::info!(
            delivery_timeout = %Readable(floor),
            "delivery_timeout was raised to {} plus {}",
            partial.linger.name(),
            partial.request_timeout.name(),
        );
        config.delivery_timeout = floor;
    }
}

/// Where nothing was said of them, linger and request timeout follow the delivery timeout.
fn fit_into_delivery_timeout(
    partial: &PartialConfig,
    config: &mut Config,
    problems: &mut Vec<ConfigProblem>,
) {
    let (delivery, linger) = (&partial.delivery_timeout, &partial.linger);
    let whole = config.delivery_timeout;
    if !linger.is_said() {
        let time = config.linger.duration().min(whole / 4);
        config.linger = with_linger(config.linger, time);
    }
    let left = whole.saturating_sub(config.linger.duration());
    if left.is_zero() {
        problems.push(ConfigProblem::contradiction(
            partial.said(delivery, Readable(whole)),
            vec![said_linger(partial, config)],
            "no time is left to send",
            format!("raise {} or lower {}", delivery.name(), linger.name()),
        ));
        return;
    }
    if attempt(config) <= whole {
        return;
    }
    let request = &partial.request_timeout;
    // librdkafka takes the lesser of its two, and its users have both in their files.
    let is_librdkafkas =
        delivery.name() == "message.timeout.ms" || request.name() == "socket.timeout.ms";
    if !request.is_said() || is_librdkafkas {
        config.request_timeout = left;
        return;
    }
    let floor = limits::shown(delivery.name(), attempt(config));
    problems.push(ConfigProblem::contradiction(
        partial.said(delivery, Readable(whole)),
        vec![
            said_linger(partial, config),
            partial.said(request, Readable(config.request_timeout)),
        ],
        format!("one attempt takes up to {}", Readable(attempt(config))),
        format!("raise {} to {floor}, or lower the others", delivery.name()),
    ));
}

fn said_linger(partial: &PartialConfig, config: &Config) -> Said {
    partial.said(&partial.linger, Readable(config.linger.duration()))
}

/// First and largest pause; where only one was said, the default of the other gives way.
fn backoff(
    partial: &PartialConfig,
    said: (&Setting<Duration>, &Setting<Duration>),
    default: (Duration, Duration),
    problems: &mut Vec<ConfigProblem>,
) -> (Duration, Duration) {
    let (first, largest) = match (said.0.get().copied(), said.1.get().copied()) {
        (None, None) => default,
        (Some(first), None) => (first, default.1.max(first)),
        (None, Some(largest)) => (default.0.min(largest), largest),
        (Some(first), Some(largest)) => {
            if first > largest {
                problems.push(ConfigProblem::contradiction(
                    partial.said(said.0, Readable(first)),
                    vec![partial.said(said.1, Readable(largest))],
                    "the first pause must not be longer than the largest",
                    "lower the first or raise the largest",
                ));
            }
            (first, largest)
        }
    };
    (first.min(FOREVER), largest.min(FOREVER))
}

#[cfg(test)]
mod tests;
