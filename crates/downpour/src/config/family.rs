//! Which of a name's addresses are used.

use std::net::SocketAddr;

/// Kinds of addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Family {
    /// All of them.
    #[default]
    Any,
    V4,
    V6,
}

impl Family {
    /// Whether an address is one of these.
    pub(crate) fn has(self, address: &SocketAddr) -> bool {
        match self {
            Self::Any => true,
            Self::V4 => address.is_ipv4(),
            Self::V6 => address.is_ipv6(),
        }
    }
}
