//! Writes how tests get at every number of an answer, so that a new field is tried at its extremes
//! without anybody thinking of it. What is tried is `numbers.rs`'s in the wire crate.

use super::definition::{Field, Kind, Message, Struct, snake};
use super::lists::HEAD;
use super::table::{APIS, Api};
use super::values::{asks_version, condition};

/// The file of one response.
pub(super) fn file(api: &Api, response: &Message) -> String {
    let mut text = format!(
        "//! The numbers of {}'s answer. {HEAD}\n\nuse super::{{EachNumber, Number, Numbers}};\n\
         use crate::messages::*;\n\n",
        api.name
    );
    for part in &response.structs {
        let visits: String = part.fields.iter().map(|field| visit(field, part)).collect();
        let name = &part.name;
        let is_asked = asks_version(&visits) || visits.contains("(version,");
        let version = if is_asked { "version" } else { "_" };
        let each = if visits.is_empty() { "_" } else { "each" };
        text.push_str(&format!(
            "impl Numbers for {name} {{\n\
             fn each_number(&mut self, {version}: i16, {each}: EachNumber<'_>) {{\n{visits}}}\n}}\n\n"
        ));
    }
    text
}

/// The statement that shows the numbers of a field, where the version has it.
fn visit(field: &Field, part: &Struct) -> String {
    let name = &field.name;
    let (value, many) = (format!("self.{name}"), field.is_option());
    let named = format!("\"{}.{name}\"", part.name);
    let visit = match &field.kind {
        Kind::Int(_) | Kind::ErrorCode => {
            format!("each({named}, Number::from(&mut {value}));")
        }
        Kind::Struct(_) if many => {
            format!("if let Some(it) = &mut {value} {{ it.each_number(version, each); }}")
        }
        Kind::Struct(_) => format!("{value}.each_number(version, each);"),
        Kind::Array(element) => {
            let flat = if many { ".iter_mut().flatten()" } else { "" };
            match **element {
                Kind::Struct(_) => format!(
                    "for it in {value}.iter_mut(){flat} {{ it.each_number(version, each); }}"
                ),
                Kind::Int(_) => format!(
                    "for it in {value}.iter_mut(){flat} {{ each({named}, Number::from(it)); }}"
                ),
                _ => return String::new(),
            }
        }
        Kind::Bool | Kind::Uuid | Kind::String | Kind::Bytes => return String::new(),
    };
    match condition(field.versions, part.versions) {
        None => visit + "\n",
        Some(condition) => format!("if {condition} {{ {visit} }}\n"),
    }
}

/// The module of all of them.
pub(super) fn module() -> String {
    let read = APIS.iter().filter(|api| api.is_read());
    let modules: String = read
        .map(|api| format!("mod {};\n", snake(api.name)))
        .collect();
    format!(
        "//! The numbers of every answer that a producer reads. {HEAD}\n\n{modules}\n\
         use super::{{EachNumber, Number, Numbers}};\n"
    )
}
