//! Fetch, for the consumers that read from the fake: the request and the response.
//! What only followers say (cluster id, replica state, diverging epochs, snapshots) is skipped.

mod request;
mod response;

pub use request::{FetchPartition, FetchRequest, FetchTopic, ForgottenTopic};
pub use response::{AbortedTransaction, FetchPartitionResponse, FetchResponse, FetchTopicResponse};
