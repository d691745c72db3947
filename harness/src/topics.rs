//! What is done to a cluster's topics, and what its brokers say of them. Records are written and
//! read by others.

use std::thread;
use std::time::{Duration, Instant};

use crate::cluster::Cluster;
use crate::error::Error;
use crate::probe::{self, NewTopic, Partition, View};

/// A new topic is in sync by then.
const NEW_IN_SYNC_WITHIN: Duration = Duration::from_secs(20);

/// How often the replicas are looked at.
const POLL: Duration = Duration::from_millis(50);

impl Cluster {
    /// Creates a topic with as many replicas as the cluster has brokers, three at most.
    ///
    /// # Errors
    /// As [`Cluster::create_topic_with_replicas`].
    pub fn create_topic(
        &self,
        topic: &str,
        partitions: u32,
        configs: &[(&str, &str)],
    ) -> Result<(), Error> {
        let replicas = self.broker_ids().len().min(3) as u16;
        self.create_topic_with_replicas(topic, partitions, replicas, configs)
    }

    /// Creates a topic with a number of replicas and waits until they are in sync.
    ///
    /// # Errors
    /// When the cluster refuses, for example because the topic exists; its words are told.
    pub fn create_topic_with_replicas(
        &self,
        topic: &str,
        partitions: u32,
        replicas: u16,
        configs: &[(&str, &str)],
    ) -> Result<(), Error> {
        let new = NewTopic {
            name: topic,
            partitions,
            replicas,
            configs,
        };
        probe::create_topic(self.controller_port()?, &new)?;
        self.wait_in_sync(topic, NEW_IN_SYNC_WITHIN)
    }

    /// Deletes a topic. Brokers may still know it for a moment.
    ///
    /// # Errors
    /// When the cluster refuses, for example because there is no such topic.
    pub fn delete_topic(&self, topic: &str) -> Result<(), Error> {
        probe::delete_topic(self.controller_port()?, topic)
    }

    /// What the cluster says of a topic; see [`Cluster::ask`] for which broker is asked.
    ///
    /// # Errors
    /// When no broker answers.
    pub fn partitions(&self, topic: &str) -> Result<Vec<Partition>, Error> {
        Ok(self.ask(&[topic])?.partitions)
    }

    /// The broker that leads a partition.
    ///
    /// # Errors
    /// When no broker answers, or the partition has no leader now.
    pub fn leader(&self, topic: &str, partition: i32) -> Result<i32, Error> {
        let partitions = self.partitions(topic)?;
        let found = partitions.iter().find(|found| found.id == partition);
        found
            .map(|found| found.leader)
            .filter(|leader| *leader >= 0)
            .ok_or_else(|| Error::new(format!("partition {partition} of {topic} has no leader")))
    }

    /// Asks the first broker that answers about some topics.
    ///
    /// # Errors
    /// When no broker answers within 3 s.
    pub fn ask(&self, topics: &[&str]) -> Result<View, Error> {
        let mut last = Error::new("no broker runs");
        for node in self
            .nodes()
            .iter()
            .filter(|node| node.role.is_broker() && node.is_alive())
        {
            match probe::view(node.port, topics) {
                Ok(view) => return Ok(view),
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    /// Waits until every partition of a topic has a leader and all its replicas in sync.
    ///
    /// # Errors
    /// When that does not come within the time; the partitions that lag are told.
    pub fn wait_in_sync(&self, topic: &str, within: Duration) -> Result<(), Error> {
        let until = Instant::now() + within;
        loop {
            let lagging = match self.partitions(topic) {
                Ok(partitions) if partitions.is_empty() => "it has no partitions".to_owned(),
                Ok(partitions) => {
                    let lags = |p: &&Partition| p.leader < 0 || p.in_sync.len() < p.replicas.len();
                    let lagging: Vec<_> = partitions.iter().filter(lags).collect();
                    if lagging.is_empty() {
                        return Ok(());
                    }
                    format!("{lagging:?}")
                }
                Err(error) => error.to_string(),
            };
            if Instant::now() >= until {
                return Err(Error::new(format!("{topic} is not in sync: {lagging}")));
            }
            thread::sleep(POLL);
        }
    }

    /// Topics are created and deleted at the controller: with ZooKeeper no other broker does it.
    pub(crate) fn controller_port(&self) -> Result<u16, Error> {
        let controller = self.ask(&[])?.controller;
        let found = self.nodes().iter().find(|node| node.id == controller);
        found
            .map(|node| node.port)
            .ok_or_else(|| Error::new(format!("no node {controller}, which is the controller")))
    }
}
