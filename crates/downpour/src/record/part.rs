//! One part of a record, a key, a value or a header's value: bytes that are borrowed, owned or
//! shared, or none at all.
//!
//! The bytes are copied once, into the batch, when the record is accepted; until then the
//! caller chooses who keeps them.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

/// The bytes of a key, a value or a header's value: borrowed, owned or shared, or Kafka's null,
/// which is not the same as no bytes.
///
/// Made by `into()` from slices, arrays, strings, vectors, boxes, `Cow`s and `Arc`s, with the
/// feature `bytes` from [`bytes::Bytes`](https://docs.rs/bytes), and from an `Option` of any of
/// these, whose `None` is null. Nothing is copied, but for arrays that are not borrowed.
///
/// ```
/// use downpour::Part;
///
/// let borrowed = Part::from("text");
/// let owned = Part::from(vec![1, 2, 3]);
/// assert_eq!(borrowed.as_bytes(), Some(&b"text"[..]));
/// assert_eq!(owned.as_bytes(), Some(&[1, 2, 3][..]));
/// assert!(Part::from(None::<&str>).is_null());
/// ```
#[derive(Clone, Default)]
pub struct Part<'a>(pub(crate) Option<PartBytes<'a>>);

/// Bytes that are there.
#[derive(Clone)]
pub(crate) enum PartBytes<'a> {
    Borrowed(&'a [u8]),
    Owned(Vec<u8>),
    Shared(Arc<[u8]>),
    #[cfg(feature = "bytes")]
    Counted(bytes::Bytes),
}

impl<'a> Part<'a> {
    /// Kafka's null.
    pub const NULL: Self = Self(None);

    /// The bytes; `None` if it is null.
    #[inline]
    pub fn as_bytes(&self) -> Option<&[u8]> {
        self.0.as_ref().map(PartBytes::as_slice)
    }

    /// Whether it is Kafka's null.
    pub fn is_null(&self) -> bool {
        self.0.is_none()
    }

    /// The same bytes, copied if they were borrowed.
    pub fn into_owned(self) -> Part<'static> {
        Part(self.0.map(PartBytes::into_owned))
    }

    /// As the header's value that goes onto the wire.
    pub(super) fn into_cow(self) -> Option<Cow<'a, [u8]>> {
        Some(match self.0? {
            PartBytes::Borrowed(bytes) => Cow::Borrowed(bytes),
            PartBytes::Owned(bytes) => Cow::Owned(bytes),
            shared => Cow::Owned(shared.as_slice().to_vec()),
        })
    }
}

impl PartBytes<'_> {
    #[inline]
    pub(crate) fn as_slice(&self) -> &[u8] {
        match self {
            Self::Borrowed(bytes) => bytes,
            Self::Owned(bytes) => bytes,
            Self::Shared(bytes) => bytes,
            #[cfg(feature = "bytes")]
            Self::Counted(bytes) => bytes,
        }
    }

    pub(super) fn into_owned(self) -> PartBytes<'static> {
        match self {
            Self::Borrowed(bytes) => PartBytes::Owned(bytes.to_vec()),
            Self::Owned(bytes) => PartBytes::Owned(bytes),
            Self::Shared(bytes) => PartBytes::Shared(bytes),
            #[cfg(feature = "bytes")]
            Self::Counted(bytes) => PartBytes::Counted(bytes),
        }
    }
}

impl fmt::Debug for PartBytes<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        String::from_utf8_lossy(self.as_slice()).fmt(f)
    }
}

impl fmt::Debug for Part<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Some(bytes) => bytes.fmt(f),
            None => f.write_str("null"),
        }
    }
}

impl PartialEq for Part<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

impl Eq for Part<'_> {}

impl<T: Into<Self>> From<Option<T>> for Part<'_> {
    #[inline]
    fn from(part: Option<T>) -> Self {
        part.map_or(Self::NULL, Into::into)
    }
}

/// How the bytes of a type are kept.
macro_rules! kept {
    ($($from:ty, $bytes:ident => $kept:expr;)*) => {
        $(
            impl<'a> From<$from> for Part<'a> {
                #[inline]
                fn from($bytes: $from) -> Self {
                    Self(Some($kept))
                }
            }
        )*
    };
}

kept! {
    &'a [u8], bytes => PartBytes::Borrowed(bytes);
    &'a str, text => PartBytes::Borrowed(text.as_bytes());
    &'a String, text => PartBytes::Borrowed(text.as_bytes());
    &'a Vec<u8>, bytes => PartBytes::Borrowed(bytes);
    &'a Arc<[u8]>, bytes => PartBytes::Borrowed(bytes);
    &'a Arc<str>, text => PartBytes::Borrowed(text.as_bytes());
    Vec<u8>, bytes => PartBytes::Owned(bytes);
    String, text => PartBytes::Owned(text.into_bytes());
    Box<[u8]>, bytes => PartBytes::Owned(bytes.into_vec());
    Box<str>, text => PartBytes::Owned(text.into_string().into_bytes());
    Arc<[u8]>, bytes => PartBytes::Shared(bytes);
    Arc<str>, text => PartBytes::Shared(text.into());
}

#[cfg(feature = "bytes")]
kept! {
    bytes::Bytes, bytes => PartBytes::Counted(bytes);
    &'a bytes::Bytes, bytes => PartBytes::Borrowed(bytes);
}

impl<'a, const N: usize> From<&'a [u8; N]> for Part<'a> {
    #[inline]
    fn from(bytes: &'a [u8; N]) -> Self {
        Self(Some(PartBytes::Borrowed(bytes)))
    }
}

impl<const N: usize> From<[u8; N]> for Part<'_> {
    #[inline]
    fn from(bytes: [u8; N]) -> Self {
        Self(Some(PartBytes::Owned(bytes.to_vec())))
    }
}

impl<'a> From<Cow<'a, [u8]>> for Part<'a> {
    #[inline]
    fn from(bytes: Cow<'a, [u8]>) -> Self {
        match bytes {
            Cow::Borrowed(bytes) => bytes.into(),
            Cow::Owned(bytes) => bytes.into(),
        }
    }
}

impl<'a> From<Cow<'a, str>> for Part<'a> {
    #[inline]
    fn from(text: Cow<'a, str>) -> Self {
        match text {
            Cow::Borrowed(text) => text.into(),
            Cow::Owned(text) => text.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_taken_as_people_have_them() {
        let text = "k".to_owned();
        let bytes = b"k".to_vec();
        let shared: Arc<str> = Arc::from("k");
        let parts: [Part<'_>; 17] = [
            "k".into(),
            b"k".into(),
            [b'k'].into(),
            b"k"[..].into(),
            (&text).into(),
            text.clone().into(),
            b"k".to_vec().into(),
            (&bytes).into(),
            Box::<str>::from("k").into(),
            Box::<[u8]>::from(&b"k"[..]).into(),
            Arc::<[u8]>::from(&b"k"[..]).into(),
            (&shared).into(),
            shared.clone().into(),
            Cow::from("k").into(),
            Cow::<str>::Owned("k".to_owned()).into(),
            Cow::<[u8]>::Borrowed(b"k").into(),
            Some("k").into(),
        ];
        for part in &parts {
            assert_eq!(part.as_bytes(), Some(&b"k"[..]));
            assert_eq!(part.clone().into_owned(), *part);
        }
        #[cfg(feature = "bytes")]
        assert_eq!(Part::from(bytes::Bytes::from_static(b"k")), parts[0]);
    }

    #[test]
    fn null_is_not_empty() {
        let null = Part::from(None::<String>);
        assert!(null.is_null() && null == Part::NULL);
        assert_ne!(null, Part::from(""));
    }
}
