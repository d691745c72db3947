//! The whole producer against a broker in another process, for what the I/O thread does. Which
//! of the process's threads that is, and what it did, the runner reads from callgrind's files.

use std::error::Error;

use bench_micro::values;
use downpour::Message;

use crate::batches::SIZE;
use crate::stalled::{PARTITIONS, Stand};

/// The name by which it is asked for: `io BOOTSTRAP ROUNDS`.
pub(crate) const NAME: &str = "io";

/// Fills some three batches of 64 KiB of each partition.
const RECORDS: usize = 10_000;

/// Sends so many rounds of records over all partitions; answers how many records those were.
///
/// A round's records are accepted while the I/O thread stands still, so that batches are the same
/// each time, and callers never do its work for it. Then it sends them, and all is awaited.
pub(crate) fn io(arguments: &[String]) -> Result<u64, Box<dyn Error>> {
    let [bootstrap, rounds] = arguments else {
        return Err("io BOOTSTRAP ROUNDS".into());
    };
    let rounds: u64 = rounds.parse()?;
    let stand = Stand::at(bootstrap, None)?;
    let values = values(SIZE);
    for _ in 0..rounds {
        let handles: Vec<_> = stand.while_stalled(|| {
            let send = |number: usize| {
                let partition = (number % PARTITIONS as usize) as i32;
                let message = Message::new().value(&*values[number % values.len()]);
                stand.topic.send(message.partition(partition))
            };
            (0..RECORDS).map(send).collect::<Result<_, _>>()
        })??;
        if handles.iter().any(|handle| handle.wait().is_err()) {
            return Err("a record was not delivered".into());
        }
    }
    stand.producer.close();
    Ok(rounds * RECORDS as u64)
}

#[cfg(test)]
mod tests {
    use downpour_fake::FakeCluster;

    use super::*;
    use crate::stalled::TOPIC;

    #[test]
    fn rounds_are_sent_to_the_broker_that_is_named() {
        let cluster = FakeCluster::builder()
            .topic(TOPIC, PARTITIONS)
            .start()
            .unwrap();
        let arguments = [cluster.bootstrap_servers(), "2".to_owned()];
        assert_eq!(io(&arguments).unwrap(), 20_000);
        let written: usize = (0..PARTITIONS)
            .map(|at| cluster.records(TOPIC, at).len())
            .sum();
        assert!(written >= 20_000, "{written}");
        assert!(io(&[]).is_err());
    }
}
