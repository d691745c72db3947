//! A chaos run: a load on three brokers with one fault after the other, read back by librdkafka and
//! checked. There are six partitions with three replicas, of which two must be in sync. The faults
//! themselves are in `faults`.

use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use downpour::{Acks, CompressionType, Producer, blocking};
use kafka_harness::{Cluster, Error, Role, Spec, Version, foreign_reader};

use crate::check::{Check, Findings};
use crate::faults::{Fault, FaultInjector};
use crate::ledger::Ledger;
use crate::load::Load;
use crate::proxy::Proxy;

const TOPIC: &str = "chaos";
const PARTITIONS: u32 = 6;
const BROKERS: usize = 3;
const CLIENT_ID: &str = "chaos";

/// The load is under way when the first fault is injected.
const FIRST_FAULT_AFTER: Duration = Duration::from_secs(2);

/// A request that a paused broker does not answer is given up sooner than by default: with 30 s the
/// producer would see few pauses.
const PAUSED_REQUEST_TIMEOUT: Duration = Duration::from_secs(5);

/// The delivery timeout by default, and a minute more for a machine that is busy.
const VERDICT_WITHIN: Duration = Duration::from_secs(180);

/// What to run.
#[derive(Debug, Clone)]
pub struct Chaos {
    /// The release of the brokers.
    pub version: Version,
    /// The kind of fault that the brokers have.
    pub fault: Fault,
    /// The fewest faults.
    pub faults: u32,
    /// The fewest records; there are more if the faults take longer.
    pub records: u64,
    /// The most records per second.
    pub per_second: u64,
    /// How batches are compressed.
    pub codec: CompressionType,
    /// The producer's delivery timeout; `None` is its default. One that is shorter than an outage makes
    /// records fail, which must then be absent. The request timeout is half of it.
    pub delivery_timeout: Option<Duration>,
    /// The producer's acks. With anything but all, records are lost, which shows that losses are
    /// found.
    pub acks: Acks,
}

/// What happened in a run.
#[derive(Debug)]
#[non_exhaustive]
pub struct ChaosReport {
    /// What was to be run.
    pub chaos: Chaos,
    /// How many faults there were.
    pub faults: u32,
    /// From the first record to the last verdict.
    pub took: Duration,
    /// What the producer said.
    pub ledger: Ledger,
    /// What is true of that.
    pub findings: Findings,
}

impl Chaos {
    /// Starts a cluster, sends, injects faults, reads back and compares. `progress` is called with a
    /// line for people now and then.
    ///
    /// # Errors
    /// When the cluster does not work as it should. What the producer did wrong is in the report.
    pub fn run(&self, progress: &(dyn Fn(&str) + Sync)) -> Result<ChaosReport, Error> {
        foreign_reader::build()?;
        let mut spec = Spec::new(self.version, BROKERS)
            // Partitions go back to their preferred leader soon after it came back, so that leaders
            // move without a fault, too.
            .property("leader.imbalance.check.interval.seconds", 5);
        if self.fault == Fault::Proxy {
            spec.clients_at = Some(PROXIES_AT);
        }
        let mut cluster = Cluster::start(&spec)?;
        let proxies = if self.fault == Fault::Proxy {
            put_proxies_before(&cluster, CLIENT_ID)?
        } else {
            Vec::new()
        };
        cluster.create_topic(TOPIC, PARTITIONS, &[])?;
        let producer = self.producer(&cluster, &proxies)?;
        let began = Instant::now();
        let (ledger, faults) = self.run_load(&mut cluster, &proxies, &producer, progress)?;
        let took = began.elapsed();
        producer.close();
        progress(&format!(
            "sent in {:.1} s; reading back",
            took.as_secs_f64()
        ));
        let mut check = Check::new(&ledger);
        foreign_reader::for_each_record(&cluster.bootstrap(), TOPIC, false, |record| {
            check.record(&record);
        })?;
        let findings = check.finish();
        cluster.down()?;
        Ok(ChaosReport {
            chaos: self.clone(),
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

    /// Sends and injects faults meanwhile; returns what the producer said and the number of faults.
    fn run_load(
        &self,
        cluster: &mut Cluster,
        proxies: &[Proxy],
        producer: &blocking::Producer,
        progress: &(dyn Fn(&str) + Sync),
    ) -> Result<(Ledger, u32), Error> {
        let load = Load {
            topic: TOPIC.to_owned(),
            partitions: PARTITIONS as i32,
            records: self.records,
            per_second: self.per_second,
            verdict_within: VERDICT_WITHIN,
        };
        let faults = AtomicU32::new(0);
        // Set by the load once it has sent enough records, and never cleared: without it the faults
        // would end with the last one that is asked for, while records are still sent.
        let is_enough = AtomicBool::new(false);
        // Set below once no more faults come, and never cleared: without it a load whose faults
        // failed would be sent forever.
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
            let mut injector = FaultInjector::new(cluster, TOPIC, proxies);
            let mut injected = Ok(());
            thread::sleep(FIRST_FAULT_AFTER);
            while !is_over() && injected.is_ok() {
                injected = injector.inject(self.fault, &is_over).map(|what| {
                    let count = faults.fetch_add(1, Ordering::Relaxed) + 1;
                    // Cuts are many, and all alike.
                    if self.fault != Fault::Proxy || count % 50 == 0 {
                        progress(&format!("{count}: {what}"));
                    }
                });
            }
            has_given_up.store(true, Ordering::Relaxed);
            let ledger = sending.join();
            injected?;
            let ledger = ledger.map_err(|_| Error::new("the load panicked"))?;
            Ok((ledger, faults.load(Ordering::Relaxed)))
        })
    }
}

/// Where the proxies listen, each at its broker's port.
pub(crate) const PROXIES_AT: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);

/// A proxy in front of each broker of a cluster whose clients are told to find them there.
pub(crate) fn put_proxies_before(cluster: &Cluster, client_id: &str) -> Result<Vec<Proxy>, Error> {
    let brokers = cluster.nodes().iter();
    let brokers = brokers.filter(|node| node.role == Role::Broker);
    let proxies = brokers.map(|node| {
        let listen = SocketAddr::from((PROXIES_AT, node.port));
        let target = SocketAddr::from((Ipv4Addr::LOCALHOST, node.port));
        let proxy = Proxy::start(listen, target, client_id);
        proxy.map_err(Error::io(format!("a proxy at {listen}")))
    });
    proxies.collect()
}

impl ChaosReport {
    /// Whether there were enough faults and records, and the producer kept its promises.
    pub fn is_good(&self) -> bool {
        self.findings.is_good()
            && self.faults >= self.chaos.faults
            && self.ledger.len() >= self.chaos.records
    }
}

impl fmt::Display for ChaosReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Chaos {
            version,
            fault,
            codec,
            acks,
            ..
        } = &self.chaos;
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
            "sent {records} records, {} MB, in {seconds:.1} s: {:.0} per second",
            self.ledger.bytes / 1_000_000,
            records as f64 / seconds
        )?;
        writeln!(f, "the producer says: {}", self.ledger)?;
        write!(f, "librdkafka {}", self.findings)
    }
}
