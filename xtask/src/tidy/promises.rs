//! The page of what is guaranteed names a test for each promise. Those that it names exist.

use std::collections::BTreeSet;

use super::problem::Problem;

/// The page.
pub(super) const PAGE: &str = "docs/guarantees.md";

/// The tests of a source file.
pub(super) fn tests(text: &str) -> BTreeSet<String> {
    let mut tests = BTreeSet::new();
    let mut is_test = false;
    for line in text.lines().map(str::trim_start) {
        let name = line.strip_prefix("async ").unwrap_or(line);
        if line.starts_with("#[test]") || line.starts_with("#[tokio::test") {
            is_test = true;
        } else if let Some(name) = name.strip_prefix("fn ") {
            let end = name.find(['(', '<']).unwrap_or(name.len());
            if std::mem::take(&mut is_test) {
                tests.insert(name[..end].to_owned());
            }
        }
    }
    tests
}

/// A name of four words or more is a test's: nothing else that the page quotes is as long.
fn is_test_name(quoted: &str) -> bool {
    let is_small = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    quoted.chars().all(is_small) && quoted.matches('_').count() >= 3
}

/// What the page names and is not there.
pub(super) fn check(page: &str, tests: &BTreeSet<String>) -> Vec<Problem> {
    let quoted = page.split('`').skip(1).step_by(2);
    let missing = quoted.filter(|quoted| is_test_name(quoted) && !tests.contains(*quoted));
    missing
        .map(|name| Problem::new(PAGE, format!("there is no test of this name: {name}")))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_test_that_is_named_and_is_not_there_is_told() {
        let code = "
            /// Says why.
            #[test]
            #[cfg(unix)]
            fn what_is_promised_is_kept() {}
            #[tokio::test(flavor = \"multi_thread\")]
            async fn what_waits_ends_in_time() {}
            fn no_test_at_all_is_this() {}
        ";
        let tests = tests(code);
        let page =
            |name: &str| format!("| `close_within` of `{name}`, and `what_waits_ends_in_time`");
        assert_eq!(check(&page("what_is_promised_is_kept"), &tests), []);
        for missing in ["what_is_forgotten_is_told", "no_test_at_all_is_this"] {
            let found = check(&page(missing), &tests);
            assert_eq!((found.len(), found[0].what.ends_with(missing)), (1, true));
        }
    }
}
