//! Producer id and epoch, and the arithmetic of sequences.
//!
//! An epoch is bumped here without asking a broker (KIP-360); only when the 15 bits of
//! the epoch are used up is a new producer id needed. Each partition keeps the identity
//! that it began with until its own sequence breaks: a broker keeps producer state per
//! partition, so one partition's trouble need not restart the others.

/// A producer id and its epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(
    clippy::exhaustive_structs,
    reason = "an id and an epoch are all there is"
)]
pub struct Identity {
    /// Producer id.
    pub id: i64,
    /// Epoch under that id.
    pub epoch: i16,
}

/// The next sequence after `count` records: 2147483647 is followed by 0.
pub fn advance(sequence: i32, count: u32) -> i32 {
    ((i64::from(sequence) + i64::from(count)) & 0x7fff_ffff) as i32
}

/// What the producer as a whole knows of its identity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct IdentityState {
    current: Option<Identity>,
}

/// What came of a wish for a newer identity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Bump {
    /// Another partition bumped already: use this one.
    Use(Identity),
    /// Bumped just now.
    Bumped(Identity),
    /// The epochs are used up: ask for a new producer id.
    Exhausted,
}

impl IdentityState {
    /// The newest identity, if one was granted.
    pub fn current(&self) -> Option<Identity> {
        self.current
    }

    /// Takes what InitProducerId granted.
    pub fn handle_granted(&mut self, identity: Identity) {
        self.current = Some(identity);
    }

    /// An identity newer than `stale`.
    pub fn bump(&mut self, stale: Identity) -> Bump {
        match self.current {
            Some(current) if current != stale => Bump::Use(current),
            Some(Identity { id, epoch }) if epoch < i16::MAX => {
                let next = Identity {
                    id,
                    epoch: epoch + 1,
                };
                self.current = Some(next);
                Bump::Bumped(next)
            }
            _ => {
                self.current = None;
                Bump::Exhausted
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sequence_wraps_to_zero_after_the_largest() {
        assert_eq!(advance(i32::MAX, 1), 0);
        assert_eq!(advance(i32::MAX - 1, 3), 1);
        assert_eq!(advance(0, 5), 5);
    }

    #[test]
    fn a_bump_that_another_partition_made_is_shared() {
        let mut state = IdentityState::default();
        let first = Identity { id: 7, epoch: 0 };
        state.handle_granted(first);
        let Bump::Bumped(second) = state.bump(first) else {
            panic!("not bumped")
        };
        assert_eq!(second, Identity { id: 7, epoch: 1 });
        assert_eq!(state.bump(first), Bump::Use(second));
    }

    #[test]
    fn the_last_epoch_asks_for_a_new_id() {
        let mut state = IdentityState::default();
        let last = Identity {
            id: 7,
            epoch: i16::MAX,
        };
        state.handle_granted(last);
        assert_eq!(state.bump(last), Bump::Exhausted);
        assert_eq!(state.current(), None);
    }
}
