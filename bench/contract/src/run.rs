//! What a peer is asked to do, and the frame around it: warm up, measure, print.

use std::error::Error;
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use crate::arguments::{Arguments, Unreadable};
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
    /// The library chooses; records have no key.
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
words!(Spread, Explicit = "explicit", Automatic = "automatic");

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
}

impl Run {
    fn take(mut given: Arguments) -> Result<Self, Unreadable> {
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
        };
        given.finish()?;
        Ok(run)
    }

    /// The partition of a record, if the peer must name it.
    #[inline]
    #[must_use]
    pub fn partition(&self, record: u64) -> Option<i32> {
        match self.spread {
            Spread::Explicit => i32::try_from(record % self.partitions.unsigned_abs() as u64).ok(),
            Spread::Automatic => None,
        }
    }
}

/// A peer's whole `main`: reads the command line, lets `open` make the function that sends so
/// many records and waits for all, warms up, measures, prints the line.
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
    let mut warm = Tally::default();
    if run.warmup > 0 {
        warm = send(&mut payloads, run.warmup);
    }
    let meter = Meter::start();
    let mut tally = send(&mut payloads, run.records);
    let spent = meter.stop();
    tally.errors += warm.errors;
    tally.first_error = warm.first_error.or(tally.first_error);
    result::print(&result::line(&about, &run.mode, run.records, &spent, tally));
    Ok(())
}
