//! Everything that a seed decides before a run begins. What it decides on the way is `world`'s.

use std::sync::Arc;
use std::time::Duration;

use downpour_core::config::{Acks, Address, BatchOptions, Config, Linger};
use downpour_fake::{CompressionType, KafkaVersion, TopicSpec};
use downpour_wire::codec::Compression;

use crate::checker::{Expect, Order};
use crate::extras::Extras;
use crate::rng::Rng;
use crate::trouble::{Stage, Trouble};

/// A topic and how it is made.
#[derive(Debug, Clone)]
pub(crate) struct TopicPlan {
    pub(crate) name: String,
    pub(crate) partitions: i32,
    /// `None` if asking for it makes it.
    pub(crate) spec: Option<TopicSpec>,
}

/// One record to send.
#[derive(Debug, Clone)]
pub(crate) struct RecordPlan {
    pub(crate) topic: u32,
    pub(crate) partition: i32,
    pub(crate) keyed: bool,
    pub(crate) len: usize,
    pub(crate) options: usize,
    /// Before it is sent.
    pub(crate) pause: Duration,
}

/// What a sender does from one lull to the next.
#[derive(Debug, Clone)]
pub(crate) struct PhasePlan {
    /// Nothing happens before it for so long.
    pub(crate) lull: Duration,
    /// Brokers forget all producers at the end of the lull.
    pub(crate) forget: bool,
    /// Each sender's records.
    pub(crate) senders: Vec<Vec<RecordPlan>>,
    pub(crate) trouble: Vec<(Duration, Trouble)>,
    pub(crate) heal_after: Duration,
}

/// What a sender calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verb {
    Send,
    Try,
    Many,
    /// With the handle of a topic, or the producer's own `send`.
    Handle,
}

/// How a run ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// Everything gets its verdict in its own time; open batches linger.
    Wait,
    /// Open batches are hurried.
    Flush,
    Drain,
    /// Closed so long after the last phase began, with so long for it.
    Abort(Duration, Duration),
}

/// How bytes travel.
#[derive(Debug, Clone, Copy)]
pub(crate) struct NetPlan {
    pub(crate) latency: (Duration, Duration),
    /// Between a frame's arrival and its being served.
    pub(crate) service: (Duration, Duration),
    /// Of a hundred writes so many are taken in pieces.
    pub(crate) piecemeal: u64,
    /// Of a hundred connections that the client closes so many are reset, so that what had left
    /// does not arrive.
    pub(crate) reset: u64,
    /// Between something and the thread that has to see to it.
    pub(crate) jitter: Duration,
    /// How long compressing takes at most.
    pub(crate) sealing: Duration,
    /// How long finding a name takes at most.
    pub(crate) lookup: Duration,
    /// Of a hundred jobs of the pool so many find no thread.
    pub(crate) no_thread: u64,
    /// Of a hundred look-ups so many never come back, or panic.
    pub(crate) lookup_lost: u64,
    pub(crate) lookup_panics: u64,
    /// Of a hundred answers so many come in pieces.
    pub(crate) split_answers: u64,
    /// Of a hundred attempts to reach a broker that is down so many are not answered.
    pub(crate) black_hole: u64,
}

impl NetPlan {
    /// Leaves out what takes so long that other delays are hidden by it.
    fn be_quick(&mut self) {
        (self.no_thread, self.lookup_lost, self.lookup_panics) = (0, 0, 0);
        self.latency.1 = self.latency.1.min(Duration::from_millis(2));
        self.service.1 = self.service.1.min(Duration::from_millis(1));
        self.latency.0 = self.latency.0.min(self.latency.1);
        self.service.0 = self.service.0.min(self.service.1);
        self.jitter = self.jitter.min(Duration::from_micros(100));
        self.sealing = self.sealing.min(Duration::from_micros(500));
        self.lookup = self.lookup.min(Duration::from_millis(1));
        (self.piecemeal, self.split_answers) = (0, 0);
    }

    /// Whether every look-up comes back.
    pub(crate) fn finds_names(&self) -> bool {
        self.lookup_lost + self.lookup_panics + self.no_thread == 0
    }

    /// Whether answers come before their requests time out, once all is well.
    pub(crate) fn is_fast_enough(&self, config: &Config) -> bool {
        let requests = config.max_in_flight as u32 + 2;
        let pieces = Duration::from_millis(if self.piecemeal > 0 { 150 } else { 0 });
        self.latency.1 <= Duration::from_millis(100)
            // An old broker is asked for its versions twice.
            && self.lookup + 6 * self.latency.1 + 2 * self.service.1 < config.connect_timeout
            && 2 * self.latency.1 + requests * self.service.1 + requests * pieces
                < config.request_timeout.min(config.connect_timeout)
    }
}

/// A seed's circumstances.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    pub(crate) brokers: i32,
    pub(crate) releases: Vec<KafkaVersion>,
    pub(crate) topics: Vec<TopicPlan>,
    pub(crate) config: Config,
    pub(crate) options: Vec<BatchOptions>,
    pub(crate) memory: usize,
    pub(crate) max_block: Duration,
    pub(crate) phases: Vec<PhasePlan>,
    /// Trouble comes while connections are being opened; else only when a topic is known.
    pub(crate) early: bool,
    pub(crate) end: End,
    /// The end does not wait until all is well again.
    pub(crate) hasty: bool,
    /// All is well again at last; else what is down stays down.
    pub(crate) heals: bool,
    pub(crate) net: NetPlan,
    pub(crate) expect: Expect,
    /// Of a hundred records so many have a timestamp two days back.
    pub(crate) old_records: u64,
    /// What each sender calls, in turn.
    pub(crate) verbs: Vec<Verb>,
    /// Of a hundred sends so many are given up after a while, if they are not through before.
    pub(crate) hurried: u64,
    /// Of a hundred handles so many are kept; the others are dropped at once.
    pub(crate) kept: u64,
    /// Nothing goes wrong.
    pub(crate) calm: bool,
    /// After the end an idle producer is watched for so long.
    pub(crate) watch: Duration,
    pub(crate) extras: Extras,
}

const SECOND: Duration = Duration::from_secs(1);
const DAY: Duration = Duration::from_secs(24 * 3600 + 1);

impl Plan {
    /// How long it takes at most, without any trouble, until so many records with so many bytes of
    /// values are delivered that linger no more.
    pub(crate) fn turns_take(&self, records: usize, bytes: usize) -> Duration {
        let (net, config) = (&self.net, &self.config);
        let partitions: i32 = self.topics.iter().map(|t| t.partitions).sum();
        // Where each fills more than half a batch, each has one of its own.
        let filled = 2 * (bytes + RECORD_MORE * records) / config.batch_size.max(1);
        let full = filled.min(records);
        let turns = full as u32 + 2 * partitions as u32 + 3;
        let turn = 2 * net.latency.1 + 2 * net.service.1 + net.sealing + 8 * net.jitter;
        let pieces = if net.piecemeal > 0 { turns * 20 } else { 0 }
            + if net.split_answers > 0 { turns * 10 } else { 0 };
        // A topic that is made by asking for it is not there at once.
        net.lookup
            + 3 * config.retry_backoff.1
            + turns * (turn + Duration::from_millis(1))
            + Duration::from_millis(u64::from(pieces) * 4)
    }

    /// How many partitions a topic has at first, and may have later.
    pub(crate) fn counts(&self, topic: usize) -> Vec<u32> {
        let first = self.topics[topic].partitions;
        let mut counts = vec![first];
        for (_, trouble) in self.phases.iter().flat_map(|phase| &phase.trouble) {
            match *trouble {
                Trouble::Grow { topic: its, more } if its == topic => counts.push(first + more),
                // Whoever asks for it meanwhile makes it too.
                Trouble::Remake {
                    topic: its,
                    partitions,
                    ..
                } if its == topic => counts.extend([partitions, AUTO_PARTITIONS]),
                _ => {}
            }
        }
        counts.into_iter().map(|count| count as u32).collect()
    }

    /// Without any trouble a sender waits so long at most, also for memory that others hold.
    pub(crate) fn send_takes(&self) -> Option<Duration> {
        // What it waits for may have to wait itself, for metadata or for memory.
        self.calm
            .then(|| 2 * self.turns_take(RECORDS_MAX, self.memory.min(SENT_MAX)))
    }

    pub(crate) fn draw(rng: &mut Rng) -> Self {
        let brokers = rng.between(1, 3) as i32;
        let releases = releases(rng, brokers);
        let serene = rng.percent(10);
        let short = rng.percent(25) && !serene;
        let rough = rng.percent(50) && !serene;
        let len_max = if rng.percent(20) { LEN_MAX } else { 120 };
        let mut config = config(rng, brokers, short, len_max);
        // Callers wait for memory that lies in open batches.
        let pressed = serene && rng.percent(50);
        if serene {
            config.idle_timeout = 600 * SECOND;
            config.resend_unknown = false;
            config.fail_on_data_loss = false;
        }
        if pressed {
            config.linger = Linger::Fixed(20 * SECOND);
            config.batch_size = config.batch_size.max(1000);
            config.batch_max = config.batch_max.max(config.batch_size);
            config.request_max = config.request_max.max(config.batch_max);
        }
        let options = options(rng, &mut config);
        let topics = topics(rng, brokers, rough, &config);
        let with_lull = rng.percent(12);
        let mut phases = Vec::new();
        let mut net = net(rng, &config);
        if serene {
            net.be_quick();
        }
        let span = Duration::from_millis(*rng.pick(&[20, 100, 500, 2000]));
        let stage = Stage {
            brokers,
            topics: topics
                .iter()
                .map(|t| (t.name.clone(), t.partitions))
                .collect(),
            span: span.max(net.latency.1 * 15),
            rough,
            request_timeout: config.request_timeout,
        };
        let troubles = *rng.pick(&[0, 0, 1, 2, 3, 5, 8, 13]);
        let troubles = if serene { 0 } else { troubles };
        for phase in 0..if with_lull { 2 } else { 1 } {
            let (lull, forget) = match phase {
                0 => (Duration::ZERO, false),
                _ if rng.percent(60) => (DAY, true),
                _ => (rng.time(Duration::ZERO, 20 * SECOND), false),
            };
            if lull == DAY {
                config.metadata_max_age = Duration::from_secs(6 * 3600);
            }
            phases.push(PhasePlan {
                lull,
                forget,
                senders: senders(rng, &topics, &config, &stage, len_max),
                trouble: (0..troubles).map(|_| stage.draw(rng)).collect(),
                heal_after: stage.span + rng.millis(0, 500),
            });
        }
        if rough && rng.percent(8) {
            let unlucky = stage.draw_unlucky(rng);
            phases[0].trouble.extend(unlucky);
        }
        let mut forgetful = false;
        if rng.percent(3) && !serene {
            forgetful = true;
            let topic = rng.size(0, topics.len() - 1);
            let at = rng.time(Duration::ZERO, stage.span);
            let partition = rng.between(0, topics[topic].partitions as u64 - 1) as i32;
            phases[0]
                .trouble
                .push((at, Trouble::Forget { topic, partition }));
        }
        let end = match rng.between(0, 9) {
            0..=3 => End::Drain,
            4 | 5 => End::Flush,
            6 | 7 => End::Wait,
            _ if serene => End::Wait,
            _ => End::Abort(
                rng.time(Duration::ZERO, stage.span * 2),
                *rng.pick(&[0, 0, 50, 1000].map(Duration::from_millis)),
            ),
        };
        let heals = !(short && rng.percent(20));
        let loose = forgetful || config.resend_unknown;
        let expect = Expect {
            duplicates: loose || !config.idempotence,
            order: match (loose, config.idempotence) {
                (true, _) => Order::Any,
                _ if config.allow_reordering => Order::Any,
                (false, true) => Order::All,
                (false, false) => Order::FirstOfDelivered,
            },
            all_delivered: !short
                && !rough
                && !loose
                && !matches!(end, End::Abort(..))
                && net.is_fast_enough(&config),
        };
        config.fail_on_data_loss &= !expect.all_delivered;
        let calm = expect.all_delivered
            && troubles == 0
            && net.finds_names()
            && config.idle_timeout > 60 * SECOND;
        // Drawn aside, so that what a seed drew before there were old records stays as it was.
        let mut aside = Rng::new(rng.clone().next());
        config.order_across_options = aside.percent(30);
        let old_records = if !expect.all_delivered && aside.percent(15) {
            *aside.pick(&[5, 50, 100])
        } else {
            0
        };
        let largest = 2 * config.batch_size.max(len_max + 100);
        let memory = match rng.between(0, 9) {
            _ if pressed => largest * rng.size(1, 3),
            0..=4 => 64 << 20,
            5..=7 => largest * rng.size(1, 8),
            _ => largest,
        };
        let mut apart = Rng::new(aside.clone().next());
        if !calm && apart.percent(15) {
            config.batch_records = apart.between(1, 30) as u32;
        }
        let records = apart.size(10, 80);
        let memory = match memory / records {
            share if !calm && apart.percent(15) => {
                config.record_share = share;
                config.records_ahead = apart.size(1, 8);
                share * records
            }
            _ => memory,
        };
        Self {
            brokers,
            releases,
            net,
            topics,
            options,
            memory,
            max_block: if rng.percent(80) && net.is_fast_enough(&config) {
                60 * SECOND
            } else {
                rng.millis(10, 1000)
            },
            calm,
            early: rng.percent(20),
            phases,
            end,
            hasty: !heals || rng.percent(40) || calm,
            heals,
            expect,
            old_records,
            verbs: match rng.between(0, 9) {
                0..=5 => vec![Verb::Send],
                6 => vec![Verb::Try],
                7 => vec![Verb::Many],
                _ => vec![Verb::Send, Verb::Try, Verb::Many],
            },
            hurried: if calm { 0 } else { *aside.pick(&[0, 0, 30]) },
            kept: *rng.pick(&[100, 100, 90, 30]),
            watch: if rng.percent(10) && heals && net.is_fast_enough(&config) {
                1200 * SECOND
            } else {
                Duration::ZERO
            },
            config,
            extras: Extras::default(),
        }
    }
}

/// More is not sent in a run.
const SENT_MAX: usize = 512 << 10;
/// Records that are sent from one lull to the next.
const RECORDS_MAX: usize = 300;
/// Bytes of a record beside its value, about.
const RECORD_MORE: usize = 40;
/// Bytes of the longest value.
const LEN_MAX: usize = 1500;

fn releases(rng: &mut Rng, brokers: i32) -> Vec<KafkaVersion> {
    let all = [
        KafkaVersion::V4_3,
        KafkaVersion::V3_9,
        KafkaVersion::V2_8,
        KafkaVersion::V2_1,
    ];
    let one = *rng.pick(&all);
    let other = if rng.percent(15) {
        *rng.pick(&all)
    } else {
        one
    };
    (1..=brokers)
        .map(|id| if id == 2 { other } else { one })
        .collect()
}

fn config(rng: &mut Rng, brokers: i32, short: bool, len_max: usize) -> Config {
    let address = |id: i32| Address {
        host: Arc::from(format!("broker-{id}.fake")),
        port: 9092,
    };
    let first = rng.between(1, brokers as u64) as i32;
    let mut bootstrap: Vec<Address> = (first..=brokers).map(address).collect();
    if rng.percent(50) {
        bootstrap.truncate(1);
    }
    let mut config = Config::new(bootstrap);
    match rng.between(0, 19) {
        0..=15 => {}
        16 => config.idempotence = false,
        17 => {
            config.idempotence = false;
            config.allow_reordering = rng.percent(50);
        }
        18 => (config.idempotence, config.acks) = (false, Acks::Leader),
        _ => (config.idempotence, config.acks) = (false, Acks::None),
    }
    config.resend_unknown = rng.percent(2);
    config.max_in_flight = if rng.percent(75) { 5 } else { rng.size(1, 4) };
    let linger = match rng.between(0, 3) {
        0 => Duration::ZERO,
        1 | 2 => Duration::from_millis(5),
        _ => rng.millis(1, 100),
    };
    config.linger = if rng.percent(60) {
        Linger::Adaptive(linger)
    } else {
        Linger::Fixed(linger)
    };
    config.busy_from = rng.size(1, 300) as u32;
    // Without a draw of its own, so that seeds stay what they were.
    config.fail_on_data_loss = config.busy_from % 8 == 0;
    config.batch_size = match rng.between(0, 4) {
        0..=2 => rng.size(100, 600),
        3 => rng.size(600, 3000),
        _ => 64 << 10,
    };
    config.batch_max = if rng.percent(80) {
        config.batch_size.max(len_max + 100)
    } else {
        1 << 20
    };
    config.request_max = if rng.percent(30) {
        config.batch_max * rng.size(1, 3)
    } else {
        8 << 20
    };
    if short {
        config.request_timeout = rng.millis(50, 500);
        let spare = *rng.pick(&[100, 1000, 4000]);
        config.delivery_timeout =
            config.request_timeout + config.linger.duration() + rng.millis(0, spare);
    } else if rng.percent(50) {
        config.request_timeout = rng.millis(300, 3000);
    }
    if rng.percent(70) {
        config.retry_backoff = (rng.millis(1, 100), rng.millis(100, 1000));
        config.reconnect_backoff = (rng.millis(1, 50), rng.millis(50, 1000));
    }
    if rng.percent(50) {
        config.connect_timeout = rng.millis(200, 3000);
    }
    if rng.percent(20) {
        config.idle_timeout = rng.millis(50, 3000);
    }
    if rng.percent(20) {
        config.metadata_max_age = rng.millis(500, 5000);
    }
    // Drawn apart: the seeds that found what is written down go on to find it.
    let mut apart = rng.clone();
    if apart.percent(30) {
        config.unknown_topic_timeout = apart.millis(0, 3000);
    }
    if apart.percent(30) {
        // Topics come to rest between two records, if there is a refresh between them.
        config.metadata_max_idle = apart.millis(1, 1000);
        if apart.percent(60) {
            config.metadata_max_age = apart.millis(200, 2000);
        }
    }
    config
}

fn options(rng: &mut Rng, config: &mut Config) -> Vec<BatchOptions> {
    let codecs = [
        CompressionType::Gzip,
        CompressionType::Snappy,
        CompressionType::Lz4,
    ];
    if rng.percent(40) {
        config.compression = Compression::new(*rng.pick(&codecs));
    }
    let mut options = vec![config.batch_options()];
    if rng.percent(15) {
        let codec = if rng.percent(50) {
            CompressionType::None
        } else {
            *rng.pick(&codecs)
        };
        let timeout = config.delivery_timeout * rng.between(1, 3) as u32;
        options.push(BatchOptions::new(Compression::new(codec), timeout));
    }
    options
}

fn topics(rng: &mut Rng, brokers: i32, rough: bool, config: &Config) -> Vec<TopicPlan> {
    (0..rng.between(1, 2))
        .map(|number| {
            let partitions = rng.between(1, 3) as i32;
            if rng.percent(10) {
                return TopicPlan {
                    name: format!("made-by-asking-{number}"),
                    partitions: AUTO_PARTITIONS,
                    spec: None,
                };
            }
            let mut spec = TopicSpec::new(partitions);
            if brokers == 3 && rng.percent(20) {
                spec = spec.min_insync_replicas(2);
            }
            spec = spec.log_append_time(rng.percent(20));
            if rough && rng.percent(15) {
                spec = spec.compacted(true);
            }
            if rough && rng.percent(15) {
                spec = spec.max_message_bytes(rng.size(200, config.batch_size.max(400)));
            }
            TopicPlan {
                name: format!("topic-{number}"),
                partitions,
                spec: Some(spec),
            }
        })
        .collect()
}

/// Partitions of a topic that comes into being because it is asked for.
pub(crate) const AUTO_PARTITIONS: i32 = 2;

fn senders(
    rng: &mut Rng,
    topics: &[TopicPlan],
    config: &Config,
    stage: &Stage,
    len_max: usize,
) -> Vec<Vec<RecordPlan>> {
    let count = rng.size(1, 4);
    let records = rng.size(30, RECORDS_MAX) / count;
    let two_options = rng.percent(50);
    let keyless = rng.percent(30);
    // A burst, an even flow over the time of trouble, or bursts with pauses between.
    let pace = rng.between(0, 2);
    let step = stage.span * 2 / records.max(1) as u32;
    let step = step.min(config.linger.duration() * 4 + Duration::from_millis(20));
    (0..count)
        .map(|_| {
            (0..records)
                .map(|_| {
                    let topic = rng.size(0, topics.len() - 1);
                    let pause = match pace {
                        0 => Duration::ZERO,
                        1 => rng.time(Duration::ZERO, step),
                        _ if rng.percent(8) => rng.time(Duration::ZERO, step * 10),
                        _ => Duration::ZERO,
                    };
                    let len = rng.size(4, len_max);
                    RecordPlan {
                        topic: topic as u32,
                        partition: rng.between(0, topics[topic].partitions as u64 - 1) as i32,
                        keyed: !(keyless && rng.percent(20)),
                        len,
                        options: usize::from(two_options && rng.percent(20)),
                        pause,
                    }
                })
                .collect()
        })
        .collect()
}

fn net(rng: &mut Rng, config: &Config) -> NetPlan {
    let micros = Duration::from_micros;
    let latency = match rng.between(0, 9) {
        0 => (Duration::ZERO, Duration::ZERO),
        1..=4 => (micros(50), micros(2000)),
        5..=7 => (micros(1000), micros(20_000)),
        8 => (micros(100), micros(100_000)),
        // What had left may arrive when its sender has long asked elsewhere.
        _ => (micros(100), config.request_timeout.min(2 * SECOND)),
    };
    let service = match rng.between(0, 3) {
        0 => (Duration::ZERO, Duration::ZERO),
        1 | 2 => (micros(50), micros(1000)),
        _ => (micros(1000), micros(30_000)),
    };
    NetPlan {
        latency,
        service,
        piecemeal: *rng.pick(&[0, 0, 10, 60]),
        reset: *rng.pick(&[0, 30, 100]),
        jitter: *rng.pick(&[
            micros(0),
            micros(100),
            micros(100),
            micros(3000),
            micros(50_000),
        ]),
        sealing: *rng.pick(&[micros(0), micros(500), micros(20_000)]),
        // The last is often more than an attempt to connect may take.
        lookup: *rng.pick(&[
            micros(0),
            micros(1000),
            micros(1000),
            micros(100_000),
            micros(100_000),
            config.connect_timeout * 2,
        ]),
        no_thread: *rng.pick(&[0, 0, 0, 20]),
        lookup_lost: *rng.pick(&[0, 0, 0, 10]),
        lookup_panics: *rng.pick(&[0, 0, 0, 10]),
        split_answers: *rng.pick(&[0, 20, 60]),
        black_hole: *rng.pick(&[0, 0, 50]),
    }
}

#[cfg(test)]
mod tests;
