//! What is measured against: brokers, or the fake cluster in another process; and a producer
//! whose topic is warm.

use downpour::blocking::{Producer, TopicProducer};

use crate::args::{PartitionMode, PerfArgs};
use crate::embedded::ClusterProcess;
use crate::ending::Refusal;
use crate::settings::Settings;

/// The producer, and the cluster if this command started one. Fields are dropped in this order, so
/// that the cluster ends last.
pub(super) struct Target {
    pub(super) topic: TopicProducer,
    pub(super) producer: Producer,
    _cluster: Option<ClusterProcess>,
}

impl Target {
    /// Starts the cluster if it is embedded, and connects.
    pub(super) fn reach(args: &PerfArgs) -> Result<Self, Refusal> {
        let connection = &args.connection;
        // The settings are checked first, so that no process is started for wrong ones.
        let placeholder = connection.embedded.then_some("localhost:9092");
        let settings = Settings::read(connection)?;
        drop(settings.build(settings.builder(placeholder)?)?);
        let cluster = match connection.embedded {
            true => Some(ClusterProcess::start(
                args.topic(),
                connection.embedded_partitions,
            )?),
            false => None,
        };
        let builder = settings.builder(cluster.as_ref().map(ClusterProcess::bootstrap))?;
        let probe = builder.clone().max_block(settings.reach_within());
        settings.reach(&settings.build(probe)?, args.topic())?;
        let producer = settings.build(builder)?;
        let topic = settings.reach(&producer, args.topic())?;
        if let PartitionMode::One(partition) = args.partition {
            let partitions = topic.partitions();
            if u32::try_from(partition).is_ok_and(|partition| partition >= partitions) {
                return Err(Refusal::new(format!(
                    "--partition is {partition}, but {} has {partitions} partitions, from 0 on",
                    args.topic()
                )));
            }
        }
        Ok(Self {
            topic,
            producer,
            _cluster: cluster,
        })
    }
}
