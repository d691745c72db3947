//! ApiVersions: which requests a broker understands, and the answer to a client that is too new.

use downpour_wire::error_code::ErrorCode;
use downpour_wire::messages::{ApiKey, ApiVersion, ApiVersionsRequest, ApiVersionsResponse};

use crate::logic::context::RequestContext;
use crate::version::VersionTable;

/// The first version in which clients name themselves (KIP-511).
const NAMES_FROM: i16 = 3;

pub(crate) fn api_versions(
    table: &VersionTable,
    call: &RequestContext<'_>,
    request: &ApiVersionsRequest,
) -> ApiVersionsResponse {
    let names = [
        &request.client_software_name,
        &request.client_software_version,
    ];
    if call.version >= NAMES_FROM && !names.into_iter().all(|name| is_software_name(name)) {
        return ApiVersionsResponse {
            error_code: ErrorCode::INVALID_REQUEST,
            ..ApiVersionsResponse::default()
        };
    }
    ApiVersionsResponse {
        error_code: call.scripted_error_at_all().unwrap_or(ErrorCode::NONE),
        api_keys: table.iter().map(row).collect(),
        ..ApiVersionsResponse::default()
    }
}

/// The answer in version 0 to a request in a version that this broker does not know. Brokers from
/// 2.4 on (those with ApiVersions 3) name the range that they do know.
pub(crate) fn api_versions_too_high(table: &VersionTable) -> ApiVersionsResponse {
    let known = table
        .range(ApiKey::ApiVersions)
        .filter(|(_, highest)| *highest >= 3);
    ApiVersionsResponse {
        error_code: ErrorCode::UNSUPPORTED_VERSION,
        api_keys: known
            .map(|(low, high)| row((ApiKey::ApiVersions as i16, low, high)))
            .into_iter()
            .collect(),
        ..ApiVersionsResponse::default()
    }
}

fn row((api_key, min_version, max_version): (i16, i16, i16)) -> ApiVersion {
    ApiVersion {
        api_key,
        min_version,
        max_version,
    }
}

/// True for what Kafka lets clients call themselves: letters and digits, in between also `-` and `.`.
fn is_software_name(name: &str) -> bool {
    let edge = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
    let bytes = name.as_bytes();
    edge(bytes.first())
        && edge(bytes.last())
        && bytes
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-.".contains(byte))
}
