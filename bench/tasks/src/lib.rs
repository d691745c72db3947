//! The modes of peers whose sends are awaited on tokio, on a runtime of two workers: `handles` (a
//! window that is awaited in order), `each` (one record at a time) and `tasks` (as many tasks as
//! the window, each with one record). Which producer it is, is not known here.

use std::error::Error;
use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use bench_contract::{Pace, Payloads, Run, Tally};
use tokio::runtime::{Builder, Runtime};

/// Tasks share so many values, as they cannot share who hands them out.
const VALUES: usize = 1024;

/// A producer.
pub trait Producer: Send + Sync + 'static {
    /// What went wrong.
    type Error: fmt::Display + Send;

    /// What an acknowledgement says; it is dropped.
    type Receipt: Send;

    /// What is awaited for a record's acknowledgement.
    type Handle: Future<Output = Result<Self::Receipt, Self::Error>> + Send;

    /// Hands a record over. Its number is counted from zero in each stretch.
    fn send(
        &self,
        value: Vec<u8>,
        number: u64,
    ) -> impl Future<Output = Result<Self::Handle, Self::Error>> + Send;
}

/// What a peer gives to be measured.
pub type Sender = Box<dyn FnMut(&mut Payloads, u64) -> Tally>;

/// The runtime that all such peers have.
///
/// # Errors
/// If its threads cannot be made.
pub fn runtime() -> std::io::Result<Runtime> {
    Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
}

/// The mode that the run names.
///
/// # Errors
/// If there is no such mode.
pub fn sender<P: Producer>(
    runtime: Runtime,
    producer: P,
    run: &Run,
) -> Result<Sender, Box<dyn Error>> {
    let producer = Arc::new(producer);
    let window = run.window;
    Ok(match run.mode.as_str() {
        "handles" => Box::new(move |payloads, records| {
            runtime.block_on(handles(&*producer, window, payloads, records))
        }),
        "each" => {
            Box::new(move |payloads, records| runtime.block_on(each(&*producer, payloads, records)))
        }
        "tasks" => Box::new(move |payloads, records| {
            runtime.block_on(tasks(&producer, window, payloads, records))
        }),
        other => return Err(format!("no mode `{other}`").into()),
    })
}

async fn handles<P: Producer>(
    producer: &P,
    window: usize,
    payloads: &mut Payloads,
    records: u64,
) -> Tally {
    let mut tally = Tally::default();
    let mut pace = Pace::new(window);
    for number in 0..records {
        match producer.send(payloads.owned(), number).await {
            Ok(handle) => {
                if let Some(oldest) = pace.push(handle) {
                    judge(oldest.await, &mut tally);
                }
            }
            Err(error) => tally.fail(error),
        }
    }
    while let Some(oldest) = pace.pop() {
        judge(oldest.await, &mut tally);
    }
    tally
}

async fn each<P: Producer>(producer: &P, payloads: &mut Payloads, records: u64) -> Tally {
    let mut tally = Tally::default();
    for number in 0..records {
        let began = Instant::now();
        judge(one(producer, payloads.owned(), number).await, &mut tally);
        tally.latencies.push(nanos(began));
    }
    tally
}

async fn tasks<P: Producer>(
    producer: &Arc<P>,
    tasks: usize,
    payloads: &mut Payloads,
    records: u64,
) -> Tally {
    let values: Arc<Vec<_>> = Arc::new((0..VALUES).map(|_| payloads.owned()).collect());
    let next = Arc::new(AtomicU64::new(0));
    let all: Vec<_> = (0..tasks)
        .map(|_| {
            let (producer, values, next) =
                (Arc::clone(producer), Arc::clone(&values), Arc::clone(&next));
            tokio::spawn(async move {
                let mut tally = Tally::default();
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= records {
                        return tally;
                    }
                    let began = Instant::now();
                    let value = values[number as usize % VALUES].clone();
                    judge(one(&*producer, value, number).await, &mut tally);
                    tally.latencies.push(nanos(began));
                }
            })
        })
        .collect();
    let mut whole = Tally::default();
    for task in all {
        match task.await {
            Ok(part) => {
                whole.errors += part.errors;
                whole.first_error = whole.first_error.or(part.first_error);
                whole.latencies.extend(part.latencies);
            }
            Err(error) => whole.fail(error),
        }
    }
    whole
}

async fn one<P: Producer>(
    producer: &P,
    value: Vec<u8>,
    number: u64,
) -> Result<P::Receipt, P::Error> {
    producer.send(value, number).await?.await
}

fn judge<R, E: fmt::Display>(ended: Result<R, E>, tally: &mut Tally) {
    if let Err(error) = ended {
        tally.fail(error);
    }
}

fn nanos(began: Instant) -> u64 {
    began.elapsed().as_nanos() as u64
}
