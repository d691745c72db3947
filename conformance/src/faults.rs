//! Faults of brokers while a load runs: kills, pauses, cut connections. Each is over, and every
//! partition in sync again, before the next is injected. How many there are is decided in `chaos`.

use std::fmt;
use std::str::FromStr;
use std::thread;
use std::time::{Duration, Instant};

use kafka_harness::{Cluster, Error};

use crate::proxy::{Cut, Proxy};
use crate::random::Random;

/// Others lead the partitions of a broker that is gone by then.
const MOVED_WITHIN: Duration = Duration::from_secs(20);

/// A broker that came back has caught up with the leaders by then.
const IN_SYNC_WITHIN: Duration = Duration::from_secs(90);

/// Records flow without a fault for so long between two faults.
const BETWEEN_FAULTS: Duration = Duration::from_millis(700);

/// Connections live for so long between two cuts.
const BETWEEN_CUTS: Duration = Duration::from_millis(300);

/// A producer that sends nothing for so long has stopped forever.
const CUT_WITHIN: Duration = Duration::from_secs(60);

/// A kind of fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// A broker is killed with SIGKILL and started again.
    Kill,
    /// A broker is paused with SIGSTOP, so that its connections stay open and silent, and runs on
    /// later.
    Stop,
    /// A connection to a broker is cut, mid-frame or after the write and before the answer.
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

/// Injects faults into the brokers of one cluster, one broker after the other.
#[derive(Debug)]
pub struct FaultInjector<'a> {
    cluster: &'a mut Cluster,
    topic: &'a str,
    proxies: &'a [Proxy],
    /// How many faults there were, the current one included.
    count: u32,
    random: Random,
}

impl<'a> FaultInjector<'a> {
    /// An injector for a cluster and the proxies in front of its brokers, of which there are none
    /// unless connections are to be cut.
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

    /// Injects the next fault, waits until it is over, and describes it. A cut needs a producer that
    /// sends; it is not waited for when `is_over` says that none will.
    ///
    /// # Errors
    /// When the cluster does not recover.
    pub fn inject(&mut self, fault: Fault, is_over: &dyn Fn() -> bool) -> Result<String, Error> {
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
        thread::sleep(BETWEEN_FAULTS);
        Ok(format!(
            "{what}, back after {back:.1} s, in sync after {seconds:.1} s"
        ))
    }

    fn kill(&mut self, id: i32, turn: usize) -> Result<String, Error> {
        let led = self.led_by(id)?;
        self.cluster.kill(id)?;
        // Every other turn it comes back at once, perhaps before the controller noticed.
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

    /// How many partitions of the topic a broker leads.
    fn led_by(&self, id: i32) -> Result<usize, Error> {
        let partitions = self.cluster.partitions(self.topic)?;
        Ok(partitions.iter().filter(|found| found.leader == id).count())
    }

    /// Waits until other brokers lead all partitions.
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
