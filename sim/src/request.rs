//! A request as its bytes tell it: what is asked, and which records it carries.
//!
//! Read from what the client's sockets take. What follows from it is the matter of `ledger`,
//! `company`, `past` and `load`.

use downpour_wire::batch::BatchView;
use downpour_wire::header::{RequestHeader, decode_body};
use downpour_wire::messages::{ApiKey, ProduceRequest};
use downpour_wire::primitives::{Reader, Uuid};

use crate::history::{History, Place};

/// A topic as requests and answers name it: before version 13 by its name, since then by its id.
pub(crate) type TopicName = (String, Uuid);

/// What a request asks.
#[derive(Debug, Clone)]
pub(crate) struct Question {
    pub(crate) api: Option<ApiKey>,
    pub(crate) version: i16,
    pub(crate) correlation_id: i32,
    /// Bytes of the whole request.
    pub(crate) len: usize,
    /// An answer will come: all but Produce with acks=0.
    pub(crate) is_answered: bool,
    pub(crate) batches: Vec<Carried>,
}

/// A batch in a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Carried {
    pub(crate) topic: TopicName,
    pub(crate) place: Place,
    /// Producer id, epoch and first sequence; `None` without idempotence.
    pub(crate) stamp: Option<(i64, i16, i32)>,
    /// Its records by their numbers.
    pub(crate) ids: Vec<u32>,
}

impl Question {
    /// Reads a request. The error names what nobody sent.
    pub(crate) fn read(frame: &[u8], history: &History) -> Result<Self, String> {
        let mut question = Self {
            api: None,
            version: -1,
            correlation_id: -1,
            len: frame.len(),
            is_answered: true,
            batches: Vec::new(),
        };
        let mut reader = Reader::new(frame.get(4..).unwrap_or_default());
        let Ok(header) = RequestHeader::decode(&mut reader) else {
            return Ok(question);
        };
        question.api = ApiKey::try_from(header.api_key).ok();
        question.version = header.api_version;
        question.correlation_id = header.correlation_id;
        if question.api != Some(ApiKey::Produce) {
            return Ok(question);
        }
        let Ok(request) = decode_body::<ProduceRequest>(&mut reader, header.api_version) else {
            return Ok(question);
        };
        question.is_answered = request.acks != 0;
        for topic in request.topics {
            let name = (topic.name, topic.topic_id);
            for partition in topic.partitions {
                let records = partition.records.unwrap_or_default();
                let carried = carried(name.clone(), &records, history)?;
                question.batches.extend(carried);
            }
        }
        Ok(question)
    }
}

/// The batch that these bytes are; `None` if they are none.
fn carried(topic: TopicName, bytes: &[u8], history: &History) -> Result<Option<Carried>, String> {
    let Ok((view, _)) = BatchView::parse(bytes) else {
        return Ok(None);
    };
    let records = view.records(1 << 24).map_err(|error| error.to_string())?;
    let mut ids = Vec::with_capacity(records.len());
    let mut place = None;
    for record in &records {
        let id = record.value.as_deref().and_then(|v| v.first_chunk::<4>());
        let id = id.map(|id| u32::from_be_bytes(*id));
        let found = id.and_then(|id| Some((id, *history.offered.get(&id)?)));
        let Some((id, its)) = found else {
            return Err("a request carries a record that nobody sent".to_owned());
        };
        ids.push(id);
        place = Some(its);
    }
    Ok(place.map(|place| Carried {
        topic,
        place,
        stamp: (view.base_sequence >= 0).then_some((
            view.producer_id,
            view.producer_epoch,
            view.base_sequence,
        )),
        ids,
    }))
}
