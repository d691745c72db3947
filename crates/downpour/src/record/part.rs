//! One part of a record, a key or a value: bytes that are borrowed, owned or shared.
//!
//! The bytes are copied once, into the batch, when the record is accepted; until then the
//! caller chooses who keeps them.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

/// The bytes of a key or a value: borrowed, owned or shared.
///
/// Made by `into()` from slices, arrays, strings, vectors, `Cow`s and `Arc<[u8]>`s.
///
/// ```
/// use downpour::Part;
///
/// let borrowed = Part::from("text");
/// let owned = Part::from(vec![1, 2, 3]);
/// assert_eq!(borrowed.as_bytes(), b"text");
/// assert_eq!(owned.as_bytes(), [1, 2, 3]);
/// ```
#[derive(Clone)]
pub struct Part<'a>(Bytes<'a>);

#[derive(Clone)]
enum Bytes<'a> {
    Borrowed(&'a [u8]),
    Owned(Vec<u8>),
    Shared(Arc<[u8]>),
}

impl<'a> Part<'a> {
    /// The bytes.
    #[inline]
    pub fn as_bytes(&self) -> &[u8] {
        match &self.0 {
            Bytes::Borrowed(b) => b,
            Bytes::Owned(b) => b,
            Bytes::Shared(b) => b,
        }
    }

    /// The same bytes, copied if they were borrowed.
    pub fn into_owned(self) -> Part<'static> {
        Part(match self.0 {
            Bytes::Borrowed(b) => Bytes::Owned(b.to_vec()),
            Bytes::Owned(b) => Bytes::Owned(b),
            Bytes::Shared(b) => Bytes::Shared(b),
        })
    }
}

impl fmt::Debug for Part<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", String::from_utf8_lossy(self.as_bytes()))
    }
}

impl PartialEq for Part<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

impl Eq for Part<'_> {}

impl AsRef<[u8]> for Part<'_> {
    fn as_ref(&self) -> &[u8] {
        self.as_bytes()
    }
}

impl<'a> From<&'a [u8]> for Part<'a> {
    #[inline]
    fn from(bytes: &'a [u8]) -> Self {
        Self(Bytes::Borrowed(bytes))
    }
}

impl<'a, const N: usize> From<&'a [u8; N]> for Part<'a> {
    #[inline]
    fn from(bytes: &'a [u8; N]) -> Self {
        Self(Bytes::Borrowed(bytes))
    }
}

impl<'a> From<&'a str> for Part<'a> {
    #[inline]
    fn from(text: &'a str) -> Self {
        Self(Bytes::Borrowed(text.as_bytes()))
    }
}

impl<'a> From<&'a String> for Part<'a> {
    #[inline]
    fn from(text: &'a String) -> Self {
        Self(Bytes::Borrowed(text.as_bytes()))
    }
}

impl<'a> From<&'a Vec<u8>> for Part<'a> {
    #[inline]
    fn from(bytes: &'a Vec<u8>) -> Self {
        Self(Bytes::Borrowed(bytes))
    }
}

impl From<Vec<u8>> for Part<'_> {
    #[inline]
    fn from(bytes: Vec<u8>) -> Self {
        Self(Bytes::Owned(bytes))
    }
}

impl From<String> for Part<'_> {
    #[inline]
    fn from(text: String) -> Self {
        Self(Bytes::Owned(text.into_bytes()))
    }
}

impl From<Arc<[u8]>> for Part<'_> {
    #[inline]
    fn from(bytes: Arc<[u8]>) -> Self {
        Self(Bytes::Shared(bytes))
    }
}

impl<'a> From<Cow<'a, [u8]>> for Part<'a> {
    #[inline]
    fn from(bytes: Cow<'a, [u8]>) -> Self {
        Self(match bytes {
            Cow::Borrowed(b) => Bytes::Borrowed(b),
            Cow::Owned(b) => Bytes::Owned(b),
        })
    }
}

impl<'a> From<Cow<'a, str>> for Part<'a> {
    #[inline]
    fn from(text: Cow<'a, str>) -> Self {
        match text {
            Cow::Borrowed(t) => t.into(),
            Cow::Owned(t) => t.into(),
        }
    }
}
