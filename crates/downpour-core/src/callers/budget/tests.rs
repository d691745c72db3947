//! Directed tests of the budget, and one of everything at random.

use super::*;
use crate::callers::waiters::counted::looks;
use crate::rng::Rng;

const ONE: MemoryLine = MemoryLine(Some(1));
const TWO: MemoryLine = MemoryLine(Some(2));
const THREE: MemoryLine = MemoryLine(Some(3));

fn shared(capacity: usize, lines: &[MemoryLine]) -> Budget<&'static str> {
    let mut budget = Budget::new(capacity);
    lines.iter().for_each(|line| budget.add_partition(*line));
    budget
}

#[test]
fn credit_is_lent_up_to_the_capacity() {
    let mut budget = Budget::<u8>::new(100);
    assert!(budget.try_reserve(ONE, 60));
    assert!(!budget.try_reserve(ONE, 41));
    assert!(budget.try_reserve(ONE, 40));
    budget.release(ONE, 100, &mut Vec::new());
    assert_eq!(budget.used(), 0);
}

#[test]
fn a_small_wish_does_not_overtake_a_large_one() {
    let mut budget = Budget::new(100);
    assert!(budget.try_reserve(ONE, 90));
    let (large, _) = budget.wait(ONE, 50, "large");
    assert!(!budget.try_reserve(ONE, 1));
    let (small, _) = budget.wait(ONE, 1, "small");
    let mut woken = Vec::new();
    budget.release(ONE, 20, &mut woken);
    assert!(woken.is_empty());
    budget.release(ONE, 40, &mut woken);
    assert_eq!(woken, ["large", "small"]);
    // Granted and not collected: nobody may slip in between.
    assert!(!budget.try_reserve(ONE, 1));
    assert_eq!(budget.collect(large), Some(50));
    assert_eq!(budget.collect(small), Some(1));
    assert!(budget.try_reserve(ONE, 1));
}

#[test]
fn a_cancelled_grant_goes_to_the_next() {
    let mut budget = Budget::new(10);
    assert!(budget.try_reserve(ONE, 10));
    let (first, _) = budget.wait(ONE, 10, "first");
    let (second, _) = budget.wait(ONE, 10, "second");
    let mut woken = Vec::new();
    budget.release(ONE, 10, &mut woken);
    budget.cancel(first, &mut woken);
    assert_eq!(woken, ["first", "second"]);
    assert_eq!(budget.collect(second), Some(10));
    budget.release(ONE, 10, &mut woken);
    assert_eq!(budget.used(), 0);
    assert!(!budget.has_waiters());
}

#[test]
fn a_waiter_that_leaves_lets_the_smaller_one_behind_it_through() {
    let mut budget = Budget::new(10);
    assert!(budget.try_reserve(ONE, 5));
    let (large, _) = budget.wait(ONE, 10, "large");
    let (small, _) = budget.wait(ONE, 5, "small");
    let mut woken = Vec::new();
    assert_eq!(budget.cancel(large, &mut woken), Some("large"));
    assert_eq!(woken, ["small"]);
    assert_eq!(budget.collect(small), Some(5));
}

#[test]
fn a_wish_larger_than_everything_is_granted_when_nothing_is_lent() {
    let mut budget = Budget::new(10);
    assert!(budget.try_reserve(ONE, 4));
    let (key, _) = budget.wait(ONE, 20, "huge");
    let mut woken = Vec::new();
    budget.release(ONE, 4, &mut woken);
    assert_eq!(budget.collect(key), Some(20));
}

#[test]
fn a_line_alone_may_have_all_and_one_of_several_what_is_free_afterwards() {
    let mut budget = shared(100, &[ONE]);
    assert!(budget.try_reserve(ONE, 100));
    budget.release(ONE, 100, &mut Vec::new());
    budget.add_partition(TWO);
    assert!(budget.try_reserve(ONE, 30));
    assert!(!budget.try_reserve(ONE, 21));
    assert!(budget.try_reserve(ONE, 20));
    // What a line has to begin with need only be free.
    assert!(budget.try_reserve(TWO, 40));
    assert!(!budget.try_reserve(TWO, 1) && !budget.try_reserve(ONE, 1));
    let held: Vec<_> = budget.holders().collect();
    assert_eq!(held, [(ONE, 50), (TWO, 40)]);
}

#[test]
fn a_line_that_may_have_no_more_keeps_no_other_back() {
    let mut budget = shared(100, &[ONE, TWO]);
    assert!(budget.try_reserve(ONE, 50));
    let (key, _) = budget.wait(ONE, 10, "one");
    assert!(budget.is_contended(ONE) && !budget.is_contended(TWO));
    for _ in 0..10 {
        assert!(budget.try_reserve(TWO, 25));
        budget.release(TWO, 25, &mut Vec::new());
    }
    let mut pressed = Vec::new();
    budget.list_pressed(&mut pressed);
    assert_eq!(pressed, [ONE]);
    assert_eq!(budget.collect(key), None);
}

#[test]
fn lines_are_served_in_turn() {
    let mut budget = shared(90, &[ONE, TWO, THREE]);
    let fill = |budget: &mut Budget<_>| [ONE, TWO, THREE].map(|l| budget.try_reserve(l, 30));
    assert_eq!(fill(&mut budget), [true; 3]);
    let mut keys = Vec::new();
    for (line, name) in [(ONE, "1a"), (ONE, "1b"), (TWO, "2a"), (THREE, "3a")] {
        keys.push(budget.wait(line, 5, name).0);
    }
    let mut woken = Vec::new();
    for line in [ONE, TWO, THREE] {
        budget.release(line, 30, &mut woken);
    }
    assert_eq!(woken, ["1a", "1b", "2a", "3a"]);
    assert!(keys.iter().all(|key| budget.collect(*key) == Some(5)));
    let mut budget = shared(90, &[ONE, TWO, THREE]);
    assert_eq!(fill(&mut budget), [true; 3]);
    for (line, name) in [(ONE, "1a"), (ONE, "1b"), (TWO, "2a"), (TWO, "2b")] {
        budget.wait(line, 30, name);
    }
    let mut woken = Vec::new();
    for line in [THREE, TWO, ONE] {
        budget.release(line, 30, &mut woken);
    }
    assert_eq!(
        woken,
        ["2a", "1a"],
        "the second of a line comes behind the other's first"
    );
}

#[test]
fn small_loans_do_not_starve_a_line_that_needs_a_large_one_to_begin_with() {
    let mut budget = shared(100, &[ONE, TWO, THREE]);
    assert!(budget.try_reserve(ONE, 40) && budget.try_reserve(TWO, 20));
    let (large, _) = budget.wait(THREE, 60, "large");
    assert!(!budget.try_reserve(TWO, 1), "what comes free is kept");
    let (small, _) = budget.wait(TWO, 1, "small");
    let mut pressed = Vec::new();
    budget.list_pressed(&mut pressed);
    assert_eq!(pressed, [ONE, TWO, THREE]);
    let mut woken = Vec::new();
    budget.release(TWO, 20, &mut woken);
    assert_eq!(woken, ["large"]);
    assert_eq!(budget.collect(large), Some(60));
    budget.release(ONE, 40, &mut woken);
    assert_eq!(budget.collect(small), Some(1));
}

#[test]
fn nothing_is_kept_for_a_loan_that_waits_for_a_silent_broker() {
    let mut budget = shared(100, &[ONE, TWO, THREE]);
    assert!(budget.try_reserve(ONE, 50));
    let (large, _) = budget.wait(THREE, 60, "large");
    assert!(!budget.try_reserve(TWO, 1));
    let mut woken = Vec::new();
    budget.set_silent(ONE, true, &mut woken);
    assert!(budget.try_reserve(TWO, 1));
    budget.set_silent(ONE, false, &mut woken);
    assert!(!budget.try_reserve(TWO, 1));
    budget.release(ONE, 50, &mut woken);
    assert_eq!((woken, budget.collect(large)), (vec!["large"], Some(60)));
}

#[test]
fn those_who_wait_for_a_silent_broker_or_a_moved_partition_are_woken_and_keep_their_places() {
    let mut budget = shared(100, &[ONE, ONE, TWO]);
    assert!(budget.try_reserve(ONE, 50));
    let (first, _) = budget.wait(ONE, 40, "first");
    let mut woken = Vec::new();
    budget.set_silent(ONE, true, &mut woken);
    assert_eq!(woken, ["first"]);
    *budget.waker_mut(first).unwrap() = Some("again");
    let (second, _) = budget.wait(ONE, 40, "second");
    woken.clear();
    budget.move_partition(ONE, TWO, 30, &mut woken);
    assert_eq!(woken, ["again", "second"]);
    let held: Vec<_> = budget.holders().collect();
    assert_eq!(held, [(ONE, 20), (TWO, 30)]);
    assert_eq!(budget.collect(first), None);
    woken.clear();
    budget.release(ONE, 20, &mut woken);
    assert_eq!(
        (budget.collect(first), budget.collect(second)),
        (Some(40), None)
    );
}

#[test]
fn many_partitions_that_move_do_not_each_look_at_all_who_wait() {
    const COUNT: usize = 10_000;
    let mut budget = shared(100, &[TWO]);
    (0..COUNT).for_each(|_| budget.add_partition(ONE));
    assert!(budget.try_reserve(ONE, 50));
    for _ in 0..COUNT {
        budget.wait(ONE, 60, "waits");
    }
    let mut woken = Vec::new();
    let looks = looks(|| {
        (0..COUNT).for_each(|_| budget.move_partition(ONE, TWO, 0, &mut woken));
    });
    assert_eq!(woken.len(), COUNT);
    assert!(looks < 10 * COUNT as u64, "{looks}");
}

/// Callers, lines and loans at random, and what must be true after each step.
struct Bench {
    budget: Budget<u64>,
    rng: Rng,
    lines: Vec<MemoryLine>,
    loans: Vec<(MemoryLine, usize)>,
    /// Who waits, in the order of their coming.
    waiting: Vec<(WaitKey, u64, usize)>,
    next: u64,
    moved: bool,
}

impl Bench {
    fn new(seed: u64) -> Self {
        let mut rng = Rng::new(seed);
        let lines: Vec<MemoryLine> = (0..1 + rng.below(6) as i32)
            .map(|n| MemoryLine((n > 0).then_some(n)))
            .collect();
        let mut budget = Budget::new(1000);
        lines.iter().for_each(|line| budget.add_partition(*line));
        Self {
            budget,
            rng,
            lines,
            loans: Vec::new(),
            waiting: Vec::new(),
            next: 0,
            moved: false,
        }
    }

    fn below(&mut self, end: usize) -> usize {
        self.rng.below(end as u64) as usize
    }

    fn step(&mut self) {
        let at = self.below(self.lines.len());
        let line = self.lines[at];
        let bytes = match self.below(20) {
            0 => 1 + self.below(1200),
            1..5 => 1 + self.below(300),
            _ => 1 + self.below(60),
        };
        match self.below(11) {
            0..3 => {
                let lent = self.budget.try_reserve(line, bytes);
                assert!(
                    !lent || self.waiting.iter().all(|w| w.0.line() != line),
                    "overtaken"
                );
                self.loans.extend(lent.then_some((line, bytes)));
            }
            3..6 => {
                let name = self.next;
                self.next += 1;
                let (key, granted) = self.budget.wait(line, bytes, name);
                self.waiting.push((key, name, bytes));
                self.collect(granted.into_iter().collect());
            }
            6..9 if !self.loans.is_empty() => {
                let at = self.below(self.loans.len());
                let (line, bytes) = self.loans.swap_remove(at);
                let mut woken = Vec::new();
                self.budget.release(line, bytes, &mut woken);
                self.collect(woken);
            }
            9 if !self.waiting.is_empty() => {
                let at = self.below(self.waiting.len());
                let (key, ..) = self.waiting.remove(at);
                let mut woken = Vec::new();
                assert!(self.budget.cancel(key, &mut woken).is_some());
                self.collect(woken);
            }
            10 if self.below(10) == 0 => {
                let (mut woken, is_silent) = (Vec::new(), self.below(2) == 0);
                self.budget.set_silent(line, is_silent, &mut woken);
                self.settle(woken);
            }
            _ => {}
        }
    }

    /// Some were woken without a grant: they leave their wakers again.
    fn settle(&mut self, woken: Vec<u64>) {
        let waiting = &self.waiting;
        let (still, granted): (Vec<_>, Vec<_>) = woken.into_iter().partition(|name| {
            let (key, ..) = waiting.iter().find(|w| w.1 == *name).unwrap();
            let place = self.budget.waker_mut(*key);
            place.map(|place| *place = Some(*name)).is_some()
        });
        drop(still);
        self.collect(granted);
    }

    fn collect(&mut self, woken: Vec<u64>) {
        for name in woken {
            let at = self.waiting.iter().position(|w| w.1 == name).unwrap();
            let (key, _, bytes) = self.waiting.remove(at);
            let earlier = self.waiting.iter().find(|w| w.0.line() == key.line());
            assert!(earlier.is_none_or(|w| w.1 > name), "overtaken in its line");
            assert_eq!(self.budget.collect(key), Some(bytes));
            self.loans.push((key.line(), bytes));
        }
    }

    fn check(&mut self) {
        let held = |line: MemoryLine| {
            let loans = self.loans.iter().filter(|loan| loan.0 == line);
            loans.map(|loan| loan.1).sum::<usize>()
        };
        let all: usize = self.loans.iter().map(|loan| loan.1).sum();
        let budget = &self.budget;
        assert_eq!((budget.used(), budget.granted()), (all, 0));
        assert!(all <= 1000 || self.loans.len() == 1);
        let told: Vec<_> = budget.holders().collect();
        let all = self.lines.iter().map(|line| (*line, held(*line)));
        let expected: Vec<_> = all.filter(|(_, held)| *held > 0).collect();
        assert_eq!(told, expected);
        let half = |(line, held): &(MemoryLine, usize)| {
            let loans = self.loans.iter().filter(|loan| loan.0 == *line).count();
            self.moved || self.lines.len() == 1 || loans == 1 || *held <= 500
        };
        assert!(told.iter().all(half), "one line holds more than half");
        // Nobody waits though its line may have it, unless it is kept for one that could not
        // begin otherwise.
        let kept = budget.is_kept.then_some(budget.turn);
        for line in &self.lines {
            let Some(first) = self.waiting.iter().find(|w| w.0.line() == *line) else {
                continue;
            };
            let account = &budget.accounts[budget.find(*line).unwrap()];
            let fits = budget.fits(account, first.2);
            assert!(!fits || kept.is_some_and(|kept| kept != *line));
        }
        if let Some(kept) = kept {
            let first = self.waiting.iter().find(|w| w.0.line() == kept).unwrap();
            assert!(held(kept) == 0 && budget.comes_free(first.2));
        }
    }
}

#[test]
fn whatever_happens_sums_hold_and_everyone_is_served_in_the_end() {
    let mut waited = 0;
    for seed in 0..400 {
        let mut bench = Bench::new(seed);
        for _ in 0..400 {
            bench.step();
            bench.check();
        }
        waited += bench.waiting.len();
        // All loans come back, those that are granted meanwhile, too.
        while !bench.loans.is_empty() {
            let at = bench.below(bench.loans.len());
            let (line, bytes) = bench.loans.swap_remove(at);
            let mut woken = Vec::new();
            bench.budget.release(line, bytes, &mut woken);
            bench.collect(woken);
            bench.check();
        }
        assert!(bench.waiting.is_empty(), "seed {seed}: {:?}", bench.waiting);
    }
    assert!(waited > 400, "{waited} waited at the end");
}

/// Loans come back, and others take what is free as soon as it is: whoever waits is served
/// before everything was lent a few times over.
#[test]
fn nobody_starves_while_others_go_on_taking() {
    for seed in 0..200 {
        let mut bench = Bench::new(seed);
        let at = bench.below(bench.lines.len());
        let bytes = 1 + bench.below(1200);
        for _ in 0..300 {
            bench.step();
        }
        for line in bench.lines.clone() {
            let mut woken = Vec::new();
            bench.budget.set_silent(line, false, &mut woken);
            bench.collect(woken);
        }
        let name = bench.next;
        bench.next += 1;
        let (key, granted) = bench.budget.wait(bench.lines[at], bytes, name);
        bench.waiting.push((key, name, bytes));
        bench.collect(granted.into_iter().collect());
        let mut steps = 0;
        while bench.waiting.iter().any(|w| w.1 == name) {
            for _ in 0..3 {
                let line = bench.lines[bench.rng.below(bench.lines.len() as u64) as usize];
                let bytes = 1 + bench.below(60);
                if bench.budget.try_reserve(line, bytes) {
                    bench.loans.push((line, bytes));
                }
            }
            let at = bench.below(bench.loans.len());
            let (line, bytes) = bench.loans.swap_remove(at);
            let mut woken = Vec::new();
            bench.budget.release(line, bytes, &mut woken);
            bench.collect(woken);
            bench.check();
            steps += 1;
            assert!(
                steps < 20_000,
                "seed {seed}: {bytes} bytes are not to be had"
            );
        }
    }
}
