//! downpour as a peer. Modes: `handles`, `forget`, `many`, `each` and `idle` through the blocking
//! facade, `handles-tokio`, `each-tokio` and `tasks` on tokio.

mod blocking;
mod settings;
mod tokio_tasks;

use std::error::Error;

use bench_contract::{About, IDLE};
use bench_tasks::Sender;

fn main() -> Result<(), Box<dyn Error>> {
    bench_contract::measure(|run| {
        let about = About {
            peer: "downpour",
            version: env!("CARGO_PKG_VERSION").to_owned(),
        };
        let producer = settings::builder(run)?.build()?;
        let send: Sender = match run.mode.as_str() {
            "handles" | IDLE => Box::new(blocking::handles(producer, run)?),
            "forget" => Box::new(blocking::forget(producer, run)?),
            "many" => Box::new(blocking::many(producer, run)?),
            "each" => Box::new(blocking::each(producer, run)?),
            "handles-tokio" => tokio_tasks::sender(producer, run, "handles")?,
            "each-tokio" => tokio_tasks::sender(producer, run, "each")?,
            "tasks" => tokio_tasks::sender(producer, run, "tasks")?,
            other => return Err(format!("no mode `{other}`").into()),
        };
        Ok((about, send))
    })
}
