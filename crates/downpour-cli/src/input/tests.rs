//! Facts about the input: what a line becomes, what is refused and in which words, and how
//! blocks are cut.

use std::io::{self, Cursor, Read};

use super::blocks::Blocks;
use super::line::{BadLine, Line, Pair};
use super::sources::LINE_MAX_LEAST as LINE_MAX;
use super::template::Template;
use crate::args::{Cli, Command, InputFormat};
use clap::Parser;

fn pair<'a>(name: &'a str, value: Option<&'a [u8]>) -> Pair<'a> {
    (name.into(), value.map(Into::into))
}

/// The template of a command line.
fn template(options: &[&str]) -> Template {
    let words = ["downpour", "produce", "t", "--embedded"]
        .iter()
        .chain(options);
    match Cli::try_parse_from(words).unwrap().command {
        Command::Produce(args) => Template::new(&args.input, &args.record),
        other => panic!("{other:?}"),
    }
}

fn json(line: &str) -> Result<Line<'_>, BadLine> {
    let template = Box::leak(Box::new(Template::default()));
    Ok(template
        .read(InputFormat::Ndjson, line.as_bytes())?
        .expect("not blank"))
}

fn refused(line: &str) -> String {
    json(line).unwrap_err().to_string()
}

#[test]
fn a_line_is_a_value_without_its_end() {
    let template = Template::default();
    for line in ["abc", "abc\n", "abc\r\n"] {
        let read = template
            .read(InputFormat::Lines, line.as_bytes())
            .unwrap()
            .unwrap();
        assert_eq!(read.value.as_deref(), Some(&b"abc"[..]));
        assert_eq!(read.key, None);
    }
}

#[test]
fn an_empty_line_is_an_empty_value_and_no_tombstone() {
    let template = Template::default();
    let read = template.read(InputFormat::Lines, b"\n").unwrap().unwrap();
    assert_eq!(read.value.as_deref(), Some(&b""[..]));
}

#[test]
fn a_separator_cuts_at_its_first_place() {
    let template = template(&["-K", "::"]);
    let read = template
        .read(InputFormat::Lines, b"k:1::v::w\n")
        .unwrap()
        .unwrap();
    assert_eq!(read.key.as_deref(), Some(&b"k:1"[..]));
    assert_eq!(read.value.as_deref(), Some(&b"v::w"[..]));
}

#[test]
fn a_line_without_its_separator_is_refused() {
    let template = template(&["-K", "\\t"]);
    let bad = template.read(InputFormat::Lines, b"k v\n").unwrap_err();
    assert_eq!(bad.field, Some("key"));
    assert!(bad.to_string().contains("\"\\t\""), "{bad}");
}

#[test]
fn nothing_after_the_separator_is_a_tombstone_only_if_asked_for() {
    let plain = template(&["-K", "="]);
    let read = plain.read(InputFormat::Lines, b"k=\n").unwrap().unwrap();
    assert_eq!(read.value.as_deref(), Some(&b""[..]));
    let deleting = template(&["-K", "=", "--tombstones"]);
    assert_eq!(
        deleting
            .read(InputFormat::Lines, b"k=\n")
            .unwrap()
            .unwrap()
            .value,
        None
    );
    let bad = deleting.read(InputFormat::Lines, b"=\n").unwrap_err();
    assert_eq!(bad.field, Some("key"));
}

#[test]
fn an_object_may_give_every_part() {
    let line = json(
        r#"{"key":"k","value":"v\n","headers":{"b":"1","a":null},"partition":2,
            "partition_key":"p","timestamp":17}"#,
    )
    .unwrap();
    assert_eq!(line.key.as_deref(), Some(&b"k"[..]));
    assert_eq!(line.value.as_deref(), Some(&b"v\n"[..]));
    assert_eq!(line.headers, [pair("b", Some(b"1")), pair("a", None)]);
    assert_eq!(line.partition, Some(2));
    assert_eq!(line.partition_key.as_deref(), Some(&b"p"[..]));
    assert_eq!(line.timestamp, Some(17));
}

#[test]
fn json_that_is_no_text_goes_as_it_is_written() {
    let value = |line: &'static str| {
        String::from_utf8(json(line).unwrap().value.unwrap().into_owned()).unwrap()
    };
    assert_eq!(value(r#"{"value":{"z":1,"a":[2]}}"#), r#"{"z":1,"a":[2]}"#);
    assert_eq!(
        value(r#"{"value":12345678901234567890123.50}"#),
        "12345678901234567890123.50"
    );
    assert_eq!(value(r#"{"value":true}"#), "true");
}

#[test]
fn a_null_value_is_a_tombstone_and_a_null_key_is_none() {
    assert_eq!(json(r#"{"key":"k","value":null}"#).unwrap().value, None);
    assert_eq!(json(r#"{"key":null,"value":"v"}"#).unwrap().key, None);
    assert!(refused(r#"{"value":null}"#).starts_with("key "));
    assert!(refused(r#"{"key":"","value":null}"#).starts_with("key "));
}

#[test]
fn bytes_come_as_base64() {
    let line = json(r#"{"key_base64":"AP8=","value_base64":"aGk="}"#).unwrap();
    assert_eq!(line.key.as_deref(), Some(&[0, 255][..]));
    assert_eq!(line.value.as_deref(), Some(&b"hi"[..]));
    assert!(refused(r#"{"value_base64":"?"}"#).starts_with("value_base64 "));
    assert!(refused(r#"{"value":"a","value_base64":"aGk="}"#).starts_with("value "));
}

#[test]
fn headers_keep_order_and_names_may_come_again() {
    let pairs = json(r#"{"value":"","headers":[["n","2"],["n","1"],["m",{"x":1}]]}"#).unwrap();
    let wanted = [
        pair("n", Some(b"2")),
        pair("n", Some(b"1")),
        pair("m", Some(br#"{"x":1}"#)),
    ];
    assert_eq!(pairs.headers, wanted);
    let object = json(r#"{"value":"","headers":{"n":"2","n":"1"}}"#).unwrap();
    assert_eq!(object.headers, wanted[..2]);
}

#[test]
fn a_broken_object_is_refused_with_its_field_or_column_and_a_remedy() {
    for (line, words) in [
        (
            r#"{"vlaue":"x"}"#,
            "unknown field `vlaue`, expected one of `value`",
        ),
        (r#"{"key":"x"}"#, "value is missing; give text"),
        (
            r#"{"value":1,"partition":-1}"#,
            "partition is -1; give a whole number",
        ),
        (
            r#"{"value":1,"partition":3000000000}"#,
            "partition is 3000000000; give",
        ),
        (
            r#"{"value":1,"timestamp":-1}"#,
            "timestamp is -1; give milliseconds",
        ),
        (
            r#"{"value":1,"timestamp":"now"}"#,
            "timestamp is \"now\"; give",
        ),
        (
            r#"{"value":1,"partition_key":""}"#,
            "partition_key is empty; leave it out",
        ),
        (r#"{"value":1,"headers":"x"}"#, "headers "),
        (r#"{"value":1,"headers":[["x"]]}"#, "headers "),
        (r#"{"value":1,"value":2}"#, "duplicate field `value`"),
        (r#"{"value":"\ud800"}"#, "value is no text"),
        (r#"{"value":1"#, "column 10: not JSON"),
        (r#"{"value":1} {"value":2}"#, "column 13: not JSON"),
        ("[1]", "is not a JSON object; write one"),
    ] {
        let said = refused(line);
        assert!(said.contains(words), "{line}: {said}");
        assert!(said.contains("; "), "no remedy: {said}");
    }
}

#[test]
fn blank_lines_between_objects_are_no_records() {
    let template = Template::default();
    assert_eq!(template.read(InputFormat::Ndjson, b" \t\r\n"), Ok(None));
}

#[test]
fn the_command_line_gives_what_the_input_does_not() {
    let template = template(&[
        "-k",
        "K",
        "-H",
        "a=1",
        "-H",
        "a=2",
        "-p",
        "3",
        "--partition-key",
        "P",
        "--timestamp",
        "9",
    ]);
    let line = br#"{"value":"v","headers":{"b":"3"}}"#;
    let read = template.read(InputFormat::Ndjson, line).unwrap().unwrap();
    assert_eq!(read.key.as_deref(), Some(&b"K"[..]));
    let names = [
        pair("a", Some(b"1")),
        pair("a", Some(b"2")),
        pair("b", Some(b"3")),
    ];
    assert_eq!(read.headers, names);
    assert_eq!((read.partition, read.timestamp), (Some(3), Some(9)));
    assert_eq!(read.partition_key.as_deref(), Some(&b"P"[..]));

    let line = br#"{"value":"v","key":"own","partition":1,"partition_key":"q","timestamp":5}"#;
    let read = template.read(InputFormat::Ndjson, line).unwrap().unwrap();
    assert_eq!(read.key.as_deref(), Some(&b"own"[..]));
    assert_eq!((read.partition, read.timestamp), (Some(1), Some(5)));
    assert_eq!(read.partition_key.as_deref(), Some(&b"q"[..]));
}

/// Gives a few bytes at a time, as a slow pipe does, with interruptions.
struct Dribble(Cursor<Vec<u8>>, usize);

impl Read for Dribble {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.1 += 1;
        if self.1 % 3 == 0 {
            return Err(io::ErrorKind::Interrupted.into());
        }
        let few = into.len().min(3);
        self.0.read(&mut into[..few])
    }
}

fn all<R: Read>(mut blocks: Blocks<R>) -> Vec<(u64, String)> {
    let mut lines = Vec::new();
    while let Some(block) = blocks.next_block().unwrap() {
        assert_eq!(block.source, 4);
        for (number, line) in block.lines() {
            lines.push((number, String::from_utf8(line.to_vec()).unwrap()));
        }
    }
    lines
}

#[test]
fn lines_keep_their_numbers_however_the_bytes_come() {
    let text = "one\n\ntwo is longer\nthree";
    let wanted = [
        (1, "one\n"),
        (2, "\n"),
        (3, "two is longer\n"),
        (4, "three"),
    ]
    .map(|(number, line)| (number, line.to_owned()));
    assert_eq!(all(Blocks::new(text.as_bytes(), 4, LINE_MAX)), wanted);
    let slow = Dribble(Cursor::new(text.into()), 0);
    assert_eq!(all(Blocks::new(slow, 4, LINE_MAX)), wanted);
}

#[test]
fn a_pipe_that_pauses_gives_the_lines_it_has() {
    let mut blocks = Blocks::new(Dribble(Cursor::new(b"a\nb\nc\n".to_vec()), 0), 0, LINE_MAX);
    let first = blocks.next_block().unwrap().unwrap();
    assert_eq!(first.lines().count(), 1);
}

#[test]
fn a_line_over_several_reads_is_whole() {
    let long = format!("{}\nx\n", "y".repeat(300_000));
    let lines = all(Blocks::new(long.as_bytes(), 4, LINE_MAX));
    assert_eq!(lines.len(), 2);
    assert_eq!(lines[0].1.len(), 300_001);
}

#[test]
fn a_line_without_end_is_refused_in_bounded_memory() {
    let mut blocks = Blocks::new(io::repeat(b'x'), 0, 1 << 20);
    let error = blocks.next_block().unwrap_err();
    assert_eq!(error.line, 1);
    assert!(
        error.reason.contains("longer than 1048576 bytes"),
        "{}",
        error.reason
    );
    assert!(matches!(blocks.next_block(), Ok(None)));
    const { assert!(LINE_MAX > 1 << 20) };
}

#[test]
fn a_read_error_names_the_line_that_could_not_be_read() {
    struct Breaks(u8);
    impl Read for Breaks {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            self.0 += 1;
            if self.0 > 1 {
                return Err(io::Error::other("the disk is gone"));
            }
            into[..4].copy_from_slice(b"a\nb\n");
            Ok(4)
        }
    }
    let mut blocks = Blocks::new(Breaks(0), 0, LINE_MAX);
    assert!(blocks.next_block().unwrap().is_some());
    let error = blocks.next_block().unwrap_err();
    assert_eq!(error.line, 3);
    assert!(error.reason.contains("the disk is gone"));
}
