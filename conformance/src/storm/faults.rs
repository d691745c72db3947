//! What the kinds of faults do to a cluster, and what the proxies do to connections meanwhile. Each
//! fault of the cluster is over, and every partition in sync, before the next; which comes when is
//! decided in `deck`.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::{Duration, Instant};

use kafka_harness::{Cluster, Election, Error};

use crate::proxy::{Cut, Proxy};
use crate::random::Random;
use crate::storm::deck::Kind;
use crate::storm::history::History;
use crate::storm::plan::{GROWING, PRODUCERS, REBORN, SAFE, SINGLE, TOPICS, UNCLEAN};
use crate::storm::writers::Shared;

/// Others lead the partitions of a broker that is gone by then.
const MOVED_WITHIN: Duration = Duration::from_secs(30);

/// A broker that came back has caught up with the leaders by then.
const IN_SYNC_WITHIN: Duration = Duration::from_secs(120);

/// A broker whose disk is full has noticed by then.
const FULL_WITHIN: Duration = Duration::from_secs(20);

/// A broker takes so many records alone before it dies.
const ALONE_DELIVERED: u64 = 50;

/// Records flow without a fault of the cluster for so long between two.
const BETWEEN: Duration = Duration::from_millis(500);

/// How often something is looked for.
const POLL: Duration = Duration::from_millis(50);

/// No topic grows beyond so many partitions.
const PARTITIONS_MAX: u32 = 24;

/// The partitions of the topic that is made anew: never fewer, never more.
const REBORN_COUNTS: (u32, u32) = (1, 8);

/// Injects faults into a cluster.
#[derive(Debug)]
pub struct Faults<'a> {
    cluster: &'a mut Cluster,
    shared: &'a Shared,
    history: &'a History<'a>,
    random: Random,
    growing: u32,
    reborn: u32,
    /// How many there were, by kind.
    pub counts: BTreeMap<Kind, u32>,
}

impl<'a> Faults<'a> {
    /// Faults that follow from a seed.
    pub fn new(
        cluster: &'a mut Cluster,
        shared: &'a Shared,
        history: &'a History<'a>,
        seed: u64,
    ) -> Self {
        Self {
            cluster,
            shared,
            history,
            random: Random::new(seed ^ 0xfa17),
            growing: TOPICS[GROWING].partitions,
            reborn: TOPICS[REBORN].partitions,
            counts: BTreeMap::new(),
        }
    }

    /// Injects a fault and waits until it is over and all replicas are in sync.
    ///
    /// # Errors
    /// When the cluster does not recover.
    pub fn inject(&mut self, kind: Kind) -> Result<(), Error> {
        let began = Instant::now();
        self.history.note(&format!("{kind} begins"));
        let what = match kind {
            Kind::Kill => self.kill()?,
            Kind::Pause => self.pause()?,
            Kind::Rolling => self.rolling()?,
            Kind::Preferred => self.preferred()?,
            Kind::Unclean => self.unclean()?,
            Kind::Reassign => self.reassign()?,
            Kind::Fewer | Kind::More => self.anew(kind)?,
            Kind::Grow => self.grow()?,
            Kind::Controller => self.controller()?,
            Kind::Disk => self.disk()?,
            Kind::Quota => self.quota()?,
        };
        let over = began.elapsed().as_secs_f64();
        self.wait_in_sync()?;
        let seconds = began.elapsed().as_secs_f64();
        self.history.say(&format!(
            "{kind}: {what}; over after {over:.1} s, in sync after {seconds:.1} s"
        ));
        *self.counts.entry(kind).or_default() += 1;
        thread::sleep(BETWEEN);
        Ok(())
    }

    /// Waits until every partition has its leader and its replicas.
    ///
    /// # Errors
    /// When that does not come.
    pub fn wait_in_sync(&self) -> Result<(), Error> {
        let mut topics = TOPICS.iter();
        topics.try_for_each(|topic| self.cluster.wait_in_sync(topic.name, IN_SYNC_WITHIN))
    }

    fn broker(&mut self) -> i32 {
        let ids = self.cluster.broker_ids();
        ids[self.random.below(ids.len() as u64) as usize]
    }

    fn moment(&mut self, most_ms: u64) -> Duration {
        Duration::from_millis(self.random.below(most_ms))
    }

    fn kill(&mut self) -> Result<String, Error> {
        let id = self.broker();
        self.cluster.kill(id)?;
        // Every other time it comes back at once, perhaps before the controller noticed.
        let is_quick = self.random.below(2) == 0;
        if !is_quick {
            self.wait_moved(id)?;
        }
        self.cluster.start_broker(id)?;
        let when = if is_quick { "at once" } else { "later" };
        Ok(format!("broker {id}, started again {when}"))
    }

    fn pause(&mut self) -> Result<String, Error> {
        let id = self.broker();
        // Shorter and longer than the producers' request timeout and the broker's session.
        let time = Duration::from_millis(800) + self.moment(11_000);
        self.cluster.pause(id)?;
        thread::sleep(time);
        self.cluster.resume(id)?;
        Ok(format!("broker {id} for {:.1} s", time.as_secs_f64()))
    }

    fn rolling(&mut self) -> Result<String, Error> {
        for id in self.cluster.broker_ids() {
            self.cluster.restart(id)?;
            self.wait_in_sync()?;
        }
        Ok("every broker".to_owned())
    }

    fn preferred(&mut self) -> Result<String, Error> {
        // Only those move that are led by another, so that the lists are turned first.
        let mut count = 0;
        for topic in [SAFE, GROWING] {
            let name = TOPICS[topic].name;
            let mut ids = Vec::new();
            for partition in self.cluster.partitions(name)? {
                let mut replicas = partition.replicas;
                replicas.rotate_left(1);
                self.cluster.reassign(name, partition.id, &replicas)?;
                ids.push(partition.id);
            }
            self.wait_in_sync()?;
            self.cluster.elect(Election::Preferred, name, &ids)?;
            count += ids.len();
        }
        Ok(format!("{count} partitions"))
    }

    fn reassign(&mut self) -> Result<String, Error> {
        let mut told = Vec::new();
        for topic in [SAFE, SINGLE, GROWING, REBORN] {
            let name = TOPICS[topic].name;
            let partitions = self.cluster.partitions(name)?;
            let at = self.random.below(partitions.len() as u64) as usize;
            let Some(partition) = partitions.get(at) else {
                continue;
            };
            let ids = self.cluster.broker_ids();
            let mut replicas = partition.replicas.clone();
            if replicas.len() < ids.len() {
                // The only replica moves to another broker.
                let others: Vec<i32> = ids
                    .into_iter()
                    .filter(|id| !replicas.contains(id))
                    .collect();
                replicas = vec![others[self.random.below(others.len() as u64) as usize]];
            } else {
                // The leader goes, and comes back as the last.
                replicas.rotate_left(1);
                let fewer = &replicas[..replicas.len() - 1];
                self.cluster.reassign(name, partition.id, fewer)?;
                self.wait_replicas(name, partition.id, fewer)?;
            }
            self.cluster.reassign(name, partition.id, &replicas)?;
            self.wait_replicas(name, partition.id, &replicas)?;
            told.push(format!("{name}-{}", partition.id));
        }
        Ok(told.join(", "))
    }

    fn wait_replicas(&self, topic: &str, id: i32, replicas: &[i32]) -> Result<(), Error> {
        self.wait(IN_SYNC_WITHIN, "replicas stay where they are", || {
            let partitions = self.cluster.partitions(topic)?;
            Ok(partitions
                .iter()
                .any(|found| found.id == id && found.replicas == replicas && found.leader >= 0))
        })
    }

    fn anew(&mut self, kind: Kind) -> Result<String, Error> {
        let plan = &TOPICS[REBORN];
        let (least, most) = REBORN_COUNTS;
        let before = self.reborn;
        let by = 1 + self.random.below(3) as u32;
        self.reborn = match kind {
            Kind::Fewer => before.saturating_sub(by).max(least),
            _ => (before + by).min(most),
        };
        let pause = self.moment(3000);
        self.cluster.delete_topic(plan.name)?;
        thread::sleep(pause);
        let in_sync = [("min.insync.replicas", plan.in_sync)];
        self.wait(MOVED_WITHIN, "a topic cannot be made anew", || {
            let made = self.cluster.create_topic_with_replicas(
                plan.name,
                self.reborn,
                plan.replicas,
                &in_sync,
            );
            match made {
                Ok(()) => Ok(true),
                // Its old self is not gone yet.
                Err(error) if error.to_string().contains("error 36") => Ok(false),
                // It is there; whoever asked for the fault waits for its replicas.
                Err(error) if error.to_string().contains("is not in sync") => Ok(true),
                Err(error) => Err(error),
            }
        })?;
        self.shared.eras[REBORN].fetch_add(1, Ordering::SeqCst);
        Ok(format!("{before} to {} partitions", self.reborn))
    }

    fn grow(&mut self) -> Result<String, Error> {
        let before = self.growing;
        if before == PARTITIONS_MAX {
            return Ok("is as large as it gets".to_owned());
        }
        let by = 1 + self.random.below(3) as u32;
        self.growing = (before + by).min(PARTITIONS_MAX);
        self.cluster
            .grow_topic(TOPICS[GROWING].name, self.growing)?;
        self.wait(IN_SYNC_WITHIN, "the new partitions do not come", || {
            let partitions = self.cluster.partitions(TOPICS[GROWING].name)?;
            Ok(partitions.len() == self.growing as usize)
        })?;
        Ok(format!("{before} to {} partitions", self.growing))
    }

    fn controller(&mut self) -> Result<String, Error> {
        let quorum = self.cluster.quorum_id();
        let id = quorum.ok_or_else(|| Error::new("there is no controller apart"))?;
        let time = Duration::from_secs(1) + self.moment(7000);
        let seconds = time.as_secs_f64();
        if self.random.below(2) == 0 {
            self.cluster.pause(id)?;
            thread::sleep(time);
            self.cluster.resume(id)?;
            return Ok(format!("paused for {seconds:.1} s"));
        }
        self.cluster.kill(id)?;
        thread::sleep(time);
        self.cluster.start_broker(id)?;
        Ok(format!("killed, started again after {seconds:.1} s"))
    }

    fn disk(&mut self) -> Result<String, Error> {
        let id = self.broker();
        self.cluster.fill_disk(id)?;
        let until = Instant::now() + FULL_WITHIN;
        while self.cluster.is_alive(id) && Instant::now() < until {
            thread::sleep(POLL);
        }
        let noticed = !self.cluster.is_alive(id);
        self.cluster.kill(id)?;
        self.wait_moved(id)?;
        self.cluster.start_broker(id)?;
        let how = if noticed {
            "ended by itself"
        } else {
            "was killed"
        };
        Ok(format!("broker {id} {how}"))
    }

    fn quota(&mut self) -> Result<String, Error> {
        let at = self.random.below(PRODUCERS.len() as u64) as usize;
        let client = PRODUCERS[at].client_id();
        let rate = 2000 + self.random.below(30_000);
        let time = Duration::from_secs(2) + self.moment(5000);
        self.cluster
            .limit_produce_rate(&client, Some(rate as f64))?;
        thread::sleep(time);
        self.cluster.limit_produce_rate(&client, None)?;
        let seconds = time.as_secs_f64();
        Ok(format!("{client} {rate} B/s for {seconds:.1} s"))
    }

    /// One broker alone takes records for a topic; then it dies, and one that has not got them leads.
    fn unclean(&mut self) -> Result<String, Error> {
        let name = TOPICS[UNCLEAN].name;
        let last = self.broker();
        let ids = self.cluster.broker_ids();
        let others: Vec<i32> = ids.into_iter().filter(|id| *id != last).collect();
        for id in &others {
            self.cluster.kill(*id)?;
        }
        self.wait(MOVED_WITHIN, "the others stay in sync", || {
            let partitions = self.cluster.partitions(name)?;
            let alone = |found: &kafka_harness::Partition| found.in_sync == [last];
            Ok(partitions.iter().all(alone))
        })?;
        // Some records have no other home when it dies.
        let delivered = || self.shared.delivered[UNCLEAN].load(Ordering::SeqCst);
        let before = delivered();
        self.wait(MOVED_WITHIN, "nothing is delivered by one alone", || {
            Ok(delivered() >= before + ALONE_DELIVERED)
        })?;
        let alone = delivered() - before;
        self.cluster.kill(last)?;
        for id in &others {
            self.cluster.start_broker(*id)?;
        }
        let ids: Vec<i32> = (0..TOPICS[UNCLEAN].partitions as i32).collect();
        self.wait(MOVED_WITHIN, "nobody is elected", || {
            self.cluster.elect(Election::Unclean, name, &ids)?;
            let partitions = self.cluster.partitions(name)?;
            Ok(partitions
                .iter()
                .all(|found| others.contains(&found.leader)))
        })?;
        self.cluster.start_broker(last)?;
        self.wait_in_sync()?;
        self.shared.eras[UNCLEAN].fetch_add(1, Ordering::SeqCst);
        Ok(format!("broker {last} took {alone} records alone"))
    }

    /// Waits until other brokers lead all partitions with several replicas.
    fn wait_moved(&self, id: i32) -> Result<(), Error> {
        self.wait(MOVED_WITHIN, "a broker that is gone leads on", || {
            let partitions = self.cluster.partitions(TOPICS[SAFE].name)?;
            let moved = |leader: i32| leader >= 0 && leader != id;
            Ok(partitions.iter().all(|found| moved(found.leader)))
        })
    }

    fn wait(
        &self,
        within: Duration,
        what: &str,
        is_so: impl Fn() -> Result<bool, Error>,
    ) -> Result<(), Error> {
        let until = Instant::now() + within;
        loop {
            // A broker that just came may not answer at once.
            let last = match is_so() {
                Ok(true) => return Ok(()),
                Ok(false) => String::new(),
                Err(error) => error.to_string(),
            };
            if Instant::now() >= until {
                return Err(Error::new(format!("{what} {last}")));
            }
            thread::sleep(POLL);
        }
    }
}

/// What happens to connections, drawn from a seed.
fn drawn(random: &mut Random) -> Cut {
    let ms = Duration::from_millis;
    match random.below(20) {
        0..=3 => Cut::MidRequest,
        4..=8 => Cut::BeforeAnswer,
        9..=11 => Cut::MidAnswer,
        12..=14 => Cut::LostAnswer,
        // Shorter and longer than the request timeout.
        15 | 16 => Cut::Stall(ms(200 + random.below(8000))),
        17 => Cut::HalfOpen,
        _ => Cut::Slow(ms(10 + random.below(150))),
    }
}

/// Troubles connections until the storm is over, and answers how often, by kind.
pub fn trouble_connections(
    proxies: &[Proxy],
    shared: &Shared,
    history: &History<'_>,
    seed: u64,
) -> BTreeMap<&'static str, u32> {
    /// What no request has met by then is taken back.
    const MET_WITHIN: Duration = Duration::from_millis(300);
    let mut random = Random::new(seed ^ 0x9c07);
    let mut counts = BTreeMap::new();
    let is_over = || shared.is_over.load(Ordering::SeqCst);
    while !is_over() && !proxies.is_empty() {
        thread::sleep(Duration::from_millis(100 + random.below(900)));
        let at = random.below(proxies.len() as u64) as usize;
        let cut = drawn(&mut random);
        let before = proxies[at].cuts();
        proxies[at].arm(cut);
        let until = Instant::now() + MET_WITHIN;
        while proxies[at].cuts() == before && Instant::now() < until {
            thread::sleep(Duration::from_millis(2));
        }
        proxies[at].disarm();
        if proxies[at].cuts() > before {
            history.note(&format!("broker {}: {cut:?}", at + 1));
            *counts.entry(cut.name()).or_default() += 1;
        }
    }
    counts
}
