//! How the answer of `cargo metadata` is read. What is judged by it lives in `directions`.

use serde_json::Value;

/// Our own crates, as `cargo metadata` tells them.
pub(super) fn own_packages(metadata: &Value) -> impl Iterator<Item = &Value> {
    let members = list(&metadata["workspace_members"]);
    list(&metadata["packages"])
        .iter()
        .filter(|package| members.contains(&package["id"]))
}

/// All targets of our own crates, each with its crate's name.
pub(super) fn own_targets(metadata: &Value) -> impl Iterator<Item = (&str, &Value)> {
    own_packages(metadata).flat_map(|package| {
        list(&package["targets"])
            .iter()
            .map(|target| (text(&package["name"]), target))
    })
}

pub(super) fn list(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

pub(super) fn text(value: &Value) -> &str {
    value.as_str().unwrap_or("")
}
