//! The list of what no seed reaches, `sim/UNREACHED.md`, and whether it is still true.
//!
//! An entry is a line `- file function: why` or `- file function code: why`, with file, function
//! and code between backticks. Without code nothing of the function is reached. `*` stands for any
//! text in a file or a function, so that a whole room can be named. Why may begin with `rarely`: a
//! few seeds do reach it.

use std::fs;
use std::path::Path;

use super::reached::File;

/// One line.
#[derive(Debug, PartialEq, Eq)]
struct Entry {
    file: String,
    function: String,
    /// What part of the function is meant: a piece of its code.
    code: Option<String>,
    /// A few seeds do reach it, and others do not.
    is_rare: bool,
}

impl Entry {
    fn parse(line: &str) -> Option<Self> {
        let rest = line.strip_prefix("- `")?;
        let (file, rest) = rest.split_once("` `")?;
        let (function, rest) = rest.split_once('`')?;
        let (code, why) = match rest.strip_prefix(" `") {
            Some(rest) => rest.split_once('`').map(|(code, why)| (Some(code), why))?,
            None => (None, rest),
        };
        let why = why.strip_prefix(": ")?;
        Some(Self {
            file: file.to_owned(),
            function: function.to_owned(),
            code: code.map(str::to_owned),
            is_rare: why.starts_with("rarely"),
        })
    }

    fn is_for(&self, file: &str, function: &str) -> bool {
        fits(&self.file, file) && fits(&self.function, function)
    }

    /// A single function, which is either reached or not.
    fn is_exact(&self) -> bool {
        !self.file.contains('*') && !self.function.contains('*')
    }
}

/// All lines.
#[derive(Debug, Default)]
pub(super) struct List(Vec<Entry>);

impl List {
    pub(super) fn read(path: &Path) -> Result<Self, String> {
        let text = fs::read_to_string(path).map_err(|e| format!("{}: {e}", path.display()))?;
        Self::parse(&text)
    }

    fn parse(text: &str) -> Result<Self, String> {
        let lines = text.lines().filter(|line| line.starts_with("- `"));
        let entry = |line| Entry::parse(line).ok_or_else(|| format!("what is this? {line}"));
        lines.map(entry).collect::<Result<_, _>>().map(Self)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether the whole function may stay unreached.
    pub(super) fn has(&self, file: &str, function: &str) -> bool {
        let is_for = |entry: &Entry| entry.code.is_none() && entry.is_for(file, function);
        self.0.iter().any(is_for)
    }

    /// Whether it has an entry for a part of a function that is in this code.
    pub(super) fn has_branch(&self, file: &str, function: &str, code: &str) -> bool {
        let is_for = |entry: &Entry| {
            entry.is_for(file, function) && entry.code.as_ref().is_some_and(|c| code.contains(c))
        };
        self.0.iter().any(is_for)
    }

    /// Where the list and the code differ.
    pub(super) fn compare(&self, files: &[File]) -> Vec<String> {
        let mut problems = Vec::new();
        for file in files {
            for (function, _) in file.functions().filter(|(_, is_reached)| !is_reached) {
                if !self.has(&file.name, function) {
                    problems.push(format!("no seed reaches `{}` `{function}`", file.name));
                }
            }
        }
        for entry in &self.0 {
            let Entry { file, function, .. } = entry;
            let matching = |file: &File| {
                let of = file
                    .functions()
                    .filter(|(f, _)| entry.is_for(&file.name, f));
                of.map(|(_, is_reached)| is_reached).collect::<Vec<_>>()
            };
            let matches: Vec<bool> = files.iter().flat_map(matching).collect();
            if matches.is_empty() {
                problems.push(format!("there is no `{file}` `{function}`"));
            } else if let Some(code) = &entry.code {
                let of = |file: &File| file.code_of(|function| entry.is_for(&file.name, function));
                if !files.iter().map(of).any(|text| text.contains(code)) {
                    problems.push(format!("`{function}` in `{file}` has no `{code}`"));
                }
            } else if entry.is_exact()
                && !entry.is_rare
                && matches.iter().all(|is_reached| *is_reached)
            {
                problems.push(format!("`{file}` `{function}` is reached now"));
            }
        }
        problems
    }
}

/// Whether a text is as a pattern says, in which `*` is any text.
fn fits(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else {
        return false;
    };
    let Some(last) = parts.next_back() else {
        return rest.is_empty();
    };
    for part in parts {
        let Some(at) = rest.find(part) else {
            return false;
        };
        rest = &rest[at + part.len()..];
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::super::reached::file;
    use super::*;

    /// `one` is reached but for a branch, `two` is not.
    fn files() -> Vec<File> {
        let text = "fn one() {\n    if x { a() }\n}\nfn two() {}\n";
        let regions = [
            ((1, 1), (2, 9), true),
            ((2, 10), (2, 15), false),
            ((4, 1), (4, 12), false),
        ];
        vec![file("core/queue/line.rs", text, &regions)]
    }

    fn compare(list: &str) -> Vec<String> {
        List::parse(list).unwrap().compare(&files())
    }

    #[test]
    fn a_function_that_nothing_reaches_has_to_be_listed() {
        assert_eq!(compare("").len(), 1);
        assert!(compare("")[0].contains("`two`"));
        assert!(compare("- `core/queue/line.rs` `two`: why").is_empty());
        assert!(compare("- `core/*` `t*`: why").is_empty());
    }

    #[test]
    fn an_entry_that_is_reached_or_gone_is_told() {
        let two = "- `core/*` `two`: why\n";
        let told = |more: &str| compare(&format!("{two}{more}"));
        assert!(told("- `core/queue/line.rs` `one`: why")[0].contains("reached now"));
        assert!(told("- `core/queue/line.rs` `one`: rarely: why").is_empty());
        assert!(told("- `core/queue/line.rs` `three`: why")[0].contains("there is no"));
        assert!(told("- `core/queue/line.rs` `one` `if y`: why")[0].contains("has no"));
        assert!(told("- `core/queue/line.rs` `one` `if x`: why").is_empty());
        assert!(told("- `core/queue/line.rs` `o*` `if x`: why").is_empty());
    }

    #[test]
    fn a_star_is_any_text() {
        assert!(fits("shell/io/*", "shell/io/pool.rs"));
        assert!(fits("*::fmt", "Line::fmt") && fits("a*c*e", "abcde") && fits("a", "a"));
        assert!(!fits("a", "ab") && !fits("*b", "a") && !fits("a*c*e", "abde"));
    }

    #[test]
    fn a_line_that_looks_like_an_entry_must_be_one() {
        assert!(List::parse("- `core/a.rs`: why").is_err());
    }
}
