//! The differences that stay, each with its reason, and the judgement of what was found.

/// Where the fake's answers are not Kafka's.
#[derive(Debug)]
pub(crate) struct Difference {
    pub(crate) script: &'static str,
    pub(crate) versions: Vec<i16>,
    pub(crate) fake: String,
    pub(crate) real: String,
}

/// Scripts whose differences stay: the release, or none for all; the script; and the reason.
const KNOWN: &[(Option<&str>, &str, &str)] = &[
    (
        None,
        "no records",
        "a broker fails over it and never answers; the fake says what is wrong",
    ),
    (
        None,
        "offsets that do not count up",
        "a broker keeps such records as they are and nobody can read them; the fake refuses them",
    ),
    (
        Some("2.8.2"),
        "a record's length that is too long",
        "an old broker fails over it with UNKNOWN_SERVER_ERROR; the fake says INVALID_RECORD as newer ones",
    ),
];

/// Fails with all differences that are not known, and with known ones that are no more.
pub(crate) fn judge(release: &str, found: Vec<Difference>) {
    let known = |script: &str| {
        let mut all = KNOWN.iter();
        all.any(|(only, name, _)| *name == script && only.is_none_or(|only| only == release))
    };
    let told: Vec<String> = found
        .iter()
        .filter(|difference| !known(difference.script))
        .map(|difference| {
            format!(
                "{} in {:?}:\n  fake {}\n  real {}",
                difference.script, difference.versions, difference.fake, difference.real
            )
        })
        .collect();
    assert!(
        told.is_empty(),
        "{release}: {} differences\n{}",
        told.len(),
        told.join("\n")
    );
    for (only, name, _) in KNOWN {
        if only.is_none_or(|only| only == release) {
            assert!(
                found.iter().any(|difference| difference.script == *name),
                "{release}: `{name}` differs no more"
            );
        }
    }
}
