//! The table of `sim/README.md`: which planted bugs are found, and in how many seeds.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// Seeds that a bug took, by the name of its patch. A bug that is not found is not in it.
pub(super) type Known = BTreeMap<String, u64>;

/// The first lines of the table.
pub(super) const HEAD: &str = "| bug | seeds that it took, from seed 0 |\n|---|---|";

/// Reads the table.
///
/// # Errors
/// When there is none.
pub(super) fn read(root: &Path) -> Result<Known, String> {
    let file = root.join("sim").join("README.md");
    let text = fs::read_to_string(&file).map_err(|error| format!("{}: {error}", file.display()))?;
    parse(&text).ok_or_else(|| format!("{}: no table of planted bugs", file.display()))
}

fn parse(text: &str) -> Option<Known> {
    let (_, body) = text.split_once(HEAD)?;
    let lines = body.trim_start_matches('\n').lines();
    lines
        .take_while(|line| line.starts_with('|'))
        .map(known)
        .collect()
}

fn known(line: &str) -> Option<(String, u64)> {
    let (name, seeds) = line.trim_matches(['|', ' ']).split_once(" | ")?;
    Some((name.trim_matches('`').to_owned(), seeds.parse().ok()?))
}

/// One line of the table; `taken` is `None` for a bug that so many `seeds` did not find.
pub(super) fn row(bug: &str, taken: Option<u64>, seeds: u64) -> String {
    let taken = taken.map_or_else(|| format!("not in {seeds}"), |taken| taken.to_string());
    format!("| `{bug}` | {taken} |")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_printed_table_is_read_again() {
        let rows = [row("1-one", Some(15), 100), row("6b-more", Some(0), 100)].join("\n");
        let text = format!("# words\n\n{HEAD}\n{rows}\n\nmore | words");
        let expected = [("1-one".to_owned(), 15), ("6b-more".to_owned(), 0)];
        assert_eq!(parse(&text), Some(Known::from(expected)));
        assert_eq!(parse("# words"), None);
        assert_eq!(parse(&format!("{HEAD}\n| `1-one` | soon |")), None);
    }

    #[test]
    fn the_table_of_the_simulator_is_read() {
        let known = read(&xtask::root()).unwrap();
        assert!(!known.is_empty());
    }
}
