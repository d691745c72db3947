//! Facts about the errors of the three stages: kinds, texts, causes, sizes.

use std::collections::BTreeSet;
use std::error::Error;
use std::io;
use std::mem::size_of;
use std::sync::Arc;
use std::time::Duration;

use downpour_core::client::ending::DisconnectReason;
use downpour_core::outcome::{Cause, Failure, WaitingFor, Written};
use downpour_wire::error_code::ErrorCode;

use crate::delivery::delivery::Delivery;
use crate::delivery::many::{ProduceManyError, SendManyError};
use crate::delivery::report::Report;
use crate::error::delivery::DeliveryError;
use crate::error::kind::ErrorKind;
use crate::error::names::Names;
use crate::error::produce::ProduceError;
use crate::error::record::{Field, InvalidRecord};
use crate::error::send::{NotSent, SendError, SendTimeout, TopicUnavailable, WaitedFor};

/// Each kind, and whether what it says may pass.
const KINDS: [(ErrorKind, bool); 18] = [
    (ErrorKind::InvalidRecord, false),
    (ErrorKind::TooLarge, false),
    (ErrorKind::UnknownTopic, false),
    (ErrorKind::Authorization, false),
    (ErrorKind::Authentication, false),
    (ErrorKind::Unreachable, true),
    (ErrorKind::TimedOut, true),
    (ErrorKind::BufferFull, true),
    (ErrorKind::NotReady, true),
    (ErrorKind::Serialization, false),
    (ErrorKind::Fenced, false),
    (ErrorKind::Aborted, true),
    (ErrorKind::AnswerLost, true),
    (ErrorKind::Closed, false),
    (ErrorKind::Forked, false),
    (ErrorKind::InCallback, true),
    (ErrorKind::NoThread, false),
    (ErrorKind::Internal, false),
];

fn reset() -> Cause {
    let error = io::Error::from(io::ErrorKind::ConnectionReset);
    Cause::Disconnected {
        reason: DisconnectReason::Broken(Arc::new(error)),
    }
}

fn timeout(last: Option<Cause>) -> Cause {
    Cause::DeliveryTimeout {
        last: last.map(Arc::new),
        waiting_for: WaitingFor::Turn,
    }
}

fn delivery(cause: Cause, written: Written) -> DeliveryError {
    let failure = Failure::new(cause, Arc::from("t"), 0);
    DeliveryError::new(Arc::new(failure), written, None)
}

fn failed(cause: Cause) -> DeliveryError {
    delivery(cause, Written::No)
}

fn waited(waited_for: WaitedFor, topic_code: Option<ErrorCode>) -> SendError {
    let timeout = SendTimeout {
        topic: Arc::from("t"),
        waited: Duration::from_millis(800),
        early: false,
        waited_for,
        topic_code,
        unreachable: Vec::new(),
        no_answer: None,
        memory: Vec::new(),
        needed: 64 << 10,
        record_share: 0,
        buffer_memory: 4 << 20,
        names: Names::SETTERS,
    };
    SendError::new(NotSent::Timeout(Box::new(timeout)))
}

fn source<'a, T: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a T> {
    let mut next = error.source();
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref() {
            return Some(found);
        }
        next = error.source();
    }
    None
}

#[test]
fn each_of_kafka_s_codes_has_a_kind() {
    let named = |code| match code {
        17 | 32 | 87 => Some(ErrorKind::InvalidRecord),
        10 | 18 => Some(ErrorKind::TooLarge),
        3 | 100 => Some(ErrorKind::UnknownTopic),
        29 | 30 | 31 | 53 => Some(ErrorKind::Authorization),
        33 | 34 | 58 => Some(ErrorKind::Authentication),
        47 | 90 => Some(ErrorKind::Fenced),
        _ => None,
    };
    for &code in ErrorCode::ALL.iter().chain(&[ErrorCode(999)]) {
        let kind = named(code.0).unwrap_or(ErrorKind::Broker(code));
        for cause in [
            Cause::broker(code),
            timeout(Some(Cause::broker(code))),
            Cause::NoIdentity {
                code: Some(code),
                reason: Arc::from("why"),
            },
        ] {
            let error = failed(cause);
            assert_eq!((error.kind(), error.code()), (kind, Some(code)));
            assert_eq!(error.is_too_large(), kind == ErrorKind::TooLarge);
        }
        let topic = Arc::from("t");
        let error = SendError::new(NotSent::TopicUnavailable(Box::new(TopicUnavailable {
            topic,
            code,
            missing_for: None,
        })));
        assert_eq!((error.kind(), error.code()), (kind, Some(code)));
        let error = waited(WaitedFor::Metadata, Some(code));
        assert_eq!((error.kind(), error.code()), (kind, Some(code)));
    }
}

#[test]
fn each_kind_says_whether_it_passes_and_has_its_own_words() {
    let mut words = BTreeSet::new();
    for (kind, passes) in KINDS {
        assert_eq!(kind.may_pass(), passes, "{kind}");
        assert!(words.insert(kind.to_string()), "{kind} twice");
    }
    for (code, passes) in [(2, true), (6, true), (19, true), (45, true), (59, true)]
        .into_iter()
        .chain([(0, false), (35, false), (44, false), (999, false)])
    {
        let kind = ErrorKind::Broker(ErrorCode(code));
        assert_eq!(kind.may_pass(), passes, "{kind}");
    }
    let kind = ErrorKind::Broker(ErrorCode::NOT_ENOUGH_REPLICAS);
    assert_eq!(kind.to_string(), "NOT_ENOUGH_REPLICAS (19)");
    assert_eq!(ErrorKind::TimedOut.to_string(), "timed out");
}

#[test]
fn each_cause_of_a_lost_record_has_a_kind() {
    let lost = || Some(Arc::new(reset()));
    let reason = || Arc::from("why");
    let no_identity = || Cause::NoIdentity {
        code: None,
        reason: reason(),
    };
    for (cause, kind) in [
        (Cause::SiblingRefused, ErrorKind::Aborted),
        (Cause::PartitionGone, ErrorKind::Aborted),
        (Cause::DataLost { acknowledged: 7 }, ErrorKind::DataLoss),
        (reset(), ErrorKind::AnswerLost),
        (no_identity(), ErrorKind::AnswerLost),
        (timeout(Some(no_identity())), ErrorKind::TimedOut),
        (
            Cause::Unanswered { reason: reason() },
            ErrorKind::AnswerLost,
        ),
        (timeout(None), ErrorKind::TimedOut),
        (timeout(Some(reset())), ErrorKind::TimedOut),
        (Cause::EpochLost { last: None }, ErrorKind::Aborted),
        (Cause::EpochLost { last: lost() }, ErrorKind::AnswerLost),
        (Cause::TooOldToRetry { last: lost() }, ErrorKind::AnswerLost),
        (Cause::Closed { last: lost() }, ErrorKind::Closed),
        (Cause::InCallback, ErrorKind::InCallback),
        (Cause::Forked, ErrorKind::Forked),
        (Cause::Internal { reason: reason() }, ErrorKind::Internal),
    ] {
        assert_eq!(failed(cause.clone()).kind(), kind, "{cause}");
        let is_timeout = matches!(cause, Cause::DeliveryTimeout { .. });
        assert_eq!(failed(cause.clone()).is_timeout(), is_timeout, "{cause}");
        assert_eq!(failed(cause).is_retriable(), kind.may_pass());
    }
}

#[test]
fn what_may_be_in_the_log_is_not_sent_again() {
    for (cause, passes) in [
        (timeout(None), true),
        (Cause::SiblingRefused, true),
        (Cause::broker(ErrorCode::NOT_ENOUGH_REPLICAS), true),
        (Cause::broker(ErrorCode::INVALID_RECORD), false),
        (Cause::Closed { last: None }, false),
    ] {
        let [known, unknown] =
            [Written::No, Written::Unknown].map(|written| delivery(cause.clone(), written));
        assert_eq!(known.is_retriable(), passes, "{cause}");
        assert!(
            !unknown.is_retriable(),
            "it could be written twice: {cause}"
        );
    }
}

#[test]
fn each_refusal_has_a_kind() {
    let invalid = |field| SendError::invalid(InvalidRecord::new(field, "is odd", "mend it"));
    let refused = SendError::new;
    let no_thread = || NotSent::NoThread(Arc::new(io::ErrorKind::WouldBlock.into()));
    let metadata = NotSent::NoMetadata;
    for (error, kind) in [
        (invalid(Field::Topic), ErrorKind::InvalidRecord),
        (invalid(Field::Key), ErrorKind::InvalidRecord),
        (invalid(Field::Value), ErrorKind::TooLarge),
        (invalid(Field::Headers), ErrorKind::TooLarge),
        (invalid(Field::Record), ErrorKind::TooLarge),
        (waited(WaitedFor::Metadata, None), ErrorKind::TimedOut),
        (waited(WaitedFor::Memory, None), ErrorKind::BufferFull),
        (
            waited(
                WaitedFor::Memory,
                Some(ErrorCode::UNKNOWN_TOPIC_OR_PARTITION),
            ),
            ErrorKind::BufferFull,
        ),
        (refused(metadata), ErrorKind::NotReady),
        (
            refused(NotSent::BufferFull(&"buffer.memory")),
            ErrorKind::BufferFull,
        ),
        (refused(NotSent::Closed), ErrorKind::Closed),
        (refused(NotSent::InCallback), ErrorKind::InCallback),
        (refused(NotSent::Forked), ErrorKind::Forked),
        (refused(no_thread()), ErrorKind::NoThread),
    ] {
        assert_eq!(error.kind(), kind, "{error}");
        assert_eq!(error.is_retriable(), kind.may_pass(), "{error}");
        assert_eq!(error.is_too_large(), kind == ErrorKind::TooLarge);
        assert_eq!(error.written(), Written::No);
    }
}

#[test]
fn what_the_system_said_is_in_the_chain() {
    for cause in [
        reset(),
        timeout(Some(reset())),
        Cause::EpochLost {
            last: Some(Arc::new(reset())),
        },
    ] {
        let error = delivery(cause, Written::Unknown);
        let said: &io::Error = source(&error).unwrap();
        assert_eq!(said.kind(), io::ErrorKind::ConnectionReset);
        let error = ProduceError::from(error);
        assert!(source::<io::Error>(&error).is_some());
    }
    let started = Arc::new(io::Error::from(io::ErrorKind::WouldBlock));
    let error = SendError::new(NotSent::NoThread(started.clone()));
    let said: &io::Error = source(&error).unwrap();
    assert!(std::ptr::eq(said, &*started));
    assert!(error.to_string().ends_with(&started.to_string()), "{error}");
    assert!(source::<io::Error>(&ProduceError::from(error)).is_some());
}

#[test]
fn either_stage_becomes_what_a_verb_that_waits_says() {
    let sent = || waited(WaitedFor::Metadata, Some(ErrorCode::LEADER_NOT_AVAILABLE));
    let error = ProduceError::from(sent());
    assert!(error.send_error().is_some() && error.delivery_error().is_none());
    assert_eq!(error.to_string(), sent().to_string());
    assert_eq!(error.kind(), sent().kind());
    assert_eq!(error.code(), Some(ErrorCode::LEADER_NOT_AVAILABLE));
    assert_eq!((error.topic(), error.written()), (Some("t"), Written::No));
    assert!(error.is_timeout() && error.is_retriable());

    let lost = || delivery(Cause::broker(ErrorCode::MESSAGE_TOO_LARGE), Written::No);
    let error = ProduceError::from(lost());
    assert!(error.send_error().is_none() && error.delivery_error().is_some());
    assert_eq!(error.to_string(), lost().to_string());
    assert_eq!(error.kind(), ErrorKind::TooLarge);
    assert_eq!((error.topic(), error.written()), (Some("t"), Written::No));
    assert!(error.is_too_large() && !error.is_timeout() && !error.is_retriable());
}

#[test]
fn what_a_program_ends_with_reads_well() {
    let sent = SendError::new(NotSent::Closed);
    assert_eq!(
        format!("{sent:?}"),
        "SendError { kind: Closed, written: No }: the producer is closed"
    );
    let lost = delivery(timeout(None), Written::Unknown);
    let text = "maybe written: delivery timeout while waiting for its turn (topic t, partition 0, \
                attempts 0, age 0 s)";
    assert_eq!(lost.to_string(), text);
    let said = format!("{{ kind: TimedOut, written: Unknown }}: {text}");
    assert_eq!(format!("{lost:?}"), format!("DeliveryError {said}"));
    let both = ProduceError::from(lost);
    assert_eq!(format!("{both:?}"), format!("ProduceError {said}"));
    let code = Cause::broker(ErrorCode::POLICY_VIOLATION);
    let kind = "kind: Broker(POLICY_VIOLATION (44)), written: No";
    assert!(format!("{:?}", failed(code)).contains(kind));
}

#[test]
fn errors_are_small() {
    assert!(size_of::<SendError>() <= 16);
    assert!(size_of::<DeliveryError>() <= 32);
    assert!(size_of::<ProduceError>() <= 32);
    // What a verb answers is no larger for what can go wrong.
    assert_eq!(
        size_of::<Result<Delivery, SendError>>(),
        size_of::<Delivery>()
    );
    assert_eq!(
        size_of::<Result<Report, DeliveryError>>(),
        size_of::<Report>()
    );
    assert_eq!(
        size_of::<Result<Report, ProduceError>>(),
        size_of::<Report>()
    );
    assert_eq!(size_of::<SendManyError>(), size_of::<usize>());
    assert_eq!(size_of::<ProduceManyError>(), size_of::<usize>());
}
