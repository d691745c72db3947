//! Every number of every answer at its extremes, in every version: the engine does not panic, takes
//! nothing that cannot be, and goes on with records as soon as brokers behave again.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::time::{Duration, Instant};

use downpour_wire::error_code::ErrorCode;
use downpour_wire::messages::ApiKey;
use downpour_wire::messages::numbers::{numbers_of, set_number};

use super::cluster::{Cluster, Reply, Speaks, TOPIC_ID, enrich};
use super::harness::{World, config};
use crate::outcome::Verdict;

/// Which answer is the hostile one, and what it says before a number of it is set.
#[derive(Debug, Clone, Copy)]
struct Scene {
    api: ApiKey,
    version: i16,
    /// It is the answer to so many requests of this kind, in this version.
    nth: usize,
    /// Whether the request does what it asks for.
    applies: bool,
    /// What a Produce answer says.
    code: ErrorCode,
}

/// What came of it.
#[derive(Debug)]
struct Outcome {
    /// Numbers of the answer; none if it was never asked for.
    numbers: Vec<(&'static str, Vec<i64>)>,
    /// From the hostile answer until each record that was sent later was delivered, and from a
    /// move of all leaders after that until the next ones were; none if one was not.
    delivered_after: Vec<Option<Duration>>,
}

impl Outcome {
    /// `pauses` is whether the answer asked for a pause.
    fn is_well(&self, pauses: bool) -> bool {
        let most = match pauses {
            true => config().delivery_timeout + SOON,
            false => SOON,
        };
        let [Some(first), Some(second)] = *self.delivered_after else {
            return false;
        };
        first < most && second < SOON
    }
}

/// Longer than any backoff and shorter than any record's time.
const SOON: Duration = Duration::from_secs(10);

struct Trial {
    world: World,
    cluster: Cluster,
    scene: Scene,
    set: Option<(usize, i64)>,
    seen: usize,
    numbers: Vec<(&'static str, Vec<i64>)>,
    hostile_at: Option<Instant>,
    probes: Vec<u32>,
    sent: Vec<u32>,
    want_at: Instant,
    /// How often they were.
    probes_sent: u32,
}

impl Trial {
    fn new(scene: Scene, set: Option<(usize, i64)>) -> Self {
        let mut world = World::new(config());
        (world.is_deaf, world.chunk) = (true, 1024);
        world.topic_id = TOPIC_ID;
        world.leaders = vec![(1, 3), (2, 3)];
        world.want();
        Self {
            want_at: world.now + Duration::from_secs(1),
            world,
            cluster: Cluster::new(Speaks::no_newer(scene.api, scene.version)),
            scene,
            set,
            seen: 0,
            numbers: Vec::new(),
            hostile_at: None,
            probes: Vec::new(),
            sent: Vec::new(),
            probes_sent: 0,
        }
    }

    /// Answers the next question, if there is one.
    fn answer(&mut self) -> bool {
        let Some(asked) = self.world.asked.pop_front() else {
            return false;
        };
        if self.world.disconnects.contains(&asked.connection_id) {
            return true;
        }
        let version = asked.header.api_version;
        let is_meant = (asked.api(), version) == (self.scene.api, self.scene.version);
        self.seen += usize::from(is_meant);
        let is_hostile = is_meant && self.seen == self.scene.nth;
        let applies = !is_hostile || self.scene.applies;
        let mut reply = self.cluster.reply(&self.world, &asked, applies);
        if is_hostile {
            if let (Reply::Produce(response), true) = (&mut reply, !self.scene.code.is_none()) {
                enrich(response, self.scene.code);
            }
            self.numbers = numbers_of(reply.numbers(), version);
            if let Some((place, value)) = self.set {
                assert!(set_number(reply.numbers(), version, place, value));
            }
            self.hostile_at = Some(self.world.now);
        }
        reply.give(&mut self.world, &asked);
        true
    }

    /// Whether records may be sent to both partitions.
    fn is_available(&self) -> bool {
        let told = self.world.topics.iter().rev();
        let mut told = told.filter(|told| !told.contains("fatal"));
        told.next()
            .is_some_and(|told| told.matches(',').count() == 1)
    }

    fn is_ended(&self, tickets: &[u32]) -> bool {
        let mut tickets = tickets.iter();
        tickets.all(|ticket| self.world.verdicts.contains_key(ticket))
    }

    fn run(mut self) -> Outcome {
        let began = self.world.now;
        let end = began + Duration::from_secs(400);
        let mut delivered_after = Vec::new();
        loop {
            if self.cluster.connect(&mut self.world) || self.answer() {
                continue;
            }
            if self.is_available() && self.sent.is_empty() {
                for partition in [0, 0, 0, 1, 1, 1] {
                    self.sent.push(self.world.append_anywhere(partition));
                }
                continue;
            }
            if self.hostile_at.is_none() && self.is_ended(&self.sent) && !self.sent.is_empty() {
                // Somebody asks for the topic again, or sends again.
                if self.world.now > began + Duration::from_secs(30) {
                    break;
                }
                match self.scene.api {
                    ApiKey::Metadata => self.world.want(),
                    _ => self.sent.clear(),
                }
                self.world.sleep(1000);
                continue;
            }
            if self.hostile_at.is_some() && self.is_available() && self.probes.is_empty() {
                self.probes_sent += 1;
                for partition in [0, 1] {
                    self.probes.push(self.world.append_anywhere(partition));
                }
                continue;
            }
            if !self.probes.is_empty() && self.is_ended(&self.probes) && self.is_ended(&self.sent) {
                let word = |ticket| self.world.verdicts[ticket].as_str();
                let all = self.probes.iter().all(|t| word(t).starts_with("at "));
                let after = self.hostile_at.map(|at| self.world.now - at);
                // A broker that asks for a pause is given it, as long as a record lives at most.
                if !all && delivered_after.is_empty() && self.probes_sent < 2 {
                    self.probes.clear();
                    continue;
                }
                delivered_after.push(after.filter(|_| all));
                if delivered_after.len() == 2 {
                    break;
                }
                self.world.leaders = vec![(2, 4), (1, 4)];
                self.hostile_at = Some(self.world.now);
                self.probes.clear();
                continue;
            }
            // Whoever sends to a partition that is not there has the topic asked for again.
            if !self.is_available() && self.world.now >= self.want_at {
                self.want_at = self.world.now + Duration::from_secs(1);
                self.world.want();
                continue;
            }
            match self.world.engine.next_wake(self.world.now) {
                Some(at) if at < end => self.world.now = at,
                _ => break,
            }
            self.world.step();
        }
        self.check();
        Outcome {
            numbers: self.numbers,
            delivered_after,
        }
    }

    /// Nothing was taken that cannot be.
    fn check(&self) {
        for told in &self.world.topics {
            assert!(!told.contains("Some(-"), "a leader below zero: {told}");
            assert!(told.matches("Some(").count() <= 2, "partitions: {told}");
        }
        for (_, first, count, total, verdict) in &self.world.runs {
            assert!(*count > 0 && first + count <= *total);
            if let Verdict::Delivered {
                base_offset,
                log_append_time,
            } = verdict
            {
                let last = base_offset.map(|base| base.checked_add(i64::from(*total) - 1));
                assert!(
                    base_offset.is_none_or(|base| base >= 0) && last != Some(None),
                    "offset {base_offset:?} of {total}"
                );
                assert!(log_append_time.is_none_or(|time| time >= 0));
            }
        }
    }
}

/// Says which number it was when something panics.
struct Case(String);

impl Drop for Case {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("with {}", self.0);
        }
    }
}

/// Tries every number of this answer; how many, and what took too long.
fn try_all(scene: Scene, slow: &mut BTreeMap<String, String>) -> usize {
    let plain = Trial::new(scene, None).run();
    assert!(!plain.numbers.is_empty(), "never asked: {scene:?}");
    assert!(plain.is_well(false), "{scene:?}: {plain:?}");
    let (mut tried, newest) = (0, scene.api.versions().1 == scene.version);
    for (place, (name, values)) in plain.numbers.iter().enumerate() {
        for &value in values {
            // Codes are the same in every version.
            let is_named = ErrorCode::ALL.iter().any(|c| i64::from(c.0) == value);
            if name.ends_with("error_code") && is_named && !newest {
                continue;
            }
            let case = Case(format!("{name} = {value} of {scene:?}"));
            let outcome = Trial::new(scene, Some((place, value))).run();
            tried += 1;
            if !outcome.is_well(name.contains("throttle") && value > 0) {
                let said = slow.entry(format!("{name} = {value}")).or_default();
                write!(said, "v{} {:?}, ", scene.version, outcome.delivered_after).unwrap();
                drop(case);
            }
        }
    }
    tried
}

fn scenes(api: ApiKey, nth: usize) -> impl Iterator<Item = Scene> {
    let (min, max) = api.versions();
    (min..=max).map(move |version| Scene {
        api,
        version,
        nth,
        applies: true,
        code: ErrorCode::NONE,
    })
}

fn try_scenes(scenes: impl IntoIterator<Item = Scene>, least: usize) {
    let mut slow = BTreeMap::new();
    let tried: usize = scenes.into_iter().map(|s| try_all(s, &mut slow)).sum();
    assert!(slow.is_empty(), "{} of {tried}: {slow:#?}", slow.len());
    assert!(tried >= least, "{tried}");
}

#[test]
fn any_number_in_an_answer_about_versions_leaves_the_producer_well() {
    try_scenes(
        [1, 2]
            .into_iter()
            .flat_map(|nth| scenes(ApiKey::ApiVersions, nth)),
        1,
    );
}

#[test]
fn any_number_in_metadata_leaves_the_producer_well() {
    try_scenes(
        [1, 2]
            .into_iter()
            .flat_map(|nth| scenes(ApiKey::Metadata, nth)),
        1,
    );
}

#[test]
fn any_number_in_an_answer_about_a_producer_id_leaves_the_producer_well() {
    try_scenes(scenes(ApiKey::InitProducerId, 1), 1);
}

#[test]
fn any_number_in_an_answer_to_records_leaves_the_producer_well() {
    try_scenes(
        [1, 2]
            .into_iter()
            .flat_map(|nth| scenes(ApiKey::Produce, nth)),
        1,
    );
}

#[test]
fn any_number_in_an_answer_to_records_that_is_a_lie_leaves_the_producer_well() {
    let codes = [
        ErrorCode::NONE,
        ErrorCode::INVALID_RECORD,
        ErrorCode::NOT_LEADER_OR_FOLLOWER,
    ];
    let lies = codes
        .into_iter()
        .flat_map(|code| [(code, false), (code, true)]);
    let lies = lies.flat_map(|(code, applies)| {
        scenes(ApiKey::Produce, 1).map(move |scene| Scene {
            code,
            applies,
            ..scene
        })
    });
    try_scenes(lies, 1);
}
