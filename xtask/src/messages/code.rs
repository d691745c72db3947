//! Writes the Rust of one request and its response: structs, how they are written and read.

use super::definition::{Field, Kind, Message, Struct, Versions};
use super::table::{Api, Side};
use super::values::{asks_version, condition, either, opposite};

const BROKER: &str = "#[cfg(feature = \"broker\")]\n";

/// The file of one request and its response.
pub(super) fn file(api: &Api, request: &Message, response: &Message) -> Result<String, String> {
    let mut body = String::new();
    for (message, is_request) in [(request, true), (response, false)] {
        for part in &message.structs {
            body.push_str(&definition(part)?);
        }
        if is_request {
            let name = api.name;
            body.push_str(&format!(
                "impl Request for {name}Request {{ const KEY: ApiKey = ApiKey::{name}; type Response = {name}Response; }}\n\n"
            ));
        }
        let writing = Writing {
            api,
            message,
            is_request,
        };
        for (at, part) in message.structs.iter().enumerate() {
            body.push_str(&writing.conversions(part, at == 0)?);
        }
    }
    let (from, to) = api.versions;
    let mut uses = String::new();
    if body.contains("ErrorCode") {
        uses.push_str("use crate::error_code::ErrorCode;\n");
    }
    let uuid = if body.contains("Uuid") { ", Uuid" } else { "" };
    Ok(format!(
        "//! {}, versions {from} to {to}. Written by `cargo xtask messages` from Kafka's definitions in\n\
         //! `definitions/`: what is changed here by hand is lost.\n\n\
         use crate::error::{{DecodeError, EncodeError}};\n\
         {uses}\
         use crate::messages::api_key::ApiKey;\n\
         use crate::messages::message::{{Decode, Encode, Request}};\n\
         use crate::messages::reader::MessageReader;\n\
         use crate::messages::writer::MessageWriter;\n\
         use crate::primitives::{{Reader{uuid}}};\n\n{body}",
        api.name
    ))
}

/// A struct, documented, and its default.
fn definition(part: &Struct) -> Result<String, String> {
    let whole = part.versions;
    let mut fields = String::new();
    let mut defaults = String::new();
    let mut is_plain = true;
    for field in &part.fields {
        let (name, default) = (&field.name, field.rust_default(whole)?);
        fields.push_str(&doc(&field.doc(whole)?));
        fields.push_str(&format!("pub {name}: {},\n", field.rust_type()));
        defaults.push_str(&format!("{name}: {default},\n"));
        is_plain &= field.default_is_rusts(whole)?;
    }
    let is_copy = part
        .fields
        .iter()
        .all(|field| field.kind.is_copy() && !field.is_option());
    let copy = if is_copy { "Copy, " } else { "" };
    let derived = if is_plain { ", Default" } else { "" };
    let mut text = doc(&part.about);
    let name = &part.name;
    text.push_str(&format!(
        "#[derive(Debug, Clone, {copy}PartialEq, Eq{derived})]\npub struct {name} {{\n{fields}}}\n\n"
    ));
    if !is_plain {
        text.push_str(&format!(
            "impl Default for {name} {{ fn default() -> Self {{ Self {{\n{defaults}}} }} }}\n\n"
        ));
    }
    Ok(text)
}

/// Documentation, broken into lines.
fn doc(text: &str) -> String {
    let mut lines = String::new();
    let mut line = String::from("///");
    for word in text.split_whitespace() {
        if line.len() + 1 + word.len() > 96 {
            lines.push_str(&line);
            lines.push('\n');
            line = String::from("///");
        }
        line.push(' ');
        line.push_str(word);
    }
    lines + &line + "\n"
}

/// Writes how the structs of one message are written and read.
struct Writing<'a> {
    api: &'a Api,
    message: &'a Message,
    is_request: bool,
}

impl Writing<'_> {
    /// What stands before the direction that only the fake needs.
    const fn cfg(&self, is_brokers: bool) -> &'static str {
        if is_brokers && matches!(self.api.side, Side::Producer) {
            BROKER
        } else {
            ""
        }
    }

    fn conversions(&self, part: &Struct, is_message: bool) -> Result<String, String> {
        let (writes, reads) = (self.writes(part)?, self.reads(part)?);
        let write_cfg = self.cfg(!self.is_request);
        let read_cfg = self.cfg(self.is_request);
        let (name, api) = (&part.name, self.api.name);
        if is_message {
            return Ok(format!(
                "{write_cfg}impl Encode for {name} {{ fn encode(&self, out: &mut Vec<u8>, version: i16) -> Result<(), EncodeError> {{\n\
                 let mut out = MessageWriter::new(out, ApiKey::{api}, version, \"{name}\")?;\n{writes}Ok(())\n}} }}\n\n\
                 {read_cfg}impl Decode for {name} {{ fn decode(r: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {{\n\
                 let mut r = MessageReader::new(r, ApiKey::{api}, version, \"{name}\")?;\n{reads}}} }}\n\n"
            ));
        }
        let version = |text: &str, of: &str| {
            if asks_version(text) {
                format!("let version = {of}.version;\n")
            } else {
                String::new()
            }
        };
        let write_version = version(&writes, "out");
        let read_version = version(&reads, "r");
        Ok(format!(
            "impl {name} {{\n\
             {write_cfg}fn write(&self, out: &mut MessageWriter<'_>) -> Result<(), EncodeError> {{\n{write_version}{writes}Ok(())\n}}\n\n\
             {read_cfg}fn read(r: &mut MessageReader<'_, '_>) -> Result<Self, DecodeError> {{\n{read_version}{reads}}}\n}}\n\n"
        ))
    }

    /// The statements that write a struct.
    fn writes(&self, part: &Struct) -> Result<String, String> {
        let whole = part.versions;
        let mut text = String::new();
        for field in part.untagged() {
            let write = Self::write(field);
            match condition(field.versions, whole) {
                None => text.push_str(&write),
                Some(condition) => {
                    let refused = self.refuse(field, whole)?;
                    let refused =
                        refused.map_or_else(String::new, |refused| format!(" else {refused}"));
                    text.push_str(&format!("if {condition} {{ {write} }}{refused}\n"));
                }
            }
        }
        let tagged = part.tagged();
        if tagged.is_empty() {
            if self.message.is_flexible(whole.1) {
                text.push_str("out.no_tags();\n");
            }
            return Ok(text);
        }
        let mut counted = Vec::new();
        for field in &tagged {
            let condition = condition(field.versions, whole);
            let unless = opposite(field.versions, whole);
            if let (Some(unless), Some(refused)) = (unless, self.refuse(field, whole)?) {
                text.push_str(&format!("if {unless} {{ {refused} }}\n"));
            }
            let differs = field.differs(whole)?;
            let has =
                condition.map_or_else(|| differs.clone(), |only| format!("{only} && {differs}"));
            text.push_str(&format!("let has_{} = {has};\n", field.name));
            counted.push(format!("has_{}", field.name));
        }
        text.push_str(&match counted.as_slice() {
            [one] => format!("out.tag_count(u32::from({one}));\n"),
            many => format!(
                "out.tag_count([{}].map(u32::from).iter().sum());\n",
                many.join(", ")
            ),
        });
        for field in tagged {
            let tag = field.tag.unwrap_or_default();
            let write = Self::write(field);
            text.push_str(&format!(
                "if has_{} {{ out.tag({tag}, \"{}\", |out| {{ {write} Ok(()) }})?; }}\n",
                field.name,
                words(field)
            ));
        }
        Ok(text)
    }

    /// Refuses a value that the version has no place for, where that changes what is asked.
    fn refuse(&self, field: &Field, whole: Versions) -> Result<Option<String>, String> {
        if !self.is_request || field.ignorable {
            return Ok(None);
        }
        let (differs, name) = (field.differs(whole)?, &field.name);
        Ok(Some(format!(
            "if {differs} {{ return Err(out.not_in_version(\"{name}\")); }}"
        )))
    }

    /// The statement that writes a field which the version has.
    fn write(field: &Field) -> String {
        let (name, what) = (&field.name, words(field));
        let value = format!("self.{name}.as_deref()");
        match (&field.kind, field.nullable) {
            (Kind::Struct(_), _) if field.is_tagged_struct() => {
                format!("self.{name}.as_ref().map_or(Ok(()), |it| it.write(out))?;\n")
            }
            (Kind::Struct(_), _) => format!("self.{name}.write(out)?;\n"),
            (kind, None) if kind.is_copy() => {
                format!("{};\n", put(kind, &format!("self.{name}"), &what))
            }
            (kind, None) => format!("{}?;\n", put(kind, &format!("&self.{name}"), &what)),
            (kind, Some(nullable)) => {
                let put = put(kind, &value, &what).replacen("out.", "out.nullable_", 1);
                let refused = opposite(nullable, field.versions).map(|unless| format!(
                    "if {unless} && self.{name}.is_none() {{ return Err(out.null_not_allowed(\"{name}\")); }}\n"
                ));
                format!("{}{put}?;\n", refused.unwrap_or_default())
            }
        }
    }

    /// The statements that read a struct, and the struct that they make.
    fn reads(&self, part: &Struct) -> Result<String, String> {
        let whole = part.versions;
        let mut text = String::new();
        for field in part.untagged() {
            let read = either(
                condition(field.versions, whole).as_deref(),
                &self.read(field),
                &field.rust_default(whole)?,
            );
            text.push_str(&format!("let {} = {read};\n", field.name));
        }
        let tagged = part.tagged();
        let mut arms = String::new();
        for field in &tagged {
            // Before the flexible versions there are no tags to ask about.
            let flexible = Versions(self.message.flexible.unwrap_or(0).max(whole.0), whole.1);
            let guard = condition(field.versions, flexible);
            let guard = guard.map_or_else(String::new, |guard| format!(" if {guard}"));
            let (name, tag) = (&field.name, field.tag.unwrap_or_default());
            let default = field.rust_default(whole)?;
            text.push_str(&format!("let mut {name} = {default};\n"));
            arms.push_str(&format!("{tag}{guard} => {name} = {},\n", self.read(field)));
        }
        if !tagged.is_empty() {
            text.push_str(&format!(
                "r.tags(|tag, r| {{ match tag {{ {arms} _ => return Ok(false), }} Ok(true) }})?;\n"
            ));
        } else if self.message.is_flexible(whole.1) {
            text.push_str("r.no_tags()?;\n");
        }
        let names: Vec<_> = part
            .fields
            .iter()
            .map(|field| field.name.as_str())
            .collect();
        text.push_str(&format!("Ok(Self {{ {} }})\n", names.join(", ")));
        Ok(text)
    }

    /// The expression that reads a field which the version has.
    fn read(&self, field: &Field) -> String {
        let (kind, what) = (&field.kind, words(field));
        let plain = self.get(kind, field, &what);
        let Some(nullable) = field.nullable else {
            return if field.is_tagged_struct() {
                format!("Some({plain}?)")
            } else {
                format!("{plain}?")
            };
        };
        let may_be_null = plain.replacen("r.", "r.nullable_", 1);
        either(
            condition(nullable, field.versions).as_deref(),
            &format!("{may_be_null}?"),
            &format!("Some({plain}?)"),
        )
    }

    /// The expression that reads a value of that kind.
    fn get(&self, kind: &Kind, field: &Field, what: &str) -> String {
        match kind {
            Kind::Bool => format!("r.bool(\"{what}\")"),
            Kind::Int(int) => format!("r.{int}(\"{what}\")"),
            Kind::ErrorCode => format!("r.error_code(\"{what}\")"),
            Kind::Uuid => format!("r.uuid(\"{what}\")"),
            Kind::String => format!("r.string(\"{what}\")"),
            Kind::Bytes => format!("r.bytes(\"{what}\")"),
            Kind::Struct(name) => format!("{name}::read(r)"),
            Kind::Array(element) if **element == Kind::Int("i32") && field.nullable.is_none() => {
                format!("r.i32_array(\"{what}\")")
            }
            Kind::Array(element) => {
                let size = self.message.smallest(element, field.versions);
                let each = match &**element {
                    Kind::Struct(name) => format!("{name}::read"),
                    element => format!("|r| {}", self.get(element, field, what)),
                };
                format!("r.array({size}, \"{what}\", {each})")
            }
        }
    }
}

/// The expression that writes a value; a `Result` unless it has a fixed size.
fn put(kind: &Kind, value: &str, what: &str) -> String {
    match kind {
        Kind::Bool => format!("out.bool({value})"),
        Kind::Int(int) => format!("out.{int}({value})"),
        Kind::ErrorCode => format!("out.error_code({value})"),
        Kind::Uuid => format!("out.uuid({value})"),
        Kind::String => format!("out.string({value}, \"{what}\")"),
        Kind::Bytes => format!("out.bytes({value}, \"{what}\")"),
        Kind::Struct(_) => format!("{value}.write(out)"),
        Kind::Array(element) if **element == Kind::Int("i32") && value.starts_with('&') => {
            format!("out.i32_array({value}, \"{what}\")")
        }
        Kind::Array(element) => {
            let each = put_element(element, what);
            format!("out.array({value}, \"{what}\", {each})")
        }
    }
}

/// The closure that writes an array's element.
fn put_element(element: &Kind, what: &str) -> String {
    match element {
        Kind::Struct(_) => "|out, it| it.write(out)".to_owned(),
        element if element.is_copy() => {
            format!("|out, it| {{ {}; Ok(()) }}", put(element, "*it", what))
        }
        element => format!("|out, it| {}", put(element, "it", what)),
    }
}

/// The field's name in errors.
fn words(field: &Field) -> String {
    field.name.replace('_', " ")
}
