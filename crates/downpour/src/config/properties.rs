//! Kafka's property names, Java's and librdkafka's, each with one of three answers: it works; it
//! is harmless and ignored with a warning; it is refused, with the reason and the replacement.
//! A name that nobody knows is told the nearest one.
//!
//! The names are in [`table`] and [`groups`]; this file finds them. Limits and contradictions
//! between settings are `resolve`'s. `java.txt` and `librdkafka.txt` list all names there are, for
//! the tests; `others.txt` those of what people configure in the same file.

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
use crate::config::servers;
use crate::error::config::{ConfigProblem, ConfigProblemKind, Said};
use refusal::{Not, Refusal};
use row::Answer;

/// Takes one property, or notes what is wrong with it.
pub(crate) fn apply(partial: &mut PartialConfig, name: &str, value: &str) {
    let name = name.trim();
    let value = value.trim();
    let Some((known, answer)) = answer_of(name) else {
        let problem = ConfigProblem::unknown(name, nearest(name));
        partial.problems.push(problem);
        return;
    };
    // From here on the value is in an error, in `Debug` and in the log.
    let shown = shown(name, value);
    let refusal = match answer.set(partial, known, value) {
        Ok(()) => {
            partial.write_down(known, shown);
            return;
        }
        Err(refusal) => refusal,
    };
    let said = |value| Said {
        name: name.to_owned(),
        value: Some(value),
    };
    let problem = match refusal {
        Refusal::Invalid(trouble, remedy) => ConfigProblem::invalid(name, shown, trouble, remedy),
        Refusal::Not(Not::Harmless(reason)) => {
            partial.ignored.push(Ignored::new(known, shown, reason));
            return;
        }
        Refusal::Not(Not::Refused(reason, so)) => {
            ConfigProblem::unsupported(said(shown), reason, so).and_ignorable()
        }
        Refusal::Not(Not::Never(reason, so)) => ConfigProblem::unsupported(said(shown), reason, so),
    };
    partial.problems.push(problem);
}

/// What may be shown of a value.
fn shown(name: &str, value: &str) -> String {
    match Secret::of(name, value) {
        Some(secret) => secret.to_string(),
        // An address may have a user's name and a password before its host, under any name.
        None => servers::shown(value).into_owned(),
    }
}

/// The answer of a name that is somebody's, and that name.
fn answer_of(name: &str) -> Option<(&'static str, Answer)> {
    let exact = known().find(|(known, _)| *known == name);
    exact.or_else(|| {
        let prefix = groups::PREFIXES
            .iter()
            .find(|(prefix, _)| name.starts_with(prefix));
        prefix.map(|(prefix, not)| (*prefix, Answer::Not(*not)))
    })
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

/// Names that work, each with the setter that it means.
#[cfg(test)]
pub(super) fn working() -> impl Iterator<Item = (&'static str, &'static str)> {
    known().filter_map(|(name, answer)| Some((name, answer.setter()?)))
}

/// The name of a row, where it stands.
pub(super) fn thin(name: &str) -> Option<&'static &'static str> {
    let mut rows = table::ROWS.iter().flat_map(|rows| rows.iter());
    rows.find(|row| row.name == name).map(|row| &row.name)
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
        let ignored = problem.kind() == ConfigProblemKind::Unsupported && problem.is_ignorable();
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
