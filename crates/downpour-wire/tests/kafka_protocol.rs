//! Every message in every version, compared with the `kafka-protocol` crate in both directions:
//! the same value gives the same bytes, each reads the other's, and fields with unknown tags are
//! skipped wherever they are.

mod common;
#[path = "kafka_protocol_twins/mod.rs"]
mod twins;

use common::entropy::Entropy;
use common::samples::{Sample, each_message, each_request};
use downpour_wire::header::{
    RequestHeader, decode_body, decode_response_header, encode_response_header,
    response_header_is_flexible,
};
use downpour_wire::messages::*;
use downpour_wire::primitives::Reader;
use kafka_protocol::messages as theirs;
use kafka_protocol::protocol::{Decodable, Encodable, HeaderVersion};
use proptest::prelude::*;
use twins::Twin;

fn compare<M: Sample + Twin>(entropy: &[u8]) {
    let (min, max) = M::KEY.versions();
    for version in min..=max {
        let ours = M::sample(&mut Entropy::new(entropy), version);
        let twin = ours.twin(false);
        let mut bytes = Vec::new();
        ours.encode(&mut bytes, version)
            .expect("the sample fits the version");
        let mut their_bytes = Vec::new();
        twin.encode(&mut their_bytes, version)
            .expect("the twin fits the version");
        assert_eq!(bytes, their_bytes, "version {version} of {ours:?}");

        let mut rest = bytes.as_slice();
        let read = M::Twin::decode(&mut rest, version).expect("they read our bytes");
        assert!(rest.is_empty());
        assert_eq!(read, twin, "version {version}");
        let read = decode_body::<M>(&mut Reader::new(&their_bytes), version);
        assert_eq!(
            read.expect("we read their bytes"),
            ours,
            "version {version}"
        );

        if M::KEY.is_flexible(version) {
            let mut tagged = Vec::new();
            ours.twin(true)
                .encode(&mut tagged, version)
                .expect("the tagged twin fits");
            assert!(tagged.len() > bytes.len());
            let read = decode_body::<M>(&mut Reader::new(&tagged), version);
            assert_eq!(
                read.expect("we skip unknown tags"),
                ours,
                "version {version}"
            );
        }
    }
}

macro_rules! comparisons {
    ($($message:ident),*) => {
        proptest! {
            #![proptest_config(ProptestConfig::with_cases(64))]
            $(
                #[test]
                fn $message(entropy in proptest::collection::vec(any::<u8>(), 0..3000)) {
                    compare::<super::$message>(&entropy);
                }
            )*
        }
    };
}

#[expect(non_snake_case, reason = "each fact is named after its message")]
mod has_the_same_bytes_and_skips_unknown_tags {
    use super::*;

    each_message!(comparisons);
}

fn header_versions<R>()
where
    R: Request + Twin,
    R::Response: Twin,
    R::Twin: HeaderVersion,
    <R::Response as Twin>::Twin: HeaderVersion,
{
    for version in R::MIN..=R::MAX {
        let theirs = R::Twin::header_version(version) == 2;
        assert_eq!(R::flexible(version), theirs, "{:?} {version}", R::KEY);
        let theirs = <R::Response as Twin>::Twin::header_version(version) == 1;
        assert_eq!(
            response_header_is_flexible(R::KEY, version),
            theirs,
            "{:?} {version}",
            R::KEY
        );
    }
}

#[test]
fn headers_are_flexible_where_kafka_protocol_says_so() {
    macro_rules! every {
        ($($request:ident),*) => {
            $(header_versions::<$request>();)*
        };
    }
    each_request!(every);
}

proptest! {
    #[test]
    fn headers_are_the_same_bytes(
        entropy in proptest::collection::vec(any::<u8>(), 0..200),
        flexible: bool,
    ) {
        let e = &mut Entropy::new(&entropy);
        // Metadata turns flexible at version 9.
        let api_version = if flexible { 9 } else { 8 };
        let header = RequestHeader {
            api_key: ApiKey::Metadata as i16,
            api_version,
            correlation_id: e.i32(),
            client_id: e.option(Entropy::string),
        };
        let twin = theirs::RequestHeader::default()
            .with_request_api_key(3)
            .with_request_api_version(api_version)
            .with_correlation_id(header.correlation_id)
            .with_client_id(header.client_id.clone().map(Into::into));
        let (mut bytes, mut their_bytes) = (Vec::new(), Vec::new());
        header.encode(&mut bytes, flexible).unwrap();
        twin.encode(&mut their_bytes, if flexible { 2 } else { 1 }).unwrap();
        prop_assert_eq!(&bytes, &their_bytes);
        prop_assert_eq!(RequestHeader::decode(&mut Reader::new(&bytes)).unwrap(), header);

        let twin = theirs::ResponseHeader::default().with_correlation_id(e.i32());
        let (mut bytes, mut their_bytes) = (Vec::new(), Vec::new());
        encode_response_header(&mut bytes, twin.correlation_id, flexible);
        twin.encode(&mut their_bytes, i16::from(flexible)).unwrap();
        prop_assert_eq!(&bytes, &their_bytes);
        let read = decode_response_header(&mut Reader::new(&bytes), flexible).unwrap();
        prop_assert_eq!(read, twin.correlation_id);
    }
}
