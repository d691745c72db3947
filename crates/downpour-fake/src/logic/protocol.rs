//! From a frame to a typed request and from a typed response to a frame. What is asked and
//! answered is not looked at.

use downpour_wire::error::{DecodeError, DecodeErrorKind, EncodeError};
use downpour_wire::header::encode_response;
use downpour_wire::messages::{
    ApiKey, ApiVersionsRequest, ApiVersionsResponse, CreateTopicsRequest, CreateTopicsResponse,
    Decode, FetchRequest, FetchResponse, InitProducerIdRequest, InitProducerIdResponse,
    ListOffsetsRequest, ListOffsetsResponse, MetadataRequest, MetadataResponse, ProduceRequest,
    ProduceResponse,
};
use downpour_wire::primitives::Reader;

/// A request of any kind that the fake serves.
#[derive(Debug)]
pub(crate) enum AnyRequest {
    ApiVersions(ApiVersionsRequest),
    Metadata(MetadataRequest),
    InitProducerId(InitProducerIdRequest),
    Produce(ProduceRequest),
    Fetch(FetchRequest),
    ListOffsets(ListOffsetsRequest),
    CreateTopics(CreateTopicsRequest),
}

impl AnyRequest {
    /// Reads the body. What follows it is left in `r`: a broker reads no further.
    pub(crate) fn decode(
        api: ApiKey,
        version: i16,
        r: &mut Reader<'_>,
    ) -> Result<Self, DecodeError> {
        let request = match api {
            ApiKey::ApiVersions => Self::ApiVersions(ApiVersionsRequest::decode(r, version)?),
            ApiKey::Metadata => Self::Metadata(MetadataRequest::decode(r, version)?),
            ApiKey::InitProducerId => {
                Self::InitProducerId(InitProducerIdRequest::decode(r, version)?)
            }
            ApiKey::Produce => Self::Produce(ProduceRequest::decode(r, version)?),
            ApiKey::Fetch => Self::Fetch(FetchRequest::decode(r, version)?),
            ApiKey::ListOffsets => Self::ListOffsets(ListOffsetsRequest::decode(r, version)?),
            ApiKey::CreateTopics => Self::CreateTopics(CreateTopicsRequest::decode(r, version)?),
            _ => {
                return Err(DecodeError::new(
                    DecodeErrorKind::InvalidValue,
                    r.position(),
                    "a request that the fake does not serve",
                ));
            }
        };
        Ok(request)
    }
}

/// A response of any kind that the fake gives.
#[derive(Debug)]
pub(crate) enum AnyResponse {
    ApiVersions(ApiVersionsResponse),
    Metadata(MetadataResponse),
    InitProducerId(InitProducerIdResponse),
    Produce(ProduceResponse),
    Fetch(FetchResponse),
    ListOffsets(ListOffsetsResponse),
    CreateTopics(CreateTopicsResponse),
}

impl AnyResponse {
    pub(crate) fn set_throttle(&mut self, ms: u32) {
        let ms = i32::try_from(ms).unwrap_or(i32::MAX);
        match self {
            Self::ApiVersions(response) => response.throttle_time_ms = ms,
            Self::Metadata(response) => response.throttle_time_ms = ms,
            Self::InitProducerId(response) => response.throttle_time_ms = ms,
            Self::Produce(response) => response.throttle_time_ms = ms,
            Self::Fetch(response) => response.throttle_time_ms = ms,
            Self::ListOffsets(response) => response.throttle_time_ms = ms,
            Self::CreateTopics(response) => response.throttle_time_ms = ms,
        }
    }

    /// The whole frame, its length included.
    pub(crate) fn frame(&self, version: i16, correlation_id: i32) -> Result<Vec<u8>, EncodeError> {
        let (v, id) = (version, correlation_id);
        match self {
            Self::ApiVersions(response) => encode_response(ApiKey::ApiVersions, response, v, id),
            Self::Metadata(response) => encode_response(ApiKey::Metadata, response, v, id),
            Self::InitProducerId(response) => {
                encode_response(ApiKey::InitProducerId, response, v, id)
            }
            Self::Produce(response) => encode_response(ApiKey::Produce, response, v, id),
            Self::Fetch(response) => encode_response(ApiKey::Fetch, response, v, id),
            Self::ListOffsets(response) => encode_response(ApiKey::ListOffsets, response, v, id),
            Self::CreateTopics(response) => encode_response(ApiKey::CreateTopics, response, v, id),
        }
    }
}
