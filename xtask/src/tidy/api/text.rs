//! How a piece of source is written in a listing: on one line, with the spaces that people write.

use quote::ToTokens;

/// The tokens on one line.
pub(super) fn text(of: impl ToTokens) -> String {
    let spaced = of.to_token_stream().to_string();
    let spaced = spaced.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut out = String::with_capacity(spaced.len());
    let mut chars = spaced.chars().peekable();
    while let Some(char) = chars.next() {
        if char != ' ' || is_wanted(&out, &chars.clone().take(3).collect::<String>()) {
            out.push(char);
        }
    }
    // rustfmt ends what has several lines with a comma.
    out.replace("; }", " }")
        .replace(",)", ")")
        .replace(", }", " }")
}

/// Whether a space stands between what was written and what comes.
fn is_wanted(written: &str, next: &str) -> bool {
    let mut last = written.chars().rev();
    let (last, before) = (last.next().unwrap_or(' '), last.next().unwrap_or(' '));
    let first = next.chars().next().unwrap_or(' ');
    if next.starts_with("::") {
        return last == ',' || last == '>' && before == '-';
    }
    if next.starts_with("->") || next.starts_with("=>") {
        return true;
    }
    match first {
        ',' | ';' | ':' | ')' | ']' | '>' | '!' => false,
        '<' => match last {
            ':' => before != ':',
            _ => matches!(last, ',' | '+' | '='),
        },
        '(' | '[' => match last {
            '>' => before == '-',
            ',' | '=' | '+' | ':' => before != ':',
            // No index in a signature: what comes is a slice behind a lifetime or a word.
            _ => first == '[' && last.is_alphanumeric(),
        },
        _ => match last {
            '(' | '[' | '<' | '&' | '#' | '?' | '!' => false,
            ':' => before != ':',
            _ => true,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(written: &str) {
        let tokens: proc_macro2::TokenStream = written.parse().unwrap();
        assert_eq!(text(tokens), written);
    }

    #[test]
    fn source_is_written_as_people_write_it() {
        check("pub fn send<'a>(&'a self, record: Record<'a>) -> future::Send<'a>");
        check("impl<F> Chooses for F where F: Fn(&Context<'_>) -> Choice + Send");
        check("fn pairs<N, V>(pairs: impl IntoIterator<Item = (N, V)>) -> &mut [(N, V)]");
        check("type Item = (&'s str, Option<&'s [u8]>)");
        check("fn any<T: ?Sized>(of: <T as Trait>::Out, by: [u8; 3]) -> (A, B)");
        check("impl<'a, T: Into<Part<'a>>> From<Option<T>> for Part<'a>");
    }
}
