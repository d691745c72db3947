//! What the console consumer prints, and how it is told to print so that it can be understood.

use crate::error::Error;

/// One record as the console consumer saw it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// The partition that it was read from.
    pub partition: i32,
    /// Its offset in that partition.
    pub offset: i64,
    /// Its timestamp in milliseconds since 1970.
    pub timestamp_ms: i64,
    /// Whether that is the broker's time of the append; it is the sender's otherwise.
    pub is_append_time: bool,
    /// `None` is Kafka's null.
    pub key: Option<Vec<u8>>,
    /// `None` is Kafka's null, which makes the record a tombstone.
    pub value: Option<Vec<u8>>,
    /// Names and values in the order in which they were sent; a name may come several times.
    pub headers: Vec<(String, Option<Vec<u8>>)>,
}

/// Options that separate fields, headers and lines by characters that no test writes into a
/// record.
pub(super) const FORMAT: [&str; 9] = [
    "print.timestamp=true",
    "print.partition=true",
    "print.offset=true",
    "print.headers=true",
    "print.key=true",
    "key.separator=\u{1f}",
    "headers.separator=\u{1d}",
    "null.literal=\u{1c}",
    "line.separator=\u{1e}\n",
];

const NULL: &[u8] = b"\x1c";

/// Parses what was printed with [`FORMAT`].
pub(super) fn parse(printed: &[u8]) -> Result<Vec<Record>, Error> {
    let mut records = Vec::new();
    let mut rest = printed;
    while let Some(len) = find(rest, b"\x1e\n") {
        let line = &rest[..len];
        let record = record(line).ok_or_else(|| {
            Error::new(format!("`{}` is no record", String::from_utf8_lossy(line)))
        })?;
        records.push(record);
        rest = &rest[len + 2..];
    }
    if rest.is_empty() {
        return Ok(records);
    }
    Err(Error::new(format!(
        "`{}` ends no record",
        String::from_utf8_lossy(rest)
    )))
}

fn record(line: &[u8]) -> Option<Record> {
    let mut fields = line.splitn(6, |byte| *byte == 0x1f);
    let time = std::str::from_utf8(fields.next()?).ok()?;
    let (kind, timestamp) = time.split_once(':')?;
    let partition = number(fields.next()?, "Partition:")?;
    let offset = number(fields.next()?, "Offset:")?;
    let headers = match fields.next()? {
        b"NO_HEADERS" => Vec::new(),
        headers => headers
            .split(|byte| *byte == 0x1d)
            .map(header)
            .collect::<Option<_>>()?,
    };
    Some(Record {
        partition: partition.try_into().ok()?,
        offset,
        timestamp_ms: timestamp.parse().ok()?,
        is_append_time: kind == "LogAppendTime",
        key: nullable(fields.next()?),
        value: nullable(fields.next()?),
        headers,
    })
}

fn header(text: &[u8]) -> Option<(String, Option<Vec<u8>>)> {
    let at = text.iter().position(|byte| *byte == b':')?;
    let name = String::from_utf8_lossy(&text[..at]).into_owned();
    Some((name, nullable(&text[at + 1..])))
}

fn number(field: &[u8], name: &str) -> Option<i64> {
    std::str::from_utf8(field)
        .ok()?
        .strip_prefix(name)?
        .parse()
        .ok()
}

fn nullable(field: &[u8]) -> Option<Vec<u8>> {
    (field != NULL).then(|| field.to_vec())
}

fn find(bytes: &[u8], sign: &[u8]) -> Option<usize> {
    bytes.windows(sign.len()).position(|window| window == sign)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nulls_headers_and_line_ends_inside_survive() {
        let printed = b"CreateTime:12\x1fPartition:3\x1fOffset:4\x1fa:1\x1da:\x1c\x1fk\x1fx\ny\x1e\n\
                        LogAppendTime:13\x1fPartition:0\x1fOffset:5\x1fNO_HEADERS\x1f\x1c\x1f\x1c\x1e\n";
        let records = parse(printed).unwrap();
        assert_eq!(
            records,
            [
                Record {
                    partition: 3,
                    offset: 4,
                    timestamp_ms: 12,
                    is_append_time: false,
                    key: Some(b"k".to_vec()),
                    value: Some(b"x\ny".to_vec()),
                    headers: vec![
                        ("a".to_owned(), Some(b"1".to_vec())),
                        ("a".to_owned(), None)
                    ],
                },
                Record {
                    partition: 0,
                    offset: 5,
                    timestamp_ms: 13,
                    is_append_time: true,
                    key: None,
                    value: None,
                    headers: vec![],
                },
            ]
        );
    }

    #[test]
    fn what_is_no_record_is_refused() {
        parse(b"WARN something\x1e\n").unwrap_err();
        parse(b"CreateTime:12\x1fPartition:3").unwrap_err();
    }
}
