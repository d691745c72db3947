//! What the decisions depend on: limits, times and modes, already validated.
//!
//! The typed builder, Kafka's property names and the search for contradictions
//! live in the `downpour` crate; nothing here checks anything.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use downpour_wire::codec::Compression;
use downpour_wire::parse_error::ParseError;

/// How many replicas must have a record before the broker acknowledges it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Acks {
    /// Nobody answers; a record counts as sent once it is on the socket.
    None,
    /// The leader alone.
    Leader,
    /// All in-sync replicas.
    #[default]
    All,
}

impl Acks {
    /// The number that a Produce request carries.
    pub fn as_i16(self) -> i16 {
        match self {
            Self::None => 0,
            Self::Leader => 1,
            Self::All => -1,
        }
    }
}

impl fmt::Display for Acks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::None => "0",
            Self::Leader => "1",
            Self::All => "all",
        })
    }
}

impl FromStr for Acks {
    type Err = ParseError;

    /// As in Kafka's `acks`: `all` or `-1`, `1`, `0`.
    fn from_str(text: &str) -> Result<Self, ParseError> {
        match text {
            "all" | "-1" => Ok(Self::All),
            "1" => Ok(Self::Leader),
            "0" => Ok(Self::None),
            _ => Err(ParseError::new(format!(
                "{text:?} is no acks; there are all (or -1), 1 and 0"
            ))),
        }
    }
}

/// When an open batch leaves although it is not full.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Linger {
    /// At once while nothing is in flight to its broker, else after this time.
    Adaptive(Duration),
    /// After this time, always (Java's `linger.ms`).
    Fixed(Duration),
}

impl Linger {
    /// The longest that an open batch waits.
    pub fn duration(self) -> Duration {
        match self {
            Self::Adaptive(d) | Self::Fixed(d) => d,
        }
    }
}

/// A host and port as the user or a broker named them, not yet resolved.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[expect(
    clippy::exhaustive_structs,
    reason = "a host and a port are all there is"
)]
pub struct Address {
    /// Host name or IP literal, without brackets.
    pub host: Arc<str>,
    /// TCP port.
    pub port: u16,
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

impl FromStr for Address {
    type Err = ParseError;

    /// As it is shown: `host:port`, with an IPv6 address in brackets.
    fn from_str(text: &str) -> Result<Self, ParseError> {
        let parts = match text.strip_prefix('[') {
            Some(v6) => v6.split_once("]:").filter(|(host, _)| host.contains(':')),
            None => text
                .rsplit_once(':')
                .filter(|(host, _)| !host.contains(':')),
        };
        let is_foreign = |c: char| c.is_whitespace() || c.is_control() || "[]/@,;".contains(c);
        let parts = parts.filter(|(host, _)| !host.is_empty() && !host.contains(is_foreign));
        let number = |port: &str| {
            let port = port.bytes().all(|b| b.is_ascii_digit()).then_some(port)?;
            port.parse().ok().filter(|port| *port != 0)
        };
        match parts.and_then(|(host, port)| Some((host, number(port)?))) {
            Some((host, port)) => Ok(Self {
                host: Arc::from(host),
                port,
            }),
            None => Err(ParseError::new(format!(
                "{:?} is no address; write host:port, or [address]:port for IPv6, with a port \
                 from 1 to 65535",
                // What stands before the host may be a name and a password.
                match text.rsplit_once('@') {
                    Some((_, host)) => format!("***@{host}"),
                    None => text.to_owned(),
                }
            ))),
        }
    }
}

/// What one record asks of the batch that carries it.
///
/// A partition has an open batch per set of options, four at most: the fifth set closes the
/// oldest. Order holds among records of equal options; see
/// [`order_across_options`](Config::order_across_options).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct BatchOptions {
    /// Codec and level.
    pub compression: Compression,
    /// From the batch's creation to its last possible verdict.
    pub delivery_timeout: Duration,
}

impl BatchOptions {
    /// Options of these two values.
    pub fn new(compression: Compression, delivery_timeout: Duration) -> Self {
        Self {
            compression,
            delivery_timeout,
        }
    }
}

/// Everything that the decisions depend on. The defaults are Java's where a field does not
/// say otherwise.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Config {
    /// Sent with every request. Default `downpour`.
    pub client_id: Arc<str>,
    /// Where to begin; at least one.
    pub bootstrap: Vec<Address>,
    /// Default all.
    pub acks: Acks,
    /// Whether batches carry an identity and sequences. Default true.
    pub idempotence: bool,
    /// Without idempotence: more than one batch in flight per partition. Default false.
    pub allow_reordering: bool,
    /// A batch that may have been written is sent again under a new epoch, as Java does,
    /// and may then be written twice. Default false: it ends Unknown.
    pub resend_unknown: bool,
    /// Whether a batch fails whose leader turns out to miss what it had acknowledged before it.
    /// Default false: it goes on under a new epoch, and an event tells of it.
    pub fail_on_data_loss: bool,
    /// Whether records fail when another cluster answers at the user's addresses. Default false: the
    /// producer goes on there, and an event tells of it.
    pub fail_on_cluster_change: bool,
    /// Batches in flight per partition and requests per connection, 1 to 5. Default 5.
    pub max_in_flight: usize,
    /// How often a batch is sent again after a failure that may be temporary. Default without
    /// limit: the delivery timeout ends it.
    pub retries: u32,
    /// Default adaptive, 5 ms.
    pub linger: Linger,
    /// With adaptive lingering: requests of so many records or more show load, and the next
    /// one may wait up to a millisecond while batches grow. Default 256.
    pub busy_from: u32,
    /// Whether records of one partition keep their order also where their options differ. Default
    /// false; true costs a batch with each change of options.
    pub order_across_options: bool,
    /// Target size of a batch in bytes before compression. Default 64 KiB.
    pub batch_size: usize,
    /// Records after which a batch is full. Default without limit.
    pub batch_records: u32,
    /// Credit that a batch holds for each of its records at least, in bytes. Default 0: it holds
    /// what its chunks take.
    pub record_share: usize,
    /// Records that a batch takes that credit for ahead of them, at most. Default 1.
    pub records_ahead: usize,
    /// Largest batch and largest record, in bytes before compression. Default 1 MiB.
    pub batch_max: usize,
    /// Largest request in bytes. Default 8 MiB.
    pub request_max: usize,
    /// Codec of batches. Default none.
    pub compression: Compression,
    /// Age of a batch's latest timestamp from which on brokers may have forgotten what they know
    /// of its producer: they age that by the records' timestamps, not by when they got them
    /// (`producer.id.expiration.ms`, a day by default). Default 6 h.
    pub old_record_age: Duration,
    /// From the opening of a record's batch to its last possible verdict. Default 120 s. A broker's
    /// wish for a pause counts for as long as this at most.
    pub delivery_timeout: Duration,
    /// From a request's departure to its answer. Default 30 s.
    pub request_timeout: Duration,
    /// First and largest backoff before a retry. Default 100 ms and 1 s.
    pub retry_backoff: (Duration, Duration),
    /// First and largest backoff before a reconnect. Default 50 ms and 1 s.
    pub reconnect_backoff: (Duration, Duration),
    /// A connection that is not ready after this is given up. Default 10 s.
    pub connect_timeout: Duration,
    /// A connection that carried nothing for so long is closed. Default 210 s: less than
    /// load balancers and forwarders take to forget it without a word (240 s and more).
    pub idle_timeout: Duration,
    /// Age at which metadata is refreshed without cause. Default 300 s.
    pub metadata_max_age: Duration,
    /// A topic that nobody has sent to for so long is left out of refreshes, and its leaders are
    /// forgotten. Default 300 s.
    pub metadata_max_idle: Duration,
    /// How long a topic that is not there is asked for again after somebody wanted it.
    /// Default 60 s, as long as a sender waits.
    pub topic_wanted_for: Duration,
    /// How long brokers may say that a topic does not exist before whoever waits for it is told so.
    /// Default 5 s.
    pub unknown_topic_timeout: Duration,
    /// Whether brokers may create a topic that is asked for. Default true.
    pub auto_create_topics: bool,
    /// Largest answer that is read, in bytes. Default 100 MiB. What metadata may say beyond that is
    /// bounded in `client/plausible.rs`.
    pub response_max: usize,
}

impl Config {
    /// The defaults, with these addresses to begin at.
    pub fn new(bootstrap: Vec<Address>) -> Self {
        Self {
            client_id: Arc::from("downpour"),
            bootstrap,
            acks: Acks::All,
            idempotence: true,
            allow_reordering: false,
            resend_unknown: false,
            fail_on_data_loss: false,
            fail_on_cluster_change: false,
            max_in_flight: 5,
            retries: u32::MAX,
            linger: Linger::Adaptive(Duration::from_millis(5)),
            busy_from: 256,
            order_across_options: false,
            batch_size: 64 << 10,
            batch_records: u32::MAX,
            record_share: 0,
            records_ahead: 1,
            batch_max: 1 << 20,
            request_max: 8 << 20,
            compression: Compression::NONE,
            old_record_age: Duration::from_secs(6 * 3600),
            delivery_timeout: Duration::from_secs(120),
            request_timeout: Duration::from_secs(30),
            retry_backoff: (Duration::from_millis(100), Duration::from_secs(1)),
            reconnect_backoff: (Duration::from_millis(50), Duration::from_secs(1)),
            connect_timeout: Duration::from_secs(10),
            idle_timeout: Duration::from_secs(210),
            metadata_max_age: Duration::from_secs(300),
            metadata_max_idle: Duration::from_secs(300),
            topic_wanted_for: Duration::from_secs(60),
            unknown_topic_timeout: Duration::from_secs(5),
            auto_create_topics: true,
            response_max: 100 << 20,
        }
    }

    /// Batches in flight per partition that keep order under these settings: without sequences
    /// a broker cannot put two of them right that arrive in the wrong order.
    pub fn batches_in_flight(&self) -> usize {
        if self.idempotence || self.allow_reordering {
            self.max_in_flight
        } else {
            1
        }
    }

    /// What a record asks for when its sender said nothing.
    pub fn batch_options(&self) -> BatchOptions {
        BatchOptions::new(self.compression, self.delivery_timeout)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn acks_are_read_as_kafka_writes_them() {
        for acks in [Acks::None, Acks::Leader, Acks::All] {
            assert_eq!(acks.to_string().parse(), Ok(acks));
            assert_eq!(acks.as_i16().to_string().parse(), Ok(acks));
        }
        let error = "2".parse::<Acks>().unwrap_err();
        assert_eq!(
            error.to_string(),
            "\"2\" is no acks; there are all (or -1), 1 and 0"
        );
    }

    #[test]
    fn an_address_is_read_as_it_is_shown() {
        for text in [
            "localhost:9092",
            "10.0.0.1:1",
            "[::1]:65535",
            "a-b.c_d:29092",
        ] {
            let address: Address = text.parse().unwrap();
            assert_eq!(address.to_string(), text);
        }
        for text in [
            "",
            ":9092",
            "host",
            "host:",
            "host:0",
            "host:65536",
            "host:+1",
            "::1:9092",
            "[::1]",
            "[host]:1",
            "a b:1",
            "PLAINTEXT://host:1",
            "user@host:1",
            "a:1,b:1",
        ] {
            assert!(text.parse::<Address>().is_err(), "{text:?}");
            let error = "me:hush@host:1".parse::<Address>().unwrap_err();
            assert!(!error.to_string().contains("hush"), "{error}");
        }
    }
}
