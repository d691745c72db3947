//! The rooms of a crate, which are its top-level modules: which may use which, compared with the
//! map, and that no field of a struct is visible beyond its room. What a use is, `modules` decides;
//! methods of one struct that are spread over rooms are none.

use super::map::{Map, Uses};
use super::modules::Modules;
use super::problem::Problem;
use super::structs::{StructDecl, Visibility};

/// The crates that have a map of their rooms.
pub(super) const CRATES: [&str; 2] = ["downpour", "downpour-core"];

/// The map of this title has the rooms of a crate.
pub(super) fn title(package: &str) -> String {
    format!("rooms of {package}")
}

/// Checks a library. Its root file only declares and re-exports: it may use every room and is not
/// on the map, so that no room may use it.
pub(super) fn check(modules: &Modules, map: &Map) -> Vec<Problem> {
    let mut uses = Uses::new();
    for (name, module) in &modules.modules {
        if let (Some(room), false) = (name.first(), module.is_test) {
            uses.entry(room.clone()).or_default();
        }
    }
    for (from, targets) in &modules.edges {
        let Some(room) = from.first() else { continue };
        let place = modules.modules[from].file.display();
        for (to, line) in targets {
            let used = to.first().map_or("lib", String::as_str);
            if used != room {
                let uses = uses.entry(room.clone()).or_default();
                uses.entry(used.to_owned())
                    .or_insert_with(|| format!("{place}:{line}"));
            }
        }
    }
    let mut problems = map.compare(&uses);
    problems.extend(check_fields(modules, map));
    problems
}

fn check_fields(modules: &Modules, map: &Map) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut is_needed = vec![false; map.exempt.len()];
    for (name, module) in &modules.modules {
        for decl in &module.structs {
            let here = [name.as_slice(), decl.scope.as_slice()].concat();
            let Some((line, what)) = open_field(&here, decl) else {
                continue;
            };
            let path = here.join("::");
            let covers = |exempt: &str| {
                path.strip_prefix(exempt)
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
            };
            let exempt = map.exempt.iter().position(|(path, _)| covers(path));
            if let Some(at) = exempt {
                is_needed[at] = true;
                continue;
            }
            let place = format!("{}:{line}", module.file.display());
            let what = format!("a field of `{}` {what}", decl.name);
            problems.push(Problem::new(place, what));
        }
    }
    for ((path, reason), is_needed) in map.exempt.iter().zip(is_needed) {
        if !is_needed {
            problems.push(map.problem(format!("`{path}` needs no exemption any more")));
        }
        if reason.is_empty() {
            problems.push(map.problem(format!("`exempt {path}` has no reason")));
        }
    }
    problems
}

/// The line of the first field that is visible beyond the room, and how.
fn open_field(here: &[String], decl: &StructDecl) -> Option<(usize, &'static str)> {
    let is_data = decl.is_pub
        && decl
            .fields
            .iter()
            .all(|(_, visibility)| *visibility == Visibility::Everywhere);
    decl.fields.iter().find_map(|(line, visibility)| {
        let what = match visibility {
            Visibility::Within(path) if is_root(here, path) => {
                "is visible beyond its room: make it private, or `pub(in ..)` the room"
            }
            Visibility::Everywhere if !is_data => {
                "is `pub`, which is for data: a `pub` struct with no other fields"
            }
            _ => return None,
        };
        Some((*line, what))
    })
}

/// Whether a path in a visibility, written in `here`, is the root of the crate.
fn is_root(here: &[String], path: &[String]) -> bool {
    path == ["crate"] || (path.len() == here.len() && path.iter().all(|name| name == "super"))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::path::{Path, PathBuf};

    use super::super::modules::read_modules;
    use super::*;

    fn problems(map: &str, files: &[(&str, &str)]) -> Vec<String> {
        let files: BTreeMap<PathBuf, String> = files
            .iter()
            .map(|(path, text)| (path.into(), (*text).to_owned()))
            .collect();
        let modules = read_modules(Path::new("src/lib.rs"), &|path| files.get(path).cloned());
        assert_eq!(modules.problems, []);
        let text = format!("```text {}\n{map}\n```", title("x"));
        let problems = check(&modules, &Map::read(&text, &title("x")).unwrap());
        problems.iter().map(ToString::to_string).collect()
    }

    /// Problems with the fields in a file of the room `room`.
    fn fields(exempt: &str, text: &str) -> Vec<String> {
        problems(
            &format!("room\n{exempt}"),
            &[
                ("src/lib.rs", "mod room;"),
                ("src/room/mod.rs", "mod part;"),
                ("src/room/part.rs", text),
            ],
        )
    }

    #[test]
    fn a_room_may_use_those_of_the_map_only() {
        let files = [
            (
                "src/lib.rs",
                "mod a; mod b; mod c; pub use a::A; #[cfg(test)] mod tests;",
            ),
            (
                "src/tests.rs",
                "use crate::c::C; struct S { pub(crate) a: u8 }",
            ),
            ("src/a.rs", "mod deep;"),
            ("src/a/deep.rs", "\nuse crate::b::B; use super::D;"),
            ("src/b.rs", "#[cfg(test)] mod tests { use crate::c::C; }"),
            ("src/c.rs", ""),
        ];
        assert_eq!(problems("a -> b\nb\nc", &files), [""; 0]);
        assert_eq!(
            problems("a\nb\nc", &files),
            ["src/a/deep.rs:2: `a` uses `b`, which it may not by ARCHITECTURE.md"]
        );
        assert_eq!(problems("a -> b, c\nb\nc", &files).len(), 1);
        assert_eq!(problems("a -> b\nb", &files).len(), 1);
    }

    #[test]
    fn no_room_may_use_the_root() {
        let files = [
            ("src/lib.rs", "mod a; pub struct Thing;"),
            ("src/a.rs", "use crate::Thing;"),
        ];
        assert_eq!(problems("a", &files).len(), 1);
        assert!(!problems("a -> lib", &files).is_empty());
        assert!(!problems("a -> lib\nlib", &files).is_empty());
    }

    #[test]
    fn a_field_that_the_whole_crate_sees_is_a_problem() {
        for text in [
            "pub struct S { a: u8, pub(crate) b: u8 }",
            "struct S { pub(super) a: u8, pub(in super::super) b: u8 }",
            "pub(crate) struct S<T>(Vec<T>, pub(crate) T) where T: Fn(u8);",
            "mod inner { struct S { pub(in crate) a: u8 } }",
        ] {
            let found = fields("", text);
            assert_eq!(found.len(), 1, "{text}: {found:?}");
            assert!(found[0].contains("field of `S` is visible"), "{found:?}");
        }
    }

    #[test]
    fn a_field_that_its_room_sees_is_fine() {
        for text in [
            "pub struct S { a: u8 } pub struct T(u8); pub struct U;",
            "pub struct S { pub(super) a: u8, pub(self) b: u8 }",
            "struct S(pub(in crate::room) u8, pub(in super::super::room) u8);",
            "mod inner { struct S { pub(in super::super) a: u8 } }",
            "#[cfg(test)] mod tests { struct S { pub(crate) a: u8 } }",
        ] {
            assert_eq!(fields("", text), [""; 0], "{text}");
        }
    }

    #[test]
    fn the_parent_of_a_room_of_one_file_is_the_crate() {
        let files = [
            ("src/lib.rs", "mod a;"),
            ("src/a.rs", "struct S { pub(super) b: u8 }"),
        ];
        assert_eq!(problems("a", &files).len(), 1);
    }

    #[test]
    fn public_fields_are_for_data() {
        let data = "pub struct S { pub a: u8, pub b: (u8, u8) } pub struct T(pub (u8, u8));";
        assert_eq!(fields("", data), [""; 0]);
        for text in [
            "pub struct S { pub a: u8, b: u8 }",
            "pub(crate) struct S { pub a: u8 }",
            "struct S(pub u8);",
        ] {
            let found = fields("", text);
            assert_eq!(found.len(), 1, "{text}: {found:?}");
            assert!(found[0].contains("is `pub`"), "{found:?}");
        }
    }

    #[test]
    fn an_exemption_covers_a_module_and_what_is_below_it() {
        let text = "pub struct S { pub(crate) a: u8 }";
        assert_eq!(fields("exempt room: it is old", text), [""; 0]);
        assert_eq!(fields("exempt room::part: it is old", text), [""; 0]);
        assert_eq!(fields("exempt room::pa: it is old", text).len(), 2);
    }

    #[test]
    fn an_exemption_has_a_reason_and_is_needed() {
        let text = "pub struct S { pub(crate) a: u8 }";
        assert_eq!(
            fields("exempt room", text),
            ["ARCHITECTURE.md: rooms of x: `exempt room` has no reason"]
        );
        assert_eq!(
            fields("exempt room: it is old", "pub struct S { a: u8 }"),
            ["ARCHITECTURE.md: rooms of x: `room` needs no exemption any more"]
        );
    }
}
