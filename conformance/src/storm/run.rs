//! One storm from the start of its cluster to the judgement.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::thread;
use std::time::{Duration, Instant};

use downpour::{Producer, TopicProducer};
use kafka_harness::{Cluster, Error, Spec, Version, foreign_reader};

use crate::chaos::{PROXIES_AT, put_proxies_before};
use crate::proxy::Proxy;
use crate::storm::book::Book;
use crate::storm::deck::{Deck, Kind};
use crate::storm::faults::{Faults, trouble_connections};
use crate::storm::history::History;
use crate::storm::judge::Judge;
use crate::storm::plan::{CLIENT_ID, DELIVERY_MAX, PRODUCERS, TOPICS, Verb, WRITERS, codec_of};
use crate::storm::report::StormReport;
use crate::storm::writers::{Shared, run_task, run_thread};

const BROKERS: usize = 3;

/// The longest delivery timeout, and a minute more for a machine that is busy.
const VERDICT_WITHIN: Duration = Duration::from_secs(DELIVERY_MAX.as_secs() + 60);

/// Writers are under way when the first fault comes.
const FIRST_FAULT_AFTER: Duration = Duration::from_secs(2);

/// What to run.
#[derive(Debug, Clone)]
pub struct Storm {
    /// The release of the brokers.
    pub version: Version,
    /// What faults, their order and their times are drawn from.
    pub seed: u64,
    /// Faults come for so long; the last one is waited for.
    pub time: Duration,
    /// The fewest faults of the cluster, however long they take.
    pub faults: u32,
    /// The kinds that are drawn.
    pub kinds: Vec<Kind>,
    /// A directory for history and logs, which is emptied; it stays.
    pub dir: PathBuf,
}

impl Storm {
    /// Starts a cluster, sends, injects faults, reads back and judges.
    ///
    /// # Errors
    /// When the cluster does not work as it should. What a producer did wrong is in the report.
    pub fn run(&self, progress: &(dyn Fn(&str) + Sync)) -> Result<StormReport, Error> {
        foreign_reader::build()?;
        let history = History::new(&self.dir.join("history.txt"), progress)?;
        let mut spec = Spec::new(self.version, BROKERS)
            // Leaders go back to their brokers without a fault, too.
            .property("leader.imbalance.check.interval.seconds", 5)
            // Brokers forget those who send old records within a second, not within ten minutes.
            .property("producer.id.expiration.check.interval.ms", 1000)
            .property("unclean.leader.election.enable", false);
        spec.clients_at = Some(PROXIES_AT);
        let mut cluster = Cluster::start(&spec)?;
        history.say(&format!("a cluster in {}", cluster.dir().display()));
        let done = self.weather(&mut cluster, &history);
        if done.as_ref().map_or(true, |report| !report.is_good()) {
            keep_logs(&cluster, &self.dir);
        }
        let mut report = done?;
        if !report.is_good() {
            report.kept = Some(self.dir.clone());
        }
        cluster.down()?;
        Ok(report)
    }

    fn weather(&self, cluster: &mut Cluster, history: &History<'_>) -> Result<StormReport, Error> {
        for plan in &TOPICS {
            let in_sync = [("min.insync.replicas", plan.in_sync)];
            cluster.create_topic_with_replicas(
                plan.name,
                plan.partitions,
                plan.replicas,
                &in_sync,
            )?;
        }
        let proxies = put_proxies_before(cluster, CLIENT_ID)?;
        let producers = self.producers(&proxies)?;
        let bound = bind(&producers)?;
        let shared = Shared::default();
        let tasks = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_time()
            .build()
            .map_err(Error::io("tokio"))?;
        let began = Instant::now();
        history.say("writers begin");
        let (books, cuts, faults) = thread::scope(|scope| {
            let shared = &shared;
            let threads: Vec<_> = (0..WRITERS.len())
                .map(|id| {
                    let (topic, tasks) = (&bound[id], &tasks);
                    scope.spawn(move || match WRITERS[id].verb {
                        // Its thread only waits for it.
                        Verb::TaskSend | Verb::TaskWait => {
                            tasks.block_on(run_task(id, topic, shared, VERDICT_WITHIN))
                        }
                        _ => run_thread(id, topic, shared, VERDICT_WITHIN),
                    })
                })
                .collect();
            let proxies = &proxies;
            let troubling =
                scope.spawn(move || trouble_connections(proxies, shared, history, self.seed));
            thread::sleep(FIRST_FAULT_AFTER);
            let mut faults = Faults::new(cluster, shared, history, self.seed);
            let injected = self.inject(&mut faults, history);
            let counts = std::mem::take(&mut faults.counts);
            let in_sync = injected.and_then(|()| faults.wait_in_sync());
            shared.is_over.store(true, Ordering::SeqCst);
            history.say("writers end");
            let panicked = |_| Error::new("a thread panicked");
            let cuts = troubling.join().map_err(panicked)?;
            let books: Result<Vec<Book>, Error> = threads
                .into_iter()
                .map(|thread| thread.join().map_err(panicked))
                .collect();
            in_sync?;
            Ok::<_, Error>((books?, cuts, counts))
        })?;
        let took = began.elapsed();
        for producer in &producers {
            producer.blocking().close();
        }
        history.say("all have their verdicts; reading back");
        let eras = std::array::from_fn(|topic| shared.eras[topic].load(Ordering::SeqCst));
        let mut judge = Judge::new(&books, eras);
        for (at, plan) in TOPICS.iter().enumerate() {
            let bootstrap = cluster.bootstrap();
            foreign_reader::for_each_record(&bootstrap, plan.name, false, |record| {
                judge.record(at, &record);
            })?;
        }
        let (findings, evidence) = judge.finish();
        let path = self.dir.join("violations.txt");
        fs::write(&path, evidence).map_err(Error::io(path.display()))?;
        for (at, book) in books.iter().enumerate() {
            for (cause, count) in &book.causes {
                history.note(&format!("writer {at}: {count} x {cause}"));
            }
        }
        Ok(StormReport {
            version: self.version,
            seed: self.seed,
            took,
            faults,
            cuts,
            books,
            findings,
            kept: None,
        })
    }

    fn inject(&self, faults: &mut Faults<'_>, history: &History<'_>) -> Result<(), Error> {
        let mut deck = Deck::new(self.seed, &self.kinds);
        let until = Instant::now() + self.time;
        let mut count = 0;
        while count < self.faults || Instant::now() < until {
            let Some(kind) = deck.draw() else {
                return Ok(());
            };
            if let Err(error) = faults.inject(kind) {
                history.say(&format!("{kind}: {error}"));
                return Err(error);
            }
            count += 1;
        }
        Ok(())
    }

    fn producers(&self, proxies: &[Proxy]) -> Result<Vec<Producer>, Error> {
        let addresses = proxies.iter().map(|proxy| proxy.address().to_string());
        let bootstrap = addresses.collect::<Vec<_>>().join(",");
        let plans = PRODUCERS.iter().enumerate();
        let made = plans.map(|(at, plan)| {
            let made = plan.build(&bootstrap, codec_of(at, self.seed));
            made.map_err(|error| Error::new(error.to_string()))
        });
        made.collect()
    }
}

/// Each writer's producer, bound to its topic.
fn bind(producers: &[Producer]) -> Result<Vec<TopicProducer>, Error> {
    let bound = WRITERS.iter().map(|plan| {
        let producer = producers[plan.producer].blocking();
        let topic = producer.topic(TOPICS[plan.topic].name);
        let topic = topic.map_err(|error| Error::new(error.to_string()))?;
        Ok(topic.as_async().clone())
    });
    bound.collect()
}

/// Keeps the logs of the nodes, whose directory is removed.
fn keep_logs(cluster: &Cluster, dir: &Path) {
    for node in cluster.nodes() {
        let to = dir.join(format!("node-{}.log", node.id));
        // What cannot be kept is missing beside the rest.
        let _ = fs::copy(cluster.log_file(node.id), to);
    }
}
