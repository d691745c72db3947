//! The rule of the public API: what a published library shows is in a committed listing, so that
//! every change to it is seen. It is read from the source, which needs neither a nightly compiler
//! nor a build.
//!
//! The source's modules and names are `source`'s, what is public `public`'s, how it is written
//! `text`'s. What derives and macros make is listed as it was asked for.

mod public;
mod source;
mod text;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use source::Source;

use super::problem::Problem;

/// Libraries that others depend on, by their directories.
const LISTED: [&str; 2] = ["downpour", "downpour-fake"];
/// Those from which a listed one shows something.
const SHOWN: [&str; 4] = [
    "downpour-wire",
    "downpour-core",
    "downpour",
    "downpour-fake",
];

/// Says where listing and source differ.
pub(super) fn check(root: &Path) -> Result<Vec<Problem>, String> {
    let source = read(root)?;
    let mut problems = Vec::new();
    for library in LISTED {
        let file = file(library);
        let committed = fs::read_to_string(root.join(&file)).unwrap_or_default();
        problems.extend(compare(&file, &committed, &listing(&source, library)?));
    }
    Ok(problems)
}

/// Writes the listings, and says where they are.
pub(super) fn write(root: &Path) -> Result<Vec<String>, String> {
    let source = read(root)?;
    let written = LISTED.map(|library| {
        let file = file(library);
        let text = listing(&source, library)?;
        fs::write(root.join(&file), text).map_err(|error| format!("{file}: {error}"))?;
        Ok(file)
    });
    written.into_iter().collect()
}

fn file(library: &str) -> String {
    format!("crates/{library}/api.txt")
}

fn read(root: &Path) -> Result<Source, String> {
    let mut source = Source::default();
    for library in SHOWN {
        let file = format!("crates/{library}/src/lib.rs");
        let read = |path: &Path| fs::read_to_string(root.join(path)).ok();
        source.add(&library.replace('-', "_"), Path::new(&file), &read)?;
    }
    Ok(source)
}

fn listing(source: &Source, library: &str) -> Result<String, String> {
    let entries = public::entries(source, &library.replace('-', "_"))?;
    let lines: usize = entries.iter().map(|entry| 1 + entry.lines.len()).sum();
    let mut listing = format!(
        "# The public API of {library}, written by `cargo xtask api`: {} items, {lines} lines.\n",
        entries.len()
    );
    for entry in entries {
        listing += &format!("\n{}\n", entry.head);
        for line in entry.lines {
            listing += &format!("    {line}\n");
        }
    }
    Ok(listing)
}

/// More differences than this are not told one by one.
const TOLD_MAX: usize = 5;

fn compare(file: &str, committed: &str, now: &str) -> Vec<Problem> {
    if committed == now {
        return Vec::new();
    }
    let (before, after) = (named_lines(committed), named_lines(now));
    let gone = before.difference(&after).map(|line| format!("- {line}"));
    let new = after.difference(&before).map(|line| format!("+ {line}"));
    let mut differences: Vec<String> = gone.chain(new).collect();
    let more = differences.len().saturating_sub(TOLD_MAX);
    differences.truncate(TOLD_MAX);
    if more > 0 {
        differences.push(format!("and {more} more"));
    }
    let what = format!(
        "the public API is another one: {}; if that is meant to be, `cargo xtask api` writes it \
         and CHANGELOG.md says it",
        differences.join("; ")
    );
    vec![Problem::new(file, what)]
}

/// The lines of a listing, each with its item.
fn named_lines(listing: &str) -> BTreeSet<String> {
    let mut item = "";
    let lines = listing.lines().skip(1).filter(|line| !line.is_empty());
    lines
        .map(|line| match line.strip_prefix("    ") {
            Some(part) => format!("{part} ({item})"),
            None => {
                let path = line
                    .split(['<', ' ', '('])
                    .rfind(|word| word.contains("::"));
                item = path.unwrap_or(line).trim_end_matches(':');
                line.to_owned()
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The listing of a library `a` that has these files, without its first line.
    fn listed(files: &[(&str, &str)]) -> String {
        let mut source = Source::default();
        let read = |path: &Path| {
            let known = files.iter().find(|(name, _)| Path::new(name) == path);
            known.map(|(_, text)| (*text).to_owned())
        };
        source.add("a", Path::new("src/lib.rs"), &read).unwrap();
        let text = listing(&source, "a").unwrap();
        text.lines()
            .skip(2)
            .map(|line| format!("{line}\n"))
            .collect()
    }

    #[test]
    fn what_is_re_exported_is_listed_with_its_public_parts_and_nothing_else_is() {
        let lib = "mod b; pub use b::Thing; #[doc(hidden)] pub mod c {} struct Own;";
        let b = r#"
            pub use deep::Other;
            pub(crate) mod deep { pub struct Other; }
            /// Words.
            #[derive(Debug, Clone)]
            #[non_exhaustive]
            pub struct Thing<'a> { pub at: &'a [u8], private: u8 }
            impl<'a> Thing<'a> {
                pub fn at(&self, mut of: Option<(u8, u8)>,) -> &'a [u8] { self.at }
                pub(crate) fn own(&self) {}
                #[doc(hidden)] pub fn hidden() {}
                pub const LONG: usize = 3;
            }
            impl From<&'static str> for Thing<'static> { fn from(_: &'static str) -> Self { todo!() } }
            #[cfg(test)] mod tests { impl super::Thing<'_> { pub fn test() {} } }
        "#;
        let expected = "\
#[derive(Debug, Clone)] #[non_exhaustive] pub struct a::Thing<'a>
    pub at: &'a [u8]
    ..
    pub const LONG: usize
    pub fn at(&self, of: Option<(u8, u8)>) -> &'a [u8]
    impl From<&'static str> for Thing<'static>
";
        assert_eq!(listed(&[("src/lib.rs", lib), ("src/b.rs", b)]), expected);
    }

    #[test]
    fn a_trait_is_listed_with_its_methods_and_who_has_it() {
        let lib = "
            pub trait Chooses: Send { type Out; fn choose(&self) -> i32; fn twice(&self) -> i32 { 2 } }
            impl<F> Chooses for F where F: Fn() -> i32 + Send { type Out = u8; fn choose(&self) -> i32 { self() } }
            impl std::fmt::Debug for dyn Chooses + '_ {}
        ";
        let expected = "\
pub trait a::Chooses: Send
    type Out
    fn choose(&self) -> i32
    fn twice(&self) -> i32 { .. }
    impl std::fmt::Debug for dyn Chooses + '_
    impl<F> Chooses for F where F: Fn() -> i32 + Send { type Out = u8 }
";
        assert_eq!(listed(&[("src/lib.rs", lib)]), expected);
    }

    #[test]
    fn two_types_of_one_name_are_told_apart_and_an_enum_shows_its_variants() {
        let lib = "mod b; mod c; pub use b::Same; pub mod other { pub use crate::c::Same; }";
        let b = "pub enum Same { #[non_exhaustive] One { at: u8 }, Two(i32), Three = 3 } impl Same { pub fn b() {} }";
        let c = "use crate::b; pub struct Same(pub u8, u8); impl Same { pub fn c() {} } impl From<Same> for b::Same {}";
        let expected = "\
pub enum a::Same
    #[non_exhaustive] One { at: u8 }
    Two(i32)
    Three = 3
    pub fn b()
    impl From<Same> for b::Same

pub struct a::other::Same
    pub 0: u8
    ..
    pub fn c()
";
        let files = [("src/lib.rs", lib), ("src/b.rs", b), ("src/c.rs", c)];
        assert_eq!(listed(&files), expected);
    }

    #[test]
    fn what_macros_make_is_listed_as_it_was_asked_for() {
        let lib =
            "pub struct Thing; macro_rules! from { ($($t:ty),*) => {} } from!(u8, Pair<u8, u8>);";
        let expected = "\
macro in a
    from! Pair<u8, u8>
    from! u8

pub struct a::Thing
";
        assert_eq!(listed(&[("src/lib.rs", lib)]), expected);
    }

    #[test]
    fn a_difference_is_told_by_its_lines() {
        let one = "# 1\n\npub struct a::A\n    x\n\npub struct a::B<'a>\n";
        assert_eq!(compare("f", one, one), []);
        let two = format!("{one}    x\n").replacen("    x\n", "    y\n", 1);
        let [problem] = &compare("f", one, &two)[..] else {
            panic!("one problem")
        };
        let told = "one: - x (a::A); + x (a::B); + y (a::A); if";
        assert!(problem.what.contains(told), "{problem}");
    }
}
