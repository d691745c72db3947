//! What an operator does to a running cluster beyond topics' creation and deletion: more partitions,
//! elections, other replicas, quotas. In a few lines of Kafka's protocol, as `probe` and for its
//! reasons.

use std::time::Duration;

use crate::cluster::Cluster;
use crate::error::Error;
use crate::probe::{Bytes, ask, put_string};

const CREATE_PARTITIONS: i16 = 37;
const ELECT_LEADERS: i16 = 43;
const ALTER_PARTITION_REASSIGNMENTS: i16 = 45;
const ALTER_CLIENT_QUOTAS: i16 = 49;

/// How long the controller may take.
const DONE_WITHIN: Duration = Duration::from_secs(20);

/// Which replica is to lead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Election {
    /// The first of the partition's list, if it is in sync.
    Preferred,
    /// Any that is alive, in sync or not, if nobody leads; records may be lost.
    Unclean,
}

impl Cluster {
    /// Gives a topic more partitions.
    ///
    /// # Errors
    /// When the cluster refuses; its words are told.
    pub fn grow_topic(&self, topic: &str, partitions: u32) -> Result<(), Error> {
        let mut body = Vec::new();
        body.extend(1_i32.to_be_bytes());
        put_string(&mut body, topic);
        body.extend(partitions.to_be_bytes());
        body.extend((-1_i32).to_be_bytes()); // the controller chooses where they are
        body.extend(within_ms());
        body.push(0); // it is to be done, not only validated
        let answer = ask(
            self.controller_port()?,
            CREATE_PARTITIONS,
            1,
            &body,
            DONE_WITHIN,
        )?;
        refused(read_grown(&mut Bytes { rest: &answer }), "more partitions")
    }

    /// Elects leaders for some partitions of a topic. Where there is nothing to elect nothing happens.
    ///
    /// # Errors
    /// When the cluster refuses as a whole.
    pub fn elect(&self, election: Election, topic: &str, partitions: &[i32]) -> Result<(), Error> {
        let mut body = vec![u8::from(election == Election::Unclean)];
        body.extend(1_i32.to_be_bytes());
        put_string(&mut body, topic);
        body.extend((partitions.len() as i32).to_be_bytes());
        for partition in partitions {
            body.extend(partition.to_be_bytes());
        }
        body.extend(within_ms());
        let answer = ask(
            self.controller_port()?,
            ELECT_LEADERS,
            1,
            &body,
            DONE_WITHIN,
        )?;
        let told = read_code(&mut Bytes { rest: &answer }, 4 + 4);
        refused(told, "an election")
    }

    /// Asks for other replicas of a partition, the first of which becomes the preferred leader. It
    /// takes a while; see [`Cluster::partitions`].
    ///
    /// # Errors
    /// When the cluster refuses as a whole.
    pub fn reassign(&self, topic: &str, partition: i32, replicas: &[i32]) -> Result<(), Error> {
        let mut body = vec![0]; // the end of a flexible header
        body.extend(within_ms());
        body.push(2); // one topic: compact lengths are one more
        body.push(topic.len() as u8 + 1);
        body.extend(topic.as_bytes());
        body.push(2); // one partition
        body.extend(partition.to_be_bytes());
        body.push(replicas.len() as u8 + 1);
        for replica in replicas {
            body.extend(replica.to_be_bytes());
        }
        body.extend([0; 3]); // no tags of partition, topic and request
        let port = self.controller_port()?;
        let answer = ask(port, ALTER_PARTITION_REASSIGNMENTS, 0, &body, DONE_WITHIN)?;
        let told = read_code(&mut Bytes { rest: &answer }, 4 + 1 + 4);
        refused(told, "other replicas")
    }

    /// Limits how many bytes per second each broker takes from clients of this id; `None` ends that.
    ///
    /// # Errors
    /// When the cluster refuses.
    pub fn limit_produce_rate(&self, client_id: &str, rate: Option<f64>) -> Result<(), Error> {
        let mut body = Vec::new();
        body.extend(1_i32.to_be_bytes());
        body.extend(1_i32.to_be_bytes());
        put_string(&mut body, "client-id");
        put_string(&mut body, client_id);
        body.extend(1_i32.to_be_bytes());
        put_string(&mut body, "producer_byte_rate");
        body.extend(rate.unwrap_or_default().to_be_bytes());
        body.push(u8::from(rate.is_none()));
        body.push(0); // it is to be done, not only validated
        let port = self.controller_port()?;
        let answer = ask(port, ALTER_CLIENT_QUOTAS, 0, &body, DONE_WITHIN)?;
        // Correlation id, throttle time and count go before the code.
        let told = read_code(&mut Bytes { rest: &answer }, 4 + 4 + 4);
        refused(told, "a quota")
    }
}

fn within_ms() -> [u8; 4] {
    (DONE_WITHIN.as_millis() as i32).to_be_bytes()
}

/// The error code for the only topic in the answer, and its words.
fn read_grown(bytes: &mut Bytes<'_>) -> Option<(i16, String)> {
    bytes.take(4 + 4 + 4)?; // correlation id, throttle time, count
    bytes.string()?;
    let code = i16::from_be_bytes(bytes.take(2)?.try_into().ok()?);
    Some((code, bytes.string()?))
}

/// The error code behind so many bytes.
fn read_code(bytes: &mut Bytes<'_>, skipped: usize) -> Option<(i16, String)> {
    bytes.take(skipped)?;
    let code = i16::from_be_bytes(bytes.take(2)?.try_into().ok()?);
    Some((code, String::new()))
}

fn refused(told: Option<(i16, String)>, what: &str) -> Result<(), Error> {
    match told {
        Some((0, _)) => Ok(()),
        Some((code, words)) => Err(Error::new(format!("{what}: error {code} {words}"))),
        None => Err(Error::new(format!("{what}: the answer is too short"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_code_of_an_answer_is_read_where_it_stands() {
        let mut answer = vec![0; 12];
        answer.extend([0, 1, b't', 0, 37, 0, 3, b'f', b'e', b'w']);
        let told = read_grown(&mut Bytes { rest: &answer });
        assert_eq!(told, Some((37, "few".to_owned())));
        assert!(
            refused(told, "more")
                .unwrap_err()
                .to_string()
                .contains("37 few")
        );
        let coded = read_code(&mut Bytes { rest: &answer }, 15);
        assert_eq!(coded, Some((37, String::new())));
        assert_eq!(
            read_code(
                &mut Bytes {
                    rest: &answer[..16]
                },
                15
            ),
            None
        );
        assert!(refused(None, "more").is_err());
        assert!(refused(Some((0, String::new())), "more").is_ok());
    }
}
