//! `cargo xtask bugs`: plants the mistakes of `sim/bugs`, one at a time, and counts how many seeds
//! the simulator needs to find each. They are planted in `scratch`, never in the tree itself; which
//! of them are known to be found is read by `table`.

mod lock;
mod scratch;
mod table;

use std::fs;
use std::num::NonZeroUsize;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use clap::Args;

use scratch::{Found, Scratch};
use table::Known;

/// A bug that took fewer seeds than this is quick to find.
const QUICK_BELOW: u64 = 100;

/// A quick one that is not found in so many seeds is not found any more.
const QUICK_SEEDS: u64 = 1000;

/// So many seeds the table of `sim/README.md` stands for.
const SEEDS: u64 = 10_000;

/// Which bugs to plant.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Names of patches in sim/bugs, or their numbers; all when none is named.
    names: Vec<String>,
    /// Plant only so many of those that are found in less than 100 seeds, other ones each day.
    #[arg(long, conflicts_with = "names", value_name = "COUNT")]
    quick: Option<NonZeroUsize>,
    /// Seeds for each bug; 10,000, or 1,000 with --quick.
    #[arg(long)]
    seeds: Option<u64>,
}

/// Plants bugs and prints the table of what they took. False if one was not found that was named or
/// is in the table of `sim/README.md`.
///
/// # Errors
/// When a bug cannot be planted, or the simulator neither passes nor names a seed.
pub(crate) fn run(root: &Path, arguments: &Arguments) -> Result<bool, String> {
    let known = table::read(root)?;
    let all = patches(root)?;
    let chosen = match arguments.quick {
        Some(count) => of_the_day(&quick(&all, &known)?, count.get(), day()),
        None => named(&all, &arguments.names)?,
    };
    let seeds = arguments.seeds.unwrap_or(match arguments.quick {
        Some(_) => QUICK_SEEDS,
        None => SEEDS,
    });
    let mut scratch = Scratch::new(root)?;
    println!("{}", table::HEAD);
    let mut all_found = true;
    for bug in &chosen {
        let found = scratch.count(bug, seeds)?;
        println!(
            "{}",
            table::row(bug, found.as_ref().map(|found| found.seeds), seeds)
        );
        match found {
            Some(Found { what, .. }) => eprintln!("  {what}"),
            // The table tells of some that nobody expects to be found.
            None => all_found &= arguments.names.is_empty() && !known.contains_key(bug),
        }
    }
    Ok(all_found)
}

/// The names of all patches, by their numbers.
fn patches(root: &Path) -> Result<Vec<String>, String> {
    let dir = root.join("sim").join("bugs");
    let entries = fs::read_dir(&dir).map_err(|error| format!("{}: {error}", dir.display()))?;
    let mut names: Vec<String> = entries
        .flatten()
        .filter_map(|entry| {
            Some(
                entry
                    .file_name()
                    .to_str()?
                    .strip_suffix(".patch")?
                    .to_owned(),
            )
        })
        .collect();
    names.sort_by_key(|name| {
        let digits = name
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(name.len());
        (
            name[..digits].parse::<u32>().unwrap_or(u32::MAX),
            name.clone(),
        )
    });
    Ok(names)
}

/// The patches with these names or numbers; all without any.
fn named(all: &[String], words: &[String]) -> Result<Vec<String>, String> {
    let is = |name: &String, word: &String| {
        let number = name.split('-').next();
        word.trim_end_matches(".patch") == name || number == Some(word.as_str())
    };
    if let Some(unknown) = words
        .iter()
        .find(|word| !all.iter().any(|name| is(name, word)))
    {
        return Err(format!(
            "no `{unknown}` in sim/bugs; there are: {}",
            all.join(", ")
        ));
    }
    let is_meant = |name: &&String| words.is_empty() || words.iter().any(|word| is(name, word));
    Ok(all.iter().filter(is_meant).cloned().collect())
}

/// Those that the table calls quick to find.
fn quick(all: &[String], known: &Known) -> Result<Vec<String>, String> {
    let is_quick = |name: &&String| known.get(*name).is_some_and(|seeds| *seeds < QUICK_BELOW);
    let quick: Vec<String> = all.iter().filter(is_quick).cloned().collect();
    if quick.is_empty() {
        return Err(format!(
            "the table of sim/README.md names no patch that takes less than {QUICK_BELOW} seeds"
        ));
    }
    Ok(quick)
}

/// So many of these, beginning with others each day, so that every one has its turn.
fn of_the_day(all: &[String], count: usize, day: u64) -> Vec<String> {
    let count = count.min(all.len());
    let first = (day % all.len() as u64) as usize * count;
    (first..first + count)
        .map(|at| all[at % all.len()].clone())
        .collect()
}

fn day() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.map_or(0, |now| now.as_secs() / (24 * 60 * 60))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn names(words: &[&str]) -> Vec<String> {
        words.iter().map(|word| (*word).to_owned()).collect()
    }

    #[test]
    fn bugs_are_named_in_full_or_by_number_and_unknown_names_are_refused() {
        let all = names(&["1-one", "6-six", "6b-more", "16-sixteen"]);
        assert_eq!(named(&all, &[]).unwrap(), all);
        assert_eq!(
            named(&all, &names(&["6b", "16-sixteen.patch"])).unwrap(),
            names(&["6b-more", "16-sixteen"])
        );
        assert_eq!(named(&all, &names(&["6"])).unwrap(), names(&["6-six"]));
        assert!(named(&all, &names(&["2"])).unwrap_err().contains("`2`"));
    }

    #[test]
    fn only_what_took_few_seeds_is_quick_and_none_at_all_is_an_error() {
        let all = names(&["1-one", "2-two", "3-three"]);
        let known = Known::from([("1-one".to_owned(), 99), ("2-two".to_owned(), 100)]);
        assert_eq!(quick(&all, &known).unwrap(), names(&["1-one"]));
        quick(&all, &Known::new()).unwrap_err();
    }

    #[test]
    fn every_quick_bug_has_its_day() {
        for len in 1..20_u64 {
            let all: Vec<String> = (0..len).map(|at| at.to_string()).collect();
            let days = (0..len).map(|day| of_the_day(&all, 3, day));
            let planted: BTreeSet<String> = days
                .inspect(|day| assert_eq!(day.len(), all.len().min(3)))
                .flatten()
                .collect();
            assert_eq!(planted.len(), all.len());
        }
    }
}
