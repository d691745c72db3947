//! Asks a broker what it knows and creates topics, in a few lines of Kafka's protocol of its own:
//! the state of a test cluster must not depend on the code that is tested against it, and one of
//! Kafka's own tools takes two seconds.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::time::Duration;

use crate::error::Error;

/// Longer answers than this are not read.
const ANSWER_BYTES_MAX: usize = 16 << 20;

/// How long a broker may take to answer what it knows already.
const ANSWER_WITHIN: Duration = Duration::from_secs(3);

/// How long a broker may take to create or delete a topic.
const CREATED_WITHIN: Duration = Duration::from_secs(20);

/// What one broker says about its cluster.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct View {
    /// The ids of the brokers that it believes alive.
    pub brokers: Vec<i32>,
    /// The id of the controller, -1 when this broker knows of none. With KRaft brokers name any
    /// broker here, which forwards to the controller.
    pub controller: i32,
    /// The partitions of the topics that were asked for.
    pub partitions: Vec<Partition>,
}

/// One partition as a broker sees it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Partition {
    /// The name of its topic.
    pub topic: String,
    /// Its number within the topic, from 0 on.
    pub id: i32,
    /// The id of the broker that leads it, -1 when none does.
    pub leader: i32,
    /// The ids of the brokers that hold it, dead ones too; the first is the preferred leader.
    pub replicas: Vec<i32>,
    /// Those of the replicas that have all that is acknowledged.
    pub in_sync: Vec<i32>,
}

/// Asks the broker at `port` of loopback about some topics.
///
/// # Errors
/// When it does not answer within 3 s, or not with metadata.
pub(crate) fn view(port: u16, topics: &[&str]) -> Result<View, Error> {
    let mut body = Vec::new();
    body.extend((topics.len() as i32).to_be_bytes());
    for topic in topics {
        put_string(&mut body, topic);
    }
    let answer = ask(port, METADATA, 1, &body, ANSWER_WITHIN)?;
    let told = read_view(&mut Bytes { rest: &answer });
    told.ok_or_else(|| Error::new(format!("port {port} answers something else than metadata")))
}

/// A topic to create.
#[derive(Debug)]
pub(crate) struct NewTopic<'a> {
    pub(crate) name: &'a str,
    pub(crate) partitions: u32,
    pub(crate) replicas: u16,
    pub(crate) configs: &'a [(&'a str, &'a str)],
}

/// Creates a topic; `port` is the controller's where ZooKeeper elects it, any broker's otherwise.
///
/// # Errors
/// When the broker refuses; its error code and words are told.
pub(crate) fn create_topic(port: u16, topic: &NewTopic<'_>) -> Result<(), Error> {
    let mut body = Vec::new();
    body.extend(1_i32.to_be_bytes());
    put_string(&mut body, topic.name);
    body.extend(topic.partitions.to_be_bytes());
    body.extend(topic.replicas.to_be_bytes());
    body.extend(0_i32.to_be_bytes()); // brokers choose where the replicas are
    body.extend((topic.configs.len() as i32).to_be_bytes());
    for (name, value) in topic.configs {
        put_string(&mut body, name);
        put_string(&mut body, value);
    }
    let within_ms = CREATED_WITHIN.as_millis() as i32;
    body.extend(within_ms.to_be_bytes());
    body.push(0); // it is to be created, not only validated
    let answer = ask(port, CREATE_TOPICS, 2, &body, CREATED_WITHIN)?;
    let told = read_created(&mut Bytes { rest: &answer });
    match told {
        Some((0, _)) => Ok(()),
        Some((code, words)) => {
            let name = topic.name;
            Err(Error::new(format!(
                "topic {name} is not created: error {code} {words}"
            )))
        }
        None => Err(Error::new(format!(
            "port {port} answers something else than was asked"
        ))),
    }
}

/// Deletes a topic; `port` is as for [`create_topic`].
///
/// # Errors
/// When the broker refuses; its error code is told.
pub(crate) fn delete_topic(port: u16, topic: &str) -> Result<(), Error> {
    let mut body = Vec::new();
    body.extend(1_i32.to_be_bytes());
    put_string(&mut body, topic);
    body.extend((CREATED_WITHIN.as_millis() as i32).to_be_bytes());
    let answer = ask(port, DELETE_TOPICS, 1, &body, CREATED_WITHIN)?;
    match read_deleted(&mut Bytes { rest: &answer }) {
        Some(0) => Ok(()),
        Some(code) => Err(Error::new(format!(
            "topic {topic} is not deleted: error {code}"
        ))),
        None => Err(Error::new(format!(
            "port {port} answers something else than was asked"
        ))),
    }
}

/// The error code for the only topic in the answer.
fn read_deleted(bytes: &mut Bytes<'_>) -> Option<i16> {
    bytes.take(4 + 4 + 4)?; // correlation id, throttle time, count
    bytes.string()?;
    Some(i16::from_be_bytes(bytes.take(2)?.try_into().ok()?))
}

/// The error code and the words for the only topic in the answer.
fn read_created(bytes: &mut Bytes<'_>) -> Option<(i16, String)> {
    bytes.take(4 + 4 + 4)?; // correlation id, throttle time, count
    bytes.string()?;
    let code = i16::from_be_bytes(bytes.take(2)?.try_into().ok()?);
    Some((code, bytes.string()?))
}

pub(crate) fn put_string(body: &mut Vec<u8>, text: &str) {
    body.extend((text.len() as i16).to_be_bytes());
    body.extend(text.as_bytes());
}

const METADATA: i16 = 3;
const CREATE_TOPICS: i16 = 19;
const DELETE_TOPICS: i16 = 20;

pub(crate) fn ask(
    port: u16,
    api: i16,
    version: i16,
    body: &[u8],
    within: Duration,
) -> Result<Vec<u8>, Error> {
    let doing = || format!("asking the broker at port {port}");
    let at = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let mut stream = TcpStream::connect_timeout(&at, ANSWER_WITHIN).map_err(Error::io(doing()))?;
    stream
        .set_read_timeout(Some(within))
        .map_err(Error::io(doing()))?;
    stream
        .set_write_timeout(Some(ANSWER_WITHIN))
        .map_err(Error::io(doing()))?;
    let client = b"kafka-harness";
    let mut request = Vec::new();
    request.extend(((10 + client.len() + body.len()) as i32).to_be_bytes());
    request.extend(api.to_be_bytes());
    request.extend(version.to_be_bytes());
    request.extend(0_i32.to_be_bytes());
    request.extend((client.len() as i16).to_be_bytes());
    request.extend(client);
    request.extend(body);
    stream.write_all(&request).map_err(Error::io(doing()))?;
    let mut len = [0; 4];
    stream.read_exact(&mut len).map_err(Error::io(doing()))?;
    let len = u32::from_be_bytes(len) as usize;
    if len > ANSWER_BYTES_MAX {
        return Err(Error::new(format!(
            "{}: {len} bytes are no answer",
            doing()
        )));
    }
    let mut answer = vec![0; len];
    stream.read_exact(&mut answer).map_err(Error::io(doing()))?;
    Ok(answer)
}

fn read_view(bytes: &mut Bytes<'_>) -> Option<View> {
    bytes.int()?; // The correlation id says nothing, since there was one request.
    let mut view = View::default();
    for _ in 0..bytes.count()? {
        view.brokers.push(bytes.int()?);
        bytes.string()?;
        bytes.int()?;
        bytes.string()?;
    }
    view.brokers.sort_unstable();
    view.controller = bytes.int()?;
    for _ in 0..bytes.count()? {
        bytes.take(2)?;
        let topic = bytes.string()?;
        bytes.take(1)?;
        for _ in 0..bytes.count()? {
            bytes.take(2)?;
            let id = bytes.int()?;
            let leader = bytes.int()?;
            let (replicas, in_sync) = (bytes.ints()?, bytes.ints()?);
            let topic = topic.clone();
            view.partitions.push(Partition {
                topic,
                id,
                leader,
                replicas,
                in_sync,
            });
        }
    }
    view.partitions
        .sort_by(|a, b| (&a.topic, a.id).cmp(&(&b.topic, b.id)));
    Some(view)
}

pub(crate) struct Bytes<'a> {
    pub(crate) rest: &'a [u8],
}

impl<'a> Bytes<'a> {
    pub(crate) fn take(&mut self, len: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(len)?;
        self.rest = rest;
        Some(taken)
    }

    pub(crate) fn int(&mut self) -> Option<i32> {
        Some(i32::from_be_bytes(self.take(4)?.try_into().ok()?))
    }

    /// The length of an array; a null array has -1.
    fn count(&mut self) -> Option<i32> {
        self.int()
    }

    fn ints(&mut self) -> Option<Vec<i32>> {
        (0..self.count()?).map(|_| self.int()).collect()
    }

    pub(crate) fn string(&mut self) -> Option<String> {
        let len = i16::from_be_bytes(self.take(2)?.try_into().ok()?);
        let Ok(len) = usize::try_from(len) else {
            return Some(String::new());
        };
        Some(String::from_utf8_lossy(self.take(len)?).into_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_read_with_its_words() {
        let mut answer = vec![0; 11];
        answer.extend([1, 0, 1, b't', 0, 36, 0, 2, b'n', b'o']);
        assert_eq!(
            read_created(&mut Bytes { rest: &answer }),
            Some((36, "no".to_owned()))
        );
        let len = answer.len() - 1;
        assert_eq!(
            read_created(&mut Bytes {
                rest: &answer[..len]
            }),
            None
        );
    }

    #[test]
    fn a_deletion_is_read_with_its_code() {
        let mut answer = vec![0; 12];
        answer.extend([0, 1, b't', 0, 3]);
        assert_eq!(read_deleted(&mut Bytes { rest: &answer }), Some(3));
        answer.pop();
        assert_eq!(read_deleted(&mut Bytes { rest: &answer }), None);
    }

    #[test]
    fn an_answer_is_read_and_a_short_one_refused() {
        let mut answer = vec![
            0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 7, 0, 1, b'h', 0, 0, 0x23, 0x84,
        ];
        answer.extend([0xff, 0xff]); // no rack
        answer.extend([0, 0, 0, 7, 0, 0, 0, 1, 0, 0, 0, 1, b't', 0, 0, 0, 0, 1]);
        answer.extend([0, 0, 0, 0, 0, 2, 0, 0, 0, 7]);
        answer.extend([0, 0, 0, 1, 0, 0, 0, 7, 0, 0, 0, 0]);
        let view = read_view(&mut Bytes { rest: &answer }).unwrap();
        let partition = Partition {
            topic: "t".to_owned(),
            id: 2,
            leader: 7,
            replicas: vec![7],
            in_sync: vec![],
        };
        assert_eq!(
            view,
            View {
                brokers: vec![7],
                controller: 7,
                partitions: vec![partition]
            }
        );
        for len in 0..answer.len() {
            assert_eq!(
                read_view(&mut Bytes {
                    rest: &answer[..len]
                }),
                None,
                "{len}"
            );
        }
    }
}
