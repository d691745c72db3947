//! Many records from an async program: accept first, look at the verdicts later.
//!
//! `cargo run -p downpour --example async -- localhost:9092 my-topic`

#![expect(clippy::print_stdout, reason = "a program that says what it did")]

use downpour::{CompressionType, Producer, Written};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let bootstrap = arguments.next().unwrap_or_else(|| "localhost:9092".into());
    let topic = arguments.next().unwrap_or_else(|| "hello".into());

    let producer = Producer::builder(bootstrap)
        .compression(CompressionType::Lz4)
        .build()?;
    let topic = producer.topic(&topic).await?;
    let mut deliveries = Vec::new();
    for number in 0..100_000 {
        // Waits only while memory is full.
        deliveries.push(topic.send(format!("record {number}")).await?);
    }
    for delivery in deliveries {
        match delivery.await {
            Ok(_) => {}
            Err(error) if error.written() == Written::No => println!("send again: {error}"),
            Err(error) => println!("look whether it is there: {error}"),
        }
    }
    producer.close().await;
    Ok(())
}
