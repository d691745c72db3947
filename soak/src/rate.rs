//! Records at one rate for as long as is wanted: memory and latency must not grow.

use std::sync::mpsc::{Receiver, TryRecvError, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow};
use downpour::{Delivery, ProducerBuilder};

use crate::meter::Held;
use crate::server::Server;

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// For how long.
    #[arg(long, default_value_t = 60.0)]
    minutes: f64,
    /// Records per second.
    #[arg(long, default_value_t = 50_000)]
    rate: u64,
    /// Bytes of each.
    #[arg(long, default_value_t = 100)]
    bytes: usize,
    /// Partitions.
    #[arg(long, default_value_t = 6)]
    partitions: u32,
    /// Rows of the table.
    #[arg(long, default_value_t = 10)]
    rows: u32,
}

/// Records that are given to the producer at once, between two looks at the clock.
const TICK: Duration = Duration::from_millis(1);

/// Handles that wait to be looked at; what comes beyond is not measured.
const SAMPLES_MAX: usize = 4096;

/// Whether memory at the end is not more than 8 MiB above that of the second row.
pub(crate) fn run(arguments: &Arguments) -> Result<bool> {
    let partitions = arguments.partitions.to_string();
    let mut server = Server::start(&["--partitions", &partitions])?;
    let before = Held::now()?;
    let builder = ProducerBuilder::new().bootstrap(server.address());
    let producer = builder.build()?.blocking();
    let topic = producer.topic("topic-0")?;
    let value = vec![b'v'; arguments.bytes];
    let total = Duration::from_secs_f64(arguments.minutes * 60.0);
    println!(
        "{} records per second of {} bytes to {partitions} partitions for {total:?}",
        arguments.rate, arguments.bytes
    );
    println!(
        " minutes  records/s   p50 ms   p99 ms   max ms  {}",
        Held::HEAD
    );
    let (sampling, samples) = sync_channel(SAMPLES_MAX);
    let (telling, told) = sync_channel(1);
    let waiter = thread::spawn(move || wait(&samples, &told));
    let begun = Instant::now();
    let (mut sent, mut shown, mut skipped) = (0_u64, 0_u64, 0_u64);
    let mut resident = Vec::new();
    for row in 1..=arguments.rows {
        let until = total * row / arguments.rows;
        let row_begun = begun.elapsed();
        loop {
            let now = begun.elapsed();
            if now >= until {
                break;
            }
            let due = (now.as_secs_f64() * arguments.rate as f64) as u64;
            let mut first = due > sent;
            while sent < due {
                let at = Instant::now();
                let handle = topic.produce_async(&value[..])?;
                sent += 1;
                // One of each tick.
                if std::mem::take(&mut first) && sampling.try_send((at, handle)).is_err() {
                    skipped += 1;
                }
            }
            thread::sleep(TICK);
        }
        let (answer, latencies) = sync_channel(1);
        telling.send(answer)?;
        let mut latencies: Vec<Duration> = latencies.recv().context("the waiter is gone")?;
        latencies.sort_unstable();
        let at = |part: usize| {
            let at = (latencies.len() * part / 1000).min(latencies.len().saturating_sub(1));
            latencies.get(at).map_or(0.0, |l| l.as_secs_f64() * 1e3)
        };
        let held = Held::now()?;
        resident.push(held.resident);
        let seconds = (begun.elapsed() - row_begun).as_secs_f64();
        println!(
            "{:>8.1}  {:>9.0}  {:>7.2}  {:>7.2}  {:>7.2}  {held}",
            begun.elapsed().as_secs_f64() / 60.0,
            (sent - shown) as f64 / seconds,
            at(500),
            at(990),
            at(1000),
        );
        shown = sent;
    }
    drop((sampling, telling));
    producer.flush();
    let failed = waiter.join().map_err(|_| anyhow!("the waiter panicked"))?;
    server.counts()?;
    let statistics = producer.statistics();
    println!(
        "{sent} records: {} delivered, {} failed, {} unknown; {skipped} samples skipped, {failed} failed",
        statistics.total.delivered, statistics.total.failed, statistics.total.unknown
    );
    producer.close();
    println!("closed: {}", Held::settled(before)?);
    let last = resident.last().copied().unwrap_or(0);
    let second = resident.get(1).copied().unwrap_or(last);
    Ok(last <= second + 8192 && statistics.total.delivered == sent)
}

type Sample = (Instant, Delivery);
type Asked = std::sync::mpsc::SyncSender<Vec<Duration>>;

/// Waits for one handle after the other and answers who asks with how long they took; how many
/// failed.
fn wait(samples: &Receiver<Sample>, asked: &Receiver<Asked>) -> u64 {
    let (mut latencies, mut failed) = (Vec::new(), 0);
    loop {
        match asked.try_recv() {
            Ok(answer) => {
                // Whoever asked and went needs none.
                let _ = answer.send(std::mem::take(&mut latencies));
            }
            Err(TryRecvError::Empty | TryRecvError::Disconnected) => {}
        }
        let sample = samples.recv_timeout(Duration::from_millis(10));
        match sample {
            Ok((at, handle)) => {
                failed += u64::from(handle.wait().is_err());
                latencies.push(at.elapsed());
            }
            Err(std::sync::mpsc::RecvTimeoutError::Timeout) => {}
            Err(std::sync::mpsc::RecvTimeoutError::Disconnected) => return failed,
        }
    }
}
