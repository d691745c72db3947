//! Which regions of code were reached, out of what `llvm-cov export` writes. A region of a generic
//! function is reached if it is in any of the function's instances.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::iter::Sum;
use std::ops::AddAssign;
use std::path::Path;

use serde_json::Value;

use super::source::Source;

/// A place in a file: line and column, both from 1 on.
type Place = (usize, usize);

/// How much there is and how much of it was reached.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Count {
    regions: usize,
    reached: usize,
    functions: usize,
    functions_reached: usize,
}

impl AddAssign for Count {
    fn add_assign(&mut self, other: Self) {
        self.regions += other.regions;
        self.reached += other.reached;
        self.functions += other.functions;
        self.functions_reached += other.functions_reached;
    }
}

impl Sum for Count {
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        all.fold(Self::default(), |mut sum, one| {
            sum += one;
            sum
        })
    }
}

impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let percent = 100.0 * self.reached as f64 / self.regions.max(1) as f64;
        write!(
            f,
            "{} | {} | {percent:.1} | {} | {}",
            self.regions, self.reached, self.functions, self.functions_reached
        )
    }
}

/// A function with the closures in it.
#[derive(Debug)]
struct Function {
    name: String,
    regions: Vec<(Place, Place, bool)>,
}

impl Function {
    fn reached(&self) -> usize {
        self.regions.iter().filter(|region| region.2).count()
    }
}

/// What an arm consists of that only leaves.
const BARE: [&str; 9] = [
    "",
    "}",
    "{}",
    "?",
    "return",
    "return false",
    "continue",
    "break",
    "None",
];

/// Code that was not reached.
#[derive(Debug)]
pub(super) struct Gap {
    pub(super) function: String,
    /// Nothing of the function was reached.
    pub(super) is_whole: bool,
    /// It only leaves, or passes on that something is not there.
    pub(super) is_bare: bool,
    pub(super) first: usize,
    pub(super) last: usize,
    pub(super) code: String,
}

/// A file's code.
#[derive(Debug)]
pub(super) struct File {
    /// `core/queue/line.rs`.
    pub(super) name: String,
    source: Source,
    functions: Vec<Function>,
}

impl File {
    /// The crate and the room in it.
    pub(super) fn room(&self) -> &str {
        let mut slashes = self.name.match_indices('/').map(|(at, _)| at);
        let (first, second) = (slashes.next(), slashes.next());
        let end = second.or_else(|| first.map(|_| self.name.len() - ".rs".len()));
        &self.name[..end.unwrap_or(self.name.len())]
    }

    pub(super) fn count(&self) -> Count {
        self.count_without(|_| false)
    }

    /// Counts all but the functions that are left out.
    pub(super) fn count_without(&self, is_left_out: impl Fn(&str) -> bool) -> Count {
        let counted = self.functions.iter().filter(|f| !is_left_out(&f.name));
        counted
            .map(|function| Count {
                regions: function.regions.len(),
                reached: function.reached(),
                functions: 1,
                functions_reached: usize::from(function.reached() > 0),
            })
            .sum()
    }

    /// The functions and whether anything of them was reached.
    pub(super) fn functions(&self) -> impl Iterator<Item = (&str, bool)> {
        let told = |function: &'_ Function| function.reached() > 0;
        self.functions.iter().map(move |f| (&*f.name, told(f)))
    }

    /// The lines that the code of these functions is on.
    pub(super) fn code_of(&self, is_meant: impl Fn(&str) -> bool) -> String {
        let functions = self.functions.iter().filter(|f| is_meant(&f.name));
        let code = functions.map(|function| {
            let last = function.regions.iter().map(|(_, end, _)| end.0).max();
            self.source
                .lines(function.regions[0].0.0, last.unwrap_or(0))
        });
        code.collect::<Vec<_>>().join("\n")
    }

    fn is_bare(&self, from: Place, to: Place) -> bool {
        let text = self.source.text(from, to);
        text.is_some_and(|text| BARE.contains(&text.trim_end_matches(';')))
    }

    /// What was not reached, in its order; what lies together is one.
    pub(super) fn gaps(&self) -> Vec<Gap> {
        let mut gaps = Vec::new();
        for function in &self.functions {
            let is_whole = function.reached() == 0;
            let runs = function.regions.chunk_by(|one, next| one.2 == next.2);
            for run in runs.filter(|run| !run[0].2) {
                let first = run[0].0.0;
                let last = run.iter().map(|(_, end, _)| end.0).max().unwrap_or(first);
                gaps.push(Gap {
                    function: function.name.clone(),
                    is_whole,
                    is_bare: !is_whole && run.iter().all(|(from, to, _)| self.is_bare(*from, *to)),
                    first,
                    last,
                    code: self.source.lines(first, last),
                });
            }
        }
        gaps
    }
}

/// Reads the files of the measured directories out of what `llvm-cov` exported.
///
/// # Errors
/// When that is not what it should be, or a file cannot be read.
pub(super) fn read(
    tree: &Path,
    measured: &[(&str, &str)],
    export: &str,
) -> Result<Vec<File>, String> {
    let export: Value = serde_json::from_str(export).map_err(|e| format!("llvm-cov: {e}"))?;
    let functions = export["data"][0]["functions"]
        .as_array()
        .ok_or("llvm-cov exported no functions")?;
    let mut regions: BTreeMap<String, BTreeMap<(Place, Place), bool>> = BTreeMap::new();
    for function in functions {
        let file = function["filenames"][0].as_str().unwrap_or_default();
        let file = regions.entry(file.to_owned()).or_default();
        for region in function["regions"].as_array().into_iter().flatten() {
            let number = |at: usize| region[at].as_u64().unwrap_or(0) as usize;
            // Others are gaps between code, or what a macro stands for.
            if number(7) == 0 {
                let place = ((number(0), number(1)), (number(2), number(3)));
                *file.entry(place).or_default() |= number(4) > 0;
            }
        }
    }
    let mut files = Vec::new();
    for (name, directory) in measured {
        let directory = tree.join(directory);
        for (path, regions) in &regions {
            let path = Path::new(path);
            let Ok(inner) = path.strip_prefix(&directory) else {
                continue;
            };
            let text = fs::read_to_string(path).map_err(|e| format!("{}: {e}", path.display()))?;
            files.push(File::new(
                format!("{name}/{}", inner.display()),
                &text,
                regions,
            ));
        }
    }
    Ok(files)
}

impl File {
    fn new(name: String, text: &str, regions: &BTreeMap<(Place, Place), bool>) -> Self {
        let source = Source::new(text);
        let mut functions: Vec<Function> = Vec::new();
        for (&(start, end), &is_reached) in regions {
            if let Some(name) = source.function_at(start.0, start.1) {
                let regions = Vec::new();
                functions.push(Function { name, regions });
            } else if functions.is_empty() {
                let (name, regions) = (String::new(), Vec::new());
                functions.push(Function { name, regions });
            }
            if let Some(function) = functions.last_mut() {
                function.regions.push((start, end, is_reached));
            }
        }
        Self {
            name,
            source,
            functions,
        }
    }
}

#[cfg(test)]
pub(super) fn file(name: &str, text: &str, regions: &[(Place, Place, bool)]) -> File {
    let regions = regions.iter().map(|(a, b, is)| ((*a, *b), *is)).collect();
    File::new(name.to_owned(), text, &regions)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "fn one() {\n    if x {\n        a();\n    }\n}\nfn two() {}\n";

    fn sample() -> File {
        file(
            "core/queue/line.rs",
            TEXT,
            &[
                ((1, 1), (2, 8), true),
                ((2, 10), (4, 6), false),
                ((5, 1), (5, 2), true),
                ((6, 1), (6, 12), false),
            ],
        )
    }

    #[test]
    fn a_gap_is_told_with_its_function_and_its_code() {
        let gaps = sample().gaps();
        assert_eq!(gaps.len(), 2);
        assert_eq!(
            (gaps[0].function.as_str(), gaps[0].is_whole),
            ("one", false)
        );
        assert!(gaps[0].code.contains("a();"), "{}", gaps[0].code);
        assert_eq!((gaps[1].function.as_str(), gaps[1].is_whole), ("two", true));
    }

    #[test]
    fn an_arm_that_only_leaves_is_told_from_one_that_does_something() {
        let text = "fn one() {\n    x()?;\n    y() else { return; }\n}\n";
        let bare = |from, to| {
            let regions = [((1, 1), (1, 11), true), (from, to, false)];
            file("core/a.rs", text, &regions).gaps()[0].is_bare
        };
        assert!(bare((2, 8), (2, 9)) && bare((3, 16), (3, 23)));
        assert!(!bare((2, 5), (2, 8)) && !bare((2, 5), (3, 24)));
    }

    #[test]
    fn a_region_that_one_instance_reaches_is_reached() {
        let here = env!("CARGO_MANIFEST_DIR");
        let path = format!("{here}/src/coverage/source.rs");
        let export = |count: u64| {
            format!(r#"{{"filenames":["{path}"],"regions":[[1,1,2,1,{count},0,0,0]]}}"#)
        };
        let all = |first, second| {
            let functions = [export(first), export(second)].join(",");
            format!(r#"{{"data":[{{"functions":[{functions}]}}]}}"#)
        };
        let measured = [("x", "src/coverage")];
        let reached = |export: String| {
            let files = read(Path::new(here), &measured, &export).unwrap();
            files[0].count().reached
        };
        assert_eq!((reached(all(0, 7)), reached(all(7, 0))), (1, 1));
        assert_eq!(reached(all(0, 0)), 0);
    }

    #[test]
    fn a_file_lies_in_its_room() {
        assert_eq!(sample().room(), "core/queue");
        assert_eq!(file("core/rng.rs", "", &[]).room(), "core/rng");
    }
}
