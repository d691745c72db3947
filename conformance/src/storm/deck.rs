//! The kinds of faults, and the order in which a seed draws them: as from a deck of cards, so that each
//! kind comes before any comes twice. What they do is in `faults`.

use std::fmt;

use crate::random::Random;

/// A kind of fault that has the cluster to itself, but for the proxies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// A broker is killed and started again.
    Kill,
    /// A broker is paused, and runs on.
    Pause,
    /// Each broker is stopped and started again, as operators do.
    Rolling,
    /// Preferred leaders are elected.
    Preferred,
    /// A replica that is not in sync is elected.
    Unclean,
    /// Partitions get other replicas.
    Reassign,
    /// A topic is deleted and made anew with fewer partitions.
    Fewer,
    /// A topic is deleted and made anew with more partitions.
    More,
    /// A topic gets more partitions.
    Grow,
    /// The controller is paused, or killed and started again.
    Controller,
    /// A broker's disk is full.
    Disk,
    /// Clients may send only so many bytes per second.
    Quota,
}

impl Kind {
    /// All kinds.
    pub const ALL: [Self; 12] = [
        Self::Kill,
        Self::Pause,
        Self::Rolling,
        Self::Preferred,
        Self::Unclean,
        Self::Reassign,
        Self::Fewer,
        Self::More,
        Self::Grow,
        Self::Controller,
        Self::Disk,
        Self::Quota,
    ];
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Kill => "kill",
            Self::Pause => "pause",
            Self::Rolling => "rolling restart",
            Self::Preferred => "preferred election",
            Self::Unclean => "unclean election",
            Self::Reassign => "reassignment",
            Self::Fewer => "anew with fewer",
            Self::More => "anew with more",
            Self::Grow => "growth",
            Self::Controller => "controller away",
            Self::Disk => "disk full",
            Self::Quota => "quota",
        })
    }
}

/// The kinds that are still to come.
#[derive(Debug)]
pub struct Deck {
    random: Random,
    kinds: Vec<Kind>,
    left: Vec<Kind>,
}

impl Deck {
    /// A full deck of these kinds, shuffled by a seed.
    pub fn new(seed: u64, kinds: &[Kind]) -> Self {
        Self {
            random: Random::new(seed),
            kinds: kinds.to_vec(),
            left: Vec::new(),
        }
    }

    /// The next kind; `None` if there are none at all.
    pub fn draw(&mut self) -> Option<Kind> {
        if self.left.is_empty() {
            self.left.clone_from(&self.kinds);
            for at in (1..self.left.len()).rev() {
                let other = self.random.below(at as u64 + 1) as usize;
                self.left.swap(at, other);
            }
        }
        self.left.pop()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(seed: u64) -> Vec<Kind> {
        let mut deck = Deck::new(seed, &Kind::ALL);
        (0..24).filter_map(|_| deck.draw()).collect()
    }

    #[test]
    fn each_kind_comes_before_any_comes_twice_in_an_order_of_the_seed() {
        for half in drawn(1).chunks(12) {
            let mut sorted = half.to_vec();
            sorted.sort_unstable();
            assert_eq!(sorted, Kind::ALL);
        }
        assert_eq!(drawn(1), drawn(1));
        assert_ne!(drawn(1), drawn(2));
        assert_eq!(Deck::new(1, &[]).draw(), None);
    }
}
