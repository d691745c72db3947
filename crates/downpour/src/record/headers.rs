//! A record's headers, and what may be given as their values.
//!
//! On the wire they are `downpour-wire`'s.

use std::borrow::Cow;
use std::fmt;
use std::iter::FusedIterator;
use std::slice;
use std::sync::Arc;

use downpour_wire::record::Header;

use crate::record::part::Part;

/// The headers of a record: pairs of a name and a value, in order. A name may come more than
/// once, and a value may be Kafka's null.
///
/// ```
/// use downpour::Record;
///
/// let mut record = Record::to("events").header("trace", "a1").header("tag", ["x", "y"]);
/// record.headers_mut().set("trace", "b2");
/// let tags: Vec<_> = record.get_headers().get_all("tag").collect();
/// assert_eq!(tags, [Some(&b"x"[..]), Some(&b"y"[..])]);
/// for (name, value) in record.get_headers() {
///     println!("{name}: {value:?}");
/// }
/// ```
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Headers<'a>(Vec<Header<'a>>);

impl<'a> Headers<'a> {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Names and values in order; a value that is null is `None`.
    pub fn iter(&self) -> HeadersIter<'_> {
        HeadersIter(self.0.iter())
    }

    /// The last value of this name. `None` if the name is not there, or the value null.
    pub fn last(&self, name: &str) -> Option<&[u8]> {
        self.get_all(name).last()?
    }

    /// All values of this name in order.
    pub fn get_all(&self, name: &str) -> impl Iterator<Item = Option<&[u8]>> {
        self.iter()
            .filter(move |&(known, _)| known == name)
            .map(|(_, value)| value)
    }

    /// Adds a header behind those that are there; several of that name if several values are
    /// given.
    pub fn add(&mut self, name: impl Into<Cow<'a, str>>, values: impl Into<HeaderValues<'a>>) {
        let key = name.into();
        match values.into().0 {
            Values::One(value) => self.0.push(header(key, value)),
            Values::Many(values) => {
                let of_that_name = |value| header(key.clone(), value);
                self.0.extend(values.into_iter().map(of_that_name));
            }
        }
    }

    /// The same in the place of those that have this name already.
    pub fn set(&mut self, name: impl Into<Cow<'a, str>>, values: impl Into<HeaderValues<'a>>) {
        let name = name.into();
        self.remove(&name);
        self.add(name, values);
    }

    /// Removes all of this name, and says how many there were.
    pub fn remove(&mut self, name: &str) -> usize {
        let before = self.0.len();
        self.0.retain(|header| header.key != name);
        before - self.0.len()
    }

    /// Removes all.
    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// The same headers with every borrowed part copied, for keeping.
    pub fn into_owned(self) -> Headers<'static> {
        let owned = |header: Header<'a>| Header {
            key: Cow::Owned(header.key.into_owned()),
            value: header.value.map(|value| Cow::Owned(value.into_owned())),
        };
        Headers(self.0.into_iter().map(owned).collect())
    }

    #[inline(always)]
    pub(crate) fn as_slice(&self) -> &[Header<'a>] {
        &self.0
    }
}

fn header<'a>(key: Cow<'a, str>, value: Part<'a>) -> Header<'a> {
    Header {
        key,
        value: value.into_cow(),
    }
}

impl<'a, N, V> Extend<(N, V)> for Headers<'a>
where
    N: Into<Cow<'a, str>>,
    V: Into<HeaderValues<'a>>,
{
    fn extend<I: IntoIterator<Item = (N, V)>>(&mut self, pairs: I) {
        let pairs = pairs.into_iter();
        self.0.reserve(pairs.size_hint().0);
        for (name, values) in pairs {
            self.add(name, values);
        }
    }
}

impl<'a, N, V> FromIterator<(N, V)> for Headers<'a>
where
    N: Into<Cow<'a, str>>,
    V: Into<HeaderValues<'a>>,
{
    fn from_iter<I: IntoIterator<Item = (N, V)>>(pairs: I) -> Self {
        let mut headers = Self::default();
        headers.extend(pairs);
        headers
    }
}

impl<'s> IntoIterator for &'s Headers<'_> {
    type Item = (&'s str, Option<&'s [u8]>);
    type IntoIter = HeadersIter<'s>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl fmt::Debug for Headers<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = self.iter().map(|(name, value)| (name, Part::from(value)));
        f.debug_map().entries(shown).finish()
    }
}

/// Names and values of headers, from [`Headers::iter`].
#[derive(Debug, Clone)]
pub struct HeadersIter<'s>(slice::Iter<'s, Header<'s>>);

impl<'s> Iterator for HeadersIter<'s> {
    type Item = (&'s str, Option<&'s [u8]>);

    fn next(&mut self) -> Option<Self::Item> {
        let header = self.0.next()?;
        Some((&header.key, header.value.as_deref()))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.0.size_hint()
    }
}

impl ExactSizeIterator for HeadersIter<'_> {}
impl FusedIterator for HeadersIter<'_> {}

/// What may be given as a header's value: a [`Part`], or several, each of which becomes a header
/// of the same name.
///
/// Made by `into()` from whatever a [`Part`] is made from, and from arrays, vectors and slices of
/// that. Bytes that are shared are copied.
#[derive(Debug, Clone)]
pub struct HeaderValues<'a>(Values<'a>);

#[derive(Debug, Clone)]
enum Values<'a> {
    One(Part<'a>),
    Many(Vec<Part<'a>>),
}

impl<'a> HeaderValues<'a> {
    fn many(values: impl IntoIterator<Item = impl Into<Part<'a>>>) -> Self {
        Self(Values::Many(values.into_iter().map(Into::into).collect()))
    }
}

/// A type whose values may be given once or repeated. Not one rule for all that make a [`Part`]:
/// an array of bytes is one value.
macro_rules! values {
    ($($of:ty;)*) => {
        $(
            impl<'a> From<$of> for HeaderValues<'a> {
                fn from(value: $of) -> Self {
                    Self(Values::One(value.into()))
                }
            }

            impl<'a, const N: usize> From<[$of; N]> for HeaderValues<'a> {
                fn from(values: [$of; N]) -> Self {
                    Self::many(values)
                }
            }

            impl<'a> From<Vec<$of>> for HeaderValues<'a> {
                fn from(values: Vec<$of>) -> Self {
                    Self::many(values)
                }
            }

            impl<'a> From<&[$of]> for HeaderValues<'a> {
                fn from(values: &[$of]) -> Self {
                    Self::many(values.iter().cloned())
                }
            }
        )*
    };
}

values! {
    &'a [u8];
    &'a str;
    &'a String;
    &'a Vec<u8>;
    Vec<u8>;
    String;
    Box<[u8]>;
    Box<str>;
    Arc<[u8]>;
    Arc<str>;
    Cow<'a, [u8]>;
    Cow<'a, str>;
    Part<'a>;
}

#[cfg(feature = "bytes")]
values! {
    bytes::Bytes;
    &'a bytes::Bytes;
}

impl<const N: usize> From<[u8; N]> for HeaderValues<'_> {
    fn from(value: [u8; N]) -> Self {
        Self(Values::One(value.into()))
    }
}

impl<'a, const N: usize> From<&'a [u8; N]> for HeaderValues<'a> {
    fn from(value: &'a [u8; N]) -> Self {
        Self(Values::One(value.into()))
    }
}

impl<'a, T: Into<Part<'a>>> From<Option<T>> for HeaderValues<'a> {
    fn from(value: Option<T>) -> Self {
        Self(Values::One(value.into()))
    }
}

impl<'a, T: Into<Part<'a>>, const N: usize> From<[Option<T>; N]> for HeaderValues<'a> {
    fn from(values: [Option<T>; N]) -> Self {
        Self::many(values)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    fn shown(headers: &Headers<'_>) -> String {
        format!("{headers:?}")
    }

    #[test]
    fn values_may_be_repeated_or_null_and_an_array_of_bytes_is_one() {
        let mut headers = Headers::default();
        headers.add("one", [b'a', b'b']);
        headers.add("two", ["a", "b"]);
        headers.add("null", None::<&str>);
        headers.add("some", [Some("a"), None]);
        headers.add("none", Vec::<String>::new());
        let expected =
            r#"{"one": "ab", "two": "a", "two": "b", "null": null, "some": "a", "some": null}"#;
        assert_eq!(shown(&headers), expected);
        assert_eq!(headers.last("two"), Some(&b"b"[..]));
        assert_eq!((headers.last("some"), headers.last("gone")), (None, None));
    }

    #[test]
    fn a_name_that_is_set_has_the_new_values_alone() {
        let mut headers: Headers<'_> = [("a", "1"), ("b", "2"), ("a", "3")].into_iter().collect();
        headers.set("a", ["4", "5"]);
        assert_eq!(shown(&headers), r#"{"b": "2", "a": "4", "a": "5"}"#);
        assert_eq!((headers.remove("a"), headers.remove("a")), (2, 0));
        headers.clear();
        assert!(headers.is_empty());
    }

    #[test]
    fn a_map_and_other_headers_are_pairs() {
        let map = BTreeMap::from([("a".to_owned(), "1".to_owned())]);
        let mut headers: Headers<'_> = map.iter().collect();
        let others = headers.clone().into_owned();
        headers.extend(&others);
        assert_eq!(shown(&headers), r#"{"a": "1", "a": "1"}"#);
        assert_eq!(headers.iter().len(), 2);
    }
}
