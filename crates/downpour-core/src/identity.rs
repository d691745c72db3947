//! Producer id and epoch, who may raise the epoch, and the arithmetic of sequences.
//!
//! Each partition keeps the identity that it began with until its own sequence breaks: a broker
//! keeps producer state per partition, so that one partition's trouble need not restart the
//! others. How a partition uses it is in `queue/sequence.rs`.

/// A producer id and its epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(
    clippy::exhaustive_structs,
    reason = "an id and an epoch are all there is"
)]
pub struct Identity {
    /// What a broker keeps a producer's sequences under.
    pub id: i64,
    /// Grows whenever sequences begin anew; a broker refuses what comes under a lower one.
    pub epoch: i16,
}

/// An identity as partitions may use it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(
    clippy::exhaustive_structs,
    reason = "built by the engine and by tests"
)]
pub struct Grant {
    /// What batches are stamped with.
    pub identity: Identity,
    /// Counts transactions: each begins all of its partitions anew, since the coordinator may
    /// raise the epoch with each (KIP-890). Always 0 without transactions.
    pub generation: u32,
}

/// The next sequence after `count` records: 2147483647 is followed by 0.
pub fn advance(sequence: i32, count: u32) -> i32 {
    ((i64::from(sequence) + i64::from(count)) & 0x7fff_ffff) as i32
}

/// Who raises the epoch when a partition's sequence broke.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Authority {
    /// The producer itself, without asking a broker (KIP-360); only when the 15 bits of the
    /// epoch are used up is a new producer id needed.
    #[default]
    Own,
    /// The transaction coordinator alone. A producer that raised its own epoch would un-fence
    /// itself: its successor, which the coordinator gave epoch 6, shuts it out at epoch 5, and it
    /// would come back at 6. Here a broken partition sends nothing more until the next
    /// transaction, which brings another generation.
    Coordinator,
}

/// What the producer as a whole knows of its identity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct IdentityState {
    current: Option<Grant>,
    authority: Authority,
}

/// What came of a wish for a newer identity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Bump {
    /// Another partition bumped already: use this one.
    Use(Grant),
    /// Bumped just now.
    Bumped(Grant),
    /// The epochs are used up: ask for a new producer id.
    Exhausted,
    /// The coordinator has to raise it: wait for its next grant.
    NotOurs,
}

impl IdentityState {
    /// Nothing granted yet.
    pub fn new(authority: Authority) -> Self {
        Self {
            current: None,
            authority,
        }
    }

    /// The newest identity, if one was granted.
    pub fn current(&self) -> Option<Grant> {
        self.current
    }

    /// Takes what was granted: by InitProducerId, or by the end of a transaction.
    pub fn handle_granted(&mut self, grant: Grant) {
        self.current = Some(grant);
    }

    /// Another cluster has to grant one: there is none until then.
    pub fn forget(&mut self) {
        self.current = None;
    }

    /// An identity newer than `stale`, under which a partition's sequence broke.
    pub fn bump(&mut self, stale: Identity) -> Bump {
        let Some(current) = self.current else {
            return Bump::Exhausted;
        };
        if current.identity != stale {
            return Bump::Use(current);
        }
        if self.authority == Authority::Coordinator {
            return Bump::NotOurs;
        }
        let Some(epoch) = stale.epoch.checked_add(1) else {
            self.current = None;
            return Bump::Exhausted;
        };
        let identity = Identity {
            id: stale.id,
            epoch,
        };
        let bumped = Grant {
            identity,
            ..current
        };
        self.current = Some(bumped);
        Bump::Bumped(bumped)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grant(epoch: i16) -> Grant {
        Grant {
            identity: Identity { id: 7, epoch },
            generation: 0,
        }
    }

    #[test]
    fn sequence_wraps_to_zero_after_the_largest() {
        assert_eq!(advance(i32::MAX, 1), 0);
        assert_eq!(advance(i32::MAX - 1, 3), 1);
        assert_eq!(advance(0, 5), 5);
    }

    #[test]
    fn a_bump_that_another_partition_made_is_shared() {
        let mut state = IdentityState::default();
        state.handle_granted(grant(0));
        assert_eq!(state.bump(grant(0).identity), Bump::Bumped(grant(1)));
        assert_eq!(state.bump(grant(0).identity), Bump::Use(grant(1)));
    }

    #[test]
    fn the_last_epoch_asks_for_a_new_id() {
        let mut state = IdentityState::default();
        let last = grant(i16::MAX);
        state.handle_granted(last);
        assert_eq!(state.bump(last.identity), Bump::Exhausted);
        assert_eq!(state.current(), None);
    }

    #[test]
    fn a_transactional_producer_never_raises_its_epoch_itself() {
        let mut state = IdentityState::new(Authority::Coordinator);
        state.handle_granted(grant(5));
        assert_eq!(state.bump(grant(5).identity), Bump::NotOurs);
        assert_eq!(state.current(), Some(grant(5)));
    }
}
