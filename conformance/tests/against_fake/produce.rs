//! What is asked of Produce, sound and broken, a few requests each. A script has a partition of its
//! own; what its producers send elsewhere disturbs nobody.

use downpour_wire::batch::{BatchBuilder, Stamp};
use downpour_wire::codec::{Compression, CompressionType, Compressor};
use downpour_wire::header::encode_request;
use downpour_wire::record::RecordRef;

use crate::batches::{Batch, Row, message, row};
use crate::talk::Talk;

/// A script, by its name.
pub(crate) type Script = (&'static str, fn(&mut Talk<'_>));

/// Topics with settings of their own, and with which; every one has a partition per script.
pub(crate) const KINDS: &[(&str, &[(&str, &str)])] = &[
    ("plain", &[]),
    ("compact", &[("cleanup.policy", "compact")]),
    ("append", &[("message.timestamp.type", "LogAppendTime")]),
    ("small", &[("max.message.bytes", "200")]),
];

fn one(t: &Talk<'_>) -> Batch {
    Batch::of(t.now_ms, vec![row("k", "v")])
}

fn some(t: &Talk<'_>, count: usize) -> Batch {
    Batch::of(
        t.now_ms,
        (0..count).map(|n| row("k", &format!("v{n}"))).collect(),
    )
}

fn seq(t: &Talk<'_>, epoch: i16, sequence: i32, count: usize) -> Batch {
    some(t, count).stamped(t.producer(), epoch, sequence)
}

fn send_all(t: &mut Talk<'_>, stamps: &[(i16, i32, usize)]) {
    for (epoch, sequence, count) in stamps {
        let batch = seq(t, *epoch, *sequence, *count);
        t.send(&batch);
    }
}

fn changed(t: &mut Talk<'_>, change: impl FnOnce(&mut Batch)) {
    let batch = some(t, 2).with(change);
    t.send(&batch);
}

fn coded(t: &mut Talk<'_>, codec: CompressionType) -> Vec<u8> {
    let mut builder = BatchBuilder::new();
    builder.add_chunk(Vec::with_capacity(4096));
    for value in ["a", "b", "c"] {
        let record = RecordRef {
            key: Some(b"key"),
            value: Some(value.as_bytes()),
            headers: &[],
            timestamp: t.now_ms,
        };
        builder.try_append(&record).expect("room");
    }
    let sealed = builder.seal(Compression::new(codec), &mut Compressor::new());
    sealed
        .map_err(|error| error.kind)
        .expect("the codec is there")
        .to_vec(&Stamp::NONE)
}

fn reseal(bytes: &mut [u8]) {
    let crc = downpour_wire::crc::crc32c(&bytes[21..]);
    bytes[17..21].copy_from_slice(&crc.to_be_bytes());
}

/// All scripts for one version of Produce. Each reads its partition back at the end.
pub(crate) const SCRIPTS: &[Script] = &[
    ("sound batches", |t| {
        let batches = [one(t), some(t, 3)];
        batches.iter().for_each(|batch| t.send(batch));
    }),
    ("headers, nulls, empty", |t| {
        let rows = vec![
            Row {
                key: None,
                value: None,
                ..row("", "")
            },
            Row {
                headers: vec![("h".into(), None), ("h".into(), Some(vec![1]))],
                ..row("", "")
            },
        ];
        let batch = Batch::of(t.now_ms, rows);
        t.send(&batch);
    }),
    ("codec gzip", |t| {
        let b = coded(t, CompressionType::Gzip);
        t.send_bytes(b)
    }),
    ("codec snappy", |t| {
        let b = coded(t, CompressionType::Snappy);
        t.send_bytes(b)
    }),
    ("codec lz4", |t| {
        let b = coded(t, CompressionType::Lz4);
        t.send_bytes(b)
    }),
    ("codec zstd", |t| {
        let b = coded(t, CompressionType::Zstd);
        t.send_bytes(b)
    }),
    ("codec that is none", |t| changed(t, |b| b.attributes = 5)),
    ("gzip that is no gzip", |t| changed(t, |b| b.attributes = 1)),
    ("snappy that is no snappy", |t| {
        changed(t, |b| b.attributes = 2)
    }),
    ("lz4 that is no lz4", |t| changed(t, |b| b.attributes = 3)),
    ("zstd that is no zstd", |t| changed(t, |b| b.attributes = 4)),
    ("gzip with a wrong maximum timestamp", |t| {
        let mut bytes = coded(t, CompressionType::Gzip);
        bytes[35..43].copy_from_slice(&(t.now_ms - 7000).to_be_bytes());
        reseal(&mut bytes);
        t.send_bytes(bytes);
    }),
    ("wrong checksum", |t| changed(t, |b| b.crc = Some(1))),
    ("magic 0", |t| changed(t, |b| b.magic = 0)),
    ("magic 1", |t| changed(t, |b| b.magic = 1)),
    ("magic 3", |t| changed(t, |b| b.magic = 3)),
    ("message of magic 0", |t| {
        let m = message(0, t.now_ms);
        t.send_bytes(m)
    }),
    ("message of magic 1", |t| {
        let m = message(1, t.now_ms);
        t.send_bytes(m)
    }),
    ("no records", |t| {
        // It takes eight seconds to hear nothing.
        if t.version != 8 {
            return;
        }
        let request = t.request(-1, vec![("plain".to_owned(), vec![(t.place, None)])]);
        t.produce(&request);
    }),
    ("empty records", |t| t.send_bytes(Vec::new())),
    ("ten bytes", |t| t.send_bytes(vec![0; 10])),
    ("zeros", |t| t.send_bytes(vec![0; 100])),
    ("half a batch", |t| {
        let bytes = one(t).bytes();
        t.send_bytes(bytes[..bytes.len() - 3].to_vec());
    }),
    ("two batches", |t| {
        let both = [one(t).bytes(), one(t).bytes()].concat();
        t.send_bytes(both);
    }),
    ("a batch and a few bytes", |t| {
        let both = [one(t).bytes(), vec![0; 5]].concat();
        t.send_bytes(both);
    }),
    ("length too small", |t| changed(t, |b| b.length = Some(40))),
    ("length negative", |t| changed(t, |b| b.length = Some(-1))),
    ("empty batch", |t| {
        let batch = Batch::of(t.now_ms, Vec::new());
        t.send(&batch);
    }),
    ("empty batch by a producer", |t| {
        let batch = Batch::of(t.now_ms, Vec::new()).stamped(t.producer(), 0, 0);
        t.send(&batch);
    }),
    ("count too high", |t| {
        changed(t, |b| {
            b.count = Some(3);
            b.last_offset_delta = Some(2)
        })
    }),
    ("count too low", |t| {
        changed(t, |b| {
            b.count = Some(1);
            b.last_offset_delta = Some(0)
        })
    }),
    ("count negative", |t| changed(t, |b| b.count = Some(-1))),
    ("last offset delta too high", |t| {
        changed(t, |b| b.last_offset_delta = Some(9))
    }),
    ("last offset delta negative", |t| {
        changed(t, |b| b.last_offset_delta = Some(-1))
    }),
    ("base offset 5", |t| changed(t, |b| b.base_offset = 5)),
    ("base offset negative", |t| {
        changed(t, |b| b.base_offset = -5)
    }),
    ("leader epoch of the client", |t| {
        changed(t, |b| b.leader_epoch = 3)
    }),
    ("offsets that do not count up", |t| {
        changed(t, |b| b.rows[1].offset_delta = Some(5))
    }),
    ("records that end too early", |t| {
        changed(t, |b| {
            let mut p = b.records();
            p.truncate(p.len() - 4);
            b.payload = Some(p)
        });
    }),
    ("bytes behind the records", |t| {
        changed(t, |b| {
            let mut p = b.records();
            p.extend([0; 4]);
            b.payload = Some(p)
        });
    }),
    ("a record's length that is too long", |t| {
        changed(t, |b| {
            let mut p = b.records();
            p[0] = 0x7e;
            b.payload = Some(p)
        });
    }),
    ("maximum timestamp too high", |t| {
        let now = t.now_ms;
        changed(t, |b| b.max_timestamp = Some(now - 9))
    }),
    ("maximum timestamp -1", |t| {
        changed(t, |b| b.max_timestamp = Some(-1))
    }),
    ("timestamps that go back", |t| {
        changed(t, |b| {
            b.rows[0].timestamp_delta = -5;
            b.rows[1].timestamp_delta = -9
        });
    }),
    ("timestamps of 1970", |t| {
        changed(t, |b| b.base_timestamp = 0)
    }),
    ("timestamps of -1", |t| {
        changed(t, |b| b.base_timestamp = -1)
    }),
    ("timestamps of -9", |t| {
        changed(t, |b| b.base_timestamp = -9)
    }),
    ("timestamps of a day ago", |t| {
        changed(t, |b| b.base_timestamp -= 90_000_000)
    }),
    ("timestamps in 59 minutes", |t| {
        changed(t, |b| b.base_timestamp += 3_540_000)
    }),
    ("timestamps in 61 minutes", |t| {
        changed(t, |b| b.base_timestamp += 3_660_000)
    }),
    ("one timestamp in 61 minutes", |t| {
        changed(t, |b| b.rows[1].timestamp_delta = 3_660_000)
    }),
    ("one timestamp in 61 minutes, gzip", |t| {
        let mut bytes = coded(t, CompressionType::Gzip);
        let far = (t.now_ms + 3_660_000).to_be_bytes();
        bytes[27..35].copy_from_slice(&far);
        bytes[35..43].copy_from_slice(&far);
        reseal(&mut bytes);
        t.send_bytes(bytes);
    }),
    ("marked as log append time", |t| {
        changed(t, |b| b.attributes = 8)
    }),
    ("a delete horizon", |t| changed(t, |b| b.attributes = 0x40)),
    ("unknown attributes", |t| {
        changed(t, |b| b.attributes = 0x100)
    }),
    ("control batch", |t| changed(t, |b| b.attributes = 0x20)),
    ("control batch by a producer", |t| {
        let batch = seq(t, 0, 0, 1).with(|b| b.attributes = 0x20);
        t.send(&batch);
    }),
    ("transactional without an id", |t| {
        changed(t, |b| b.attributes = 0x10)
    }),
    ("transactional by a producer", |t| {
        let batch = seq(t, 0, 0, 1).with(|b| b.attributes = 0x10);
        t.send(&batch);
    }),
    ("sequence 0 without a producer", |t| {
        changed(t, |b| b.base_sequence = 0)
    }),
    ("epoch 0 without a producer", |t| {
        changed(t, |b| b.producer_epoch = 0)
    }),
    ("epoch and sequence without a producer", |t| {
        changed(t, |b| {
            b.producer_epoch = 3;
            b.base_sequence = 7
        });
    }),
    ("producer -2", |t| changed(t, |b| b.producer_id = -2)),
    ("sequence -1 of a producer", |t| send_all(t, &[(0, -1, 1)])),
    ("sequence -5 of a producer", |t| send_all(t, &[(0, -5, 1)])),
    ("epoch -1 of a producer", |t| {
        send_all(
            t,
            &[(-1, 0, 1), (-1, 1, 1), (-1, 7, 1), (-1, 1, 1), (0, 0, 1)],
        )
    }),
    ("sequences in order", |t| {
        send_all(t, &[(0, 0, 2), (0, 2, 1), (0, 3, 4)])
    }),
    ("first sequence 7", |t| {
        send_all(t, &[(0, 7, 1), (0, 8, 1), (0, 0, 1)])
    }),
    ("gaps", |t| {
        send_all(t, &[(0, 0, 2), (0, 3, 1), (0, 1, 1), (0, 2, 1)])
    }),
    ("duplicates within five", |t| {
        send_all(
            t,
            &[
                (0, 0, 2),
                (0, 2, 2),
                (0, 4, 2),
                (0, 6, 2),
                (0, 8, 2),
                (0, 0, 2),
                (0, 4, 2),
                (0, 8, 2),
            ],
        );
    }),
    ("duplicate beyond five", |t| {
        send_all(
            t,
            &[
                (0, 0, 1),
                (0, 1, 1),
                (0, 2, 1),
                (0, 3, 1),
                (0, 4, 1),
                (0, 5, 1),
                (0, 0, 1),
                (0, 1, 1),
            ],
        );
    }),
    ("duplicate that is longer or shorter", |t| {
        send_all(
            t,
            &[
                (0, 0, 2),
                (0, 2, 2),
                (0, 2, 3),
                (0, 2, 1),
                (0, 0, 4),
                (0, 3, 1),
            ],
        );
    }),
    ("old epoch", |t| {
        send_all(t, &[(2, 0, 1), (1, 1, 1), (0, 0, 1), (2, 1, 1)])
    }),
    ("next epoch", |t| {
        send_all(
            t,
            &[
                (0, 0, 1),
                (1, 1, 1),
                (1, 0, 1),
                (1, 0, 1),
                (0, 1, 1),
                (1, 1, 1),
            ],
        )
    }),
    ("epoch far ahead", |t| {
        send_all(t, &[(0, 5, 1), (32767, 0, 1), (32767, 1, 1)])
    }),
    ("sequences that wrap", |t| {
        send_all(
            t,
            &[
                (0, i32::MAX - 1, 1),
                (0, i32::MAX, 1),
                (0, 0, 1),
                (0, i32::MAX, 1),
            ],
        );
    }),
    ("a batch that wraps", |t| {
        send_all(t, &[(0, i32::MAX - 1, 4), (0, 2, 1), (0, i32::MAX - 1, 4)]);
    }),
    ("duplicate with another checksum", |t| {
        send_all(t, &[(0, 0, 1)]);
        let batch = seq(t, 0, 0, 1).with(|b| b.rows[0].value = Some(b"other".to_vec()));
        t.send(&batch);
        let batch = batch.with(|b| b.crc = Some(9));
        t.send(&batch);
    }),
    ("duplicate of old records", |t| {
        for _ in 0..2 {
            let batch = seq(t, 0, 0, 1).with(|b| b.base_timestamp -= 90_000_000);
            t.send(&batch);
        }
    }),
    ("unknown partition", |t| {
        let request = t.request(
            -1,
            vec![("plain".to_owned(), vec![(5000, Some(one(t).bytes()))])],
        );
        t.produce(&request);
    }),
    ("negative partition", |t| {
        let request = t.request(
            -1,
            vec![("plain".to_owned(), vec![(-1, Some(one(t).bytes()))])],
        );
        t.produce(&request);
    }),
    ("unknown topic", |t| {
        let request = t.request(-1, vec![("nobody".into(), vec![(0, Some(one(t).bytes()))])]);
        t.produce(&request);
    }),
    ("a topic with a bad name", |t| {
        let request = t.request(-1, vec![("a b".into(), vec![(0, Some(one(t).bytes()))])]);
        t.produce(&request);
    }),
    ("good and bad partitions", |t| {
        let (good, bad) = (one(t).bytes(), one(t).with(|b| b.crc = Some(1)).bytes());
        let topics = vec![
            (
                "plain".to_owned(),
                vec![(t.place, Some(good.clone())), (6000, Some(good.clone()))],
            ),
            ("small".to_owned(), vec![(t.place, Some(bad))]),
            ("nobody".into(), vec![(0, Some(good))]),
        ];
        let request = t.request(-1, topics);
        t.produce(&request);
    }),
    ("a partition twice", |t| {
        let (first, second) = (one(t).bytes(), some(t, 2).bytes());
        let request = t.request(
            -1,
            vec![(
                "plain".to_owned(),
                vec![(t.place, Some(first)), (t.place, Some(second))],
            )],
        );
        t.produce(&request);
    }),
    ("a topic twice", |t| {
        let (first, second) = (one(t).bytes(), some(t, 2).bytes());
        let request = t.request(
            -1,
            vec![
                ("plain".to_owned(), vec![(t.place, Some(first))]),
                ("plain".to_owned(), vec![(t.place, Some(second))]),
            ],
        );
        t.produce(&request);
    }),
    ("a topic without partitions", |t| {
        let request = t.request(-1, vec![("plain".to_owned(), Vec::new())]);
        t.produce(&request);
    }),
    ("no topics", |t| {
        let request = t.request(-1, Vec::new());
        t.produce(&request);
    }),
    ("acks 1", |t| acks(t, 1)),
    ("acks 2", |t| acks(t, 2)),
    ("acks -2", |t| acks(t, -2)),
    ("acks 0", |t| acks(t, 0)),
    ("acks 0 to an unknown partition", |t| {
        let request = t.request(
            0,
            vec![("plain".to_owned(), vec![(5000, Some(one(t).bytes()))])],
        );
        t.produce(&request);
    }),
    ("acks 0 with a wrong checksum", |t| {
        let bytes = one(t).with(|b| b.crc = Some(1)).bytes();
        let request = t.request(0, vec![("plain".to_owned(), vec![(t.place, Some(bytes))])]);
        t.produce(&request);
    }),
    ("a negative timeout", |t| {
        let mut request = t.request(
            -1,
            vec![("plain".to_owned(), vec![(t.place, Some(one(t).bytes()))])],
        );
        request.timeout_ms = -7;
        t.produce(&request);
    }),
    ("a transactional id beside a plain batch", |t| {
        let mut request = t.request(
            -1,
            vec![("plain".to_owned(), vec![(t.place, Some(one(t).bytes()))])],
        );
        request.transactional_id = Some("tx".into());
        t.produce(&request);
    }),
    ("bytes behind the request", |t| {
        let request = t.request(
            -1,
            vec![("plain".to_owned(), vec![(t.place, Some(one(t).bytes()))])],
        );
        let mut frame = encode_request(&request, t.version, 4711, "differ").unwrap();
        frame.extend([1, 2, 3]);
        let length = i32::try_from(frame.len() - 4).unwrap();
        frame[..4].copy_from_slice(&length.to_be_bytes());
        t.produce_frame(&frame, true);
    }),
    ("a request that ends too early", |t| {
        let request = t.request(
            -1,
            vec![("plain".to_owned(), vec![(t.place, Some(one(t).bytes()))])],
        );
        let mut frame = encode_request(&request, t.version, 4711, "differ").unwrap();
        frame.truncate(frame.len() - 9);
        let length = i32::try_from(frame.len() - 4).unwrap();
        frame[..4].copy_from_slice(&length.to_be_bytes());
        t.produce_frame(&frame, true);
    }),
    ("compacted topic, a record without a key", |t| {
        let keyless = Row {
            key: None,
            ..row("", "v")
        };
        let batch = Batch::of(
            t.now_ms,
            vec![
                row("k", "v"),
                keyless.clone(),
                row("", "v"),
                keyless.clone(),
            ],
        );
        t.send_to("compact", &batch);
        let batch = Batch::of(t.now_ms, vec![keyless]).stamped(t.producer(), 0, 0);
        t.send_to("compact", &batch);
        let batch = Batch::of(t.now_ms, vec![row("k", "v")]).stamped(t.producer(), 0, 0);
        t.send_to("compact", &batch);
        t.read("compact");
    }),
    ("log append time", |t| {
        let batch = seq(t, 0, 0, 2);
        t.send_to("append", &batch);
        t.send_to("append", &batch);
        let old = one(t).with(|b| b.base_timestamp = 0);
        t.send_to("append", &old);
        let marked = one(t).with(|b| b.attributes = 8);
        t.send_to("append", &marked);
        t.read("append");
    }),
    ("too large", |t| {
        let large = Batch::of(t.now_ms, vec![row("k", &"x".repeat(300))]);
        t.send_to("small", &large);
        let wrong = large.clone().with(|b| b.crc = Some(1));
        t.send_to("small", &wrong);
        let by_producer = large.stamped(t.producer(), 0, 0);
        t.send_to("small", &by_producer);
        let fits = seq(t, 0, 0, 1);
        t.send_to("small", &fits);
        t.read("small");
    }),
    ("exactly as large as allowed", |t| {
        for fill in [200, 201] {
            let bare = Batch::of(t.now_ms, vec![row("k", &"x".repeat(128))])
                .bytes()
                .len();
            let batch = Batch::of(t.now_ms, vec![row("k", &"x".repeat(128 + fill - bare))]);
            assert_eq!(batch.bytes().len(), fill);
            t.send_to("small", &batch);
        }
        t.read("small");
    }),
];

fn acks(t: &mut Talk<'_>, acks: i16) {
    let request = t.request(
        acks,
        vec![("plain".to_owned(), vec![(t.place, Some(one(t).bytes()))])],
    );
    t.produce(&request);
}
