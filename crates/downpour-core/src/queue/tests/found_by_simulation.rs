//! What seeds of the simulator found, one fact a test.

use downpour_wire::error_code::ErrorCode as E;

use super::harness::Bench;
use crate::queue::Drain;

#[test]
fn a_leader_that_lost_its_office_after_the_append_leaves_the_record_unknown() {
    let mut bench = Bench::new();
    bench.batch(&["a"]);
    let sent = bench.send();
    // The offset tells that it had appended before it was deposed.
    bench.answer(&sent, E::NOT_LEADER_OR_FOLLOWER, 41);
    bench.sleep(2000);
    let again = bench.send();
    bench.answer(&again, E::TOPIC_AUTHORIZATION_FAILED, -1);
    assert!(
        bench
            .verdict(0)
            .starts_with("unknown: TOPIC_AUTHORIZATION_FAILED")
    );
}

#[test]
fn a_broker_that_never_was_the_leader_leaves_the_record_unwritten() {
    let mut bench = Bench::new();
    bench.batch(&["a"]);
    let sent = bench.send();
    bench.answer(&sent, E::NOT_LEADER_OR_FOLLOWER, -1);
    bench.sleep(2000);
    let again = bench.send();
    bench.answer(&again, E::TOPIC_AUTHORIZATION_FAILED, -1);
    assert!(
        bench
            .verdict(0)
            .starts_with("failed: TOPIC_AUTHORIZATION_FAILED")
    );
}

#[test]
fn after_a_long_lull_the_first_batch_goes_alone_again() {
    let mut bench = Bench::new();
    bench.prove();
    bench.sleep(24 * 3600 * 1000);
    // The broker may have forgotten this producer: were this batch refused and the next one
    // already there, the next one would be appended first.
    bench.batch(&["first"]);
    let first = bench.send();
    bench.batch(&["second"]);
    assert!(matches!(bench.drain(), Drain::Blocked));
    bench.answer(&first, E::NONE, 1);
    bench.send();
}

#[test]
fn nothing_new_pushes_a_doubtful_batch_out_of_the_broker_s_memory() {
    let mut bench = Bench::new();
    bench.prove();
    let sent = bench.send_batches(&[&["a"], &["b"], &["c"], &["d"], &["e"]]);
    for (doubtful, offset) in sent[..4].iter().zip(1..) {
        bench.answer(doubtful, E::NOT_ENOUGH_REPLICAS_AFTER_APPEND, offset);
    }
    bench.answer(&sent[4], E::NONE, 5);
    bench.batch(&["f"]);
    bench.sleep(2000);
    let first = bench.send();
    bench.answer(&first, E::NONE, 1);
    // The broker remembers a to e. Were f and g with these, a second loss of the answers would
    // find it with c to g, and b could not be recognised.
    let again = [bench.send(), bench.send(), bench.send()];
    assert_eq!(again[2].values, ["d"]);
    assert!(matches!(bench.drain(), Drain::Blocked));
    for (batch, offset) in again.iter().zip(2..) {
        bench.answer(batch, E::NONE, offset);
    }
    assert_eq!(bench.send().values, ["f"]);
}
