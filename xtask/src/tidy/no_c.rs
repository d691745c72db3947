//! The default build of `downpour` needs no C toolchain. Features may.

use super::problem::Problem;

/// Build tools that compile or look for C.
const C_TOOLS: [&str; 4] = ["cc", "cmake", "pkg-config", "bindgen"];

/// What `cargo tree` is asked, so that each line starts with a crate's name.
pub(super) const TREE: [&str; 8] = [
    "tree",
    "--package=downpour",
    "--edges=normal,build",
    "--prefix=none",
    "--format={p}",
    "--locked",
    "--target=all",
    "--quiet",
];

/// Checks the answer.
pub(super) fn check(tree: &str) -> Vec<Problem> {
    let names = tree.lines().filter_map(|line| line.split(' ').next());
    let found = names.filter(|name| C_TOOLS.contains(name));
    found
        .map(|name| Problem::new("downpour", format!("its default build needs C: {name}")))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crate_that_builds_c_is_a_problem() {
        assert_eq!(
            check("downpour v0.1.0 (path)\nccc v1.0.0\nmio v1.2.0\n"),
            []
        );
        assert_eq!(
            check("downpour v0.1.0\nzstd-sys v2.0.0\ncc v1.2.0\n").len(),
            1
        );
    }
}
