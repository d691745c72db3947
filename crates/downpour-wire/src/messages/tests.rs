//! Tests of the messages that need no other implementation; that comparison is in `tests/`.

use super::*;
use crate::error::{DecodeErrorKind, EncodeErrorKind};
use crate::error_code::ErrorCode;
use crate::primitives::Reader;

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
