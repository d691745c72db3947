//! When something that happens again and again is worth a line: when it begins, and then ever more
//! rarely. What the line says is the shell's matter.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// From the first line to the first reminder; each pause is twice the one before.
const PAUSE_FIRST: Duration = Duration::from_secs(60);
const PAUSE_MOST: Duration = Duration::from_secs(3600);
/// What did not happen for so long is new when it happens again.
const LULL: Duration = Duration::from_secs(600);
/// Things that are remembered; beyond that the one is forgotten that happened least recently.
const KEYS_MAX: usize = 1024;

/// Whether something that happened is worth a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Notice {
    /// It is new.
    New,
    /// It was said, and goes on; this is a reminder.
    Still {
        /// How long it has been going on.
        lasting: Duration,
        /// How often it happened since it began.
        times: u32,
    },
    /// It was said, and a reminder would be early.
    Quiet,
}

/// What happens again and again, by what it happens to.
#[derive(Debug)]
pub(crate) struct Notices<K> {
    running: BTreeMap<K, Running>,
}

#[derive(Debug)]
struct Running {
    since: Instant,
    last: Instant,
    times: u32,
    /// One bit per kind that was said.
    kinds: u32,
    remind_at: Instant,
    pause: Duration,
}

impl<K> Default for Notices<K> {
    fn default() -> Self {
        Self {
            running: BTreeMap::new(),
        }
    }
}

impl<K: Ord + Clone> Notices<K> {
    pub(crate) fn is_empty(&self) -> bool {
        self.running.is_empty()
    }

    /// Whether it happens to this one, and has not ended.
    pub(crate) fn has(&self, key: &K) -> bool {
        self.running.contains_key(key)
    }

    /// It happened. `kind`, below 32, tells apart what is worth a line of its own.
    pub(crate) fn note(&mut self, key: &K, kind: u8, now: Instant) -> Notice {
        self.note_after(key, kind, Duration::ZERO, now)
    }

    /// The same for what is worth nothing before it lasts so long.
    pub(crate) fn note_after(
        &mut self,
        key: &K,
        kind: u8,
        after: Duration,
        now: Instant,
    ) -> Notice {
        if self.running.get(key).is_none_or(|r| r.last + LULL <= now) {
            self.make_room(key);
            let running = Running {
                since: now,
                last: now,
                times: 0,
                kinds: 0,
                remind_at: now,
                pause: PAUSE_FIRST,
            };
            self.running.insert(key.clone(), running);
        }
        let Some(running) = self.running.get_mut(key) else {
            return Notice::New;
        };
        running.last = now;
        running.times = running.times.saturating_add(1);
        let lasting = now - running.since;
        let kind = 1u32 << (kind % 32);
        if lasting < after {
            return Notice::Quiet;
        }
        if running.kinds & kind == 0 {
            if running.kinds == 0 {
                running.remind_at = now + running.pause;
            }
            running.kinds |= kind;
            return Notice::New;
        }
        if now < running.remind_at {
            return Notice::Quiet;
        }
        running.pause = (running.pause * 2).min(PAUSE_MOST);
        running.remind_at = now + running.pause;
        Notice::Still {
            lasting,
            times: running.times,
        }
    }

    /// It is over: how long it lasted, and how often it had happened. `None` if nothing was said.
    pub(crate) fn end(&mut self, key: &K, now: Instant) -> Option<(Duration, u32)> {
        let running = self.running.remove(key)?;
        (running.kinds != 0).then(|| (now - running.since, running.times))
    }

    fn make_room(&mut self, key: &K) {
        if self.running.len() < KEYS_MAX || self.running.contains_key(key) {
            return;
        }
        let oldest = self.running.iter().min_by_key(|(_, running)| running.last);
        if let Some(oldest) = oldest.map(|(key, _)| key.clone()) {
            self.running.remove(&oldest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_goes_on_is_said_when_it_begins_and_then_ever_more_rarely() {
        let (began, mut notices) = (Instant::now(), Notices::default());
        let mut said = Vec::new();
        for second in 0..4 * 3600 {
            let now = began + Duration::from_secs(second);
            match notices.note(&1, 0, now) {
                Notice::New => said.push((second, 1)),
                Notice::Still { lasting, times } => {
                    assert_eq!(lasting, now - began);
                    said.push((second / 60, times));
                }
                Notice::Quiet => {}
            }
        }
        let minutes: Vec<u64> = said.iter().map(|(at, _)| *at).collect();
        assert_eq!(minutes, [0, 1, 3, 7, 15, 31, 63, 123, 183]);
        assert_eq!(said[2].1, 181);
        let now = began + Duration::from_secs(4 * 3600);
        let over = (Duration::from_secs(4 * 3600), 4 * 3600);
        assert_eq!(notices.end(&1, now), Some(over));
        assert_eq!(notices.note(&1, 0, now), Notice::New);
    }

    #[test]
    fn another_kind_is_said_once_however_they_alternate() {
        let (now, mut notices) = (Instant::now(), Notices::default());
        let said = (0..10).map(|n| notices.note(&1, n % 2, now));
        let new = said.filter(|notice| *notice == Notice::New).count();
        assert_eq!(new, 2);
    }

    #[test]
    fn what_is_over_before_it_lasts_is_never_said() {
        let (now, mut notices) = (Instant::now(), Notices::default());
        let after = Duration::from_secs(5);
        assert_eq!(notices.note_after(&1, 0, after, now), Notice::Quiet);
        assert_eq!(notices.end(&1, now), None);
        assert_eq!(notices.note_after(&1, 0, after, now), Notice::Quiet);
        assert_eq!(notices.note_after(&1, 0, after, now + after), Notice::New);
        let soon = now + after + Duration::from_secs(1);
        assert_eq!(notices.note_after(&1, 0, after, soon), Notice::Quiet);
    }

    #[test]
    fn after_a_lull_it_is_new_and_what_is_remembered_is_bounded() {
        let (began, mut notices) = (Instant::now(), Notices::default());
        notices.note(&0, 0, began);
        let later = began + LULL;
        assert_eq!(notices.note(&0, 0, later), Notice::New);
        for key in 1..3000 {
            notices.note(&key, 0, later + Duration::from_millis(key));
        }
        assert_eq!(notices.running.len(), KEYS_MAX);
        assert!(notices.has(&2999) && !notices.has(&0));
    }
}
