//! How batches are compressed: a codec and its level. What a level does is the codec's own matter.

use std::fmt;
use std::str::FromStr;

use crate::codec::compression_type::{CompressionError, CompressionType};
use crate::parse_error::ParseError;

/// A codec and, where it has any, a level.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Compression {
    codec: CompressionType,
    level: Option<i32>,
}

impl Compression {
    /// Batches are sent as they are.
    pub const NONE: Self = Self::new(CompressionType::None);

    /// A codec at its usual level: 6 for gzip, 3 for zstd.
    #[must_use]
    pub const fn new(codec: CompressionType) -> Self {
        Self { codec, level: None }
    }

    /// A codec at a level: 1 to 9 for gzip, -131072 to 22 for zstd. The others have no levels
    /// here: LZ4's higher ones (Kafka's `compression.lz4.level`) exist in C only.
    ///
    /// # Errors
    /// [`CompressionError::Level`] if the codec has no such level.
    pub const fn with_level(codec: CompressionType, level: i32) -> Result<Self, CompressionError> {
        if codec.has_level(level) {
            let level = Some(level);
            Ok(Self { codec, level })
        } else {
            Err(CompressionError::Level { codec, level })
        }
    }

    /// Which codec compresses; [`CompressionType::None`] for none.
    #[must_use]
    pub const fn codec(self) -> CompressionType {
        self.codec
    }

    /// `None` if the codec's usual level is to be used.
    #[must_use]
    pub const fn level(self) -> Option<i32> {
        self.level
    }
}

impl From<CompressionType> for Compression {
    fn from(codec: CompressionType) -> Self {
        Self::new(codec)
    }
}

impl fmt::Display for Compression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.level {
            Some(level) => write!(f, "{}:{level}", self.codec),
            None => self.codec.fmt(f),
        }
    }
}

impl FromStr for Compression {
    type Err = ParseError;

    /// A codec's name, and a level after a colon: `zstd:9`.
    fn from_str(text: &str) -> Result<Self, ParseError> {
        let Some((name, level)) = text.split_once(':') else {
            return Ok(Self::new(text.parse()?));
        };
        let level = level
            .parse()
            .map_err(|_| ParseError::new(format!("{level:?} is no level")))?;
        Self::with_level(name.parse()?, level).map_err(|error| ParseError::new(error.to_string()))
    }
}
