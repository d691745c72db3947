//! Files of properties as Java reads them, and with it every tool of Kafka's: remarks, lines that go
//! on, escapes. What the names mean is the library's.

use std::path::Path;

/// One setting of a file.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Property {
    pub(super) name: String,
    pub(super) value: String,
    /// Where it begins; the first line is 1.
    pub(super) line: usize,
}

/// Reads a file, or says what is wrong with it, and where.
pub(super) fn read(path: &Path) -> Result<Vec<Property>, String> {
    let bytes = std::fs::read(path)
        .map_err(|error| format!("{}: cannot be read: {error}", path.display()))?;
    parse(&text(&bytes)).map_err(|(line, what)| format!("{}:{line}: {what}", path.display()))
}

/// UTF-8 if it is that, and what Java takes it for otherwise.
pub(super) fn text(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.strip_prefix('\u{feff}').unwrap_or(text).to_owned(),
        Err(_) => bytes.iter().copied().map(char::from).collect(),
    }
}

pub(super) fn parse(text: &str) -> Result<Vec<Property>, (usize, String)> {
    let mut properties = Vec::new();
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let mut lines = (1..).zip(text.split('\n'));
    while let Some((line, first)) = lines.next() {
        let mut whole = first.trim_start_matches(is_blank).to_owned();
        if whole.is_empty() || whole.starts_with(['#', '!']) {
            continue;
        }
        while goes_on(&whole) {
            whole.pop();
            match lines.next() {
                Some((_, next)) => whole.push_str(next.trim_start_matches(is_blank)),
                None => break,
            }
        }
        let (name, value) = cut(&whole);
        let read = |part: &str| unescaped(part).map_err(|what| (line, what));
        properties.push(Property {
            name: read(name)?,
            value: read(value)?,
            line,
        });
    }
    Ok(properties)
}

fn is_blank(letter: char) -> bool {
    matches!(letter, ' ' | '\t' | '\u{c}')
}

/// Whether the backslash at the end is not itself escaped.
fn goes_on(line: &str) -> bool {
    let backslashes = line.chars().rev().take_while(|letter| *letter == '\\');
    backslashes.count() % 2 == 1
}

/// Name and value, both still escaped: between them is '=', ':' or a blank, and blanks around it.
fn cut(line: &str) -> (&str, &str) {
    let mut escaped = false;
    let end = line.find(|letter: char| {
        let ends = !escaped && (matches!(letter, '=' | ':') || is_blank(letter));
        escaped = letter == '\\' && !escaped;
        ends
    });
    let (name, rest) = line.split_at(end.unwrap_or(line.len()));
    let rest = rest.trim_start_matches(is_blank);
    let value = rest.strip_prefix(['=', ':']).unwrap_or(rest);
    (name, value.trim_start_matches(is_blank))
}

fn unescaped(text: &str) -> Result<String, String> {
    // Java's letters have 16 bits, and two escapes may make one character.
    let mut units = Vec::new();
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        let plain = match letter {
            '\\' => match letters.next() {
                Some('t') => '\t',
                Some('n') => '\n',
                Some('r') => '\r',
                Some('f') => '\u{c}',
                Some('u') => {
                    let digits: String = letters.by_ref().take(4).collect();
                    let is_hex = digits.chars().all(|digit| digit.is_ascii_hexdigit());
                    let unit = u16::from_str_radix(&digits, 16);
                    match unit {
                        Ok(unit) if is_hex && digits.len() == 4 => units.push(unit),
                        _ => return Err("\\u wants four hexadecimal digits, as in \\u00e9".into()),
                    }
                    continue;
                }
                Some(other) => other,
                None => continue,
            },
            other => other,
        };
        units.extend_from_slice(plain.encode_utf16(&mut [0; 2]));
    }
    String::from_utf16(&units).map_err(|_| "its \\u escapes are no text".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(text: &str) -> Vec<(String, String)> {
        let read = parse(text).unwrap();
        read.into_iter().map(|p| (p.name, p.value)).collect()
    }

    #[track_caller]
    fn one(text: &str, name: &str, value: &str) {
        assert_eq!(pairs(text), [(name.to_owned(), value.to_owned())]);
    }

    #[test]
    fn names_end_where_java_ends_them() {
        for text in [
            "a=b",
            "a = b",
            "a:b",
            "a : b",
            "a b",
            "\ta\t \t=\tb",
            "a\u{c}b",
        ] {
            one(text, "a", "b");
        }
        one("a", "a", "");
        one("a==b", "a", "=b");
        one("a\\=b\\:c=d:e=f", "a=b:c", "d:e=f");
        one("a\\ b=c ", "a b", "c ");
        one("=b", "", "b");
    }

    #[test]
    fn remarks_and_empty_lines_say_nothing() {
        one("# x=y\n\n  ! x=y\r\n \t\ra=b#c\n", "a", "b#c");
        assert_eq!(pairs("# goes on \\\na=b").len(), 1);
    }

    #[test]
    fn a_backslash_at_the_end_goes_on_in_the_next_line() {
        one("a=b,\\\n   c,\\\r\n\t#d", "a", "b,c,#d");
        one("a=b\\\\\n", "a", "b\\");
        one("a\\\nb=c", "ab", "c");
        one("a=b\\", "a", "b");
        assert_eq!(parse("a=1\\\n2\n\nb=3").unwrap()[1].line, 4);
    }

    #[test]
    fn escapes_are_javas() {
        one("a=\\t\\n\\r\\f\\\\\\q\\\"", "a", "\t\n\r\u{c}\\q\"");
        one("a=\\u00e9\\ud83d\\ude00", "a", "é😀");
        for bad in ["a=\\u00g1", "a=\\u12", "a=\\u+123", "a=\\ud83d"] {
            assert_eq!(parse(&format!("\n{bad}")).unwrap_err().0, 2, "{bad}");
        }
    }

    #[test]
    fn bytes_that_are_no_utf_8_are_latin_1() {
        assert_eq!(text(b"a=caf\xe9"), "a=café");
        assert_eq!(text("\u{feff}a=café".as_bytes()), "a=café");
    }
}
