//! Checks that look at one file's text: its length, its first line, and paths of a machine in it.
//! How modules use each other is not judged here.

use std::collections::BTreeSet;

use proc_macro2::{Span, TokenStream, TokenTree};

use super::problem::Problem;
use super::tokens::attribute;

/// More code than this in one file is a hall, not a room.
const CODE_LINES_MAX: usize = 600;

/// Directories that exist on the machine of whoever wrote the line, and on no other.
const MACHINE_ROOTS: [&str; 5] = ["home", "root", "work", "tmp", "Users"];

/// Checks one Rust file: its length and its first line.
pub(super) fn check_rust(place: &str, text: &str) -> Vec<Problem> {
    let mut problems = Vec::new();
    match code_lines(text) {
        Ok(lines) if lines > CODE_LINES_MAX => problems.push(Problem::new(
            place,
            format!("{lines} code lines, {CODE_LINES_MAX} allowed: split it"),
        )),
        Ok(_) => {}
        Err(what) => problems.push(Problem::new(place, what)),
    }
    let first = text
        .lines()
        .find(|line| !line.trim().is_empty())
        .unwrap_or("");
    if first
        .strip_prefix("//!")
        .is_none_or(|words| words.trim().is_empty())
    {
        problems.push(Problem::new(
            place,
            "does not start with a `//!` line that says what lives here and what does not",
        ));
    }
    problems
}

/// Checks one text file of any kind for absolute paths of a machine.
pub(super) fn check_paths(place: &str, text: &str) -> Vec<Problem> {
    text.lines()
        .enumerate()
        .filter_map(|(index, line)| {
            let path = machine_path(line)?;
            let what = format!(
                "line {}: the path `{path}` exists on one machine only",
                index + 1
            );
            Some(Problem::new(place, what))
        })
        .collect()
}

/// The first absolute path of a machine in a line.
fn machine_path(line: &str) -> Option<&str> {
    for (at, _) in line.match_indices('/') {
        // Part of a longer path or of an address: `./work/x`, `host/home/x`, `{dir}/tmp/x`.
        let before = line[..at].chars().next_back();
        let is_inner = before
            .is_some_and(|c| c.is_alphanumeric() || matches!(c, '.' | '_' | '-' | '/' | '~'))
            || before.is_some_and(|c| matches!(c, '}' | ')' | '$' | '*'));
        if is_inner {
            continue;
        }
        let rest = &line[at + 1..];
        let is_machine = MACHINE_ROOTS.iter().any(|root| {
            rest.strip_prefix(root)
                .and_then(|rest| rest.strip_prefix('/'))
                .is_some_and(|rest| {
                    rest.starts_with(|c: char| c.is_alphanumeric() || matches!(c, '.' | '_'))
                })
        });
        if is_machine {
            let len = rest
                .find(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '`' | ')' | ','))
                .unwrap_or(rest.len());
            return Some(&line[at..at + 1 + len]);
        }
    }
    None
}

/// How many lines hold code: neither blank nor nothing but comment.
fn code_lines(text: &str) -> Result<usize, String> {
    let tokens: TokenStream = text.parse().map_err(|error| format!("not Rust: {error}"))?;
    let mut lines = BTreeSet::new();
    mark(tokens, &mut lines);
    Ok(lines.len())
}

/// Adds the lines that the tokens stand on. A literal over several lines stands on each.
fn mark(tokens: TokenStream, lines: &mut BTreeSet<usize>) {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    let mut rest = tokens.as_slice();
    while let Some(token) = rest.first() {
        let mut len = 1;
        let mut add = |span: Span| lines.extend(span.start().line..=span.end().line);
        match (attribute(rest), token) {
            // A comment for the documentation arrives as an attribute.
            (Some((doc, _, doc_len)), _) if doc.stream().to_string().starts_with("doc =") => {
                len = doc_len;
            }
            (_, TokenTree::Group(group)) => {
                add(group.span_open());
                add(group.span_close());
                mark(group.stream(), lines);
            }
            (_, token) => add(token.span()),
        }
        rest = &rest[len..];
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blank_lines_and_comments_are_not_code() {
        let text =
            "//! doc\n\n/* a\n b */\nfn f() {} // why\n    /// doc\nlet a = 1; /* x\n y */\n";
        assert_eq!(code_lines(text), Ok(2));
    }

    #[test]
    fn comment_signs_inside_literals_are_code() {
        let text = "let a = \"//\";\nlet b = r#\"/*\"\n\"#;\nlet c = '\"';\n// x\nlet d = '\\'';\nf(\"\\\"//\");";
        assert_eq!(code_lines(text), Ok(6));
    }

    #[test]
    fn each_line_of_a_literal_and_of_what_brackets_hold_is_code() {
        assert_eq!(code_lines("\"a\n\nb\""), Ok(3));
        assert_eq!(code_lines("f(\n    a,\n    // b\n)"), Ok(3));
    }

    #[test]
    fn a_lifetime_does_not_open_a_literal() {
        assert_eq!(
            code_lines("fn f<'a>(x: &'a str) {}\n// c\nfn g() {}\n"),
            Ok(2)
        );
    }

    #[test]
    fn a_file_over_the_limit_is_a_problem() {
        let fits = format!("//! a\n{}", "fn f() {}\n".repeat(CODE_LINES_MAX));
        assert_eq!(check_rust("a.rs", &fits), []);
        let over = format!("{fits}fn g() {{}}\n");
        assert_eq!(check_rust("a.rs", &over).len(), 1);
    }

    #[test]
    fn a_file_without_words_at_its_top_is_a_problem() {
        assert_eq!(check_rust("a.rs", "fn f() {}\n").len(), 1);
        assert_eq!(check_rust("a.rs", "//!\nfn f() {}\n").len(), 1);
        assert_eq!(check_rust("a.rs", "").len(), 1);
        assert_eq!(check_rust("a.rs", "//! What lives here.\n"), []);
    }

    #[test]
    fn a_path_of_a_machine_is_a_problem() {
        for root in MACHINE_ROOTS {
            let line = format!("see \"/{root}/someone/x.log\" there");
            let found = check_paths("a.md", &line);
            assert_eq!(found.len(), 1, "{line}");
            assert!(
                found[0].what.contains(&format!("/{root}/someone/x.log`")),
                "{}",
                found[0]
            );
        }
    }

    #[test]
    fn a_relative_path_or_an_address_is_no_problem() {
        for line in [
            "./work/x",
            "https://host.example/home/x",
            "target/tmp/x",
            "a /work / b",
        ] {
            assert_eq!(check_paths("a.md", line), [], "{line}");
        }
    }
}
