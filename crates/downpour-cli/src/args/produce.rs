//! The arguments of `produce`, and its help.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::connection::ConnectionArgs;
use super::values;
use crate::ending::Refusal;

const AFTER: &str = r#"Input:
  lines   One record per line: the value, or with --key-separator the key, the separator, the value.
          The end of the line (LF or CRLF) is not part of it, a lone CR is. An empty line is an
          empty value.
  ndjson  One JSON object per line; empty lines are skipped. Its fields:
            value          text as it is; null for a tombstone; other JSON as it is written
            value_base64   bytes, in value's place
            key            as value; null or absent for no key
            key_base64     bytes, in key's place
            headers        {"name":"text"}, or [["name","text"],["name",null]]; order is kept
            partition      a whole number
            partition_key  chooses the partition in key's place, and is not stored
            timestamp      milliseconds since 1970
          Example: {"key":"user-1","value":{"clicked":"buy"},"headers":{"trace":"a1"}}
  A byte order mark at the beginning is no part of the first record. Text is UTF-8 or any bytes.
  Without --format, files named .ndjson, .jsonl or .json are ndjson, and everything else is lines.
  Files are checked before the first record is sent; standard input cannot be, so there a broken
  line stops it: the records before are delivered, and nothing after.

Output:
  Records and offsets by partition on standard output; what was not acknowledged on standard
  error, with its line and one of
    not written    it is not in the log; it may be sent again
    maybe written  nobody can say; sent again, it may be there twice
    not sent       it was refused before it was accepted
  --json prints one object per record, in the input's order:
    {"source":"events.ndjson","line":1,"written":"yes","topic":"events","partition":0,"offset":0,"timestamp":1732147200000}
    {"source":"events.ndjson","line":2,"written":"unknown","topic":"events","partition":1,"error":"..."}
  ("written" is yes, no or unknown), and at the end {"summary":{...}}; --json=summary prints the
  last line only. Once nobody reads standard output any more, nothing more is sent.

  Ctrl-C stops reading and gives what was accepted ten seconds; a second one ends at once.

Examples:
  # No broker needed
  downpour produce events --embedded events.ndjson

  # Lines as they come, keys before a tab
  tail -f app.log | downpour produce logs -b broker1:9092,broker2:9092 --key-separator '\t'

  # A header on each record, compressed, and a setting by its Kafka name
  downpour produce orders -b localhost:9092 -H source=import -z lz4 -X linger.ms=20 orders.jsonl

  # Delete two keys from a compacted topic
  printf 'user-1=\nuser-2=\n' | downpour produce users -b localhost:9092 --key-separator = --tombstones

  # What was not acknowledged, for a script
  downpour produce events -b localhost:9092 --json events.ndjson | jq -c 'select(.written == "no" or .written == "unknown")'"#;

/// Sends records from files or standard input, and says of each whether it was delivered.
#[derive(Debug, Args)]
#[command(
    after_long_help = AFTER,
    after_help = "'--help' tells the input's and the output's form, with examples.",
    override_usage = "downpour produce [OPTIONS] <TOPIC> [FILE]..."
)]
pub(crate) struct ProduceArgs {
    /// The topic
    #[arg(required_unless_present = "named_topic")]
    topic: Option<OsString>,

    /// Files to read, in this order; "-" or none for standard input
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,

    /// As kcat has it; then all words are files
    #[arg(short = 't', long = "topic", value_name = "TOPIC", hide = true)]
    named_topic: Option<String>,

    #[command(flatten)]
    pub(crate) connection: ConnectionArgs,

    #[command(flatten)]
    pub(crate) input: InputArgs,

    #[command(flatten)]
    pub(crate) record: RecordArgs,

    /// Prints a JSON line for each record and a summary, or the summary only
    #[arg(long, help_heading = "Output", value_name = "WHAT", num_args = 0..=1, require_equals = true, default_missing_value = "records")]
    pub(crate) json: Option<JsonReport>,

    /// Shows no progress, also on a terminal
    #[arg(long, help_heading = "Output")]
    pub(crate) no_progress: bool,
}

/// Where records go to, and where they come from.
#[derive(Debug)]
pub(crate) struct Subject {
    pub(crate) topic: String,
    pub(crate) files: Vec<PathBuf>,
}

impl ProduceArgs {
    /// What the words are: a topic and files, or files alone if an option names the topic.
    pub(crate) fn subject(&self) -> Result<Subject, Refusal> {
        let files = self.files.clone();
        match (&self.named_topic, &self.topic) {
            (Some(topic), word) => Ok(Subject {
                topic: topic.clone(),
                files: word.iter().map(PathBuf::from).chain(files).collect(),
            }),
            (None, word) => {
                let word = word.clone().unwrap_or_default();
                let topic = word
                    .into_string()
                    .map_err(|word| Refusal::new(format!("{word:?} is no topic: not UTF-8")))?;
                Ok(Subject { topic, files })
            }
        }
    }
}

/// How much `--json` prints.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum JsonReport {
    /// A line for each record, and the summary
    Records,
    /// The summary only
    Summary,
}

/// What a line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum InputFormat {
    /// A line is a value, or a key and a value
    Lines,
    /// A line is a JSON object
    #[value(alias = "jsonl")]
    Ndjson,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Input")]
pub(crate) struct InputArgs {
    /// What a line is; without it the file's name decides
    #[arg(short, long)]
    pub(crate) format: Option<InputFormat>,

    /// Cuts a line into key and value at the first of these; \t is a tab
    #[arg(short = 'K', long, value_name = "SEPARATOR", value_parser = values::separator)]
    pub(crate) key_separator: Option<String>,

    /// A line with a key and nothing after the separator is a tombstone, not an empty value
    #[arg(long, requires = "key_separator")]
    pub(crate) tombstones: bool,

    /// Skips broken and refused records, lists them, and goes on with the next
    #[arg(long)]
    pub(crate) keep_going: bool,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Parts of each record that the input does not give")]
pub(crate) struct RecordArgs {
    /// The key
    #[arg(short, long)]
    pub(crate) key: Option<String>,

    /// A header, before those of the input: NAME=VALUE, NAME= an empty one, NAME alone a null
    /// one; may come again, also with the same name
    #[arg(short = 'H', long = "header", value_name = "NAME[=VALUE]", value_parser = values::header)]
    pub(crate) headers: Vec<(String, Option<String>)>,

    /// The partition; without it the key decides, and without a key they are filled in turn
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(i32).range(0..))]
    pub(crate) partition: Option<i32>,

    /// Chooses the partition in the key's place, and is not stored
    #[arg(long, value_name = "KEY", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    pub(crate) partition_key: Option<String>,

    /// Milliseconds since 1970; without it the time of sending
    #[arg(long, value_name = "MS", value_parser = values::timestamp)]
    pub(crate) timestamp: Option<i64>,
}
