//! Which topics and partitions a request is about, for faults to look at. Whether one is due is
//! decided in `fault`.

use downpour_wire::messages::MetadataRequest;

use super::apis;
use super::protocol::AnyRequest;
use super::state::State;
use crate::fault::Target;

/// The topics that a Metadata request names, by name; without a list it is all of them.
fn asked_for(state: &State, request: &MetadataRequest) -> Vec<String> {
    let Some(asked) = &request.topics else {
        return state.topics.keys().cloned().collect();
    };
    let by_id = |id| state.topic_name(id).map(str::to_owned);
    let names = asked
        .iter()
        .map(|topic| topic.name.clone().or_else(|| by_id(topic.topic_id)));
    names.flatten().collect()
}

/// The topics and partitions that a request names, by name.
pub(super) fn targets(state: &State, request: &AnyRequest, version: i16) -> Vec<Target> {
    let mut targets = Vec::new();
    match request {
        AnyRequest::ApiVersions(_) | AnyRequest::InitProducerId(_) => {}
        AnyRequest::Metadata(request) => {
            for name in asked_for(state, request) {
                let known = state.topics.get(&name);
                let count = known.map_or(0, |topic| topic.partitions.len());
                targets.push((name.clone(), None));
                targets.extend((0..).take(count).map(|index| (name.clone(), Some(index))));
            }
        }
        AnyRequest::Produce(request) => {
            let names = apis::topic_names(state, version, request);
            for (name, topic) in names.into_iter().zip(&request.topics) {
                let indexes = topic.partitions.iter().map(|partition| partition.index);
                targets.extend(indexes.map(|index| (name.clone(), Some(index))));
            }
        }
        AnyRequest::Fetch(request) => {
            for topic in &request.topics {
                let indexes = topic.partitions.iter().map(|partition| partition.partition);
                targets.extend(indexes.map(|index| (topic.topic.clone(), Some(index))));
            }
        }
        AnyRequest::ListOffsets(request) => {
            for topic in &request.topics {
                let indexes = topic.partitions.iter().map(|asked| asked.partition_index);
                targets.extend(indexes.map(|index| (topic.name.clone(), Some(index))));
            }
        }
        AnyRequest::CreateTopics(request) => {
            targets.extend(
                request
                    .topics
                    .iter()
                    .map(|topic| (topic.name.clone(), None)),
            );
        }
    }
    targets
}
