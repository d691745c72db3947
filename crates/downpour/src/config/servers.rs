//! The brokers to begin at, as callers name them. What each address means is read by `addresses`.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

/// Where a producer begins: addresses as `host:port`, in one text separated by commas or each for
/// itself in an array, a slice or a vector.
///
/// ```
/// use downpour::Producer;
///
/// let one_text = Producer::builder("a:9092,b:9092");
/// let array = Producer::builder(["a:9092", "b:9092"]);
/// let vector = Producer::builder(vec![String::from("a:9092")]);
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct BootstrapServers(String);

impl BootstrapServers {
    fn joined<S: AsRef<str>>(addresses: impl IntoIterator<Item = S>) -> Self {
        let mut text = String::new();
        for address in addresses {
            if !text.is_empty() {
                text.push(',');
            }
            text.push_str(address.as_ref());
        }
        Self(text)
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

/// What may be shown of addresses: whatever stands before an `@` may be a name and a password, and a
/// password may have commas, colons and further `@`s.
pub(crate) fn shown(text: &str) -> Cow<'_, str> {
    match text.rsplit_once('@') {
        Some((_, rest)) => Cow::Owned(format!("***@{rest}")),
        None => Cow::Borrowed(text),
    }
}

/// Without what may be a password.
impl fmt::Debug for BootstrapServers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&shown(&self.0), f)
    }
}

impl From<&str> for BootstrapServers {
    fn from(addresses: &str) -> Self {
        Self(addresses.to_owned())
    }
}

impl From<String> for BootstrapServers {
    fn from(addresses: String) -> Self {
        Self(addresses)
    }
}

impl From<&String> for BootstrapServers {
    fn from(addresses: &String) -> Self {
        Self(addresses.clone())
    }
}

impl From<Cow<'_, str>> for BootstrapServers {
    fn from(addresses: Cow<'_, str>) -> Self {
        Self(addresses.into_owned())
    }
}

impl From<Box<str>> for BootstrapServers {
    fn from(addresses: Box<str>) -> Self {
        Self(addresses.into())
    }
}

impl From<Arc<str>> for BootstrapServers {
    fn from(addresses: Arc<str>) -> Self {
        Self(addresses.as_ref().to_owned())
    }
}

impl<S: AsRef<str>, const N: usize> From<[S; N]> for BootstrapServers {
    fn from(addresses: [S; N]) -> Self {
        Self::joined(addresses)
    }
}

impl<S: AsRef<str>, const N: usize> From<&[S; N]> for BootstrapServers {
    fn from(addresses: &[S; N]) -> Self {
        Self::joined(addresses)
    }
}

impl<S: AsRef<str>> From<&[S]> for BootstrapServers {
    fn from(addresses: &[S]) -> Self {
        Self::joined(addresses)
    }
}

impl<S: AsRef<str>> From<Vec<S>> for BootstrapServers {
    fn from(addresses: Vec<S>) -> Self {
        Self::joined(addresses)
    }
}

impl<S: AsRef<str>> From<&Vec<S>> for BootstrapServers {
    fn from(addresses: &Vec<S>) -> Self {
        Self::joined(addresses)
    }
}

impl<S: AsRef<str>> FromIterator<S> for BootstrapServers {
    fn from_iter<I: IntoIterator<Item = S>>(addresses: I) -> Self {
        Self::joined(addresses)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_taken_as_people_have_them() {
        let owned = [String::from("a:1"), String::from("b:2")];
        let vector = owned.to_vec();
        let all: [BootstrapServers; 11] = [
            "a:1,b:2".into(),
            String::from("a:1,b:2").into(),
            (&String::from("a:1,b:2")).into(),
            Cow::from("a:1,b:2").into(),
            Box::<str>::from("a:1,b:2").into(),
            Arc::<str>::from("a:1,b:2").into(),
            ["a:1", "b:2"].into(),
            (&owned).into(),
            owned[..].into(),
            (&vector).into(),
            vector.clone().into(),
        ];
        for servers in all {
            assert_eq!(servers.as_str(), "a:1,b:2");
        }
        let collected: BootstrapServers = vector.iter().collect();
        assert_eq!(collected.as_str(), "a:1,b:2");
    }

    #[test]
    fn what_stands_before_the_last_at_is_never_shown() {
        for text in [
            "me:pw@h:1",
            "a:1,me:p,w@h:1",
            "me:p@w@h:1",
            "SSL://me:pw@h:1",
        ] {
            let servers = BootstrapServers::from(text);
            assert_eq!(format!("{servers:?}"), "\"***@h:1\"");
        }
    }
}
