//! Why a producer could not be built: every problem of its configuration at once.

use std::fmt;

/// One problem of a configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ConfigProblem {
    /// A value that the setting cannot have.
    #[non_exhaustive]
    Invalid {
        /// The setting, as the caller named it.
        name: String,
        /// The value; `***` if the setting's name says that it is secret.
        value: String,
        /// What is wrong with it, and what would be right.
        trouble: String,
    },
    /// Two settings that exclude each other.
    #[non_exhaustive]
    Contradiction {
        /// Both, with their values or with what they were taken for.
        settings: String,
        /// Why, and what to change.
        trouble: String,
    },
    /// A name of Kafka's (or librdkafka's) that this producer knows and does not have.
    #[non_exhaustive]
    Unsupported {
        /// As the caller spelled it.
        name: String,
        /// The value; `***` if the name says that it is secret.
        value: String,
        /// Why it is not here.
        reason: &'static str,
        /// What to use in its place.
        replacement: &'static str,
        /// Whether [`ignore_unsupported_properties`] may skip it. What asks for encryption, for a
        /// name to be proven or for transactions is never skipped.
        ///
        /// [`ignore_unsupported_properties`]: crate::ProducerBuilder::ignore_unsupported_properties
        ignorable: bool,
    },
    /// A name that nobody knows.
    #[non_exhaustive]
    Unknown {
        /// As the caller spelled it. Its value is not kept: it may be a secret.
        name: String,
        /// The known name that is nearest, if any is near.
        nearest: Option<&'static str>,
    },
}

impl fmt::Display for ConfigProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Invalid {
                name,
                value,
                trouble,
            } => write!(f, "{name}={value:?}: {trouble}"),
            Self::Contradiction { settings, trouble } => write!(f, "{settings}: {trouble}"),
            Self::Unsupported {
                name,
                value,
                reason,
                replacement,
                ..
            } => {
                write!(
                    f,
                    "{name}={value:?} is not supported: {reason}; {replacement}"
                )
            }
            Self::Unknown {
                name,
                nearest: Some(nearest),
            } => {
                write!(
                    f,
                    "{name} is not a producer setting; did you mean {nearest}?"
                )
            }
            Self::Unknown {
                name,
                nearest: None,
            } => {
                write!(f, "{name} is not a producer setting")
            }
        }
    }
}

/// A producer could not be built. Nothing was connected or started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError {
    problems: Vec<ConfigProblem>,
}

impl ConfigError {
    pub(crate) fn new(problems: Vec<ConfigProblem>) -> Self {
        debug_assert!(!problems.is_empty(), "an error without a problem");
        Self { problems }
    }

    /// Every problem that was found.
    pub fn problems(&self) -> &[ConfigProblem] {
        &self.problems
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("cannot build the producer: ")?;
        for (at, problem) in self.problems.iter().enumerate() {
            if at > 0 {
                f.write_str("; ")?;
            }
            problem.fmt(f)?;
        }
        Ok(())
    }
}

impl std::error::Error for ConfigError {}
