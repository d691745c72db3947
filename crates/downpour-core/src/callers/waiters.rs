//! Callers that wait for one thing, in the order in which they came, each found again by its number.
//!
//! Thousands may wait at a time, and all of them may give up at once: whoever leaves is not looked
//! for among all the others. What a caller leaves here is its owner's matter.

use std::collections::VecDeque;

/// A line of callers. Numbers grow; only who comes around their end is put before others.
#[derive(Debug)]
pub struct Waiters<V> {
    /// Sorted. Whoever left has no value until enough have left to close the gaps.
    entries: VecDeque<(u64, Option<V>)>,
    count: usize,
}

impl<V> Default for Waiters<V> {
    fn default() -> Self {
        Self {
            entries: VecDeque::new(),
            count: 0,
        }
    }
}

/// Gaps that are not worth closing.
const GAPS_MIN: usize = 8;

impl<V> Waiters<V> {
    /// How many wait.
    pub fn len(&self) -> usize {
        self.count
    }

    /// Whether nobody waits.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Adds somebody. Nobody who waits has this number.
    pub fn add(&mut self, number: u64, value: V) {
        let is_last = self.entries.back().is_none_or(|(last, _)| *last < number);
        self.count += 1;
        if is_last {
            self.entries.push_back((number, Some(value)));
            return;
        }
        match self.find(number) {
            Ok(gap) => self.entries[gap].1 = Some(value),
            Err(at) => self.entries.insert(at, (number, Some(value))),
        }
    }

    fn find(&self, number: u64) -> Result<usize, usize> {
        self.entries.binary_search_by(|(known, _)| {
            counted::look();
            known.cmp(&number)
        })
    }

    /// What somebody left here.
    pub fn get(&self, number: u64) -> Option<&V> {
        let at = self.find(number).ok()?;
        self.entries[at].1.as_ref()
    }

    /// What somebody left here, to be changed.
    pub fn get_mut(&mut self, number: u64) -> Option<&mut V> {
        let at = self.find(number).ok()?;
        self.entries[at].1.as_mut()
    }

    /// Takes somebody out.
    pub fn remove(&mut self, number: u64) -> Option<V> {
        let at = self.find(number).ok()?;
        let value = self.entries[at].1.take()?;
        self.count -= 1;
        self.close_gaps();
        Some(value)
    }

    /// The first to come.
    pub fn first(&self) -> Option<&V> {
        // Gaps at the front are closed at once.
        self.entries.front()?.1.as_ref()
    }

    /// Takes the first to come out.
    pub fn pop_first(&mut self) -> Option<(u64, V)> {
        let (number, value) = self.entries.pop_front()?;
        self.count -= usize::from(value.is_some());
        self.close_gaps();
        Some((number, value?))
    }

    /// All of them, in order.
    pub fn values_mut(&mut self) -> impl Iterator<Item = &mut V> {
        self.entries.iter_mut().filter_map(|(_, value)| {
            counted::look();
            value.as_mut()
        })
    }

    /// Takes those out of whom `is_due` says so, in order.
    pub fn take_if(&mut self, is_due: impl Fn(&V) -> bool, mut taken: impl FnMut(V)) {
        for (_, value) in &mut self.entries {
            let due = value.take_if(|value| is_due(value));
            if let Some(value) = due {
                self.count -= 1;
                taken(value);
            }
        }
        self.close_gaps();
    }

    fn close_gaps(&mut self) {
        while self
            .entries
            .front()
            .is_some_and(|(_, value)| value.is_none())
        {
            self.entries.pop_front();
        }
        // Half of them at least leave by it, so that each has paid for its own.
        if self.entries.len() > 2 * self.count + GAPS_MIN {
            self.entries.retain(|(_, value)| value.is_some());
        }
    }
}

/// Waiters that were looked at, where tests count them.
pub(super) mod counted {
    #[cfg(test)]
    thread_local! {
        static LOOKS: std::cell::Cell<u64> = const { std::cell::Cell::new(0) };
    }

    #[inline(always)]
    pub(super) fn look() {
        #[cfg(test)]
        LOOKS.set(LOOKS.get() + 1);
    }

    /// How many this thread looks at meanwhile.
    #[cfg(test)]
    pub(in crate::callers) fn looks(work: impl FnOnce()) -> u64 {
        let before = LOOKS.get();
        work();
        LOOKS.get() - before
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(waiters: &mut Waiters<u64>) -> Vec<u64> {
        waiters.values_mut().map(|value| *value).collect()
    }

    #[test]
    fn whoever_leaves_is_not_looked_for_among_all_the_others() {
        const COUNT: u64 = 10_000;
        let mut waiters = Waiters::default();
        (0..COUNT).for_each(|number| waiters.add(number, number));
        let looks = counted::looks(|| {
            // In no order, and with a look before it.
            for number in (0..COUNT).map(|n| (n * 7_919 + COUNT / 2) % COUNT) {
                assert_eq!(waiters.get(number), Some(&number));
                assert_eq!(waiters.remove(number), Some(number));
                assert_eq!(waiters.remove(number), None);
            }
        });
        assert!(waiters.is_empty() && waiters.entries.is_empty());
        assert!(looks < COUNT * 60, "{looks}");
    }

    #[test]
    fn who_stays_stays_in_order_and_gaps_take_no_room_for_long() {
        let mut waiters = Waiters::default();
        (0..100).for_each(|number| waiters.add(number, number));
        for number in (0..100).filter(|number| number % 10 != 5) {
            assert_eq!(waiters.remove(number), Some(number));
        }
        assert_eq!(waiters.len(), 10);
        assert!(waiters.entries.len() <= 2 * 10 + GAPS_MIN);
        assert_eq!(waiters.first(), Some(&5));
        assert_eq!(waiters.pop_first(), Some((5, 5)));
        waiters.take_if(|value| value % 20 == 15, |value| assert!(value > 5));
        assert_eq!(numbers(&mut waiters), [25, 45, 65, 85]);
        // One that came around the end of the numbers.
        waiters.add(1, 1);
        waiters.add(30, 30);
        assert_eq!(numbers(&mut waiters), [1, 25, 30, 45, 65, 85]);
        *waiters.get_mut(45).unwrap() = 46;
        assert_eq!(waiters.get(45), Some(&46));
    }
}
