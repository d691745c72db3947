//! Which of a name's addresses are used.

use std::fmt;
use std::net::SocketAddr;
use std::str::FromStr;

use downpour_wire::parse_error::ParseError;

/// Which of the addresses that a broker's name has are connected to.
///
/// It is read from and written as librdkafka's `broker.address.family`: `any`, `v4`, `v6`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum AddressFamily {
    /// All of them, in the order that the system's resolver gives, the families in turn.
    #[default]
    Any,
    /// IPv4 alone.
    V4,
    /// IPv6 alone.
    V6,
}

impl AddressFamily {
    /// Whether an address is one of these.
    pub(crate) fn has(self, address: &SocketAddr) -> bool {
        match self {
            Self::Any => true,
            Self::V4 => address.is_ipv4(),
            Self::V6 => address.is_ipv6(),
        }
    }
}

impl fmt::Display for AddressFamily {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Any => "any",
            Self::V4 => "v4",
            Self::V6 => "v6",
        })
    }
}

impl FromStr for AddressFamily {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        [Self::Any, Self::V4, Self::V6]
            .into_iter()
            .find(|family| text.eq_ignore_ascii_case(&family.to_string()))
            .ok_or_else(|| {
                ParseError::new(format!(
                    "{text:?} is no address family; there are any, v4 and v6"
                ))
            })
    }
}

#[cfg(test)]
mod tests {
    use super::AddressFamily;

    #[test]
    fn a_family_has_its_own_addresses() {
        let addresses = ["127.0.0.1:1", "[::1]:1"].map(|text| text.parse().unwrap());
        let has = |family: AddressFamily| addresses.each_ref().map(|address| family.has(address));
        assert_eq!(has(AddressFamily::Any), [true, true]);
        assert_eq!(has(AddressFamily::V4), [true, false]);
        assert_eq!(has(AddressFamily::V6), [false, true]);
    }

    #[test]
    fn a_family_is_read_as_librdkafka_writes_it() {
        let families = [AddressFamily::Any, AddressFamily::V4, AddressFamily::V6];
        for family in families {
            assert_eq!(family.to_string().parse(), Ok(family));
        }
        let error = "v5".parse::<AddressFamily>().unwrap_err();
        assert_eq!(
            error.to_string(),
            "\"v5\" is no address family; there are any, v4 and v6"
        );
    }
}
