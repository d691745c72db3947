//! Finds modules that import each other in a circle. What an import is, `modules` decides.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::modules::Modules;
use super::problem::Problem;

/// One problem for each circle of files, with the line behind each step.
pub(super) fn check(modules: &Modules) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut told: BTreeSet<&Vec<String>> = BTreeSet::new();
    for start in modules.edges.keys() {
        if told.contains(start) {
            continue;
        }
        let Some(circle) = shortest_circle(modules, start) else {
            continue;
        };
        let steps: Vec<String> = circle
            .iter()
            .zip(circle.iter().cycle().skip(1))
            .map(|(from, to)| {
                let file = modules.modules[*from].file.display();
                format!("{} ({file}:{})", shown(from), modules.edges[*from][*to])
            })
            .collect();
        let what = format!(
            "modules import each other: {} -> {}",
            steps.join(" -> "),
            shown(start)
        );
        let place = modules.modules[start].file.display();
        problems.push(Problem::new(place.to_string(), what));
        told.extend(circle);
    }
    problems
}

fn shown(name: &[String]) -> String {
    if name.is_empty() {
        "crate".to_owned()
    } else {
        name.join("::")
    }
}

/// The modules of the shortest way from `start` back to `start`.
fn shortest_circle<'a>(
    modules: &'a Modules,
    start: &'a Vec<String>,
) -> Option<Vec<&'a Vec<String>>> {
    let mut came_from: BTreeMap<&Vec<String>, &Vec<String>> = BTreeMap::new();
    let mut queue = VecDeque::from([start]);
    while let Some(at) = queue.pop_front() {
        for next in modules.edges.get(at).into_iter().flat_map(BTreeMap::keys) {
            if next == start {
                let mut circle = vec![at];
                while let Some(before) = came_from.get(circle[circle.len() - 1]) {
                    circle.push(before);
                }
                circle.reverse();
                return Some(circle);
            }
            if !came_from.contains_key(next) {
                came_from.insert(next, at);
                queue.push_back(next);
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    use super::super::modules::read_modules;
    use super::*;

    fn problems(files: &[(&str, &str)]) -> Vec<String> {
        let files: BTreeMap<PathBuf, String> = files
            .iter()
            .map(|(path, text)| (path.into(), (*text).to_owned()))
            .collect();
        let modules = read_modules(Path::new("src/lib.rs"), &|path| files.get(path).cloned());
        assert_eq!(modules.problems, []);
        check(&modules).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_circle_is_told_with_its_lines() {
        let found = problems(&[
            ("src/lib.rs", "mod a; mod b; mod c;"),
            ("src/a.rs", "//! a\nuse crate::b::B;"),
            ("src/b.rs", "use super::c::C;"),
            ("src/c.rs", "\n\nfn f() { crate::a::g() }"),
        ]);
        assert_eq!(
            found,
            [
                "src/a.rs: modules import each other: a (src/a.rs:2) -> b (src/b.rs:1) -> \
              c (src/c.rs:3) -> a"
            ]
        );
    }

    #[test]
    fn a_child_that_uses_the_parent_that_uses_it_is_a_circle() {
        let found = problems(&[
            ("src/lib.rs", "mod a; pub use a::A; pub struct Error;"),
            ("src/a.rs", "use crate::Error;"),
        ]);
        assert_eq!(found.len(), 1, "{found:?}");
    }

    #[test]
    fn siblings_and_parents_in_one_direction_are_fine() {
        let found = problems(&[
            ("src/lib.rs", "mod a; mod b; pub use a::A;"),
            (
                "src/a.rs",
                "use crate::b::B; #[cfg(test)] mod tests { use crate::A; }",
            ),
            ("src/b.rs", "pub struct B; mod c; mod d;"),
            ("src/b/c.rs", "use super::B; use super::d::D;"),
            ("src/b/d.rs", "use super::B;"),
        ]);
        assert_eq!(found, [""; 0]);
    }
}
