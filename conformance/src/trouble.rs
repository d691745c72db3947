//! What befalls the brokers while a load runs. Each trouble is over, and every partition in sync
//! again, before the next begins.

use std::fmt;
use std::str::FromStr;
use std::thread;
use std::time::{Duration, Instant};

use kafka_harness::{Cluster, Error};

use crate::proxy::{Cut, Proxy};
use crate::random::Random;

/// A broker that is gone has lost its partitions by then.
const MOVED_WITHIN: Duration = Duration::from_secs(20);

/// A broker that came back has caught up by then.
const IN_SYNC_WITHIN: Duration = Duration::from_secs(90);

/// Records flow undisturbed for so long between two troubles.
const REST: Duration = Duration::from_millis(700);

/// Connections live so long between two cuts.
const BETWEEN_CUTS: Duration = Duration::from_millis(300);

/// A producer that sends nothing for so long has stopped for good.
const CUT_WITHIN: Duration = Duration::from_secs(60);

/// What befalls a broker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// It is killed with SIGKILL and started again.
    Kill,
    /// It is paused with SIGSTOP, so that its connections stay open and silent, and runs on.
    Stop,
    /// A connection to it is cut, mid-frame or after the write and before the answer.
    Proxy,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Kill => "kill",
            Self::Stop => "stop",
            Self::Proxy => "proxy",
        })
    }
}

impl FromStr for Fault {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        [Self::Kill, Self::Stop, Self::Proxy]
            .into_iter()
            .find(|fault| fault.to_string() == text)
            .ok_or_else(|| format!("`{text}` is none of kill, stop, proxy"))
    }
}

/// Troubles for the brokers of one cluster in turn.
#[derive(Debug)]
pub struct Trouble<'a> {
    cluster: &'a mut Cluster,
    topic: &'a str,
    proxies: &'a [Proxy],
    count: u32,
    random: Random,
}

impl<'a> Trouble<'a> {
    /// For a cluster, and the proxies in front of its brokers if there are any.
    pub fn new(cluster: &'a mut Cluster, topic: &'a str, proxies: &'a [Proxy]) -> Self {
        let random = Random::new(u64::from(std::process::id()));
        Self {
            cluster,
            topic,
            proxies,
            count: 0,
            random,
        }
    }

    /// Makes the next trouble and waits until it is over; answers what it was. A cut needs
    /// somebody who sends, and is not waited for when `is_over` says that nobody will.
    ///
    /// # Errors
    /// When the cluster does not recover.
    pub fn next(&mut self, fault: Fault, is_over: &dyn Fn() -> bool) -> Result<String, Error> {
        let ids = self.cluster.broker_ids();
        let id = ids[self.count as usize % ids.len()];
        let turn = self.count as usize / ids.len();
        self.count += 1;
        let began = Instant::now();
        let what = match fault {
            Fault::Kill => self.kill(id, turn)?,
            Fault::Stop => self.stop(id)?,
            Fault::Proxy => return self.cut(id, turn, is_over),
        };
        let back = began.elapsed();
        self.cluster.wait_in_sync(self.topic, IN_SYNC_WITHIN)?;
        let seconds = began.elapsed().as_secs_f64();
        let back = back.as_secs_f64();
        thread::sleep(REST);
        Ok(format!(
            "{what}, back after {back:.1} s, in sync after {seconds:.1} s"
        ))
    }

    fn kill(&mut self, id: i32, turn: usize) -> Result<String, Error> {
        let led = self.led_by(id)?;
        self.cluster.kill(id)?;
        // Every other turn it comes back at once, perhaps before anybody missed it.
        if turn % 2 == 0 {
            self.wait_moved(id)?;
        }
        self.cluster.start_broker(id)?;
        Ok(format!("killed broker {id}, leader of {led}"))
    }

    fn stop(&mut self, id: i32) -> Result<String, Error> {
        let led = self.led_by(id)?;
        self.cluster.pause(id)?;
        let moved = self.wait_moved(id);
        thread::sleep(Duration::from_millis(self.random.below(6000)));
        self.cluster.resume(id)?;
        moved?;
        Ok(format!("paused broker {id}, leader of {led}"))
    }

    fn cut(&mut self, id: i32, turn: usize, is_over: &dyn Fn() -> bool) -> Result<String, Error> {
        let proxy = &self.proxies[id as usize - 1];
        let cut = Cut::ALL[turn % Cut::ALL.len()];
        let before = proxy.cuts();
        proxy.arm(cut);
        let until = Instant::now() + CUT_WITHIN;
        while proxy.cuts() == before && !is_over() {
            if Instant::now() >= until {
                return Err(Error::new(format!("nothing was sent to broker {id}")));
            }
            thread::sleep(Duration::from_millis(1));
        }
        thread::sleep(BETWEEN_CUTS);
        Ok(format!("cut broker {id} off {cut:?}"))
    }

    /// How many partitions a broker leads.
    fn led_by(&self, id: i32) -> Result<usize, Error> {
        let partitions = self.cluster.partitions(self.topic)?;
        Ok(partitions.iter().filter(|found| found.leader == id).count())
    }

    /// Waits until others lead all partitions.
    fn wait_moved(&self, id: i32) -> Result<(), Error> {
        let until = Instant::now() + MOVED_WITHIN;
        loop {
            let partitions = self.cluster.partitions(self.topic)?;
            let moved = |leader: i32| leader >= 0 && leader != id;
            if partitions.iter().all(|found| moved(found.leader)) {
                return Ok(());
            }
            if Instant::now() >= until {
                return Err(Error::new(format!("broker {id} leads on: {partitions:?}")));
            }
            thread::sleep(Duration::from_millis(50));
        }
    }
}
