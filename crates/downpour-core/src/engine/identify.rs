//! The producer id: asked for early, bumped locally, renewed when its epochs are used up.

use std::sync::Arc;
use std::time::Instant;

use downpour_wire::error_code::ErrorCode;
use downpour_wire::messages::{InitProducerIdRequest, InitProducerIdResponse};

use crate::connection::LinkId;
use crate::engine::state::{Engine, Place, Purpose, Queues};
use crate::event::Event;
use crate::identity::{Bump, Identity};
use crate::outcome::Cause;

impl<T: Clone> Engine<T> {
    /// Asks for a producer id if it is due.
    pub(crate) fn ask_identity(&mut self, now: Instant, queues: &mut impl Queues<T>) {
        if !self.config.idempotence || !self.init.is_due(now) {
            return;
        }
        let able = |link: &LinkId| self.links[link].versions.init_producer_id;
        let ready: Vec<LinkId> = self
            .links
            .values()
            .filter(|c| c.is_ready())
            .map(|c| c.id)
            .collect();
        let Some(&link) = ready.iter().find(|link| able(link).is_some()) else {
            if !ready.is_empty() {
                let reason = "the broker is older than idempotence (Kafka 0.11); \
                              set enable.idempotence=false to produce without it";
                self.fail_without_identity(reason, now, queues);
            } else if self.has_work() {
                self.ensure_any_link(now);
            }
            return;
        };
        let Some(version) = able(&link) else { return };
        let request = InitProducerIdRequest {
            transactional_id: None,
            transaction_timeout_ms: i32::MAX,
            producer_id: -1,
            producer_epoch: -1,
        };
        self.init.asked = Some(link);
        self.ask(link, &request, version, Purpose::InitProducerId, now);
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
        self.init.wanted = true;
        self.init.attempts = self.init.attempts.saturating_add(1);
        let pause = self
            .rng
            .backoff(self.config.retry_backoff, self.init.attempts);
        self.init.retry_at = Some(now + pause);
    }

    /// No retry mends it: what waits fails with the reason instead of timing out later.
    fn fail_without_identity(&mut self, reason: &str, now: Instant, queues: &mut impl Queues<T>) {
        let cause = Cause::NoIdentity {
            reason: Arc::from(reason),
        };
        for slot in self.slots_where(|state| state.place != Place::Idle) {
            let effects = &mut self.effects;
            queues.with(slot, |queue| queue.fail_unsent(&cause, now, effects));
        }
        self.carry_out_effects();
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
