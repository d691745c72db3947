//! The cluster as a simulator or the shell drives it: a frame in, a reaction out. What a test changes
//! by hand is in `admin`. Time comes in as an argument; whoever owns the connections moves the bytes.

use std::time::Duration;

use downpour_wire::header::RequestHeader;
use downpour_wire::messages::{ApiKey, FetchRequest, ProduceRequest};
use downpour_wire::primitives::Reader;

use super::apis::{self, Produced};
use super::context::RequestContext;
use super::protocol::{AnyRequest, AnyResponse};
use super::reaction::{Reaction, Then};
use super::request_log::{LoggedRequest, RequestLog};
use super::state::State;
use super::targets::targets;
use crate::fault::{Action, Fault, Faults, RequestMatch, Target};
use crate::version::KafkaVersion;

/// A Kafka cluster without sockets, threads and clock.
///
/// Brokers have the ids 1 to n. The same calls with the same arguments always give the same
/// results. Methods come in families: getters; [`handle`](Self::handle) and
/// [`resume`](Self::resume), which serve requests; and commands, which change the cluster as an
/// operator or an accident would. A command panics if it names a broker, a topic or a partition
/// that does not exist: that is a mistake in the test.
///
/// ```
/// use std::time::Duration;
///
/// use downpour_fake::KafkaVersion;
/// use downpour_fake::logic::Cluster;
/// use downpour_wire::header::{decode_response, encode_request};
/// use downpour_wire::messages::MetadataRequest;
///
/// let mut cluster = Cluster::new(3, KafkaVersion::V4_3);
/// cluster.create_topic("events", 6);
/// cluster.move_leader("events", 0, 2);
///
/// let request = MetadataRequest { topics: None, ..MetadataRequest::default() };
/// let frame = encode_request(&request, 9, 1, "test").unwrap();
/// let now = Duration::ZERO;
/// let reaction = cluster.handle(now, 1, 1, &frame[4..]);
///
/// let answer = reaction.answer.unwrap();
/// let (_, metadata) = decode_response::<MetadataRequest>(&answer[4..], 9).unwrap();
/// assert_eq!(metadata.topics[0].partitions[0].leader_id, 2);
/// ```
#[derive(Debug, Clone)]
pub struct Cluster {
    pub(super) state: State,
    pub(super) faults: Faults,
    pub(super) request_log: RequestLog,
    pub(super) service_delay: Duration,
    pub(super) network_delay: Duration,
    pub(super) request_bytes_max: usize,
}

/// What is known of a request once its header was read.
struct Arrival {
    now: Duration,
    node: i32,
    connection: u64,
    header: RequestHeader,
    api: ApiKey,
    bytes: usize,
}

impl Arrival {
    fn context<'a>(
        &self,
        state: &State,
        release: KafkaVersion,
        fault: Option<&'a Fault>,
    ) -> RequestContext<'a> {
        let since = i64::try_from(self.now.as_millis()).unwrap_or(i64::MAX);
        RequestContext {
            node: self.node,
            version: self.header.api_version,
            release,
            time_ms: state.settings.epoch_ms.saturating_add(since),
            fault,
        }
    }
}

impl Cluster {
    /// Brokers 1 to `brokers` of one release, without topics.
    ///
    /// # Panics
    ///
    /// If `brokers` is less than 1.
    #[must_use]
    pub fn new(brokers: i32, release: KafkaVersion) -> Self {
        assert!(
            brokers >= 1,
            "a cluster has at least one broker, not {brokers}"
        );
        Self {
            state: State::new(brokers, release),
            faults: Faults::default(),
            request_log: RequestLog::default(),
            service_delay: Duration::ZERO,
            network_delay: Duration::ZERO,
            request_bytes_max: 100 << 20,
        }
    }

    /// Serves one request: `frame` is what follows the four length bytes, `now` the time by the
    /// driver's clock, `connection` a number that the driver gives each connection.
    ///
    /// The request is applied at once, whatever the delays in the reaction say.
    pub fn handle(&mut self, now: Duration, node: i32, connection: u64, frame: &[u8]) -> Reaction {
        // NetworkReceive reads no frame that is larger than `socket.request.max.bytes`.
        if !self.state.is_alive(node) || frame.len() > self.request_bytes_max {
            return Reaction::only(Then::Close);
        }
        let mut r = Reader::new(frame);
        let (arrival, request) = match self.read(now, node, connection, &mut r, frame.len()) {
            Ok(read) => read,
            Err(reaction) => return reaction,
        };
        let targets = if self.faults.len() == 0 {
            Vec::new()
        } else {
            targets(&self.state, &request, arrival.header.api_version)
        };
        let matched = RequestMatch {
            api: arrival.api,
            node,
            targets: &targets,
        };
        let fault = self.faults.take_due(&matched);
        let mut entry = logged(
            now,
            node,
            connection,
            &arrival.header,
            arrival.api,
            arrival.bytes,
        );
        entry.fault = fault.as_ref().map(|fault| format!("{:?}", fault.action));
        if let AnyRequest::Produce(produce) = &request {
            entry.acks = Some(produce.acks);
        }
        self.request_log.add(entry);
        if let Some(fault) = &fault {
            self.prepare(fault, &targets);
            if let Some(then) = self.unserved(fault, &arrival, &request) {
                return Reaction::only(then);
            }
            if let Action::Hold(delay) = fault.action {
                self.note_unserved(&arrival, &request);
                return Reaction::parked(now.saturating_add(delay));
            }
        }
        self.serve(&arrival, request, fault.as_ref())
    }

    /// Asks again for the answer to a request that [`handle`](Self::handle) parked: the same
    /// `frame`, and the `parked_until` of the reaction. It is not logged again, and no fault is applied to it.
    pub fn resume(
        &mut self,
        now: Duration,
        node: i32,
        connection: u64,
        parked_until: Duration,
        frame: &[u8],
    ) -> Reaction {
        if !self.state.is_alive(node) {
            return Reaction::only(Then::Close);
        }
        let mut r = Reader::new(frame);
        match self.read(now, node, connection, &mut r, frame.len()) {
            Ok((arrival, AnyRequest::Fetch(request))) => {
                self.fetch(&arrival, &request, None, parked_until)
            }
            Ok(_) if now < parked_until => Reaction::parked(parked_until),
            Ok((arrival, request)) => self.serve(&arrival, request, None),
            Err(reaction) => reaction,
        }
    }

    /// Reads header and body. `Err` is the reaction to a request that cannot be served.
    fn read(
        &mut self,
        now: Duration,
        node: i32,
        connection: u64,
        r: &mut Reader<'_>,
        bytes: usize,
    ) -> Result<(Arrival, AnyRequest), Reaction> {
        let header = match RequestHeader::decode(r) {
            Ok(header) => header,
            Err(error) => return Err(self.violated(node, format!("a request header: {error}"))),
        };
        let Ok(api) = ApiKey::try_from(header.api_key) else {
            return Err(self.violated(node, format!("api key {} is not served", header.api_key)));
        };
        let version = header.api_version;
        let Some(found) = self.state.nodes.get(&node) else {
            return Err(Reaction::only(Then::Close));
        };
        if !found.versions.serves(api, version) {
            if api == ApiKey::ApiVersions {
                let refusal = apis::api_versions_too_high(&found.versions);
                let entry = logged(now, node, connection, &header, api, bytes);
                self.request_log.add(entry);
                let refusal = AnyResponse::ApiVersions(refusal);
                return Err(Reaction {
                    answer: refusal.frame(0, header.correlation_id).ok(),
                    service_delay: self.service_delay,
                    network_delay: self.network_delay,
                    ..Reaction::default()
                });
            }
            let range = found.versions.range(api);
            let what = format!("{api:?} {version} was asked, broker {node} serves {range:?}");
            return Err(self.violated(node, what));
        }
        match AnyRequest::decode(api, version, r) {
            Ok(request) => {
                if r.remaining() != 0 {
                    let rest = r.remaining();
                    self.request_log.violation(format!(
                        "broker {node}: {api:?} {version}, connection {connection}: {rest} bytes follow it"
                    ));
                }
                Ok((
                    Arrival {
                        now,
                        node,
                        connection,
                        header,
                        api,
                        bytes,
                    },
                    request,
                ))
            }
            Err(error) => Err(self.violated(
                node,
                format!("{api:?} {version}, connection {connection}: {error}"),
            )),
        }
    }

    /// Notes what a sound client never does and closes the connection, as a real broker does.
    fn violated(&mut self, node: i32, what: String) -> Reaction {
        self.request_log.violation(format!("broker {node}: {what}"));
        Reaction::only(Then::Close)
    }

    /// What a fault does to the cluster before the request is served.
    fn prepare(&mut self, fault: &Fault, targets: &[Target]) {
        let named = targets
            .iter()
            .filter_map(|(topic, partition)| Some((topic, (*partition)?)));
        let covered = named.filter(|(topic, partition)| fault.covers(topic, Some(*partition)));
        for (topic, partition) in covered {
            match fault.action {
                Action::MoveLeader { to } => {
                    self.state.move_leader(topic, partition, to);
                }
                Action::ExpireProducers => {
                    if let Some(found) = self.state.partition_mut(topic, partition) {
                        found.log.producers.expire_all();
                    }
                }
                _ => {}
            }
        }
    }

    /// Carries out a fault that keeps the request from being served.
    fn unserved(&mut self, fault: &Fault, arrival: &Arrival, request: &AnyRequest) -> Option<Then> {
        let then = match fault.action {
            Action::Disconnect { applied: false, .. } => Then::Close,
            Action::Hang { applied: false } => Then::Hang,
            Action::Kill { applied: false } => {
                self.state.kill(arrival.node);
                Then::Close
            }
            _ => return None,
        };
        self.note_unserved(arrival, request);
        Some(then)
    }

    /// Logs the batches of a request that is not served, or not yet.
    fn note_unserved(&mut self, arrival: &Arrival, request: &AnyRequest) {
        let AnyRequest::Produce(produce) = request else {
            return;
        };
        let header = &arrival.header;
        let batches = apis::unserved(&self.state, header.api_version, produce);
        if let Some(entry) = self
            .request_log
            .find_mut(arrival.connection, header.correlation_id)
        {
            entry.batches = batches;
        }
    }

    fn serve(&mut self, arrival: &Arrival, request: AnyRequest, fault: Option<&Fault>) -> Reaction {
        let Some(node) = self.state.nodes.get(&arrival.node) else {
            return Reaction::only(Then::Close);
        };
        let call = arrival.context(&self.state, node.versions.release, fault);
        let response = match request {
            AnyRequest::ApiVersions(request) => {
                AnyResponse::ApiVersions(apis::api_versions(&node.versions, &call, &request))
            }
            AnyRequest::Metadata(request) => {
                AnyResponse::Metadata(apis::metadata(&mut self.state, &call, &request))
            }
            AnyRequest::InitProducerId(request) => {
                let response = apis::init_producer_id(&mut self.state, &call, &request);
                AnyResponse::InitProducerId(response)
            }
            AnyRequest::ListOffsets(request) => {
                AnyResponse::ListOffsets(apis::list_offsets(&self.state, &call, &request))
            }
            AnyRequest::CreateTopics(request) => {
                AnyResponse::CreateTopics(apis::create_topics(&mut self.state, &call, &request))
            }
            AnyRequest::Produce(request) => {
                return self.produce(arrival, &call, request, fault);
            }
            AnyRequest::Fetch(request) => {
                let max_wait = u64::try_from(request.max_wait_ms).unwrap_or(0);
                let until = arrival.now.saturating_add(Duration::from_millis(max_wait));
                return self.fetch(arrival, &request, fault, until);
            }
        };
        self.answer(arrival, response, fault)
    }

    fn produce(
        &mut self,
        arrival: &Arrival,
        call: &RequestContext<'_>,
        request: ProduceRequest,
        fault: Option<&Fault>,
    ) -> Reaction {
        let wants_answer = request.acks != 0;
        let timeout = Duration::from_millis(u64::try_from(request.timeout_ms).unwrap_or(0));
        self.state.age_producers(call.time_ms);
        let produced = apis::produce(&mut self.state, call, request);
        let has_error = produced.has_error();
        let Produced {
            response,
            batches,
            violations,
            waited,
        } = produced;
        for violation in violations {
            self.request_log
                .violation(format!("broker {}: {violation}", arrival.node));
        }
        if let Some(entry) = self
            .request_log
            .find_mut(arrival.connection, arrival.header.correlation_id)
        {
            entry.batches = batches;
        }
        let mut reaction = self.answer(arrival, AnyResponse::Produce(response), fault);
        if waited {
            reaction.service_delay += timeout;
        }
        if !wants_answer {
            reaction.answer = None;
            // A broker has no other way to say that something is wrong.
            if has_error {
                reaction.then = Then::Close;
            }
            if matches!(reaction.then, Then::CloseAfter(_)) {
                reaction.then = Then::Close;
            }
        }
        reaction
    }

    fn fetch(
        &mut self,
        arrival: &Arrival,
        request: &FetchRequest,
        fault: Option<&Fault>,
        until: Duration,
    ) -> Reaction {
        let Some(node) = self.state.nodes.get(&arrival.node) else {
            return Reaction::only(Then::Close);
        };
        let call = arrival.context(&self.state, node.versions.release, fault);
        let fetched = apis::fetch(&self.state, &call, request);
        if !fetched.is_enough && fault.is_none() && arrival.now < until {
            return Reaction::parked(until);
        }
        self.answer(arrival, AnyResponse::Fetch(fetched.response), fault)
    }

    /// Turns a response into a reaction, spoilt as the fault wants it.
    fn answer(
        &mut self,
        arrival: &Arrival,
        mut response: AnyResponse,
        fault: Option<&Fault>,
    ) -> Reaction {
        let action = fault.map(|fault| &fault.action);
        if let Some(Action::Throttle { ms }) = action {
            response.set_throttle(*ms);
        }
        let header = &arrival.header;
        let mut answer = match response.frame(header.api_version, header.correlation_id) {
            Ok(frame) => frame,
            Err(error) => {
                let what = format!("the fake cannot answer {:?}: {error}", arrival.api);
                return self.violated(arrival.node, what);
            }
        };
        let mut reaction = Reaction {
            service_delay: self.service_delay,
            network_delay: self.network_delay,
            ..Reaction::default()
        };
        match action {
            Some(Action::Delay(delay)) => reaction.service_delay += *delay,
            Some(Action::Throttle { ms }) => {
                reaction.mute = Duration::from_millis(u64::from(*ms));
            }
            Some(Action::CorruptAnswer) => {
                answer.iter_mut().skip(8).for_each(|byte| *byte ^= 0xa5);
            }
            Some(Action::EmptyAnswer) => {
                answer.truncate(8);
                set_length(&mut answer, 4);
            }
            Some(Action::WrongLength { length }) => set_length(&mut answer, *length),
            Some(Action::WrongCorrelationId) => {
                answer
                    .iter_mut()
                    .skip(4)
                    .take(4)
                    .for_each(|byte| *byte ^= 0x5a);
            }
            Some(Action::Disconnect {
                applied: true,
                answer_bytes,
            }) => {
                reaction.then = match (*answer_bytes).min(answer.len().saturating_sub(1)) {
                    0 => Then::Close,
                    bytes => Then::CloseAfter(bytes),
                };
                if reaction.then == Then::Close {
                    answer.clear();
                }
            }
            Some(Action::Hang { applied: true }) => {
                reaction.then = Then::Hang;
                answer.clear();
            }
            Some(Action::Kill { applied: true }) => {
                self.state.kill(arrival.node);
                reaction.then = Then::Close;
                answer.clear();
            }
            _ => {}
        }
        reaction.answer = Some(answer).filter(|answer| !answer.is_empty());
        reaction
    }
}

/// Writes a frame's length, right or wrong.
fn set_length(frame: &mut [u8], length: i32) {
    if let Some(prefix) = frame.first_chunk_mut::<4>() {
        *prefix = length.to_be_bytes();
    }
}

/// A request of which nothing but its header is known.
fn logged(
    now: Duration,
    node: i32,
    connection: u64,
    header: &RequestHeader,
    api: ApiKey,
    bytes: usize,
) -> LoggedRequest {
    LoggedRequest {
        at: now,
        broker: node,
        connection,
        api,
        api_version: header.api_version,
        correlation_id: header.correlation_id,
        client_id: header.client_id.clone(),
        bytes,
        fault: None,
        acks: None,
        batches: Vec::new(),
    }
}
