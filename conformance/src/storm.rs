//! A load on three brokers with troubles all along, read back by librdkafka and checked: six
//! partitions, three replicas of which two must be in sync.

use std::fmt;
use std::fs::OpenOptions;
use std::io::Write as _;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use downpour::{Acks, CompressionType, Producer, blocking};
use kafka_harness::foreign_reader;
use kafka_harness::{Cluster, Error, Role, Spec, Version};

use crate::check::{Check, Findings};
use crate::ledger::Ledger;
use crate::load::Load;
use crate::proxy::Proxy;
use crate::trouble::{Fault, Trouble};

const TOPIC: &str = "storm";
const PARTITIONS: u32 = 6;
const BROKERS: usize = 3;
const CLIENT_ID: &str = "storm";

/// The load is under way by then.
const CALM: Duration = Duration::from_secs(2);

/// A paused broker answers nobody; whoever waits 30 s for it sees few pauses.
const PAUSED_REQUEST_TIMEOUT: Duration = Duration::from_secs(5);

/// The delivery timeout, and time for a machine that is busy.
const VERDICT_WITHIN: Duration = Duration::from_secs(180);

/// What shall happen.
#[derive(Debug, Clone)]
pub struct Storm {
    /// To which Kafka.
    pub version: Version,
    /// What befalls its brokers.
    pub fault: Fault,
    /// At least so many times.
    pub faults: u32,
    /// At least so many records; more if the troubles take longer.
    pub records: u64,
    /// At most so many records in a second.
    pub per_second: u64,
    /// How batches are compressed.
    pub codec: CompressionType,
    /// The producer's delivery timeout where it is not the default. One that is shorter than an
    /// outage makes records fail, which must then be absent; the request timeout is half of it.
    pub delivery_timeout: Option<Duration>,
    /// Anything but all shall lose records, which shows that losses are found.
    pub acks: Acks,
}

/// What happened.
#[derive(Debug)]
#[non_exhaustive]
pub struct Aftermath {
    /// What shall have happened.
    pub storm: Storm,
    /// How many troubles there were.
    pub faults: u32,
    /// From the first record to the last verdict.
    pub took: Duration,
    /// What the producer said.
    pub ledger: Ledger,
    /// What is true of it.
    pub findings: Findings,
}

impl Storm {
    /// Starts a cluster, sends, makes trouble, reads back and compares. `tell` hears what goes on.
    ///
    /// # Errors
    /// When the cluster does not do as it shall; what the producer did wrong is in the answer.
    pub fn run(&self, tell: &(dyn Fn(&str) + Sync)) -> Result<Aftermath, Error> {
        foreign_reader::build()?;
        let spec = Spec::new(self.version, BROKERS)
            // Leaders go home soon after their broker came back, without anything being killed.
            .property("leader.imbalance.check.interval.seconds", 5);
        if self.fault == Fault::Proxy && self.version.has_zookeeper() {
            return Err(Error::new("proxies are for clusters without ZooKeeper"));
        }
        let mut cluster = Cluster::start(&spec)?;
        let proxies = if self.fault == Fault::Proxy {
            put_proxies_before(&mut cluster)?
        } else {
            Vec::new()
        };
        cluster.create_topic(TOPIC, PARTITIONS, &[])?;
        let producer = self.producer(&cluster, &proxies)?;
        let began = Instant::now();
        let (ledger, faults) = self.rage(&mut cluster, &proxies, &producer, tell)?;
        let took = began.elapsed();
        producer.close();
        tell(&format!(
            "sent in {:.1} s; reading back",
            took.as_secs_f64()
        ));
        let mut check = Check::new(&ledger);
        foreign_reader::for_each_record(&cluster.bootstrap(), TOPIC, false, |record| {
            check.record(&record);
        })?;
        let findings = check.finish();
        cluster.down()?;
        Ok(Aftermath {
            storm: self.clone(),
            faults,
            took,
            ledger,
            findings,
        })
    }

    fn producer(&self, cluster: &Cluster, proxies: &[Proxy]) -> Result<blocking::Producer, Error> {
        let bootstrap = if proxies.is_empty() {
            cluster.bootstrap()
        } else {
            let addresses = proxies.iter().map(|proxy| proxy.address().to_string());
            addresses.collect::<Vec<_>>().join(",")
        };
        let mut builder = Producer::builder(bootstrap)
            .client_id(CLIENT_ID)
            .compression(self.codec);
        if self.acks != Acks::All {
            builder = builder.acks(self.acks);
        }
        if self.fault == Fault::Stop {
            builder = builder.request_timeout(PAUSED_REQUEST_TIMEOUT);
        }
        if let Some(time) = self.delivery_timeout {
            builder = builder.delivery_timeout(time).request_timeout(time / 2);
        }
        match builder.build() {
            Ok(producer) => Ok(producer.blocking()),
            Err(error) => Err(Error::new(error.to_string())),
        }
    }

    /// Sends and makes trouble meanwhile; answers what the producer said and how many troubles
    /// there were.
    fn rage(
        &self,
        cluster: &mut Cluster,
        proxies: &[Proxy],
        producer: &blocking::Producer,
        tell: &(dyn Fn(&str) + Sync),
    ) -> Result<(Ledger, u32), Error> {
        let load = Load {
            topic: TOPIC.to_owned(),
            partitions: PARTITIONS as i32,
            records: self.records,
            per_second: self.per_second,
            verdict_within: VERDICT_WITHIN,
        };
        let (faults, is_enough) = (AtomicU32::new(0), AtomicBool::new(false));
        let has_given_up = AtomicBool::new(false);
        thread::scope(|scope| {
            let sending = scope.spawn(|| {
                load.run(producer, || {
                    is_enough.store(true, Ordering::Relaxed);
                    faults.load(Ordering::Relaxed) >= self.faults
                        || has_given_up.load(Ordering::Relaxed)
                })
            });
            let is_over = || {
                let is_done = faults.load(Ordering::Relaxed) >= self.faults;
                (is_done && is_enough.load(Ordering::Relaxed)) || sending.is_finished()
            };
            let mut trouble = Trouble::new(cluster, TOPIC, proxies);
            let mut troubled = Ok(());
            thread::sleep(CALM);
            while !is_over() && troubled.is_ok() {
                troubled = trouble.next(self.fault, &is_over).map(|what| {
                    let count = faults.fetch_add(1, Ordering::Relaxed) + 1;
                    // Cuts are many and all alike.
                    if self.fault != Fault::Proxy || count % 50 == 0 {
                        tell(&format!("{count}: {what}"));
                    }
                });
            }
            has_given_up.store(true, Ordering::Relaxed);
            let ledger = sending.join();
            troubled?;
            let ledger = ledger.map_err(|_| Error::new("the load panicked"))?;
            Ok((ledger, faults.load(Ordering::Relaxed)))
        })
    }
}

/// Lets each broker tell clients the address of a proxy in front of it. Brokers among themselves
/// use a third address, so that only clients are cut off.
fn put_proxies_before(cluster: &mut Cluster) -> Result<Vec<Proxy>, Error> {
    let nodes = cluster.nodes().iter();
    let brokers: Vec<(i32, u16)> = nodes
        .filter(|node| node.role == Role::Broker)
        .map(|node| (node.id, node.port))
        .collect();
    let mut proxies = Vec::new();
    for (id, port) in &brokers {
        cluster.stop(*id)?;
        let dir = cluster.data_dir(*id);
        let file = dir.with_file_name("node.properties");
        // Kafka wants listeners to differ in their ports. At this address the port is free.
        let among = port + 10_000;
        let text = format!(
            "listeners=PLAINTEXT://127.0.0.1:{port},AMONG://127.0.0.3:{among}\n\
             advertised.listeners=PLAINTEXT://127.0.0.2:{port},AMONG://127.0.0.3:{among}\n\
             listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,\
             AMONG:PLAINTEXT\ninter.broker.listener.name=AMONG\n"
        );
        let opened = OpenOptions::new().append(true).open(&file);
        opened
            .and_then(|mut file| file.write_all(text.as_bytes()))
            .map_err(Error::io(file.display()))?;
        let listen = SocketAddr::from(([127, 0, 0, 2], *port));
        let target = SocketAddr::from(([127, 0, 0, 1], *port));
        let proxy = Proxy::start(listen, target, CLIENT_ID);
        proxies.push(proxy.map_err(Error::io(format!("a proxy at {listen}")))?);
    }
    for (id, _) in &brokers {
        cluster.start_broker(*id)?;
    }
    Ok(proxies)
}

impl Aftermath {
    /// Whether there was enough trouble and the producer kept its promises in it.
    pub fn is_good(&self) -> bool {
        self.findings.is_good()
            && self.faults >= self.storm.faults
            && self.ledger.len() >= self.storm.records
    }
}

impl fmt::Display for Aftermath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Storm {
            version,
            fault,
            codec,
            acks,
            ..
        } = &self.storm;
        let seconds = self.took.as_secs_f64();
        let records = self.ledger.len();
        writeln!(
            f,
            "Apache Kafka {version}, {BROKERS} brokers, {PARTITIONS} partitions, \
             acks {acks:?}, codec {codec:?}: {fault} x {}",
            self.faults
        )?;
        writeln!(
            f,
            "sent {records} records, {} MB, in {seconds:.1} s: {:.0} a second",
            self.ledger.bytes / 1_000_000,
            records as f64 / seconds
        )?;
        writeln!(f, "the producer says: {}", self.ledger)?;
        write!(f, "librdkafka {}", self.findings)
    }
}
