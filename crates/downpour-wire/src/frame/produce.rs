//! The Produce request as a gather list. The same request as an owned struct is in `messages`.

use std::sync::Arc;

use super::gather::Frame;
use crate::batch::{Body, HEADER_LEN};
use crate::error::{EncodeError, EncodeErrorKind};
use crate::header::{patch_length, put_request_header};
use crate::messages::ApiKey;
use crate::primitives::{
    Uuid, put_array_len, put_compact_array_len, put_compact_nullable_string, put_compact_string,
    put_empty_tagged_fields, put_i16, put_i32, put_nullable_string, put_string, put_uuid,
    put_uvarint,
};

/// Builds a Produce request without copying its batch bodies.
///
/// The counts are said in advance: after [`ProduceFrame::new`] as many topics must follow as it
/// was told, and after each [`ProduceFrame::topic`] as many partitions. An error along the way is
/// kept and returned by [`ProduceFrame::finish`].
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
        let mut this = Self {
            small: Vec::with_capacity(128 + topic_count.min(1024) * 160),
            pushed: 0,
            frame: Frame::default(),
            version,
            flexible: ApiKey::Produce.is_flexible(version),
            topics_left: topic_count,
            partitions_left: 0,
            topic_open: false,
            error: None,
        };
        let (min, max) = ApiKey::Produce.versions();
        if version < min || version > max {
            this.fail(EncodeErrorKind::UnsupportedVersion, "ProduceRequest");
        }
        put_i32(&mut this.small, 0);
        let key = (ApiKey::Produce as i16, version);
        let client_id = Some(client_id);
        let put = put_request_header(
            &mut this.small,
            key,
            correlation_id,
            client_id,
            this.flexible,
        );
        this.keep(put, "client id");
        let put = if this.flexible {
            put_compact_nullable_string
        } else {
            put_nullable_string
        };
        let put = put(&mut this.small, transactional_id);
        this.keep(put, "transactional id");
        put_i16(&mut this.small, acks);
        put_i32(&mut this.small, timeout_ms);
        this.array_len(topic_count);
        this
    }

    /// Begins a topic of `partition_count` partitions. Versions up to 12 say its name, version 13
    /// its id.
    #[must_use]
    pub fn topic(mut self, name: &str, topic_id: Uuid, partition_count: usize) -> Self {
        self.end_topic();
        match self.topics_left.checked_sub(1) {
            Some(left) => self.topics_left = left,
            None => self.fail(EncodeErrorKind::WrongCount, "topics"),
        }
        if self.version >= 13 {
            put_uuid(&mut self.small, topic_id);
        } else {
            let put = if self.flexible {
                put_compact_string
            } else {
                put_string
            };
            let put = put(&mut self.small, name);
            self.keep(put, "topic name");
        }
        self.array_len(partition_count);
        self.partitions_left = partition_count;
        self.topic_open = true;
        self
    }

    /// Adds a partition's batch: its header as stamped for this attempt, and its shared body.
    #[must_use]
    pub fn partition(mut self, index: i32, header: [u8; HEADER_LEN], body: Arc<Body>) -> Self {
        match self.partitions_left.checked_sub(1) {
            Some(left) => self.partitions_left = left,
            None => self.fail(EncodeErrorKind::WrongCount, "partitions"),
        }
        put_i32(&mut self.small, index);
        // Below i32::MAX, so that the compact form, which adds one, fits as well.
        match i32::try_from(HEADER_LEN + body.len()) {
            Ok(len) if len < i32::MAX => {
                if self.flexible {
                    put_uvarint(&mut self.small, len as u32 + 1);
                } else {
                    put_i32(&mut self.small, len);
                }
            }
            _ => self.fail(EncodeErrorKind::TooLong, "records"),
        }
        self.small.extend_from_slice(&header);
        self.frame.push_small(self.pushed..self.small.len());
        self.pushed = self.small.len();
        self.frame.push_body(body);
        self.end_struct();
        self
    }

    /// Ends the request.
    ///
    /// # Errors
    /// The first thing that went wrong: an unsupported version, a string too long, or fewer or
    /// more topics or partitions than were said.
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
        if self.flexible {
            put_empty_tagged_fields(&mut self.small);
        }
    }

    fn array_len(&mut self, len: usize) {
        let put = if self.flexible {
            put_compact_array_len
        } else {
            put_array_len
        };
        let put = put(&mut self.small, Some(len));
        self.keep(put, "an array");
    }

    fn keep(&mut self, result: Result<(), EncodeError>, what: &'static str) {
        if let Err(error) = result {
            self.fail(error.kind, what);
        }
    }

    fn fail(&mut self, kind: EncodeErrorKind, what: &'static str) {
        self.error
            .get_or_insert_with(|| EncodeError::new(kind, what, self.version));
    }
}
