//! The engine under sequences of operations, against a model of a cluster that answers, loses, lies,
//! makes topics anew and moves leaders. At the end the cluster is well: then every record gets its
//! verdict, all memory comes back, and a record that is sent now to any partition arrives soon.

mod cluster;
mod ends;
mod network;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use downpour_core::client::connect_error::{ConnectErrorKind, ConnectFailure};
use downpour_core::client::ending::DisconnectReason;
use downpour_core::config::{Acks, Address, BatchOptions, Config, Linger};
use downpour_core::ids::{ConnectionId, MemoryLine, PartitionId};
use downpour_core::produce::{Engine, Output, Queues, TopicUpdate};
use downpour_core::queue::{Queue, QueueSettings};
use downpour_core::seal::SealJob;
use downpour_wire::codec::{CompressionType, Compressor};
use downpour_wire::header::encode_response;
use downpour_wire::messages::*;

use crate::model::appending::{Given, append};
use crate::model::book::Book;
use crate::script::Script;
use crate::trace::tell;
use cluster::{Carried, Cluster, PARTITIONS, leaves_open};
use network::{Asked, Connection, Connections};

/// Rounds until the engine has nothing more to say.
const QUIET_WITHIN: usize = 200;
/// Virtual time within which a record to a well cluster arrives.
const SOON: Duration = Duration::from_secs(30);

struct Held {
    queues: BTreeMap<PartitionId, Queue<u32>>,
}

impl Queues<u32> for Held {
    fn with<R>(
        &mut self,
        partition: PartitionId,
        f: impl FnOnce(&mut Queue<u32>) -> R,
    ) -> Option<R> {
        let queue = self.queues.get_mut(&partition)?;
        let result = f(queue);
        if let Some(turn) = queue.poll_turn() {
            assert_eq!(turn.bytes, queue.held(), "what goes to another line");
        }
        Some(result)
    }
}

struct Run {
    engine: Engine<u32>,
    held: Held,
    config: Arc<Config>,
    options: [BatchOptions; 3],
    book: Book,
    cluster: Cluster,
    connections: Connections,
    /// Connections that the engine wants opened, and to whom.
    wanted: VecDeque<(ConnectionId, i32)>,
    /// Requests whose connection ended, and that a broker may still read.
    afloat: Vec<(i32, Carried)>,
    /// Partitions that callers know of each topic.
    known: [usize; 2],
    jobs: Vec<(PartitionId, SealJob)>,
    compressor: Compressor,
    now: Instant,
    lent: usize,
    is_kernel_full: bool,
    is_over: bool,
}

/// Runs the operations that the bytes say.
pub fn run(bytes: &[u8]) {
    let mut script = Script::new(bytes);
    let mut run = Run::new(&mut script);
    run.want(0);
    while !script.is_over() && !run.is_over {
        run.operate(&mut script);
        run.step();
    }
    run.finish();
}

fn config(script: &mut Script<'_>) -> Config {
    let address = |host: &str| Address {
        host: Arc::from(host),
        port: 9092,
    };
    let mut config = Config::new(vec![address("b1"), address("b2")]);
    let modes = script.byte();
    config.idempotence = modes % 8 != 7;
    config.acks = if modes % 16 == 15 {
        Acks::None
    } else {
        Acks::All
    };
    config.order_across_options = modes & 0x30 == 0x30;
    config.max_in_flight = [5, 5, 2, 1][usize::from(modes >> 6)];
    let sizes = script.byte();
    config.batch_size = [200, 64, 600, 4000][usize::from(sizes & 3)];
    config.batch_max = [700, 5000][usize::from(sizes >> 2 & 1)].max(config.batch_size);
    config.request_max = config.batch_max * [1, 2, 20, 20][usize::from(sizes >> 3 & 3)];
    config.record_share = [0, 0, 0, 40][usize::from(sizes >> 5 & 3)];
    config.busy_from = if sizes & 0x80 == 0 { 256 } else { 3 };
    let times = script.byte();
    config.linger = [
        Linger::Adaptive(Duration::from_millis(5)),
        Linger::Fixed(Duration::from_millis(20)),
        Linger::Fixed(Duration::ZERO),
        Linger::Adaptive(Duration::from_secs(1)),
    ][usize::from(times & 3)];
    let ms = Duration::from_millis;
    config.delivery_timeout = [ms(120_000), ms(30_000), ms(700)][usize::from(times >> 2 & 3) % 3];
    config.request_timeout = [ms(30_000), ms(2000)][usize::from(times >> 4 & 1)];
    config.unknown_topic_timeout = [ms(5000), ms(0)][usize::from(times >> 5 & 1)];
    config.metadata_max_age = [ms(300_000), ms(3000)][usize::from(times >> 6 & 1)];
    config.retries = [u32::MAX, 2][usize::from(times >> 7)];
    config
}

impl Run {
    fn new(script: &mut Script<'_>) -> Self {
        let config = Arc::new(config(script));
        let options = config.batch_options();
        let snappy = BatchOptions::new(CompressionType::Snappy.into(), config.delivery_timeout);
        let shorter = BatchOptions::new(config.compression, config.delivery_timeout / 2);
        let acks = config.acks != Acks::None;
        let mut cluster = Cluster::new(script, acks, config.idempotence);
        for excused in &mut cluster.excused {
            excused.copies = !config.idempotence;
        }
        Self {
            engine: Engine::new(config.clone(), u64::from(script.byte())),
            held: Held {
                queues: BTreeMap::new(),
            },
            options: [options, snappy, shorter],
            config,
            book: Book::default(),
            cluster,
            connections: Connections::new(),
            wanted: VecDeque::new(),
            afloat: Vec::new(),
            known: [0; 2],
            jobs: Vec::new(),
            compressor: Compressor::new(),
            now: Instant::now(),
            lent: 0,
            is_kernel_full: false,
            is_over: false,
        }
    }

    fn operate(&mut self, script: &mut Script<'_>) {
        match script.byte() % 48 {
            0..=8 => self.append(script),
            9..=17 => {
                let (which, how, more) = (script.below(8), script.byte(), script.byte());
                self.serve(which, (how, more));
            }
            18..=20 => self.open(),
            21 => self.refuse(),
            22..=24 => self.sleep([1, 5, 20, 100, 101, 400, 1000][script.below(7)]),
            25 => self.sleep_until_due(),
            26 => self.sleep(
                [2001, 10_000, 29_999, 61_000, 120_000, 600_000, 172_800_000][script.below(7)],
            ),
            27 => self.cut(script.below(8)),
            28 => self.is_kernel_full = script.one_in(2),
            29 => {
                let bytes = u64::from(script.word());
                self.leave(bytes);
            }
            30 => self.cluster.move_leader(script),
            31 => self.turn_broker(script.below(9)),
            32 => {
                let (number, count) = (script.below(2), script.below(8));
                match count {
                    0 => self.cluster.delete(number),
                    1..=3 => self.cluster.make_anew(number, count),
                    _ => self.cluster.grow(number, count - 1),
                }
                tell!("topic {number}: {count}");
            }
            33 => self.surface(script.byte().into()),
            34 => self.seal(script.byte().into()),
            35 => {
                // A request that arrives behind it would be taken for a new one.
                self.afloat.clear();
                self.cluster.forget_aged();
            }
            36 => self.ask(script),
            37 => {
                let mut lines = match script.below(4) {
                    0 => Vec::new(),
                    broker => vec![MemoryLine(Some(broker as i32))],
                };
                self.engine.set_pressed(&mut lines);
            }
            38 => {
                let mut tickets = Vec::new();
                for queue in self.held.queues.values_mut() {
                    queue.request_flush();
                    queue.tickets(&mut tickets);
                }
            }
            39 => match script.below(16) {
                0 => self.cluster.misbehave(script),
                1 => self.abort(),
                2 => self.engine.drain(),
                _ => self.engine.poll_unread(self.now, &mut self.held),
            },
            _ => self.go_well(),
        }
    }

    fn want(&mut self, number: usize) {
        let name = self.cluster.topics[number].name.clone();
        self.engine
            .handle_topic_wanted(number as u32, &name, self.now);
    }

    fn ask(&mut self, script: &mut Script<'_>) {
        let number = script.below(2);
        let until = self.now + Duration::from_secs(60);
        match script.below(4) {
            0 => self.engine.handle_cluster_wanted(until),
            1 => {
                let name = self.cluster.topics[number].name.clone();
                let engine = &mut self.engine;
                engine.handle_partitions_wanted(number as u32, &name, until);
            }
            _ => self.want(number),
        }
    }

    fn append(&mut self, script: &mut Script<'_>) {
        let (how, place) = (script.byte(), script.byte());
        let number = usize::from(place >> 7);
        let known = self.known[number];
        if known == 0 {
            return self.want(number);
        }
        let class = [0, 0, 0, 0, 0, 1, 1, 2][usize::from(how & 7)];
        let size = [0, 10, 50, 150][usize::from(how >> 6)];
        let index = usize::from(place & 0x7f) % known;
        for _ in 0..=how >> 3 & 3 {
            self.append_one((number, index), class, size);
        }
    }

    fn append_one(&mut self, (number, index): (usize, usize), class: u8, size: usize) {
        let partition = PartitionId {
            topic: number as u32,
            index: index as i32,
        };
        let queue = self.held.queues.get_mut(&partition);
        let queue = queue.expect("a partition that callers know");
        let given = Given {
            partition: number * PARTITIONS + index,
            options: (&self.options[usize::from(class)], class),
            size,
            timestamp: self.cluster.unix_ms,
        };
        tell!(
            "append {} to {number}-{index} with options {class}",
            self.book.next_record()
        );
        let left = append(queue, &mut self.book, &given, self.now);
        self.lent += left.lent;
        self.jobs.extend(left.job.map(|job| (partition, *job)));
        if left.became_dirty {
            self.engine.mark_dirty(partition);
        }
    }

    fn sleep(&mut self, ms: u64) {
        self.now += Duration::from_millis(ms);
        self.cluster.unix_ms += ms as i64;
        if ms >= 10_000 {
            self.afloat.clear();
        }
        tell!("{ms} ms later");
    }

    fn sleep_until_due(&mut self) {
        if let Some(at) = self.engine.next_wake(self.now) {
            let ms = (at - self.now).as_micros().div_ceil(1000);
            self.sleep(ms as u64);
        }
    }

    /// The socket that was wanted first opens.
    fn open(&mut self) {
        let Some((id, broker)) = self.wanted.pop_front() else {
            return;
        };
        if !self
            .cluster
            .up
            .get(broker as usize - 1)
            .copied()
            .unwrap_or_default()
        {
            return self.fail(id);
        }
        if let Some(connection) = self.connections.get_mut(&id) {
            connection.is_open = true;
            self.engine.handle_connected(id, self.now);
        }
    }

    fn refuse(&mut self) {
        if let Some((id, _)) = self.wanted.pop_front() {
            self.fail(id);
        }
    }

    fn fail(&mut self, id: ConnectionId) {
        if self.connections.remove(&id).is_some() {
            let failure = ConnectFailure::new(ConnectErrorKind::Refused, "refused");
            self.engine
                .handle_connect_failed(id, failure, self.now, &mut self.held);
        }
    }

    fn turn_broker(&mut self, which: usize) {
        self.cluster.turn_broker(which);
        let up = self.cluster.up.clone();
        let is_down =
            |c: &Connection| c.is_open && !up.get(c.broker as usize - 1).unwrap_or(&false);
        let down = self.connections.iter().filter(|(_, c)| is_down(c));
        let down: Vec<ConnectionId> = down.map(|(id, _)| *id).collect();
        down.into_iter().for_each(|id| self.cut_one(id));
    }

    fn cut(&mut self, which: usize) {
        let open = self.connections.iter().filter(|(_, c)| c.is_open);
        let open: Vec<ConnectionId> = open.map(|(id, _)| *id).collect();
        if let Some(&id) = open.get(which % open.len().max(1)) {
            self.cut_one(id);
        }
    }

    fn cut_one(&mut self, id: ConnectionId) {
        tell!("{id:?} is cut");
        self.forget(id);
        self.engine
            .handle_disconnected(id, DisconnectReason::Closed, self.now, &mut self.held);
    }

    /// A connection is gone. What has left whole may be read all the same.
    fn forget(&mut self, id: ConnectionId) {
        let Some(connection) = self.connections.remove(&id) else {
            return;
        };
        let broker = connection.broker;
        for asked in connection.into_whole() {
            for carried in asked.carried {
                self.book.note_doubt(&carried.came);
                self.afloat.push((broker, carried));
            }
        }
    }

    fn surface(&mut self, which: usize) {
        if !self.afloat.is_empty() {
            let (broker, carried) = self.afloat.swap_remove(which % self.afloat.len());
            self.cluster.take_late(broker, &carried);
        }
    }

    /// The kernel takes so much of what waits on each connection.
    fn leave(&mut self, bytes: u64) -> bool {
        let mut told = Vec::new();
        for (&id, connection) in &mut self.connections {
            if connection.is_congested() {
                told.push((id, connection.leave(bytes)));
            }
            for asked in connection.begun().filter(|asked| !asked.is_spent) {
                asked.is_spent = true;
                for carried in &asked.carried {
                    self.book.note_spent(carried.partition(), &carried.came);
                }
            }
        }
        for &(id, left) in &told {
            self.engine.handle_written(id, left, 0, &mut self.held);
        }
        !told.is_empty()
    }

    /// A broker answers the next request of one of the connections that have one.
    fn serve(&mut self, which: usize, (how, more): (u8, u8)) -> bool {
        let readable = self.connections.iter().filter(|(_, c)| c.is_readable());
        let readable: Vec<ConnectionId> = readable.map(|(id, _)| *id).collect();
        let Some(&id) = readable.get(which % readable.len().max(1)) else {
            return false;
        };
        let Some(connection) = self.connections.get_mut(&id) else {
            return false;
        };
        let broker = connection.broker;
        let Some(asked) = connection.asked.pop_front() else {
            return false;
        };
        tell!("{:?} on {id:?}, {how} {more}", asked.api());
        let Some(mut frame) = self.answer(broker, &asked, (how, more)) else {
            return true;
        };
        match how {
            // What comes is no answer.
            0xf8 => frame.truncate(frame.len() - 1 - usize::from(more) % (frame.len() - 4)),
            0xf9 => frame[4] ^= 0x40,
            0xfa => {
                let at = 8 + usize::from(more) % (frame.len() - 8).max(1);
                if let Some(byte) = frame.get_mut(at).filter(|_| asked.carried.is_empty()) {
                    *byte ^= 0x55;
                }
            }
            // The answer is lost with its connection.
            0xfb..=0xff => {
                for carried in &asked.carried {
                    self.book.note_doubt(&carried.came);
                }
                self.cut_one(id);
                return true;
            }
            _ => {}
        }
        if how >= 0xf8 {
            for carried in &asked.carried {
                self.book.note_doubt(&carried.came);
            }
        }
        self.engine
            .handle_received(id, &frame[4..], self.now, &mut self.held);
        true
    }

    fn answer(&mut self, broker: i32, asked: &Asked, (how, more): (u8, u8)) -> Option<Vec<u8>> {
        let (version, id) = (asked.header.api_version, asked.header.correlation_id);
        let fault = if how % 4 == 3 { more % 12 } else { 0 };
        let frame = match asked.api() {
            ApiKey::ApiVersions => {
                let versions = self.cluster.versions();
                encode_response(ApiKey::ApiVersions, &versions, version, id)
            }
            ApiKey::Metadata => {
                let request = asked.read::<MetadataRequest>();
                let told = self.cluster.metadata(&request, version, fault);
                tell!("  {told:?}");
                encode_response(ApiKey::Metadata, &told, version, id)
            }
            ApiKey::InitProducerId => {
                let told = self.cluster.identity(fault);
                encode_response(ApiKey::InitProducerId, &told, version, id)
            }
            _ => {
                let said = self.take(broker, asked, (how, more));
                tell!("  {said:?}");
                if !self.cluster.answers() {
                    return None;
                }
                encode_response(ApiKey::Produce, &said, version, id)
            }
        };
        Some(frame.expect("an answer that its version carries"))
    }

    fn take(&mut self, broker: i32, asked: &Asked, (how, more): (u8, u8)) -> ProduceResponse {
        let request = asked.read::<ProduceRequest>();
        let mut response = ProduceResponse::default();
        if how % 32 == 31 {
            response.throttle_time_ms = i32::from(more) * 4;
        }
        let mut carried = asked.carried.iter();
        for topic in request.topics {
            let mut answer = TopicProduceResponse {
                name: topic.name,
                topic_id: topic.topic_id,
                partitions: Vec::new(),
            };
            for (at, carried) in (0..).zip(carried.by_ref().take(topic.partitions.len())) {
                let how = (how.wrapping_add(at * 16), more.wrapping_add(at));
                let said = self.cluster.take_batch(broker, carried, how);
                if leaves_open(&said) {
                    self.book.note_doubt(&carried.came);
                }
                // An answer may leave a batch out.
                if how.0 == 0xe0 {
                    self.book.note_doubt(&carried.came);
                } else {
                    answer.partitions.push(said);
                }
            }
            response.topics.push(answer);
        }
        response
    }

    fn seal(&mut self, which: usize) {
        if self.jobs.is_empty() {
            return;
        }
        let (partition, job) = self.jobs.swap_remove(which % self.jobs.len());
        let sealed = job.run(&mut self.compressor);
        let queue = self.held.queues.get_mut(&partition);
        let queue = queue.expect("a queue that made the job");
        let freed = queue.finish_seal(sealed).freed;
        self.give_back(freed);
        self.engine.mark_dirty(partition);
    }

    fn give_back(&mut self, bytes: usize) {
        assert!(bytes <= self.lent, "more comes back than was lent");
        self.lent -= bytes;
    }

    /// As the shell does after whatever happened.
    fn step(&mut self) {
        self.engine
            .handle_wall_clock(self.now, self.cluster.unix_ms);
        for _ in 0..QUIET_WITHIN {
            self.engine.poll(self.now, &mut self.held);
            let mut is_quiet = true;
            while let Some(output) = self.engine.poll_output() {
                is_quiet = false;
                self.carry_out(output);
            }
            let took = !self.is_kernel_full && self.leave(u64::MAX);
            if is_quiet && !took {
                self.check();
                return;
            }
        }
        panic!("the engine has ever more to say");
    }

    fn check(&self) {
        let wake = self.engine.next_wake(self.now);
        assert!(wake.is_none_or(|at| at > self.now), "it would spin");
        let held: usize = self.held.queues.values().map(Queue::held).sum();
        assert_eq!(held, self.lent, "what is lent");
        let unresolved: u64 = self.held.queues.values().map(Queue::unresolved).sum();
        assert_eq!(unresolved, self.book.unresolved() as u64);
    }

    fn carry_out(&mut self, output: Output<u32>) {
        match output {
            Output::Connect {
                connection_id,
                address,
                broker,
            } => {
                let number = address.host.strip_prefix('b').and_then(|n| n.parse().ok());
                let number: i32 = number.expect("an address that the cluster has");
                assert!(broker.is_none_or(|broker| broker == number));
                let connection = Connection::to(number);
                let before = self.connections.insert(connection_id, connection);
                assert!(before.is_none(), "a number is never used again");
                self.wanted.push_back((connection_id, number));
            }
            Output::Disconnect { connection_id } => self.forget(connection_id),
            Output::Write {
                connection_id,
                frame,
            } => self.write(connection_id, &frame.to_vec()),
            Output::Topic { topic, update } => self.update(topic, &update),
            Output::Resolve {
                ticket,
                first,
                count,
                total,
                verdict,
            } => {
                tell!("  {ticket} {first} {count}: {verdict:?}");
                let connections = &self.connections;
                let in_flight = |record| {
                    let asked = connections.values().flat_map(|c| &c.asked);
                    let mut carried = asked.flat_map(|asked| &asked.carried);
                    carried.any(|carried| carried.came.records.contains(&record))
                };
                self.book
                    .resolve(ticket, (first, count), total, &verdict, in_flight);
            }
            Output::Seal { partition, job } => self.jobs.push((partition, *job)),
            Output::Free { bytes, .. } => self.give_back(bytes),
            Output::Event(event) => {
                self.engine.notice(&event, self.now);
            }
            _ => {}
        }
    }

    fn write(&mut self, id: ConnectionId, frame: &[u8]) {
        let Some(connection) = self.connections.get_mut(&id) else {
            panic!("{id:?} is written to and is not there");
        };
        assert!(connection.is_open, "{id:?} is written to and is not open");
        connection.write(frame, &self.cluster);
        let broker = connection.broker;
        let written = self.connections.get(&id).and_then(|c| c.asked.back());
        let Some(asked) = written else { return };
        for carried in &asked.carried {
            tell!("  {id:?} brings {carried:?}");
            let partition = carried.partition();
            assert_eq!(carried.came.stamp.is_some(), self.config.idempotence);
            self.book.check_unspent(partition, &carried.came);
            if !self.cluster.answers() {
                continue;
            }
            for other in self.connections.values().filter(|c| c.broker != broker) {
                let mut others = other.asked.iter().flat_map(|asked| &asked.carried);
                assert!(
                    !others.any(|other| other.partition() == partition),
                    "in flight at two brokers"
                );
            }
        }
    }

    fn update(&mut self, topic: u32, update: &TopicUpdate) {
        tell!("  topic {topic}: {update:?}");
        let TopicUpdate::Available { leaders } = update else {
            return;
        };
        for (index, &leader) in (0..).zip(leaders.iter()) {
            let partition = PartitionId { topic, index };
            let name = &self.cluster.topics[topic as usize].name;
            let settings = QueueSettings::from(self.config.as_ref());
            let line = MemoryLine(leader);
            let seed = u64::from(topic) << 8 | index as u64;
            let queue = self.held.queues.entry(partition);
            let queue =
                queue.or_insert_with(|| Queue::new(name.clone(), index, line, settings, seed));
            queue.set_leader_line(line);
            queue.poll_turn();
        }
        self.known[topic as usize] = leaders.len();
    }
}
