//! What goes around a body: the request's and the response's header and the frame's length.
//! Splitting a stream into frames, and the Produce request without copying, are in `frame`.

use crate::error::{DecodeError, EncodeError, EncodeErrorKind};
#[cfg(feature = "broker")]
use crate::messages::Encode;
use crate::messages::reader::MessageReader;
use crate::messages::writer::MessageWriter;
use crate::messages::{ApiKey, Decode, Request};
use crate::primitives::Reader;

/// What precedes a request's body.
#[cfg(feature = "broker")]
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RequestHeader {
    /// A number, because a peer may send a key that this crate does not know.
    pub api_key: i16,
    /// The version of the request and of its answer.
    pub api_version: i16,
    /// The answer repeats it, so that the client knows what was answered.
    pub correlation_id: i32,
    /// The name under which brokers log the client and count its quotas.
    pub client_id: Option<String>,
}

#[cfg(feature = "broker")]
impl RequestHeader {
    /// Appends the header: with tagged fields if the request's version is `flexible`.
    ///
    /// # Errors
    /// `TooLong` if the client id exceeds 32,767 bytes.
    pub fn encode(&self, out: &mut Vec<u8>, flexible: bool) -> Result<(), EncodeError> {
        let client_id = self.client_id.as_deref();
        put_request_header(
            out,
            (self.api_key, self.api_version),
            self.correlation_id,
            client_id,
            flexible,
        )
    }

    /// Reads a header, leaving `r` at the body. A key that this crate does not know is read as one
    /// without tagged fields.
    ///
    /// # Errors
    /// When the bytes are not a request's header.
    pub fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let (api_key, api_version) = (r.i16()?, r.i16()?);
        let header = Self {
            api_key,
            api_version,
            correlation_id: r.i32()?,
            client_id: MessageReader::in_form(r, api_version, false)
                .nullable_string("client id")?,
        };
        let key = ApiKey::try_from(api_key);
        let flexible = key.is_ok_and(|key| key.is_flexible(api_version));
        MessageReader::in_form(r, api_version, flexible).no_tags()?;
        Ok(header)
    }
}

/// Appends a request's header without owning its client id.
pub(crate) fn put_request_header(
    out: &mut Vec<u8>,
    (api_key, api_version): (i16, i16),
    correlation_id: i32,
    client_id: Option<&str>,
    flexible: bool,
) -> Result<(), EncodeError> {
    // The client id has a 16-bit length in every version, so that an old broker can read it and
    // say that it does not know the version (KIP-482).
    let mut classic = MessageWriter::in_form(out, api_version, false);
    classic.i16(api_key);
    classic.i16(api_version);
    classic.i32(correlation_id);
    classic.nullable_string(client_id, "client id")?;
    MessageWriter::in_form(out, api_version, flexible).no_tags();
    Ok(())
}

/// Whether the header of the answer to `key` in `version` has tagged fields. That of ApiVersions
/// never has any: the broker may answer in version 0 whatever it was asked in, and the client must
/// be able to read that too (KIP-511).
#[must_use]
pub const fn response_header_is_flexible(key: ApiKey, version: i16) -> bool {
    !matches!(key, ApiKey::ApiVersions) && key.is_flexible(version)
}

/// Appends a response's header.
#[cfg(feature = "broker")]
pub fn encode_response_header(out: &mut Vec<u8>, correlation_id: i32, flexible: bool) {
    let mut out = MessageWriter::in_form(out, -1, flexible);
    out.i32(correlation_id);
    out.no_tags();
}

/// Reads a response's header and returns its correlation id, leaving `r` at the body.
///
/// # Errors
/// When the bytes are not a response's header.
pub fn decode_response_header(r: &mut Reader<'_>, flexible: bool) -> Result<i32, DecodeError> {
    let correlation_id = r.i32()?;
    MessageReader::in_form(r, -1, flexible).no_tags()?;
    Ok(correlation_id)
}

/// Writes the length of a frame into its first four bytes; `len` is that of the whole frame.
pub(crate) fn patch_length(out: &mut [u8], len: usize) -> Result<(), EncodeError> {
    let too_long = EncodeError::new(EncodeErrorKind::TooLong, "a frame", -1);
    let length = i32::try_from(len.saturating_sub(4)).map_err(|_| too_long)?;
    match out.first_chunk_mut::<4>() {
        Some(prefix) => {
            *prefix = length.to_be_bytes();
            Ok(())
        }
        None => Err(too_long),
    }
}

/// A whole request: length, header and body.
///
/// # Errors
/// When the version is not supported or cannot carry a field that matters.
pub fn encode_request<R: Request>(
    request: &R,
    version: i16,
    correlation_id: i32,
    client_id: &str,
) -> Result<Vec<u8>, EncodeError> {
    let mut out = vec![0; 4];
    let key = (R::KEY as i16, version);
    put_request_header(
        &mut out,
        key,
        correlation_id,
        Some(client_id),
        R::flexible(version),
    )?;
    request.encode(&mut out, version)?;
    let len = out.len();
    patch_length(&mut out, len)?;
    Ok(out)
}

/// A whole response: length, header and body.
///
/// # Errors
/// When the version is not supported or cannot carry a field that matters.
#[cfg(feature = "broker")]
pub fn encode_response<M: Encode>(
    key: ApiKey,
    response: &M,
    version: i16,
    correlation_id: i32,
) -> Result<Vec<u8>, EncodeError> {
    let mut out = vec![0; 4];
    let flexible = response_header_is_flexible(key, version);
    encode_response_header(&mut out, correlation_id, flexible);
    response.encode(&mut out, version)?;
    let len = out.len();
    patch_length(&mut out, len)?;
    Ok(out)
}

/// Reads a body that must end where `r` ends.
///
/// # Errors
/// When the bytes are not a body of `M` in `version`, or more follow.
pub fn decode_body<M: Decode>(r: &mut Reader<'_>, version: i16) -> Result<M, DecodeError> {
    let body = M::decode(r, version)?;
    r.finish("a body")?;
    Ok(body)
}

/// Reads a frame without its length as the answer to an `R` of `version`: the correlation id and
/// the body.
///
/// # Errors
/// When the bytes are not that answer, or more follow.
pub fn decode_response<R: Request>(
    frame: &[u8],
    version: i16,
) -> Result<(i32, R::Response), DecodeError> {
    let mut r = Reader::new(frame);
    let flexible = response_header_is_flexible(R::KEY, version);
    let correlation_id = decode_response_header(&mut r, flexible)?;
    Ok((correlation_id, decode_body(&mut r, version)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::DecodeErrorKind;
    use crate::messages::{ApiVersionsRequest, InitProducerIdRequest, InitProducerIdResponse};

    #[test]
    fn a_request_reads_back_in_every_version() {
        for version in InitProducerIdRequest::MIN..=InitProducerIdRequest::MAX {
            let request = InitProducerIdRequest {
                transaction_timeout_ms: 9,
                ..Default::default()
            };
            let frame = encode_request(&request, version, 71, "ünï").unwrap();
            assert_eq!(frame[..4], (frame.len() as i32 - 4).to_be_bytes());
            let mut r = Reader::new(&frame[4..]);
            let header = RequestHeader::decode(&mut r).unwrap();
            assert_eq!((header.api_key, header.api_version), (22, version));
            assert_eq!(
                (header.correlation_id, header.client_id.as_deref()),
                (71, Some("ünï"))
            );
            let body: InitProducerIdRequest = decode_body(&mut r, version).unwrap();
            assert_eq!(body, request);
            let mut again = Vec::new();
            header.encode(&mut again, version >= 2).unwrap();
            assert_eq!(again, frame[4..4 + again.len()]);
        }
    }

    #[test]
    fn a_response_reads_back_and_bytes_behind_it_are_refused() {
        for version in InitProducerIdRequest::MIN..=InitProducerIdRequest::MAX {
            let response = InitProducerIdResponse {
                producer_id: 5,
                ..Default::default()
            };
            let mut frame =
                encode_response(ApiKey::InitProducerId, &response, version, -3).unwrap();
            let read = decode_response::<InitProducerIdRequest>(&frame[4..], version).unwrap();
            assert_eq!(read, (-3, response));
            frame.push(0);
            let error = decode_response::<InitProducerIdRequest>(&frame[4..], version).unwrap_err();
            assert_eq!(error.kind, DecodeErrorKind::TrailingBytes);
        }
    }

    #[test]
    fn the_answer_to_api_versions_has_the_old_header_in_every_version() {
        for version in ApiVersionsRequest::MIN..=ApiVersionsRequest::MAX {
            assert!(!response_header_is_flexible(ApiKey::ApiVersions, version));
            assert_eq!(ApiVersionsRequest::flexible(version), version >= 3);
        }
        assert!(response_header_is_flexible(ApiKey::Produce, 9));
        assert!(!response_header_is_flexible(ApiKey::Produce, 8));
    }

    #[test]
    fn tagged_fields_of_a_header_are_skipped() {
        let bytes = [0, 0, 0, 12, 1, 5, 2, 0xaa, 0xbb, 0x77];
        let mut r = Reader::new(&bytes);
        assert_eq!(decode_response_header(&mut r, true), Ok(12));
        assert_eq!(r.rest(), [0x77]);
    }
}
