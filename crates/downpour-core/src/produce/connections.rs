//! Connections: opened when something needs them, negotiated, lost, tried again.

use std::sync::Arc;
use std::time::Instant;

use downpour_wire::error_code::ErrorCode;
use downpour_wire::frame::Frame;
use downpour_wire::header::encode_request;
use downpour_wire::messages::{ApiKey, ApiVersionsRequest, ApiVersionsResponse, Request};
use downpour_wire::primitives::Reader;

use crate::client::connect_error::{ConnectErrorKind, ConnectFailure};
use crate::client::connection::{Connection, Pending};
use crate::client::connections::Entrance;
use crate::client::ending::{DisconnectReason, Ending};
use crate::client::stage::Stage;
use crate::client::versions::Versions;
use crate::config::{Acks, Address};
use crate::event::{Event, Question};
use crate::ids::ConnectionId;
use crate::outcome::Cause;
use crate::output::Output;
use crate::produce::engine::Engine;
use crate::produce::queues::Queues;
use crate::produce::requests::{Purpose, in_flight};
use crate::queue::Left;

impl<T: Clone> Engine<T> {
    /// The name of an address is resolved, or the caller's connector has done its work: from now on
    /// it connects, for which there is a connect timeout of its own.
    pub fn handle_resolved(&mut self, connection_id: ConnectionId, now: Instant) {
        if let Some(connection) = self.connections.get_mut(connection_id) {
            connection.handle_resolved(now);
        }
    }

    /// A socket is open.
    pub fn handle_connected(&mut self, connection_id: ConnectionId, now: Instant) {
        let connection = self.connections.get_mut(connection_id);
        if connection.is_some_and(Connection::handle_connected) {
            self.begin_stage(connection_id, now);
        }
    }

    /// A socket could not be opened.
    pub fn handle_connect_failed(
        &mut self,
        connection_id: ConnectionId,
        failure: ConnectFailure,
        now: Instant,
        queues: &mut impl Queues<T>,
    ) {
        self.lose(connection_id, Ending::Failed(failure), now, queues);
    }

    /// An open socket ended. What was written on it must have been told before.
    pub fn handle_disconnected(
        &mut self,
        connection_id: ConnectionId,
        reason: DisconnectReason,
        now: Instant,
        queues: &mut impl Queues<T>,
    ) {
        self.lose(connection_id, Ending::Ended(reason), now, queues);
    }

    /// Does what the stage begins with that a connection has just entered.
    fn begin_stage(&mut self, connection_id: ConnectionId, now: Instant) {
        match self.connections.get(connection_id).map(Connection::stage) {
            None | Some(Stage::Connecting) => {}
            Some(Stage::Negotiating) => {
                self.ask_versions(connection_id, ApiKey::ApiVersions.versions().1, now);
            }
            Some(Stage::Usable(_)) => self.handle_usable(connection_id),
        }
    }

    fn ask_versions(&mut self, connection_id: ConnectionId, version: i16, now: Instant) {
        let request = ApiVersionsRequest {
            client_software_name: "downpour".to_owned(),
            client_software_version: env!("CARGO_PKG_VERSION").to_owned(),
        };
        self.ask(connection_id, &request, version, Purpose::ApiVersions, now);
    }

    /// Sends a request that carries no records.
    pub(crate) fn ask<R: Request>(
        &mut self,
        connection_id: ConnectionId,
        request: &R,
        version: i16,
        purpose: Purpose,
        now: Instant,
    ) {
        let Some(connection) = self.connections.get_mut(connection_id) else {
            return;
        };
        let id = connection.next_correlation_id();
        let bytes = encode_request(request, version, id, &self.config.client_id)
            .expect("the version was chosen among those that carry this request");
        connection.handle_request((R::KEY, version), bytes.len(), true, purpose, now);
        self.out.push_back(Output::Write {
            connection_id,
            frame: Frame::from_vec(bytes),
        });
    }

    /// An answer came to the question which versions a broker speaks.
    pub(crate) fn handle_versions(
        &mut self,
        connection_id: ConnectionId,
        asked: i16,
        reader: &Reader<'_>,
        now: Instant,
    ) -> Result<(), Ending> {
        let response = ApiVersionsResponse::decode_lenient(reader.rest(), asked).map_err(|e| {
            Ending::protocol(format_args!("its list of versions could not be read: {e}"))
        })?;
        let refused = |why: String| Ending::failed(ConnectErrorKind::Versions, why);
        match response.error_code {
            ErrorCode::NONE => {}
            ErrorCode::UNSUPPORTED_VERSION if asked > 0 => {
                let key = ApiKey::ApiVersions as i16;
                let theirs = response.api_keys.iter().find(|v| v.api_key == key);
                let version = theirs.map_or(0, |v| v.max_version).clamp(0, asked - 1);
                self.ask_versions(connection_id, version, now);
                return Ok(());
            }
            code => return Err(refused(format!("it refused to list its versions: {code}"))),
        }
        let needed = [ApiKey::Produce, ApiKey::Metadata];
        let versions = Versions::choose(&response, &needed).map_err(|key| {
            refused(format!(
                "it speaks no version of {key:?} that this client does"
            ))
        })?;
        if self.connections.handle_versions(connection_id, versions) {
            self.begin_stage(connection_id, now);
        }
        Ok(())
    }

    fn handle_usable(&mut self, connection_id: ConnectionId) {
        let notice = self.connections.handle_usable(connection_id);
        let Some(connection) = self.connections.get(connection_id) else {
            return;
        };
        let chosen = |key| connection.version_of(key).unwrap_or(-1);
        let connected = Event::Connected {
            address: connection.address().clone(),
            broker: connection.broker(),
            produce_version: chosen(ApiKey::Produce),
            metadata_version: chosen(ApiKey::Metadata),
            notice,
        };
        if let Some(id) = connection.broker() {
            self.brokers.entry(id).or_default().ready = true;
            self.close_bootstrap_connections();
        }
        self.event(connected);
    }

    /// Opens a connection to a broker, unless there is one or it is too early.
    pub(super) fn ensure_connection(&mut self, id: i32, now: Instant) {
        let address = self.cluster.brokers().get(&id);
        if let Some(address) = address.filter(|_| self.connections.may_open(id, now)) {
            let address = address.clone();
            self.open(address, Some(id), now);
        }
    }

    /// Makes sure that there will be a connection to ask something on.
    pub(super) fn ensure_any_connection(&mut self, now: Instant) {
        let known = self.cluster.brokers().keys().copied();
        let addresses = &self.config.bootstrap;
        match self.connections.entrance(known, addresses, now) {
            None | Some(Entrance::Later) => {}
            Some(Entrance::Broker(id)) => self.ensure_connection(id, now),
            Some(Entrance::Bootstrap { address, is_again }) => {
                if is_again {
                    self.event(Event::Rebootstrap);
                }
                self.open(address, None, now);
            }
        }
    }

    fn open(&mut self, address: Address, broker: Option<i32>, now: Instant) {
        self.event(Event::Connecting {
            address: address.clone(),
            broker,
        });
        let connection_id = self.connections.add(address.clone(), broker, now);
        self.out.push_back(Output::Connect {
            connection_id,
            address,
            broker,
        });
    }

    /// Ends a connection from our side.
    pub(crate) fn disconnect(
        &mut self,
        connection_id: ConnectionId,
        ending: Ending,
        now: Instant,
        queues: &mut impl Queues<T>,
    ) {
        self.out.push_back(Output::Disconnect { connection_id });
        self.lose(connection_id, ending, now, queues);
    }

    fn lose(
        &mut self,
        connection_id: ConnectionId,
        ending: Ending,
        now: Instant,
        queues: &mut impl Queues<T>,
    ) {
        let (config, rng) = (&self.config, &mut self.rng);
        let removed = self.connections.remove(connection_id, config, rng, now);
        let Some((mut connection, retry_after)) = removed else {
            return;
        };
        let (broker, unanswered) = (connection.broker(), connection.unanswered());
        self.statistics.handle_lost(broker, in_flight(&connection));
        let ended = connection.conclude(ending);
        let was_usable = ended.is_ok();
        let reason = match &ended {
            Ok(reason) => reason.clone(),
            // Only its own first question was on it.
            Err(_) => DisconnectReason::Closed,
        };
        let address = connection.address().clone();
        let has_worked = self.connections.has_worked(&address);
        let notice = self.connections.note_end(&address, &ended, now);
        for pending in connection.take_requests() {
            let left = left(&connection, &pending);
            self.lose_request(pending, left, (&address, &reason), now, queues);
        }
        let event = match ended {
            Ok(reason) => Event::Disconnected {
                address,
                broker,
                reason,
                unanswered,
                notice,
            },
            Err(error) => {
                if let Some(broker) = broker {
                    self.connections.handle_unreachable(broker, error.clone());
                }
                Event::ConnectFailed {
                    error,
                    broker,
                    retry_after,
                    has_worked,
                    notice,
                }
            }
        };
        self.event(event);
        if broker.is_none() && !was_usable {
            self.note_unreachable(connection.address());
        }
        // A broker that does not lead the partition of a record that it does not acknowledge says so by
        // closing the connection, and in no other way.
        let is_told = self.config.acks == Acks::None && was_usable;
        // That nobody needed a connection says nothing of leaders.
        let was_idle = matches!(reason, DisconnectReason::Idle(_));
        let is_sign = (was_usable || broker.is_some()) && !was_idle;
        if is_sign && (self.has_work() || is_told) {
            // Its partitions may have another leader already.
            self.metadata.want();
        }
    }

    fn lose_request(
        &mut self,
        pending: Pending<Purpose>,
        left: Left,
        (address, reason): (&Address, &DisconnectReason),
        now: Instant,
        queues: &mut impl Queues<T>,
    ) {
        let backoff = self.config.retry_backoff;
        match pending.into_purpose() {
            Purpose::ApiVersions => {}
            Purpose::Metadata { .. } => {
                let retry_at = self.metadata.handle_lost(backoff, &mut self.rng, now);
                self.wanted.handle_lost(retry_at);
                let told = (None, reason.to_string().into());
                self.unanswered(Question::Metadata, address, told, now);
            }
            Purpose::InitProducerId => {
                self.init.handle_lost(backoff, &mut self.rng, now);
                let told = (None, reason.to_string().into());
                self.unanswered(Question::ProducerId, address, told, now);
            }
            Purpose::Produce(carried) => {
                let cause = Cause::Disconnected {
                    reason: reason.clone(),
                };
                for batch in carried.batches {
                    let (out, cause) = (&mut self.out, cause.clone());
                    queues.with(batch.partition, |queue| {
                        queue.handle_lost(batch.send_id, left, cause, now, out);
                    });
                    self.lists.mark_dirty(batch.partition);
                }
            }
        }
    }

    /// A question got no answer that helps.
    pub(super) fn unanswered(
        &mut self,
        question: Question,
        address: &Address,
        (code, reason): (Option<ErrorCode>, Arc<str>),
        now: Instant,
    ) {
        if question == Question::ProducerId {
            let reason = Arc::from(format!("{address} was asked: {reason}"));
            self.no_identity = Some(Arc::new(Cause::NoIdentity { code, reason }));
        }
        let notice = self.question_notices.note(&question, 0, now);
        self.event(Event::Unanswered {
            question,
            address: address.clone(),
            reason,
            notice,
        });
    }

    /// A question was answered on a connection: its address is well, if it was in trouble.
    pub(super) fn note_answered(&mut self, connection_id: ConnectionId, now: Instant) {
        let ended = self.connections.handle_answered(connection_id, now);
        if let Some((address, lasted, times)) = ended {
            let connection = self.connections.get(connection_id);
            let broker = connection.and_then(Connection::broker);
            self.event(Event::Reachable {
                address,
                broker,
                lasted,
                times,
            });
        }
    }

    /// Closes bootstrap connections that have done their work.
    pub(super) fn close_bootstrap_connections(&mut self) {
        for connection_id in self.connections.take_done() {
            self.out.push_back(Output::Disconnect { connection_id });
        }
    }
}

/// How much has left of a request.
fn left(connection: &Connection<Purpose>, pending: &Pending<Purpose>) -> Left {
    if connection.has_left(pending) {
        Left::Whole
    } else if connection.has_begun_to_leave(pending) {
        Left::Part
    } else {
        Left::Nothing
    }
}
