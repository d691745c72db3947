//! Connections: opened when something needs them, negotiated, lost, tried again.

use std::sync::Arc;
use std::time::Instant;

use downpour_wire::error_code::ErrorCode;
use downpour_wire::frame::Frame;
use downpour_wire::header::encode_request;
use downpour_wire::messages::{ApiKey, ApiVersionsRequest, ApiVersionsResponse, Request};
use downpour_wire::primitives::Reader;

use crate::config::Address;
use crate::connection::{Connection, LinkId, Pending, Stage, Versions};
use crate::engine::state::{Engine, Output, Purpose, Queues};
use crate::event::Event;
use crate::outcome::Cause;

impl<T: Clone> Engine<T> {
    /// A socket is open.
    pub fn handle_connected(&mut self, link: LinkId, now: Instant) {
        let Some(connection) = self.links.get_mut(&link) else {
            return;
        };
        connection.stage = Stage::Negotiating;
        self.ask_versions(link, ApiKey::ApiVersions.versions().1, now);
    }

    /// A socket could not be opened.
    pub fn handle_connect_failed(
        &mut self,
        link: LinkId,
        reason: Arc<str>,
        now: Instant,
        queues: &mut impl Queues<T>,
    ) {
        self.lose(link, reason, now, queues);
    }

    /// A connection ended. What was written on it must have been reported before.
    pub fn handle_disconnected(
        &mut self,
        link: LinkId,
        reason: Arc<str>,
        now: Instant,
        queues: &mut impl Queues<T>,
    ) {
        self.lose(link, reason, now, queues);
    }

    fn ask_versions(&mut self, link: LinkId, version: i16, now: Instant) {
        let request = ApiVersionsRequest {
            client_software_name: "downpour".to_owned(),
            client_software_version: env!("CARGO_PKG_VERSION").to_owned(),
        };
        self.ask(link, &request, version, Purpose::ApiVersions, now);
    }

    /// Sends a request that carries no records.
    pub(crate) fn ask<R: Request>(
        &mut self,
        link: LinkId,
        request: &R,
        version: i16,
        purpose: Purpose,
        now: Instant,
    ) {
        let Some(connection) = self.links.get_mut(&link) else {
            return;
        };
        let id = connection.next_correlation_id();
        let bytes = encode_request(request, version, id, &self.config.client_id)
            .expect("the version was chosen among those that carry this request");
        connection.handle_request((R::KEY, version), bytes.len(), true, purpose, now);
        self.out.push_back(Output::Write {
            link,
            frame: Frame::from_vec(bytes),
        });
    }

    pub(crate) fn handle_versions(
        &mut self,
        link: LinkId,
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
                self.ask_versions(link, version, now);
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
        self.handle_negotiated(link, versions);
        Ok(())
    }

    fn handle_negotiated(&mut self, link: LinkId, versions: Versions) {
        let Some(connection) = self.links.get_mut(&link) else {
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
            self.close_bootstrap_links();
        }
        self.event(Event::Connected {
            address,
            broker,
            produce_version: versions.produce,
            metadata_version: versions.metadata,
        });
    }

    /// Opens a connection to a broker, unless there is one or it is too early.
    pub(crate) fn ensure_link(&mut self, id: i32, now: Instant) {
        let Some(address) = self.cluster.brokers().get(&id).cloned() else {
            return;
        };
        let broker = self.brokers.entry(id).or_default();
        if broker.link.is_some() || broker.retry_at.is_some_and(|at| at > now) {
            return;
        }
        let link = self.open(address, Some(id), now);
        if let Some(broker) = self.brokers.get_mut(&id) {
            broker.link = Some(link);
        }
    }

    /// Makes sure that there will be a connection to ask something on.
    pub(crate) fn ensure_any_link(&mut self, now: Instant) {
        if !self.links.is_empty() {
            return;
        }
        let known: Vec<i32> = self.cluster.brokers().keys().copied().collect();
        let failing = |e: &Self, id: &i32| e.brokers.get(id).is_some_and(|b| b.failures > 0);
        if let Some(&id) = known.iter().find(|id| !failing(self, id)) {
            self.ensure_link(id, now);
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

    fn open(&mut self, address: Address, broker: Option<i32>, now: Instant) -> LinkId {
        let link = LinkId(self.next_link);
        self.next_link += 1;
        self.event(Event::Connecting {
            address: address.clone(),
            broker,
        });
        self.links
            .insert(link, Connection::new(link, address.clone(), broker, now));
        self.out.push_back(Output::Connect {
            link,
            address,
            broker,
        });
        link
    }

    /// Ends a connection from our side.
    pub(crate) fn disconnect(
        &mut self,
        link: LinkId,
        reason: &str,
        now: Instant,
        queues: &mut impl Queues<T>,
    ) {
        self.out.push_back(Output::Disconnect { link });
        self.lose(link, Arc::from(reason), now, queues);
    }

    fn lose(&mut self, link: LinkId, reason: Arc<str>, now: Instant, queues: &mut impl Queues<T>) {
        let Some(mut connection) = self.links.remove(&link) else {
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
        self.carry_out_effects();
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
        broker.link = None;
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
        let limits = self.config.retry_backoff;
        match pending.purpose {
            Purpose::ApiVersions => {}
            Purpose::Metadata => {
                let pause = self.rng.backoff(limits, 1);
                self.metadata.asked = None;
                self.metadata.wanted = true;
                self.metadata.retry_at = Some(now + pause);
            }
            Purpose::InitProducerId => {
                let pause = self.rng.backoff(limits, 1);
                self.init.asked = None;
                self.init.wanted = true;
                self.init.retry_at = Some(now + pause);
            }
            Purpose::Produce(carried) => {
                let cause = Cause::Disconnected {
                    reason: reason.clone(),
                };
                for batch in carried {
                    let (effects, cause) = (&mut self.effects, cause.clone());
                    queues.with(batch.slot, |queue| {
                        queue.handle_lost(batch.attempt, left, cause, now, effects);
                    });
                    self.land(batch.slot);
                }
            }
        }
    }

    /// One batch of the slot is not in flight any more, and the queue is to be looked at.
    pub(crate) fn land(&mut self, slot: crate::cluster::Slot) {
        self.uncount(slot);
        self.fresh.push(slot);
    }

    /// One batch of the slot is not in flight any more.
    pub(crate) fn uncount(&mut self, slot: crate::cluster::Slot) {
        if let Some(state) = self.partition(slot) {
            state.in_flight = state.in_flight.saturating_sub(1);
        }
    }
}
