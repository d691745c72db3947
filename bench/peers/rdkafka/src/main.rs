//! librdkafka's producers as a peer. Modes: `base`, `threaded`, `future`.

mod callback;
mod future;
mod settings;

use std::error::Error;

use bench_contract::{About, Payloads, Tally};

type Send = Box<dyn FnMut(&mut Payloads, u64) -> Tally>;

fn main() -> Result<(), Box<dyn Error>> {
    bench_contract::measure(|run| {
        let (_, librdkafka) = rdkafka::util::get_rdkafka_version();
        let about = About {
            peer: "rdkafka",
            version: format!("0.39, librdkafka {librdkafka}"),
        };
        let config = settings::config(run);
        let send: Send = match run.mode.as_str() {
            "base" => Box::new(callback::base(&config, run)?),
            "threaded" => Box::new(callback::threaded(&config, run)?),
            "future" => Box::new(future::future(&config, run)?),
            other => return Err(format!("no mode `{other}`").into()),
        };
        Ok((about, send))
    })
}
