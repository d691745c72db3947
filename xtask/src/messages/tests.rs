//! Writes what the tests of a message need: a sample of it, and its twin in `kafka-protocol`.

use super::definition::{Field, Kind, Message, Struct, snake};
use super::table::Api;
use super::values::{asks_version, condition, either};

/// The file of the samples of one request and its response.
pub(super) fn samples(api: &Api, messages: [&Message; 2]) -> Result<String, String> {
    let mut text = format!(
        "//! Samples of {}. Written by `cargo xtask messages`: what is changed here by hand is lost.\n\n\
         use downpour_wire::messages::*;\n{}{}\n\
         use super::{{Entropy, Sample}};\n\n",
        api.name, "{error}", "{uuid}",
    );
    for message in messages {
        for (at, part) in message.structs.iter().enumerate() {
            let mut fields = String::new();
            for field in &part.fields {
                let sample = either(
                    condition(field.versions, part.versions).as_deref(),
                    &sample(field),
                    &field.rust_default(part.versions)?,
                );
                fields.push_str(&format!("{}: {sample},\n", field.name));
            }
            let name = &part.name;
            let is_asked = asks_version(&fields) || fields.contains(", version)");
            let version = if is_asked { "version" } else { "_" };
            text.push_str(&if at == 0 {
                format!(
                    "impl Sample for {name} {{ const KEY: ApiKey = ApiKey::{};\n\n\
                     fn sample(e: &mut Entropy<'_>, {version}: i16) -> Self {{ Self {{\n{fields}}} }} }}\n\n",
                    api.name
                )
            } else {
                format!(
                    "fn {}(e: &mut Entropy<'_>, {version}: i16) -> {name} {{ {name} {{\n{fields}}} }}\n\n",
                    snake(name)
                )
            });
        }
    }
    let uses = |word: &str, path: &str| {
        if text.contains(word) {
            format!("use downpour_wire::{path};\n")
        } else {
            String::new()
        }
    };
    let error = uses("ErrorCode::", "error_code::ErrorCode");
    let uuid = uses("Uuid::", "primitives::Uuid");
    Ok(text
        .replacen("{error}", &error, 1)
        .replacen("{uuid}", &uuid, 1))
}

/// A random value of a field in a version that has it.
fn sample(field: &Field) -> String {
    let plain = value(&field.kind);
    if let (Kind::Struct(name), true) = (&field.kind, field.is_tagged_struct()) {
        // Not all write a tagged struct that holds nothing but defaults.
        return format!("e.option(|e| {plain}).filter(|it| *it != {name}::default())");
    }
    let Some(nullable) = field.nullable else {
        return plain;
    };
    either(
        condition(nullable, field.versions).as_deref(),
        &format!("e.option({})", closure(&field.kind)),
        &format!("Some({plain})"),
    )
}

fn value(kind: &Kind) -> String {
    match kind {
        Kind::Bool => "e.bool()".to_owned(),
        Kind::Int(int) => format!("e.{int}()"),
        Kind::ErrorCode => "e.error()".to_owned(),
        Kind::Uuid => "e.uuid()".to_owned(),
        Kind::String => "e.string()".to_owned(),
        Kind::Bytes => "e.bytes()".to_owned(),
        Kind::Struct(name) => format!("{}(e, version)", snake(name)),
        Kind::Array(element) => format!("e.vec({})", closure(element)),
    }
}

fn closure(kind: &Kind) -> String {
    match (kind, value(kind)) {
        (Kind::Struct(_) | Kind::Array(_), value) => format!("|e| {value}"),
        (_, value) => value.replace("e.", "Entropy::").replace("()", ""),
    }
}

/// The file of the twins of one request and its response.
pub(super) fn twins(api: &Api, messages: [&Message; 2]) -> String {
    let mut text = format!(
        "//! Twins of {}. Written by `cargo xtask messages`: what is changed here by hand is lost.\n\n\
         use downpour_wire::messages::*;\nuse kafka_protocol::messages as theirs;\n\n\
         #[allow(unused_imports, reason = \"each file needs some of them\")]\n\
         use super::{{Twin, all, id, make, some_text, text}};\n\n",
        api.name
    );
    for message in messages {
        for (at, part) in message.structs.iter().enumerate() {
            text.push_str(&twin_of(part, message, at == 0));
        }
    }
    text
}

fn twin_of(part: &Struct, message: &Message, is_message: bool) -> String {
    let (name, kafka) = (&part.name, &part.kafka);
    // What was never flexible has no unknown tags.
    let (argument, tags) = match message.flexible {
        Some(_) => ("tags", "tags, "),
        None => ("_", ""),
    };
    let it = if is_message { "self" } else { "it" };
    let fields: String = part
        .fields
        .iter()
        .map(|field| format!("{}: {},\n", field.kafka, twin(field, it)))
        .collect();
    if is_message {
        return format!(
            "impl Twin for {name} {{ type Twin = theirs::{kafka};\n\n\
             fn twin(&self, {argument}: bool) -> Self::Twin {{ make!({tags}theirs::{kafka} {{\n{fields}}}) }} }}\n\n"
        );
    }
    let module = snake(&message.structs[0].kafka);
    format!(
        "fn {}(it: &{name}, {argument}: bool) -> theirs::{module}::{kafka} {{\n\
         make!({tags}theirs::{module}::{kafka} {{\n{fields}}}) }}\n\n",
        snake(name)
    )
}

/// A field's value as the other crate has it.
fn twin(field: &Field, it: &str) -> String {
    let it = format!("{it}.{}", field.name);
    let wrapper = wrapper(field);
    if let (Kind::Struct(name), true) = (&field.kind, field.is_tagged_struct()) {
        let each = snake(name);
        return format!("{it}.as_ref().map(|it| {each}(it, tags)).unwrap_or_default()");
    }
    if field.nullable.is_none() {
        return plain(&field.kind, &it, &format!("&{it}"), &wrapper);
    }
    match &field.kind {
        Kind::String if wrapper.is_empty() => format!("some_text(&{it})"),
        Kind::String => format!("some_text(&{it}).map({wrapper})"),
        Kind::Bytes => format!("{it}.clone().map(Into::into)"),
        kind => format!(
            "{it}.as_ref().map(|it| {})",
            plain(kind, "*it", "it", &wrapper)
        ),
    }
}

/// A value as the other crate has it; `it` is the value and `at` a reference to it.
fn plain(kind: &Kind, it: &str, at: &str, wrapper: &str) -> String {
    let inner = match kind {
        Kind::Bool | Kind::Int(_) => it.to_owned(),
        Kind::ErrorCode => format!("{it}.0"),
        Kind::Uuid => format!("id({it})"),
        Kind::String => format!("text({at})"),
        Kind::Bytes => return format!("{it}.clone().into()"),
        Kind::Struct(name) => return format!("{}({at}, tags)", snake(name)),
        Kind::Array(element) => {
            let each = plain(element, "*it", "it", wrapper);
            if each == "*it" {
                return format!("{it}.clone()");
            }
            return format!("all({at}, |it| {each})");
        }
    };
    if wrapper.is_empty() {
        inner
    } else {
        format!("{wrapper}({inner})")
    }
}

/// The type that the other crate has for what a value names.
fn wrapper(field: &Field) -> String {
    let known = [
        ("brokerId", "BrokerId"),
        ("groupId", "GroupId"),
        ("producerId", "ProducerId"),
        ("topicName", "TopicName"),
        ("transactionalId", "TransactionalId"),
    ];
    let found = known.iter().find(|(entity, _)| *entity == field.entity);
    found.map_or_else(String::new, |(_, name)| format!("theirs::{name}"))
}
