//! What a piece of code is called, by looking at its text. It knows nothing of what was reached.

/// The words that may stand before `fn`.
const BEFORE_FN: [&str; 6] = ["pub", "const", "async", "unsafe", "extern", "\"C\""];

/// The text of a file.
#[derive(Debug)]
pub(super) struct Source(Vec<String>);

impl Source {
    pub(super) fn new(text: &str) -> Self {
        Self(text.lines().map(str::to_owned).collect())
    }

    /// The function that begins at this place, with its type before it, if one begins there and
    /// not a closure.
    pub(super) fn function_at(&self, line: usize, column: usize) -> Option<String> {
        let text = self.0.get(line - 1)?.get(column - 1..)?;
        let mut words = text.split_whitespace().skip_while(|word| {
            BEFORE_FN.contains(word) || (word.starts_with("pub(") && word.ends_with(')'))
        });
        if words.next() != Some("fn") {
            return None;
        }
        let name = identifier(words.next()?);
        Some(match self.owner_of(line) {
            Some(owner) => format!("{owner}::{name}"),
            None => name.to_owned(),
        })
    }

    /// The type or trait in whose block this line is.
    fn owner_of(&self, line: usize) -> Option<String> {
        let indent = |text: &str| text.len() - text.trim_start().len();
        let own = indent(self.0.get(line - 1)?);
        let above = self.0[..line - 1].iter().rev();
        let mut block = above.filter(|text| !text.trim().is_empty() && indent(text) < own);
        let head = block.find(|text| {
            let text = text.trim_start();
            ["impl", "trait ", "pub trait ", "pub(crate) trait "]
                .iter()
                .any(|start| text.starts_with(start))
        })?;
        let head = head.trim();
        if let Some((_, name)) = head.split_once("trait ") {
            return Some(identifier(name).to_owned());
        }
        let name = match head.split_once(" for ") {
            Some((_, name)) => name,
            None => without_generics(head.strip_prefix("impl")?),
        };
        let name = name.trim().trim_start_matches('&');
        let path = name.split(['<', ' ', '{']).next()?;
        Some(path.rsplit("::").next()?.to_owned())
    }

    /// What stands between two places of one line; `None` if they are on several.
    pub(super) fn text(&self, (line, from): (usize, usize), end: (usize, usize)) -> Option<&str> {
        let text = (line == end.0).then(|| self.0.get(line - 1))??;
        text.get(from - 1..end.1 - 1)
    }

    /// The lines from one to another, without the space that all begin with.
    pub(super) fn lines(&self, first: usize, last: usize) -> String {
        let lines = &self.0[first - 1..last.min(self.0.len())];
        let full = lines.iter().filter(|line| !line.trim().is_empty());
        let indent = full.map(|line| line.len() - line.trim_start().len()).min();
        let cut = |line: &String| line.get(indent.unwrap_or(0)..).unwrap_or("").to_owned();
        lines.iter().map(cut).collect::<Vec<_>>().join("\n")
    }
}

fn identifier(text: &str) -> &str {
    let end = text.find(|c: char| !c.is_alphanumeric() && c != '_');
    &text[..end.unwrap_or(text.len())]
}

/// What stands behind the generics that a text begins with.
fn without_generics(text: &str) -> &str {
    let mut depth = 0;
    for (at, c) in text.char_indices() {
        match c {
            '<' => depth += 1,
            '>' if !text[..at].ends_with('-') => depth -= 1,
            _ if depth == 0 => return &text[at..],
            _ => {}
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "\
pub(crate) fn alone() {}

impl<T: Into<u8>> Line<T> {
    pub const fn first(&self) {
        let closure = |x| x;
    }
}

impl fmt::Display for error::Wrong<'_> {
    fn fmt(&self) {}
}
";

    #[test]
    fn a_function_is_called_by_its_type_and_name() {
        let source = Source::new(TEXT);
        let at = |line, column| source.function_at(line, column);
        assert_eq!(at(1, 1).as_deref(), Some("alone"));
        assert_eq!(at(4, 5).as_deref(), Some("Line::first"));
        assert_eq!(at(10, 5).as_deref(), Some("Wrong::fmt"));
    }

    #[test]
    fn a_closure_has_no_name() {
        assert_eq!(Source::new(TEXT).function_at(5, 23), None);
    }
}
