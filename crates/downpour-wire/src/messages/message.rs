//! What a message can do: be written, be read, be asked. Which fields it has is in its own file.

use super::api_key::ApiKey;
use crate::error::{DecodeError, EncodeError};
use crate::primitives::Reader;

/// A body that can be written in each of its versions.
pub trait Encode {
    /// Appends the body to `out`. After an error `out` holds a part of it.
    ///
    /// # Errors
    /// When the version is not supported, or cannot carry a field that matters.
    fn encode(&self, out: &mut Vec<u8>, version: i16) -> Result<(), EncodeError>;
}

/// A body that can be read in each of its versions.
pub trait Decode: Sized {
    /// Reads the body, leaving `r` behind its last byte.
    ///
    /// Allocates at most a small multiple of the bytes that remain in `r`.
    ///
    /// # Errors
    /// When the version is not supported or the bytes are not such a body.
    fn decode(r: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError>;
}

/// A request: its key, its versions and its response.
pub trait Request: Encode {
    /// Which request it is.
    const KEY: ApiKey;
    /// This crate reads and writes every version from here to [`MAX`](Self::MAX).
    const MIN: i16 = Self::KEY.versions().0;
    /// The highest version.
    const MAX: i16 = Self::KEY.versions().1;
    /// What answers it.
    type Response: Decode;

    /// Whether `version` has compact lengths and tagged fields.
    #[must_use]
    fn flexible(version: i16) -> bool {
        Self::KEY.is_flexible(version)
    }
}
