//! The run in librdkafka's words. What is not said stays its default.

use bench_contract::{Acks, Run};
use rdkafka::config::ClientConfig;
use rdkafka::message::{Header, OwnedHeaders};

/// How many records its queue holds by default.
const QUEUE: usize = 100_000;

pub(crate) fn config(run: &Run) -> ClientConfig {
    let mut config = ClientConfig::new();
    config
        .set("bootstrap.servers", &run.bootstrap)
        .set(
            "acks",
            if run.acks == Acks::All {
                "all".to_owned()
            } else {
                run.acks.to_string()
            },
        )
        .set("enable.idempotence", run.idempotence.to_string())
        .set("compression.codec", run.codec.to_string())
        .set("message.timeout.ms", "120000");
    if let Some(bytes) = run.batch_bytes {
        config.set("batch.size", bytes.to_string());
    }
    if let Some(millis) = run.linger_ms {
        config.set("linger.ms", millis.to_string());
    }
    if let Some(requests) = run.in_flight {
        config.set(
            "max.in.flight.requests.per.connection",
            requests.to_string(),
        );
    }
    if let Some(bytes) = run.buffer_bytes {
        config.set("queue.buffering.max.kbytes", (bytes / 1024).to_string());
    }
    // Its own limit of records must not be a smaller one.
    if run.window > QUEUE {
        config.set("queue.buffering.max.messages", run.window.to_string());
    }
    config
}

/// The headers of a record, made for it, as the library takes them away.
#[inline]
pub(crate) fn headers(run: &Run) -> Option<OwnedHeaders> {
    let (count, all) = (run.headers().len(), run.headers().iter());
    (count > 0).then(|| {
        all.fold(OwnedHeaders::new_with_capacity(count), |headers, header| {
            headers.insert(Header {
                key: header.name,
                value: Some(header.value),
            })
        })
    })
}
