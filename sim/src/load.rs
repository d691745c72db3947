//! How often a cluster is asked and knocked at: as often as there is a reason, and never faster than
//! the backoffs allow.

use std::collections::HashMap;
use std::time::Duration;

use downpour_wire::messages::ApiKey;

use crate::past::Heard;
use crate::request::Question;

/// What a client may cost its cluster.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    pub(crate) topics: u64,
    pub(crate) retry_backoff: Duration,
    pub(crate) reconnect_backoff: Duration,
    pub(crate) metadata_max_age: Duration,
    pub(crate) metadata_max_idle: Duration,
    pub(crate) topic_wanted_for: Duration,
}

/// What was asked, and the reasons that there were.
#[derive(Debug)]
pub(crate) struct Load {
    limits: Limits,
    metadata: Asking,
    identity: Asking,
    /// Records were sent under it.
    is_granted: bool,
    /// Attempts to connect, links that ended, answers that said that metadata is stale, and answers
    /// that lacked a leader.
    reasons: u64,
    /// Records that named a partition which does not exist: there may be one now.
    pub(crate) misplaced: u64,
    /// Topics that came, went or grew: they are wanted anew.
    pub(crate) changes: u64,
    /// Questions of callers that send nothing: they are asked at once.
    pub(crate) questions: u64,
    /// When each address was tried last, and before that.
    tried: HashMap<(i32, u8), (Duration, Option<Duration>)>,
}

#[derive(Debug, Default)]
struct Asking {
    count: u64,
    last: Option<Duration>,
    /// How often it followed another within the backoff.
    early: u64,
    /// Requests whose answer was lost.
    lost: u64,
}

impl Asking {
    fn ask(&mut self, least: Duration, now: Duration) {
        self.count += 1;
        let last = self.last.replace(now);
        self.early += u64::from(last.is_some_and(|last| now < last + least));
    }
}

/// Backoffs are drawn within a fifth, and rounded.
fn shortest(backoff: Duration) -> Duration {
    backoff.mul_f64(0.79)
}

impl Load {
    pub(crate) fn new(limits: Limits) -> Self {
        Self {
            limits,
            metadata: Asking::default(),
            identity: Asking::default(),
            is_granted: false,
            reasons: 0,
            misplaced: 0,
            changes: 0,
            questions: 0,
            tried: HashMap::new(),
        }
    }

    /// A broker's address is tried. It may have two connections, its own and one of the bootstrap.
    pub(crate) fn connect(&mut self, at: (i32, u8), now: Duration) -> Result<(), String> {
        let least = shortest(self.limits.reconnect_backoff);
        let before = self.tried.get(&at).copied();
        let last = before.map(|(last, _)| last);
        self.tried.insert(at, (now, last));
        let (node, _) = at;
        // Nobody's address stands for many names.
        match before.and_then(|(_, earlier)| earlier) {
            Some(earlier) if node > 0 && now < earlier + least => Err(format!(
                "broker {node} is tried three times within {:?}, its backoff is {:?}",
                now - earlier,
                self.limits.reconnect_backoff
            )),
            _ => Ok(()),
        }
    }

    /// So many attempts to connect began, or could not even begin.
    pub(crate) fn attempt(&mut self, count: u64) {
        self.reasons += count;
    }

    /// A request begins.
    pub(crate) fn ask(&mut self, question: &Question, now: Duration) -> Result<(), String> {
        let least = shortest(self.limits.retry_backoff);
        match question.api {
            Some(ApiKey::Produce) => {
                self.is_granted |= question.batches.iter().any(|b| b.stamp.is_some());
                Ok(())
            }
            Some(ApiKey::Metadata) => {
                self.metadata.ask(least, now);
                self.check_metadata(now)
            }
            Some(ApiKey::InitProducerId) => {
                self.identity.ask(least, now);
                self.check_identity()
            }
            _ => Ok(()),
        }
    }

    /// A topic that is new is asked for at once, and again after it was forgotten: because it did not
    /// come, or because nobody sent to it, which shows in a refresh.
    fn wants(&self, now: Duration) -> u64 {
        let times = |every: Duration| (now.as_millis() / every.as_millis().max(1)) as u64;
        let rests = times(self.limits.metadata_max_idle).min(self.metadata.count);
        self.limits.topics * (1 + times(self.limits.topic_wanted_for) + rests) + self.changes
    }

    fn check_metadata(&self, now: Duration) -> Result<(), String> {
        let Asking {
            count, early, lost, ..
        } = self.metadata;
        let wants = self.wants(now);
        if early > wants + lost + self.questions {
            return Err(format!(
                "metadata was asked for {early} times within the backoff; {wants} topics were \
                 wanted, {lost} answers lost and {} questions asked",
                self.questions
            ));
        }
        let aged = now.as_millis() / self.limits.metadata_max_age.as_millis().max(1);
        let asked = self.misplaced + self.questions;
        let most = 1 + wants + lost + self.reasons + asked + aged as u64;
        if count > most {
            return Err(format!(
                "metadata was asked for {count} times by {now:?}, with {most} reasons"
            ));
        }
        Ok(())
    }

    fn check_identity(&self) -> Result<(), String> {
        let Asking { early, .. } = self.identity;
        if self.is_granted {
            return Err("a producer id was asked for that was granted before".to_owned());
        }
        if early > 0 {
            return Err("a producer id was asked for twice within the backoff".to_owned());
        }
        Ok(())
    }

    /// An answer reached the client.
    pub(crate) fn hear(&mut self, heard: Heard) {
        match heard {
            Heard::Stale | Heard::Metadata { is_complete: false } => self.reasons += 1,
            Heard::Metadata { is_complete: true } => {}
        }
    }

    /// A link ended, or what was written on it since, before these were answered.
    pub(crate) fn end(&mut self, lost: &[ApiKey]) {
        self.reasons += 1;
        for api in lost {
            match api {
                ApiKey::Metadata => self.metadata.lost += 1,
                ApiKey::InitProducerId => self.identity.lost += 1,
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::{at, batch, produce, question};

    fn load() -> Load {
        Load::new(Limits {
            topics: 1,
            retry_backoff: at(100),
            reconnect_backoff: at(50),
            metadata_max_age: at(300_000),
            metadata_max_idle: at(300_000),
            topic_wanted_for: at(60_000),
        })
    }

    fn ask(load: &mut Load, api: ApiKey, ms: u64) -> Result<(), String> {
        load.ask(&question(api, 1), at(ms))
    }

    #[test]
    fn metadata_is_not_asked_for_within_the_backoff_but_for_a_new_topic_or_a_lost_answer() {
        let mut load = load();
        load.attempt(100);
        for ms in [0, 10] {
            assert_eq!(ask(&mut load, ApiKey::Metadata, ms), Ok(()));
        }
        let said = ask(&mut load, ApiKey::Metadata, 20).unwrap_err();
        assert!(said.contains("2 times within the backoff"), "{said}");
        load.end(&[ApiKey::Metadata]);
        assert_eq!(ask(&mut load, ApiKey::Metadata, 110), Ok(()));
    }

    #[test]
    fn metadata_is_not_asked_for_without_a_reason() {
        let mut load = load();
        for ms in [0, 1000] {
            assert_eq!(ask(&mut load, ApiKey::Metadata, ms), Ok(()));
        }
        let said = ask(&mut load, ApiKey::Metadata, 2000).unwrap_err();
        assert!(said.contains("3 times by 2s, with 2 reasons"), "{said}");
        for reason in [Heard::Stale, Heard::Metadata { is_complete: false }] {
            load.hear(reason);
        }
        load.hear(Heard::Metadata { is_complete: true });
        assert_eq!(ask(&mut load, ApiKey::Metadata, 3000), Ok(()));
        assert!(ask(&mut load, ApiKey::Metadata, 4000).is_err());
        // It is old, and the topic was forgotten and wanted again.
        assert_eq!(ask(&mut load, ApiKey::Metadata, 301_000), Ok(()));
    }

    #[test]
    fn a_producer_id_is_asked_for_once_a_backoff_and_never_again_when_it_is_used() {
        let mut load = load();
        assert_eq!(ask(&mut load, ApiKey::InitProducerId, 0), Ok(()));
        assert_eq!(ask(&mut load, ApiKey::InitProducerId, 100), Ok(()));
        assert!(ask(&mut load, ApiKey::InitProducerId, 110).is_err());
        let mut load = self::load();
        assert_eq!(ask(&mut load, ApiKey::InitProducerId, 0), Ok(()));
        load.ask(&produce(2, batch(0, &[1])), at(10)).unwrap();
        let said = ask(&mut load, ApiKey::InitProducerId, 5000).unwrap_err();
        assert!(said.contains("that was granted before"), "{said}");
    }

    #[test]
    fn a_broker_is_tried_twice_at_most_within_the_backoff() {
        let mut load = load();
        assert_eq!(load.connect((1, 0), at(0)), Ok(()));
        assert_eq!(load.connect((1, 0), at(1)), Ok(()));
        assert_eq!(load.connect((2, 0), at(2)), Ok(()));
        assert_eq!(
            load.connect((1, 1), at(2)),
            Ok(()),
            "it has another address"
        );
        let said = load.connect((1, 0), at(30)).unwrap_err();
        assert!(said.contains("broker 1 is tried three times"), "{said}");
        assert_eq!(load.connect((1, 0), at(90)), Ok(()));
    }
}
