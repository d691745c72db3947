//! All topics that a producer knows, found by name or number without a lock.
//!
//! Adding is rare and takes one; topics are never removed, so that numbers stay valid: what is bound
//! to one finds its queues, and these the sequence where they go on.

use std::cell::RefCell;
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hash, Hasher};
use std::sync::Arc;

use crate::sys::lock::lock;
use crate::sys::sync::{ArcSwap, Mutex, thread_local};
use crate::topics::entry::TopicEntry;

/// Names are short and chosen by the program itself, so a multiplication a word is enough.
#[derive(Debug, Default)]
pub(crate) struct NameHasher(u64);

impl Hasher for NameHasher {
    #[inline]
    fn write(&mut self, bytes: &[u8]) {
        let mut words = bytes.chunks_exact(8);
        for word in &mut words {
            let word = word.try_into().map_or(0, u64::from_le_bytes);
            self.write_u64(word);
        }
        let mut last = [0; 8];
        let rest = words.remainder();
        last[..rest.len()].copy_from_slice(rest);
        self.write_u64(u64::from_le_bytes(last) ^ ((bytes.len() as u64) << 56));
    }

    #[inline]
    fn write_u8(&mut self, _: u8) {
        // The end mark of a string; its length is in the hash already.
    }

    #[inline]
    fn write_u64(&mut self, word: u64) {
        self.0 = (self.0.rotate_left(23) ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }

    #[inline]
    fn finish(&self) -> u64 {
        self.0 ^ (self.0 >> 32)
    }
}

type Map = HashMap<Arc<str>, Arc<TopicEntry>, BuildHasherDefault<NameHasher>>;

/// Topics that one thread remembers, so that a look-up costs a comparison.
const RECENT_MAX: usize = 8;

thread_local! {
    /// A topic that is remembered outlives its producer by what its empty queues take, until
    /// another one takes its place or the thread ends.
    static RECENT: RefCell<[Option<Arc<TopicEntry>>; RECENT_MAX]> =
        const { RefCell::new([const { None }; RECENT_MAX]) };
}

#[inline]
fn recent_index(name: &str) -> usize {
    let last = name.as_bytes().last().copied().unwrap_or(0);
    (usize::from(last) + name.len()) % RECENT_MAX
}

/// The topics of a producer.
#[derive(Debug)]
pub(crate) struct Topics {
    owner: u64,
    /// A program that makes up names is stopped here and not by running out of memory.
    topics_max: usize,
    /// By the highest bits of the names' hashes. To add a topic copies the map that it goes to: with
    /// one for all ten thousand first sends would copy fifty million entries.
    by_name: [ArcSwap<Map>; MAPS],
    all: Mutex<Vec<Arc<TopicEntry>>>,
}

const MAPS: usize = 256;

fn map_of(name: &str) -> usize {
    let mut hasher = NameHasher::default();
    name.hash(&mut hasher);
    (hasher.0 >> (u64::BITS - MAPS.ilog2())) as usize
}

impl Topics {
    /// None yet and so many at most, for the producer of this number.
    pub(crate) fn new(owner: u64, topics_max: usize) -> Self {
        Self {
            owner,
            topics_max,
            by_name: {
                let none = Arc::<Map>::default();
                std::array::from_fn(|_| ArcSwap::new(none.clone()))
            },
            all: Mutex::default(),
        }
    }

    /// Calls `f` with the topic of this name, if it is known.
    #[inline]
    pub(crate) fn with<R>(&self, name: &str, f: impl FnOnce(&Arc<TopicEntry>) -> R) -> Option<R> {
        let mut f = Some(f);
        let recent = RECENT.try_with(|recent| {
            let recent = recent.try_borrow().ok()?;
            let topic = recent[recent_index(name)].as_ref()?;
            if topic.owner() == self.owner && **topic.name() == *name {
                return f.take().map(|f| f(topic));
            }
            None
        });
        match (recent, f) {
            (Ok(Some(result)), _) => Some(result),
            (_, Some(f)) => self.with_unfamiliar(name, f),
            _ => None,
        }
    }

    #[cold]
    fn with_unfamiliar<R>(&self, name: &str, f: impl FnOnce(&Arc<TopicEntry>) -> R) -> Option<R> {
        let topic = self.by_name[map_of(name)].load().get(name).cloned()?;
        let result = f(&topic);
        // A destructor of this thread's may send, too; then there is nothing to remember in.
        let _ = RECENT.try_with(|recent| {
            let mut recent = recent.try_borrow_mut().ok()?;
            recent[recent_index(name)].replace(topic)
        });
        Some(result)
    }

    /// The topic of this name, added if it is new; `None` if there are too many.
    pub(crate) fn add(&self, name: &str) -> Option<Arc<TopicEntry>> {
        let mut all = lock(&self.all);
        if let Some(known) = self.with(name, Arc::clone) {
            return Some(known);
        }
        if all.len() >= self.topics_max {
            return None;
        }
        let topic = Arc::new(TopicEntry::new(
            Arc::from(name),
            all.len() as u32,
            self.owner,
        ));
        all.push(topic.clone());
        let by_name = &self.by_name[map_of(name)];
        let mut map = Map::clone(&by_name.load());
        map.insert(topic.name().clone(), topic.clone());
        by_name.store(Arc::new(map));
        Some(topic)
    }

    /// Calls `f` with each topic that is known now, in any order and without a lock.
    pub(crate) fn each(&self, mut f: impl FnMut(&Arc<TopicEntry>)) {
        for map in &self.by_name {
            map.load().values().for_each(&mut f);
        }
    }

    /// Adds those to `known` that are not in it: all, in the order of their numbers.
    pub(crate) fn append_new(&self, known: &mut Vec<Arc<TopicEntry>>) {
        let all = lock(&self.all);
        // Not all anew: each new topic would cost as much as there are.
        known.extend(all.iter().skip(known.len()).cloned());
    }

    /// All topics, in the order of their numbers.
    pub(crate) fn all(&self) -> Vec<Arc<TopicEntry>> {
        lock(&self.all).clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_one_topic_whoever_adds_it() {
        let topics = Topics::new(1, 2);
        let first = topics.add("orders").unwrap();
        assert!(Arc::ptr_eq(&first, &topics.add("orders").unwrap()));
        let other = topics.add("orders2").unwrap();
        assert_eq!((first.index(), other.index()), (0, 1));
        assert!(topics.with("orders", |t| Arc::ptr_eq(t, &first)).unwrap());
        assert!(topics.with("unknown", |_| ()).is_none());
        assert_eq!(topics.all()[1].name().as_ref(), "orders2");
        assert!(topics.add("orders3").is_none(), "one too many");
        assert!(topics.add("orders").is_some());
    }

    #[test]
    fn those_that_are_known_are_not_gone_through_for_a_new_one() {
        let topics = Topics::new(1, 3);
        let [first, other] = ["a", "b"].map(|name| topics.add(name).unwrap());
        // In the place of the first: it is not looked at.
        let mut known = vec![other.clone()];
        topics.append_new(&mut known);
        assert!(known.len() == 2 && Arc::ptr_eq(&known[0], &other));
        let mut known = Vec::new();
        topics.append_new(&mut known);
        assert!(Arc::ptr_eq(&known[0], &first));
    }

    #[test]
    fn a_topic_is_added_to_a_small_part_of_the_table() {
        let topics = Topics::new(1, usize::MAX);
        let count = 10_000;
        for topic in 0..count {
            topics.add(&format!("topic-{topic}")).unwrap();
        }
        let sizes: Vec<usize> = topics.by_name.iter().map(|map| map.load().len()).collect();
        assert_eq!(sizes.iter().sum::<usize>(), count);
        let largest = *sizes.iter().max().unwrap();
        assert!(largest < 3 * count / MAPS, "{largest}");
        let mut seen = 0;
        topics.each(|_| seen += 1);
        assert_eq!(seen, count);
    }

    #[test]
    fn similar_names_get_different_hashes() {
        use std::collections::HashSet;
        let mut hashes = HashSet::new();
        for i in 0..10_000 {
            let mut hasher = NameHasher::default();
            format!("topic-{i}").hash(&mut hasher);
            assert!(hashes.insert(hasher.finish()));
        }
    }
}
