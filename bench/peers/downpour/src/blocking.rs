//! The modes of the blocking facade.

use std::error::Error;
use std::time::Instant;

use bench_contract::{Pace, Payloads, Run, Tally, in_threads};
use downpour::blocking::TopicProducer;
use downpour::{Deliveries, Delivery, Written};

use crate::settings::message;

/// Records in one `send_many`.
const MANY: u64 = 1000;

fn open(producer: &downpour::Producer, run: &Run) -> Result<TopicProducer, Box<dyn Error>> {
    Ok(producer.blocking().topic(&run.topic)?)
}

fn judge(delivery: &Delivery, tally: &mut Tally) {
    if let Err(error) = delivery.wait() {
        tally.fail_knowing(error.written() != Written::No, error);
    }
}

/// A handle per record, waited for in order by the thread that sent it.
pub(crate) fn handles(
    producer: downpour::Producer,
    run: &Run,
) -> Result<impl FnMut(&mut Payloads, u64) -> Tally + use<>, Box<dyn Error>> {
    let run = run.clone();
    let topic = open(&producer, &run)?;
    Ok(move |payloads: &mut Payloads, records| {
        in_threads(&run, payloads, records, |payloads, share| {
            let mut tally = Tally::default();
            let mut pace = Pace::new(share.window);
            for number in share.numbers() {
                match topic.send(message(&run, payloads.borrowed(), number)) {
                    Ok(delivery) => {
                        if let Some(oldest) = pace.push(delivery) {
                            judge(&oldest, &mut tally);
                        }
                    }
                    Err(error) => tally.fail(error),
                }
            }
            while let Some(oldest) = pace.pop() {
                judge(&oldest, &mut tally);
            }
            tally
        })
    })
}

/// Handles are dropped at once. What was lost, the broker's count tells.
pub(crate) fn forget(
    producer: downpour::Producer,
    run: &Run,
) -> Result<impl FnMut(&mut Payloads, u64) -> Tally + use<>, Box<dyn Error>> {
    let run = run.clone();
    let topic = open(&producer, &run)?;
    Ok(move |payloads: &mut Payloads, records| {
        let tally = in_threads(&run, payloads, records, |payloads, share| {
            let mut tally = Tally::default();
            for number in share.numbers() {
                let message = message(&run, payloads.borrowed(), number);
                if let Err(error) = topic.send(message) {
                    tally.fail(error);
                }
            }
            tally
        });
        topic.flush();
        tally
    })
}

/// One handle for a thousand records.
pub(crate) fn many(
    producer: downpour::Producer,
    run: &Run,
) -> Result<impl FnMut(&mut Payloads, u64) -> Tally + use<>, Box<dyn Error>> {
    run.one_thread()?;
    let run = run.clone();
    let topic = open(&producer, &run)?;
    Ok(move |payloads: &mut Payloads, records: u64| {
        let mut tally = Tally::default();
        let mut pace = Pace::new(run.window / MANY as usize);
        let mut judge = |deliveries: Option<Deliveries>| {
            if let Some(Err(error)) = deliveries.map(|deliveries| deliveries.wait()) {
                tally.fail(error);
            }
        };
        let mut failed = None;
        let mut number = 0;
        while number < records {
            let until = records.min(number + MANY);
            let values = payloads.borrowed_many((until - number) as usize);
            let batch = (number..until)
                .zip(values)
                .map(|(number, value)| message(&run, value, number));
            let batch: Vec<_> = batch.collect();
            match topic.send_many(&batch) {
                Ok(deliveries) => judge(pace.push(deliveries)),
                Err(error) => failed = Some(error.to_string()),
            }
            number = until;
        }
        while let Some(deliveries) = pace.pop() {
            judge(Some(deliveries));
        }
        if let Some(error) = failed {
            tally.fail(error);
        }
        tally
    })
}

/// One record at a time.
pub(crate) fn each(
    producer: downpour::Producer,
    run: &Run,
) -> Result<impl FnMut(&mut Payloads, u64) -> Tally + use<>, Box<dyn Error>> {
    run.one_thread()?;
    let run = run.clone();
    let topic = open(&producer, &run)?;
    Ok(move |payloads: &mut Payloads, records| {
        let mut tally = Tally::default();
        for number in 0..records {
            let began = Instant::now();
            let sent = topic.send_and_wait(message(&run, payloads.borrowed(), number));
            if let Err(error) = sent {
                tally.fail(error);
            }
            tally.latencies.push(began.elapsed().as_nanos() as u64);
        }
        tally
    })
}
