//! Who among our crates may depend on whom, which licences the others may have, and which crates
//! may not come in at all. Modules inside a crate are not looked at.

use serde_json::Value;

use super::problem::Problem;

/// A crate of ours, what it may use, and what its tests may use beyond that.
const ALLOWED: [(&str, &[&str], &[&str]); 8] = [
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
        &["downpour", "xtask"],
        &["downpour-fake"],
    ),
    ("xtask", &[], &[]),
];

/// Licences that everyone may link with. An expression is split at `OR`, `AND` and `/`.
const LICENCES: [&str; 8] = [
    "MIT",
    "Apache-2.0",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "ISC",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
];

/// Crates that would bring another Kafka client or a C library for TLS into the main lock file.
const BANNED: [&str; 4] = ["rdkafka", "rdkafka-sys", "openssl-sys", "native-tls"];

/// Checks what `cargo metadata` says of the whole graph.
pub(super) fn check(metadata: &Value) -> Vec<Problem> {
    let members = strings(&metadata["workspace_members"]);
    let packages = metadata["packages"]
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default();
    let (ours, others): (Vec<&Value>, Vec<&Value>) = packages
        .iter()
        .partition(|package| members.contains(&text(&package["id"])));
    let names: Vec<&str> = ours.iter().map(|package| text(&package["name"])).collect();
    let mut problems = Vec::new();
    for package in &ours {
        check_ours(package, &names, &mut problems);
    }
    for package in &others {
        check_other(package, &mut problems);
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

fn check_other(package: &Value, problems: &mut Vec<Problem>) {
    let name = text(&package["name"]);
    let place = format!("{name} {}", text(&package["version"]));
    if BANNED.contains(&name) {
        problems.push(Problem::new(place.as_str(), "may not enter this lock file"));
    }
    if !text(&package["source"]).starts_with("registry+") {
        problems.push(Problem::new(
            place.as_str(),
            "does not come from a registry",
        ));
    }
    let licence = text(&package["license"]);
    if !is_licence_fine(licence) {
        problems.push(Problem::new(
            place,
            format!("licence `{licence}` is not on the list"),
        ));
    }
}

/// Whether every part joined by AND offers a known licence.
fn is_licence_fine(expression: &str) -> bool {
    expression.replace('/', " OR ").split(" AND ").all(|part| {
        part.split(" OR ").any(|licence| {
            let licence = licence.trim().trim_matches(['(', ')']);
            let licence = licence.split(" WITH ").next().unwrap_or(licence);
            LICENCES.contains(&licence)
        })
    })
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

    #[test]
    fn licences_sources_and_banned_crates_are_checked() {
        let other = |name: &str, licence: &str, source: &str| json!({"name": name, "version": "1.0.0", "license": licence, "source": source});
        let registry = "registry+index";
        assert_eq!(problems(&[other("a", "MIT OR GPL-3.0", registry)]), [""; 0]);
        assert_eq!(
            problems(&[other("a", "(MIT OR X) AND Unicode-3.0", registry)]),
            [""; 0]
        );
        assert_eq!(
            problems(&[other("a", "MIT AND GPL-3.0", registry)]).len(),
            1
        );
        assert_eq!(problems(&[other("a", "", registry)]).len(), 1);
        assert_eq!(problems(&[other("a", "MIT", "git+somewhere")]).len(), 1);
        assert_eq!(problems(&[other("rdkafka-sys", "MIT", registry)]).len(), 1);
    }
}
