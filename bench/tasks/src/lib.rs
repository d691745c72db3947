//! The modes of peers whose sends are awaited on tokio: `handles` (a window that is awaited in
//! order, by each of the run's threads), `each` (one record at a time) and `tasks` (as many tasks
//! as the window, each with one record). Which producer it is, is not known here.

use std::error::Error;
use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use bench_contract::{IDLE, Pace, Payloads, Run, Share, Tally};
use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinHandle;

/// A producer.
pub trait Producer: Send + Sync + 'static {
    /// What went wrong.
    type Error: fmt::Display + Send;

    /// What is awaited for a record's acknowledgement.
    type Handle: Send;

    /// Hands the next value over. Its number is counted from zero in each stretch.
    fn send(
        &self,
        payloads: &mut Payloads,
        number: u64,
    ) -> impl Future<Output = Result<Self::Handle, Self::Error>> + Send;

    /// Waits for the acknowledgement and drops what it says.
    fn wait(handle: Self::Handle) -> impl Future<Output = Result<(), Self::Error>> + Send;

    /// Both, for producers that have a call of their own for it.
    fn send_and_wait(
        &self,
        payloads: &mut Payloads,
        number: u64,
    ) -> impl Future<Output = Result<(), Self::Error>> + Send {
        async move { Self::wait(self.send(payloads, number).await?).await }
    }
}

/// What a peer gives to be measured.
pub type Sender = Box<dyn FnMut(&mut Payloads, u64) -> Tally>;

/// The runtime that all such peers have: two workers, and no more than four where more threads are
/// to send.
///
/// # Errors
/// If its threads cannot be made.
pub fn runtime(run: &Run) -> std::io::Result<Runtime> {
    Builder::new_multi_thread()
        .worker_threads(run.threads.clamp(2, 4) as usize)
        .enable_all()
        .build()
}

/// One of the modes. The run's own name of it may be another.
///
/// # Errors
/// If there is no such mode.
pub fn sender<P: Producer>(
    runtime: Runtime,
    producer: P,
    run: &Run,
    mode: &str,
) -> Result<Sender, Box<dyn Error>> {
    let producer = Arc::new(producer);
    let run = run.clone();
    Ok(match mode {
        "handles" | IDLE => Box::new(move |payloads, records| {
            runtime.block_on(threads(&producer, &run, payloads, records))
        }),
        "each" => {
            run.one_thread()?;
            Box::new(move |payloads, records| runtime.block_on(each(&*producer, payloads, records)))
        }
        "tasks" => {
            run.one_thread()?;
            Box::new(move |payloads, records| {
                runtime.block_on(tasks(&producer, run.window, payloads, records))
            })
        }
        other => return Err(format!("no mode `{other}`").into()),
    })
}

/// One thread is the one that waits for the runtime; more are tasks.
async fn threads<P: Producer>(
    producer: &Arc<P>,
    run: &Run,
    payloads: &mut Payloads,
    records: u64,
) -> Tally {
    let shares = Share::of(run, records);
    if let [all] = shares.as_slice() {
        return handles(&**producer, payloads, *all).await;
    }
    let spawn = |(index, share)| {
        let producer = Arc::clone(producer);
        let mut payloads = payloads.another(index);
        tokio::spawn(async move { handles(&*producer, &mut payloads, share).await })
    };
    let all = shares.into_iter().enumerate().map(spawn).collect();
    together(all).await
}

async fn handles<P: Producer>(producer: &P, payloads: &mut Payloads, share: Share) -> Tally {
    let mut tally = Tally::default();
    let mut pace = Pace::new(share.window);
    for number in share.numbers() {
        match producer.send(payloads, number).await {
            Ok(handle) => {
                if let Some(oldest) = pace.push(handle) {
                    judge(P::wait(oldest).await, &mut tally);
                }
            }
            Err(error) => tally.fail(error),
        }
    }
    while let Some(oldest) = pace.pop() {
        judge(P::wait(oldest).await, &mut tally);
    }
    tally
}

async fn each<P: Producer>(producer: &P, payloads: &mut Payloads, records: u64) -> Tally {
    let mut tally = Tally::default();
    for number in 0..records {
        timed(producer, payloads, number, &mut tally).await;
    }
    tally
}

async fn tasks<P: Producer>(
    producer: &Arc<P>,
    tasks: usize,
    payloads: &mut Payloads,
    records: u64,
) -> Tally {
    let next = Arc::new(AtomicU64::new(0));
    let spawn = |index| {
        let (producer, next) = (Arc::clone(producer), Arc::clone(&next));
        let mut payloads = payloads.another(index);
        tokio::spawn(async move {
            let mut tally = Tally::default();
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= records {
                    return tally;
                }
                timed(&*producer, &mut payloads, number, &mut tally).await;
            }
        })
    };
    let all = (0..tasks).map(spawn).collect();
    together(all).await
}

async fn together(all: Vec<JoinHandle<Tally>>) -> Tally {
    let mut whole = Tally::default();
    for task in all {
        match task.await {
            Ok(part) => whole.add(part),
            Err(error) => whole.fail(error),
        }
    }
    whole
}

async fn timed<P: Producer>(producer: &P, payloads: &mut Payloads, number: u64, tally: &mut Tally) {
    let began = Instant::now();
    judge(producer.send_and_wait(payloads, number).await, tally);
    tally.latencies.push(began.elapsed().as_nanos() as u64);
}

fn judge<E: fmt::Display>(ended: Result<(), E>, tally: &mut Tally) {
    if let Err(error) = ended {
        tally.fail(error);
    }
}
