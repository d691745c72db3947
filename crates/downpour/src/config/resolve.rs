//! From what the caller said to settings: defaults, limits and contradictions.
//!
//! Every problem is found before anything is reported, and nothing is connected.

use std::sync::Arc;
use std::time::Duration;

use downpour_core::config::{Acks, Address, Config, Linger};
use downpour_wire::codec::{Compression, CompressionType};

use crate::config::partial::PartialConfig;
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

/// The settings that follow from what was asked for, or every problem with it.
pub(crate) fn settings(partial: PartialConfig) -> Result<Settings, ConfigError> {
    let mut problems = partial.problems.clone();
    let bootstrap = match partial.bootstrap.as_deref() {
        Some(text) => addresses(text, &mut problems),
        None => {
            problems.push(invalid(
                "bootstrap",
                "",
                "name at least one broker as host:port",
            ));
            Vec::new()
        }
    };
    let mut config = Config::new(bootstrap);
    take_plain(&partial, &mut config);
    take_compression(&partial, &mut config, &mut problems);
    bound_times(&mut config);
    check_limits(&config, &mut problems);
    resolve_idempotence(&partial, &mut config, &mut problems);
    resolve_sizes(&partial, &mut config, &mut problems);
    resolve_times(&partial, &mut config, &mut problems);
    if !problems.is_empty() {
        return Err(ConfigError::new(problems));
    }
    let max_block = partial.max_block.unwrap_or(MAX_BLOCK).min(FOREVER);
    // Also a topic that only `try_send` asked for is to be there soon.
    config.topic_wanted_for = config.topic_wanted_for.max(max_block);
    Ok(Settings {
        options: config.batch_options(),
        core: Arc::new(config),
        buffer_memory: partial.buffer_memory.unwrap_or(BUFFER_MEMORY),
        max_block,
        partitioner: partial.partitioner,
        connector: partial.connector,
        send_buffer: partial.send_buffer,
        receive_buffer: partial.receive_buffer,
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

fn set<T: Clone>(target: &mut T, said: &Option<T>) {
    if let Some(value) = said {
        *target = value.clone();
    }
}

fn take_plain(partial: &PartialConfig, config: &mut Config) {
    if let Some(id) = &partial.client_id {
        config.client_id = Arc::from(id.as_str());
    }
    set(&mut config.acks, &partial.acks);
    set(&mut config.allow_reordering, &partial.allow_reordering);
    set(&mut config.resend_unknown, &partial.resend_unknown);
    set(&mut config.max_in_flight, &partial.max_in_flight);
    set(&mut config.linger, &partial.linger);
    set(&mut config.request_timeout, &partial.request_timeout);
    set(&mut config.delivery_timeout, &partial.delivery_timeout);
    set(&mut config.connect_timeout, &partial.connect_timeout);
    set(&mut config.idle_timeout, &partial.idle_timeout);
    set(&mut config.metadata_max_age, &partial.metadata_max_age);
    set(&mut config.old_record_age, &partial.old_record_age);
    set(&mut config.auto_create_topics, &partial.auto_create_topics);
    set(&mut config.response_max, &partial.response_max);
    // A batch of no bytes would never hold a record; Java takes 0 as 1, too.
    config.batch_size = partial.batch_size.unwrap_or(config.batch_size).max(1);
}

fn bound_times(config: &mut Config) {
    for time in [
        &mut config.delivery_timeout,
        &mut config.request_timeout,
        &mut config.connect_timeout,
        &mut config.idle_timeout,
        &mut config.metadata_max_age,
        &mut config.old_record_age,
    ] {
        *time = (*time).min(FOREVER);
    }
    config.linger = match config.linger {
        Linger::Fixed(time) => Linger::Fixed(time.min(FOREVER)),
        Linger::Adaptive(time) => Linger::Adaptive(time.min(FOREVER)),
        other => other,
    };
}

fn take_compression(
    partial: &PartialConfig,
    config: &mut Config,
    problems: &mut Vec<ConfigProblem>,
) {
    let Some(codec) = partial.codec else { return };
    if !codec.is_compiled() {
        problems.push(invalid(
            "compression",
            codec,
            format!("not in this build; enable the feature `{codec}` of downpour"),
        ));
        return;
    }
    let by_property = match codec {
        CompressionType::Gzip => partial.gzip_level,
        CompressionType::Zstd => partial.zstd_level,
        _ => None,
    };
    let level = partial.level.or(by_property);
    config.compression = match level.map(|level| Compression::with_level(codec, level)) {
        None => Compression::new(codec),
        Some(Ok(compression)) => compression,
        Some(Err(error)) => {
            problems.push(invalid(
                "compression level",
                level.unwrap_or(0),
                error.to_string(),
            ));
            return;
        }
    };
}

fn check_limits(config: &Config, problems: &mut Vec<ConfigProblem>) {
    if !(1..=IN_FLIGHT_MAX).contains(&config.max_in_flight) {
        problems.push(invalid(
            "max_in_flight",
            config.max_in_flight,
            "must be 1 to 5: brokers remember five batches of an idempotent producer, and serve \
             one request per connection at a time",
        ));
    }
    if config.request_timeout.is_zero() {
        problems.push(invalid(
            "request_timeout",
            "0",
            "no broker answers in no time; try 30 s",
        ));
    }
    if !config.client_id.chars().all(|c| !c.is_control()) || config.client_id.len() > 249 {
        problems.push(invalid(
            "client_id",
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
    config.idempotence = match (partial.idempotence, weak) {
        (Some(true), true) => {
            problems.push(contradiction(
                format!("acks={} with idempotence", config.acks.as_i16()),
                "idempotence needs acks=all; leave idempotence out or use acks=all",
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
    match (partial.idempotence, config.allow_reordering) {
        (Some(true), true) => problems.push(contradiction(
            "idempotence with allow_reordering",
            "idempotence keeps order by sequences; leave one of the two out",
        )),
        (None, true) => {
            tracing::info!("allow_reordering has no effect: idempotence is on and keeps order");
        }
        _ => {}
    }
}

fn resolve_sizes(partial: &PartialConfig, config: &mut Config, problems: &mut Vec<ConfigProblem>) {
    set(&mut config.batch_max, &partial.record_max);
    match partial.request_max {
        Some(bytes) => config.request_max = bytes,
        // A default gives way to what was asked for.
        None => config.request_max = config.request_max.max(config.batch_max),
    }
    for (name, bytes) in [
        ("batch_size", config.batch_size),
        ("record_max", config.batch_max),
        ("request_max", config.request_max),
        ("response_max", config.response_max),
    ] {
        if bytes > BYTES_MAX {
            problems.push(invalid(name, bytes, "must be at most 1 GiB"));
        }
    }
    if config.batch_max < 128 {
        problems.push(invalid(
            "record_max",
            config.batch_max,
            "must be at least 128 bytes",
        ));
    }
    if config.request_max < config.batch_max {
        problems.push(contradiction(
            format!(
                "request_max={} with record_max={}",
                config.request_max, config.batch_max
            ),
            "a request must be able to hold the largest record; raise request_max",
        ));
    }
    if config.batch_size > config.batch_max {
        if partial.batch_size.is_some() && partial.record_max.is_some() {
            problems.push(contradiction(
                format!(
                    "batch_size={} with record_max={}",
                    config.batch_size, config.batch_max
                ),
                "a batch may not be larger than the largest batch; lower batch_size",
            ));
        } else if partial.record_max.is_none() {
            config.batch_max = config.batch_size;
            config.request_max = config.request_max.max(config.batch_max);
        } else {
            config.batch_size = config.batch_max;
        }
    }
    if partial.buffer_memory == Some(0) {
        problems.push(invalid(
            "buffer_memory",
            0,
            "no record fits; the default is 64 MiB",
        ));
    }
}

fn resolve_times(partial: &PartialConfig, config: &mut Config, problems: &mut Vec<ConfigProblem>) {
    let floor = config.linger.duration() + config.request_timeout;
    if config.delivery_timeout < floor {
        if partial.delivery_timeout.is_some() {
            problems.push(contradiction(
                format!(
                    "delivery_timeout={:?} with linger={:?} and request_timeout={:?}",
                    config.delivery_timeout,
                    config.linger.duration(),
                    config.request_timeout
                ),
                format!("one attempt takes up to {floor:?}; raise the first or lower the others"),
            ));
        } else {
            tracing::info!(
                delivery_timeout = ?floor,
                "delivery_timeout was raised to linger plus request_timeout"
            );
            config.delivery_timeout = floor;
        }
    }
    config.retry_backoff = backoff(
        "retry_backoff",
        (partial.retry_backoff, partial.retry_backoff_max),
        config.retry_backoff,
        problems,
    );
    config.reconnect_backoff = backoff(
        "reconnect_backoff",
        (partial.reconnect_backoff, partial.reconnect_backoff_max),
        config.reconnect_backoff,
        problems,
    );
}

/// First and largest pause; where only one was said, the default of the other gives way.
fn backoff(
    name: &str,
    said: (Option<Duration>, Option<Duration>),
    default: (Duration, Duration),
    problems: &mut Vec<ConfigProblem>,
) -> (Duration, Duration) {
    let (first, largest) = match said {
        (None, None) => default,
        (Some(first), None) => (first, default.1.max(first)),
        (None, Some(largest)) => (default.0.min(largest), largest),
        (Some(first), Some(largest)) => {
            if first > largest {
                problems.push(contradiction(
                    format!("{name}={first:?} with a largest one of {largest:?}"),
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

fn addresses(text: &str, problems: &mut Vec<ConfigProblem>) -> Vec<Address> {
    let mut found = Vec::new();
    for entry in text
        .split(',')
        .map(str::trim)
        .filter(|entry| !entry.is_empty())
    {
        match address(entry) {
            Ok(address) => found.push(address),
            Err(trouble) => problems.push(invalid("bootstrap", entry, trouble)),
        }
    }
    if found.is_empty() && problems.is_empty() {
        problems.push(invalid(
            "bootstrap",
            text,
            "name at least one broker as host:port",
        ));
    }
    found
}

fn address(entry: &str) -> Result<Address, String> {
    let rest = match entry.split_once("://") {
        None => entry,
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case("PLAINTEXT") => rest,
        Some((scheme, _)) => return Err(format!("only PLAINTEXT is supported, not {scheme}")),
    };
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
    match port.parse() {
        Ok(port) if port != 0 => Ok(Address {
            host: Arc::from(host),
            port,
        }),
        _ => Err(format!("{port:?} is no port; use 1 to 65535")),
    }
}

#[cfg(test)]
mod tests;
