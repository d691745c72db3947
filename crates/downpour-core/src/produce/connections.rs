//! Connections: opened when something needs them, negotiated, lost, tried again.

use std::sync::Arc;
use std::time::Instant;

use downpour_wire::error_code::ErrorCode;
use downpour_wire::frame::Frame;
use downpour_wire::header::encode_request;
use downpour_wire::messages::{ApiKey, ApiVersionsRequest, ApiVersionsResponse, Request};
use downpour_wire::primitives::Reader;

use crate::client::connection::{Connection, Pending, Stage};
use crate::client::versions::Versions;
use crate::config::Address;
use crate::event::Event;
use crate::ids::{ConnectionId, PartitionId};
use crate::outcome::Cause;
use crate::output::Output;
use crate::produce::engine::Engine;
use crate::produce::queues::Queues;
use crate::produce::requests::Purpose;

impl<T: Clone> Engine<T> {
    /// A socket is open.
    pub fn handle_connected(&mut self, connection_id: ConnectionId, now: Instant) {
        let Some(connection) = self.connections.get_mut(&connection_id) else {
            return;
        };
        connection.stage = Stage::Negotiating;
        self.ask_versions(connection_id, ApiKey::ApiVersions.versions().1, now);
    }

    /// A connection ended, or could not be opened. What was written on it must have been told
    /// before.
    pub fn handle_disconnected(
        &mut self,
        connection_id: ConnectionId,
        reason: Arc<str>,
        now: Instant,
        queues: &mut impl Queues<T>,
    ) {
        self.lose(connection_id, reason, now, queues);
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
        let Some(connection) = self.connections.get_mut(&connection_id) else {
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

    pub(crate) fn handle_versions(
        &mut self,
        connection_id: ConnectionId,
        pending: &Pending<Purpose>,
        reader: &Reader<'_>,
        now: Instant,
    ) -> Result<(), Arc<str>> {
        let rest = reader.rest();
        let response = ApiVersionsResponse::decode_lenient(rest, pending.version)
            .map_err(|e| Arc::from(format!("its list of versions could not be read: {e}")))?;
        match response.error_code {
            ErrorCode::NONE => {}
            ErrorCode::UNSUPPORTED_VERSION if pending.version > 0 => {
                let key = ApiKey::ApiVersions as i16;
                let theirs = response.api_keys.iter().find(|v| v.api_key == key);
                let version = theirs
                    .map_or(0, |v| v.max_version)
                    .clamp(0, pending.version - 1);
                self.ask_versions(connection_id, version, now);
                return Ok(());
            }
            code => {
                return Err(Arc::from(format!(
                    "it refused to list its versions: {code}"
                )));
            }
        }
        let versions = Versions::choose(&response).map_err(|key| {
            Arc::from(format!(
                "it speaks no version of {key:?} that this client does"
            ))
        })?;
        self.handle_negotiated(connection_id, versions);
        Ok(())
    }

    fn handle_negotiated(&mut self, connection_id: ConnectionId, versions: Versions) {
        let Some(connection) = self.connections.get_mut(&connection_id) else {
            return;
        };
        connection.stage = Stage::Ready;
        connection.versions = versions;
        let (address, broker) = (connection.address.clone(), connection.broker);
        if let Some(broker) = broker.and_then(|id| self.brokers.get_mut(&id)) {
            broker.failures = 0;
            broker.retry_at = None;
            broker.ready = true;
        }
        if broker.is_none() {
            self.bootstrap.failures = 0;
        } else {
            self.close_bootstrap_connections();
        }
        self.event(Event::Connected {
            address,
            broker,
            produce_version: versions.produce,
            metadata_version: versions.metadata,
        });
    }

    /// Opens a connection to a broker, unless there is one or it is too early.
    pub(crate) fn ensure_connection(&mut self, id: i32, now: Instant) {
        let Some(address) = self.cluster.brokers().get(&id).cloned() else {
            return;
        };
        let broker = self.brokers.entry(id).or_default();
        if broker.connection_id.is_some() || broker.retry_at.is_some_and(|at| at > now) {
            return;
        }
        let connection_id = self.open(address, Some(id), now);
        if let Some(broker) = self.brokers.get_mut(&id) {
            broker.connection_id = Some(connection_id);
        }
    }

    /// Makes sure that there will be a connection to ask something on.
    pub(crate) fn ensure_any_connection(&mut self, now: Instant) {
        if !self.connections.is_empty() {
            return;
        }
        let known: Vec<i32> = self.cluster.brokers().keys().copied().collect();
        let failing = |e: &Self, id: &i32| e.brokers.get(id).is_some_and(|b| b.failures > 0);
        if let Some(&id) = known.iter().find(|id| !failing(self, id)) {
            self.ensure_connection(id, now);
            return;
        }
        if self.bootstrap.retry_at.is_some_and(|at| at > now) {
            return;
        }
        if !known.is_empty() && !self.bootstrap.again {
            self.bootstrap.again = true;
            self.event(Event::Rebootstrap);
        }
        let addresses = &self.config.bootstrap;
        let Some(address) = addresses.get(self.bootstrap.next % addresses.len().max(1)) else {
            return;
        };
        let address = address.clone();
        self.bootstrap.next = self.bootstrap.next.wrapping_add(1);
        self.open(address, None, now);
    }

    fn open(&mut self, address: Address, broker: Option<i32>, now: Instant) -> ConnectionId {
        let connection_id = ConnectionId(self.next_connection);
        self.next_connection += 1;
        self.event(Event::Connecting {
            address: address.clone(),
            broker,
        });
        self.connections.insert(
            connection_id,
            Connection::new(connection_id, address.clone(), broker, now),
        );
        self.out.push_back(Output::Connect {
            connection_id,
            address,
            broker,
        });
        connection_id
    }

    /// Ends a connection from our side.
    pub(crate) fn disconnect(
        &mut self,
        connection_id: ConnectionId,
        reason: &str,
        now: Instant,
        queues: &mut impl Queues<T>,
    ) {
        self.out.push_back(Output::Disconnect { connection_id });
        self.lose(connection_id, Arc::from(reason), now, queues);
    }

    fn lose(
        &mut self,
        connection_id: ConnectionId,
        reason: Arc<str>,
        now: Instant,
        queues: &mut impl Queues<T>,
    ) {
        let Some(mut connection) = self.connections.remove(&connection_id) else {
            return;
        };
        let was_ready = connection.is_ready();
        let unanswered = connection.pending.len();
        for pending in std::mem::take(&mut connection.pending) {
            let left = connection.has_left(&pending);
            self.lose_request(pending, left, &reason, now, queues);
        }
        for pending in std::mem::take(&mut connection.unanswered) {
            // What had left counted as sent already.
            self.lose_request(pending, false, &reason, now, queues);
        }
        let (address, broker) = (connection.address, connection.broker);
        let retry_after = self.back_off(broker, was_ready, now);
        self.event(if was_ready {
            Event::Disconnected {
                address,
                broker,
                reason,
                unanswered,
            }
        } else {
            Event::ConnectFailed {
                address,
                broker,
                reason,
                retry_after,
            }
        });
        if was_ready || broker.is_some() {
            // Its partitions may have another leader already.
            self.metadata.wanted |= self.has_work();
        }
    }

    fn back_off(
        &mut self,
        broker: Option<i32>,
        was_ready: bool,
        now: Instant,
    ) -> std::time::Duration {
        let limits = self.config.reconnect_backoff;
        let Some(id) = broker else {
            self.bootstrap.failures += u32::from(!was_ready);
            // Each address is tried before the first one's turn comes again.
            let rounds = self.bootstrap.failures / self.config.bootstrap.len().max(1) as u32;
            let pause = self.rng.backoff(limits, rounds);
            self.bootstrap.retry_at = Some(now + pause);
            return pause;
        };
        let broker = self.brokers.entry(id).or_default();
        broker.connection_id = None;
        broker.in_flight = 0;
        broker.failures += u32::from(!was_ready);
        let pause = self.rng.backoff(limits, broker.failures);
        broker.retry_at = Some(now + pause);
        pause
    }

    fn lose_request(
        &mut self,
        pending: Pending<Purpose>,
        left: bool,
        reason: &Arc<str>,
        now: Instant,
        queues: &mut impl Queues<T>,
    ) {
        let backoff = self.config.retry_backoff;
        match pending.purpose {
            Purpose::ApiVersions => {}
            Purpose::Metadata => self.metadata.handle_lost(backoff, &mut self.rng, now),
            Purpose::InitProducerId => self.init.handle_lost(backoff, &mut self.rng, now),
            Purpose::Produce(sent) => {
                let cause = Cause::Disconnected {
                    reason: reason.clone(),
                };
                for batch in sent {
                    let (out, cause) = (&mut self.out, cause.clone());
                    queues.with(batch.partition, |queue| {
                        queue.handle_lost(batch.send_id, left, cause, now, out);
                    });
                    self.complete(batch.partition);
                }
            }
        }
    }

    /// One batch of the partition is not in flight any more, and the queue is to be looked at.
    pub(crate) fn complete(&mut self, partition: PartitionId) {
        self.note_completed(partition);
        self.dirty.push(partition);
    }

    /// One batch of the partition is not in flight any more.
    pub(crate) fn note_completed(&mut self, partition: PartitionId) {
        if let Some(state) = self.partition(partition) {
            state.in_flight = state.in_flight.saturating_sub(1);
        }
    }

    /// A bootstrap connection has done its work once a broker's own connection is ready.
    pub(crate) fn close_bootstrap_connections(&mut self) {
        if !self
            .connections
            .values()
            .any(|c| c.broker.is_some() && c.is_ready())
        {
            return;
        }
        let done =
            |c: &&Connection<Purpose>| c.broker.is_none() && c.is_ready() && c.pending.is_empty();
        let done = self.connections.values().filter(done).map(|c| c.id);
        for connection_id in done.collect::<Vec<_>>() {
            self.connections.remove(&connection_id);
            self.out.push_back(Output::Disconnect { connection_id });
        }
    }
}
