//! The simulator's planted bugs: each patch in `sim/bugs` applies, or nothing is planted.

use std::path::Path;

use super::problem::Problem;

/// Checks those of the files that are patches of planted bugs.
pub(super) fn check(root: &Path, files: &[String]) -> Result<Vec<Problem>, String> {
    let mut problems = Vec::new();
    for file in files {
        if !file.starts_with("sim/bugs/") || !file.ends_with(".patch") {
            continue;
        }
        let applied = std::process::Command::new("git")
            .args(["apply", "--check", file])
            .current_dir(root)
            .output()
            .map_err(|error| format!("git: {error}"))?;
        if !applied.status.success() {
            problems.push(Problem::new(
                file.clone(),
                "does not apply: plant the bug anew and take its diff",
            ));
        }
    }
    Ok(problems)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_patch_that_does_not_apply_is_told() {
        let root = std::env::temp_dir().join(format!("tidy-bugs-{}", std::process::id()));
        let bugs = root.join("sim/bugs");
        std::fs::create_dir_all(&bugs).unwrap();
        std::fs::write(root.join("code"), "one\ntwo\n").unwrap();
        for (name, line) in [("good", "two"), ("stale", "three")] {
            let patch = format!("--- a/code\n+++ b/code\n@@ -1,2 +1,2 @@\n one\n-{line}\n+bug\n");
            std::fs::write(bugs.join(name).with_extension("patch"), patch).unwrap();
        }
        let files = ["code", "sim/bugs/good.patch", "sim/bugs/stale.patch"].map(str::to_owned);
        let problems = check(&root, &files).unwrap();
        std::fs::remove_dir_all(&root).unwrap();
        let places: Vec<_> = problems.iter().map(|p| p.place.as_str()).collect();
        assert_eq!(places, ["sim/bugs/stale.patch"]);
    }
}
