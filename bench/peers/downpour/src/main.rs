//! downpour as a peer. Modes: `handles`, `forget`, `many` and `each` through the blocking facade,
//! `handles-tokio` and `each-tokio` on a runtime of two workers.

mod blocking;
mod settings;
mod tokio_tasks;

use std::error::Error;

use bench_contract::{About, Payloads, Tally};

type Send = Box<dyn FnMut(&mut Payloads, u64) -> Tally>;

fn main() -> Result<(), Box<dyn Error>> {
    bench_contract::measure(|run| {
        let about = About {
            peer: "downpour",
            version: env!("CARGO_PKG_VERSION").to_owned(),
        };
        let producer = settings::builder(run)?.build()?;
        let send: Send = match run.mode.as_str() {
            "handles" => Box::new(blocking::handles(producer, run)?),
            "forget" => Box::new(blocking::forget(producer, run)?),
            "many" => Box::new(blocking::many(producer, run)?),
            "each" => Box::new(blocking::each(producer, run)?),
            "handles-tokio" => Box::new(tokio_tasks::handles(producer, run)?),
            "each-tokio" => Box::new(tokio_tasks::each(producer, run)?),
            other => return Err(format!("no mode `{other}`").into()),
        };
        Ok((about, send))
    })
}
