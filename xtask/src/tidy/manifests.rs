//! What the manifests of published crates say: everything that crates.io and docs.rs show, and pins
//! among ourselves. Who depends on whom is judged by `directions`.

use std::collections::BTreeSet;

use serde_json::Value;

use super::metadata::{list, own_packages, text};
use super::problem::Problem;

/// Fields of text.
const TEXTS: [&str; 5] = [
    "description",
    "license",
    "repository",
    "readme",
    "rust_version",
];

/// Lists, which crates.io takes five words of at most.
const LISTS: [&str; 2] = ["keywords", "categories"];
const WORDS_MAX: usize = 5;

/// Checks what `cargo metadata` says of all crates that may be published.
pub(super) fn check(metadata: &Value) -> Vec<Problem> {
    let is_published = |package: &&Value| package["publish"].is_null();
    let published: Vec<&Value> = own_packages(metadata).filter(is_published).collect();
    let names: BTreeSet<&str> = published.iter().map(|one| text(&one["name"])).collect();
    let mut problems = Vec::new();
    for package in published {
        let name = text(&package["name"]);
        let mut problem = |what: String| problems.push(Problem::new(name, what));
        for field in TEXTS {
            if text(&package[field]).is_empty() {
                problem(format!(
                    "its manifest has no `{field}`, and it is published"
                ));
            }
        }
        for field in LISTS {
            let words = list(&package[field]).len();
            if words == 0 || words > WORDS_MAX {
                problem(format!(
                    "its manifest has {words} {field}; 1 to {WORDS_MAX} are shown"
                ));
            }
        }
        if package["metadata"]["docs"]["rs"]["all-features"] != Value::Bool(true) {
            problem("its manifest does not tell docs.rs `all-features = true`".to_owned());
        }
        for on in list(&package["dependencies"]) {
            // Without a version it is for tests and not published: a crate that wants a feature of
            // itself.
            let (on, version) = (text(&on["name"]), text(&on["req"]));
            if names.contains(on) && version != "*" && !version.starts_with('=') {
                problem(format!(
                    "depends on {on} {version} without `=`; ours are published together"
                ));
            }
        }
    }
    problems
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn told(change: impl FnOnce(&mut Value)) -> Vec<String> {
        let mut ours = json!({
            "name": "ours", "id": "ours", "publish": null,
            "description": "d", "license": "MIT", "repository": "r", "readme": "README.md",
            "rust_version": "1.85", "keywords": ["kafka"], "categories": ["encoding"],
            "metadata": {"docs": {"rs": {"all-features": true}}},
            "dependencies": [
                {"name": "ours", "req": "*"}, {"name": "other", "req": "^1"},
                {"name": "wire", "req": "=0.1.0"}, {"name": "chores", "req": "^0.1"},
            ],
        });
        let mut wire = ours.clone();
        change(&mut ours);
        wire["name"] = "wire".into();
        wire["id"] = "wire".into();
        let chores = json!({"name": "chores", "id": "chores", "publish": []});
        let metadata = json!({
            "workspace_members": ["ours", "wire", "chores"],
            "packages": [ours, wire, chores],
        });
        let problems = check(&metadata);
        problems.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_whole_manifest_is_fine_and_chores_need_none() {
        assert_eq!(told(|_| {}), [""; 0]);
    }

    #[test]
    fn each_field_that_is_missing_is_told() {
        for field in TEXTS.iter().chain(&LISTS) {
            let told = told(|package| package[field] = Value::Null);
            assert_eq!(told.len(), 1, "{told:?}");
            assert!(
                told[0].starts_with("ours: ") && told[0].contains(field),
                "{told:?}"
            );
        }
        let told = told(|package| package["metadata"] = Value::Null);
        assert!(told.len() == 1 && told[0].contains("docs.rs"), "{told:?}");
    }

    #[test]
    fn more_words_than_are_shown_are_told() {
        let six = json!(["a", "b", "c", "d", "e", "f"]);
        let told = told(|package| package["keywords"] = six);
        assert_eq!(
            told,
            ["ours: its manifest has 6 keywords; 1 to 5 are shown"]
        );
    }

    #[test]
    fn ours_are_pinned_to_each_other() {
        let told = told(|package| package["dependencies"][2]["req"] = "^0.1.0".into());
        assert_eq!(
            told,
            ["ours: depends on wire ^0.1.0 without `=`; ours are published together"]
        );
    }
}
