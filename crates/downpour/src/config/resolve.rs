//! From what the caller said to settings: defaults, limits and contradictions.
//!
//! Every problem is found before anything is reported, and nothing is connected.

use std::sync::Arc;
use std::time::Duration;

use downpour_core::config::{Acks, Address, Config, Linger};
use downpour_core::time::Readable;
use downpour_wire::codec::{Compression, CompressionType};

use crate::config::family::Family;
use crate::config::partial::PartialConfig;
use crate::config::setting::Setting;
use crate::config::settings::Settings;
use crate::error::config::{ConfigError, ConfigProblem};

/// 64 MiB.
const BUFFER_MEMORY: usize = 64 << 20;
const MAX_BLOCK: Duration = Duration::from_secs(60);
/// Ten years. Java's users write "never" as the largest number; with this bound, adding a time to
/// an instant cannot overflow.
const FOREVER: Duration = Duration::from_secs(10 * 365 * 24 * 3600);
/// A pause of nothing would try again as fast as a processor can.
const PAUSE_MIN: Duration = Duration::from_millis(1);
/// More in flight per connection and partition brings nothing: a broker keeps the last five
/// batches' sequences (KAFKA-5494) and serves one request per connection at a time.
const IN_FLIGHT_MAX: usize = 5;
/// Lengths on the wire are 32 bits with a sign; this leaves room for what surrounds them.
const BYTES_MAX: usize = 1 << 30;
/// The bytes of a record without key and value.
const RECORD_LEN_MIN: usize = 7;
/// A batch takes credit for the so many-th part of all records ahead of them, at most.
const AHEAD: usize = 64;
/// librdkafka's least, too.
const RESPONSE_MIN: usize = 1000;
/// A connection that is opened for a record must be there when that comes to it.
const IDLE_MIN: Duration = Duration::from_secs(1);
/// A refresh of nothing would ask without a pause.
const METADATA_AGE_MIN: Duration = Duration::from_millis(100);

/// The settings that follow from what was asked for, or every problem with it.
pub(crate) fn settings(partial: PartialConfig) -> Result<Settings, ConfigError> {
    let mut problems = partial.problems.clone();
    let bootstrap = match partial.bootstrap.get() {
        Some(text) => addresses(partial.bootstrap.name(), text, &mut problems),
        None => {
            let trouble = "name at least one broker as host:port, here or in bootstrap.servers";
            problems.push(invalid(partial.bootstrap.name(), "", trouble));
            Vec::new()
        }
    };
    let mut config = Config::new(bootstrap);
    take_plain(&partial, &mut config);
    take_compression(&partial, &mut config, &mut problems);
    check_limits(&partial, &config, &mut problems);
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
    Ok(Settings {
        options: config.batch_options(),
        core: Arc::new(config),
        buffer_memory,
        max_block,
        send_buffer: kernel_s(&partial.send_buffer),
        receive_buffer: kernel_s(&partial.receive_buffer),
        keepalive: partial.keepalive.or(false),
        family: partial.family.or(Family::Any),
        partitioner: partial.partitioner.get().cloned(),
        connector: partial.connector,
    })
}

fn invalid(name: &str, value: impl ToString, trouble: impl Into<String>) -> ConfigProblem {
    ConfigProblem::Invalid {
        name: name.into(),
        value: value.to_string(),
        trouble: trouble.into(),
    }
}

fn contradiction(settings: impl Into<String>, trouble: impl Into<String>) -> ConfigProblem {
    ConfigProblem::Contradiction {
        settings: settings.into(),
        trouble: trouble.into(),
    }
}

fn take_plain(partial: &PartialConfig, config: &mut Config) {
    if let Some(id) = partial.client_id.get() {
        config.client_id = Arc::from(id.as_str());
    }
    partial.acks.put(&mut config.acks);
    partial.allow_reordering.put(&mut config.allow_reordering);
    partial.resend_unknown.put(&mut config.resend_unknown);
    partial.max_in_flight.put(&mut config.max_in_flight);
    partial.retries.put(&mut config.retries);
    partial.linger.put(&mut config.linger);
    partial.request_timeout.put(&mut config.request_timeout);
    partial.delivery_timeout.put(&mut config.delivery_timeout);
    partial.connect_timeout.put(&mut config.connect_timeout);
    partial.idle_timeout.put(&mut config.idle_timeout);
    partial.metadata_max_age.put(&mut config.metadata_max_age);
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
    // A batch of no bytes would never hold a record; Java takes 0 as 1, too.
    config.batch_size = partial.batch_size.or(config.batch_size).max(1);
    // As librdkafka has it; Java's takes it at its word, and nothing is ever sent.
    if config.idle_timeout.is_zero() {
        config.idle_timeout = FOREVER;
    }
    config.idle_timeout = config.idle_timeout.max(IDLE_MIN);
    config.metadata_max_age = config.metadata_max_age.max(METADATA_AGE_MIN);
}

/// So that a time can be added to any instant.
fn bound_times(config: &mut Config) {
    for time in [
        &mut config.delivery_timeout,
        &mut config.request_timeout,
        &mut config.connect_timeout,
        &mut config.idle_timeout,
        &mut config.metadata_max_age,
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
            format!("not in this build; enable the feature `{codec}` of downpour"),
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
                problems.push(invalid(name, level, error.to_string()));
                return;
            }
        },
    };
}

fn check_limits(partial: &PartialConfig, config: &Config, problems: &mut Vec<ConfigProblem>) {
    if !(1..=IN_FLIGHT_MAX).contains(&config.max_in_flight) {
        problems.push(invalid(
            partial.max_in_flight.name(),
            config.max_in_flight,
            "must be 1 to 5: brokers remember five batches of an idempotent producer, and serve \
             one request per connection at a time",
        ));
    }
    if config.batch_records == 0 {
        let trouble = "a batch holds at least one record";
        problems.push(invalid(partial.batch_records.name(), 0, trouble));
    }
    if config.connect_timeout.is_zero() {
        let trouble = "no connection is ready in no time; the default is 10 s";
        problems.push(invalid(partial.connect_timeout.name(), 0, trouble));
    }
    if config.response_max < RESPONSE_MIN {
        let trouble = "must be at least 1000 bytes: metadata would not fit";
        let name = partial.response_max.name();
        problems.push(invalid(name, config.response_max, trouble));
    }
    for size in [&partial.send_buffer, &partial.receive_buffer] {
        if let Some(&bytes) = size.get().filter(|bytes| i32::try_from(**bytes).is_err()) {
            problems.push(invalid(size.name(), bytes, "must be at most 2147483647"));
        }
    }
    if !config.client_id.chars().all(|c| !c.is_control()) || config.client_id.len() > 249 {
        problems.push(invalid(
            partial.client_id.name(),
            &config.client_id,
            "must have at most 249 bytes and no control characters",
        ));
    }
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
            let (acks, on) = (partial.acks.name(), partial.idempotence.name());
            problems.push(contradiction(
                format!("{acks}={} with {on}=true", config.acks.as_i16()),
                format!("idempotence needs {acks}=all; leave {on} out or use {acks}=all"),
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
        (Some(true), true) => problems.push(contradiction(
            format!(
                "{} with {}",
                partial.idempotence.name(),
                partial.allow_reordering.name()
            ),
            "idempotence keeps order by sequences; leave one of the two out",
        )),
        (None, true) => {
            tracing::info!("allow_reordering has no effect: idempotence is on and keeps order");
        }
        _ => {}
    }
}

fn resolve_sizes(partial: &PartialConfig, config: &mut Config, problems: &mut Vec<ConfigProblem>) {
    partial.record_max.put(&mut config.batch_max);
    let record_max = partial.record_max.name();
    match partial.request_max.get() {
        Some(bytes) => config.request_max = *bytes,
        // A default gives way to what was asked for.
        None => config.request_max = config.request_max.max(config.batch_max),
    }
    for (name, bytes) in [
        (partial.batch_size.name(), config.batch_size),
        (record_max, config.batch_max),
        (partial.response_max.name(), config.response_max),
    ] {
        if bytes > BYTES_MAX {
            problems.push(invalid(name, bytes, "must be at most 1 GiB"));
        }
    }
    if let Some(&bytes) = partial
        .request_max
        .get()
        .filter(|bytes| **bytes > BYTES_MAX)
    {
        let name = partial.request_max.name();
        problems.push(invalid(name, bytes, "must be at most 1 GiB"));
    }
    if config.batch_max < 128 {
        let trouble = "must be at least 128 bytes";
        problems.push(invalid(record_max, config.batch_max, trouble));
    }
    if config.request_max < config.batch_max {
        let request_max = partial.request_max.name();
        problems.push(contradiction(
            format!(
                "{request_max}={} with {record_max}={}",
                config.request_max, config.batch_max
            ),
            format!("a request must be able to hold the largest record; raise {request_max}"),
        ));
    }
    if config.batch_size > config.batch_max {
        let batch_size = partial.batch_size.name();
        if partial.batch_size.is_said() && partial.record_max.is_said() {
            problems.push(contradiction(
                format!(
                    "{batch_size}={} with {record_max}={}",
                    config.batch_size, config.batch_max
                ),
                format!("a batch may not be larger than the largest batch; lower {batch_size}"),
            ));
        } else if !partial.record_max.is_said() {
            config.batch_max = config.batch_size;
            config.request_max = config.request_max.max(config.batch_max);
        } else {
            config.batch_size = config.batch_max;
        }
    }
}

/// Bytes for records, and what each record counts for at least.
fn resolve_memory(
    partial: &PartialConfig,
    config: &mut Config,
    problems: &mut Vec<ConfigProblem>,
) -> usize {
    let bytes = partial.buffer_memory.or(BUFFER_MEMORY);
    if bytes == 0 {
        let trouble = "no record fits; the default is 64 MiB";
        problems.push(invalid(partial.buffer_memory.name(), 0, trouble));
    }
    // A batch that is planned larger than all the memory could never be had.
    config.batch_size = config.batch_size.min(bytes.max(1));
    match partial.buffer_records.get() {
        None => {}
        Some(0) => problems.push(invalid(
            partial.buffer_records.name(),
            0,
            "no record fits; leave it out for no limit",
        )),
        Some(&records) => {
            let share = bytes / records;
            // Every record takes more than this anyway.
            if share > RECORD_LEN_MIN {
                config.record_share = share;
                config.records_ahead = (records / AHEAD).max(1);
                return share * records;
            }
        }
    }
    bytes
}

fn resolve_times(partial: &PartialConfig, config: &mut Config, problems: &mut Vec<ConfigProblem>) {
    for (time, name, trouble) in [
        (
            config.request_timeout,
            partial.request_timeout.name(),
            "no broker answers in no time; the default is 30 s",
        ),
        (
            config.delivery_timeout,
            partial.delivery_timeout.name(),
            "no record is delivered in no time; the default is 120 s",
        ),
    ] {
        if time.is_zero() {
            problems.push(invalid(name, 0, trouble));
        }
    }
    if !partial.delivery_timeout.is_said() {
        raise_delivery_timeout(config);
    } else if !config.delivery_timeout.is_zero() {
        fit_into_delivery_timeout(partial, config, problems);
    }
    config.retry_backoff = backoff(
        (&partial.retry_backoff, &partial.retry_backoff_max),
        config.retry_backoff,
        problems,
    );
    config.reconnect_backoff = backoff(
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

fn raise_delivery_timeout(config: &mut Config) {
    let floor = attempt(config);
    if config.delivery_timeout < floor {
        tracing::info!(
            delivery_timeout = %Readable(floor),
            "delivery_timeout was raised to linger plus request_timeout"
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
        problems.push(contradiction(
            format!(
                "{}={} with {}={}",
                delivery.name(),
                Readable(whole),
                linger.name(),
                Readable(config.linger.duration())
            ),
            format!(
                "no time is left to send; raise {} or lower {}",
                delivery.name(),
                linger.name()
            ),
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
    let floor = Readable(attempt(config));
    problems.push(contradiction(
        format!(
            "{}={} with {}={} and {}={}",
            delivery.name(),
            Readable(whole),
            linger.name(),
            Readable(config.linger.duration()),
            request.name(),
            Readable(config.request_timeout)
        ),
        format!("one attempt takes up to {floor}; raise the first or lower the others"),
    ));
}

/// First and largest pause; where only one was said, the default of the other gives way.
fn backoff(
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
                problems.push(contradiction(
                    format!(
                        "{}={} with {}={}",
                        said.0.name(),
                        Readable(first),
                        said.1.name(),
                        Readable(largest)
                    ),
                    "the first pause must not be longer than the largest",
                ));
            }
            (first, largest)
        }
    };
    (
        first.clamp(PAUSE_MIN, FOREVER),
        largest.clamp(PAUSE_MIN, FOREVER),
    )
}

fn addresses(name: &str, text: &str, problems: &mut Vec<ConfigProblem>) -> Vec<Address> {
    let mut found = Vec::new();
    for entry in text
        .split(',')
        .map(str::trim)
        .filter(|entry| !entry.is_empty())
    {
        match address(entry) {
            Ok(address) => found.push(address),
            Err(trouble) => {
                // A name and a password may stand before it; neither is shown.
                let shown = entry
                    .rsplit_once('@')
                    .map(|(_, host)| format!("***@{host}"));
                let shown = shown.unwrap_or_else(|| entry.to_owned());
                problems.push(invalid(name, shown, trouble));
            }
        }
    }
    if found.is_empty() && problems.is_empty() {
        let trouble = "name at least one broker as host:port";
        problems.push(invalid(name, text, trouble));
    }
    found
}

fn address(entry: &str) -> Result<Address, String> {
    let rest = match entry.split_once("://") {
        None => entry,
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case("PLAINTEXT") => rest,
        Some((scheme, _)) => return Err(format!("only PLAINTEXT is supported, not {scheme}")),
    };
    if rest.contains('@') {
        return Err("brokers take no name before the host".into());
    }
    if rest.contains(';') || rest.split_whitespace().count() > 1 && rest.matches(':').count() > 1 {
        return Err("separate brokers by commas".into());
    }
    let (host, port) = match rest.strip_prefix('[') {
        Some(v6) => v6
            .split_once("]:")
            .ok_or("write IPv6 addresses as [address]:port")?,
        None => rest
            .rsplit_once(':')
            .ok_or("has no port; write host:port, usually :9092")?,
    };
    if host.is_empty() {
        return Err("has no host; write host:port".into());
    }
    if host.contains(':') && !rest.starts_with('[') {
        return Err("write IPv6 addresses as [address]:port".into());
    }
    if host.contains(|c: char| c.is_whitespace() || c.is_control() || c == '/') {
        return Err("the host's name has a character that no host's name has".into());
    }
    let is_number = port.bytes().all(|byte| byte.is_ascii_digit());
    match port.parse() {
        Ok(port) if port != 0 && is_number => Ok(Address {
            host: Arc::from(host),
            port,
        }),
        _ => Err(format!("{port:?} is no port; use 1 to 65535")),
    }
}

#[cfg(test)]
mod tests;
