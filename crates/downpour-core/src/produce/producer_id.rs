//! The producer id: asked for early, bumped locally, renewed when its epochs are used up.

use std::sync::Arc;
use std::time::{Duration, Instant};

use downpour_wire::error_code::ErrorCode;
use downpour_wire::messages::{ApiKey, InitProducerIdRequest, InitProducerIdResponse};

use crate::client::connection::Connection;
use crate::config::Address;
use crate::event::{Event, Question};
use crate::identity::{Bump, Grant, Identity};
use crate::ids::ConnectionId;
use crate::outcome::Cause;
use crate::produce::engine::Engine;
use crate::produce::queues::Queues;
use crate::produce::requests::Purpose;

impl<T: Clone> Engine<T> {
    /// Asks for a producer id if it is due.
    pub(crate) fn ask_identity(&mut self, now: Instant, queues: &mut impl Queues<T>) {
        if !self.config.idempotence || !self.init.is_due(now) {
            return;
        }
        // Asked for early, but not again and again for nobody.
        if self.no_identity.is_some() && !self.has_work() {
            return;
        }
        let (key, last) = (ApiKey::InitProducerId, self.init.last());
        let asked = self.connections.whom_to_ask(key, last, now);
        // A pause that a broker asked for is no reason to go without an id.
        let Some((connection_id, version)) = asked.or_else(|| self.connections.who_speaks(key))
        else {
            if self.connections.iter().any(Connection::is_usable) {
                let reason = "the broker is older than idempotence (Kafka 0.11); \
                              set enable.idempotence=false to produce without it";
                let code = Some(ErrorCode::UNSUPPORTED_VERSION);
                let usable = self.connections.iter().find(|c| c.is_usable());
                if let Some(address) = usable.map(|c| c.address().clone()) {
                    self.fail_without_identity(&address, (code, reason), now, queues);
                }
            } else if self.has_work() {
                self.ensure_any_connection(now);
            }
            return;
        };
        let request = InitProducerIdRequest {
            transactional_id: None,
            transaction_timeout_ms: i32::MAX,
            producer_id: -1,
            producer_epoch: -1,
        };
        self.init.handle_asked(connection_id);
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
        connection_id: ConnectionId,
        response: &InitProducerIdResponse,
        now: Instant,
        queues: &mut impl Queues<T>,
    ) {
        self.init.handle_answered();
        let Some(connection) = self.connections.get(connection_id) else {
            return;
        };
        let address = connection.address().clone();
        let (id, epoch) = (response.producer_id, response.producer_epoch);
        match response.error_code {
            // With it every batch would look as if it were of a producer that wants no idempotence.
            ErrorCode::NONE if id < 0 || epoch < 0 => {
                let reason =
                    format!("it answered producer id {id} and epoch {epoch}, which is none");
                let reason = Arc::from(reason);
                self.unanswered(Question::ProducerId, &address, (None, reason), now);
                self.identity_again(now);
            }
            ErrorCode::NONE => {
                self.init.renew(now);
                self.init.settle(Duration::ZERO, now);
                self.no_identity = None;
                self.question_notices.end(&Question::ProducerId, now);
                self.identity.handle_granted(Grant {
                    identity: Identity { id, epoch },
                    generation: 0,
                });
                self.event(Event::IdentityGranted {
                    producer_id: id,
                    epoch,
                });
                for id in self.lists.brokers() {
                    self.brokers.entry(id).or_default().ready = true;
                }
                self.judge_cluster();
            }
            code @ (ErrorCode::COORDINATOR_LOAD_IN_PROGRESS
            | ErrorCode::COORDINATOR_NOT_AVAILABLE
            | ErrorCode::NOT_COORDINATOR
            | ErrorCode::CONCURRENT_TRANSACTIONS
            | ErrorCode::REQUEST_TIMED_OUT
            | ErrorCode::THROTTLING_QUOTA_EXCEEDED
            | ErrorCode::UNKNOWN_SERVER_ERROR) => {
                let reason = Arc::from(format!("it answered {code}"));
                self.unanswered(Question::ProducerId, &address, (Some(code), reason), now);
                self.identity_again(now);
            }
            code => {
                let mut reason = format!("the broker refused one: {code}");
                if code == ErrorCode::CLUSTER_AUTHORIZATION_FAILED {
                    reason.push_str(
                        "; grant WRITE on a topic (before Kafka 3.0 IDEMPOTENT_WRITE on the \
                         cluster), or set enable.idempotence=false",
                    );
                }
                self.fail_without_identity(&address, (Some(code), &reason), now, queues);
            }
        }
    }

    fn identity_again(&mut self, now: Instant) {
        let backoff = self.config.retry_backoff;
        self.init.retry(backoff, &mut self.rng, now);
    }

    /// No retry mends it: what waits fails with the reason instead of timing out later.
    fn fail_without_identity(
        &mut self,
        address: &Address,
        (code, reason): (Option<ErrorCode>, &str),
        now: Instant,
        queues: &mut impl Queues<T>,
    ) {
        let told = Arc::from(reason);
        self.note_no_identity(code, &told);
        self.unanswered(Question::ProducerId, address, (code, told), now);
        let cause = Cause::NoIdentity {
            code,
            reason: Arc::from(format!("{address} was asked: {reason}")),
        };
        for partition in self.lists.enlisted().collect::<Vec<_>>() {
            let out = &mut self.out;
            // Only a new id may be refused: those that go on under theirs need none.
            queues.with(partition, |queue| {
                if queue.needs_identity() {
                    queue.fail_unsent(&cause, now, out);
                }
            });
        }
        self.identity_again(now);
    }

    /// A newer identity for a partition whose sequence broke under `stale`.
    pub(super) fn bump(&mut self, stale: Identity) -> Bumped {
        match self.identity.bump(stale) {
            Bump::Use(grant) => Bumped::Now(Some(grant)),
            Bump::Bumped(grant) => {
                self.event(Event::EpochBumped {
                    producer_id: grant.identity.id,
                    epoch: grant.identity.epoch,
                });
                Bumped::Now(Some(grant))
            }
            Bump::Exhausted => {
                self.init.want();
                Bumped::Now(None)
            }
            Bump::NotOurs => Bumped::Later,
        }
    }
}

/// What a partition with a broken sequence can go on with.
pub(super) enum Bumped {
    /// This is the producer's identity from now on; `None` until a new producer id is granted.
    Now(Option<Grant>),
    /// Somebody else has to raise the epoch.
    Later,
}
