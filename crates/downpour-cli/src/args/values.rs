//! Readers of single values of the command line, each with an error that names the remedy.

/// `NAME=VALUE`; both as they are.
pub(super) fn pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, _)) if name.trim().is_empty() => {
            Err("the name before '=' is empty; write NAME=VALUE".into())
        }
        Some((name, value)) => Ok((name.into(), value.into())),
        None => Err("there is no '='; write NAME=VALUE".into()),
    }
}

/// A whole number with an optional k, M or G (thousands), such as `10k`.
pub(super) fn count(text: &str) -> Result<u64, String> {
    scaled(text, 1000)
}

/// Bytes with an optional k, M or G (of 1024), such as `64k`.
pub(super) fn bytes(text: &str) -> Result<usize, String> {
    usize::try_from(scaled(text, 1024)?).map_err(|_| "is more than this machine can have".into())
}

fn scaled(text: &str, step: u64) -> Result<u64, String> {
    let (digits, power) = match text.char_indices().last() {
        Some((at, 'k' | 'K')) => (&text[..at], 1),
        Some((at, 'm' | 'M')) => (&text[..at], 2),
        Some((at, 'g' | 'G')) => (&text[..at], 3),
        _ => (text, 0),
    };
    let number: u64 = digits
        .replace('_', "")
        .parse()
        .map_err(|_| "is not a whole number; write digits, and k, M or G for short")?;
    number
        .checked_mul(step.pow(power))
        .ok_or_else(|| "is too large".into())
}

/// A separator, in which `\t`, `\n`, `\0` and `\\` stand for what they do elsewhere.
pub(super) fn separator(text: &str) -> Result<String, String> {
    let mut read = String::new();
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        read.push(match letter {
            '\\' => match letters.next() {
                Some('t') => '\t',
                Some('n') => return Err("a line cannot contain '\\n'; use another one".into()),
                Some('0') => '\0',
                Some('\\') => '\\',
                _ => return Err("knows \\t, \\0 and \\\\ only; write \\\\ for a backslash".into()),
            },
            other => other,
        });
    }
    if read.is_empty() {
        return Err("is empty; give at least one character, such as '='".into());
    }
    Ok(read)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pair_is_cut_at_the_first_equals_sign() {
        assert_eq!(pair("a=b=c"), Ok(("a".into(), "b=c".into())));
        assert_eq!(pair("a="), Ok(("a".into(), String::new())));
        assert!(pair("a").is_err());
        assert!(pair("=b").is_err());
    }

    #[test]
    fn numbers_may_be_short() {
        assert_eq!(count("10k"), Ok(10_000));
        assert_eq!(count("1_000_000"), Ok(1_000_000));
        assert_eq!(bytes("64k"), Ok(65_536));
        assert!(count("ten").is_err());
        assert!(count("").is_err());
        assert!(count("99999999999G").is_err());
    }

    #[test]
    fn separators_may_be_escaped() {
        assert_eq!(separator("\\t"), Ok("\t".into()));
        assert_eq!(separator("::"), Ok("::".into()));
        assert!(separator("").is_err());
        assert!(separator("\\q").is_err());
    }
}
