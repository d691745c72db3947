//! The two errors of this crate's bytes: what a decoder and an encoder can say.
//! Kafka's own error codes are in `error_code`; a codec's refusals are in `codec`.

use std::fmt;

/// Why bytes from a peer could not be understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DecodeErrorKind {
    /// The bytes end before the value does.
    Truncated,
    /// A length or count is negative, or larger than the bytes that remain could hold.
    LengthOutOfBounds,
    /// A string is not UTF-8.
    InvalidUtf8,
    /// A variable-length integer does not end within its largest size.
    VarintOverflow,
    /// A value that this field cannot have: null where it is not allowed, an unknown variant,
    /// a version that this crate does not read.
    InvalidValue,
    /// Bytes remain after the last field.
    TrailingBytes,
    /// A checksum does not match the bytes it covers.
    ChecksumMismatch,
    /// A record batch of a magic other than 2.
    UnsupportedMagic,
    /// A codec that Kafka does not define, or one that was not compiled in.
    UnsupportedCodec,
    /// The codec refused the compressed bytes.
    Decompress,
    /// More bytes than the caller allowed.
    TooLarge,
}

impl DecodeErrorKind {
    const fn text(self) -> &'static str {
        match self {
            Self::Truncated => "the bytes end too early",
            Self::LengthOutOfBounds => "a length exceeds the bytes that remain",
            Self::InvalidUtf8 => "a string is not UTF-8",
            Self::VarintOverflow => "a variable-length integer does not end",
            Self::InvalidValue => "a value that is not allowed here",
            Self::TrailingBytes => "bytes remain after the last field",
            Self::ChecksumMismatch => "a checksum does not match",
            Self::UnsupportedMagic => "a record batch of an unsupported magic",
            Self::UnsupportedCodec => "an unsupported codec",
            Self::Decompress => "compressed bytes are corrupt",
            Self::TooLarge => "more bytes than allowed",
        }
    }
}

impl fmt::Display for DecodeErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}

/// Bytes from a peer could not be understood: why, where and in which field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct DecodeError {
    /// Which rule the bytes break.
    pub kind: DecodeErrorKind,
    /// How many bytes of the input had been read.
    pub offset: usize,
    /// What was being read, in words: for people.
    pub what: &'static str,
}

impl DecodeError {
    /// An error of `kind` at byte `offset` while `what` was read.
    #[must_use]
    pub const fn new(kind: DecodeErrorKind, offset: usize, what: &'static str) -> Self {
        Self { kind, offset, what }
    }
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "cannot decode {} at byte {}: {}",
            self.what, self.offset, self.kind
        )
    }
}

impl std::error::Error for DecodeError {}

/// Why a value cannot be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum EncodeErrorKind {
    /// This crate does not write this version of the message.
    UnsupportedVersion,
    /// The field is set to something other than its default, but this version cannot carry it.
    NotInVersion,
    /// The field is null, but this version cannot say so.
    NullNotAllowed,
    /// The field is longer than its length field can say.
    TooLong,
    /// Fewer or more elements follow than were announced.
    WrongCount,
}

impl EncodeErrorKind {
    const fn text(self) -> &'static str {
        match self {
            Self::UnsupportedVersion => "this version is not supported",
            Self::NotInVersion => "this version does not have the field",
            Self::NullNotAllowed => "the field must not be null in this version",
            Self::TooLong => "the field is too long",
            Self::WrongCount => "not as many elements as announced",
        }
    }
}

impl fmt::Display for EncodeErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}

/// A value cannot be written in the version asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct EncodeError {
    /// Which rule the value breaks.
    pub kind: EncodeErrorKind,
    /// The message or the field, in words: for people.
    pub what: &'static str,
    /// The version asked for; -1 where the field has none.
    pub version: i16,
}

impl EncodeError {
    /// An error of `kind` about `what`, in `version`.
    #[must_use]
    pub const fn new(kind: EncodeErrorKind, what: &'static str, version: i16) -> Self {
        Self {
            kind,
            what,
            version,
        }
    }
}

impl fmt::Display for EncodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot encode {}", self.what)?;
        if self.version >= 0 {
            write!(f, " in version {}", self.version)?;
        }
        write!(f, ": {}", self.kind)
    }
}

impl std::error::Error for EncodeError {}
