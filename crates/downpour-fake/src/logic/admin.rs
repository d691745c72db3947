//! What a test does to a cluster by hand, as an administrator or an accident would, and what it asks
//! it: topics, leaders, brokers, logs, settings. Requests are served in `logic::cluster`.

use std::time::Duration;

use downpour_wire::messages::ApiKey;
use downpour_wire::primitives::Uuid;

use super::cluster::Cluster;
use super::request_log::LoggedRequest;
use super::state::Partition;
use crate::fault::Fault;
use crate::record::FakeRecord;
use crate::topic::TopicSpec;
use crate::version::{KafkaVersion, VersionTable};

/// Topics and leaders.
impl Cluster {
    /// Creates a topic; leaders go round the brokers. Returns its id.
    ///
    /// # Panics
    ///
    /// If the topic exists, Kafka does not allow the name, or there are fewer brokers than replicas.
    #[track_caller]
    pub fn create_topic(&mut self, name: &str, spec: impl Into<TopicSpec>) -> Uuid {
        match self.try_create_topic(name, spec.into()) {
            Ok(id) => id,
            Err(problem) => panic!("{problem}"),
        }
    }

    /// As [`create_topic`](Self::create_topic), for a description that is not the test's own.
    pub(crate) fn try_create_topic(&mut self, name: &str, spec: TopicSpec) -> Result<Uuid, String> {
        self.state
            .create_topic(name, spec)
            .map_err(|problem| format!("cannot create topic {name:?}: {problem}"))
    }

    /// Deletes a topic and its records. A topic of the same name gets a new id.
    ///
    /// # Panics
    ///
    /// If there is no such topic.
    #[track_caller]
    pub fn delete_topic(&mut self, name: &str) {
        assert!(
            self.state.delete_topic(name),
            "the fake has no topic {name:?}"
        );
    }

    /// Adds partitions until the topic has `count`.
    ///
    /// # Panics
    ///
    /// If there is no such topic.
    #[track_caller]
    pub fn grow_topic(&mut self, name: &str, count: i32) {
        assert!(
            self.state.topics.contains_key(name),
            "the fake has no topic {name:?}"
        );
        self.state.grow_topic(name, count);
    }

    /// Every topic's name, sorted.
    #[must_use]
    pub fn topics(&self) -> Vec<String> {
        self.state.topics.keys().cloned().collect()
    }

    /// How many partitions a topic has; `None` if it does not exist.
    #[must_use]
    pub fn partition_count(&self, topic: &str) -> Option<i32> {
        i32::try_from(self.state.topics.get(topic)?.partitions.len()).ok()
    }

    /// A topic's id; `None` if it does not exist.
    #[must_use]
    pub fn topic_id(&self, topic: &str) -> Option<Uuid> {
        Some(self.state.topics.get(topic)?.id)
    }

    /// Followers of the partition fetch nothing from now on, until
    /// [`resume_replication`](Self::resume_replication): acks=all is answered after the request's
    /// timeout with REQUEST_TIMED_OUT, a repeated batch too; acks=1 is answered at once; consumers see
    /// nothing new. If another broker becomes leader meanwhile, it has only what was there before, and
    /// replication goes on.
    ///
    /// ```
    /// use downpour_fake::KafkaVersion;
    /// use downpour_fake::logic::Cluster;
    ///
    /// let mut cluster = Cluster::new(3, KafkaVersion::V4_3);
    /// cluster.create_topic("events", 1);
    /// cluster.stall_replication("events", 0);
    /// // Send with acks=1, then lose it in a clean election:
    /// cluster.move_leader("events", 0, 2);
    /// ```
    ///
    /// # Panics
    ///
    /// If there is no such partition.
    #[track_caller]
    pub fn stall_replication(&mut self, topic: &str, partition: i32) {
        let found = self.at_mut(topic, partition);
        let end = found.log.end_offset();
        found.stalled_at.get_or_insert(end);
    }

    /// Ends what [`stall_replication`](Self::stall_replication) began. Requests that wait already are
    /// answered as if it had not.
    ///
    /// # Panics
    ///
    /// If there is no such partition.
    #[track_caller]
    pub fn resume_replication(&mut self, topic: &str, partition: i32) {
        self.at_mut(topic, partition).stalled_at = None;
    }

    /// Up to where consumers may read: the end of the log unless replication is stalled.
    ///
    /// # Panics
    ///
    /// If there is no such partition.
    #[must_use]
    #[track_caller]
    pub fn high_watermark(&self, topic: &str, partition: i32) -> i64 {
        let found = self.at(topic, partition);
        found.high_watermark(found.leader)
    }

    /// An unclean election: `to`, whose replica ends at `end_offset`, becomes the leader, and what lay
    /// beyond is lost, acknowledged or not; the same as [`truncate`](Self::truncate) and
    /// [`move_leader`](Self::move_leader).
    ///
    /// # Panics
    ///
    /// If there is no such partition or no such living broker.
    #[track_caller]
    pub fn elect_unclean(&mut self, topic: &str, partition: i32, to: i32, end_offset: i64) {
        self.truncate(topic, partition, end_offset);
        self.move_leader(topic, partition, to);
    }

    /// Makes broker `to` the leader, under a leader epoch one higher.
    ///
    /// # Panics
    ///
    /// If there is no such partition or no such living broker.
    #[track_caller]
    pub fn move_leader(&mut self, topic: &str, partition: i32, to: i32) {
        assert!(
            self.state.move_leader(topic, partition, to),
            "cannot move {topic}-{partition} to broker {to}: one of them is not there"
        );
    }

    /// The partition's leader; -1 while no replica lives.
    ///
    /// # Panics
    ///
    /// If there is no such partition.
    #[must_use]
    #[track_caller]
    pub fn leader(&self, topic: &str, partition: i32) -> i32 {
        self.at(topic, partition).leader
    }

    /// It begins at 0 and grows by one with each new leader, also when there is none.
    ///
    /// # Panics
    ///
    /// If there is no such partition.
    #[must_use]
    #[track_caller]
    pub fn leader_epoch(&self, topic: &str, partition: i32) -> i32 {
        self.at(topic, partition).leader_epoch
    }

    #[track_caller]
    fn at(&self, topic: &str, partition: i32) -> &Partition {
        match self.state.partition(topic, partition) {
            Some(found) => found,
            None => panic!("the fake has no partition {topic}-{partition}"),
        }
    }

    #[track_caller]
    fn at_mut(&mut self, topic: &str, partition: i32) -> &mut Partition {
        match self.state.partition_mut(topic, partition) {
            Some(found) => found,
            None => panic!("the fake has no partition {topic}-{partition}"),
        }
    }
}

/// Brokers and settings.
impl Cluster {
    /// Takes a broker down. What it led goes to the first living replica under a new leader epoch,
    /// or has no leader. Its connections are the driver's to close; requests that come to it all
    /// the same are answered by closing. True if it was alive.
    ///
    /// # Panics
    ///
    /// If there is no such broker.
    #[track_caller]
    pub fn kill(&mut self, node: i32) -> bool {
        self.assert_node(node);
        self.state.kill(node)
    }

    /// Brings a broker back, with its records. It leads what had no leader. True if it was down.
    ///
    /// # Panics
    ///
    /// If there is no such broker.
    #[track_caller]
    pub fn restart(&mut self, node: i32) -> bool {
        self.assert_node(node);
        self.state.restart(node)
    }

    /// True unless the broker was killed.
    #[must_use]
    pub fn is_alive(&self, node: i32) -> bool {
        self.state.is_alive(node)
    }

    /// Every broker's id, living or not.
    #[must_use]
    pub fn brokers(&self) -> Vec<i32> {
        self.state.nodes.keys().copied().collect()
    }

    /// Sets the host and port that Metadata tells for a broker. Default: `broker-<id>.fake`, 9092.
    ///
    /// # Panics
    ///
    /// If there is no such broker.
    #[track_caller]
    pub fn set_address(&mut self, node: i32, host: impl Into<String>, port: u16) {
        self.assert_node(node);
        if let Some(found) = self.state.nodes.get_mut(&node) {
            found.host = host.into();
            found.port = port;
        }
    }

    /// The host and port that Metadata tells for a broker.
    ///
    /// # Panics
    ///
    /// If there is no such broker.
    #[must_use]
    #[track_caller]
    pub fn address(&self, node: i32) -> (String, u16) {
        self.assert_node(node);
        let found = self.state.nodes.get(&node);
        found
            .map(|found| (found.host.clone(), found.port))
            .unwrap_or_default()
    }

    /// Makes one broker pretend to be another release, as in a cluster that is half upgraded.
    ///
    /// # Panics
    ///
    /// If there is no such broker.
    #[track_caller]
    pub fn set_kafka(&mut self, node: i32, release: KafkaVersion) {
        self.assert_node(node);
        if let Some(found) = self.state.nodes.get_mut(&node) {
            found.versions = VersionTable::of(release);
        }
    }

    /// Changes one range that a broker advertises and serves; `None` takes the API away. The fake
    /// reads no more than its newest release's ranges.
    ///
    /// # Panics
    ///
    /// If there is no such broker.
    #[track_caller]
    pub fn set_api_versions(&mut self, node: i32, api: ApiKey, range: Option<(i16, i16)>) {
        self.assert_node(node);
        if let Some(found) = self.state.nodes.get_mut(&node) {
            found.versions.set(api, range);
        }
    }

    /// From now on this broker's Metadata does not follow the cluster: it names the brokers, topics,
    /// ids, leaders and epochs of this moment: nothing of a topic that is made later, and a topic that
    /// is made anew under another id, as it was. Everything else it does
    /// as it should, as a broker that lags behind its controller.
    ///
    /// # Panics
    ///
    /// If there is no such broker.
    #[track_caller]
    pub fn freeze_metadata(&mut self, node: i32) {
        self.assert_node(node);
        let snapshot = self.state.snapshot();
        if let Some(found) = self.state.nodes.get_mut(&node) {
            found.frozen = Some(snapshot);
        }
    }

    /// Ends what [`freeze_metadata`](Self::freeze_metadata) began.
    ///
    /// # Panics
    ///
    /// If there is no such broker.
    #[track_caller]
    pub fn thaw_metadata(&mut self, node: i32) {
        self.assert_node(node);
        if let Some(found) = self.state.nodes.get_mut(&node) {
            found.frozen = None;
        }
    }

    /// Cuts a broker off from the others, while clients reach it as before. The others elect leaders
    /// for what it led and tell nobody of it any more; its own metadata stays as it was, and it goes
    /// on as leader with a log of its own: acks=1 is answered at once, acks=all after the request's
    /// timeout with REQUEST_TIMED_OUT, since no replica fetches. False if it was cut off or is down.
    ///
    /// ```
    /// use downpour_fake::KafkaVersion;
    /// use downpour_fake::logic::Cluster;
    ///
    /// let mut cluster = Cluster::new(3, KafkaVersion::V4_3);
    /// cluster.create_topic("events", 1);
    /// cluster.isolate(1);
    /// assert_eq!(cluster.leader("events", 0), 2);
    /// // What a producer sends to broker 1 now is lost in this moment:
    /// cluster.rejoin(1);
    /// ```
    ///
    /// # Panics
    ///
    /// If there is no such broker.
    #[track_caller]
    pub fn isolate(&mut self, node: i32) -> bool {
        self.assert_node(node);
        self.state.isolate(node)
    }

    /// Ends what [`isolate`](Self::isolate) began: the broker throws away what it appended alone, as
    /// a follower does that finds another leader epoch. False if it was not cut off.
    ///
    /// # Panics
    ///
    /// If there is no such broker.
    #[track_caller]
    pub fn rejoin(&mut self, node: i32) -> bool {
        self.assert_node(node);
        self.state.rejoin(node)
    }

    /// After how long, by the timestamps of its last batch, a producer is forgotten
    /// (`producer.id.expiration.ms`), and how often brokers look for such producers
    /// (`producer.id.expiration.check.interval.ms`). Default: a day and ten minutes, Kafka's.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use downpour_fake::KafkaVersion;
    /// use downpour_fake::logic::Cluster;
    ///
    /// let mut cluster = Cluster::new(1, KafkaVersion::V4_3);
    /// cluster.set_producer_expiration(Duration::from_secs(3600), Duration::from_secs(1));
    /// ```
    pub fn set_producer_expiration(&mut self, after: Duration, check_every: Duration) {
        let millis = |time: Duration| i64::try_from(time.as_millis()).unwrap_or(i64::MAX);
        self.state.settings.producers_known_ms = millis(after);
        self.state.settings.producers_checked_ms = millis(check_every).max(1);
    }

    /// Whether Kafka 2.1 too accepts any first sequence of a producer that it does not know, as newer
    /// ones do, instead of UNKNOWN_PRODUCER_ID. Default: false.
    pub fn set_any_first_sequence(&mut self, any: bool) {
        self.state.settings.any_first_sequence = any;
    }

    /// A connection that sends a larger request is closed (`socket.request.max.bytes`). Default: 100
    /// MiB, Kafka's.
    pub fn set_request_bytes_max(&mut self, bytes: usize) {
        self.request_bytes_max = bytes;
    }

    /// Sets which time it is, in milliseconds since 1970, when the driver's clock is at 0: for
    /// topics with log append time. Default: 0.
    pub fn set_epoch_ms(&mut self, ms: i64) {
        self.state.settings.epoch_ms = ms;
    }

    /// What the cluster calls itself in its metadata, and by which the ids of topics that are made from
    /// now on differ from those of another cluster.
    pub fn set_cluster_id(&mut self, id: &str) {
        // FNV-1a.
        let mix = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3);
        self.state.settings.topic_ids = id.bytes().fold(0xcbf2_9ce4_8422_2325, mix);
        id.clone_into(&mut self.state.settings.cluster_id);
    }

    /// Whether asking for the metadata of a topic that is not there creates it. Default: false.
    pub fn set_auto_create(&mut self, auto_create: bool) {
        self.state.settings.auto_create = auto_create;
    }

    /// How many partitions a topic gets that is created without a number of its own. Default: 1.
    pub fn set_default_partitions(&mut self, partitions: i32) {
        self.state.settings.default_partitions = partitions.max(1);
    }

    /// The largest batch in bytes, for topics that do not say. Default: 1 MiB and 12 bytes, Kafka's.
    pub fn set_max_message_bytes(&mut self, bytes: usize) {
        self.state.settings.max_message_bytes = bytes;
    }

    #[track_caller]
    fn assert_node(&self, node: i32) {
        let ids = self.brokers();
        assert!(
            ids.contains(&node),
            "the fake has no broker {node}, only {ids:?}"
        );
    }
}

/// Logs and what arrived.
impl Cluster {
    /// The records of a partition, decoded, in order of their offsets.
    ///
    /// # Panics
    ///
    /// If there is no such partition.
    #[must_use]
    #[track_caller]
    pub fn records(&self, topic: &str, partition: i32) -> Vec<FakeRecord> {
        self.at(topic, partition).log.records()
    }

    /// The record batches of a partition as they lie in its log: first offset and bytes.
    ///
    /// # Panics
    ///
    /// If there is no such partition.
    #[track_caller]
    pub fn batches(&self, topic: &str, partition: i32) -> impl Iterator<Item = (i64, &[u8])> {
        self.at(topic, partition).log.batches()
    }

    /// The offset that the partition's next record will get.
    ///
    /// # Panics
    ///
    /// If there is no such partition.
    #[must_use]
    #[track_caller]
    pub fn end_offset(&self, topic: &str, partition: i32) -> i64 {
        self.at(topic, partition).log.end_offset()
    }

    /// Makes the partition forget all producers, as `producer.id.expiration.ms` does. After that it
    /// accepts any first sequence of a producer (KIP-360).
    ///
    /// # Panics
    ///
    /// If there is no such partition.
    #[track_caller]
    pub fn expire_producer_state(&mut self, topic: &str, partition: i32) {
        self.at_mut(topic, partition).log.producers.expire_all();
    }

    /// Makes the partition forget one producer. True if it was known.
    ///
    /// # Panics
    ///
    /// If there is no such partition.
    #[track_caller]
    pub fn expire_producer(&mut self, topic: &str, partition: i32, producer_id: i64) -> bool {
        self.at_mut(topic, partition)
            .log
            .producers
            .expire(producer_id)
    }

    /// What the partition remembers of a producer: epoch and last sequence.
    ///
    /// # Panics
    ///
    /// If there is no such partition.
    #[must_use]
    #[track_caller]
    pub fn last_sequence(
        &self,
        topic: &str,
        partition: i32,
        producer_id: i64,
    ) -> Option<(i16, i32)> {
        self.at(topic, partition).log.producers.last(producer_id)
    }

    /// Loses every batch that reaches `offset`, as an unclean leader election does; producers are
    /// remembered as far as the batches that are left tell of them. Acknowledged records may be lost.
    ///
    /// # Panics
    ///
    /// If there is no such partition.
    #[track_caller]
    pub fn truncate(&mut self, topic: &str, partition: i32, offset: i64) {
        self.at_mut(topic, partition).log.truncate(offset);
    }

    /// Moves the partition's first readable offset up to `offset`, as retention does.
    ///
    /// # Panics
    ///
    /// If there is no such partition.
    #[track_caller]
    pub fn delete_records_before(&mut self, topic: &str, partition: i32, offset: i64) {
        self.at_mut(topic, partition).log.delete_before(offset);
    }

    /// Every request that arrived, oldest first; at most
    /// [`REQUESTS_KEPT_MAX`](super::REQUESTS_KEPT_MAX) are remembered.
    pub fn requests(&self) -> impl ExactSizeIterator<Item = &LoggedRequest> {
        self.request_log.requests()
    }

    /// How many requests of a kind arrived, those that are no longer remembered included.
    #[must_use]
    pub fn request_count(&self, api: ApiKey) -> u64 {
        self.request_log.count(api)
    }

    /// What no sound client ever does, in words: frames that cannot be read, versions that were
    /// not offered, batches that are malformed. At most 1,000 are remembered.
    pub fn violations(&self) -> impl ExactSizeIterator<Item = &String> {
        self.request_log.violations()
    }

    /// Forgets the requests, their counts and the violations.
    pub fn clear_requests(&mut self) {
        self.request_log.clear();
    }
}

/// Faults and delays.
impl Cluster {
    /// Adds a fault; see [`Fault`] for which request it applies to.
    pub fn fault(&mut self, fault: Fault) {
        self.faults.add(fault);
    }

    /// Removes every fault that has not run out.
    pub fn clear_faults(&mut self) {
        self.faults.clear();
    }

    /// How many faults have not run out: 0 once everything that was scripted has happened.
    #[must_use]
    pub fn pending_faults(&self) -> usize {
        self.faults.len()
    }

    /// From now on each request is worked on for `delay`; a connection's requests wait for each other.
    pub fn set_service_delay(&mut self, delay: Duration) {
        self.service_delay = delay;
    }

    /// From now on each answer arrives `delay` later; meanwhile the next request is served.
    pub fn set_network_delay(&mut self, delay: Duration) {
        self.network_delay = delay;
    }
}
