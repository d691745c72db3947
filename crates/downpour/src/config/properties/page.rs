//! The page that lists all names for users, `PROPERTIES.md`, as the table has it.

use std::fmt::Write;

use super::groups;
use super::known;
use super::refusal::Not;
use super::row::Answer;

/// What stands before the lists.
const HEAD: &str = "\
A name has one of three answers.

- It **works**: it is another name for a setter of [`ProducerBuilder`](crate::ProducerBuilder), or
  asks for what happens anyway.
- It is **harmless**: without it no record is lost, doubled or put out of order. It is ignored with
  a warning.
- It is **refused**: building the producer fails, with the reason and what to use in its place. With
  [`ignore_unsupported_properties`](crate::ProducerBuilder::ignore_unsupported_properties) it is
  ignored with a warning, unless it is about security or transactions.

A name that is in none of these lists is an error that tells the nearest one.
";

/// The setter that stands in the page, if it is one.
fn setter(name: &str) -> String {
    match name {
        name if name.starts_with('(') => name.trim_matches(['(', ')']).into(),
        // Two settings of one setter.
        name if name.contains(" (") => {
            let (name, which) = name.split_once(' ').unwrap();
            format!("[`{name}`](crate::ProducerBuilder::{name}) {which}")
        }
        name => format!("[`{name}`](crate::ProducerBuilder::{name})"),
    }
}

/// The page.
fn page() -> String {
    let mut names: Vec<_> = known().collect();
    names.sort_by_key(|(name, _)| *name);
    let mut works = String::from("| works | as |\n|---|---|\n");
    let mut harmless = String::from("| harmless | because |\n|---|---|\n");
    let mut refused = String::from("| refused | because | so |\n|---|---|---|\n");
    let mut never = String::from("| refused always | because | so |\n|---|---|---|\n");
    let mut line = |name: &str, not: Not| match not {
        Not::Harmless(reason) => writeln!(harmless, "| {name} | {reason} |"),
        Not::Refused(reason, so) => writeln!(refused, "| {name} | {reason} | {so} |"),
        Not::Never(reason, so) => writeln!(never, "| {name} | {reason} | {so} |"),
    };
    for (prefix, not) in groups::PREFIXES {
        line(&format!("`{prefix}*`"), *not).unwrap();
    }
    for (name, answer) in names {
        match answer {
            Answer::Only(taken, not) => {
                let quoted = |taken: &&str| match *taken {
                    "" => "the empty value".to_owned(),
                    taken => format!("`{taken}`"),
                };
                let taken: Vec<_> = taken.iter().map(quoted).collect();
                writeln!(works, "| `{name}` | {} alone |", taken.join(", ")).unwrap();
                line(&format!("`{name}` with another value"), not).unwrap();
            }
            Answer::Not(not) => line(&format!("`{name}`"), not).unwrap(),
            works_as => {
                let setter = setter(works_as.setter().unwrap());
                writeln!(works, "| `{name}` | {setter} |").unwrap();
            }
        }
    }
    [HEAD, &works, &harmless, &refused, &never].join("\n")
}

#[test]
fn the_page_lists_every_name_with_its_answer() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/PROPERTIES.md");
    if std::env::var_os("DOWNPOUR_WRITE_PAGES").is_some() {
        std::fs::write(path, page()).unwrap();
    }
    let written = std::fs::read_to_string(path).unwrap();
    assert!(
        written == page(),
        "PROPERTIES.md is old: run this test with DOWNPOUR_WRITE_PAGES=1"
    );
}
