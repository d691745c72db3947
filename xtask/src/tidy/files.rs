//! Checks that look at one file's text: its length, its first line, and paths of a machine in it.
//! How modules use each other is not judged here.

use super::problem::Problem;

/// More code than this in one file is a hall, not a room.
pub const CODE_LINES_MAX: usize = 600;

/// Directories that exist on the machine of whoever wrote the line, and on no other.
const MACHINE_ROOTS: [&str; 5] = ["home", "root", "work", "tmp", "Users"];

/// Checks one Rust file: its length and its first line.
pub(super) fn check_rust(place: &str, text: &str) -> Vec<Problem> {
    let mut problems = Vec::new();
    let lines = code_lines(text);
    if lines > CODE_LINES_MAX {
        problems.push(Problem::new(
            place,
            format!("{lines} code lines, {CODE_LINES_MAX} allowed: split it"),
        ));
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
pub fn code_lines(text: &str) -> usize {
    let bytes = text.as_bytes();
    let mut count = 0;
    let mut line_has_code = false;
    let mut at = 0;
    while at < bytes.len() {
        let rest = &bytes[at..];
        if bytes[at] == b'\n' {
            count += usize::from(line_has_code);
            line_has_code = false;
            at += 1;
        } else if rest.starts_with(b"//") {
            at += rest
                .iter()
                .position(|byte| *byte == b'\n')
                .unwrap_or(rest.len());
        } else if rest.starts_with(b"/*") {
            let len = block_comment_len(rest);
            if rest[..len].contains(&b'\n') {
                count += usize::from(line_has_code);
                line_has_code = false;
            }
            at += len;
        } else if let Some(len) = literal_len(rest, at.checked_sub(1).map(|before| bytes[before])) {
            // A literal over several lines makes each of them a line of code.
            count += rest[..len].iter().filter(|byte| **byte == b'\n').count();
            line_has_code = true;
            at += len;
        } else {
            line_has_code |= !bytes[at].is_ascii_whitespace();
            at += 1;
        }
    }
    count + usize::from(line_has_code)
}

/// The length of the block comment that `rest` starts with; they nest.
fn block_comment_len(rest: &[u8]) -> usize {
    let mut depth = 0;
    let mut at = 0;
    while at < rest.len() {
        if rest[at..].starts_with(b"/*") {
            depth += 1;
            at += 2;
        } else if rest[at..].starts_with(b"*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += 1;
        }
    }
    rest.len()
}

/// The length of the string or character literal that `rest` starts with, if it starts with one.
fn literal_len(rest: &[u8], before: Option<u8>) -> Option<usize> {
    let in_word = before.is_some_and(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    if !in_word && (rest[0] == b'r' || rest.starts_with(b"br")) {
        let start = if rest[0] == b'r' { 1 } else { 2 };
        let hashes = rest[start..]
            .iter()
            .take_while(|byte| **byte == b'#')
            .count();
        if rest.get(start + hashes) == Some(&b'"') {
            let mut end = vec![b'"'];
            end.resize(hashes + 1, b'#');
            let body = start + hashes + 1;
            let found = rest[body..]
                .windows(end.len())
                .position(|window| window == end);
            return Some(found.map_or(rest.len(), |found| body + found + end.len()));
        }
    }
    match rest[0] {
        b'"' => {
            let mut at = 1;
            while at < rest.len() && rest[at] != b'"' {
                at += if rest[at] == b'\\' { 2 } else { 1 };
            }
            Some((at + 1).min(rest.len()))
        }
        // `'"'` and `'\''` would confuse the string above; a lifetime has no closing quote.
        b'\'' if rest.get(1) == Some(&b'\\') => {
            let close = rest
                .get(3..)?
                .iter()
                .take(12)
                .position(|byte| *byte == b'\'')?;
            Some(3 + close + 1)
        }
        b'\'' if rest.get(2) == Some(&b'\'') => Some(3),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blank_lines_and_comments_are_not_code() {
        let text =
            "//! doc\n\n/* a\n b */\nfn f() {} // why\n    /// doc\nlet a = 1; /* x\n y */\n";
        assert_eq!(code_lines(text), 2);
    }

    #[test]
    fn comment_signs_inside_literals_are_code() {
        let text = "let a = \"//\";\nlet b = r#\"/*\"\n\"#;\nlet c = '\"';\n// x\nlet d = '\\'';\nf(\"\\\"//\");";
        assert_eq!(code_lines(text), 6);
    }

    #[test]
    fn a_lifetime_does_not_open_a_literal() {
        assert_eq!(code_lines("fn f<'a>(x: &'a str) {}\n// c\nfn g() {}\n"), 2);
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
