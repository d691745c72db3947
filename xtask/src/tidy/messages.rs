//! The generated wire messages: each file holds what Kafka's definitions say, or was edited by hand.

use std::path::Path;

use super::problem::Problem;
use crate::messages;

/// Checks that every generated file is as the generator would write it.
pub(super) fn check(root: &Path) -> Result<Vec<Problem>, String> {
    let stale = messages::stale(root)?;
    let problems = stale.into_iter().map(|file| {
        let what = "is not what the definitions say: `cargo xtask messages` writes it anew";
        Problem::new(file, what)
    });
    Ok(problems.collect())
}
