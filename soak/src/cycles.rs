//! Producers that are made, used once and closed, again and again: nothing of them may stay.

use std::net::TcpListener;
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use downpour::{ProducerBuilder, Record};

use crate::meter::Held;
use crate::server::Server;

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// How often.
    #[arg(long, default_value_t = 10_000)]
    cycles: u32,
}

/// Whether threads and descriptors are as many as before, and memory is not more than 4 MiB above
/// that after the first tenth.
pub(crate) fn run(arguments: &Arguments) -> Result<bool> {
    ensure!(arguments.cycles >= 10, "ten cycles at least");
    let served = Server::start(&[])?;
    let silent = Server::start(&["--silent"])?;
    // Nobody listens there: it was somebody's a moment ago.
    let refused = TcpListener::bind("127.0.0.1:0")?.local_addr()?.to_string();
    let kinds = [
        ("a record is delivered", served.address(), true),
        ("nobody listens", &*refused, false),
        ("nobody answers", silent.address(), false),
        ("there is no such host", "no-such-host.invalid:9092", false),
    ];
    let mut is_well = true;
    let before = Held::now()?;
    for (what, address, is_served) in kinds {
        println!(
            "{} producers made, used and closed: {what}",
            arguments.cycles
        );
        println!("  cycles  seconds  {}", Held::HEAD);
        println!("{:>8}  {:>7.1}  {before}", 0, 0.0);
        let begun = Instant::now();
        let mut after_first = None;
        let mut last = before;
        for tenth in 1..=10_u32 {
            let (from, until) = (tenth - 1, tenth);
            let of = |tenth| arguments.cycles / 10 * tenth;
            for _ in of(from)..of(until) {
                cycle(address, is_served)?;
            }
            last = match tenth {
                10 => Held::settled(before)?,
                _ => Held::now()?,
            };
            after_first.get_or_insert(last);
            let seconds = begun.elapsed().as_secs_f64();
            println!("{:>8}  {seconds:>7.1}  {last}", of(until));
        }
        let after_first = after_first.context("there was a first tenth")?;
        let is_flat = last.threads <= before.threads
            && last.descriptors <= before.descriptors
            && last.resident <= after_first.resident + 4096;
        if !is_flat {
            println!("it grows");
        }
        is_well &= is_flat;
    }
    Ok(is_well)
}

fn cycle(address: &str, is_served: bool) -> Result<()> {
    let producer = ProducerBuilder::new()
        .bootstrap(address)
        .build()?
        .blocking();
    let record = Record::to("topic-0").value("v");
    if is_served {
        producer.send_and_wait(record)?;
    } else {
        // Begins to look for somebody, and does not wait.
        let error = producer.try_send(&record).err();
        ensure!(error.is_some(), "nobody is there, and it was accepted");
    }
    producer.close();
    Ok(())
}
