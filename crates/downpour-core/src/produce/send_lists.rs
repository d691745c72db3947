//! Which partitions have something to send, and to whom.
//!
//! *Invariant:* a partition is in at most one list: its leader's, or that of the partitions that
//! nobody leads. Lists are asked and changed through [`SendLists`] alone. Dirty partitions are
//! those to look at: the shell marks what callers changed, the engine what answers changed. When
//! a queue is looked at, and what that leads to, is `peeking`'s.

use std::collections::VecDeque;

use crate::ids::PartitionId;

/// In which list a partition is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum SendList {
    /// In none: it has nothing to send.
    #[default]
    None,
    /// In that of the broker that leads it.
    Broker(i32),
    /// It has something to send and nobody leads it, or its leader's address is not known.
    Leaderless,
}

/// All lists.
#[derive(Debug, Default)]
pub(super) struct SendLists {
    /// By the number of the topic, then of the partition.
    places: Vec<Vec<Place>>,
    /// By the number of the broker, those included whose list is empty.
    brokers: Vec<(i32, List)>,
    leaderless: List,
    dirty: VecDeque<PartitionId>,
}

#[derive(Debug, Clone, Default)]
struct Place {
    list: SendList,
    /// Counts its moves: an entry with an older number is no entry any more.
    moves: u32,
}

/// A list whose entries are not taken out when a partition leaves, but passed over when their
/// turn comes: leaders of thousands of partitions move at once, and a search for each would cost
/// the square of that.
#[derive(Debug, Default)]
struct List {
    entries: VecDeque<(PartitionId, u32)>,
    /// Entries that still hold.
    len: usize,
}

/// Entries that no longer hold, beyond as many as do, before they are swept out.
const STALE_MAX: usize = 64;

impl SendLists {
    /// Makes room for so many partitions of a topic; never fewer than before.
    pub(super) fn grow(&mut self, topic: u32, count: usize) {
        let at = topic as usize;
        if self.places.len() <= at {
            self.places.resize_with(at + 1, Vec::new);
        }
        let places = &mut self.places[at];
        places.resize_with(count.max(places.len()), Place::default);
    }

    /// Partitions of a topic that are known.
    pub(super) fn count(&self, topic: u32) -> usize {
        self.places.get(topic as usize).map_or(0, Vec::len)
    }

    /// Whether its topic has metadata with this partition.
    pub(super) fn knows(&self, partition: PartitionId) -> bool {
        usize::try_from(partition.index).is_ok_and(|at| at < self.count(partition.topic))
    }

    fn place(&mut self, partition: PartitionId) -> Option<&mut Place> {
        place(&mut self.places, partition)
    }

    /// In which list a partition is.
    pub(super) fn list(&self, partition: PartitionId) -> SendList {
        let index = usize::try_from(partition.index).ok();
        let place = self
            .places
            .get(partition.topic as usize)
            .zip(index)
            .and_then(|(places, at)| places.get(at));
        place.map_or(SendList::None, |place| place.list)
    }

    /// Puts a partition at the end of a list, unless it is there; it leaves the one that it was in.
    pub(super) fn enlist(&mut self, partition: PartitionId, list: SendList) {
        let Some(place) = self.place(partition) else {
            return;
        };
        if place.list == list {
            return;
        }
        place.moves = place.moves.wrapping_add(1);
        let moves = place.moves;
        let before = std::mem::replace(&mut place.list, list);
        if let Some(left) = self.of(before) {
            left.len -= 1;
        }
        if let Some(joined) = self.of(list) {
            joined.entries.push_back((partition, moves));
            joined.len += 1;
            if joined.entries.len() > 2 * joined.len + STALE_MAX {
                self.sweep(list);
            }
        }
    }

    /// Takes the partition out whose turn it is.
    pub(super) fn pop(&mut self, broker: i32) -> Option<PartitionId> {
        let at = self.find(broker).ok()?;
        let list = &mut self.brokers[at].1;
        while let Some((partition, moves)) = list.entries.pop_front() {
            let known = place(&mut self.places, partition).filter(|known| known.moves == moves);
            if let Some(known) = known.filter(|known| known.list == SendList::Broker(broker)) {
                known.list = SendList::None;
                list.len -= 1;
                return Some(partition);
            }
        }
        None
    }

    /// Partitions that wait for a broker.
    pub(super) fn len(&self, broker: i32) -> usize {
        self.find(broker).map_or(0, |at| self.brokers[at].1.len)
    }

    fn find(&self, broker: i32) -> Result<usize, usize> {
        self.brokers.binary_search_by_key(&broker, |(id, _)| *id)
    }

    /// The first of them, so many at most.
    pub(super) fn first(&self, broker: i32, count: usize) -> impl Iterator<Item = PartitionId> {
        let found = self.find(broker).map(|at| &self.brokers[at].1);
        let holds =
            move |partition: &PartitionId| self.list(*partition) == SendList::Broker(broker);
        found
            .into_iter()
            .flat_map(|list| list.entries.iter().map(|(partition, _)| *partition))
            .filter(holds)
            .take(count)
    }

    /// Brokers that some partition waits for.
    pub(super) fn brokers(&self) -> impl Iterator<Item = i32> {
        self.brokers
            .iter()
            .filter(|(_, list)| list.len > 0)
            .map(|(id, _)| *id)
    }

    /// The first such broker with at least this number.
    pub(super) fn broker_from(&self, id: i32) -> Option<i32> {
        let (Ok(at) | Err(at)) = self.find(id);
        let mut waited_for = self.brokers[at..].iter().filter(|(_, list)| list.len > 0);
        waited_for.next().map(|(id, _)| *id)
    }

    /// Whether partitions wait for somebody to lead them.
    pub(super) fn has_leaderless(&self) -> bool {
        self.leaderless.len > 0
    }

    /// Makes those that nobody leads dirty: somebody may lead them now.
    pub(super) fn look_at_leaderless(&mut self) {
        for (partition, moves) in std::mem::take(&mut self.leaderless).entries {
            let known = self.place(partition).filter(|known| known.moves == moves);
            if let Some(known) = known.filter(|known| known.list == SendList::Leaderless) {
                known.list = SendList::None;
                self.dirty.push_back(partition);
            }
        }
    }

    pub(super) fn mark_dirty(&mut self, partition: PartitionId) {
        self.dirty.push_back(partition);
    }

    /// Takes the partition out that has been dirty for longest.
    pub(super) fn pop_dirty(&mut self) -> Option<PartitionId> {
        self.dirty.pop_front()
    }

    /// Whether any partition has something to send, or may have.
    pub(super) fn is_empty(&self) -> bool {
        self.dirty.is_empty() && self.leaderless.len == 0 && self.brokers().next().is_none()
    }

    /// Every partition that is known, in the order of topics and numbers.
    pub(super) fn all(&self) -> impl Iterator<Item = PartitionId> {
        (0..).zip(&self.places).flat_map(|(topic, places)| {
            (0..)
                .zip(places)
                .map(move |(index, _)| PartitionId { topic, index })
        })
    }

    /// Every partition that has something to send, in the same order.
    pub(super) fn enlisted(&self) -> impl Iterator<Item = PartitionId> {
        self.all()
            .filter(|partition| self.list(*partition) != SendList::None)
    }

    /// Those that are dirty; one may come twice.
    pub(super) fn dirty(&self) -> impl Iterator<Item = PartitionId> {
        self.dirty.iter().copied()
    }

    /// Forgets all lists; the partitions stay known.
    pub(super) fn clear(&mut self) {
        self.brokers.clear();
        self.leaderless = List::default();
        self.dirty.clear();
        let places = self.places.iter_mut().flatten();
        places.for_each(|place| place.list = SendList::None);
    }

    fn of(&mut self, list: SendList) -> Option<&mut List> {
        match list {
            SendList::None => None,
            SendList::Broker(id) => {
                let at = self.find(id).unwrap_or_else(|at| {
                    self.brokers.insert(at, (id, List::default()));
                    at
                });
                Some(&mut self.brokers[at].1)
            }
            SendList::Leaderless => Some(&mut self.leaderless),
        }
    }

    #[cold]
    fn sweep(&mut self, list: SendList) {
        let Some(swept) = self.of(list) else { return };
        let mut entries = std::mem::take(&mut swept.entries);
        entries.retain(|(partition, moves)| {
            self.place(*partition)
                .is_some_and(|known| known.moves == *moves && known.list == list)
        });
        if let Some(swept) = self.of(list) {
            swept.entries = entries;
        }
    }
}

fn place(places: &mut [Vec<Place>], partition: PartitionId) -> Option<&mut Place> {
    let at = usize::try_from(partition.index).ok()?;
    places.get_mut(partition.topic as usize)?.get_mut(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn partition(index: i32) -> PartitionId {
        PartitionId { topic: 0, index }
    }

    fn lists(count: usize) -> SendLists {
        let mut lists = SendLists::default();
        lists.grow(0, count);
        lists
    }

    #[test]
    fn a_partition_that_moves_is_in_its_new_list_alone() {
        let mut lists = lists(2);
        lists.enlist(partition(0), SendList::Broker(1));
        lists.enlist(partition(1), SendList::Broker(1));
        lists.enlist(partition(0), SendList::Broker(2));
        assert_eq!((lists.len(1), lists.len(2)), (1, 1));
        assert_eq!(lists.pop(1), Some(partition(1)));
        assert_eq!(lists.pop(1), None);
        assert_eq!(lists.pop(2), Some(partition(0)));
        assert!(lists.is_empty());
    }

    #[test]
    fn one_that_moves_away_and_back_is_visited_once_and_last() {
        let mut lists = lists(2);
        lists.enlist(partition(0), SendList::Broker(1));
        lists.enlist(partition(1), SendList::Broker(1));
        lists.enlist(partition(0), SendList::Leaderless);
        lists.enlist(partition(0), SendList::Broker(1));
        assert!(!lists.has_leaderless());
        let popped: Vec<_> = std::iter::from_fn(|| lists.pop(1)).collect();
        assert_eq!(popped, [partition(1), partition(0)]);
    }

    #[test]
    fn those_that_nobody_leads_are_looked_at_when_somebody_may() {
        let mut lists = lists(3);
        lists.enlist(partition(0), SendList::Leaderless);
        lists.enlist(partition(1), SendList::Leaderless);
        lists.enlist(partition(0), SendList::None);
        lists.look_at_leaderless();
        assert_eq!(lists.pop_dirty(), Some(partition(1)));
        assert_eq!(lists.pop_dirty(), None);
        assert_eq!(lists.list(partition(1)), SendList::None);
        assert!(lists.is_empty());
    }

    #[test]
    fn what_no_longer_holds_takes_no_room_for_long() {
        let mut lists = lists(1);
        for _ in 0..10_000 {
            lists.enlist(partition(0), SendList::Broker(1));
            lists.enlist(partition(0), SendList::Broker(2));
        }
        for broker in [1, 2] {
            let entries = &lists.brokers[lists.find(broker).unwrap()].1.entries;
            assert!(entries.len() <= 2 + STALE_MAX);
        }
        assert_eq!((lists.len(1), lists.len(2)), (0, 1));
    }
}
