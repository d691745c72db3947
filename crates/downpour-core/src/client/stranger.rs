//! What answers at a port that is no plaintext Kafka listener, told by its first bytes.

/// Who sent these first bytes, if it is somebody known, and what to do about it. No answer of a
/// broker begins like this: its length would be over 300 MB.
pub(crate) fn recognise(first: &[u8]) -> Option<&'static str> {
    match first {
        // A record of TLS: an alert or a handshake, then the version.
        [0x15 | 0x16, 3, 0..=4, ..] => Some(
            "the port answers TLS, and this connection is plaintext; use the port of the \
             PLAINTEXT listener",
        ),
        [b'H', b'T', b'T', b'P', ..] => Some(
            "the port answers HTTP; is it a proxy, or a REST or admin port beside the broker's?",
        ),
        [b'S', b'S', b'H', b'-', ..] => Some("the port answers SSH; is it the right port?"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strangers_are_told_by_their_first_bytes_and_brokers_are_not_taken_for_one() {
        for (first, word) in [
            (&[0x15, 3, 3, 0, 2][..], "TLS"),
            (&[0x15, 3, 1, 0, 2], "TLS"),
            (&[0x16, 3, 4, 2, 0], "TLS"),
            (b"HTTP/1.1 400", "HTTP"),
            (b"HTTP/", "HTTP"),
            (b"SSH-2.0", "SSH"),
        ] {
            assert!(recognise(first).unwrap().contains(word), "{first:?}");
        }
        for first in [
            &[0, 0, 1, 42, 0][..],
            &[0x15, 3][..],
            &[0x15, 4, 3, 0, 2],
            b"HTT",
            &[],
        ] {
            assert_eq!(recognise(first), None, "{first:?}");
        }
    }
}
