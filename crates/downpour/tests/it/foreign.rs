//! Code of the user's that runs on downpour's way out: wakers, log subscribers, labels. Whatever
//! it does, it hangs and ends nothing.

use std::cell::Cell;
use std::fmt;
use std::future::Future;
use std::pin::pin;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, Once, mpsc};
use std::task::{Context, Wake, Waker};
use std::time::Duration;

use downpour::{Delivery, ErrorCode, ErrorKind, Producer, Record, Written};
use downpour_fake::{ApiKey, FakeCluster, Fault};
use tracing::field::{Field, Visit};
use tracing::span;
use tracing::{Event, Metadata, Subscriber};

use crate::setup::{PATIENCE, builder, producer, small_cluster, until};

/// Runs something that may hang on a thread of its own, and gives up in the end.
fn in_time<T: Send + 'static>(what: &str, work: impl FnOnce() -> T + Send + 'static) -> T {
    let (done, ended) = mpsc::channel();
    std::thread::spawn(move || {
        let _ = done.send(work());
    });
    let ended = ended.recv_timeout(PATIENCE);
    ended.unwrap_or_else(|_| panic!("not in time, or it panicked: {what}"))
}

fn close_in_time(producer: &Producer) {
    let producer = producer.blocking();
    in_time("close", move || producer.close());
}

thread_local! {
    /// How many error lines of this thread are to panic.
    static ARMED: Cell<u32> = const { Cell::new(0) };
}

/// A subscriber of all tests in this process. It panics at the first line of each topic that is
/// named in `PANICS`, and at as many error lines of that thread afterwards.
struct Panicking;

static PANICS: Mutex<Vec<(&str, u32)>> = Mutex::new(Vec::new());
static CONTAINED: AtomicU32 = AtomicU32::new(0);

fn panic_at_lines_of(topic: &'static str, and_errors: u32) {
    static SET: Once = Once::new();
    SET.call_once(|| tracing::subscriber::set_global_default(Panicking).unwrap());
    PANICS.lock().unwrap().push((topic, and_errors));
}

#[derive(Default)]
struct Fields {
    topic: String,
    message: String,
}

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        match field.name() {
            "topic" => self.topic = format!("{value:?}"),
            "message" => self.message = format!("{value:?}"),
            _ => {}
        }
    }
}

impl Subscriber for Panicking {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}

    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

    fn enter(&self, _: &span::Id) {}

    fn exit(&self, _: &span::Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut fields = Fields::default();
        event.record(&mut fields);
        if *event.metadata().level() == tracing::Level::ERROR && ARMED.get() > 0 {
            ARMED.set(ARMED.get() - 1);
            panic!("on purpose, once more");
        }
        if fields.message.contains("panicked") {
            CONTAINED.fetch_add(1, Ordering::Relaxed);
        }
        let mut panics = PANICS.lock().unwrap();
        let at = panics.iter().position(|(topic, _)| *topic == fields.topic);
        if let Some(at) = at {
            let (_, and_errors) = panics.remove(at);
            drop(panics);
            ARMED.set(and_errors);
            panic!("on purpose");
        }
    }
}

fn panics_at_a_retry(topic: &'static str, and_errors: u32) {
    let cluster = FakeCluster::builder().topic(topic, 1).start().unwrap();
    panic_at_lines_of(topic, and_errors);
    let fault = Fault::error(ErrorCode::NOT_ENOUGH_REPLICAS);
    cluster.fault(fault.on(ApiKey::Produce).nth(2));
    let producer = producer(&cluster);
    for n in 0..5 {
        let producer = producer.blocking();
        let sent = in_time("a record", move || {
            producer.produce_sync(Record::to(topic).value(n.to_string()))
        });
        assert_eq!(sent.unwrap().offset(), Some(n));
    }
    let left = PANICS.lock().unwrap().iter().any(|(t, _)| *t == topic);
    assert!(!left, "it never panicked");
    close_in_time(&producer);
    cluster.assert_in_order(topic, (0..5).map(|n| n.to_string()));
}

#[test]
fn a_subscriber_that_panics_ends_nothing_and_its_panic_is_said() {
    let before = CONTAINED.load(Ordering::Relaxed);
    panics_at_a_retry("panics-once", 0);
    until("said", || CONTAINED.load(Ordering::Relaxed) > before);
}

#[test]
fn a_subscriber_that_panics_at_being_told_of_its_panic_ends_nothing() {
    panics_at_a_retry("panics-twice", 1);
}

/// A waker that does something.
struct Does<F>(F);

impl<F: Fn() + Send + Sync + 'static> Wake for Does<F> {
    fn wake(self: Arc<Self>) {
        (self.0)();
    }
}

fn polled(delivery: &mut Delivery, waker: &Waker) {
    let mut context = Context::from_waker(waker);
    assert!(pin!(delivery).poll(&mut context).is_pending());
}

/// Has `work` run in the waker of a record that the I/O thread gives its verdict.
fn in_a_waker<T: Send + 'static>(
    producer: &Producer,
    cluster: &FakeCluster,
    work: impl Fn(&Producer) -> T + Send + Sync + 'static,
) -> T {
    let blocking = producer.blocking();
    blocking
        .produce_sync(Record::to("events").value("first"))
        .unwrap();
    cluster.fault(Fault::delay(Duration::from_millis(50)).on(ApiKey::Produce));
    let record = Record::to("events").value("woken");
    let mut delivery = blocking.produce_async(record).unwrap();
    let (done, ended) = mpsc::channel();
    let done = Mutex::new(done);
    let own = producer.clone();
    let waker = Waker::from(Arc::new(Does(move || {
        let _ = done.lock().unwrap().send(work(&own));
    })));
    polled(&mut delivery, &waker);
    ended.recv_timeout(PATIENCE).expect("the waker hangs")
}

#[test]
fn a_waker_may_close_its_producer_which_then_ends_without_it() {
    let cluster = small_cluster();
    let producer = producer(&cluster);
    in_a_waker(&producer, &cluster, |producer| producer.blocking().close());
    let sent = producer.blocking().produce_async(Record::to("events"));
    assert_eq!(sent.unwrap_err().kind(), ErrorKind::Closed);
    close_in_time(&producer);
}

#[test]
fn a_deadline_to_close_is_not_waited_for_in_a_waker() {
    let cluster = small_cluster();
    let producer = producer(&cluster);
    let unfinished = in_a_waker(&producer, &cluster, |producer| {
        let deadline = Duration::from_millis(200);
        producer.blocking().close_within(deadline)
    });
    assert!(unfinished.is_empty());
    close_in_time(&producer);
}

#[test]
fn what_would_wait_in_a_waker_says_that_it_cannot() {
    let cluster = small_cluster();
    let producer = producer(&cluster);
    in_a_waker(&producer, &cluster, |producer| {
        let blocking = producer.blocking();
        let record = || Record::to("events").value("not sent");
        let sent = blocking.produce_sync(record());
        let error = sent.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InCallback);
        assert_eq!(error.written(), Written::No);
        let sent = blocking.send_many_and_wait(&[record(), record()]);
        assert!(sent.unwrap_err().to_string().contains("waker"));
        let topic = blocking.topic("unknown");
        assert_eq!(topic.unwrap_err().kind(), ErrorKind::InCallback);
        let sent = blocking.produce_async(Record::to("unknown"));
        assert_eq!(sent.unwrap_err().kind(), ErrorKind::InCallback);
        blocking.flush();
        // What need not wait works.
        let accepted = blocking.produce_async(Record::to("events").value("sent"));
        let delivery = accepted.unwrap();
        let error = delivery.wait().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InCallback);
        assert_eq!(error.written(), Written::Unknown);
        assert!(error.to_string().contains("waker"), "{error}");
        assert!(delivery.wait_timeout(PATIENCE).is_err());
        let many = blocking.send_many(&[Record::to("events").value("sent too")]);
        let many = many.unwrap();
        assert!(many.wait().is_err());
        assert!(many.wait_timeout(PATIENCE).is_err());
    });
    close_in_time(&producer);
    cluster.assert_in_order("events", ["first", "woken", "sent", "sent too"]);
}

/// Does something when it is dropped.
struct AtDrop<F: Fn()>(F);

impl<F: Fn()> Drop for AtDrop<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}

impl<F: Fn() + Send + Sync + 'static> Wake for AtDrop<F> {
    fn wake(self: Arc<Self>) {}
}

#[test]
fn a_wakers_drop_may_drop_a_pending_handle_of_the_same_batch() {
    for replaced in [false, true] {
        let cluster = small_cluster();
        let producer = builder(&cluster)
            .linger(Duration::from_secs(20))
            .build()
            .unwrap();
        let send = || {
            let record = Record::to("events").value("v");
            producer.blocking().produce_async(record).unwrap()
        };
        let (mut one, mut other) = (send(), send());
        polled(&mut other, Waker::noop());
        let other = Mutex::new(Some(other));
        let waker = Waker::from(Arc::new(AtDrop(move || drop(other.lock().unwrap().take()))));
        polled(&mut one, &waker);
        drop(waker);
        in_time("the handle is dropped", move || {
            if replaced {
                polled(&mut one, Waker::noop());
            }
            drop(one);
        });
        close_in_time(&producer);
    }
}

#[test]
fn a_labels_drop_may_panic() {
    let cluster = small_cluster();
    let producer = producer(&cluster);
    let label = Arc::new(AtDrop(|| panic!("on purpose")));
    let record = Record::to("events").value("1").label(label);
    drop(producer.blocking().produce_async(record).unwrap());
    until("arrived", || cluster.records("events", 0).len() == 1);
    let own = producer.blocking();
    let sent = in_time("the next record", move || {
        own.produce_sync(Record::to("events").value("2"))
    });
    assert_eq!(sent.unwrap().offset(), Some(1));
    close_in_time(&producer);
}

/// The batch gets its verdict while it is in flight, and goes when its connection does.
#[test]
fn a_labels_drop_may_send_to_its_own_partition() {
    let cluster = small_cluster();
    let producer = builder(&cluster)
        .linger_adaptive(Duration::from_millis(1))
        .request_timeout(Duration::from_millis(300))
        .delivery_timeout(Duration::from_millis(301))
        .retry_backoff(Duration::from_millis(150), Duration::from_millis(150))
        .build()
        .unwrap();
    let first = Record::to("events").value("1");
    producer.blocking().produce_sync(first).unwrap();
    // Its second request leaves in the middle of its time and is given up after the end of it.
    let fault = Fault::error(ErrorCode::NOT_ENOUGH_REPLICAS);
    cluster.fault(fault.on(ApiKey::Produce).nth(1));
    cluster.fault(Fault::apply_and_hang().on(ApiKey::Produce).nth(2));
    let (dropped, drops) = mpsc::channel();
    let (own, dropped) = (producer.clone(), Mutex::new(dropped));
    let label = Arc::new(AtDrop(move || {
        let sent = own.try_send(&Record::to("events").value("own"));
        let _ = dropped.lock().unwrap().send(sent.is_ok());
    }));
    let record = Record::to("events").value("2").label(label);
    drop(producer.blocking().produce_async(record).unwrap());
    assert_eq!(drops.recv_timeout(PATIENCE), Ok(true));
    close_in_time(&producer);
}
