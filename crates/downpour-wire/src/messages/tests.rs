//! Tests of the messages that need no other implementation; that comparison is in `tests/`.

use proptest::prelude::*;

use super::reader::MessageReader;
use super::writer::MessageWriter;
use super::*;
use crate::error::{DecodeError, DecodeErrorKind, EncodeErrorKind};
use crate::error_code::ErrorCode;
use crate::primitives::Reader;

/// What `read` says of `bytes`, in the classic form or the compact one.
fn read_in_form<T>(
    bytes: &[u8],
    flexible: bool,
    read: impl FnOnce(&mut MessageReader<'_, '_>) -> Result<T, DecodeError>,
) -> Result<T, DecodeErrorKind> {
    let mut r = Reader::new(bytes);
    read(&mut MessageReader::in_form(&mut r, 0, flexible)).map_err(|error| error.kind)
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_make_a_message_reader_panic(
        bytes: Vec<u8>,
        min in 0_usize..9,
        flexible: bool,
    ) {
        type Call = fn(&mut MessageReader<'_, '_>, usize) -> Result<(), DecodeError>;
        let calls: [Call; 8] = [
            |r, _| r.string("test").map(drop),
            |r, _| r.nullable_string("test").map(drop),
            |r, _| r.nullable_bytes("test").map(drop),
            |r, min| r.array(min, "test", |_| Ok(())).map(drop),
            |r, min| r.nullable_array(min, "test", |_| Ok(())).map(drop),
            |r, _| r.i32_array("test").map(drop),
            |r, _| r.no_tags(),
            |r, _| r.tags(|_, field| field.string("test").map(|_| true)),
        ];
        for call in calls {
            let mut r = Reader::new(&bytes);
            let _: Result<(), DecodeError> =
                call(&mut MessageReader::in_form(&mut r, 0, flexible), min);
            prop_assert!(r.position() <= bytes.len());
        }
        let count = read_in_form(&bytes, flexible, |r| r.array(min, "test", |_| Ok(())));
        prop_assert!(count.map_or(0, |items| items.len()) * min.max(1) <= bytes.len());
    }
}

#[test]
fn a_length_is_bounded_by_what_remains() {
    let mut three = vec![0, 0, 0, 3];
    three.extend_from_slice(&[0; 11]);
    let array = |min| read_in_form(&three, false, |r| r.array(min, "test", |_| Ok(())));
    assert_eq!(array(3).map(|items| items.len()), Ok(3));
    assert_eq!(array(4), Err(DecodeErrorKind::LengthOutOfBounds));
    let string = |bytes: &[u8]| read_in_form(bytes, false, |r| r.string("test"));
    assert_eq!(
        string(&[0xff, 0xfe]),
        Err(DecodeErrorKind::LengthOutOfBounds)
    );
    assert_eq!(string(&[0xff, 0xff]), Err(DecodeErrorKind::InvalidValue));
    let null = read_in_form(&[0xff, 0xff], false, |r| r.nullable_string("test"));
    assert_eq!(null, Ok(None));
    let null = read_in_form(&[0], true, |r| r.nullable_bytes("test"));
    assert_eq!(null, Ok(None));
    let null = read_in_form(&[0], true, |r| r.string("test"));
    assert_eq!(null, Err(DecodeErrorKind::InvalidValue));
}

#[test]
fn an_error_names_the_field_and_the_offset_in_the_whole_input() {
    let bytes = [0, 1, 2, 2, 0, 2, b'a', 0xff];
    let mut r = Reader::new(&bytes);
    r.take(4).unwrap();
    let mut inner = r.sub(4).unwrap();
    let error = MessageReader::in_form(&mut inner, 0, false).string("a name");
    assert_eq!(
        error.unwrap_err().to_string(),
        "cannot decode a name at byte 7: a string is not UTF-8"
    );
}

#[test]
fn unknown_tagged_fields_are_skipped_and_known_ones_read_to_their_end() {
    let mut out = Vec::new();
    let mut writer = MessageWriter::in_form(&mut out, 0, true);
    writer.tag_count(2);
    for (tag, bytes) in [(3, &b"xyz"[..]), (9, &[7, 7])] {
        let field = writer.tag(tag, "test", |out| {
            bytes.iter().for_each(|byte| out.i8(*byte as i8));
            Ok(())
        });
        field.unwrap();
    }
    assert_eq!(out, [2, 3, 3, b'x', b'y', b'z', 9, 2, 7, 7]);
    let mut seen = Vec::new();
    let mut r = Reader::new(&out);
    let read = MessageReader::in_form(&mut r, 0, true).tags(|tag, field| {
        seen.push((tag, field.i8("test")?));
        Ok(false)
    });
    assert_eq!((read, r.remaining()), (Ok(()), 0));
    assert_eq!(seen, [(3, b'x' as i8), (9, 7)]);
    let half_read = read_in_form(&out, true, |r| r.tags(|_, r| r.i8("test").map(|_| true)));
    assert_eq!(half_read, Err(DecodeErrorKind::TrailingBytes));
}

#[test]
fn a_string_too_long_for_its_length_field_is_refused() {
    let text = "x".repeat(32_768);
    let write = |text: &str, flexible| {
        let mut out = Vec::new();
        let put = MessageWriter::in_form(&mut out, 7, flexible).string(text, "test");
        put.map(|()| out)
            .map_err(|error| (error.kind, error.what, error.version))
    };
    let refused = (EncodeErrorKind::TooLong, "test", 7);
    assert_eq!(write(&text, false), Err(refused));
    assert_eq!(write(&text[1..], false).unwrap()[..2], [0x7f, 0xff]);
    assert_eq!(write(&text, true).unwrap()[..3], [0x81, 0x80, 2]);
}

#[test]
fn a_length_that_its_field_cannot_say_is_refused() {
    let len = |len: usize, flexible| {
        let mut out = Vec::new();
        let put = MessageWriter::in_form(&mut out, 7, flexible).len(Some(len), "test");
        put.map(|()| out).map_err(|error| error.kind)
    };
    let most = i32::MAX as usize;
    assert_eq!(len(most, false), Ok(i32::MAX.to_be_bytes().to_vec()));
    assert_eq!(len(most + 1, false), Err(EncodeErrorKind::TooLong));
    assert_eq!(len(most - 1, true), Ok(vec![0xff, 0xff, 0xff, 0xff, 7]));
    assert_eq!(len(most, true), Err(EncodeErrorKind::TooLong));
}

#[test]
fn a_request_field_that_the_version_cannot_carry_is_refused() {
    let mut out = Vec::new();
    let request = MetadataRequest {
        allow_auto_topic_creation: false,
        ..Default::default()
    };
    let error = request.encode(&mut out, 3).unwrap_err();
    assert_eq!(
        (error.kind, error.version),
        (EncodeErrorKind::NotInVersion, 3)
    );
    request.encode(&mut out, 4).unwrap();

    let by_id = MetadataRequestTopic {
        topic_id: crate::primitives::Uuid([7; 16]),
        name: None,
    };
    let request = MetadataRequest {
        topics: Some(vec![by_id]),
        ..Default::default()
    };
    assert_eq!(
        request.encode(&mut out, 9).unwrap_err().kind,
        EncodeErrorKind::NullNotAllowed
    );
    request.encode(&mut out, 12).unwrap();

    let bump = InitProducerIdRequest {
        producer_id: 5,
        ..Default::default()
    };
    assert_eq!(
        bump.encode(&mut out, 2).unwrap_err().kind,
        EncodeErrorKind::NotInVersion
    );
    bump.encode(&mut out, 3).unwrap();
}

#[test]
fn a_field_that_kafka_lets_a_version_ignore_is_dropped() {
    let partition = |committed_leader_epoch| TxnOffsetCommitRequestPartition {
        committed_leader_epoch,
        ..Default::default()
    };
    let written = |committed_leader_epoch, version| {
        let mut out = Vec::new();
        let request = TxnOffsetCommitRequest {
            topics: vec![TxnOffsetCommitRequestTopic {
                partitions: vec![partition(committed_leader_epoch)],
                ..Default::default()
            }],
            ..Default::default()
        };
        request.encode(&mut out, version).unwrap();
        out
    };
    assert_eq!(written(7, 1), written(-1, 1));
    assert_ne!(written(7, 2), written(-1, 2));
}

#[test]
fn a_coordinator_is_asked_for_by_one_key_or_by_many() {
    let one = FindCoordinatorRequest {
        key: "a".to_owned(),
        ..Default::default()
    };
    let many = FindCoordinatorRequest {
        coordinator_keys: vec!["a".to_owned()],
        ..Default::default()
    };
    let kind = |request: &FindCoordinatorRequest, version| {
        let written = request.encode(&mut Vec::new(), version);
        written.map_err(|error| (error.kind, error.what))
    };
    assert_eq!((kind(&one, 3), kind(&many, 4)), (Ok(()), Ok(())));
    let refused = |what| Err((EncodeErrorKind::NotInVersion, what));
    assert_eq!(kind(&one, 4), refused("key"));
    assert_eq!(kind(&many, 3), refused("coordinator_keys"));
}

#[test]
fn a_version_outside_the_range_is_refused_both_ways() {
    for version in [2, 14] {
        let error = ProduceRequest::default()
            .encode(&mut Vec::new(), version)
            .unwrap_err();
        assert_eq!(error.kind, EncodeErrorKind::UnsupportedVersion);
        let error = ProduceResponse::decode(&mut Reader::new(&[0; 64]), version).unwrap_err();
        assert_eq!(error.kind, DecodeErrorKind::InvalidValue);
    }
}

#[test]
fn a_refused_api_versions_request_is_read_as_version_0() {
    let refusal = ApiVersionsResponse {
        error_code: ErrorCode::UNSUPPORTED_VERSION,
        api_keys: vec![ApiVersion {
            api_key: 18,
            min_version: 0,
            max_version: 2,
        }],
        ..Default::default()
    };
    let mut body = Vec::new();
    refusal.encode(&mut body, 0).unwrap();
    assert_eq!(
        ApiVersionsResponse::decode_lenient(&body, 4).unwrap(),
        refusal
    );

    let bare = ApiVersionsResponse::decode_lenient(&[0, 35], 4).unwrap();
    assert_eq!(bare.error_code, ErrorCode::UNSUPPORTED_VERSION);
    assert!(bare.api_keys.is_empty());

    let mut accepted = Vec::new();
    ApiVersionsResponse::default()
        .encode(&mut accepted, 4)
        .unwrap();
    assert!(ApiVersionsResponse::decode_lenient(&accepted, 4).is_ok());
    accepted.push(0);
    let error = ApiVersionsResponse::decode_lenient(&accepted, 4).unwrap_err();
    assert_eq!(error.kind, DecodeErrorKind::TrailingBytes);
}

#[test]
fn an_error_names_the_field() {
    let mut body = Vec::new();
    let response = InitProducerIdResponse {
        producer_id: 77,
        ..Default::default()
    };
    response.encode(&mut body, 4).unwrap();
    let error = InitProducerIdResponse::decode(&mut Reader::new(&body[..9]), 4).unwrap_err();
    assert_eq!(error.what, "producer id");
    assert_eq!((error.kind, error.offset), (DecodeErrorKind::Truncated, 6));
}

#[test]
fn a_key_and_its_number_are_one() {
    for key in ApiKey::ALL {
        assert_eq!(ApiKey::try_from(*key as i16), Ok(*key));
    }
    assert_eq!(ApiKey::try_from(4), Err(UnknownApiKey(4)));
    assert_eq!((ProduceRequest::MIN, ProduceRequest::MAX), (3, 13));
    assert!(!ProduceRequest::flexible(8) && ProduceRequest::flexible(9));
}
