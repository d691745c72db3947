//! Which batches of a partition may be under way together, as the bytes tell that sockets take.
//!
//! Two rules that brokers do not enforce and no log shows: a batch that is sent again stays alone
//! until something was acknowledged since, and nothing new goes along with a batch that may be in
//! the log already. Judged only where it is sure that no answer came: what is in doubt passes.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::time::Duration;

use crate::history::Place;
use crate::ledger::Stamped;

type LinkId = u64;

/// A batch that was begun.
#[derive(Debug)]
struct Sending {
    batch: Stamped,
    link: LinkId,
    /// It was begun before.
    is_again: bool,
    /// Nothing of the partition was acknowledged since it was begun before.
    is_unproven: bool,
    /// It was lost when it had left whole.
    is_doubtful: bool,
}

/// What is under way.
#[derive(Debug, Default)]
pub(crate) struct Company {
    under_way: Vec<Sending>,
    /// When a batch was begun last.
    begun: HashMap<Stamped, Duration>,
    doubtful: HashSet<Stamped>,
    /// When an acknowledgement reaches the client at the latest.
    proven: BTreeMap<Place, Duration>,
}

impl Company {
    /// A batch's first byte was taken by a link's socket. The error says whom it accompanies.
    pub(crate) fn begin(
        &mut self,
        batch: Stamped,
        link: LinkId,
        now: Duration,
    ) -> Result<(), String> {
        let place = batch.place();
        let last = self.begun.insert(batch, now);
        let others = self
            .under_way
            .iter()
            .filter(|s| s.batch.place() == place && s.batch != batch);
        for other in others.filter(|other| other.is_again) {
            let what = if other.is_unproven {
                "which is sent again and not through"
            } else if other.is_doubtful && last.is_none() {
                "which may be in the log"
            } else {
                continue;
            };
            return Err(format!("{batch} leaves beside {}, {what}", other.batch));
        }
        self.proven.entry(place).or_default();
        let is_proven = last.is_none_or(|last| self.proven.get(&place) >= Some(&last));
        self.under_way.push(Sending {
            batch,
            link,
            is_again: last.is_some(),
            is_unproven: !is_proven,
            is_doubtful: self.doubtful.contains(&batch),
        });
        Ok(())
    }

    /// An acknowledgement of a partition's batch is on its way and there at that time.
    pub(crate) fn acknowledge(&mut self, place: Place, there: Duration) {
        let proven = self.proven.entry(place).or_default();
        *proven = there.max(*proven);
    }

    /// A request whose batches are not known is answered: any partition may be proven by it.
    pub(crate) fn acknowledge_any(&mut self, there: Duration) {
        for proven in self.proven.values_mut() {
            *proven = there.max(*proven);
        }
    }

    /// Bytes reached the client: any of the link's requests may be answered.
    pub(crate) fn answered(&mut self, link: LinkId) {
        self.under_way.retain(|sending| sending.link != link);
    }

    /// The client gave a link up, which had taken its last request whole or not.
    pub(crate) fn closed(&mut self, link: LinkId, is_whole: bool) {
        let mut lost = Vec::new();
        self.under_way.retain(|sending| {
            let is_lost = sending.link == link;
            if is_lost {
                lost.push(sending.batch);
            }
            !is_lost
        });
        if is_whole {
            self.doubtful.extend(lost);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::{PLACE, at, batch};
    use crate::ledger::Ledger;

    fn stamped(base_sequence: i32) -> Stamped {
        let id = base_sequence as u32;
        let noted = Ledger::default().note(&[batch(base_sequence, &[id])]);
        noted.unwrap()[0]
    }

    /// The first batch was acknowledged, the second lost with its connection.
    fn troubled(is_whole: bool) -> Company {
        let mut company = Company::default();
        company.begin(stamped(1), 1, at(0)).unwrap();
        company.acknowledge(PLACE, at(5));
        company.answered(1);
        company.begin(stamped(2), 1, at(10)).unwrap();
        company.closed(1, is_whole);
        company
    }

    #[test]
    fn a_batch_that_is_sent_again_stays_alone_until_something_is_acknowledged() {
        let mut company = troubled(false);
        company.begin(stamped(2), 2, at(20)).unwrap();
        let said = company.begin(stamped(3), 2, at(21)).unwrap_err();
        assert!(
            said.contains("which is sent again and not through"),
            "{said}"
        );
        let mut company = troubled(false);
        company.begin(stamped(2), 2, at(20)).unwrap();
        company.answered(2);
        assert_eq!(company.begin(stamped(3), 2, at(21)), Ok(()));
    }

    #[test]
    fn nothing_new_goes_along_with_a_batch_that_may_be_in_the_log() {
        for (is_whole, is_fine) in [(true, false), (false, true)] {
            let mut company = troubled(is_whole);
            // What proves the partition says nothing about the doubtful batch.
            company.acknowledge(PLACE, at(15));
            company.begin(stamped(2), 2, at(20)).unwrap();
            let said = company.begin(stamped(3), 2, at(21));
            assert_eq!(said.is_ok(), is_fine, "{said:?}");
        }
    }

    #[test]
    fn other_partitions_go_their_own_ways() {
        let mut company = troubled(true);
        company.begin(stamped(2), 2, at(20)).unwrap();
        let mut other = batch(3, &[3]);
        other.place = (0, 1);
        let other = Ledger::default().note(&[other]).unwrap()[0];
        assert_eq!(company.begin(other, 2, at(21)), Ok(()));
    }
}
