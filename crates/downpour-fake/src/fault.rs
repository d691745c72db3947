//! The faults that a test asks for, one line each, and when one is due. What a fault does to the
//! cluster and to the answer is carried out by `logic::cluster` and the APIs.

use std::time::Duration;

use downpour_wire::error_code::ErrorCode;
use downpour_wire::messages::ApiKey;

/// What goes wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Action {
    /// Answer with a code, having applied the request or not.
    Error { code: ErrorCode, applied: bool },
    /// Close the connection, having applied the request or not, after some bytes of the answer.
    Disconnect { applied: bool, answer_bytes: usize },
    /// Answer neither this nor any later request of the connection.
    Hang { applied: bool },
    /// Answer late; the connection serves nothing else meanwhile.
    Delay(Duration),
    /// Serve the request only after this time; nothing else on its connection meanwhile.
    Hold(Duration),
    /// Answer with a throttle time and serve nothing on this connection for as long.
    Throttle { ms: u32 },
    /// Answer with nonsense after the correlation id.
    CorruptAnswer,
    /// Answer with nothing after the correlation id.
    EmptyAnswer,
    /// Answer with a frame that claims another length than it has.
    WrongLength { length: i32 },
    /// Answer with another request's correlation id.
    WrongCorrelationId,
    /// Leave the partition out of the answer.
    Omit { applied: bool },
    /// Before the request is served: move the partitions that it names to another leader.
    MoveLeader { to: i32 },
    /// Before the request is served: forget the producers of the partitions that it names.
    ExpireProducers,
    /// Take down the broker that got the request, having applied it or not.
    Kill { applied: bool },
}

/// Something that goes wrong once, or as often as asked.
///
/// A fault is an action and a filter. Without a filter it applies to the next request of any
/// kind, ApiVersions included, so say [`on`](Self::on). All matching requests count towards
/// [`nth`](Self::nth), also those to which another fault was applied. At most one fault is applied
/// to a request: of those that are due the one that was added first; the others stay due.
///
/// ```
/// use downpour_fake::{ApiKey, ErrorCode, Fault};
///
/// let refused_twice = Fault::error(ErrorCode::NOT_LEADER_OR_FOLLOWER)
///     .on(ApiKey::Produce)
///     .topic("events")
///     .partition(0)
///     .nth(2)
///     .times(2);
/// # let _ = refused_twice;
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    pub(crate) action: Action,
    api: Option<ApiKey>,
    topic: Option<String>,
    partition: Option<i32>,
    broker: Option<i32>,
    /// Of an error after the append: the answer does not tell the offset.
    pub(crate) hides_offset: bool,
    nth: u64,
    /// `None` is forever.
    remaining: Option<u64>,
    seen: u64,
}

impl Fault {
    const fn new(action: Action) -> Self {
        Self {
            action,
            api: None,
            topic: None,
            partition: None,
            broker: None,
            hides_offset: false,
            nth: 1,
            remaining: Some(1),
            seen: 0,
        }
    }

    /// Answers `code` for what matches and does not apply it; the rest of the request is served.
    #[must_use]
    pub const fn error(code: ErrorCode) -> Self {
        Self::new(Action::Error {
            code,
            applied: false,
        })
    }

    /// Appends what matches and answers `code` all the same, as a broker does with
    /// NOT_ENOUGH_REPLICAS_AFTER_APPEND and REQUEST_TIMED_OUT.
    #[must_use]
    pub const fn apply_then_error(code: ErrorCode) -> Self {
        Self::new(Action::Error {
            code,
            applied: true,
        })
    }

    /// Of [`apply_then_error`](Self::apply_then_error): the answer does not tell the offset, as where
    /// a broker's log fails after its append (KAFKA_STORAGE_ERROR, UNKNOWN_SERVER_ERROR).
    ///
    /// ```
    /// use downpour_fake::{ApiKey, ErrorCode, Fault};
    ///
    /// let disk = Fault::apply_then_error(ErrorCode::KAFKA_STORAGE_ERROR)
    ///     .without_offset()
    ///     .on(ApiKey::Produce);
    /// # let _ = disk;
    /// ```
    #[must_use]
    pub const fn without_offset(mut self) -> Self {
        self.hides_offset = true;
        self
    }

    /// Serves the request, then closes the connection instead of answering: the client cannot know
    /// that its records were written.
    #[must_use]
    pub const fn apply_and_lose_answer() -> Self {
        Self::new(Action::Disconnect {
            applied: true,
            answer_bytes: 0,
        })
    }

    /// Serves the request, and answers neither it nor any later one of the connection.
    #[must_use]
    pub const fn apply_and_hang() -> Self {
        Self::new(Action::Hang { applied: true })
    }

    /// Does not serve the request, and answers neither it nor any later one of the connection.
    #[must_use]
    pub const fn hang() -> Self {
        Self::new(Action::Hang { applied: false })
    }

    /// Closes the connection without having served the request.
    #[must_use]
    pub const fn disconnect() -> Self {
        Self::new(Action::Disconnect {
            applied: false,
            answer_bytes: 0,
        })
    }

    /// Serves the request and closes the connection after `bytes` of the answer, whose first four
    /// are its length. At least the answer's last byte is always held back.
    #[must_use]
    pub const fn disconnect_mid_frame(bytes: usize) -> Self {
        Self::new(Action::Disconnect {
            applied: true,
            answer_bytes: bytes,
        })
    }

    /// Takes `delay` longer over the request; the connection serves nothing else meanwhile. The
    /// records are readable before the answer goes out.
    #[must_use]
    pub const fn delay(delay: Duration) -> Self {
        Self::new(Action::Delay(delay))
    }

    /// Lets the request lie for `delay` and serves it only then, also if its connection is closed
    /// meanwhile: a client that gave up and sent its records again finds its own first attempt there.
    #[must_use]
    pub const fn hold(delay: Duration) -> Self {
        Self::new(Action::Hold(delay))
    }

    /// Answers with this throttle time, in milliseconds, and as a real broker serves nothing on the
    /// connection until it is over.
    #[must_use]
    pub const fn throttle(ms: u32) -> Self {
        Self::new(Action::Throttle { ms })
    }

    /// Serves the request and answers with the right length and correlation id and a body of
    /// nonsense.
    #[must_use]
    pub const fn corrupt_answer() -> Self {
        Self::new(Action::CorruptAnswer)
    }

    /// Serves the request and answers with a frame that ends after the correlation id.
    #[must_use]
    pub const fn empty_answer() -> Self {
        Self::new(Action::EmptyAnswer)
    }

    /// Serves the request and answers with a frame that claims to be `length` bytes long, negative
    /// or enormous if that is wanted; the frame itself is whole.
    #[must_use]
    pub const fn wrong_length(length: i32) -> Self {
        Self::new(Action::WrongLength { length })
    }

    /// Serves the request and answers with a correlation id that was not asked for.
    #[must_use]
    pub const fn wrong_correlation_id() -> Self {
        Self::new(Action::WrongCorrelationId)
    }

    /// Does not serve what matches, and leaves it out of the answer.
    #[must_use]
    pub const fn omit() -> Self {
        Self::new(Action::Omit { applied: false })
    }

    /// Serves what matches, and leaves it out of the answer.
    #[must_use]
    pub const fn apply_and_omit() -> Self {
        Self::new(Action::Omit { applied: true })
    }

    /// Moves the matching partitions that the request names to broker `to`, then serves it, so that
    /// the broker answers that it is not the leader.
    #[must_use]
    pub const fn move_leader(to: i32) -> Self {
        Self::new(Action::MoveLeader { to })
    }

    /// Forgets all producers of the matching partitions that the request names, then serves it.
    #[must_use]
    pub const fn expire_producers() -> Self {
        Self::new(Action::ExpireProducers)
    }

    /// Takes the broker down instead of serving the request.
    #[must_use]
    pub const fn kill_broker() -> Self {
        Self::new(Action::Kill { applied: false })
    }

    /// Serves the request and takes the broker down before it answers.
    #[must_use]
    pub const fn apply_and_kill_broker() -> Self {
        Self::new(Action::Kill { applied: true })
    }

    /// Only requests of this kind.
    #[must_use]
    pub const fn on(mut self, api: ApiKey) -> Self {
        self.api = Some(api);
        self
    }

    /// Only requests that name this topic, and of them only this topic.
    #[must_use]
    pub fn topic(mut self, topic: impl Into<String>) -> Self {
        self.topic = Some(topic.into());
        self
    }

    /// Only requests that name this partition, and of them only this partition.
    #[must_use]
    pub const fn partition(mut self, partition: i32) -> Self {
        self.partition = Some(partition);
        self
    }

    /// Only requests to this broker.
    #[must_use]
    pub const fn broker(mut self, node: i32) -> Self {
        self.broker = Some(node);
        self
    }

    /// Not before the `nth` matching request since the fault was added. Default: 1, the next.
    #[must_use]
    pub const fn nth(mut self, nth: u64) -> Self {
        self.nth = nth;
        self
    }

    /// To how many matching requests in a row the fault is applied. Default: 1.
    #[must_use]
    pub const fn times(mut self, times: u64) -> Self {
        self.remaining = Some(times);
        self
    }

    /// Every matching request from the `nth` on, until faults are cleared.
    #[must_use]
    pub const fn always(mut self) -> Self {
        self.remaining = None;
        self
    }

    /// True if this fault is about that partition; `None` is a request about the whole topic.
    pub(crate) fn covers(&self, topic: &str, partition: Option<i32>) -> bool {
        self.topic.as_deref().is_none_or(|wanted| wanted == topic)
            && self
                .partition
                .is_none_or(|wanted| Some(wanted) == partition)
    }

    fn matches(&self, request: &RequestMatch<'_>) -> bool {
        let filtered = self.topic.is_some() || self.partition.is_some();
        self.api.is_none_or(|api| api == request.api)
            && self.broker.is_none_or(|node| node == request.node)
            && (!filtered
                || request
                    .targets
                    .iter()
                    .any(|target| self.covers(&target.0, target.1)))
    }
}

/// A topic, and a partition of it where the request names partitions.
pub(crate) type Target = (String, Option<i32>);

/// What decides which faults match a request.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RequestMatch<'a> {
    pub(crate) api: ApiKey,
    pub(crate) node: i32,
    pub(crate) targets: &'a [Target],
}

/// The faults of a cluster, in the order in which they were added.
#[derive(Debug, Clone, Default)]
pub(crate) struct Faults {
    waiting: Vec<Fault>,
}

impl Faults {
    pub(crate) fn add(&mut self, fault: Fault) {
        if fault.remaining != Some(0) {
            self.waiting.push(fault);
        }
    }

    pub(crate) fn clear(&mut self) {
        self.waiting.clear();
    }

    /// How many faults have not run out.
    pub(crate) fn len(&self) -> usize {
        self.waiting.len()
    }

    /// Counts the request for every fault that matches it, and hands out the first one that is due.
    pub(crate) fn take_due(&mut self, request: &RequestMatch<'_>) -> Option<Fault> {
        let mut due = None;
        for (index, fault) in self.waiting.iter_mut().enumerate() {
            if !fault.matches(request) {
                continue;
            }
            fault.seen += 1;
            if fault.seen >= fault.nth && due.is_none() {
                due = Some(index);
            }
        }
        let index = due?;
        let fault = &mut self.waiting[index];
        if let Some(remaining) = &mut fault.remaining {
            *remaining -= 1;
            if *remaining == 0 {
                return Some(self.waiting.remove(index));
            }
        }
        Some(fault.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn produce(targets: &[Target]) -> RequestMatch<'_> {
        RequestMatch {
            api: ApiKey::Produce,
            node: 1,
            targets,
        }
    }

    #[test]
    fn fault_waits_for_the_nth_match_and_then_lasts_its_times() {
        let mut faults = Faults::default();
        faults.add(Fault::hang().on(ApiKey::Produce).nth(2).times(2));
        let was_due: Vec<bool> = (0..5)
            .map(|_| faults.take_due(&produce(&[])).is_some())
            .collect();
        assert_eq!(was_due, [false, true, true, false, false]);
        assert_eq!(faults.len(), 0);
    }

    #[test]
    fn two_due_faults_take_one_request_each() {
        let mut faults = Faults::default();
        faults.add(Fault::error(ErrorCode::UNKNOWN_SERVER_ERROR));
        faults.add(Fault::hang());
        let actions: Vec<Action> = (0..2)
            .filter_map(|_| faults.take_due(&produce(&[])))
            .map(|fault| fault.action)
            .collect();
        assert_eq!(
            actions,
            [
                Action::Error {
                    code: ErrorCode::UNKNOWN_SERVER_ERROR,
                    applied: false
                },
                Action::Hang { applied: false }
            ]
        );
    }

    #[test]
    fn fault_counts_requests_that_another_fault_took() {
        let mut faults = Faults::default();
        faults.add(Fault::disconnect());
        faults.add(Fault::hang().nth(2));
        assert!(faults.take_due(&produce(&[])).is_some());
        assert!(faults.take_due(&produce(&[])).is_some());
        assert_eq!(faults.len(), 0);
    }

    #[test]
    fn filter_wants_topic_and_partition_of_one_target() {
        let mut faults = Faults::default();
        faults.add(Fault::hang().topic("a").partition(1));
        let apart = [("a".to_owned(), Some(0)), ("b".to_owned(), Some(1))];
        assert!(faults.take_due(&produce(&apart)).is_none());
        assert!(
            faults
                .take_due(&produce(&[("a".to_owned(), Some(1))]))
                .is_some()
        );
    }

    #[test]
    fn endless_fault_stays_until_cleared() {
        let mut faults = Faults::default();
        faults.add(Fault::throttle(5).always());
        assert!((0..100).all(|_| faults.take_due(&produce(&[])).is_some()));
        faults.clear();
        assert!(faults.take_due(&produce(&[])).is_none());
    }
}
