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

use crate::callers::waiters::Waiters;
use crate::ids::MemoryLine;
use crate::mutants;

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
    waiting: Waiters<Waiter<W>>,
    /// Set when a waker may have been put back, cleared when all are woken. Without it each of ten
    /// thousand partitions that move would look at all who wait.
    may_have_wakers: bool,
    /// Granted and not yet collected; as many as were waiting at most.
    granted: Waiters<usize>,
}

impl<W> Account<W> {
    fn new(line: MemoryLine) -> Self {
        Self {
            line,
            partitions: 0,
            held: 0,
            // Nobody can say when somebody will lead a partition.
            is_silent: line.0.is_none(),
            waiting: Waiters::default(),
            may_have_wakers: false,
            granted: Waiters::default(),
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
        let account = &mut self.accounts[at];
        account.may_have_wakers = true;
        let waker = Some(waker);
        account.waiting.add(number, Waiter { bytes, waker });
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
        let account = self.find_mut(key.line)?;
        account.may_have_wakers = true;
        Some(&mut account.waiting.get_mut(key.number)?.waker)
    }

    /// Stops waiting; a grant that was not collected goes back. The caller's waker comes back, to
    /// be dropped without the lock.
    pub fn cancel(&mut self, key: WaitKey, woken: &mut Vec<W>) -> Option<W> {
        if let Some(bytes) = self.collect(key) {
            let bytes = mutants::pick(47, 0, bytes);
            self.release(key.line, bytes, woken);
            return None;
        }
        let account = self.find_mut(key.line)?;
        let left = account.waiting.remove(key.number)?;
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
        let bytes = account.granted.remove(key.number)?;
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
        let account = &mut self.accounts[at];
        if std::mem::take(&mut account.may_have_wakers) {
            let waiting = account.waiting.values_mut();
            woken.extend(waiting.filter_map(|waiter| waiter.waker.take()));
        }
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
        let free = mutants::pick(39, self.capacity, self.free());
        let Some(left) = free.checked_sub(bytes) else {
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
            let first = account.waiting.first().map(|first| first.bytes);
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
        let Some((number, waiter)) = account.waiting.pop_first() else {
            return;
        };
        account.held += waiter.bytes;
        account.granted.add(number, waiter.bytes);
        self.used += waiter.bytes;
        self.granted_bytes += waiter.bytes;
        woken.extend(waiter.waker);
    }
}

#[cfg(test)]
mod tests;
