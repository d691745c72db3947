//! What can be asked of the running broker: `reset`, `stats`, `delay NETWORK_US SERVICE_US`,
//! `refuse EVERY`.

use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::shared::Shared;

/// A client that ended may still have bytes on the way to us.
const CLIENTS_LEAVE_WITHIN: Duration = Duration::from_secs(2);

/// Obeys one line and answers it.
pub(crate) fn obey(shared: &Shared, line: &str) -> Value {
    let mut words = line.split_whitespace();
    match words.next() {
        Some("reset") => {
            wait_for_clients(shared);
            shared.ledger().reset();
            json!({ "reset": true })
        }
        Some("stats") => {
            wait_for_clients(shared);
            shared.ledger().statistics.json(shared.open_connections())
        }
        Some("delay") => {
            let mut micros = || words.next().and_then(|word| word.parse().ok());
            match (micros(), micros()) {
                (Some(network), Some(service)) => {
                    shared.delays.set(network, service);
                    json!({ "network_us": network, "service_us": service })
                }
                _ => json!({ "error": "delay takes two numbers of microseconds" }),
            }
        }
        Some("refuse") => match words.next().and_then(|word| word.parse().ok()) {
            Some(every) => {
                shared.ledger().refuse(every);
                json!({ "refuse_every": every })
            }
            None => json!({ "error": "refuse takes a number of batches" }),
        },
        _ => json!({ "error": "reset, stats, delay NETWORK_US SERVICE_US, or refuse EVERY" }),
    }
}

fn wait_for_clients(shared: &Shared) {
    let until = Instant::now() + CLIENTS_LEAVE_WITHIN;
    while shared.open_connections() > 0 && Instant::now() < until {
        thread::sleep(Duration::from_millis(2));
    }
}
