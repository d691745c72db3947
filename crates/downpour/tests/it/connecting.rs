//! Brokers that cannot be reached, and what a send that waits for them says.

use std::error::Error;
#[cfg(unix)]
use std::fmt;
use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
#[cfg(unix)]
use std::sync::Arc;
#[cfg(unix)]
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use downpour::{
    ConnectError, ConnectErrorKind, ErrorKind, ProduceError, Producer, ProducerBuilder, Record,
};

use crate::setup::{builder, quick, small_cluster};

/// What a send ends with that nobody can be found for.
fn send(builder: ProducerBuilder) -> ProduceError {
    let producer = quick(builder).max_block(Duration::from_millis(300));
    let producer = producer.build().unwrap().blocking();
    // The first attempts may take longer than a record waits: a panic prints where it came from.
    let mut errors = (0..100).map(|_| producer.produce_sync(Record::to("events")).unwrap_err());
    let error = errors.find(|error| !error.unreachable().is_empty());
    assert!(producer.close_within(Duration::from_millis(10)).is_empty());
    error.expect("an address that cannot be reached")
}

/// The only address that could not be reached.
fn unreachable(error: &ProduceError) -> &ConnectError {
    let [only] = error.unreachable() else {
        panic!("{error:?}")
    };
    only
}

/// A server that does this with each connection, after it has read something.
fn server(serve: impl Fn(TcpStream) + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().take(100).flatten() {
            let _ = stream.read(&mut [0; 1024]);
            serve(stream);
        }
    });
    address
}

#[test]
fn the_operating_system_s_error_is_at_the_end_of_the_chain() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let closed = listener.local_addr().unwrap();
    drop(listener);
    let error = send(Producer::builder(closed.to_string()));
    let first = unreachable(&error);
    assert_eq!(first.kind(), ConnectErrorKind::Refused);
    assert_eq!(first.address().port, closed.port());
    let text = first.to_string();
    assert!(
        text.starts_with(&format!("no connection to {closed}: ")),
        "{text}"
    );
    for error in [&error as &dyn Error, first] {
        let source = error.source().expect("what the system said");
        let source = source.downcast_ref::<io::Error>().unwrap();
        assert_eq!(source.kind(), io::ErrorKind::ConnectionRefused);
    }
    assert_eq!(error.kind(), ErrorKind::Unreachable);
    assert!(error.is_timeout() && error.is_retriable());
}

#[test]
fn a_record_whose_leader_is_gone_says_where_it_was_looked_for() {
    let cluster = small_cluster();
    let producer = builder(&cluster)
        .linger_adaptive(Duration::from_millis(1))
        .request_timeout(Duration::from_millis(100))
        .delivery_timeout(Duration::from_millis(250))
        .build()
        .unwrap()
        .blocking();
    let good = Record::to("events").value("v");
    producer.produce_sync(good).unwrap();
    cluster.kill(1);
    let late = Record::to("events").value("w");
    let handle = producer.produce_async(late).unwrap();
    let error = handle.wait().unwrap_err();
    let [reached] = error.unreachable() else {
        panic!("{error:?}")
    };
    assert_eq!(error.kind(), ErrorKind::Unreachable);
    assert!(error.is_timeout());
    assert_eq!(reached.kind(), ConnectErrorKind::Refused, "{error}");
    assert_eq!(reached.address().to_string(), cluster.bootstrap_servers());
    assert!(error.to_string().contains(&reached.to_string()), "{error}");
    assert!(error.source().is_some_and(<dyn Error>::is::<io::Error>));
}

#[test]
fn a_name_that_cannot_be_resolved_is_told_apart() {
    // No resolver is asked for a name that is none.
    let error = send(Producer::builder("a..b:9092"));
    let error = unreachable(&error);
    assert_eq!(error.kind(), ConnectErrorKind::Resolve, "{error}");
    assert!(error.source().is_some_and(<dyn Error>::is::<io::Error>));
}

#[test]
fn a_server_that_speaks_no_kafka_and_one_that_hangs_up_are_told_apart() {
    let http = server(|mut stream| {
        let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n");
    });
    // As Kafka's own TLS listener answers what is no TLS.
    let alert = server(|mut stream| {
        let _ = stream.write_all(&[0x15, 3, 3, 0, 2, 2, 80]);
    });
    let hangs_up = server(drop);
    let ssh = server(|mut stream| {
        let _ = stream.write_all(b"SSH-2.0-OpenSSH_9.6\r\n");
    });
    let noise = server(|mut stream| {
        let _ = stream.write_all(&[0xff; 100]);
    });
    for (address, kind, told) in [
        (http, ConnectErrorKind::Protocol, "the port answers HTTP"),
        (alert, ConnectErrorKind::Protocol, "the port answers TLS"),
        (ssh, ConnectErrorKind::Protocol, "the port answers SSH"),
        (noise, ConnectErrorKind::Protocol, "a port without TLS?"),
        (hangs_up, ConnectErrorKind::Closed, "that expects TLS"),
    ] {
        // Whatever length the first bytes would be.
        let error = send(Producer::builder(&*address).response_max(1 << 30));
        let error = unreachable(&error);
        assert_eq!(error.kind(), kind, "{error}");
        assert_eq!(error.address().to_string(), address);
        assert!(error.reason().starts_with("connected, but "), "{error}");
        assert!(error.reason().contains(told), "{error}");
    }
}

/// An error of the user's own that notes when it is dropped.
#[cfg(unix)]
#[derive(Debug)]
struct Own(Arc<AtomicBool>);

#[cfg(unix)]
impl fmt::Display for Own {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no tunnel")
    }
}

#[cfg(unix)]
impl Error for Own {}

#[cfg(unix)]
impl Drop for Own {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

#[cfg(unix)]
#[test]
fn of_a_connector_s_error_words_and_kind_are_kept_and_nothing_that_is_the_user_s() {
    let dropped = Arc::new(AtomicBool::new(false));
    let own = dropped.clone();
    let error = send(Producer::builder("tunnel:1").connector(move |_, _| {
        let own = Own(own.clone());
        Err(io::Error::new(io::ErrorKind::PermissionDenied, own))
    }));
    assert!(dropped.load(Ordering::SeqCst));
    let error = unreachable(&error);
    assert_eq!(error.kind(), ConnectErrorKind::Connector);
    assert_eq!(error.reason(), "no tunnel");
    let source = error.source().unwrap().downcast_ref::<io::Error>().unwrap();
    assert_eq!(source.kind(), io::ErrorKind::PermissionDenied);
    assert!(!source.get_ref().unwrap().is::<Own>());
}

#[cfg(unix)]
#[test]
fn a_connector_that_panics_is_a_failure_of_the_connector() {
    let error = send(Producer::builder("tunnel:1").connector(|_, _| panic!("on purpose")));
    let error = unreachable(&error);
    assert_eq!(error.kind(), ConnectErrorKind::Connector);
    assert_eq!(error.reason(), "the connector panicked");
}
