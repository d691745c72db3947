//! Kafka's own tools, which judge what was written because nobody here wrote them. Each call
//! starts a JVM, which takes one to two seconds. What they print is parsed by the files beside
//! this one.

mod batches;
mod records;
mod run;

use std::collections::BTreeMap;
use std::fs;
use std::time::Duration;

use crate::cluster::Cluster;
use crate::error::Error;
use crate::version::Tool;
use run::run;

pub use batches::Batch;
pub use records::Record;

/// Which records of a topic the console consumer is to read.
#[derive(Debug, Clone)]
pub struct ReadBack {
    topic: String,
    count: Option<usize>,
    idle: Duration,
    is_committed: bool,
}

impl ReadBack {
    /// All of a topic's records, until none has come for 5 s.
    pub fn topic(topic: &str) -> Self {
        let idle = Duration::from_secs(5);
        Self {
            topic: topic.to_owned(),
            count: None,
            idle,
            is_committed: false,
        }
    }

    /// Stops after `count` records, which saves the idle wait. Whether the topic holds more is not
    /// seen then; [`Cluster::end_offsets`] tells.
    #[must_use]
    pub fn count(mut self, count: usize) -> Self {
        self.count = Some(count);
        self.idle = Duration::from_secs(20);
        self
    }

    /// Leaves out what belongs to transactions that were aborted or are open.
    #[must_use]
    pub fn committed(mut self) -> Self {
        self.is_committed = true;
        self
    }
}

impl Cluster {
    /// Reads a topic back from its beginning with the console consumer.
    ///
    /// # Errors
    /// When the tool fails or prints anything but records.
    pub fn read_back(&self, what: &ReadBack) -> Result<Vec<Record>, Error> {
        let idle = what.idle.as_millis().to_string();
        let count = what.count.map(|count| count.to_string());
        let mut arguments = vec![
            "--topic",
            &what.topic,
            "--from-beginning",
            "--timeout-ms",
            &idle,
        ];
        if let Some(count) = &count {
            arguments.extend(["--max-messages", count]);
        }
        if what.is_committed {
            arguments.extend(["--isolation-level", "read_committed"]);
        }
        // The option has another name from 4.0 on.
        let name = if self.version().has_log4j2() {
            "--formatter-property"
        } else {
            "--property"
        };
        arguments.extend(records::FORMAT.iter().flat_map(|property| [name, property]));
        let told = self.tool(Tool::Consumer, &arguments)?;
        let records = records::parse(&told.stdout)?;
        let processed = format!("Processed a total of {} messages", records.len());
        if !told.stderr.contains(&processed) {
            let what = format!(
                "{} records parsed, but it says: {}",
                records.len(),
                told.stderr
            );
            return Err(Error::new(what));
        }
        Ok(records)
    }

    /// The offset after the last record of each partition of a topic.
    ///
    /// # Errors
    /// When the tool fails.
    pub fn end_offsets(&self, topic: &str) -> Result<BTreeMap<i32, i64>, Error> {
        let told = self.tool(Tool::Offsets, &["--topic", topic, "--time", "-1"])?;
        let text = String::from_utf8_lossy(&told.stdout);
        let mut offsets = BTreeMap::new();
        for line in text.lines() {
            let mut fields = line.rsplitn(3, ':');
            let offset = fields.next().and_then(|field| field.parse().ok());
            let partition = fields.next().and_then(|field| field.parse().ok());
            let (Some(partition), Some(offset)) = (partition, offset) else {
                return Err(Error::new(format!("`{line}` is no topic:partition:offset")));
            };
            offsets.insert(partition, offset);
        }
        Ok(offsets)
    }

    /// The batches of a partition as they lie on one broker's disk now. Records that the broker has
    /// acknowledged are among them.
    ///
    /// # Errors
    /// When the broker does not hold the partition, or the tool fails.
    pub fn dump_log(&self, broker: i32, topic: &str, partition: i32) -> Result<Vec<Batch>, Error> {
        let dir = self.data_dir(broker).join(format!("{topic}-{partition}"));
        let entries = fs::read_dir(&dir).map_err(Error::io(dir.display()))?;
        let mut files: Vec<String> = entries
            .flatten()
            .map(|entry| entry.path().display().to_string())
            .filter(|path| path.ends_with(".log"))
            .collect();
        files.sort();
        let told = self.tool(Tool::DumpLog, &["--files", &files.join(",")])?;
        batches::parse(&String::from_utf8_lossy(&told.stdout))
    }

    /// Runs Java's producer with these properties and returns its report.
    ///
    /// # Errors
    /// When the tool fails.
    pub fn producer_performance(
        &self,
        topic: &str,
        records: u64,
        record_bytes: u32,
        properties: &[(&str, &str)],
    ) -> Result<String, Error> {
        let (records, bytes) = (records.to_string(), record_bytes.to_string());
        let bootstrap = format!("bootstrap.servers={}", self.bootstrap());
        let mut arguments = vec!["--topic", topic, "--num-records", &records, "--record-size"];
        arguments.extend([
            bytes.as_str(),
            "--throughput",
            "-1",
            "--producer-props",
            &bootstrap,
        ]);
        let properties: Vec<String> = properties
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        arguments.extend(properties.iter().map(String::as_str));
        let told = run(self, Tool::ProducerPerformance, &arguments)?;
        Ok(String::from_utf8_lossy(&told.stdout).into_owned())
    }

    /// What Kafka lists as under-replicated; empty when all is well. [`Cluster::wait_in_sync`]
    /// asks for one topic without a JVM.
    ///
    /// # Errors
    /// When the tool fails.
    pub fn under_replicated(&self) -> Result<String, Error> {
        let told = self.tool(
            Tool::Topic,
            &["--describe", "--under-replicated-partitions"],
        )?;
        Ok(String::from_utf8_lossy(&told.stdout).trim().to_owned())
    }

    /// Runs a tool, telling it where the brokers are.
    fn tool(&self, tool: Tool, arguments: &[&str]) -> Result<run::Told, Error> {
        let bootstrap = self.bootstrap();
        let mut all = Vec::from(arguments);
        match tool {
            // It reads files and asks no broker.
            Tool::DumpLog => {}
            // The tool of 2.8 knows only the older option.
            Tool::Offsets if self.version().has_zookeeper() => {
                all.extend(["--broker-list", &bootstrap]);
            }
            _ => all.extend(["--bootstrap-server", &bootstrap]),
        }
        run(self, tool, &all)
    }
}
