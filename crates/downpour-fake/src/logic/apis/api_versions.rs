//! ApiVersions: which requests a broker understands, and the answer to a client that is too new.

use downpour_wire::error_code::ErrorCode;
use downpour_wire::messages::{ApiKey, ApiVersion, ApiVersionsResponse};

use crate::logic::call::Call;
use crate::version::VersionTable;

pub(crate) fn api_versions(table: &VersionTable, call: &Call<'_>) -> ApiVersionsResponse {
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
