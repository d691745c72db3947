//! The producer id: asked for early, bumped locally, renewed when its epochs are used up.

use std::sync::Arc;
use std::time::Instant;

use downpour_wire::error_code::ErrorCode;
use downpour_wire::messages::{InitProducerIdRequest, InitProducerIdResponse};

use crate::event::Event;
use crate::identity::{Bump, Identity};
use crate::ids::ConnectionId;
use crate::outcome::Cause;
use crate::produce::engine::Engine;
use crate::produce::queues::Queues;
use crate::produce::requests::Purpose;
use crate::produce::topic_state::ReadyList;

impl<T: Clone> Engine<T> {
    /// Asks for a producer id if it is due.
    pub(crate) fn ask_identity(&mut self, now: Instant, queues: &mut impl Queues<T>) {
        if !self.config.idempotence || !self.init.is_due(now) {
            return;
        }
        let able = |connection_id: &ConnectionId| {
            self.connections[connection_id].versions.init_producer_id
        };
        let ready: Vec<ConnectionId> = self
            .connections
            .values()
            .filter(|c| c.is_ready())
            .map(|c| c.id)
            .collect();
        let Some(&connection_id) = ready
            .iter()
            .find(|connection_id| able(connection_id).is_some())
        else {
            if !ready.is_empty() {
                let reason = "the broker is older than idempotence (Kafka 0.11); \
                              set enable.idempotence=false to produce without it";
                self.fail_without_identity(reason, now, queues);
            } else if self.has_work() {
                self.ensure_any_connection(now);
            }
            return;
        };
        let Some(version) = able(&connection_id) else {
            return;
        };
        let request = InitProducerIdRequest {
            transactional_id: None,
            transaction_timeout_ms: i32::MAX,
            producer_id: -1,
            producer_epoch: -1,
        };
        self.init.asked = Some(connection_id);
        self.ask(
            connection_id,
            &request,
            version,
            Purpose::InitProducerId,
            now,
        );
    }

    pub(crate) fn handle_identity(
        &mut self,
        response: &InitProducerIdResponse,
        now: Instant,
        queues: &mut impl Queues<T>,
    ) {
        self.init.asked = None;
        match response.error_code {
            ErrorCode::NONE => {
                let (id, epoch) = (response.producer_id, response.producer_epoch);
                self.init.wanted = false;
                self.init.attempts = 0;
                self.identity.handle_granted(Identity { id, epoch });
                self.event(Event::IdentityGranted {
                    producer_id: id,
                    epoch,
                });
                for broker in self.brokers.values_mut() {
                    broker.ready |= !broker.active.is_empty();
                }
            }
            ErrorCode::COORDINATOR_LOAD_IN_PROGRESS
            | ErrorCode::COORDINATOR_NOT_AVAILABLE
            | ErrorCode::NOT_COORDINATOR
            | ErrorCode::CONCURRENT_TRANSACTIONS
            | ErrorCode::REQUEST_TIMED_OUT
            | ErrorCode::THROTTLING_QUOTA_EXCEEDED
            | ErrorCode::UNKNOWN_SERVER_ERROR => self.identity_again(now),
            code => {
                let reason = format!("the broker refused one: {code}");
                self.fail_without_identity(&reason, now, queues);
            }
        }
    }

    fn identity_again(&mut self, now: Instant) {
        let backoff = self.config.retry_backoff;
        self.init.retry(backoff, &mut self.rng, now);
    }

    /// No retry mends it: what waits fails with the reason instead of timing out later.
    fn fail_without_identity(&mut self, reason: &str, now: Instant, queues: &mut impl Queues<T>) {
        let cause = Cause::NoIdentity {
            reason: Arc::from(reason),
        };
        for partition in self.partitions_where(|state| state.list != ReadyList::None) {
            let out = &mut self.out;
            queues.with(partition, |queue| queue.fail_unsent(&cause, now, out));
        }
        self.identity_again(now);
    }

    /// A newer identity for a partition whose sequence broke under `stale`.
    pub(crate) fn bump(&mut self, stale: Identity) -> Option<Identity> {
        match self.identity.bump(stale) {
            Bump::Use(identity) => Some(identity),
            Bump::Bumped(identity) => {
                let Identity { id, epoch } = identity;
                self.event(Event::EpochBumped {
                    producer_id: id,
                    epoch,
                });
                Some(identity)
            }
            Bump::Exhausted => {
                self.init.wanted = true;
                None
            }
        }
    }
}
