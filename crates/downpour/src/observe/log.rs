//! Events as `tracing` lines, for operators. Target `downpour`, fields before words.
//!
//! Per batch, request or connection, never per record.

use downpour_core::event::Event;
use downpour_core::outcome::Written;

const TARGET: &str = "downpour";

/// Writes an event's line.
pub(crate) fn event(event: &Event) {
    connections(event);
    records(event);
}

fn connections(event: &Event) {
    match event {
        Event::Connecting { address, broker } => {
            tracing::debug!(target: TARGET, %address, ?broker, "connecting");
        }
        Event::Connected {
            address,
            broker,
            produce_version,
            metadata_version,
        } => {
            tracing::info!(
                target: TARGET, %address, ?broker, produce_version, metadata_version, "connected"
            );
        }
        Event::ConnectFailed {
            address,
            broker: None,
            reason,
            retry_after,
        } => {
            tracing::warn!(
                target: TARGET, %address, %reason, ?retry_after,
                "no connection to a bootstrap address"
            );
        }
        Event::ConnectFailed {
            address,
            broker: Some(broker),
            reason,
            retry_after,
        } => {
            tracing::warn!(
                target: TARGET, %address, broker, %reason, ?retry_after,
                "no connection to the address that this broker advertises; is its listener \
                 reachable from here?"
            );
        }
        Event::Disconnected {
            address,
            broker,
            reason,
            unanswered,
        } => {
            tracing::info!(target: TARGET, %address, ?broker, %reason, unanswered, "disconnected");
        }
        Event::Rebootstrap => {
            tracing::warn!(
                target: TARGET,
                "no known broker can be reached; asking the bootstrap addresses again"
            );
        }
        Event::MetadataUpdated { brokers, topics } => {
            tracing::debug!(target: TARGET, brokers, topics, "metadata updated");
        }
        Event::Throttled { broker, pause } => {
            tracing::info!(target: TARGET, ?broker, ?pause, "throttled");
        }
        _ => {}
    }
}

fn records(event: &Event) {
    match event {
        Event::TopicUnavailable { topic, code } => {
            tracing::warn!(target: TARGET, %topic, %code, "topic unavailable");
        }
        Event::LeaderMoved {
            topic,
            partition,
            leader,
            leader_epoch,
        } => {
            tracing::info!(target: TARGET, %topic, partition, ?leader, leader_epoch, "leader moved");
        }
        Event::Retry {
            topic,
            partition,
            records,
            attempts,
            cause,
        } => {
            tracing::info!(
                target: TARGET, %topic, partition, records, attempts, %cause, "batch is sent again"
            );
        }
        Event::Split {
            topic,
            partition,
            parts,
        } => {
            tracing::info!(
                target: TARGET, %topic, partition, parts, "batch was too large and was split"
            );
        }
        Event::DeliveryFailed {
            topic,
            partition,
            records,
            written,
            cause,
        } => {
            let maybe_written = *written == Written::Unknown;
            tracing::warn!(
                target: TARGET, %topic, partition, records, maybe_written, %cause,
                "records were not acknowledged"
            );
        }
        Event::IdentityGranted { producer_id, epoch } => {
            tracing::info!(target: TARGET, producer_id, epoch, "producer id granted");
        }
        Event::EpochBumped { producer_id, epoch } => {
            tracing::info!(target: TARGET, producer_id, epoch, "epoch bumped");
        }
        _ => {}
    }
}
