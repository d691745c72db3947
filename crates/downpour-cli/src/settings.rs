//! From the command line to a producer: options, then `-X` properties, then every problem found.

use downpour::{Acks, Compression, ConfigError, Producer, ProducerBuilder};

use crate::args::{AcksArg, ConnectionArgs};
use crate::ending::Refusal;

/// Names by which `-X` may give the brokers.
const BOOTSTRAP_NAMES: [&str; 2] = ["bootstrap.servers", "metadata.broker.list"];

/// Describes the producer; `bootstrap` is where an embedded cluster is.
pub(crate) fn builder(
    args: &ConnectionArgs,
    bootstrap: Option<&str>,
) -> Result<ProducerBuilder, Refusal> {
    let named = |name: &str| args.properties.iter().any(|(n, _)| n.trim() == name);
    let mut builder = ProducerBuilder::new().client_id("downpour-cli");
    match bootstrap.or(args.bootstrap.as_deref()) {
        Some(bootstrap) => builder = builder.bootstrap(bootstrap),
        None if BOOTSTRAP_NAMES.into_iter().any(named) => {}
        None => {
            return Err(Refusal::new(
                "no brokers: give --bootstrap HOST:PORT, or --embedded to try it without any",
            ));
        }
    }
    if bootstrap.is_some() && BOOTSTRAP_NAMES.into_iter().any(named) {
        return Err(Refusal::new(
            "--embedded and -X bootstrap.servers exclude each other",
        ));
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
pub(crate) fn build(builder: ProducerBuilder) -> Result<Producer, Refusal> {
    builder.build().map_err(|error: ConfigError| {
        Refusal(error.problems().iter().map(ToString::to_string).collect())
    })
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
