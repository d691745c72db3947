//! The modules of one crate: follows `mod` declarations from its root file and resolves each path
//! to the file it leads to. Which uses are wrong is judged by `cycles` and `rooms`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::problem::Problem;
use super::scan::{ModDecl, UsedPath, scan};
use super::structs::StructDecl;

/// One module has the name of its path below the crate: `[]` is the root.
type Name = Vec<String>;

/// The modules of one crate that are files, and who uses whom.
#[derive(Debug, Default)]
pub(super) struct Modules {
    pub(super) modules: BTreeMap<Name, Module>,
    /// From module to module, with the first line that says so.
    pub(super) edges: BTreeMap<Name, BTreeMap<Name, usize>>,
    /// What could not be read.
    pub(super) problems: Vec<Problem>,
}

/// One module and the inline ones in its file.
#[derive(Debug)]
pub(super) struct Module {
    pub(super) file: PathBuf,
    /// Whether it exists in tests only.
    pub(super) is_test: bool,
    /// Those outside tests.
    pub(super) structs: Vec<StructDecl>,
}

/// Reads the crate whose root file is `root`, with `read` giving a file's text.
pub(super) fn read_modules(root: &Path, read: &dyn Fn(&Path) -> Option<String>) -> Modules {
    let mut reader = Reader {
        read,
        modules: Modules::default(),
        known: BTreeSet::new(),
        paths: Vec::new(),
    };
    let dir = root.parent().map(Path::to_path_buf).unwrap_or_default();
    reader.file(Vec::new(), root.to_path_buf(), &dir, false);
    reader.resolve()
}

struct Reader<'a> {
    read: &'a dyn Fn(&Path) -> Option<String>,
    modules: Modules,
    /// All modules, inline ones too.
    known: BTreeSet<Name>,
    /// What each file outside tests names.
    paths: Vec<(Name, Vec<UsedPath>)>,
}

impl Reader<'_> {
    /// Reads a file and what it declares; `dir` is where its child modules live.
    fn file(&mut self, name: Name, path: PathBuf, dir: &Path, is_test: bool) {
        let place = path.display().to_string();
        let scanned = (self.read)(&path).ok_or_else(|| "cannot be read".to_owned());
        let scan = match scanned.and_then(|text| scan(&text)) {
            Ok(scan) => scan,
            Err(what) => return self.modules.problems.push(Problem::new(place, what)),
        };
        self.known.insert(name.clone());
        for decl in &scan.mods {
            if decl.is_inline {
                self.known
                    .insert(joined(&name, &decl.scope, Some(&decl.name)));
            } else {
                self.declared(&name, &path, dir, is_test, decl);
            }
        }
        let mut structs = Vec::new();
        if !is_test {
            structs = scan.structs;
            self.paths.push((name.clone(), scan.paths));
        }
        let module = Module {
            file: path,
            is_test,
            structs,
        };
        self.modules.modules.insert(name, module);
    }

    fn declared(&mut self, name: &Name, from: &Path, dir: &Path, is_test: bool, decl: &ModDecl) {
        let child = joined(name, &decl.scope, Some(&decl.name));
        if let Some(moved_to) = &decl.moved_to {
            // Its own children live beside it.
            let beside = |path: &Path| path.parent().map(Path::to_path_buf).unwrap_or_default();
            let path = beside(from).join(moved_to);
            let dir = beside(&path);
            return self.file(child, path, &dir, is_test || decl.is_test);
        }
        let around: PathBuf = decl.scope.iter().collect();
        let own_dir = dir.join(around).join(&decl.name);
        let flat = own_dir.with_extension("rs");
        let nested = own_dir.join("mod.rs");
        let path = if (self.read)(&flat).is_some() {
            flat
        } else {
            nested
        };
        self.file(child, path, &own_dir, is_test || decl.is_test);
    }

    /// Turns paths into edges between files.
    fn resolve(mut self) -> Modules {
        for (name, paths) in &self.paths {
            for path in paths {
                let here = joined(name, &path.scope, None);
                let Some(target) = resolve(&here, &path.segments, &self.known) else {
                    continue;
                };
                let file = self.file_of(target);
                if file != *name {
                    let uses = self.modules.edges.entry(name.clone()).or_default();
                    uses.entry(file).or_insert(path.line);
                }
            }
        }
        self.modules
    }

    /// The module that has the file in which `target` lives.
    fn file_of(&self, mut target: Name) -> Name {
        while !self.modules.modules.contains_key(&target) && !target.is_empty() {
            target.pop();
        }
        target
    }
}

fn joined(name: &[String], scope: &[String], last: Option<&String>) -> Name {
    name.iter().chain(scope).chain(last).cloned().collect()
}

/// The deepest module that a path written in `here` passes through, if it stays in the crate.
fn resolve(here: &[String], segments: &[String], known: &BTreeSet<Name>) -> Option<Name> {
    let mut at: Name = here.to_vec();
    let mut rest = segments;
    match segments.first()?.as_str() {
        "crate" => {
            at.clear();
            rest = &rest[1..];
        }
        "self" => rest = &rest[1..],
        "super" => {
            while rest.first().is_some_and(|segment| segment == "super") {
                at.pop();
                rest = &rest[1..];
            }
        }
        // A child of this module, or another crate, or a type.
        first => {
            if !known.contains(&joined(here, &[], Some(&first.to_owned()))) {
                return None;
            }
        }
    }
    for segment in rest {
        let deeper = joined(&at, &[], Some(segment));
        if !known.contains(&deeper) {
            break;
        }
        at = deeper;
    }
    Some(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(files: &[(&str, &str)]) -> Modules {
        let files: BTreeMap<PathBuf, String> = files
            .iter()
            .map(|(path, text)| (path.into(), (*text).to_owned()))
            .collect();
        read_modules(Path::new("src/lib.rs"), &|path| files.get(path).cloned())
    }

    fn edges(modules: &Modules) -> Vec<String> {
        let mut told = Vec::new();
        for (from, uses) in &modules.edges {
            for to in uses.keys() {
                told.push(format!("{} > {}", from.join("::"), to.join("::")));
            }
        }
        told
    }

    #[test]
    fn paths_lead_to_files() {
        let modules = read(&[
            (
                "src/lib.rs",
                "mod a; mod b; pub use a::A; pub use crate::b::c::C;",
            ),
            ("src/a.rs", "use super::b::{self, B}; fn f() { b::c::g() }"),
            (
                "src/b/mod.rs",
                "pub mod c; pub struct B; mod inner { use super::c::C; }",
            ),
            ("src/b/c.rs", "use crate::a; pub struct C;"),
        ]);
        assert_eq!(modules.problems, []);
        assert_eq!(
            edges(&modules),
            [" > a", " > b::c", "a > b", "b > b::c", "b::c > a"]
        );
    }

    #[test]
    fn an_item_of_the_parent_is_an_edge_to_the_parent() {
        let modules = read(&[("src/lib.rs", "mod a;"), ("src/a.rs", "use crate::Thing;")]);
        assert_eq!(edges(&modules), ["a > "]);
    }

    #[test]
    fn a_file_of_tests_uses_nothing() {
        let modules = read(&[
            ("src/lib.rs", "mod a; #[cfg(test)] mod tests;"),
            ("src/a.rs", ""),
            ("src/tests.rs", "use crate::a; mod deep;"),
            ("src/tests/deep.rs", "use crate::a;"),
        ]);
        assert_eq!(edges(&modules), [""; 0]);
        assert_eq!(modules.modules.len(), 4);
    }

    #[test]
    fn a_moved_module_is_followed() {
        let modules = read(&[
            ("src/lib.rs", "mod a; #[path = \"far/x.rs\"] mod b;"),
            ("src/a.rs", "use crate::b::c::C;"),
            ("src/far/x.rs", "mod c;"),
            ("src/far/c.rs", ""),
        ]);
        assert_eq!(modules.problems, []);
        assert_eq!(edges(&modules), ["a > b::c"]);
    }

    #[test]
    fn a_missing_module_is_a_problem() {
        let modules = read(&[("src/lib.rs", "mod gone;")]);
        assert_eq!(modules.problems.len(), 1, "{:?}", modules.problems);
    }
}
