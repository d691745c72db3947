//! Crates of others: their licences, where they come from, and which may not come in at all, by
//! the lists in `deny.toml`. Checked here too because `cargo deny` takes minutes to install.

use serde_json::Value;

use super::problem::Problem;

/// What `deny.toml` says.
#[derive(Debug)]
pub(super) struct Rules {
    licences: Vec<String>,
    banned: Vec<String>,
}

impl Rules {
    /// Reads the two lists.
    ///
    /// # Errors
    /// When one of them is missing.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let list = |section: &str, name: &str| {
            list(text, section, name).ok_or_else(|| format!("deny.toml: no {name} in {section}"))
        };
        Ok(Self {
            licences: list("[licenses]", "allow")?,
            banned: list("[bans]", "deny")?,
        })
    }
}

/// The strings of `name = [..]` below a section's head.
fn list(text: &str, section: &str, name: &str) -> Option<Vec<String>> {
    let start = format!("\n{section}\n");
    let body = &text[text.find(&start)? + start.len()..];
    let body = &body[..body.find("\n[").unwrap_or(body.len())];
    let entry = body.split_once(&format!("{name} = ["))?.1;
    let entry = &entry[..entry.find(']')?];
    let words = entry
        .split(',')
        .map(|word| word.trim().trim_matches('"').to_owned());
    Some(words.filter(|word| !word.is_empty()).collect())
}

/// Checks what `cargo metadata` says of crates that are not ours.
pub(super) fn check(metadata: &Value, rules: &Rules) -> Vec<Problem> {
    let mut problems = Vec::new();
    for package in metadata["packages"].as_array().into_iter().flatten() {
        // A crate of ours has a path instead of a source.
        if let Some(source) = package["source"].as_str() {
            check_one(package, source, rules, &mut problems);
        }
    }
    problems
}

fn check_one(package: &Value, source: &str, rules: &Rules, problems: &mut Vec<Problem>) {
    let text = |name: &str| package[name].as_str().unwrap_or("");
    let place = format!("{} {}", text("name"), text("version"));
    if rules.banned.iter().any(|banned| banned == text("name")) {
        problems.push(Problem::new(place.as_str(), "may not enter this lock file"));
    }
    if !source.starts_with("registry+") {
        problems.push(Problem::new(
            place.as_str(),
            "does not come from a registry",
        ));
    }
    let licence = text("license");
    if !is_licence_fine(licence, &rules.licences) {
        problems.push(Problem::new(
            place,
            format!("licence `{licence}` is not in deny.toml"),
        ));
    }
}

/// Whether every part joined by AND offers a known licence.
fn is_licence_fine(expression: &str, known: &[String]) -> bool {
    expression.replace('/', " OR ").split(" AND ").all(|part| {
        part.split(" OR ").any(|licence| {
            let licence = licence.trim().trim_matches(['(', ')']);
            let licence = licence.split(" WITH ").next().unwrap_or(licence);
            known.iter().any(|known| known == licence)
        })
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const RULES: &str = "# words\n\n[licenses]\nallow = [\n    \"MIT\",\n    \"Unicode-3.0\",\n]\n\
                         \n[bans]\ndeny = [\"rdkafka-sys\"]\n";

    fn problems(name: &str, licence: &str, source: &str) -> usize {
        let package =
            json!({"name": name, "version": "1.0.0", "license": licence, "source": source});
        let rules = Rules::parse(RULES).unwrap();
        check(
            &json!({"packages": [package, {"name": "ours", "source": null}]}),
            &rules,
        )
        .len()
    }

    #[test]
    fn licences_are_read_as_expressions() {
        let registry = "registry+index";
        assert_eq!(problems("a", "MIT OR GPL-3.0", registry), 0);
        assert_eq!(problems("a", "GPL-3.0/MIT", registry), 0);
        assert_eq!(problems("a", "(MIT OR X) AND Unicode-3.0", registry), 0);
        assert_eq!(problems("a", "MIT AND GPL-3.0", registry), 1);
        assert_eq!(problems("a", "", registry), 1);
    }

    #[test]
    fn foreign_sources_and_banned_crates_are_problems() {
        assert_eq!(problems("a", "MIT", "git+somewhere"), 1);
        assert_eq!(problems("rdkafka-sys", "MIT", "registry+index"), 1);
    }

    #[test]
    fn a_missing_list_is_told() {
        let without = RULES.replace("deny", "warn");
        assert!(Rules::parse(&without).unwrap_err().contains("[bans]"));
    }
}
