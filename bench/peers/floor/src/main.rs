//! The floor: what a producer without features costs. One connection, blocking, one batch a
//! request, no retries, no metadata beyond the first, no clock per record. Modes: `forget`,
//! `handles` (a completion slot per record, awaited in order), `pingpong` (a bare socket's round
//! trip). What it leaves out is the point; do not add to it.

mod batch;
mod codec;
mod connection;
mod flood;
mod lz4;
mod pingpong;
mod requests;
mod retire;
mod zstd;

use std::error::Error;

use bench_contract::{About, Acks, Codec, Payloads, Tally};

type Send = Box<dyn FnMut(&mut Payloads, u64) -> Tally>;

fn main() -> Result<(), Box<dyn Error>> {
    bench_contract::measure(|run| {
        if run.acks == Acks::Zero || matches!(run.codec, Codec::Gzip | Codec::Snappy) {
            return Err("the floor knows acks 1 and all, and the codecs none, lz4 and zstd".into());
        }
        if run.has_keys() || !run.headers().is_empty() {
            return Err("the floor knows neither keys nor headers".into());
        }
        run.one_thread()?;
        let about = About {
            peer: "floor",
            version: env!("CARGO_PKG_VERSION").to_owned(),
        };
        let send: Send = match run.mode.as_str() {
            "forget" => Box::new(flood::flood(run, false)?),
            "handles" => Box::new(flood::flood(run, true)?),
            "pingpong" => Box::new(pingpong::pingpong(run)?),
            other => return Err(format!("no mode `{other}`").into()),
        };
        Ok((about, send))
    })
}
