//! What can go wrong in a run, and how a seed draws it. Letting it happen is `world`'s.

use std::time::Duration;

use downpour_fake::{ApiKey, ErrorCode, Fault};

use crate::rng::Rng;

/// How a connection goes bad.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cut {
    /// Both ends at once; what was on its way is lost.
    Clean,
    /// The client is told; what had left it still arrives and is served.
    ClientOnly,
    /// The broker closes; the client hears of it later.
    ServerFirst,
    /// Requests arrive, answers do not.
    AnswersLost,
    /// Nothing arrives any more, and nobody is told.
    Silence,
    /// Bytes come that are no answer.
    Garbled,
    /// An answer comes to nothing that was asked.
    Unasked,
}

/// How a name server answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Answers {
    /// With the broker's address.
    #[default]
    One,
    /// With one where nobody is, and two of the broker's behind it.
    Several,
    /// That there is none.
    Empty,
    Fail,
}

/// Something that goes wrong at a time.
#[derive(Debug, Clone)]
pub(crate) enum Trouble {
    Script(Fault, &'static str),
    Move {
        topic: usize,
        partition: i32,
        to: i32,
    },
    Kill {
        node: i32,
        silent: bool,
        lasts: Duration,
    },
    Cut {
        which: u64,
        how: Cut,
    },
    /// A broker's metadata is not brought up to date any more.
    Freeze {
        node: i32,
    },
    /// No trouble: somebody flushes.
    Flush,
    /// A caller goes away while it sends.
    Cancel(u64),
    /// Names have other addresses than they should.
    Names(Answers),
    /// The client's process stands still.
    Suspend(Duration),
    /// The client's wall clock jumps by so many milliseconds.
    WallClock(i64),
    NetworkDelay(Duration),
    ServiceDelay(Duration),
    /// A topic gets so many more partitions.
    Grow {
        topic: usize,
        more: i32,
    },
    /// A topic is deleted with all that it holds, and is back after a while with so many partitions.
    Remake {
        topic: usize,
        partitions: i32,
        back_after: Duration,
    },
    /// Producers are forgotten while their batches are under way: no broker does that, and no
    /// client can do anything about it.
    Forget {
        topic: usize,
        partition: i32,
    },
}

const SECOND: Duration = Duration::from_secs(1);

/// What a run's trouble may name.
#[derive(Debug, Clone)]
pub(crate) struct Stage {
    pub(crate) brokers: i32,
    pub(crate) topics: Vec<(String, i32)>,
    /// Trouble begins within this time.
    pub(crate) span: Duration,
    /// Also what ends in something else than delivery.
    pub(crate) rough: bool,
    pub(crate) request_timeout: Duration,
}

impl Stage {
    /// Draws one thing that goes wrong and when.
    pub(crate) fn draw(&self, rng: &mut Rng) -> (Duration, Trouble) {
        let at = rng.time(Duration::ZERO, self.span);
        let trouble = match rng.between(0, 99) {
            0..=54 => {
                // Scripts count requests: most are there from the beginning.
                let early = rng.percent(60);
                let at = if early { Duration::ZERO } else { at };
                return (at, self.script_produce(rng));
            }
            55..=61 => self.script_other(rng),
            62..=70 => {
                let topic = rng.size(0, self.topics.len() - 1);
                Trouble::Move {
                    topic,
                    partition: rng.between(0, self.topics[topic].1 as u64 - 1) as i32,
                    to: self.broker(rng),
                }
            }
            71..=79 => Trouble::Kill {
                node: self.broker(rng),
                silent: rng.percent(25),
                lasts: rng.millis(10, 2000),
            },
            80..=94 => Trouble::Cut {
                which: rng.next(),
                how: *rng.pick(&[
                    Cut::Clean,
                    Cut::ClientOnly,
                    Cut::ServerFirst,
                    Cut::AnswersLost,
                    Cut::Silence,
                ]),
            },
            95 => Trouble::Freeze {
                node: self.broker(rng),
            },
            96 => Trouble::Flush,
            97 => Trouble::NetworkDelay(rng.millis(0, 200)),
            _ => Trouble::ServiceDelay(rng.millis(0, 200)),
        };
        // What only the whole producer meets.
        let trouble = if rng.percent(8) {
            match rng.between(0, 3) {
                3 => Trouble::Cancel(rng.next()),
                0 => Trouble::Names(*rng.pick(&[Answers::Several, Answers::Empty, Answers::Fail])),
                1 => Trouble::Suspend(rng.time(Duration::ZERO, self.request_timeout * 2)),
                _ => Trouble::WallClock(*rng.pick(&[-3_600_000, -1000, 1000, 3_600_000])),
            }
        } else {
            trouble
        };
        (at, trouble)
    }

    /// On one partition a batch is refused for now, the answer to the next one is lost, and then the
    /// first is refused for good: nothing behind it can be in the log.
    pub(crate) fn draw_unlucky(&self, rng: &mut Rng) -> [(Duration, Trouble); 3] {
        let (topic, partitions) = rng.pick(&self.topics);
        let partition = rng.between(0, *partitions as u64 - 1) as i32;
        let first = rng.between(2, 8);
        let faults = [
            (
                Fault::error(ErrorCode::NOT_ENOUGH_REPLICAS),
                "NOT_ENOUGH_REPLICAS",
            ),
            (Fault::apply_and_lose_answer(), "apply and lose the answer"),
            (Fault::error(ErrorCode::INVALID_RECORD), "INVALID_RECORD"),
        ];
        let mut nth = first;
        faults.map(|(fault, name)| {
            let fault = fault.on(ApiKey::Produce).topic(topic.as_str());
            let fault = fault.partition(partition).nth(nth);
            nth += 1;
            (Duration::ZERO, Trouble::Script(fault, name))
        })
    }

    fn broker(&self, rng: &mut Rng) -> i32 {
        rng.between(1, self.brokers as u64) as i32
    }

    fn script_produce(&self, rng: &mut Rng) -> Trouble {
        let (fault, name) = if self.rough && rng.percent(40) {
            rough(rng)
        } else {
            self.mild(rng)
        };
        let latest = *rng.pick(&[1, 3, 3, 12]);
        let mut fault = fault.on(ApiKey::Produce).nth(rng.between(1, latest));
        if rng.percent(25) {
            fault = fault.times(rng.between(2, 4));
        }
        if rng.percent(50) {
            let (topic, partitions) = rng.pick(&self.topics);
            fault = fault.topic(topic.as_str());
            if rng.percent(70) {
                fault = fault.partition(rng.between(0, *partitions as u64 - 1) as i32);
            }
        }
        Trouble::Script(fault, name)
    }

    fn mild(&self, rng: &mut Rng) -> (Fault, &'static str) {
        use ErrorCode as E;
        let ms = |d: Duration| d.as_millis() as u64;
        match rng.between(0, 32) {
            0..=3 => (Fault::apply_and_lose_answer(), "apply and lose the answer"),
            4 => (Fault::apply_and_hang(), "apply and hang"),
            5 => (Fault::hang(), "hang"),
            6 => (Fault::disconnect(), "disconnect"),
            7 => (
                Fault::disconnect_mid_frame(rng.size(1, 60)),
                "disconnect within the answer",
            ),
            8 => (
                Fault::delay(rng.millis(1, ms(self.request_timeout) * 3 / 2)),
                "delay",
            ),
            9 => (Fault::throttle(rng.between(1, 300) as u32), "throttle"),
            10 | 28 | 29 => (Fault::corrupt_answer(), "corrupt answer"),
            11 | 30 | 31 => (Fault::wrong_correlation_id(), "wrong correlation id"),
            12 => (Fault::omit(), "leave out of the answer"),
            13 => (Fault::apply_and_omit(), "apply and leave out of the answer"),
            14 => (Fault::move_leader(self.broker(rng)), "move the leader"),
            15 => (Fault::error(E::NOT_LEADER_OR_FOLLOWER), "NOT_LEADER"),
            16 => (
                Fault::apply_then_error(E::NOT_LEADER_OR_FOLLOWER),
                "apply, then NOT_LEADER",
            ),
            17 | 18 => (Fault::error(E::NOT_ENOUGH_REPLICAS), "NOT_ENOUGH_REPLICAS"),
            19 => (
                Fault::apply_then_error(E::NOT_ENOUGH_REPLICAS_AFTER_APPEND),
                "apply, then NOT_ENOUGH_REPLICAS_AFTER_APPEND",
            ),
            20 => (
                Fault::apply_then_error(E::REQUEST_TIMED_OUT),
                "apply, then REQUEST_TIMED_OUT",
            ),
            21 => (Fault::error(E::REQUEST_TIMED_OUT), "REQUEST_TIMED_OUT"),
            22 => (
                Fault::apply_then_error(E::DUPLICATE_SEQUENCE_NUMBER),
                "apply, then DUPLICATE_SEQUENCE_NUMBER",
            ),
            23 => (Fault::error(E::KAFKA_STORAGE_ERROR), "KAFKA_STORAGE_ERROR"),
            24 => (
                Fault::error(E::UNKNOWN_TOPIC_OR_PARTITION),
                "UNKNOWN_TOPIC_OR_PARTITION",
            ),
            25 => (Fault::error(E::CORRUPT_MESSAGE), "CORRUPT_MESSAGE"),
            26 => (Fault::empty_answer(), "empty answer"),
            _ => (
                Fault::hold(rng.millis(1, ms(self.request_timeout.min(3 * SECOND)) * 3)),
                "hold",
            ),
        }
    }

    fn script_other(&self, rng: &mut Rng) -> Trouble {
        let fault = match rng.between(0, 3) {
            0 => Fault::disconnect(),
            1 => Fault::hang(),
            2 => Fault::delay(rng.millis(1, 300)),
            _ => Fault::corrupt_answer(),
        };
        let (fault, name) = match rng.between(0, 6) {
            0 | 1 => (fault.on(ApiKey::Metadata), "Metadata spoilt"),
            2 => (fault.on(ApiKey::ApiVersions), "ApiVersions spoilt"),
            // Nonsense may read as a refusal for good.
            3 if self.rough => (fault.on(ApiKey::InitProducerId), "InitProducerId spoilt"),
            3 => (
                Fault::hang().on(ApiKey::InitProducerId),
                "InitProducerId without an answer",
            ),
            4 => (
                Fault::error(ErrorCode::COORDINATOR_LOAD_IN_PROGRESS)
                    .on(ApiKey::InitProducerId)
                    .times(rng.between(1, 3)),
                "InitProducerId refused for now",
            ),
            5 if self.rough => (
                // The first time nothing may be waiting for it yet.
                Fault::error(ErrorCode::CLUSTER_AUTHORIZATION_FAILED)
                    .on(ApiKey::InitProducerId)
                    .times(2),
                "InitProducerId refused",
            ),
            _ => (
                Fault::error(ErrorCode::LEADER_NOT_AVAILABLE)
                    .on(ApiKey::Metadata)
                    .topic(rng.pick(&self.topics).0.as_str())
                    .times(rng.between(1, 3)),
                "Metadata without a topic",
            ),
        };
        Trouble::Script(fault, name)
    }
}

fn rough(rng: &mut Rng) -> (Fault, &'static str) {
    use ErrorCode as E;
    match rng.between(0, 12) {
        0 | 1 => (Fault::error(E::MESSAGE_TOO_LARGE), "MESSAGE_TOO_LARGE"),
        2 | 3 => (Fault::error(E::INVALID_RECORD), "INVALID_RECORD"),
        4 => (
            Fault::error(E::TOPIC_AUTHORIZATION_FAILED),
            "TOPIC_AUTHORIZATION_FAILED",
        ),
        5 | 6 => (
            Fault::error(E::UNKNOWN_SERVER_ERROR),
            "UNKNOWN_SERVER_ERROR",
        ),
        7 | 8 => (
            Fault::apply_then_error(E::UNKNOWN_SERVER_ERROR),
            "apply, then UNKNOWN_SERVER_ERROR",
        ),
        9 => (
            Fault::error(E::OUT_OF_ORDER_SEQUENCE_NUMBER),
            "OUT_OF_ORDER_SEQUENCE_NUMBER",
        ),
        10 => (Fault::error(E::UNKNOWN_PRODUCER_ID), "UNKNOWN_PRODUCER_ID"),
        11 => (
            Fault::error(E::INVALID_PRODUCER_EPOCH),
            "INVALID_PRODUCER_EPOCH",
        ),
        _ => (Fault::error(E(9999)), "a code that nobody knows"),
    }
}
