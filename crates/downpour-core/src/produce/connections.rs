//! Connections: opened when something needs them, negotiated, lost, tried again.

use std::sync::Arc;
use std::time::Instant;

use downpour_wire::error_code::ErrorCode;
use downpour_wire::frame::Frame;
use downpour_wire::header::encode_request;
use downpour_wire::messages::{ApiKey, ApiVersionsRequest, ApiVersionsResponse, Request};
use downpour_wire::primitives::Reader;

use crate::client::connection::{Connection, Pending, Stage};
use crate::client::connections::Entrance;
use crate::client::versions::Versions;
use crate::config::Address;
use crate::event::Event;
use crate::ids::ConnectionId;
use crate::outcome::Cause;
use crate::output::Output;
use crate::produce::engine::Engine;
use crate::produce::queues::Queues;
use crate::produce::requests::{Purpose, in_flight};
use crate::queue::Left;

impl<T: Clone> Engine<T> {
    /// A socket is open.
    pub fn handle_connected(&mut self, connection_id: ConnectionId, now: Instant) {
        let Some(connection) = self.connections.get_mut(connection_id) else {
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
        let needed = [ApiKey::Produce, ApiKey::Metadata];
        let versions = Versions::choose(&response, &needed).map_err(|key| {
            Arc::from(format!(
                "it speaks no version of {key:?} that this client does"
            ))
        })?;
        self.handle_negotiated(connection_id, versions);
        Ok(())
    }

    fn handle_negotiated(&mut self, connection_id: ConnectionId, versions: Versions) {
        let chosen = |key| versions.of(key).unwrap_or(-1);
        let (produce_version, metadata_version) =
            (chosen(ApiKey::Produce), chosen(ApiKey::Metadata));
        self.connections.handle_negotiated(connection_id, versions);
        let Some(connection) = self.connections.get(connection_id) else {
            return;
        };
        let (address, broker) = (connection.address.clone(), connection.broker);
        if let Some(id) = broker {
            self.brokers.entry(id).or_default().ready = true;
            self.close_bootstrap_connections();
        }
        self.event(Event::Connected {
            address,
            broker,
            produce_version,
            metadata_version,
        });
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
        let (config, rng) = (&self.config, &mut self.rng);
        let removed = self.connections.remove(connection_id, config, rng, now);
        let Some((mut connection, retry_after)) = removed else {
            return;
        };
        let was_ready = connection.is_ready();
        let unanswered = connection.pending.len();
        self.statistics
            .handle_lost(connection.broker, in_flight(&connection));
        for pending in std::mem::take(&mut connection.pending) {
            let left = if connection.has_left(&pending) {
                Left::Whole
            } else {
                partly(&connection, &pending)
            };
            self.lose_request(pending, left, &reason, now, queues);
        }
        for pending in std::mem::take(&mut connection.unacked) {
            // What had left whole counted as sent already.
            let left = partly(&connection, &pending);
            self.lose_request(pending, left, &reason, now, queues);
        }
        let (address, broker) = (connection.address, connection.broker);
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
        if (was_ready || broker.is_some()) && self.has_work() {
            // Its partitions may have another leader already.
            self.metadata.want();
        }
    }

    fn lose_request(
        &mut self,
        pending: Pending<Purpose>,
        left: Left,
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
                    self.lists.mark_dirty(batch.partition);
                }
            }
        }
    }

    /// Closes bootstrap connections that have done their work.
    pub(super) fn close_bootstrap_connections(&mut self) {
        for connection_id in self.connections.take_done() {
            self.out.push_back(Output::Disconnect { connection_id });
        }
    }
}

/// How much has left of a request that has not left whole.
fn partly(connection: &Connection<Purpose>, pending: &Pending<Purpose>) -> Left {
    if connection.has_begun_to_leave(pending) {
        Left::Part
    } else {
        Left::Nothing
    }
}
