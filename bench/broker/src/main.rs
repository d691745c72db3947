//! The null broker as a process: `--port`, `--partitions` and the two delays, then a line of
//! commands at a time on standard input, each answered by a line of JSON. It ends with its input.
//! What a command does is in `commands`.

mod batch;
mod commands;
mod connection;
mod control_plane;
mod cursor;
mod delays;
mod ledger;
mod outbox;
mod produce;
mod refusal;
mod sequences;
mod shared;
mod statistics;

use std::error::Error;
use std::io::{BufRead as _, Write as _};
use std::net::TcpListener;
use std::sync::Arc;
use std::thread;

use bench_contract::Arguments;
use serde_json::json;
use shared::Shared;

fn main() -> Result<(), Box<dyn Error>> {
    let mut given = Arguments::of_process()?;
    let port: u16 = given.or("port", 0)?;
    let partitions = given.or("partitions", 6)?;
    let network: u64 = given.or("network-delay-ms", 0)?;
    let service: u64 = given.or("service-delay-ms", 0)?;
    given.finish()?;
    let listener = TcpListener::bind(("127.0.0.1", port))?;
    let port = listener.local_addr()?.port();
    let shared = Arc::new(Shared::new(port, partitions));
    shared.delays.set(network * 1000, service * 1000);
    let listening = shared.clone();
    thread::Builder::new()
        .name("accept".into())
        .spawn(move || connection::accept(&listener, &listening))?;
    let mut out = std::io::stdout().lock();
    writeln!(out, "{}", json!({ "port": port }))?;
    out.flush()?;
    for line in std::io::stdin().lock().lines() {
        writeln!(out, "{}", commands::obey(&shared, &line?))?;
        out.flush()?;
    }
    Ok(())
}
