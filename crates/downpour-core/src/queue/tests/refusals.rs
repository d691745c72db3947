//! What brokers refuse, and what is learnt from it.

use std::sync::Arc;

use downpour_wire::codec::{Compression, CompressionType};
use downpour_wire::error_code::ErrorCode as E;

use super::harness::{Bench, SECOND, Sent, config};
use crate::config::Config;
use crate::event::Event;
use crate::ids::MemoryLine;
use crate::output::Output;
use crate::queue::{Answer, Drain, Queue, QueueSettings, RecordRefusal};

/// Refuses the records of these indexes by name.
fn refuse(bench: &mut Bench, sent: &Sent, indexes: &[u32]) {
    let mut answer = Answer::of(E::INVALID_RECORD);
    let message = Some(Arc::from("no key in a compacted topic"));
    let named = indexes.iter().map(|&index| RecordRefusal {
        index,
        message: message.clone(),
    });
    answer.refusals = named.collect();
    bench
        .queue
        .handle_answer(sent.send_id, &answer, bench.now, &mut bench.out);
}

const REFUSED: &str = "failed: INVALID_RECORD (87): no key in a compacted topic";

#[test]
fn records_that_are_not_named_go_again_once_in_their_place() {
    for compression in [CompressionType::None, CompressionType::Lz4] {
        let mut bench = Bench::new().compressed(Compression::new(compression));
        bench.prove();
        bench.batch(&["a", "b", "c", "d"]);
        let sent = bench.send();
        bench.batch(&["behind"]);
        let behind = bench.send();
        // A name that is no record's is nobody's.
        refuse(&mut bench, &sent, &[77, 1]);
        assert_eq!(bench.verdicts()[&(1, 1)], REFUSED);
        assert_eq!(bench.verdicts().len(), 1);
        bench.answer(&behind, E::OUT_OF_ORDER_SEQUENCE_NUMBER, -1);
        // The sequences of what was refused are spent.
        assert!(matches!(bench.drain(), Drain::NeedBump(_)));
        bench.identity = Some(SECOND);
        for (values, offset) in [(&["a"][..], 10), (&["c", "d"], 11), (&["behind"], 13)] {
            let again = bench.send();
            assert_eq!(again.values, values);
            bench.answer(&again, E::NONE, offset);
        }
        let verdicts = bench.verdicts();
        assert_eq!(verdicts[&(1, 0)], "delivered 10");
        assert_eq!(verdicts[&(1, 3)], "delivered 12");
        assert_eq!(verdicts[&(2, 0)], "delivered 13");
        assert_eq!(bench.lent(), 0);
    }
}

#[test]
fn what_is_refused_again_fails_as_a_whole() {
    let mut bench = Bench::new();
    bench.batch(&["a", "b", "c"]);
    let sent = bench.send();
    refuse(&mut bench, &sent, &[0]);
    bench.identity = Some(SECOND);
    let rest = bench.send();
    assert_eq!(rest.values, ["b", "c"]);
    refuse(&mut bench, &rest, &[1]);
    let verdicts = bench.verdicts();
    assert_eq!(verdicts[&(0, 0)], REFUSED);
    assert_eq!(verdicts[&(0, 2)], REFUSED);
    assert!(verdicts[&(0, 1)].contains("another record"));
    assert_eq!(bench.lent(), 0);
    assert!(bench.queue.is_empty());
}

#[test]
fn a_batch_of_which_all_is_named_is_over() {
    let mut bench = Bench::new();
    bench.batch(&["a", "b"]);
    let sent = bench.send();
    refuse(&mut bench, &sent, &[0, 1]);
    assert_eq!(bench.verdicts()[&(0, 0)], REFUSED);
    assert_eq!(bench.verdicts()[&(0, 1)], REFUSED);
    assert!(bench.queue.is_empty());
    assert_eq!(bench.lent(), 0);
}

/// Each verdict looks at all who wait for the batch.
#[test]
fn neighbours_of_whom_the_same_is_said_share_a_verdict() {
    let mut bench = Bench::new();
    bench.batch(&["v"; 300]);
    let sent = bench.send();
    let mut named: Vec<u32> = (0..300).collect();
    named.retain(|index| *index != 200);
    refuse(&mut bench, &sent, &named);
    let resolved = bench.out.iter().filter_map(|output| match output {
        Output::Resolve { first, count, .. } => Some((*first, *count)),
        _ => None,
    });
    assert!(resolved.eq([(0, 200), (200, 1), (201, 99)]));
    assert_eq!(bench.verdicts().len(), 300);
}

#[test]
fn what_is_refused_in_too_many_places_fails_as_a_whole() {
    for (named, go_again) in [(100, true), (101, false)] {
        let mut bench = Bench::new();
        bench.batch(&["v"; 300]);
        let sent = bench.send();
        let indexes: Vec<u32> = (0..named).map(|at| 2 * at).collect();
        refuse(&mut bench, &sent, &indexes);
        assert_eq!(bench.queue.is_empty(), !go_again);
        assert_eq!(bench.verdicts().len() == 300, !go_again);
    }
}

#[test]
fn in_doubt_nothing_of_a_refused_batch_goes_again() {
    let mut bench = Bench::new();
    bench.batch(&["a", "b"]);
    let sent = bench.send();
    bench.lose(&sent, true);
    bench.sleep(2000);
    let again = bench.send();
    refuse(&mut bench, &again, &[0]);
    assert!(bench.verdict(0).starts_with("unknown: INVALID_RECORD"));
    assert!(bench.queue.is_empty());
}

#[test]
fn an_unknown_server_error_is_tried_again_where_the_broker_recognises_the_batch() {
    let mut bench = Bench::new();
    bench.batch(&["a"]);
    let sent = bench.send();
    assert!(
        bench.answer(&sent, E::UNKNOWN_SERVER_ERROR, -1),
        "a look at who leads"
    );
    bench.sleep(2000);
    let again = bench.send();
    assert_eq!(again.bytes, sent.bytes);
    bench.answer(&again, E::DUPLICATE_SEQUENCE_NUMBER, -1);
    assert_eq!(bench.verdict(0), "delivered");
}

#[test]
fn an_unknown_server_error_that_stays_leaves_the_record_unknown() {
    for (pause, sendings) in [(1500, 6), (4000, 4)] {
        let mut bench = Bench::new();
        bench.batch(&["a"]);
        for _ in 0..sendings {
            assert_eq!(bench.verdict(0), "none");
            let sent = bench.send();
            bench.answer(&sent, E::UNKNOWN_SERVER_ERROR, -1);
            bench.sleep(pause);
        }
        assert!(
            bench
                .verdict(0)
                .starts_with("unknown: UNKNOWN_SERVER_ERROR"),
            "{}",
            bench.verdict(0)
        );
    }
}

#[test]
fn without_idempotence_an_unknown_server_error_is_the_end() {
    let mut config = config();
    config.idempotence = false;
    let mut bench = Bench::with(&config);
    bench.batch(&["a"]);
    let sent = bench.send();
    bench.answer(&sent, E::UNKNOWN_SERVER_ERROR, -1);
    assert!(bench.verdict(0).starts_with("unknown: "));
}

fn lost_data(bench: &Bench) -> Vec<i64> {
    let lost = |output: &Output<u32>| match output {
        Output::Event(Event::DataLost { acknowledged, .. }) => Some(*acknowledged),
        _ => None,
    };
    bench.out.iter().filter_map(lost).collect()
}

#[test]
fn a_broker_that_misses_what_it_acknowledged_is_told_of() {
    let mut bench = Bench::new();
    bench.batch(&["a", "b"]);
    let sent = bench.send();
    bench.answer(&sent, E::NONE, 41);
    bench.batch(&["c"]);
    let sent = bench.send();
    bench.answer(&sent, E::OUT_OF_ORDER_SEQUENCE_NUMBER, -1);
    assert_eq!(lost_data(&bench), [42]);
    bench.identity = Some(SECOND);
    bench.sleep(2000);
    let again = bench.send();
    bench.answer(&again, E::NONE, 42);
    assert_eq!(bench.verdict(1), "delivered 42");
    assert_eq!(lost_data(&bench).len(), 1);
}

#[test]
fn by_a_setting_the_batch_fails_behind_which_data_was_lost() {
    let mut config = config();
    config.fail_on_data_loss = true;
    let mut bench = Bench::with(&config);
    bench.prove();
    let sent = bench.send_batches(&[&["a"], &["b"]]);
    bench.answer(&sent[0], E::OUT_OF_ORDER_SEQUENCE_NUMBER, -1);
    bench.answer(&sent[1], E::OUT_OF_ORDER_SEQUENCE_NUMBER, -1);
    assert_eq!(lost_data(&bench).len(), 1);
    let verdict = bench.verdict(1);
    assert!(
        verdict.starts_with("failed: the broker lost records"),
        "{verdict}"
    );
    // What was behind it is in no log, and goes on under a new epoch.
    bench.identity = Some(SECOND);
    bench.sleep(2000);
    let again = bench.send();
    bench.answer(&again, E::NONE, 42);
    assert_eq!(bench.verdict(2), "delivered 42");
}

#[test]
fn a_gap_that_is_known_is_no_lost_data() {
    let mut bench = Bench::new();
    bench.prove();
    let sent = bench.send_batches(&[&["a"], &["b"]]);
    bench.answer(&sent[0], E::NOT_ENOUGH_REPLICAS, -1);
    bench.answer(&sent[1], E::OUT_OF_ORDER_SEQUENCE_NUMBER, -1);
    assert!(lost_data(&bench).is_empty());
}

/// A kilobyte a batch, up to 16 while every slot is taken.
fn small() -> Config {
    let mut config = config();
    config.batch_size = 1024;
    config.batch_max = 16 << 10;
    config.max_in_flight = 1;
    config
}

/// Sends a batch of so many records of 100 bytes, which grew behind another one.
fn grown(bench: &mut Bench, records: usize) -> Sent {
    bench.batch(&["first"]);
    let first = bench.send();
    let values = vec!["x".repeat(100); records];
    let values: Vec<&str> = values.iter().map(String::as_str).collect();
    bench.batch(&values);
    bench.answer(&first, E::NONE, 0);
    bench.send()
}

/// The same, delivered; how many bytes the batch had.
fn grown_len(bench: &mut Bench, records: usize) -> usize {
    let sent = grown(bench, records);
    bench.answer(&sent, E::NONE, 0);
    largest(bench);
    sent.bytes.len()
}

/// Sends all that waits and returns how many bytes the largest batch had.
fn largest(bench: &mut Bench) -> usize {
    let mut largest = 0;
    while !bench.queue.is_empty() {
        let sent = bench.send();
        largest = largest.max(sent.bytes.len());
        bench.answer(&sent, E::NONE, 0);
    }
    largest
}

#[test]
fn batches_stay_below_what_a_broker_refused() {
    let mut bench = Bench::with(&small());
    let sent = grown(&mut bench, 60);
    assert!(sent.bytes.len() > 6000);
    bench.answer(&sent, E::MESSAGE_TOO_LARGE, -1);
    assert!(largest(&mut bench) <= 1024 + 61);
    // What grows from now on stops where the parts ended.
    let len = grown_len(&mut bench, 60);
    assert!(len <= 1024 + 61, "{len}");
    // A smaller limit is found in steps.
    let sent = grown(&mut bench, 8);
    bench.answer(&sent, E::MESSAGE_TOO_LARGE, -1);
    assert!(largest(&mut bench) <= 512 + 200);
}

#[test]
fn a_minute_without_a_refusal_lets_batches_be_twice_as_large() {
    let mut bench = Bench::with(&small());
    let sent = grown(&mut bench, 60);
    bench.answer(&sent, E::MESSAGE_TOO_LARGE, -1);
    largest(&mut bench);
    let mut before = 1024 + 61;
    for _ in 0..4 {
        bench.sleep(60_000);
        // The time is looked at when a batch opens.
        grown_len(&mut bench, 1);
        let len = grown_len(&mut bench, 200);
        assert!(len > before, "{len} after {before}");
        before = len;
    }
    assert!(bench.queue.ceiling.is_none(), "all of it is used again");
}

#[test]
fn a_topic_made_anew_has_no_limit_until_it_says_so() {
    let mut bench = Bench::with(&small());
    let sent = grown(&mut bench, 60);
    bench.answer(&sent, E::MESSAGE_TOO_LARGE, -1);
    largest(&mut bench);
    bench.queue.handle_made_anew();
    assert!(grown_len(&mut bench, 60) > 6000);
}

#[test]
fn producers_of_a_fleet_come_back_at_different_times() {
    let retry_at = |seed| {
        let settings = QueueSettings::from(&config());
        let mut bench = Bench::new();
        bench.queue = Queue::new(Arc::from("t"), 0, MemoryLine(Some(1)), settings, seed);
        let began = bench.now;
        bench.batch(&["a"]);
        let sent = bench.send();
        bench.answer(&sent, E::NOT_ENOUGH_REPLICAS, -1);
        match bench.drain() {
            Drain::Until(at) => at - began,
            other => panic!("{other:?}"),
        }
    };
    assert_ne!(retry_at(1), retry_at(2));
}
