//! The least and the largest value of every number and every time: the one place that knows them.
//!
//! Nothing is rounded and nothing is cut here: a value is obeyed or refused, whoever said it.
//! Contradictions between settings are `resolve`'s; texts are read in `properties`.

use std::time::Duration;

use downpour_core::time::Readable;

use crate::config::partial::PartialConfig;
use crate::config::setting::Setting;
use crate::error::config::ConfigProblem;

/// Ten years. Java's users write "never" as the largest number: that and longer counts as for ever.
/// With this bound, adding a time to an instant cannot overflow.
pub(super) const FOREVER: Duration = Duration::from_secs(10 * 365 * 24 * 3600);
/// Lengths on the wire are 32 bits with a sign; this leaves room for what surrounds them.
const BYTES_MAX: usize = 1 << 30;
/// Less than that holds no batch's header and a name.
pub(super) const RECORD_MIN: usize = 128;

/// What a number may be.
pub(super) struct NumberLimit {
    pub(super) setting: fn(&PartialConfig) -> &Setting<usize>,
    pub(super) least: usize,
    pub(super) most: usize,
    /// Why not less.
    low: &'static str,
    /// Why not more.
    high: &'static str,
    /// What holds if nothing is said.
    pub(super) default: &'static str,
}

const ONE_GIB: &str = "a length on the wire has to fit into 31 bits, so 1 GiB is the most";
const FOUR_BYTES: &str = "the kernel takes 31 bits";
/// More than any program has: there is no limit.
const NO_LIMIT: &str = "";

/// All numbers.
pub(super) const NUMBERS: &[NumberLimit] = &[
    NumberLimit {
        setting: |p| &p.max_in_flight,
        least: 1,
        // KAFKA-5494.
        most: 5,
        low: "nothing would be sent",
        high: "brokers remember five batches of an idempotent producer, and serve one request per \
               connection at a time",
        default: "5",
    },
    NumberLimit {
        setting: |p| &p.batch_size,
        // As in Java: a batch of no bytes is full with its first record.
        least: 0,
        most: BYTES_MAX,
        low: "",
        high: ONE_GIB,
        default: "64 KiB",
    },
    NumberLimit {
        setting: |p| &p.batch_records,
        least: 1,
        most: usize::MAX,
        low: "a batch holds at least one record",
        high: NO_LIMIT,
        default: "no limit",
    },
    NumberLimit {
        setting: |p| &p.record_max,
        least: RECORD_MIN,
        most: BYTES_MAX,
        low: "a batch's header and a record would not fit",
        high: ONE_GIB,
        default: "1 MiB",
    },
    NumberLimit {
        setting: |p| &p.request_max,
        least: RECORD_MIN,
        most: BYTES_MAX,
        low: "a batch's header and a record would not fit",
        high: ONE_GIB,
        default: "8 MiB",
    },
    NumberLimit {
        setting: |p| &p.response_max,
        // librdkafka's least, too.
        least: 1000,
        most: BYTES_MAX,
        low: "metadata would not fit",
        high: ONE_GIB,
        default: "100 MiB",
    },
    NumberLimit {
        setting: |p| &p.buffer_memory,
        // Two of the smallest chunks, and librdkafka's least.
        least: 1024,
        most: usize::MAX,
        low: "no batch would fit",
        high: NO_LIMIT,
        default: "64 MiB",
    },
    NumberLimit {
        setting: |p| &p.buffer_records,
        least: 1,
        most: usize::MAX,
        low: "no record would be accepted",
        high: NO_LIMIT,
        default: "no limit",
    },
    NumberLimit {
        setting: |p| &p.topics_max,
        least: 1,
        most: u32::MAX as usize,
        low: "no record would be accepted",
        high: "topics are numbered with 32 bits",
        default: "200000",
    },
    NumberLimit {
        setting: |p| &p.send_buffer,
        least: 0,
        most: i32::MAX as usize,
        low: "",
        high: FOUR_BYTES,
        default: "the kernel's choice",
    },
    NumberLimit {
        setting: |p| &p.receive_buffer,
        least: 0,
        most: i32::MAX as usize,
        low: "",
        high: FOUR_BYTES,
        default: "the kernel's choice",
    },
];

/// What a time may be.
pub(super) struct TimeLimit {
    /// Its name as the caller used it, and what was said.
    pub(super) setting: fn(&PartialConfig) -> (&'static str, Option<Duration>),
    pub(super) least: Duration,
    pub(super) most: Duration,
    /// What zero means, if that is no time at all.
    pub(super) zero: Option<&'static str>,
    /// Why not less.
    low: &'static str,
    /// What holds if nothing is said.
    pub(super) default: &'static str,
}

fn time(setting: &Setting<Duration>) -> (&'static str, Option<Duration>) {
    (setting.name(), setting.get().copied())
}

const MS: Duration = Duration::from_millis(1);
const BUSY: &str = "without a pause a processor would do nothing but try again";

/// All times. Kafka counts milliseconds, and a time of which a part would be no time at all is of one
/// at least; above the least any fraction counts as it was given.
pub(super) const TIMES: &[TimeLimit] = &[
    TimeLimit {
        setting: |p| (p.linger.name(), p.linger.get().map(|l| l.duration())),
        least: Duration::ZERO,
        most: Duration::from_secs(24 * 3600),
        zero: None,
        low: "",
        default: "5 ms",
    },
    TimeLimit {
        setting: |p| time(&p.delivery_timeout),
        least: MS,
        most: Duration::MAX,
        zero: None,
        low: "no record is delivered in so short a time",
        default: "120 s",
    },
    TimeLimit {
        setting: |p| time(&p.request_timeout),
        least: MS,
        most: Duration::MAX,
        zero: None,
        low: "no broker answers in so short a time",
        default: "30 s",
    },
    TimeLimit {
        setting: |p| time(&p.max_block),
        // Whoever must not wait says so by it.
        least: Duration::ZERO,
        most: Duration::MAX,
        zero: None,
        low: "",
        default: "60 s",
    },
    TimeLimit {
        setting: |p| time(&p.retry_backoff),
        least: MS,
        most: Duration::MAX,
        zero: None,
        low: BUSY,
        default: "100 ms",
    },
    TimeLimit {
        setting: |p| time(&p.retry_backoff_max),
        least: MS,
        most: Duration::MAX,
        zero: None,
        low: BUSY,
        default: "1 s",
    },
    TimeLimit {
        setting: |p| time(&p.reconnect_backoff),
        least: MS,
        most: Duration::MAX,
        zero: None,
        low: BUSY,
        default: "50 ms",
    },
    TimeLimit {
        setting: |p| time(&p.reconnect_backoff_max),
        least: MS,
        most: Duration::MAX,
        zero: None,
        low: BUSY,
        default: "1 s",
    },
    TimeLimit {
        setting: |p| time(&p.connect_timeout),
        least: MS,
        most: Duration::MAX,
        zero: None,
        low: "no connection is ready in so short a time",
        default: "10 s",
    },
    TimeLimit {
        setting: |p| time(&p.idle_timeout),
        least: Duration::from_secs(1),
        most: Duration::MAX,
        // As librdkafka has it; Java's takes it at its word, and nothing is ever sent.
        zero: Some("never"),
        low: "a connection that is opened for a record must be there when that comes to it",
        default: "210 s",
    },
    TimeLimit {
        setting: |p| time(&p.metadata_max_age),
        least: Duration::from_millis(100),
        most: Duration::MAX,
        zero: None,
        low: "brokers would be asked again and again",
        default: "300 s",
    },
    TimeLimit {
        setting: |p| time(&p.metadata_max_idle),
        // Java's.
        least: Duration::from_secs(5),
        most: Duration::MAX,
        zero: None,
        low: "topics would be forgotten between two sends, and asked for again and again",
        default: "300 s",
    },
    TimeLimit {
        setting: |p| time(&p.unknown_topic_timeout),
        // At the first answer.
        least: Duration::ZERO,
        most: Duration::MAX,
        zero: None,
        low: "",
        default: "5 s",
    },
    TimeLimit {
        setting: |p| time(&p.old_record_age),
        least: Duration::ZERO,
        most: Duration::MAX,
        zero: None,
        low: "",
        default: "6 h",
    },
];

/// Notes every number and every time that is out of its limits.
pub(super) fn check(partial: &PartialConfig, problems: &mut Vec<ConfigProblem>) {
    for limit in NUMBERS {
        let setting = (limit.setting)(partial);
        if let Some((value, trouble)) = limit.trouble(partial) {
            let said = partial.said(setting, value);
            let (trouble, remedy) = trouble;
            problems.push(ConfigProblem::invalid(
                said.name,
                said.value.unwrap_or_default(),
                trouble,
                remedy,
            ));
        }
    }
    for limit in TIMES {
        let (name, Some(time)) = (limit.setting)(partial) else {
            continue;
        };
        if let Some((trouble, remedy)) = limit.trouble(name, time) {
            let value = partial.as_written(name, Readable(time));
            problems.push(ConfigProblem::invalid(name, value, trouble, remedy));
        }
    }
}

impl NumberLimit {
    fn trouble(&self, partial: &PartialConfig) -> Option<(usize, (&'static str, String))> {
        let setting = (self.setting)(partial);
        let (&value, name) = (setting.get()?, setting.name());
        let default = self.default;
        if value < self.least {
            let least = in_unit_of(name, self.least);
            let remedy = format!("use {least} or more, or leave it out for {default}");
            return Some((value, (self.low, remedy)));
        }
        if value > self.most {
            let most = in_unit_of(name, self.most);
            let remedy = format!("use {most} or less, or leave it out for {default}");
            return Some((value, (self.high, remedy)));
        }
        None
    }
}

impl TimeLimit {
    fn trouble(&self, name: &str, time: Duration) -> Option<(&'static str, String)> {
        if time.is_zero() && self.zero.is_some() {
            return None;
        }
        let default = self.default;
        if time < self.least {
            let zero = self.zero.map(|means| format!(", 0 for {means}"));
            let remedy = format!(
                "use {} or more{}, or leave it out for {default}",
                shown(name, self.least),
                zero.unwrap_or_default()
            );
            return Some((self.low, remedy));
        }
        if time > self.most {
            let most = shown(name, self.most);
            let remedy = format!("use {most} or less, or leave it out for {default}");
            return Some(("records would wait for more than a day", remedy));
        }
        None
    }
}

/// Whether a name is a property's: no setter has a dot.
fn is_property(name: &str) -> bool {
    name.contains('.')
}

/// Bytes in the unit that a property counts.
fn in_unit_of(name: &str, bytes: usize) -> usize {
    if name.ends_with(".kbytes") {
        bytes / 1024
    } else {
        bytes
    }
}

/// A time as whoever used this name may write it: properties count milliseconds.
pub(super) fn shown(name: &str, time: Duration) -> String {
    if is_property(name) {
        format!("{} ({})", time.as_millis(), Readable(time))
    } else {
        Readable(time).to_string()
    }
}
