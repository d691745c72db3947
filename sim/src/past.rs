//! What happened to each batch on its way: when it was sent, what was answered, how its connection
//! ended. As the bytes tell that sockets take and give; what the client made of it is not asked.
//!
//! Says at once when a batch is sent again that may still be answered, or too early. Whether
//! verdicts fit to all this is `judge`'s matter.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::time::Duration;

use downpour_wire::error_code::ErrorCode;
use downpour_wire::header::decode_response;
use downpour_wire::messages::{
    ApiKey, InitProducerIdRequest, MetadataRequest, MetadataResponse, ProduceRequest,
};

use crate::history::Place;
use crate::request::{Carried, Question, TopicName};

type LinkId = u64;

/// A broker's word on a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Word {
    pub(crate) code: ErrorCode,
    pub(crate) base_offset: i64,
    /// It named single records that it refuses.
    pub(crate) names_records: bool,
}

/// What came back for a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Said {
    Word(Word),
    /// An answer to its request that left it out.
    LeftOut,
}

/// A batch in a request that was begun.
#[derive(Debug)]
pub(crate) struct Sending {
    pub(crate) place: Place,
    pub(crate) stamp: Option<(i64, i16, i32)>,
    pub(crate) ids: Vec<u32>,
    pub(crate) is_answered: bool,
    /// When its whole request had left.
    pub(crate) whole_at: Option<Duration>,
    pub(crate) said: Option<(Said, Duration)>,
    /// When its connection ended without that: the client was told, or gave it up.
    pub(crate) ended: Option<Duration>,
    link: LinkId,
    topic: TopicName,
    node: i32,
    leader_epoch: i32,
    /// How often it was sent with a backoff since it has this form.
    tries: u32,
}

impl Sending {
    /// Since when nothing more can come of it.
    fn over(&self) -> Option<Duration> {
        let said = self.said.map(|(_, at)| at);
        said.into_iter().chain(self.ended).min()
    }

    pub(crate) fn word(&self) -> Option<(Word, Duration)> {
        match self.said {
            Some((Said::Word(word), at)) => Some((word, at)),
            _ => None,
        }
    }
}

/// A request on its way.
#[derive(Debug)]
struct Asked {
    api: Option<ApiKey>,
    version: i16,
    correlation_id: i32,
    /// Bytes that the link has taken when it is whole.
    ends_at: u64,
    is_whole: bool,
    sendings: std::ops::Range<usize>,
}

/// A connection.
#[derive(Debug, Default)]
pub(crate) struct Course {
    pub(crate) node: i32,
    /// When it first carried more than the question for versions.
    pub(crate) used_at: Option<Duration>,
    pub(crate) ended: Option<Duration>,
    taken: u64,
    begun: u64,
    inbound: Vec<u8>,
    asked: VecDeque<Asked>,
}

/// An answer that reached the client and says something for the rules of `load`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Heard {
    /// Whether nothing is missing in it.
    Metadata { is_complete: bool },
    /// A batch's metadata is said to be stale.
    Stale,
}

/// All that was sent so far.
#[derive(Debug)]
pub(crate) struct Past {
    retry_backoff: (Duration, Duration),
    pub(crate) sendings: Vec<Sending>,
    of_record: HashMap<u32, Vec<usize>>,
    pub(crate) courses: BTreeMap<LinkId, Course>,
    /// Look-ups of names: when each began, and when it was over.
    pub(crate) lookups: BTreeMap<u64, (Duration, Option<Duration>)>,
    /// When a broker first refused a producer id, or its answer was lost.
    pub(crate) refused_identity: Option<Duration>,
}

impl Past {
    pub(crate) fn new(retry_backoff: (Duration, Duration)) -> Self {
        Self {
            retry_backoff,
            sendings: Vec::new(),
            of_record: HashMap::new(),
            courses: BTreeMap::new(),
            lookups: BTreeMap::new(),
            refused_identity: None,
        }
    }

    /// Whether an answer to the question for a producer id has still to come.
    pub(crate) fn awaits_identity(&self) -> bool {
        let mut asked = self.courses.values().flat_map(|course| &course.asked);
        asked.any(|asked| asked.api == Some(ApiKey::InitProducerId))
    }

    /// The sendings of a record, the oldest first.
    pub(crate) fn of(&self, id: u32) -> impl DoubleEndedIterator<Item = &Sending> {
        let of = self.of_record.get(&id).into_iter().flatten();
        of.map(|&at| &self.sendings[at])
    }

    /// When the connection of a sending ended, whether that was answered before or not.
    pub(crate) fn link_ended(&self, sending: &Sending) -> Option<Duration> {
        let course = self.courses.get(&sending.link);
        course.and_then(|course| course.ended)
    }

    /// Whether a name was being looked up at that time, or so long before.
    pub(crate) fn looked_up(&self, at: Duration, late: Duration) -> bool {
        let mut lookups = self.lookups.values();
        lookups.any(|(began, ended)| *began <= at && ended.is_none_or(|ended| ended + late >= at))
    }

    pub(crate) fn connect(&mut self, link: LinkId, node: i32) {
        let course = self.courses.entry(link).or_default();
        course.node = node;
    }

    /// A request's first byte was taken. The error names a batch that is sent when it should not.
    pub(crate) fn begin(
        &mut self,
        link: LinkId,
        question: &Question,
        now: Duration,
        leader_epoch: impl Fn(Place) -> i32,
    ) -> Result<(), String> {
        let course = self.courses.get(&link);
        // A client may write on what has ended until it hears of that.
        let (node, ended) = course.map_or((0, None), |c| (c.node, c.ended.and(Some(now))));
        let first = self.sendings.len();
        for batch in &question.batches {
            let epoch = leader_epoch(batch.place);
            let tries = self.check_again(batch, node, epoch, now)?;
            for &id in &batch.ids {
                let at = self.sendings.len();
                self.of_record.entry(id).or_default().push(at);
            }
            self.sendings.push(Sending {
                place: batch.place,
                stamp: batch.stamp,
                ids: batch.ids.clone(),
                is_answered: question.is_answered,
                whole_at: None,
                said: None,
                ended,
                link,
                topic: batch.topic.clone(),
                node,
                leader_epoch: epoch,
                tries,
            });
        }
        let sendings = first..self.sendings.len();
        let course = self.courses.entry(link).or_default();
        if question.api != Some(ApiKey::ApiVersions) {
            course.used_at.get_or_insert(now);
        }
        course.begun += question.len as u64;
        course.asked.push_back(Asked {
            api: question.api,
            version: question.version,
            correlation_id: question.correlation_id,
            ends_at: course.begun,
            is_whole: false,
            sendings,
        });
        Ok(())
    }

    /// Whether a batch may be sent now, and how often that makes.
    fn check_again(
        &self,
        batch: &Carried,
        node: i32,
        leader_epoch: i32,
        now: Duration,
    ) -> Result<u32, String> {
        let id = batch.ids.first().copied().unwrap_or_default();
        let Some(before) = self.of(id).next_back() else {
            return Ok(1);
        };
        let Some(over) = before.over() else {
            return Err(format!(
                "record {id} is sent again while its last sending may still be answered"
            ));
        };
        if before.ids != batch.ids {
            return Ok(1);
        }
        // Behind a batch that is missing a broker refuses whatever comes: that is no attempt.
        let is_behind = before
            .word()
            .is_some_and(|(word, _)| word.code == ErrorCode::OUT_OF_ORDER_SEQUENCE_NUMBER);
        if is_behind {
            return Ok(before.tries);
        }
        // A new leader ends a backoff.
        let is_moved = before.node != node || leader_epoch > 0 || before.leader_epoch > 0;
        let doubled = self.retry_backoff.0 * (1 << (before.tries - 1).min(20));
        let least = doubled.min(self.retry_backoff.1).mul_f64(0.79);
        if !is_moved && now < over + least {
            return Err(format!(
                "record {id} is sent again {:?} after its sending {} had failed, within its backoff",
                now - over,
                before.tries
            ));
        }
        Ok(before.tries + 1)
    }

    /// A link took so many bytes.
    pub(crate) fn take(&mut self, link: LinkId, bytes: usize, now: Duration) {
        let Some(course) = self.courses.get_mut(&link) else {
            return;
        };
        course.taken += bytes as u64;
        let taken = course.taken;
        for asked in course.asked.iter_mut().rev() {
            if asked.is_whole {
                break;
            }
            if asked.ends_at <= taken {
                asked.is_whole = true;
                for at in asked.sendings.clone() {
                    self.sendings[at].whole_at = Some(now);
                }
            }
        }
    }

    /// Bytes reach the client: what they say.
    pub(crate) fn arrive(&mut self, link: LinkId, bytes: &[u8], now: Duration) -> Vec<Heard> {
        let mut heard = Vec::new();
        let Some(course) = self.courses.get_mut(&link) else {
            return heard;
        };
        course.inbound.extend_from_slice(bytes);
        while let Some(head) = course.inbound.first_chunk::<4>() {
            let len = u32::from_be_bytes(*head) as usize + 4;
            if course.inbound.len() < len {
                break;
            }
            let rest = course.inbound.split_off(len);
            let frame = std::mem::replace(&mut course.inbound, rest);
            // Requests with acks=0 have no answer.
            let id = frame.get(4..8).and_then(|id| id.first_chunk::<4>());
            let id = id.map(|id| i32::from_be_bytes(*id));
            let at = course
                .asked
                .iter()
                .position(|asked| Some(asked.correlation_id) == id);
            let Some((at, asked)) = at.and_then(|at| Some((at, course.asked.get(at)?))) else {
                // The client ends the connection.
                continue;
            };
            let body = frame.get(4..).unwrap_or_default();
            match asked.api {
                Some(ApiKey::Produce) => {
                    let sendings = &mut self.sendings[asked.sendings.clone()];
                    if !note_words(sendings, body, asked.version, now, &mut heard) {
                        continue;
                    }
                }
                Some(ApiKey::Metadata) => {
                    let Ok((_, answer)) = decode_response::<MetadataRequest>(body, asked.version)
                    else {
                        continue;
                    };
                    let is_complete = is_complete(&answer);
                    heard.push(Heard::Metadata { is_complete });
                }
                Some(ApiKey::InitProducerId) => {
                    let answer = decode_response::<InitProducerIdRequest>(body, asked.version);
                    let Ok((_, answer)) = answer else {
                        continue;
                    };
                    if !answer.error_code.is_none() {
                        self.refused_identity.get_or_insert(now);
                    }
                }
                _ => {}
            }
            course.asked.remove(at);
        }
        heard
    }

    /// A link ends for the client: what it had asked and will never hear.
    pub(crate) fn end(&mut self, link: LinkId, now: Duration) -> Vec<ApiKey> {
        let Some(course) = self.courses.get_mut(&link) else {
            return Vec::new();
        };
        course.ended.get_or_insert(now);
        let mut lost = Vec::new();
        for asked in course.asked.drain(..) {
            lost.extend(asked.api);
            for at in asked.sendings {
                self.sendings[at].ended.get_or_insert(now);
            }
        }
        if lost.contains(&ApiKey::InitProducerId) {
            self.refused_identity.get_or_insert(now);
        }
        lost
    }
}

/// Reads the answer to a Produce request. False if it is none, which ends the connection.
fn note_words(
    sendings: &mut [Sending],
    body: &[u8],
    version: i16,
    now: Duration,
    heard: &mut Vec<Heard>,
) -> bool {
    let Ok((_, answer)) = decode_response::<ProduceRequest>(body, version) else {
        return false;
    };
    for sending in sendings.iter_mut() {
        sending.said = Some((Said::LeftOut, now));
    }
    for topic in answer.topics {
        let name = (topic.name, topic.topic_id);
        for partition in topic.partitions {
            let of = |s: &&mut Sending| s.topic == name && s.place.1 == partition.index;
            if let Some(sending) = sendings.iter_mut().find(of) {
                let word = Word {
                    code: partition.error_code,
                    base_offset: partition.base_offset,
                    names_records: !partition.record_errors.is_empty(),
                };
                sending.said = Some((Said::Word(word), now));
                if downpour_core::errors::produce(word.code).refresh {
                    heard.push(Heard::Stale);
                }
            }
        }
    }
    true
}

fn is_complete(answer: &MetadataResponse) -> bool {
    let has_leaders = answer.topics.iter().all(|topic| {
        topic.error_code.is_none() && topic.partitions.iter().all(|p| p.leader_id >= 0)
    });
    answer.error_code.is_none() && !answer.brokers.is_empty() && has_leaders
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::{answer, at, batch, produce, question};

    const BACKOFF: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(1));

    /// Two links to two brokers, and the batch of records 1 and 2 sent on the first.
    fn sent() -> Past {
        let mut past = Past::new(BACKOFF);
        past.connect(1, 1);
        past.connect(2, 1);
        past.connect(3, 2);
        let first = produce(1, batch(0, &[1, 2]));
        past.begin(1, &first, at(0), |_| 0).unwrap();
        past.take(1, 100, at(0));
        past
    }

    fn again(past: &mut Past, link: LinkId, number: i32, ms: u64) -> Result<(), String> {
        past.begin(link, &produce(number, batch(0, &[1, 2])), at(ms), |_| 0)
    }

    #[test]
    fn a_batch_is_not_sent_again_while_it_may_be_answered() {
        let mut past = sent();
        let said = again(&mut past, 2, 2, 5000).unwrap_err();
        assert!(
            said.contains("while its last sending may still be answered"),
            "{said}"
        );
        past.end(1, at(10));
        assert_eq!(again(&mut past, 2, 2, 5000), Ok(()));
    }

    #[test]
    fn a_batch_is_not_sent_again_within_its_backoff_which_grows() {
        let mut past = sent();
        past.end(1, at(10));
        let said = again(&mut past, 2, 2, 80).unwrap_err();
        assert!(said.contains("within its backoff"), "{said}");
        assert_eq!(again(&mut past, 2, 2, 90), Ok(()));
        let refused = answer(2, Some(ErrorCode::NOT_ENOUGH_REPLICAS), -1);
        past.arrive(2, &refused, at(100));
        assert!(again(&mut past, 2, 3, 200).is_err());
        assert_eq!(again(&mut past, 2, 3, 260), Ok(()));
    }

    #[test]
    fn another_leader_another_form_and_a_gap_that_is_known_end_a_backoff() {
        let mut past = sent();
        past.end(1, at(10));
        assert_eq!(again(&mut past, 3, 2, 11), Ok(()), "another broker");
        let mut past = sent();
        past.end(1, at(10));
        let part = produce(2, batch(0, &[1]));
        assert_eq!(past.begin(2, &part, at(11), |_| 0), Ok(()), "a part of it");
        let mut past = sent();
        let gap = ErrorCode::OUT_OF_ORDER_SEQUENCE_NUMBER;
        past.arrive(1, &answer(1, Some(gap), -1), at(10));
        assert_eq!(again(&mut past, 1, 2, 11), Ok(()), "behind a missing one");
    }

    #[test]
    fn answers_are_found_in_pieces_and_those_that_cannot_be_read_are_none() {
        let mut past = sent();
        let whole = answer(1, Some(ErrorCode::NONE), 7);
        let (head, tail) = whole.split_at(9);
        past.arrive(1, head, at(5));
        assert!(past.of(1).all(|s| s.said.is_none()));
        past.arrive(1, tail, at(6));
        let word = past.of(2).next().unwrap().word().unwrap();
        assert_eq!((word.0.base_offset, word.1), (7, at(6)));
        let mut past = sent();
        past.arrive(1, &[0, 0, 0, 4, 0, 0, 0, 1], at(5));
        past.end(1, at(6));
        let sending = past.of(1).next().unwrap();
        assert_eq!((sending.said, sending.ended), (None, Some(at(6))));
    }

    #[test]
    fn a_request_is_whole_with_its_last_byte() {
        let mut past = Past::new(BACKOFF);
        past.connect(1, 1);
        past.begin(1, &produce(1, batch(0, &[1])), at(0), |_| 0)
            .unwrap();
        past.take(1, 99, at(1));
        assert_eq!(past.of(1).next().unwrap().whole_at, None);
        past.take(1, 1, at(2));
        assert_eq!(past.of(1).next().unwrap().whole_at, Some(at(2)));
    }

    #[test]
    fn what_was_asked_is_lost_with_its_link() {
        let mut past = sent();
        past.begin(1, &question(ApiKey::Metadata, 2), at(1), |_| 0)
            .unwrap();
        assert_eq!(past.end(1, at(2)), [ApiKey::Produce, ApiKey::Metadata]);
        assert_eq!(past.end(1, at(3)), []);
    }
}
