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

#[cfg(test)]
mod tests {
    use super::Family;

    #[test]
    fn a_family_has_its_own_addresses() {
        let addresses = ["127.0.0.1:1", "[::1]:1"].map(|text| text.parse().unwrap());
        let has = |family: Family| addresses.each_ref().map(|address| family.has(address));
        assert_eq!(has(Family::Any), [true, true]);
        assert_eq!(has(Family::V4), [true, false]);
        assert_eq!(has(Family::V6), [false, true]);
    }
}
