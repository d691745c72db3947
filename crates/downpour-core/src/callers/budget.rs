//! The producer's memory as bytes of credit, lent to one line of callers per broker.
//!
//! A plain state machine: locks, wakers' calls and allocation belong to the shell. Credit is
//! taken a chunk at a time, never a record at a time. *Invariant:* `used` is what all lines hold,
//! that is what was reserved or granted in them and not yet released; it never exceeds the
//! capacity, but for one loan larger than the whole capacity while nothing else is lent.
//!
//! Within a line the first to come is the first to be served; lines are served in turn, and one
//! that may not have more keeps no other back. Where two brokers or more lead partitions, a line
//! may have no more than is free afterwards (the dynamic threshold of switches that share
//! memory): a broker that stops answering can then never hold more than half, long before anybody
//! can know that it is silent. A line that holds nothing may have a chunk of whatever is free, and
//! what comes free is kept for it, so that small loans of others cannot starve it.

use std::collections::VecDeque;

use crate::ids::MemoryLine;

/// Names one waiting caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WaitKey {
    line: MemoryLine,
    number: u64,
}

impl WaitKey {
    /// The line that it waits in.
    pub fn line(self) -> MemoryLine {
        self.line
    }
}

#[derive(Debug)]
struct Waiter<W> {
    number: u64,
    bytes: usize,
    /// Taken by whoever woke it without a grant, until it looks again.
    waker: Option<W>,
}

/// What one line holds and who waits in it.
#[derive(Debug)]
struct Account<W> {
    line: MemoryLine,
    /// Partitions that the broker leads, as far as the producer knows them.
    partitions: usize,
    /// Bytes lent, those that were granted and not yet collected included.
    held: usize,
    /// What it holds may not come back for long.
    is_silent: bool,
    waiting: VecDeque<Waiter<W>>,
    /// Granted and not yet collected; as many as were waiting at most.
    granted: Vec<(u64, usize)>,
}

impl<W> Account<W> {
    fn new(line: MemoryLine) -> Self {
        Self {
            line,
            partitions: 0,
            held: 0,
            // Nobody can say when somebody will lead a partition.
            is_silent: line.0.is_none(),
            waiting: VecDeque::new(),
            granted: Vec::new(),
        }
    }

    /// Whether anybody waits or has a grant that it did not collect yet.
    ///
    /// Both count: a caller that took credit between a grant and its collection would
    /// overtake the one that waited.
    fn has_waiters(&self) -> bool {
        !self.waiting.is_empty() || !self.granted.is_empty()
    }

    fn is_idle(&self) -> bool {
        let says_nothing = self.is_silent == self.line.0.is_none();
        self.partitions == 0 && self.held == 0 && !self.has_waiters() && says_nothing
    }
}

/// Byte credit with its waiters. `W` is whatever wakes one.
#[derive(Debug)]
pub struct Budget<W> {
    capacity: usize,
    used: usize,
    next_number: u64,
    /// In their order; idle ones go when another one comes.
    accounts: Vec<Account<W>>,
    /// Lines with partitions: with one alone there is nobody to keep memory for.
    shared_by: usize,
    /// Those in `waiting` and in `granted` of all lines.
    waiters: usize,
    granted_bytes: usize,
    /// The line whose turn comes next.
    turn: MemoryLine,
    /// Set while what comes free is kept for that line: it holds nothing, and what its first
    /// waiter needs is not free yet. Told anew whenever bytes come back or waiters change.
    is_kept: bool,
}

impl<W> Budget<W> {
    /// A budget of so many bytes, all of it free.
    pub fn new(capacity: usize) -> Self {
        Self {
            capacity,
            used: 0,
            next_number: 0,
            accounts: Vec::new(),
            shared_by: 0,
            waiters: 0,
            granted_bytes: 0,
            turn: MemoryLine(None),
            is_kept: false,
        }
    }

    /// All bytes, lent or not.
    pub fn capacity(&self) -> usize {
        self.capacity
    }

    /// Bytes that are lent.
    pub fn used(&self) -> usize {
        self.used
    }

    /// Bytes that were granted and not yet collected; they are among those that are lent.
    pub fn granted(&self) -> usize {
        self.granted_bytes
    }

    /// The lines that hold something, and how much.
    pub fn holders(&self) -> impl Iterator<Item = (MemoryLine, usize)> {
        let accounts = self.accounts.iter().filter(|a| a.held > 0);
        accounts.map(|account| (account.line, account.held))
    }

    /// Whether anybody waits, or has a grant that it did not collect yet.
    pub fn has_waiters(&self) -> bool {
        self.waiters > 0
    }

    /// The lines in which anybody does.
    pub fn contended(&self) -> impl Iterator<Item = MemoryLine> {
        let accounts = self.accounts.iter().filter(|a| a.has_waiters());
        accounts.map(|account| account.line)
    }

    /// Whether anybody does in this line.
    pub fn is_contended(&self, line: MemoryLine) -> bool {
        let at = self.find(line).ok();
        at.is_some_and(|at| self.accounts[at].has_waiters())
    }

    /// The lines whose open batches are to leave at once: those in which somebody waits. Where one
    /// waits for what others hold, it is those of all others, too.
    pub fn list_pressed(&self, pressed: &mut Vec<MemoryLine>) {
        pressed.clear();
        if self.waiters == 0 {
            return;
        }
        let is_short = |a: &Account<W>| a.held == 0 && !a.waiting.is_empty();
        let any_short = self.accounts.iter().any(is_short);
        let is_pressed = |a: &&Account<W>| a.has_waiters() || (any_short && a.held > 0);
        pressed.extend(self.accounts.iter().filter(is_pressed).map(|a| a.line));
    }

    /// Lends `bytes` at once, unless the line may not have so much or somebody waits in it already.
    pub fn try_reserve(&mut self, line: MemoryLine, bytes: usize) -> bool {
        let at = self.account(line);
        let account = &self.accounts[at];
        if self.is_kept || account.has_waiters() || !self.fits(account, bytes) {
            return false;
        }
        self.used += bytes;
        self.accounts[at].held += bytes;
        true
    }

    /// Joins the end of a line. The waker comes back, to be dropped without the lock, if the
    /// bytes were granted at once: nobody will be woken then.
    pub fn wait(&mut self, line: MemoryLine, bytes: usize, waker: W) -> (WaitKey, Option<W>) {
        let number = self.next_number;
        self.next_number += 1;
        let at = self.account(line);
        self.waiters += 1;
        self.accounts[at].waiting.push_back(Waiter {
            number,
            bytes,
            waker: Some(waker),
        });
        // Nobody may be ahead, and the bytes may have come back since the caller looked. Whoever
        // was ahead and is small enough has its grant already.
        let mut granted = Vec::new();
        self.grant(&mut granted);
        debug_assert!(granted.len() <= 1, "somebody waited for what was free");
        (WaitKey { line, number }, granted.pop())
    }

    /// The place of a caller's waker while it waits: it may be replaced by a newer one, and has to
    /// be put back where it was woken without a grant.
    pub fn waker_mut(&mut self, key: WaitKey) -> Option<&mut Option<W>> {
        let mut waiting = self.find_mut(key.line)?.waiting.iter_mut();
        Some(&mut waiting.find(|w| w.number == key.number)?.waker)
    }

    /// Stops waiting; a grant that was not collected goes back. The caller's waker comes back, to
    /// be dropped without the lock.
    pub fn cancel(&mut self, key: WaitKey, woken: &mut Vec<W>) -> Option<W> {
        if let Some(bytes) = self.collect(key) {
            self.release(key.line, bytes, woken);
            return None;
        }
        let account = self.find_mut(key.line)?;
        let at = account.waiting.iter().position(|w| w.number == key.number);
        let left = account.waiting.remove(at?)?;
        self.waiters -= 1;
        // The one that left may have been too large for what is free.
        self.grant(woken);
        left.waker
    }

    /// Takes bytes back into the line that they were lent in, and grants them onwards.
    pub fn release(&mut self, line: MemoryLine, bytes: usize, woken: &mut Vec<W>) {
        let at = self.account(line);
        let account = &mut self.accounts[at];
        debug_assert!(bytes <= account.held, "more came back than was lent");
        account.held = account.held.saturating_sub(bytes);
        self.used = self.used.saturating_sub(bytes);
        self.grant(woken);
    }

    /// Collects a grant: the bytes are the caller's now, and it does not wait any more. `None` while
    /// others are first, or there is not enough yet.
    pub fn collect(&mut self, key: WaitKey) -> Option<usize> {
        let account = self.find_mut(key.line)?;
        let at = account.granted.iter().position(|g| g.0 == key.number)?;
        let (_, bytes) = account.granted.swap_remove(at);
        self.granted_bytes -= bytes;
        self.waiters -= 1;
        Some(bytes)
    }

    /// A partition is known from now on, and this is its line.
    pub fn add_partition(&mut self, line: MemoryLine) {
        let at = self.account(line);
        self.accounts[at].partitions += 1;
        self.shared_by += usize::from(self.accounts[at].partitions == 1);
    }

    /// A partition turned to another line, with the bytes that it holds. Those who wait in the line
    /// before are woken, for they may be in the wrong one now; they keep their places.
    pub fn move_partition(
        &mut self,
        from: MemoryLine,
        to: MemoryLine,
        bytes: usize,
        woken: &mut Vec<W>,
    ) {
        self.add_partition(to);
        let at = self.account(from);
        let account = &mut self.accounts[at];
        debug_assert!(account.partitions > 0 && bytes <= account.held);
        account.partitions = account.partitions.saturating_sub(1);
        self.shared_by -= usize::from(account.partitions == 0);
        account.held = account.held.saturating_sub(bytes);
        let at = self.account(to);
        self.accounts[at].held += bytes;
        self.wake(from, woken);
        self.grant(woken);
    }

    /// A broker became silent or answers again. What a silent one holds is not counted on when
    /// memory is kept for a line; those who wait for it are woken, and keep their places.
    pub fn set_silent(&mut self, line: MemoryLine, is_silent: bool, woken: &mut Vec<W>) {
        let at = self.account(line);
        self.accounts[at].is_silent = is_silent;
        if is_silent {
            self.wake(line, woken);
        }
        self.grant(woken);
    }

    /// Wakes everyone in a line.
    fn wake(&mut self, line: MemoryLine, woken: &mut Vec<W>) {
        let at = self.account(line);
        let waiting = self.accounts[at].waiting.iter_mut();
        woken.extend(waiting.filter_map(|waiter| waiter.waker.take()));
    }

    fn find(&self, line: MemoryLine) -> Result<usize, usize> {
        self.accounts.binary_search_by_key(&line, |a| a.line)
    }

    fn find_mut(&mut self, line: MemoryLine) -> Option<&mut Account<W>> {
        let at = self.find(line).ok()?;
        self.accounts.get_mut(at)
    }

    /// Where a line's account is; a line that is new gets one.
    fn account(&mut self, line: MemoryLine) -> usize {
        self.find(line).unwrap_or_else(|_| {
            // Brokers come and go; as many accounts stay as there are lines in use.
            self.accounts.retain(|account| !account.is_idle());
            let at = self.accounts.partition_point(|a| a.line < line);
            self.accounts.insert(at, Account::new(line));
            at
        })
    }

    fn free(&self) -> usize {
        self.capacity.saturating_sub(self.used)
    }

    /// Whether a line may have so much more now.
    fn fits(&self, account: &Account<W>, bytes: usize) -> bool {
        // A record larger than the whole capacity is refused before it comes here; a chunk
        // that is rounded up past it must not wait forever.
        if self.used == 0 {
            return true;
        }
        let Some(left) = self.free().checked_sub(bytes) else {
            return false;
        };
        let is_alone = self.shared_by <= 1;
        is_alone || account.held == 0 || account.held + bytes <= left
    }

    /// Whether so much will be free once all brokers that answer have answered.
    fn comes_free(&self, bytes: usize) -> bool {
        let silent = self.accounts.iter().filter(|a| a.is_silent);
        let stays: usize = silent.map(|a| a.held).sum();
        stays == 0 || bytes <= self.capacity.saturating_sub(stays)
    }

    /// Serves the lines in turn, as far as there is something for them.
    fn grant(&mut self, woken: &mut Vec<W>) {
        self.is_kept = false;
        if self.waiters == 0 {
            return;
        }
        let lines = self.accounts.len();
        let mut at = self.accounts.partition_point(|a| a.line < self.turn);
        let mut passed = 0;
        while passed < lines {
            at %= lines;
            let account = &self.accounts[at];
            let first = account.waiting.front().map(|first| first.bytes);
            match first {
                Some(bytes) if self.fits(account, bytes) => {
                    self.lend_to_first(at, woken);
                    passed = 0;
                }
                Some(bytes) if account.held == 0 && self.comes_free(bytes) => {
                    self.is_kept = true;
                    self.turn = account.line;
                    return;
                }
                _ => passed += 1,
            }
            at += 1;
        }
        self.turn = self.accounts[at % lines].line;
    }

    fn lend_to_first(&mut self, at: usize, woken: &mut Vec<W>) {
        let account = &mut self.accounts[at];
        let Some(waiter) = account.waiting.pop_front() else {
            return;
        };
        account.held += waiter.bytes;
        account.granted.push((waiter.number, waiter.bytes));
        self.used += waiter.bytes;
        self.granted_bytes += waiter.bytes;
        woken.extend(waiter.waker);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
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
                    if self.budget.try_reserve(line, bytes) {
                        assert!(self.waiting.iter().all(|w| w.0.line() != line), "overtaken");
                        self.loans.push((line, bytes));
                    }
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
}
