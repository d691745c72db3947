//! Readers of single values of the command line, each with an error that names the remedy.

use std::time::Duration;

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

/// A header: `NAME=VALUE`, or a name alone, whose value is null.
pub(super) fn header(text: &str) -> Result<(String, Option<String>), String> {
    let (name, value) = match text.split_once('=') {
        Some((name, value)) => (name, Some(value.to_owned())),
        None => (text, None),
    };
    if name.trim().is_empty() {
        return Err("the name is empty; write NAME=VALUE, or NAME for a null value".into());
    }
    Ok((name.into(), value))
}

/// Seconds, also parts of one.
pub(super) fn seconds(text: &str) -> Result<Duration, String> {
    let seconds = text.parse().ok().filter(|seconds: &f64| *seconds > 0.0);
    let time = seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    time.filter(|time| !time.is_zero() && *time <= SECONDS_MAX)
        .ok_or_else(|| "is not a number of seconds; write one such as 10 or 0.5".into())
}

/// Milliseconds since 1970.
pub(super) fn timestamp(text: &str) -> Result<i64, String> {
    let number = text.parse().ok().filter(|number| *number >= 0);
    let number = number.ok_or("is not a whole number; give milliseconds since 1970")?;
    if number > TIMESTAMP_MAX {
        return Err(TIMESTAMP_REMEDY.into());
    }
    Ok(number)
}

/// The end of the year 9999 in milliseconds. What is later is in a smaller unit.
pub(crate) const TIMESTAMP_MAX: i64 = 253_402_300_799_999;
pub(crate) const TIMESTAMP_REMEDY: &str =
    "give milliseconds since 1970 (13 digits these days), not microseconds or nanoseconds";
/// A day.
const SECONDS_MAX: Duration = Duration::from_secs(86_400);

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
    fn seconds_may_have_parts_and_an_end() {
        assert_eq!(seconds("10"), Ok(Duration::from_secs(10)));
        assert_eq!(seconds("0.5"), Ok(Duration::from_millis(500)));
        for bad in ["0", "-1", "NaN", "inf", "1e30", "86401", "1e-30", "ten", ""] {
            assert!(seconds(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_name_alone_is_a_header_with_a_null_value() {
        assert_eq!(header("a"), Ok(("a".into(), None)));
        assert_eq!(header("a="), Ok(("a".into(), Some(String::new()))));
        assert!(header("=a").is_err());
        assert!(header("").is_err());
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
