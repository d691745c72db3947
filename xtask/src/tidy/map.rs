//! The map in ARCHITECTURE.md: who may use whom, a line per crate or room. It is read here and
//! compared with what the code does, which `directions` and `rooms` find out.
//!
//! A map is a fenced block whose info string is `text` and the map's title. Its lines are
//! `name -> one, other`, or `name` alone for what uses nothing of ours; what follows a `#` is for
//! people. Lines stand in order: each names only lines below it, so that no map holds a circle.
//! `exempt path: reason` lifts the rule about fields for a module, see `rooms`.

use std::collections::{BTreeMap, BTreeSet};

use super::problem::Problem;

/// The file with the maps.
pub(super) const FILE: &str = "ARCHITECTURE.md";

/// Who uses whom in the code, with the place that shows it. Who uses nobody is in it, too.
pub(super) type Uses = BTreeMap<String, BTreeMap<String, String>>;

/// One map.
#[derive(Debug)]
pub(super) struct Map {
    title: String,
    lines: Vec<(String, Vec<String>)>,
    /// Modules whose fields are not judged, with the reason.
    pub(super) exempt: Vec<(String, String)>,
}

impl Map {
    /// Finds the map with this title in the text of ARCHITECTURE.md.
    ///
    /// # Errors
    /// When there is none.
    pub(super) fn read(text: &str, title: &str) -> Result<Self, String> {
        let fence = format!("```text {title}");
        let mut lines = text.lines().skip_while(|line| *line != fence);
        if lines.next().is_none() {
            return Err(format!(
                "{FILE}: there is no block that begins with {fence}"
            ));
        }
        let mut map = Self {
            title: title.to_owned(),
            lines: Vec::new(),
            exempt: Vec::new(),
        };
        for line in lines.take_while(|line| !line.starts_with("```")) {
            let line = line.split('#').next().unwrap_or("").trim();
            if let Some(exempt) = line.strip_prefix("exempt ") {
                let (path, reason) = exempt.split_once(": ").unwrap_or((exempt, ""));
                map.exempt.push((path.to_owned(), reason.to_owned()));
            } else if !line.is_empty() {
                let (name, uses) = line.split_once("->").unwrap_or((line, ""));
                let uses = uses.split(',').map(|name| name.trim().to_owned());
                let uses = uses.filter(|name| !name.is_empty()).collect();
                map.lines.push((name.trim().to_owned(), uses));
            }
        }
        Ok(map)
    }

    /// What the map has and the code has not, what the code has and the map has not, and lines
    /// that stand too low.
    pub(super) fn compare(&self, code: &Uses) -> Vec<Problem> {
        let mut problems = Vec::new();
        let mut drawn: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for (at, (name, uses)) in self.lines.iter().enumerate() {
            let all = drawn.entry(name).or_default();
            all.extend(uses.iter().map(String::as_str));
            let Some(found) = code.get(name) else {
                problems.push(self.problem(format!("`{name}` is not in the code")));
                continue;
            };
            let below = &self.lines[at + 1..];
            for used in uses {
                let what = if !found.contains_key(used) {
                    format!("`{name}` does not use `{used}` any more")
                } else if below.iter().all(|(name, _)| name != used) {
                    format!("`{name}` uses `{used}`, which has no line below it")
                } else {
                    continue;
                };
                problems.push(self.problem(what));
            }
        }
        for (name, uses) in code {
            let Some(drawn) = drawn.get(name.as_str()) else {
                let uses: Vec<&str> = uses.keys().map(String::as_str).collect();
                let what = format!("has no line `{name} -> {}`", uses.join(", "));
                problems.push(self.problem(what));
                continue;
            };
            for (used, place) in uses {
                if !drawn.contains(used.as_str()) {
                    let what = format!("`{name}` uses `{used}`, which it may not by {FILE}");
                    problems.push(Problem::new(place, what));
                }
            }
        }
        problems
    }

    /// A problem that is mended in the map itself.
    pub(super) fn problem(&self, what: String) -> Problem {
        Problem::new(FILE, format!("{}: {what}", self.title))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "# Words\n```text rooms of x\nz\n```\n```text crates\n\
                        shell  -> core, wire  # the library\n# about core\ncore->wire\n\
                        exempt core: it is old\nwire\n```\n```text\nother -> wire\n```\n";

    fn compared(text: &str, code: &[(&str, &[&str])]) -> Vec<String> {
        let to = |used: &&str| ((*used).to_owned(), format!("{used}.rs:1"));
        let code = code
            .iter()
            .map(|(name, uses)| ((*name).to_owned(), uses.iter().map(to).collect()))
            .collect();
        let map = Map::read(text, "crates").unwrap();
        map.compare(&code).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_map_that_is_as_the_code_is_has_no_problem() {
        let code: [(&str, &[&str]); 3] = [
            ("core", &["wire"]),
            ("shell", &["core", "wire"]),
            ("wire", &[]),
        ];
        assert_eq!(compared(TEXT, &code), [""; 0]);
        let map = Map::read(TEXT, "crates").unwrap();
        assert_eq!(map.exempt, [("core".to_owned(), "it is old".to_owned())]);
    }

    #[test]
    fn an_edge_in_the_code_only_is_told_with_its_place() {
        let code: [(&str, &[&str]); 3] = [
            ("core", &["shell", "wire"]),
            ("shell", &["core", "wire"]),
            ("wire", &[]),
        ];
        assert_eq!(
            compared(TEXT, &code),
            ["shell.rs:1: `core` uses `shell`, which it may not by ARCHITECTURE.md"]
        );
    }

    #[test]
    fn an_edge_on_the_map_only_is_a_problem() {
        let code: [(&str, &[&str]); 3] =
            [("core", &[]), ("shell", &["core", "wire"]), ("wire", &[])];
        assert_eq!(
            compared(TEXT, &code),
            ["ARCHITECTURE.md: crates: `core` does not use `wire` any more"]
        );
    }

    #[test]
    fn a_name_on_one_side_only_is_a_problem() {
        let code: [(&str, &[&str]); 3] = [
            ("shell", &["core", "wire"]),
            ("tool", &["wire"]),
            ("wire", &[]),
        ];
        assert_eq!(
            compared(TEXT, &code),
            [
                "ARCHITECTURE.md: crates: `core` is not in the code",
                "ARCHITECTURE.md: crates: has no line `tool -> wire`",
            ]
        );
    }

    #[test]
    fn a_line_that_names_one_above_it_is_a_problem() {
        let text = "```text crates\na -> b\nb -> a\n```";
        assert_eq!(
            compared(text, &[("a", &["b"]), ("b", &["a"])]),
            ["ARCHITECTURE.md: crates: `b` uses `a`, which has no line below it"]
        );
    }

    #[test]
    fn a_missing_map_is_told() {
        assert!(Map::read(TEXT, "rooms").unwrap_err().contains("text rooms"));
    }
}
