//! Why a producer could not be built: every problem of its configuration at once.

use std::fmt;

/// What kind of a problem it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ConfigProblemKind {
    /// A value that the setting cannot have.
    Invalid,
    /// Settings that exclude each other; the others are in
    /// [`conflicts_with`](ConfigProblem::conflicts_with).
    Contradiction,
    /// A name, or a value, of Kafka's (or librdkafka's) that this producer knows and does not have.
    Unsupported,
    /// A name that nobody knows.
    Unknown,
}

/// A setting and what it was set to, both as the caller wrote them.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Said {
    pub(crate) name: String,
    /// `None` where it is not kept, `***` where the name says that it is secret.
    pub(crate) value: Option<String>,
}

impl fmt::Display for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&Short(&self.name), f)?;
        match &self.value {
            // Quotes where one could not see where it ends.
            Some(value) if is_plain(value) => write!(f, "={}", Short(value)),
            Some(value) => write!(f, "={:?}", Short(value)),
            None => Ok(()),
        }
    }
}

fn is_plain(value: &str) -> bool {
    let is_plain = |c: char| c.is_alphanumeric() || " .,-_:/[]*@%+µ".contains(c);
    !value.is_empty() && !value.contains(": ") && value.chars().all(is_plain)
}

/// One problem of a configuration: a setting, its value, what is wrong and what to try.
#[derive(Clone, PartialEq, Eq)]
pub struct ConfigProblem {
    kind: ConfigProblemKind,
    said: Said,
    others: Vec<Said>,
    trouble: String,
    remedy: String,
    ignorable: bool,
}

impl ConfigProblem {
    pub(crate) fn invalid(
        name: impl Into<String>,
        value: impl Into<String>,
        trouble: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        let value = Some(value.into());
        Self {
            kind: ConfigProblemKind::Invalid,
            said: Said {
                name: name.into(),
                value,
            },
            others: Vec::new(),
            trouble: trouble.into(),
            remedy: remedy.into(),
            ignorable: false,
        }
    }

    pub(crate) fn contradiction(
        said: Said,
        others: Vec<Said>,
        trouble: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self {
            kind: ConfigProblemKind::Contradiction,
            said,
            others,
            trouble: trouble.into(),
            remedy: remedy.into(),
            ignorable: false,
        }
    }

    pub(crate) fn unsupported(said: Said, reason: &str, replacement: &str) -> Self {
        Self {
            kind: ConfigProblemKind::Unsupported,
            said,
            others: Vec::new(),
            trouble: reason.into(),
            remedy: replacement.into(),
            ignorable: false,
        }
    }

    /// The switch may make a warning of it.
    pub(crate) fn and_ignorable(mut self) -> Self {
        self.ignorable = true;
        self
    }

    /// Its value is not kept: it may be a secret.
    pub(crate) fn unknown(name: &str, nearest: Option<&str>) -> Self {
        Self {
            kind: ConfigProblemKind::Unknown,
            said: Said {
                name: name.into(),
                value: None,
            },
            others: Vec::new(),
            trouble: "is not a producer setting".into(),
            remedy: match nearest {
                Some(nearest) => format!("did you mean {nearest}?"),
                None => "leave it out; the settings are listed in downpour::properties".into(),
            },
            ignorable: false,
        }
    }

    /// What kind of a problem it is.
    pub fn kind(&self) -> ConfigProblemKind {
        self.kind
    }

    /// The setting, as the caller named it: a property's name or a setter's.
    pub fn setting(&self) -> &str {
        &self.said.name
    }

    /// What it was set to, whole and as far as it may be shown: `***` if the setting's name says that
    /// it is secret, `None` for a name that nobody knows.
    pub fn value(&self) -> Option<&str> {
        self.said.value.as_deref()
    }

    /// The settings that it contradicts, with their values or the defaults that hold for them.
    pub fn conflicts_with(&self) -> impl Iterator<Item = (&str, &str)> {
        self.others.iter().map(|said| {
            (
                said.name.as_str(),
                said.value.as_deref().unwrap_or_default(),
            )
        })
    }

    /// What is wrong.
    pub fn trouble(&self) -> &str {
        &self.trouble
    }

    /// What to try.
    pub fn remedy(&self) -> &str {
        &self.remedy
    }

    /// Whether [`ignore_unsupported_properties`] skips it. What asks for encryption, for a name to be
    /// proven or for transactions is never skipped, nor is anything that is not
    /// [`Unsupported`](ConfigProblemKind::Unsupported).
    ///
    /// [`ignore_unsupported_properties`]: crate::ProducerBuilder::ignore_unsupported_properties
    pub fn is_ignorable(&self) -> bool {
        self.ignorable
    }
}

impl fmt::Display for ConfigProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            said,
            trouble,
            remedy,
            ..
        } = self;
        match self.kind {
            ConfigProblemKind::Unsupported => {
                write!(f, "{said} is not supported: {trouble}; {remedy}")
            }
            ConfigProblemKind::Unknown => write!(f, "{said} {trouble}; {remedy}"),
            ConfigProblemKind::Invalid => write!(f, "{said}: {trouble}; {remedy}"),
            ConfigProblemKind::Contradiction => {
                write!(f, "{said}")?;
                for (at, other) in self.others.iter().enumerate() {
                    write!(f, " {} {other}", if at == 0 { "with" } else { "and" })?;
                }
                write!(f, ": {trouble}; {remedy}")
            }
        }
    }
}

/// As [`Display`](fmt::Display), so that `{:?}` reads as well.
impl fmt::Debug for ConfigProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A producer could not be built. Nothing was connected or started.
///
/// `Display` and `Debug` (which `fn main() -> Result<(), Box<dyn Error>>` prints) are the same text:
/// one problem stands in one line, several stand in a list below a heading.
#[derive(Clone, PartialEq, Eq)]
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
        match &self.problems[..] {
            [problem] => write!(f, "cannot build the producer: {problem}"),
            problems => {
                write!(f, "cannot build the producer, {} problems:", problems.len())?;
                problems
                    .iter()
                    .try_for_each(|problem| write!(f, "\n- {problem}"))
            }
        }
    }
}

impl fmt::Debug for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for ConfigError {}

/// Characters of a caller's text that an error shows.
const SHOWN: usize = 100;

/// A caller's text, cut where it is long: in one line by `Display`, quoted by `Debug`.
pub(crate) struct Short<'a>(pub(crate) &'a str);

impl Short<'_> {
    /// What is shown of it, and how many characters it has if that is not all.
    fn parts(&self) -> (&str, Option<usize>) {
        match self.0.char_indices().nth(SHOWN) {
            None => (self.0, None),
            Some((end, _)) => (&self.0[..end], Some(self.0.chars().count())),
        }
    }
}

impl fmt::Display for Short<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (shown, all) = self.parts();
        // A line's end would look like another problem.
        for c in shown.chars() {
            if c.is_control() {
                write!(f, "{}", c.escape_default())?;
            } else {
                fmt::Write::write_char(f, c)?;
            }
        }
        match all {
            Some(all) => write!(f, "… ({all} characters)"),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for Short<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.parts() {
            (shown, Some(all)) => write!(f, "{shown:?}… ({all} characters)"),
            (shown, None) => write!(f, "{shown:?}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(value: &str) -> ConfigProblem {
        ConfigProblem::invalid("linger.ms", value, "is no number", "give milliseconds")
    }

    #[test]
    fn one_problem_is_one_line_and_several_are_a_list() {
        let one = ConfigError::new(vec![problem("x")]);
        let said = "cannot build the producer: linger.ms=x: is no number; give milliseconds";
        assert_eq!(one.to_string(), said);
        let several = ConfigError::new(vec![problem("x"), ConfigProblem::unknown("lingr", None)]);
        assert_eq!(
            several.to_string(),
            "cannot build the producer, 2 problems:\n\
             - linger.ms=x: is no number; give milliseconds\n\
             - lingr is not a producer setting; leave it out; the settings are listed in \
             downpour::properties"
        );
        for error in [one, several] {
            assert_eq!(format!("{error:?}"), error.to_string());
            assert_eq!(format!("{error:#?}"), error.to_string());
        }
    }

    #[test]
    fn long_texts_are_cut_by_characters_and_stay_in_their_line() {
        let long = "ä".repeat(SHOWN);
        assert!(!problem(&long).to_string().contains('…'));
        let longer = format!("{long}ö");
        let said = problem(&longer).to_string();
        assert!(said.contains("ä… (101 characters): is no"), "{said}");
        assert!(!said.contains('ö'), "{said}");
        assert_eq!(
            problem(&longer).value(),
            Some(&*longer),
            "whole for programs"
        );
        let said = ConfigProblem::unknown(&longer, None).to_string();
        assert!(said.contains("… (101 characters) is not") && !said.contains('ö'));
        let lines = [problem("a\nb"), ConfigProblem::unknown("a\nb", None)];
        for problem in lines {
            assert_eq!(problem.to_string().lines().count(), 1, "{problem}");
        }
    }
}
