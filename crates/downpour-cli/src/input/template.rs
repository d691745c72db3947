//! How lines become records: the form of the input, and the parts that the command line gives.

use downpour::Record;
use downpour::blocking::TopicProducer;

use super::line::{BadLine, Line};
use super::lines::{self, Cut};
use super::ndjson;
use crate::args::{InputArgs, InputFormat, RecordArgs};

/// What every line of every source has in common.
#[derive(Debug, Default)]
pub(crate) struct Template {
    cut: Cut,
    key: Option<String>,
    headers: Vec<(String, Option<String>)>,
    partition: Option<i32>,
    partition_key: Option<String>,
    timestamp: Option<i64>,
}

impl Template {
    pub(crate) fn new(input: &InputArgs, record: &RecordArgs) -> Self {
        Self {
            cut: Cut {
                separator: input.key_separator.clone(),
                tombstones: input.tombstones,
            },
            key: record.key.clone(),
            headers: record.headers.clone(),
            partition: record.partition,
            partition_key: record.partition_key.clone(),
            timestamp: record.timestamp,
        }
    }

    /// Reads a line, which may end in a line feed, and fills in what it does not say. `None` if
    /// it is no record and need not be one.
    pub(crate) fn read<'a>(
        &'a self,
        format: InputFormat,
        line: &'a [u8],
    ) -> Result<Option<Line<'a>>, BadLine> {
        // Without a line feed behind it a carriage return is the record's.
        let line = match line.strip_suffix(b"\n") {
            Some(line) => line.strip_suffix(b"\r").unwrap_or(line),
            None => line,
        };
        let read = match format {
            InputFormat::Lines => Some(lines::parse(line, &self.cut)?),
            InputFormat::Ndjson => ndjson::parse(line)?,
        };
        let Some(mut read) = read else {
            return Ok(None);
        };
        self.complete(&mut read);
        if read.value.is_none() && read.key.as_ref().is_none_or(|key| key.is_empty()) {
            return Err(BadLine::new(
                "key",
                "is missing or empty, but a tombstone deletes by key",
                "give the key that is to be deleted",
            ));
        }
        Ok(Some(read))
    }

    fn complete<'a>(&'a self, line: &mut Line<'a>) {
        if line.key.is_none() {
            line.key = self.key.as_ref().map(|key| key.as_bytes().into());
        }
        if !self.headers.is_empty() {
            let given = self.headers.iter().map(|(name, value)| {
                (
                    name.into(),
                    value.as_ref().map(|value| value.as_bytes().into()),
                )
            });
            line.headers.splice(0..0, given);
        }
        if line.partition.is_none() {
            line.partition = self.partition;
        }
        if line.partition_key.is_none() {
            line.partition_key = self.partition_key.as_ref().map(|key| key.as_bytes().into());
        }
        line.timestamp = line.timestamp.or(self.timestamp);
    }
}

impl<'a> Line<'a> {
    /// The record that the line describes.
    pub(crate) fn into_record(self, topic: &'a TopicProducer) -> Record<'a> {
        Record::to(topic)
            .key(self.key)
            .value(self.value)
            .headers(self.headers)
            .partition(self.partition)
            .partition_key(self.partition_key)
            .timestamp_ms(self.timestamp)
    }
}
