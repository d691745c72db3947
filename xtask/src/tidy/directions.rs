//! Which crate of ours depends on which, compared with the map. Modules inside a crate are judged
//! by `rooms` and `cycles`, crates of others by `others`.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::map::{Map, Uses};
use super::metadata::{list, own_packages, text};
use super::problem::Problem;

/// The double for tests, and the subject that it never depends on, whatever the map says: a
/// double that shares logic with its subject hides the subject's bugs.
const DOUBLE: &str = "downpour-fake";
const SUBJECT: &str = "downpour-core";

/// Checks what `cargo metadata` says of the whole graph.
pub(super) fn check(metadata: &Value, map: &Map) -> Vec<Problem> {
    let uses = uses(metadata);
    let mut problems = map.compare(&uses);
    problems.extend(check_double(&uses));
    problems
}

/// Who depends on whom; what only tests depend on belongs to `name (tests)`.
fn uses(metadata: &Value) -> Uses {
    let names: BTreeSet<&str> = own_packages(metadata)
        .map(|package| text(&package["name"]))
        .collect();
    let mut uses = Uses::new();
    for package in own_packages(metadata) {
        let name = text(&package["name"]);
        let on = list(&package["dependencies"]).iter();
        let (dev, normal): (Vec<&Value>, Vec<&Value>) = on
            .filter(|on| names.contains(text(&on["name"])))
            .partition(|on| on["kind"] == "dev");
        let named = |on: &[&Value]| {
            let names = on.iter().map(|on| text(&on["name"]).to_owned());
            names.map(|on| (on, name.to_owned())).collect()
        };
        let normal: BTreeMap<String, String> = named(&normal);
        let mut dev: BTreeMap<String, String> = named(&dev);
        // Tests that want one more feature of what the code uses anyway, or of the crate itself, say
        // nothing new.
        dev.retain(|on, _| on != name && !normal.contains_key(on));
        uses.insert(name.to_owned(), normal);
        if !dev.is_empty() {
            uses.insert(format!("{name} (tests)"), dev);
        }
    }
    uses
}

fn check_double(uses: &Uses) -> Option<Problem> {
    if let Some(gone) = [DOUBLE, SUBJECT].iter().find(|n| !uses.contains_key(**n)) {
        return Some(Problem::new(*gone, "is gone, and a rule is about it"));
    }
    let mut reached = BTreeSet::new();
    let tests = format!("{DOUBLE} (tests)");
    let mut ahead = vec![DOUBLE, &tests];
    while let Some(at) = ahead.pop() {
        for next in uses.get(at).into_iter().flat_map(BTreeMap::keys) {
            if reached.insert(next.as_str()) {
                ahead.push(next);
            }
        }
    }
    let what = format!("depends on {SUBJECT}, which it must never do");
    reached
        .contains(SUBJECT)
        .then(|| Problem::new(DOUBLE, what))
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

    /// Of packages that come with a crate of others, which nobody has to draw.
    fn problems(map: &str, packages: &[Value]) -> Vec<String> {
        let members: Vec<Value> = packages.iter().map(|ours| ours["id"].clone()).collect();
        let packages = [packages, &[json!({"name": "mio", "id": "mio 1"})]].concat();
        let metadata = json!({"workspace_members": members, "packages": packages});
        let map = Map::read(&format!("```text crates\n{map}\n```"), "crates").unwrap();
        let problems = check(&metadata, &map);
        problems.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn dependencies_are_those_of_the_map() {
        let packages = [
            ours("downpour-core", &[("wire", None), ("wire", Some("dev"))]),
            ours("downpour-fake", &[("wire", Some("build")), ("mio", None)]),
            ours("wire", &[("downpour-fake", Some("dev"))]),
        ];
        let map =
            "downpour-core -> wire\nwire (tests) -> downpour-fake\ndownpour-fake -> wire\nwire";
        assert_eq!(problems(map, &packages), [""; 0]);
        let map = map.replace(" (tests)", "");
        assert_eq!(problems(&map, &packages).len(), 2);
    }

    #[test]
    fn the_fake_must_not_know_core_whatever_the_map_says() {
        let core = ours("downpour-core", &[]);
        for kind in [None, Some("dev"), Some("build")] {
            let tests = if kind == Some("dev") { " (tests)" } else { "" };
            let map =
                format!("downpour-fake\ndownpour-fake{tests} -> downpour-core\ndownpour-core");
            let wrong = ours("downpour-fake", &[("downpour-core", kind)]);
            assert_eq!(
                problems(&map, &[core.clone(), wrong]),
                ["downpour-fake: depends on downpour-core, which it must never do"]
            );
        }
    }

    #[test]
    fn the_fake_must_not_know_core_through_another() {
        let packages = [
            ours("downpour-fake", &[("wire", None)]),
            ours("wire", &[("downpour-core", None)]),
            ours("downpour-core", &[]),
        ];
        let map = "downpour-fake -> wire\nwire -> downpour-core\ndownpour-core";
        assert_eq!(problems(map, &packages).len(), 1);
    }

    #[test]
    fn a_rule_about_a_crate_that_is_gone_is_a_problem() {
        let core = ours("downpour-core", &[]);
        let told = problems("downpour-core", &[core]);
        assert_eq!(told, ["downpour-fake: is gone, and a rule is about it"]);
    }
}
