//! The mistakes that can be switched on in core and in the shell, and how they are looked for.
//! Where each is made is where its number stands, as `mutants::is` or `mutants::pick`.

/// A mistake.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Mutant {
    /// Names it in the code.
    pub number: u32,
    /// What is wrong.
    pub what: &'static str,
    /// Within so many seeds it has to be found: several times what it took when it was put here.
    pub budget: u64,
}

const fn mutant(number: u32, budget: u64, what: &'static str) -> Mutant {
    Mutant {
        number,
        what,
        budget,
    }
}

/// All of them, by their numbers. From 41 on they are in the shell.
pub const MUTANTS: &[Mutant] = &[
    mutant(1, 1000, "a retry takes a new sequence"),
    mutant(2, 1000, "a lost answer is a failure"),
    mutant(3, 1000, "a retry goes behind newer batches"),
    mutant(4, 1000, "five leave before the first acknowledgement"),
    mutant(5, 1000, "what expired in flight is completed twice"),
    mutant(6, 1000, "a split keeps the memory that rounding left"),
    mutant(7, 2000, "a doubtful batch is sent under a new epoch"),
    mutant(8, 10_000, "a doubtful batch is split"),
    mutant(11, 1000, "a request that just left counts as unsent"),
    mutant(13, 1000, "a proof outlives a retry"),
    mutant(14, 10_000, "the offset of a deposed leader is ignored"),
    mutant(15, 10_000, "a proof outlives a lull"),
    mutant(18, 5000, "an answer that leaves a batch out is a refusal"),
    mutant(19, 1000, "a split restarts its sequences"),
    mutant(20, 1000, "the sweep forgets the open batch"),
    mutant(21, 1000, "new batches go with doubtful ones"),
    mutant(22, 5000, "the end of a linger wakes nobody"),
    mutant(23, 2000, "an abort calls what is in flight failed"),
    mutant(
        24,
        5000,
        "the answer of a moved leader asks for no metadata",
    ),
    mutant(26, 1000, "that callers wait for memory is not heard"),
    mutant(27, 1000, "a spent sequence is given to another batch"),
    mutant(28, 20_000, "the follower of an absent batch is unknown"),
    mutant(29, 10_000, "an epoch begins while something is in flight"),
    mutant(30, 1000, "a partition that moves leaves its memory behind"),
    mutant(31, 1000, "what expired in flight keeps its memory"),
    mutant(32, 1000, "a retry waits for no backoff"),
    mutant(33, 5000, "a request that never left leaves a doubt"),
    mutant(
        34,
        1000,
        "a question is asked again before its backoff is over",
    ),
    mutant(35, 1000, "an answer does not still the question"),
    mutant(36, 5000, "a refusal is told with what went wrong before it"),
    mutant(37, 5000, "what waits expires at half its time"),
    mutant(38, 1000, "a broker is knocked at without a backoff"),
    mutant(39, 1000, "memory is lent that is not free"),
    mutant(40, 5000, "a broker that failed three times is given up"),
    mutant(41, 1000, "what the pool brings wakes nobody"),
    mutant(
        42,
        1000,
        "what a caller's round makes due earlier wakes nobody",
    ),
    mutant(
        43,
        1000,
        "a request that was written in part begins anew at its next",
    ),
    mutant(44, 1000, "what compressing frees is given back twice"),
    mutant(
        45,
        20_000,
        "a round lets go of the lock before what it wrote is told",
    ),
    mutant(46, 5000, "a closed producer sleeps past its deadline"),
    mutant(
        47,
        1000,
        "the memory granted to a waiter that goes away is lost",
    ),
    mutant(
        48,
        1000,
        "the announced end of a connection is forgotten after a short read",
    ),
    mutant(
        49,
        1000,
        "a name that was found opens a connection that was given up",
    ),
    mutant(50, 1000, "a verdict is counted twice"),
    mutant(
        51,
        1000,
        "the thread does not hear that the last handle went",
    ),
    mutant(52, 1000, "who closes what is closed waits for ever"),
];

/// Makes a mistake from now on in this process.
///
/// # Errors
/// Where no mistakes are compiled in.
#[cfg(downpour_mutants)]
pub fn choose(number: u32) -> Result<(), String> {
    downpour_core::mutants::choose(number);
    Ok(())
}

/// Makes a mistake from now on in this process.
///
/// # Errors
/// Where no mistakes are compiled in, as here.
#[cfg(not(downpour_mutants))]
pub fn choose(number: u32) -> Result<(), String> {
    if number == 0 {
        return Ok(());
    }
    Err("built without mistakes: use `cargo xtask mutants`".to_owned())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fs;
    use std::path::Path;

    use super::*;

    /// The numbers of the switches in a directory's code.
    fn switches(dir: &Path, found: &mut Vec<u32>) {
        for entry in fs::read_dir(dir).unwrap().flatten() {
            let path = entry.path();
            if path.is_dir() {
                switches(&path, found);
                continue;
            }
            let text = fs::read_to_string(&path).unwrap_or_default();
            for call in ["mutants::is(", "mutants::pick("] {
                found.extend(text.split(call).skip(1).map(|rest| {
                    let digits = rest.trim_start().split(|c: char| !c.is_ascii_digit());
                    let digits = digits.into_iter().next().unwrap_or_default();
                    digits.parse::<u32>().unwrap()
                }));
            }
        }
    }

    #[test]
    fn each_switch_in_the_code_has_one_line_in_the_table_and_the_other_way_round() {
        let crates = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates");
        let mut found = Vec::new();
        for name in ["downpour", "downpour-core"] {
            switches(&crates.join(name).join("src"), &mut found);
        }
        found.sort_unstable();
        let listed: Vec<u32> = MUTANTS.iter().map(|mutant| mutant.number).collect();
        let distinct: BTreeSet<u32> = listed.iter().copied().collect();
        assert_eq!(found, listed, "code and table");
        assert_eq!(distinct.len(), listed.len());
    }

    #[test]
    fn the_readme_tells_of_each_mutant_in_the_words_of_the_table() {
        let readme = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
        let readme = fs::read_to_string(readme).unwrap();
        for Mutant { number, what, .. } in MUTANTS {
            let row = format!("| {number} | {what} | ");
            assert!(readme.contains(&row), "no row `{row}`");
        }
    }
}
