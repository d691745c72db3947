//! Kafka's property names, each with one of three answers: it works, it is known and not here,
//! or nobody knows it.
//!
//! The names are in [`table`]; this file reads values and offers the nearest name. Limits and
//! contradictions between settings are `resolve`'s.

mod distance;
mod row;
mod table;

#[cfg(test)]
mod tests;

use crate::config::partial::PartialConfig;
use crate::config::secret::Secret;
use crate::error::config::ConfigProblem;
use row::Refusal;

/// Takes one property, or notes what is wrong with it.
pub(crate) fn apply(partial: &mut PartialConfig, name: &str, value: &str) {
    let name = name.trim();
    let value = value.trim();
    let Some(row) = table::ROWS
        .iter()
        .flat_map(|rows| rows.iter())
        .find(|r| r.name == name)
    else {
        partial.problems.push(ConfigProblem::Unknown {
            name: name.into(),
            nearest: nearest(name),
        });
        return;
    };
    let Err(refusal) = row.answer.set(partial, value) else {
        return;
    };
    let name = name.to_owned();
    // From here on the value is in an error, in `Debug` and in the log.
    let value = match Secret::of(&name, value) {
        Some(secret) => secret.to_string(),
        None => value.to_owned(),
    };
    let problem = match refusal {
        Refusal::Invalid(trouble) => ConfigProblem::Invalid {
            name,
            value,
            trouble,
        },
        Refusal::Unsupported(reason, replacement) => ConfigProblem::Unsupported {
            name,
            value,
            reason,
            replacement,
        },
    };
    partial.problems.push(problem);
}

/// Turns known and unsupported names into warnings, if that was asked for.
pub(crate) fn drop_unsupported(partial: &mut PartialConfig) {
    if !partial.ignore_unsupported {
        return;
    }
    partial.problems.retain(|problem| {
        let ignored = matches!(problem, ConfigProblem::Unsupported { .. });
        if ignored {
            tracing::warn!(%problem, "property ignored");
        }
        !ignored
    });
}

/// The known name that takes the fewest changes, if that is few for its length.
fn nearest(name: &str) -> Option<&'static str> {
    let wanted = name.to_ascii_lowercase().replace(['_', '-'], ".");
    table::ROWS
        .iter()
        .flat_map(|rows| rows.iter())
        .map(|row| (distance::edits(&wanted, row.name), row.name))
        .min_by_key(|&(edits, _)| edits)
        .filter(|&(edits, known)| edits * 3 <= known.len().max(3))
        .map(|(_, known)| known)
}
