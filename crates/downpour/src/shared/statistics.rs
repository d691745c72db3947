//! Puts together what a producer has done so far from figures that others published.
//!
//! It takes no lock that a send or a round would wait for.

use crate::observe::statistics::{BrokerStatistics, Counts, PartitionStatistics, Statistics};
use crate::shared::shared::Shared;
use crate::sys::sync::atomic::Ordering;
use crate::topics::partitions::PartitionEntry;

/// What there is to say now. Nothing in a forked child, where locks may be held by threads that
/// it does not have.
pub(crate) fn collect(shared: &Shared) -> Statistics {
    let mut statistics = Statistics::default();
    if shared.is_forked() {
        return statistics;
    }
    shared.topics.each(|topic| {
        for entry in topic.partitions.iter() {
            let counts = counts(entry);
            if counts != Counts::default() {
                statistics.total.add(&counts);
                statistics.partitions.push(PartitionStatistics {
                    topic: topic.name().clone(),
                    partition: entry.id.index,
                    counts,
                });
            }
        }
    });
    let order = |p: &PartitionStatistics| (p.topic.clone(), p.partition);
    statistics.partitions.sort_by_cached_key(order);
    for (id, figures) in shared.brokers.list() {
        statistics.brokers.push(BrokerStatistics {
            id,
            requests: figures.requests.load(Ordering::Relaxed),
            request_bytes: figures.request_bytes.load(Ordering::Relaxed),
            answers: figures.answers.load(Ordering::Relaxed),
            lost: figures.lost.load(Ordering::Relaxed),
        });
    }
    statistics
}

fn counts(entry: &PartitionEntry) -> Counts {
    let (queue, tally) = (entry.figures.read(), &entry.tally);
    Counts {
        batches: queue.batches,
        records: queue.records,
        bytes: queue.bytes,
        sendings: queue.sendings,
        sent_bytes: queue.sent_bytes,
        retries: queue.retries,
        delivered: tally.delivered(),
        failed: tally.failed(),
        unknown: tally.unknown(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::clock::Clock;
    use std::sync::Arc;

    use crate::config::partial::PartialConfig;
    use crate::config::resolve;
    use crate::sys::wake::fixtures::in_time;

    #[test]
    fn nobody_who_appends_or_waits_for_memory_keeps_them_back() {
        let partial = PartialConfig::of("one:1");
        let settings = resolve::settings(partial).unwrap();
        let shared = Shared::new(
            settings,
            Clock::default(),
            Box::new(|_| Err(std::io::Error::other("none in this test"))),
        );
        let topic = shared.topics.add("t").unwrap();
        shared.update_topic(&topic, &Arc::from([Some(1)]), false, &mut Vec::new());
        let entry = topic.partitions.get(0).unwrap();
        let held = entry.lock();
        entry.figures.publish(held.queue.counters());
        let own = Arc::clone(&shared);
        in_time(move || assert_eq!(collect(&own), Statistics::default()));
        drop(held);
    }
}
