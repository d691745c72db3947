//! The Produce request as a gather list. The same request as an owned struct is in `messages`.

use std::sync::Arc;

use super::frame::Frame;
use crate::batch::{Body, HEADER_LEN};
use crate::error::{EncodeError, EncodeErrorKind};
use crate::header::{patch_length, put_request_header};
use crate::messages::ApiKey;
use crate::messages::writer::MessageWriter;
use crate::primitives::Uuid;

/// The small bytes of a partition, at most: its number, a length, a header, no tags.
const PARTITION_LEN: usize = 4 + 5 + HEADER_LEN + 1;

/// Builds a Produce request without copying its batch bodies.
///
/// Counts come before what they count: [`ProduceFrame::new`] is told how many topics will follow, and
/// [`ProduceFrame::topic`] how many partitions. The first error is kept until
/// [`ProduceFrame::finish`] returns it.
#[derive(Debug)]
pub struct ProduceFrame {
    small: Vec<u8>,
    /// How many bytes of `small` are in `frame` already.
    pushed: usize,
    frame: Frame,
    version: i16,
    flexible: bool,
    topics_left: usize,
    partitions_left: usize,
    /// Set by the first topic: from then on a topic's struct is to be ended before the next begins.
    topic_open: bool,
    error: Option<EncodeError>,
}

impl ProduceFrame {
    /// Begins a request of `topic_count` topics. `acks` is 0, 1 or -1, `timeout_ms` how long the
    /// leader may wait for its replicas.
    #[must_use]
    pub fn new(
        version: i16,
        correlation_id: i32,
        client_id: &str,
        transactional_id: Option<&str>,
        acks: i16,
        timeout_ms: i32,
        topic_count: usize,
    ) -> Self {
        let mut small = Vec::with_capacity(128 + topic_count.min(1024) * 32);
        // The frame's length, which is known in the end.
        small.extend_from_slice(&[0; 4]);
        let mut this = Self {
            small,
            pushed: 0,
            frame: Frame::default(),
            version,
            flexible: ApiKey::Produce.is_flexible(version),
            topics_left: topic_count,
            partitions_left: 0,
            topic_open: false,
            error: None,
        };
        if !ApiKey::Produce.has_version(version) {
            this.fail(EncodeErrorKind::UnsupportedVersion, "ProduceRequest");
        }
        let put = put_request_header(
            &mut this.small,
            (ApiKey::Produce as i16, version),
            correlation_id,
            Some(client_id),
            this.flexible,
        );
        this.keep(put);
        this.write(|out| {
            out.nullable_string(transactional_id, "transactional id")?;
            out.i16(acks);
            out.i32(timeout_ms);
            out.len(Some(topic_count), "topics")
        });
        this
    }

    /// Begins a topic of `partition_count` partitions. Versions up to 12 say its name, version 13
    /// its id (KIP-516).
    pub fn topic(&mut self, name: &str, topic_id: Uuid, partition_count: usize) {
        self.end_topic();
        self.small
            .reserve(partition_count.min(1024) * PARTITION_LEN);
        self.frame.reserve(partition_count.min(1024));
        match self.topics_left.checked_sub(1) {
            Some(left) => self.topics_left = left,
            None => self.fail(EncodeErrorKind::WrongCount, "topics"),
        }
        self.write(|out| {
            if out.version >= 13 {
                out.uuid(topic_id);
            } else {
                out.string(name, "topic name")?;
            }
            out.len(Some(partition_count), "partitions")
        });
        self.partitions_left = partition_count;
        self.topic_open = true;
    }

    /// Adds a partition's batch: its header as stamped for this attempt, and its shared body.
    pub fn partition(&mut self, index: i32, header: &[u8; HEADER_LEN], body: Arc<Body>) {
        match self.partitions_left.checked_sub(1) {
            Some(left) => self.partitions_left = left,
            None => self.fail(EncodeErrorKind::WrongCount, "partitions"),
        }
        self.write(|out| {
            out.i32(index);
            out.len(Some(HEADER_LEN + body.len()), "records")
        });
        self.small.extend_from_slice(header);
        self.frame.push_small(self.pushed..self.small.len());
        self.pushed = self.small.len();
        self.frame.push_body(body);
        self.end_struct();
    }

    /// Ends the request.
    ///
    /// # Errors
    /// The first thing that went wrong: an unsupported version, a string too long, or fewer or
    /// more topics or partitions than were announced.
    pub fn finish(mut self) -> Result<Frame, EncodeError> {
        self.end_topic();
        if self.topics_left > 0 {
            self.fail(EncodeErrorKind::WrongCount, "topics");
        }
        self.end_struct();
        if let Some(error) = self.error {
            return Err(error);
        }
        self.frame.push_small(self.pushed..self.small.len());
        patch_length(&mut self.small, self.frame.len())?;
        self.frame.set_small(self.small);
        Ok(self.frame)
    }

    fn end_topic(&mut self) {
        if self.partitions_left > 0 {
            self.fail(EncodeErrorKind::WrongCount, "partitions");
        }
        if self.topic_open {
            self.end_struct();
        }
    }

    fn end_struct(&mut self) {
        self.write(|out| {
            out.no_tags();
            Ok(())
        });
    }

    /// Appends fields in the form of the request's version.
    fn write(&mut self, fields: impl FnOnce(&mut MessageWriter<'_>) -> Result<(), EncodeError>) {
        let mut out = MessageWriter::in_form(&mut self.small, self.version, self.flexible);
        let put = fields(&mut out);
        self.keep(put);
    }

    /// Keeps the first error of all.
    fn keep(&mut self, put: Result<(), EncodeError>) {
        if let Err(error) = put {
            self.error.get_or_insert(error);
        }
    }

    fn fail(&mut self, kind: EncodeErrorKind, what: &'static str) {
        self.keep(Err(EncodeError::new(kind, what, self.version)));
    }
}
