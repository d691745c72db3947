//! The lines that operators read: what is new, and reminders of what goes on.

use std::time::Duration;

use downpour_core::client::connect_error::ConnectError;
use downpour_core::client::notice::Notice;
use downpour_core::event::{Event, Question};
use downpour_core::outcome::{Cause, Written};
use downpour_core::time::Readable;

const TARGET: &str = "downpour";

/// Writes an event's line. What a notice says beside that it is new goes into the line.
pub(super) fn write(event: &Event, notice: Notice) {
    match event {
        Event::ConnectFailed {
            error,
            broker,
            retry_after,
            has_worked,
            ..
        } => connect_failed(error, *broker, *retry_after, *has_worked, notice),
        Event::Unanswered {
            question,
            address,
            reason,
            ..
        } => {
            let what = match question {
                Question::ProducerId => "a producer id, without which nothing is sent",
                _ => "metadata, without which no topic is found",
            };
            match lasting(notice) {
                None => tracing::warn!(
                    target: TARGET, %address, %reason, "no answer to the question for {what}"
                ),
                Some((lasting, times)) => tracing::warn!(
                    target: TARGET, %address, %reason, %lasting, times,
                    "still no answer to the question for {what}"
                ),
            }
        }
        Event::TopicUnavailable { .. } | Event::TopicAvailable { .. } => topics(event, notice),
        Event::Retry { .. } | Event::Split { .. } | Event::DeliveryFailed { .. } => {
            records(event, notice);
        }
        _ => {
            connections(event, notice);
            others(event);
        }
    }
}

/// How long it lasts and how often it happened, in a reminder.
fn lasting(notice: Notice) -> Option<(Readable, u32)> {
    match notice {
        Notice::Still { lasting, times } => Some((Readable::coarse(lasting), times)),
        _ => None,
    }
}

fn connect_failed(
    error: &ConnectError,
    broker: Option<i32>,
    retry_after: Duration,
    has_worked: bool,
    notice: Notice,
) {
    let (address, reason) = (error.address(), error.reason());
    let retry_after = Readable::coarse(retry_after);
    if let Some((lasting, times)) = lasting(notice) {
        tracing::warn!(
            target: TARGET, %address, broker, %reason, %lasting, times, "still no connection"
        );
        return;
    }
    match (broker, has_worked) {
        (None, false) => tracing::warn!(
            target: TARGET, %address, %reason, %retry_after, "no connection to a bootstrap address"
        ),
        (Some(broker), false) => tracing::warn!(
            target: TARGET, %address, broker, %reason, %retry_after,
            "no connection to the address that this broker advertises; is its listener \
             reachable from here?"
        ),
        (broker, true) => tracing::warn!(
            target: TARGET, %address, broker, %reason, %retry_after,
            "no connection any more to an address that worked before"
        ),
    }
}

fn connections(event: &Event, notice: Notice) {
    match event {
        Event::Connecting { address, broker } => {
            tracing::debug!(target: TARGET, %address, broker, "connecting");
        }
        Event::Connected {
            address,
            broker,
            produce_version,
            metadata_version,
            ..
        } => {
            tracing::info!(
                target: TARGET, %address, broker, produce_version, metadata_version, "connected"
            );
        }
        Event::Reachable {
            address,
            broker,
            lasted,
            times,
        } => {
            let lasted = Readable::coarse(*lasted);
            tracing::info!(target: TARGET, %address, broker, %lasted, times, "answers again");
        }
        Event::Disconnected {
            address,
            broker,
            reason,
            unanswered,
            ..
        } => match lasting(notice) {
            None => tracing::info!(
                target: TARGET, %address, broker, %reason, unanswered, "disconnected"
            ),
            Some((lasting, times)) => tracing::warn!(
                target: TARGET, %address, broker, %reason, %lasting, times,
                "connections still end before anything is answered"
            ),
        },
        Event::Rebootstrap => {
            tracing::warn!(
                target: TARGET,
                "no known broker can be reached; asking the bootstrap addresses again"
            );
        }
        Event::Throttled {
            broker, throttle, ..
        } => {
            let throttle = Readable::coarse(*throttle);
            match lasting(notice) {
                None => tracing::info!(target: TARGET, broker, %throttle, "throttled"),
                Some((lasting, times)) => tracing::info!(
                    target: TARGET, broker, %throttle, %lasting, times, "still throttled"
                ),
            }
        }
        _ => {}
    }
}

fn topics(event: &Event, notice: Notice) {
    match event {
        Event::TopicUnavailable {
            topic,
            code,
            missing_for: Some(time),
            is_refused: true,
            ..
        } => {
            let missing_for = Readable::coarse(*time);
            tracing::warn!(
                target: TARGET, %topic, %code, %missing_for,
                "topic does not exist; sends to it are refused until it is created"
            );
        }
        Event::TopicUnavailable {
            topic,
            code,
            is_refused: true,
            ..
        } => {
            tracing::warn!(target: TARGET, %topic, %code, "topic cannot be written to");
        }
        Event::TopicUnavailable { topic, code, .. } => match lasting(notice) {
            None => tracing::warn!(target: TARGET, %topic, %code, "topic unavailable"),
            Some((lasting, times)) => tracing::warn!(
                target: TARGET, %topic, %code, %lasting, times, "topic still unavailable"
            ),
        },
        Event::TopicAvailable { topic, lasted } => {
            let lasted = Readable::coarse(*lasted);
            tracing::info!(target: TARGET, %topic, %lasted, "topic available again");
        }
        _ => {}
    }
}

fn records(event: &Event, notice: Notice) {
    let lasting = lasting(notice);
    match event {
        Event::Retry {
            topic,
            partition,
            records,
            attempts,
            cause,
        } => match lasting {
            None => tracing::info!(
                target: TARGET, %topic, partition, records, attempts, %cause, "batch is sent again"
            ),
            Some((lasting, times)) => tracing::info!(
                target: TARGET, %topic, %cause, %lasting, times,
                "batches of this topic are still sent again"
            ),
        },
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
        } => not_acknowledged((topic, *partition, *records), *written, cause, lasting),
        _ => {}
    }
}

fn not_acknowledged(
    (topic, partition, records): (&str, i32, u32),
    written: Written,
    cause: &Cause,
    lasting: Option<(Readable, u32)>,
) {
    let maybe_written = written == Written::Unknown;
    match lasting {
        None => tracing::warn!(
            target: TARGET, %topic, partition, records, maybe_written, %cause,
            "records were not acknowledged"
        ),
        Some((lasting, times)) => tracing::warn!(
            target: TARGET, %topic, partition, records, maybe_written, %cause, %lasting,
            batches = times, "records are still not acknowledged"
        ),
    }
}

fn others(event: &Event) {
    match event {
        Event::MetadataUpdated { brokers, topics } => {
            tracing::debug!(target: TARGET, brokers, topics, "metadata updated");
        }
        Event::LeaderMoved {
            topic,
            partition,
            leader,
            leader_epoch,
        } => {
            tracing::info!(
                target: TARGET, %topic, partition, leader, leader_epoch, "leader moved"
            );
        }
        Event::IdentityGranted { producer_id, epoch } => {
            tracing::info!(target: TARGET, producer_id, epoch, "producer id granted");
        }
        Event::DataLost {
            topic,
            partition,
            broker,
            acknowledged,
        } => {
            tracing::warn!(
                target: TARGET, %topic, partition, broker, acknowledged,
                "a broker lost records that it had acknowledged"
            );
        }
        Event::ClusterChanged {
            address,
            before,
            after,
        } => {
            tracing::warn!(
                target: TARGET, %address, %before, %after,
                "another cluster answers than before; the producer goes on there"
            );
        }
        Event::EpochBumped { producer_id, epoch } => {
            tracing::info!(target: TARGET, producer_id, epoch, "epoch bumped");
        }
        _ => {}
    }
}
