//! Kafka's property names, Java's and librdkafka's, each with one of three answers: it works; it
//! is harmless and ignored with a warning; it is refused, with the reason and the replacement.
//! A name that nobody knows is told the nearest one.
//!
//! The names are in [`table`] and [`groups`]; this file finds them. Limits and contradictions
//! between settings are `resolve`'s. `java.txt` and `librdkafka.txt` list all names there are, for
//! the tests.

mod distance;
mod groups;
mod refusal;
mod row;
mod table;
mod values;

#[cfg(test)]
mod page;
#[cfg(test)]
mod tests;

use crate::config::ignored::Ignored;
use crate::config::partial::PartialConfig;
use crate::config::secret::Secret;
use crate::error::config::ConfigProblem;
use refusal::{Not, Refusal};
use row::Answer;

/// Takes one property, or notes what is wrong with it.
pub(crate) fn apply(partial: &mut PartialConfig, name: &str, value: &str) {
    let name = name.trim();
    let value = value.trim();
    let Some((name, answer)) = known().find(|(known, _)| *known == name) else {
        partial.problems.push(ConfigProblem::Unknown {
            name: name.into(),
            nearest: nearest(name),
        });
        return;
    };
    let Err(refusal) = answer.set(partial, name, value) else {
        return;
    };
    // From here on the value is in an error, in `Debug` and in the log.
    let value = match Secret::of(name, value) {
        Some(secret) => secret.to_string(),
        None => value.to_owned(),
    };
    let (reason, replacement, ignorable) = match refusal {
        Refusal::Invalid(trouble) => {
            let name = name.to_owned();
            partial.problems.push(ConfigProblem::Invalid {
                name,
                value,
                trouble,
            });
            return;
        }
        Refusal::Not(Not::Harmless(reason)) => {
            partial.ignored.push(Ignored::new(name, value, reason));
            return;
        }
        Refusal::Not(Not::Refused(reason, replacement)) => (reason, replacement, true),
        Refusal::Not(Not::Never(reason, replacement)) => (reason, replacement, false),
    };
    partial.problems.push(ConfigProblem::Unsupported {
        name: name.to_owned(),
        value,
        reason,
        replacement,
        ignorable,
    });
}

/// Every name that is Kafka's, with its answer.
fn known() -> impl Iterator<Item = (&'static str, Answer)> {
    let rows = table::ROWS.iter().flat_map(|rows| rows.iter());
    let rows = rows.map(|row| (row.name, row.answer));
    let groups = groups::GROUPS.iter().flat_map(|group| {
        let answer = Answer::Not(group.not);
        group.names.iter().map(move |name| (*name, answer))
    });
    rows.chain(groups)
}

/// Tells of what is ignored, and turns what is refused into that, if it was asked for and may be.
pub(crate) fn tell_ignored(partial: &mut PartialConfig) {
    for ignored in partial.ignored.drain(..) {
        ignored.warn();
    }
    if !partial.ignore_unsupported {
        return;
    }
    partial.problems.retain(|problem| {
        let ignored = matches!(
            problem,
            ConfigProblem::Unsupported {
                ignorable: true,
                ..
            }
        );
        if ignored {
            tracing::warn!(%problem, "property ignored");
        }
        !ignored
    });
}

/// The known name that takes the fewest changes, if that is few for its length.
fn nearest(name: &str) -> Option<&'static str> {
    let wanted = name.to_ascii_lowercase().replace(['_', '-'], ".");
    known()
        .map(|(known, _)| (distance::edits(&wanted, known), known))
        .min_by_key(|&(edits, _)| edits)
        .filter(|&(edits, known)| edits * 3 <= known.len().max(3))
        .map(|(_, known)| known)
}
