//! librdkafka's producers as a peer. Modes: `base` (the caller polls), `threaded` (a thread polls),
//! `idle` (the same), and with futures `future` (a window, awaited in order), `each` and `tasks`.

mod callback;
mod future;
mod settings;

use std::error::Error;

use bench_contract::{About, IDLE};
use bench_tasks::Sender;

fn main() -> Result<(), Box<dyn Error>> {
    bench_contract::measure(|run| {
        let (_, librdkafka) = rdkafka::util::get_rdkafka_version();
        let about = About {
            peer: "rdkafka",
            version: format!("0.39, librdkafka {librdkafka}"),
        };
        let config = settings::config(run);
        let send: Sender = match run.mode.as_str() {
            "base" => Box::new(callback::base(&config, run)?),
            "threaded" | IDLE => Box::new(callback::threaded(&config, run)?),
            "future" => future::sender(&config, run, "handles")?,
            other => future::sender(&config, run, other)?,
        };
        Ok((about, send))
    })
}
