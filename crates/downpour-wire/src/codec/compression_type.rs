//! Which codecs there are, and how using one can fail. A codec with its level is in `compression`.

use std::fmt;
use std::str::FromStr;

use crate::parse_error::ParseError;

/// A codec by Kafka's name and number: `compression.type` in its properties, and the lowest bits of
/// a batch's attributes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[repr(u8)]
#[non_exhaustive]
pub enum CompressionType {
    /// Batches are sent as they are.
    #[default]
    None = 0,
    /// Needs the feature `gzip`.
    Gzip = 1,
    /// Needs the feature `snappy`.
    Snappy = 2,
    /// Needs the feature `lz4`.
    Lz4 = 3,
    /// Needs the feature `zstd` and with it a C compiler.
    Zstd = 4,
}

impl CompressionType {
    /// Every codec, in the order of their numbers.
    pub const ALL: [Self; 5] = [Self::None, Self::Gzip, Self::Snappy, Self::Lz4, Self::Zstd];

    /// Kafka's name, as in `compression.type`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Gzip => "gzip",
            Self::Snappy => "snappy",
            Self::Lz4 => "lz4",
            Self::Zstd => "zstd",
        }
    }

    /// The codec of a name as in `compression.type`.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|codec| codec.name() == name)
    }

    /// Whether this build can use the codec.
    #[must_use]
    pub const fn is_compiled(self) -> bool {
        match self {
            Self::None => true,
            Self::Gzip => cfg!(feature = "gzip"),
            Self::Snappy => cfg!(feature = "snappy"),
            Self::Lz4 => cfg!(feature = "lz4"),
            Self::Zstd => cfg!(feature = "zstd"),
        }
    }

    /// The levels that the codec has, if any, as a sentence's object.
    const fn levels(self) -> &'static str {
        match self {
            Self::None => "none, since nothing is compressed",
            Self::Gzip => "1 to 9",
            Self::Snappy => "none",
            Self::Lz4 => "none in this implementation, which is always the fast one",
            Self::Zstd => "-131072 to 22",
        }
    }

    pub(super) const fn has_level(self, level: i32) -> bool {
        match self {
            Self::None | Self::Snappy | Self::Lz4 => false,
            Self::Gzip => 1 <= level && level <= 9,
            Self::Zstd => -131_072 <= level && level <= 22,
        }
    }
}

impl fmt::Display for CompressionType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for CompressionType {
    type Err = ParseError;

    /// Kafka's name, in any case.
    fn from_str(name: &str) -> Result<Self, ParseError> {
        Self::from_name(&name.to_ascii_lowercase()).ok_or_else(|| {
            let known = Self::ALL.map(Self::name).join(", ");
            ParseError::new(format!("{name:?} is no codec; there are {known}"))
        })
    }
}

impl TryFrom<u8> for CompressionType {
    type Error = CompressionError;

    fn try_from(number: u8) -> Result<Self, CompressionError> {
        let codec = Self::ALL.get(usize::from(number));
        codec.copied().ok_or(CompressionError::Unknown { number })
    }
}

/// Why a batch cannot be compressed as asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum CompressionError {
    /// The codec exists, but this build does not contain it.
    NotCompiled {
        /// Never [`CompressionType::None`].
        codec: CompressionType,
        /// The cargo feature of `downpour` to turn on.
        feature: &'static str,
    },
    /// The codec does not have this level.
    Level {
        /// Also one that has no levels at all.
        codec: CompressionType,
        /// As it was asked for.
        level: i32,
    },
    /// Kafka defines no codec of this number.
    Unknown {
        /// As it stands in a batch's attributes.
        number: u8,
    },
    /// The codec itself failed, which it does only if memory is short.
    Failed {
        /// Never [`CompressionType::None`].
        codec: CompressionType,
    },
}

impl CompressionError {
    /// What using `codec` answers when its feature is off.
    pub(crate) const fn not_compiled(codec: CompressionType) -> Self {
        let feature = codec.name();
        Self::NotCompiled { codec, feature }
    }
}

impl fmt::Display for CompressionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotCompiled { codec, feature } => {
                write!(
                    f,
                    "{codec} is not in this build: enable the feature `{feature}`"
                )
            }
            Self::Level { codec, level } => {
                let levels = codec.levels();
                write!(f, "{codec} has no level {level}: its levels are {levels}")
            }
            Self::Unknown { number } => write!(f, "Kafka has no codec of number {number}"),
            Self::Failed { codec } => write!(f, "{codec} failed to compress"),
        }
    }
}

impl std::error::Error for CompressionError {}
