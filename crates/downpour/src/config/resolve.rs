//! From what the caller said to settings: defaults, limits and contradictions.
//!
//! Every problem is found before anything is reported, and nothing is connected.

use std::sync::Arc;
use std::time::Duration;

use downpour_core::config::{Acks, Address, Config, Linger};
use downpour_wire::codec::{Codec, Compression};

use crate::config::partial::Draft;
use crate::config::settings::Settings;
use crate::error::config::{ConfigError, ConfigProblem};

/// 64 MiB.
const BUFFER_MEMORY: usize = 64 << 20;
const MAX_BLOCK: Duration = Duration::from_secs(60);
/// Java's users write "never" as the largest number; this keeps deadlines computable.
const FOR_EVER: Duration = Duration::from_secs(10 * 365 * 24 * 3600);
/// A pause of nothing would try again as fast as a processor can.
const PAUSE_MIN: Duration = Duration::from_millis(1);
/// More in flight per connection and partition brings nothing: a broker keeps the last five
/// sequences and serves one request per connection at a time.
const IN_FLIGHT_MAX: usize = 5;
/// Lengths on the wire are 32 bits with a sign; this leaves room for what surrounds them.
const BYTES_MAX: usize = 1 << 30;

/// Checks a draft.
pub(crate) fn settings(draft: Draft) -> Result<Settings, ConfigError> {
    let mut problems = draft.problems.clone();
    let bootstrap = match draft.bootstrap.as_deref() {
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
    take_plain(&draft, &mut config);
    take_compression(&draft, &mut config, &mut problems);
    bound_times(&mut config);
    check_limits(&config, &mut problems);
    settle_idempotence(&draft, &mut config, &mut problems);
    settle_sizes(&draft, &mut config, &mut problems);
    settle_times(&draft, &mut config, &mut problems);
    if !problems.is_empty() {
        return Err(ConfigError::new(problems));
    }
    let max_block = draft.max_block.unwrap_or(MAX_BLOCK).min(FOR_EVER);
    // Also a topic that only `try_send` asked for is to be there soon.
    config.topic_wanted_for = config.topic_wanted_for.max(max_block);
    Ok(Settings {
        options: config.batch_options(),
        core: Arc::new(config),
        buffer_memory: draft.buffer_memory.unwrap_or(BUFFER_MEMORY),
        max_block,
        partitioner: draft.partitioner,
        connector: draft.connector,
        send_buffer: draft.send_buffer,
        receive_buffer: draft.receive_buffer,
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

fn take_plain(draft: &Draft, config: &mut Config) {
    if let Some(id) = &draft.client_id {
        config.client_id = Arc::from(id.as_str());
    }
    set(&mut config.acks, &draft.acks);
    set(&mut config.allow_reordering, &draft.allow_reordering);
    set(&mut config.resend_unknown, &draft.resend_unknown);
    set(&mut config.max_in_flight, &draft.max_in_flight);
    set(&mut config.linger, &draft.linger);
    set(&mut config.request_timeout, &draft.request_timeout);
    set(&mut config.delivery_timeout, &draft.delivery_timeout);
    set(&mut config.connect_timeout, &draft.connect_timeout);
    set(&mut config.idle_timeout, &draft.idle_timeout);
    set(&mut config.metadata_max_age, &draft.metadata_max_age);
    set(&mut config.auto_create_topics, &draft.auto_create_topics);
    set(&mut config.response_max, &draft.response_max);
    // A batch of no bytes would never hold a record; Java takes 0 as 1, too.
    config.batch_size = draft.batch_size.unwrap_or(config.batch_size).max(1);
}

fn bound_times(config: &mut Config) {
    for time in [
        &mut config.delivery_timeout,
        &mut config.request_timeout,
        &mut config.connect_timeout,
        &mut config.idle_timeout,
        &mut config.metadata_max_age,
    ] {
        *time = (*time).min(FOR_EVER);
    }
    config.linger = match config.linger {
        Linger::Fixed(time) => Linger::Fixed(time.min(FOR_EVER)),
        Linger::Adaptive(time) => Linger::Adaptive(time.min(FOR_EVER)),
        other => other,
    };
}

fn take_compression(draft: &Draft, config: &mut Config, problems: &mut Vec<ConfigProblem>) {
    let Some(codec) = draft.codec else { return };
    if !codec.is_compiled() {
        problems.push(invalid(
            "compression",
            codec,
            format!("not in this build; enable the feature `{codec}` of downpour"),
        ));
        return;
    }
    let by_property = match codec {
        Codec::Gzip => draft.gzip_level,
        Codec::Zstd => draft.zstd_level,
        _ => None,
    };
    let level = draft.level.or(by_property);
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

fn settle_idempotence(draft: &Draft, config: &mut Config, problems: &mut Vec<ConfigProblem>) {
    let weak = config.acks != Acks::All;
    config.idempotence = match (draft.idempotence, weak) {
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
    match (draft.idempotence, config.allow_reordering) {
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

fn settle_sizes(draft: &Draft, config: &mut Config, problems: &mut Vec<ConfigProblem>) {
    set(&mut config.batch_max, &draft.record_max);
    match draft.request_max {
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
        if draft.batch_size.is_some() && draft.record_max.is_some() {
            problems.push(contradiction(
                format!(
                    "batch_size={} with record_max={}",
                    config.batch_size, config.batch_max
                ),
                "a batch may not be larger than the largest batch; lower batch_size",
            ));
        } else if draft.record_max.is_none() {
            config.batch_max = config.batch_size;
            config.request_max = config.request_max.max(config.batch_max);
        } else {
            config.batch_size = config.batch_max;
        }
    }
    if draft.buffer_memory == Some(0) {
        problems.push(invalid(
            "buffer_memory",
            0,
            "no record fits; the default is 64 MiB",
        ));
    }
}

fn settle_times(draft: &Draft, config: &mut Config, problems: &mut Vec<ConfigProblem>) {
    let floor = config.linger.duration() + config.request_timeout;
    if config.delivery_timeout < floor {
        if draft.delivery_timeout.is_some() {
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
        (draft.retry_backoff, draft.retry_backoff_max),
        config.retry_backoff,
        problems,
    );
    config.reconnect_backoff = backoff(
        "reconnect_backoff",
        (draft.reconnect_backoff, draft.reconnect_backoff_max),
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
        first.clamp(PAUSE_MIN, FOR_EVER),
        largest.clamp(PAUSE_MIN, FOR_EVER),
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
