//! Who among our crates may depend on whom. Modules inside a crate are judged by `cycles`, crates
//! of others by `others`.

use serde_json::Value;

use super::problem::Problem;

/// A crate of ours, what it may use, and what its tests may use beyond that.
const ALLOWED: [(&str, &[&str], &[&str]); 9] = [
    ("downpour-wire", &[], &[]),
    ("downpour-core", &["downpour-wire"], &[]),
    ("downpour-fake", &["downpour-wire"], &[]),
    (
        "downpour",
        &["downpour-core", "downpour-wire"],
        &["downpour-fake"],
    ),
    ("downpour-cli", &["downpour", "downpour-fake"], &[]),
    (
        "downpour-sim",
        &["downpour-core", "downpour-fake", "downpour-wire"],
        &[],
    ),
    (
        "downpour-conformance",
        &["downpour", "kafka-harness"],
        &["downpour-fake"],
    ),
    ("kafka-harness", &[], &[]),
    ("xtask", &["kafka-harness"], &[]),
];

/// Checks what `cargo metadata` says of the whole graph.
pub(super) fn check(metadata: &Value) -> Vec<Problem> {
    let members = strings(&metadata["workspace_members"]);
    let packages = metadata["packages"]
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default();
    let ours = packages
        .iter()
        .filter(|package| members.contains(&text(&package["id"])));
    let ours: Vec<&Value> = ours.collect();
    let names: Vec<&str> = ours.iter().map(|package| text(&package["name"])).collect();
    let mut problems = Vec::new();
    for package in &ours {
        check_ours(package, &names, &mut problems);
    }
    problems
}

fn check_ours(package: &Value, names: &[&str], problems: &mut Vec<Problem>) {
    let name = text(&package["name"]);
    let Some((_, normal, dev)) = ALLOWED.iter().find(|(known, _, _)| *known == name) else {
        problems.push(Problem::new(
            name,
            "is not in the table of who may depend on whom",
        ));
        return;
    };
    for dependency in package["dependencies"].as_array().into_iter().flatten() {
        let on = text(&dependency["name"]);
        let is_dev = text(&dependency["kind"]) == "dev";
        if names.contains(&on) && !normal.contains(&on) && !(is_dev && dev.contains(&on)) {
            let kind = if is_dev { "its tests may" } else { "it may" };
            problems.push(Problem::new(
                name,
                format!("depends on {on}, which {kind} not"),
            ));
        }
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or("")
}

fn strings(value: &Value) -> Vec<&str> {
    value.as_array().into_iter().flatten().map(text).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn ours(name: &str, on: &[(&str, Option<&str>)]) -> Value {
        let dependencies: Vec<Value> = on
            .iter()
            .map(|(name, kind)| json!({"name": name, "kind": kind}))
            .collect();
        json!({"name": name, "id": name, "dependencies": dependencies})
    }

    fn problems(packages: &[Value]) -> Vec<String> {
        let members: Vec<&Value> = packages
            .iter()
            .map(|package| &package["id"])
            .filter(|id| !id.is_null())
            .collect();
        let metadata = json!({"workspace_members": members, "packages": packages});
        check(&metadata).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn the_fake_must_not_know_core() {
        let core = ours("downpour-core", &[("downpour-wire", None)]);
        let wire = ours("downpour-wire", &[]);
        let fine = ours("downpour-fake", &[("downpour-wire", None), ("mio", None)]);
        assert_eq!(problems(&[core.clone(), wire.clone(), fine]), [""; 0]);
        for kind in [None, Some("dev"), Some("build")] {
            let wrong = ours("downpour-fake", &[("downpour-core", kind)]);
            assert_eq!(problems(&[core.clone(), wire.clone(), wrong]).len(), 1);
        }
    }

    #[test]
    fn what_tests_may_use_the_code_may_not() {
        let fake = ours("downpour-fake", &[]);
        let fine = ours("downpour", &[("downpour-fake", Some("dev"))]);
        assert_eq!(problems(&[fake.clone(), fine]), [""; 0]);
        assert_eq!(
            problems(&[fake, ours("downpour", &[("downpour-fake", None)])]).len(),
            1
        );
    }

    #[test]
    fn an_unknown_crate_of_ours_is_a_problem() {
        assert_eq!(problems(&[ours("downpour-more", &[])]).len(), 1);
    }
}
