//! From the command line to a producer: a file of properties, then options, then `-X`, then every
//! problem found; and the cluster reached within the time that was given.

mod file;

use std::time::Duration;

use downpour::blocking::{Producer, TopicProducer};
use downpour::{Acks, Compression, ConfigError, ConfigProblem, ProducerBuilder};

use crate::args::{AcksArg, BROKERS, ConnectionArgs};
use crate::ending::Refusal;
use file::Property;

/// Names by which properties may give the brokers.
const BOOTSTRAP_NAMES: [&str; 2] = ["bootstrap.servers", "metadata.broker.list"];
/// Names of the largest record's size, and what it is if nobody says.
const RECORD_MAX_NAMES: [&str; 2] = ["max.request.size", "message.max.bytes"];
const RECORD_MAX: usize = 1024 * 1024;
const MAX_BLOCK_NAMES: [&str; 1] = ["max.block.ms"];

/// What was asked for, in all places where it can be.
#[derive(Debug)]
pub(crate) struct Settings<'a> {
    args: &'a ConnectionArgs,
    file: Vec<Property>,
}

impl<'a> Settings<'a> {
    /// Reads the file of properties, if one is named.
    pub(crate) fn read(args: &'a ConnectionArgs) -> Result<Self, Refusal> {
        let Some(path) = &args.config else {
            let file = Vec::new();
            return Ok(Self { args, file });
        };
        let mut file = file::read(path).map_err(Refusal::new)?;
        // Kafka's tools share such files, and each skips what is another's.
        file.retain(|property| {
            let skipped = is_consumers(property);
            if skipped {
                let (path, line) = (path.display(), property.line);
                tracing::warn!(
                    "{path}:{line}: {} is a consumer's, and skipped",
                    property.name
                );
            }
            !skipped
        });
        Ok(Self { args, file })
    }

    /// Describes the producer; `embedded` is where an embedded cluster is.
    pub(crate) fn builder(&self, embedded: Option<&str>) -> Result<ProducerBuilder, Refusal> {
        let args = self.args;
        let is_bootstrap = |name: &str| BOOTSTRAP_NAMES.contains(&name.trim());
        let by_property = args.properties.iter().any(|(name, _)| is_bootstrap(name));
        let by_file = self
            .file
            .iter()
            .any(|property| is_bootstrap(&property.name));
        if embedded.is_some() && by_property {
            return Err(Refusal::new(
                "--embedded and -X bootstrap.servers exclude each other",
            ));
        }
        let mut builder = ProducerBuilder::new()
            .client_id("downpour-cli")
            .properties(self.file.iter().map(|p| (&p.name, &p.value)));
        if let Some(bootstrap) = embedded.or(args.bootstrap.as_deref()) {
            builder = builder.bootstrap(bootstrap);
        } else if !by_property && !by_file {
            let brokers = std::env::var(BROKERS).unwrap_or_default();
            if brokers.trim().is_empty() {
                return Err(Refusal::new(format!(
                    "no brokers: give --bootstrap HOST:PORT, or --embedded to try it without any; \
                     -F FILE and {BROKERS} in the environment name them too"
                )));
            }
            builder = builder.bootstrap(brokers);
        }
        if let Some(acks) = args.acks {
            builder = builder.acks(match acks {
                AcksArg::All => Acks::All,
                AcksArg::Leader => Acks::Leader,
                AcksArg::None => Acks::None,
            });
        }
        if let Some(text) = &args.compression {
            builder = builder.compression(compression(text).map_err(Refusal::new)?);
        }
        if args.ignore_unsupported {
            builder = builder.ignore_unsupported_properties();
        }
        Ok(builder.properties(args.properties.iter().map(|(name, value)| (name, value))))
    }

    /// Makes the producer, or says everything that is wrong with its settings.
    pub(crate) fn build(&self, builder: ProducerBuilder) -> Result<Producer, Refusal> {
        let told = |error: ConfigError| {
            let problems = error.problems().iter();
            Refusal(problems.map(|problem| self.place(problem)).collect())
        };
        builder
            .build()
            .map(|producer| producer.blocking())
            .map_err(told)
    }

    /// A problem's words, behind the file and the line that it is about.
    fn place(&self, problem: &ConfigProblem) -> String {
        let is_it = |name: &str| name.trim() == problem.setting();
        let is_option = self.args.properties.iter().any(|(other, _)| is_it(other));
        let in_file = self.file.iter().rev().find(|p| is_it(&p.name));
        match (in_file, &self.args.config) {
            (Some(property), Some(path)) if !is_option => {
                format!("{}:{}: {problem}", path.display(), property.line)
            }
            _ => problem.to_string(),
        }
    }

    /// How long the start may take: for a broker to answer, and for the topic to be there.
    pub(crate) fn reach_within(&self) -> Duration {
        let given = self.number(&MAX_BLOCK_NAMES).map(Duration::from_millis);
        given.map_or(self.args.reach_within, |given| {
            given.min(self.args.reach_within)
        })
    }

    /// Waits until a topic can be sent to, by a producer that waits no longer than the start may take.
    pub(crate) fn reach(&self, probe: &Producer, topic: &str) -> Result<TopicProducer, Refusal> {
        probe.topic(topic).map_err(|error| {
            let is_limited = self.reach_within() < self.args.reach_within;
            let hint = match error.is_timeout() {
                true if is_limited => "; a larger max.block.ms waits longer",
                true => "; --reach-within SECONDS waits longer",
                false => "",
            };
            Refusal(vec![error.to_string(), format!("nothing was sent{hint}")])
        })
    }

    /// The largest record in bytes.
    pub(crate) fn record_max(&self) -> usize {
        let given = self.number(&RECORD_MAX_NAMES);
        given.map_or(RECORD_MAX, |given| {
            usize::try_from(given).unwrap_or(usize::MAX)
        })
    }

    /// A whole number among the properties; what is none is refused by the library.
    fn number(&self, names: &[&str]) -> Option<u64> {
        let file = self.file.iter().map(|p| (&p.name, &p.value));
        let options = self
            .args
            .properties
            .iter()
            .map(|(name, value)| (name, value));
        let mut given = file.chain(options).rev();
        let (_, value) = given.find(|(name, _)| names.contains(&name.trim()))?;
        value.trim().parse().ok()
    }
}

/// Whether the library refuses it because a producer has no such thing.
fn is_consumers(property: &Property) -> bool {
    // Without brokers nothing is started.
    let builder = ProducerBuilder::new().property(&property.name, &property.value);
    let Err(error) = builder.build() else {
        return false;
    };
    let mut problems = error.problems().iter();
    problems.any(|problem| problem.trouble().contains("a consumer's setting"))
}

/// A codec's name, and a level after a colon.
fn compression(text: &str) -> Result<Compression, String> {
    let compression: Compression = text
        .parse()
        .map_err(|error| format!("--compression {text:?}: {error}"))?;
    let codec = compression.codec();
    if !codec.is_compiled() {
        return Err(format!(
            "--compression {text:?}: this build has no {codec}; build with the feature {codec}"
        ));
    }
    Ok(compression)
}

#[cfg(test)]
mod tests {
    use downpour::CompressionType;

    use super::*;

    #[test]
    fn a_codec_may_have_a_level() {
        assert_eq!(
            compression("lz4"),
            Ok(Compression::new(CompressionType::Lz4))
        );
        assert_eq!(compression("GZIP:9").unwrap().level(), Some(9));
    }

    #[test]
    fn a_codec_that_is_not_there_is_named() {
        for bad in ["brotli", "gzip:", "gzip:77", "snappy:1"] {
            let error = compression(bad).unwrap_err();
            assert!(error.contains(bad), "{error}");
        }
    }
}
