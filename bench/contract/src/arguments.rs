//! `--name value` pairs, and nothing more. Which names there are, `run` and the broker say.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

/// What is wrong with the command line.
#[derive(Debug)]
pub struct Unreadable(String);

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Unreadable {}

/// The pairs that nobody has taken yet.
#[derive(Debug)]
pub struct Arguments(BTreeMap<String, String>);

impl Arguments {
    /// Those of this process.
    ///
    /// # Errors
    /// If they are not pairs, or a name comes twice.
    pub fn of_process() -> Result<Self, Unreadable> {
        Self::parse(std::env::args().skip(1))
    }

    pub(crate) fn parse(mut words: impl Iterator<Item = String>) -> Result<Self, Unreadable> {
        let mut pairs = BTreeMap::new();
        while let Some(word) = words.next() {
            let name = word
                .strip_prefix("--")
                .ok_or_else(|| Unreadable(format!("`{word}` does not begin with --")))?;
            let value = words
                .next()
                .ok_or_else(|| Unreadable(format!("--{name} has no value")))?;
            if pairs.insert(name.to_owned(), value).is_some() {
                return Err(Unreadable(format!("--{name} comes twice")));
            }
        }
        Ok(Self(pairs))
    }

    /// Takes a value, if it was given.
    ///
    /// # Errors
    /// If it does not parse.
    pub fn optional<T: FromStr>(&mut self, name: &str) -> Result<Option<T>, Unreadable> {
        let Some(text) = self.0.remove(name) else {
            return Ok(None);
        };
        text.parse()
            .map(Some)
            .map_err(|_| Unreadable(format!("--{name} cannot be `{text}`")))
    }

    /// Takes a value, or the default.
    ///
    /// # Errors
    /// If it does not parse.
    pub fn or<T: FromStr>(&mut self, name: &str, default: T) -> Result<T, Unreadable> {
        Ok(self.optional(name)?.unwrap_or(default))
    }

    /// Takes a value that must be there.
    ///
    /// # Errors
    /// If it is not, or does not parse.
    pub fn required<T: FromStr>(&mut self, name: &str) -> Result<T, Unreadable> {
        self.optional(name)?
            .ok_or_else(|| Unreadable(format!("--{name} is missing")))
    }

    /// Refuses what nobody took.
    ///
    /// # Errors
    /// If anything is left.
    pub fn finish(self) -> Result<(), Unreadable> {
        match self.0.keys().next() {
            Some(name) => Err(Unreadable(format!("--{name} is unknown"))),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arguments(line: &str) -> Result<Arguments, Unreadable> {
        Arguments::parse(line.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn pairs_are_taken_once_and_the_rest_is_refused() {
        let mut given = arguments("--a 1 --b x").unwrap();
        assert_eq!(given.required::<u32>("a").unwrap(), 1);
        assert_eq!(given.or("c", 7).unwrap(), 7);
        assert_eq!(given.finish().unwrap_err().to_string(), "--b is unknown");
    }

    #[test]
    fn what_is_no_pair_is_refused() {
        assert!(arguments("a 1").is_err());
        assert!(arguments("--a").is_err());
        assert!(arguments("--a 1 --a 2").is_err());
        assert!(arguments("--a x").unwrap().required::<u32>("a").is_err());
    }
}
