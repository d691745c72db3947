//! What a peer is asked to do, and the frame around it: warm up, measure, print.

use std::error::Error;
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::SystemTime;

use crate::arguments::{Arguments, Unreadable};
use crate::beside::{self, Header, Keys};
use crate::idle;
use crate::meter::Meter;
use crate::payloads::Payloads;
use crate::result::{self, About, Tally};

/// Who must have a record before it is acknowledged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Acks {
    /// All replicas in sync.
    All,
    /// The leader.
    One,
    /// Nobody.
    Zero,
}

/// How batches are compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Codec {
    /// Not.
    None,
    /// gzip.
    Gzip,
    /// Snappy.
    Snappy,
    /// LZ4.
    Lz4,
    /// Zstandard.
    Zstd,
}

/// How records find their partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Spread {
    /// The peer names it: record number modulo partitions.
    Explicit,
    /// The peer names it: a hash of the record's number modulo partitions.
    Random,
    /// The library chooses, by the key if there are keys.
    Automatic,
}

macro_rules! words {
    ($type:ident, $($variant:ident = $word:literal),+) => {
        impl FromStr for $type {
            type Err = ();

            fn from_str(text: &str) -> Result<Self, ()> {
                match text {
                    $($word => Ok(Self::$variant),)+
                    _ => Err(()),
                }
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(match self { $(Self::$variant => $word,)+ })
            }
        }
    };
}

words!(Acks, All = "all", One = "1", Zero = "0");
words!(
    Codec,
    None = "none",
    Gzip = "gzip",
    Snappy = "snappy",
    Lz4 = "lz4",
    Zstd = "zstd"
);
words!(
    Spread,
    Explicit = "explicit",
    Random = "random",
    Automatic = "automatic"
);

/// What a peer is asked to do.
#[derive(Debug, Clone)]
pub struct Run {
    /// Where the broker is, HOST:PORT.
    pub bootstrap: String,
    /// The topic; it exists.
    pub topic: String,
    /// How many partitions it has.
    pub partitions: i32,
    /// How many records to send while measuring.
    pub records: u64,
    /// How many to send before.
    pub warmup: u64,
    /// The size of a value.
    pub size: usize,
    /// Where the values are.
    pub payloads: PathBuf,
    /// How records find their partition.
    pub spread: Spread,
    /// The batch size in bytes; the library's own if absent.
    pub batch_bytes: Option<usize>,
    /// The linger; the library's own if absent.
    pub linger_ms: Option<u64>,
    /// Requests in flight; the library's own if absent.
    pub in_flight: Option<usize>,
    /// The library's buffer in bytes; its own if absent.
    pub buffer_bytes: Option<usize>,
    /// Who must have a record.
    pub acks: Acks,
    /// Whether the broker can tell duplicates.
    pub idempotence: bool,
    /// How batches are compressed.
    pub codec: Codec,
    /// One of the peer's modes.
    pub mode: String,
    /// How many handles may be open.
    pub window: usize,
    /// How many threads send.
    pub threads: u64,
    /// The timestamp of every record; absent, the library's clock.
    pub timestamp_ms: Option<i64>,
    /// From which age on records count as old, in seconds; the library's own if absent.
    pub old_record_age_s: Option<u64>,
    keys: Keys,
    headers: &'static [Header],
}

fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    since.map_or(0, |since| i64::try_from(since.as_millis()).unwrap_or(0))
}

/// The mode that every peer has the frame serve: after the warm-up nothing is sent.
pub const IDLE: &str = "idle";

impl Run {
    fn take(mut given: Arguments) -> Result<Self, Unreadable> {
        let age: Option<i64> = given.optional("record-age-s")?;
        let run = Self {
            bootstrap: given.required("bootstrap")?,
            topic: given.required("topic")?,
            partitions: given.required("partitions")?,
            records: given.required("records")?,
            warmup: given.or("warmup", 0)?,
            size: given.required("size")?,
            payloads: given.required("payloads")?,
            spread: given.or("spread", Spread::Explicit)?,
            batch_bytes: given.optional("batch-bytes")?,
            linger_ms: given.optional("linger-ms")?,
            in_flight: given.optional("in-flight")?,
            buffer_bytes: given.optional("buffer-bytes")?,
            acks: given.or("acks", Acks::All)?,
            idempotence: given.or("idempotence", true)?,
            codec: given.or("codec", Codec::None)?,
            mode: given.required("mode")?,
            window: given.or("window", 20_000)?,
            threads: given.or("threads", 1)?,
            timestamp_ms: age.map(|seconds| now_ms() - seconds * 1000),
            old_record_age_s: given.optional("old-record-age-s")?,
            keys: Keys::new(given.or("keys", 0)?),
            headers: beside::headers(given.or("headers", 0)?),
        };
        given.finish()?;
        Ok(run)
    }

    /// The partition of a record, if the peer must name it.
    #[inline]
    #[must_use]
    pub fn partition(&self, record: u64) -> Option<i32> {
        let partitions = u64::from(self.partitions.unsigned_abs());
        let index = match self.spread {
            Spread::Explicit => record % partitions,
            Spread::Random => u64::from(beside::hash(record)) % partitions,
            Spread::Automatic => return None,
        };
        i32::try_from(index).ok()
    }

    /// The key of a record, if records have one.
    #[inline]
    #[must_use]
    pub fn key(&self, record: u64) -> Option<&'static [u8]> {
        self.keys.of(record)
    }

    /// The headers of each record.
    #[inline]
    #[must_use]
    pub const fn headers(&self) -> &'static [Header] {
        self.headers
    }

    /// Whether records have keys.
    #[must_use]
    pub fn has_keys(&self) -> bool {
        self.key(0).is_some()
    }

    /// Refuses more than one sending thread, for modes that are not meant for it.
    ///
    /// # Errors
    /// If the run wants more.
    pub fn one_thread(&self) -> Result<(), Box<dyn Error>> {
        if self.threads > 1 {
            return Err(format!("mode `{}` sends from one thread", self.mode).into());
        }
        Ok(())
    }
}

/// A peer's whole `main`: reads the command line, lets `open` make the function that sends so
/// many records and waits for all, warms up, measures, prints the line. In mode [`IDLE`] that
/// function only warms up.
///
/// # Errors
/// Whatever kept it from being measured. Failed records are no such error: the line counts them.
pub fn measure<S>(
    open: impl FnOnce(&Run) -> Result<(About, S), Box<dyn Error>>,
) -> Result<(), Box<dyn Error>>
where
    S: FnMut(&mut Payloads, u64) -> Tally,
{
    let run = Run::take(Arguments::of_process()?)?;
    let mut payloads = Payloads::read(&run.payloads, run.size)?;
    let (about, mut send) = open(&run)?;
    let mut tally = Tally::default();
    if run.warmup > 0 {
        let warm = send(&mut payloads, run.warmup);
        tally.add(Tally {
            latencies: Vec::new(),
            ..warm
        });
    }
    let is_idle = run.mode == IDLE;
    let mut wakeups = None;
    if is_idle {
        idle::settle();
    }
    let meter = Meter::start();
    if is_idle {
        wakeups = Some(idle::wakeups()?);
    } else {
        tally.add(send(&mut payloads, run.records));
    }
    let spent = meter.stop();
    let records = if is_idle { 0 } else { run.records };
    let mut line = result::line(&about, &run.mode, records, &spent, tally);
    if let Some(wakeups) = wakeups {
        line["wakeups"] = wakeups.into();
    }
    result::print(&line);
    Ok(())
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A run with these arguments beside those that must be there.
    pub(crate) fn run(line: &str) -> Run {
        let line = format!(
            "--bootstrap b --topic t --partitions 6 --records 1 --size 1 --payloads p --mode m {line}"
        );
        let words = line.split_whitespace().map(str::to_owned);
        Run::take(Arguments::parse(words).unwrap()).unwrap()
    }

    #[test]
    fn a_record_finds_its_partition() {
        assert_eq!(run("").partition(8), Some(2));
        let hashed = i32::try_from(beside::hash(8) % 6).ok();
        assert_eq!(run("--spread random").partition(8), hashed);
        assert_eq!(run("--spread automatic").partition(8), None);
    }

    #[test]
    fn keys_headers_and_threads_are_for_those_who_ask() {
        let plain = run("");
        assert!(!plain.has_keys() && plain.headers().is_empty());
        assert!(plain.one_thread().is_ok());
        let asked = run("--keys 5 --headers 2 --threads 2");
        assert!(asked.has_keys() && asked.headers().len() == 2);
        assert!(asked.one_thread().is_err());
        assert_eq!(plain.timestamp_ms, None);
    }

    #[test]
    fn records_are_as_old_as_asked_for() {
        let before = now_ms();
        let stamped = run("--record-age-s 7200").timestamp_ms.unwrap();
        assert!((before..=now_ms()).contains(&(stamped + 7_200_000)));
    }
}
