//! `cargo xtask messages`: writes the wire messages from Kafka's own definitions, which lie in
//! `crates/downpour-wire/definitions`. What is written is committed, and tidy compares it.

mod code;
mod definition;
mod lists;
mod numbers;
mod table;
mod tests;
mod values;

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use definition::{Message, snake};
use table::APIS;

const CRATE: &str = "crates/downpour-wire";
/// Where generated files lie, and nothing else.
const FOLDERS: [&str; 4] = [
    "src/messages/generated",
    "src/messages/numbers/generated",
    "tests/common/samples/generated",
    "tests/kafka_protocol_twins/generated",
];

/// What the files are to hold, by their path in the workspace.
///
/// # Errors
/// When a definition cannot be read or says something that is not known here, or rustfmt fails.
pub fn generate(root: &Path) -> Result<BTreeMap<String, String>, String> {
    let [code, numbers, samples, twins] = FOLDERS;
    let mut files = BTreeMap::new();
    let mut keys = Vec::new();
    for api in APIS {
        let read = |what, about| {
            let path = format!("{CRATE}/definitions/{}{what}.json", api.name);
            std::fs::read_to_string(root.join(&path))
                .map_err(|error| error.to_string())
                .and_then(|text| Message::read(api, what, about, &text))
                .map_err(|error| format!("{path}: {error}"))
        };
        let request = read("Request", api.about.0)?;
        let response = read("Response", api.about.1)?;
        if (request.key, request.flexible) != (response.key, response.flexible) {
            return Err(format!("{}: request and response differ", api.name));
        }
        let file = format!("{}.rs", snake(api.name));
        let both = [&request, &response];
        let text = code::file(api, &request, &response)?;
        files.insert(format!("{code}/{file}"), text);
        if api.is_read() {
            let text = numbers::file(api, &response);
            files.insert(format!("{numbers}/{file}"), text);
        }
        files.insert(format!("{samples}/{file}"), tests::samples(api, both)?);
        files.insert(format!("{twins}/{file}"), tests::twins(api, both));
        keys.push((api, request, response));
    }
    let mut names: BTreeMap<&str, &str> = BTreeMap::new();
    for (api, request, response) in &keys {
        for part in request.structs.iter().chain(&response.structs) {
            if let Some(other) = names.insert(&part.name, api.name) {
                let (name, one) = (&part.name, api.name);
                return Err(format!(
                    "{one} and {other} have a {name}: the table must rename one"
                ));
            }
        }
    }
    files.insert(format!("{code}.rs"), lists::modules(&keys));
    files.insert(format!("{code}/api_key.rs"), lists::api_key(&keys));
    files.insert(format!("{numbers}.rs"), numbers::module());
    files.insert(format!("{samples}/mod.rs"), lists::samples());
    files.insert(format!("{twins}/mod.rs"), lists::twins());
    files
        .into_iter()
        .map(|(path, text)| {
            let text = formatted(root, &text).map_err(|error| format!("{path}: {error}"))?;
            Ok((format!("{CRATE}/{path}"), text))
        })
        .collect()
}

/// Writes the files anew and deletes those that nothing describes any more.
///
/// # Errors
/// As [`generate`], and when a file cannot be written.
pub fn write(root: &Path) -> Result<usize, String> {
    let files = generate(root)?;
    for path in left_over(root, &files) {
        std::fs::remove_file(root.join(&path)).map_err(|error| format!("{path}: {error}"))?;
    }
    for (path, text) in &files {
        let file = root.join(path);
        let folder = file.parent().unwrap_or(root);
        std::fs::create_dir_all(folder)
            .and_then(|()| std::fs::write(&file, text))
            .map_err(|error| format!("{path}: {error}"))?;
    }
    Ok(files.len())
}

/// The files that do not hold what they are to hold, or are there without being described.
///
/// # Errors
/// As [`generate`].
pub fn stale(root: &Path) -> Result<Vec<String>, String> {
    let files = generate(root)?;
    let mut stale = left_over(root, &files);
    for (path, text) in files {
        if std::fs::read_to_string(root.join(&path)).ok().as_ref() != Some(&text) {
            stale.push(path);
        }
    }
    Ok(stale)
}

fn left_over(root: &Path, files: &BTreeMap<String, String>) -> Vec<String> {
    let mut left = Vec::new();
    for folder in FOLDERS {
        let folder = format!("{CRATE}/{folder}");
        let entries = std::fs::read_dir(root.join(&folder)).into_iter().flatten();
        let names = entries.flatten().map(|entry| entry.file_name());
        let paths = names.map(|name| format!("{folder}/{}", name.to_string_lossy()));
        left.extend(paths.filter(|path| !files.contains_key(path)));
    }
    left
}

/// What rustfmt makes of it.
fn formatted(root: &Path, text: &str) -> Result<String, String> {
    let mut rustfmt = Command::new("rustfmt")
        .args(["--edition", "2024", "--quiet"])
        .current_dir(root)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| format!("rustfmt does not start: {error}"))?;
    // It reads everything before it writes, so one cannot wait for the other.
    if let Some(mut stdin) = rustfmt.stdin.take() {
        let written = stdin.write_all(text.as_bytes());
        written.map_err(|error| format!("rustfmt does not read: {error}"))?;
    }
    let told = rustfmt
        .wait_with_output()
        .map_err(|error| error.to_string())?;
    if !told.status.success() {
        return Err(format!("rustfmt refuses this:\n{text}"));
    }
    String::from_utf8(told.stdout).map_err(|error| error.to_string())
}
