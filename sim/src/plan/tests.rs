//! What seeds draw: always the same, everything at times, and nothing that contradicts itself.

use std::collections::BTreeMap;

use super::*;

const SEEDS: u64 = 3000;

fn plan(seed: u64) -> Plan {
    Plan::draw(&mut Rng::new(seed))
}

/// Of how many seeds each thing is true.
#[derive(Default)]
struct Shares(BTreeMap<String, u64>);

impl Shares {
    fn note(&mut self, what: impl Into<String>, is_true: bool) {
        *self.0.entry(what.into()).or_default() += u64::from(is_true);
    }

    /// Each of these holds for so many of a thousand seeds, give or take.
    #[track_caller]
    fn are(&self, expected: &[(&str, std::ops::RangeInclusive<u64>)]) {
        for (what, range) in expected {
            let share = self.0.get(*what).copied().unwrap_or(0) * 1000 / SEEDS;
            assert!(range.contains(&share), "{what}: {share} of 1000, {range:?}");
        }
    }
}

fn name_of(trouble: &Trouble) -> String {
    match trouble {
        Trouble::Script(_, name) => format!("script {name}"),
        Trouble::Cut { how, .. } => format!("cut {how:?}"),
        Trouble::Names(answers) => format!("names {answers:?}"),
        Trouble::Kill { silent, .. } => format!("kill, silent {silent}"),
        other => {
            let words = format!("{other:?}");
            let end = words.find([' ', '(']).unwrap_or(words.len());
            words[..end].to_owned()
        }
    }
}

#[test]
fn a_plan_is_determined_by_its_seed() {
    for seed in 0..50 {
        let words = |seed| format!("{:?}", plan(seed));
        assert_eq!(words(seed), words(seed));
        assert_ne!(words(seed), words(seed + 1));
    }
}

#[test]
fn each_kind_of_trouble_is_drawn_and_none_is_most_of_it() {
    let mut met: BTreeMap<String, u64> = BTreeMap::new();
    let mut all = 0;
    for seed in 0..SEEDS {
        for (_, trouble) in plan(seed).phases.iter().flat_map(|phase| &phase.trouble) {
            *met.entry(name_of(trouble)).or_default() += 1;
            all += 1;
        }
    }
    let expected = [
        "Cancel",
        "Flush",
        "Forget",
        "Freeze",
        "Move",
        "NetworkDelay",
        "ServiceDelay",
        "Suspend",
        "WallClock",
        "cut AnswersLost",
        "cut ClientOnly",
        "cut Clean",
        "cut ServerFirst",
        "cut Silence",
        "kill, silent false",
        "kill, silent true",
        "names Empty",
        "names Fail",
        "names Several",
        "script ApiVersions spoilt",
        "script Metadata spoilt",
        "script apply and lose the answer",
        "script hang",
        "script a code that nobody knows",
    ];
    for what in expected {
        assert!(met.get(what).is_some_and(|n| *n >= 10), "{what}: {met:?}");
    }
    assert!(all > 2 * SEEDS, "{all} in all");
    // 55 of a hundred are scripts of Produce, of which there are some forty.
    let most = met.iter().max_by_key(|(_, n)| **n).unwrap();
    assert!(*most.1 < all / 5, "{most:?} of {all}");
    assert!(
        met.keys()
            .filter(|what| what.starts_with("script "))
            .count()
            >= 40
    );
}

#[test]
fn circumstances_are_drawn_as_often_as_is_meant() {
    let mut shares = Shares::default();
    for seed in 0..SEEDS {
        let plan = plan(seed);
        let config = &plan.config;
        let trouble = || plan.phases.iter().flat_map(|phase| &phase.trouble);
        shares.note("calm", plan.calm);
        shares.note("all must be delivered", plan.expect.all_delivered);
        shares.note("trouble", trouble().next().is_some());
        shares.note("strict", plan.expect.is_strict());
        shares.note("idempotent", config.idempotence);
        shares.note("acks=0", config.acks == Acks::None);
        shares.note("impatient", config.delivery_timeout < 30 * SECOND);
        shares.note("a lull", plan.phases.len() == 2);
        shares.note("forgotten", plan.phases.iter().any(|phase| phase.forget));
        shares.note("little memory", plan.memory < 1 << 20);
        shares.note("two options", plan.options.len() == 2);
        shares.note(
            "compressed",
            config.compression.codec() != CompressionType::None,
        );
        shares.note("old records", plan.old_records > 0);
        shares.note("drained", plan.end == End::Drain);
        shares.note("flushed", plan.end == End::Flush);
        shares.note("waited for", plan.end == End::Wait);
        shares.note("aborted", matches!(plan.end, End::Abort(..)));
        shares.note("watched", !plan.watch.is_zero());
        shares.note("never well again", !plan.heals);
        shares.note("some handles dropped", plan.kept < 100);
        shares.note("many at once", plan.verbs.contains(&Verb::Many));
        shares.note("adaptive", matches!(config.linger, Linger::Adaptive(_)));
        let mixed = plan.releases.windows(2).any(|two| two[0] != two[1]);
        shares.note("mixed releases", mixed);
    }
    shares.are(&[
        ("calm", 50..=180),
        ("all must be delivered", 150..=400),
        ("trouble", 550..=800),
        ("strict", 650..=900),
        ("idempotent", 750..=850),
        ("acks=0", 30..=80),
        ("impatient", 150..=300),
        ("a lull", 80..=160),
        ("forgotten", 40..=110),
        ("little memory", 350..=650),
        ("two options", 100..=200),
        ("compressed", 300..=500),
        ("old records", 50..=150),
        ("drained", 300..=500),
        ("flushed", 130..=270),
        ("waited for", 150..=350),
        ("aborted", 100..=250),
        ("watched", 40..=130),
        ("never well again", 20..=80),
        ("some handles dropped", 400..=600),
        ("many at once", 300..=500),
        ("adaptive", 450..=700),
        ("mixed releases", 50..=150),
    ]);
}

#[test]
fn a_plan_does_not_contradict_itself() {
    for seed in 0..SEEDS {
        let plan = plan(seed);
        let config = &plan.config;
        let least = config.request_timeout + config.linger.duration();
        if config.delivery_timeout < 30 * SECOND {
            assert!(config.delivery_timeout >= least, "seed {seed}");
        }
        assert!(
            plan.memory >= 2 * config.batch_size.min(plan.memory / 2),
            "seed {seed}"
        );
        assert!(config.batch_max >= config.batch_size, "seed {seed}");
        assert!(config.request_max >= config.batch_max, "seed {seed}");
        assert!(config.max_in_flight >= 1, "seed {seed}");
        assert!(!(plan.calm && plan.phases.iter().any(|p| !p.trouble.is_empty())));
        // Who asks that all be delivered must not make that impossible.
        if plan.expect.all_delivered {
            let trouble = plan.phases.iter().flat_map(|phase| &phase.trouble);
            let forgets = trouble.filter(|(_, t)| matches!(t, Trouble::Forget { .. }));
            assert_eq!(forgets.count(), 0, "seed {seed}");
            assert!(plan.heals, "seed {seed}");
        }
        for phase in &plan.phases {
            for record in phase.senders.iter().flatten() {
                let topic = &plan.topics[record.topic as usize];
                assert!(
                    (0..topic.partitions).contains(&record.partition),
                    "seed {seed}"
                );
                assert!((4..=LEN_MAX).contains(&record.len), "seed {seed}");
            }
        }
    }
}
