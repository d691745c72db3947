//! Reads one of Kafka's definitions, narrowed to the versions that downpour speaks. What Rust is made
//! of it, the other files say.

use serde_json::Value;

use super::table::Api;

/// Versions from the first to the last, both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Versions(pub(super) i16, pub(super) i16);

impl Versions {
    /// Reads Kafka's way to write them: `3`, `1-3`, `2+`, `none`.
    fn parse(text: &str) -> Result<Option<Self>, String> {
        let number = |text: &str| {
            let parsed = text.parse();
            parsed.map_err(|_| format!("`{text}` is no version"))
        };
        if text == "none" {
            return Ok(None);
        }
        if let Some(from) = text.strip_suffix('+') {
            return Ok(Some(Self(number(from)?, i16::MAX)));
        }
        let (from, to) = text.split_once('-').unwrap_or((text, text));
        Ok(Some(Self(number(from)?, number(to)?)))
    }

    pub(super) fn both(self, other: Self) -> Option<Self> {
        let both = Self(self.0.max(other.0), self.1.min(other.1));
        (both.0 <= both.1).then_some(both)
    }

    fn hull(self, other: Self) -> Self {
        Self(self.0.min(other.0), self.1.max(other.1))
    }

    pub(super) fn contains(self, version: i16) -> bool {
        (self.0..=self.1).contains(&version)
    }
}

/// What a field holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Kind {
    Bool,
    /// With its Rust name.
    Int(&'static str),
    ErrorCode,
    Uuid,
    String,
    Bytes,
    Struct(String),
    Array(Box<Self>),
}

/// A field in the versions that its struct has here.
pub(super) struct Field {
    /// In snake case.
    pub(super) name: String,
    /// Kafka's name for it, in snake case.
    pub(super) kafka: String,
    pub(super) kind: Kind,
    pub(super) versions: Versions,
    /// Where it may be null.
    pub(super) nullable: Option<Versions>,
    /// The number of a tagged field.
    pub(super) tag: Option<u64>,
    /// As Kafka writes it; empty where it does not say.
    pub(super) default: String,
    /// Whether a version may leave it out whatever it holds.
    pub(super) ignorable: bool,
    pub(super) about: String,
    /// What the value names (`brokerId`), if anything.
    pub(super) entity: String,
}

/// A message or a part of one.
pub(super) struct Struct {
    pub(super) name: String,
    /// Kafka's name for it.
    pub(super) kafka: String,
    pub(super) about: String,
    /// The versions of the message that have this struct.
    pub(super) versions: Versions,
    pub(super) fields: Vec<Field>,
}

/// A request or a response.
pub(super) struct Message {
    pub(super) key: i64,
    /// The first version with compact lengths and tagged fields, if there is one.
    pub(super) flexible: Option<i16>,
    /// The message itself, then its parts, each behind the one that it is a part of.
    pub(super) structs: Vec<Struct>,
}

impl Message {
    /// Reads the definition of `api`'s request or response, as `what` says.
    pub(super) fn read(
        api: &Api,
        what: &str,
        about: &str,
        definition: &str,
    ) -> Result<Self, String> {
        // Kafka's files have whole lines of comments, which JSON does not.
        let is_comment = |line: &&str| !line.trim_start().starts_with("//");
        let json: String = definition.lines().filter(is_comment).collect();
        let json: Value = serde_json::from_str(&json).map_err(|error| error.to_string())?;
        let ours = Versions(api.versions.0, api.versions.1);
        let theirs = Versions::parse(text(&json, "validVersions"))?;
        if theirs.and_then(|theirs| theirs.both(ours)) != Some(ours) {
            return Err(format!("Kafka has not all of {ours:?}"));
        }
        let mut reading = Reading {
            api,
            common: list(&json, "commonStructs"),
            structs: Vec::new(),
        };
        let kafka = format!("{}{what}", api.name);
        reading.add(&kafka, about, ours, list(&json, "fields"))?;
        Ok(Self {
            key: json["apiKey"].as_i64().ok_or("no apiKey")?,
            flexible: Versions::parse(text(&json, "flexibleVersions"))?.map(|versions| versions.0),
            structs: reading.structs,
        })
    }

    /// The fewest bytes that a value takes on the wire, in whichever of `versions` that is.
    pub(super) fn smallest(&self, kind: &Kind, versions: Versions) -> usize {
        let sizes = (versions.0..=versions.1).map(|version| self.size(kind, version));
        sizes.min().unwrap_or(0)
    }

    /// The fewest bytes that a value takes on the wire in `version`.
    fn size(&self, kind: &Kind, version: i16) -> usize {
        let flexible = self.is_flexible(version);
        match kind {
            Kind::Bool | Kind::Int("i8") => 1,
            Kind::Int("i16") | Kind::ErrorCode => 2,
            Kind::Int("i32") => 4,
            Kind::Int(_) => 8,
            Kind::Uuid => 16,
            Kind::String | Kind::Bytes | Kind::Array(_) if flexible => 1,
            Kind::String => 2,
            Kind::Bytes | Kind::Array(_) => 4,
            Kind::Struct(name) => {
                let fields = self.part(name).fields.iter();
                let fields =
                    fields.filter(|field| field.tag.is_none() && field.versions.contains(version));
                let sizes = fields.map(|field| self.size(&field.kind, version));
                sizes.sum::<usize>() + usize::from(flexible)
            }
        }
    }

    pub(super) fn is_flexible(&self, version: i16) -> bool {
        self.flexible.is_some_and(|first| version >= first)
    }

    /// The struct of that name.
    pub(super) fn part(&self, name: &str) -> &Struct {
        let part = self.structs.iter().find(|part| part.name == name);
        part.expect("a field's struct was read with the field")
    }
}

struct Reading<'a> {
    api: &'a Api,
    common: &'a [Value],
    structs: Vec<Struct>,
}

impl Reading<'_> {
    fn named(&self, kafka: &str) -> String {
        let renamed = self.api.renamed.iter().find(|(theirs, _)| *theirs == kafka);
        renamed.map_or(kafka, |(_, ours)| ours).to_owned()
    }

    /// Adds a struct and the structs of its fields; the versions of one that is there already grow.
    fn add(
        &mut self,
        kafka: &str,
        about: &str,
        versions: Versions,
        fields: &[Value],
    ) -> Result<(), String> {
        let name = self.named(kafka);
        let known = self.structs.iter().position(|known| known.name == name);
        let versions = known.map_or(versions, |at| versions.hull(self.structs[at].versions));
        let at = known.unwrap_or(self.structs.len());
        let part = Struct {
            name,
            kafka: kafka.to_owned(),
            about: about.to_owned(),
            versions,
            fields: Vec::new(),
        };
        if known.is_none() {
            self.structs.push(part);
        } else {
            self.structs[at] = part;
        }
        for json in fields {
            let field = self.field(json, versions);
            let field = field.map_err(|what| format!("{kafka}.{}: {what}", text(json, "name")))?;
            self.structs[at].fields.extend(field);
        }
        Ok(())
    }

    /// A field, or nothing if `whole`, the versions of its struct, have no place for it.
    fn field(&mut self, json: &Value, whole: Versions) -> Result<Option<Field>, String> {
        let kafka = text(json, "name");
        let in_ours = |name: &str| {
            let versions = Versions::parse(json[name].as_str().unwrap_or("none"))?;
            Ok::<_, String>(versions.and_then(|versions| versions.both(whole)))
        };
        let Some(versions) = in_ours("versions")? else {
            return Ok(None);
        };
        let tag = json["tag"].as_u64();
        if self.api.skipped.contains(&kafka) {
            return match tag {
                Some(_) => Ok(None),
                None => Err("only tagged fields can be skipped".to_owned()),
            };
        }
        if tag.is_some() && in_ours("taggedVersions")? != Some(versions) {
            return Err("tagged in some of its versions only".to_owned());
        }
        let kind = self.kind(text(json, "type"), json, versions)?;
        let nullable = in_ours("nullableVersions")?.and_then(|nullable| nullable.both(versions));
        if nullable.is_some() && !matches!(kind, Kind::String | Kind::Bytes | Kind::Array(_)) {
            return Err("only strings, bytes and arrays can be null".to_owned());
        }
        Ok(Some(Field {
            name: snake(&self.named(kafka)),
            kafka: snake(kafka),
            kind,
            versions,
            nullable,
            tag,
            default: match &json["default"] {
                Value::String(text) => text.clone(),
                Value::Null => String::new(),
                other => other.to_string(),
            },
            ignorable: json["ignorable"].as_bool().unwrap_or(false),
            about: text(json, "about").to_owned(),
            entity: text(json, "entityType").to_owned(),
        }))
    }

    fn kind(&mut self, kind: &str, json: &Value, versions: Versions) -> Result<Kind, String> {
        if let Some(element) = kind.strip_prefix("[]") {
            return Ok(Kind::Array(Box::new(self.kind(element, json, versions)?)));
        }
        Ok(match kind {
            "bool" => Kind::Bool,
            "int16" if text(json, "name").ends_with("ErrorCode") => Kind::ErrorCode,
            "int8" => Kind::Int("i8"),
            "int16" => Kind::Int("i16"),
            "int32" => Kind::Int("i32"),
            "int64" => Kind::Int("i64"),
            "uuid" => Kind::Uuid,
            "string" => Kind::String,
            "bytes" | "records" => Kind::Bytes,
            name if name.starts_with(char::is_uppercase) => {
                let common = self.common.iter().find(|common| common["name"] == name);
                let fields = list(common.unwrap_or(json), "fields");
                self.add(name, text(json, "about"), versions, fields)?;
                Kind::Struct(self.named(name))
            }
            other => return Err(format!("the type {other} is not known")),
        })
    }
}

fn text<'a>(json: &'a Value, name: &str) -> &'a str {
    json[name].as_str().unwrap_or_default()
}

fn list<'a>(json: &'a Value, name: &str) -> &'a [Value] {
    json[name].as_array().map_or(&[], Vec::as_slice)
}

/// `CamelCase` as `snake_case`.
pub(super) fn snake(camel: &str) -> String {
    let mut snake = String::new();
    for letter in camel.chars() {
        if letter.is_uppercase() && !snake.is_empty() {
            snake.push('_');
        }
        snake.extend(letter.to_lowercase());
    }
    snake
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_as_kafka_writes_them() {
        assert_eq!(Versions::parse("3"), Ok(Some(Versions(3, 3))));
        assert_eq!(Versions::parse("1-3"), Ok(Some(Versions(1, 3))));
        assert_eq!(Versions::parse("2+"), Ok(Some(Versions(2, i16::MAX))));
        assert_eq!(Versions::parse("none"), Ok(None));
        assert!(Versions::parse("x").is_err());
    }

    #[test]
    fn versions_have_in_common_what_both_have() {
        assert_eq!(Versions(1, 5).both(Versions(4, 9)), Some(Versions(4, 5)));
        assert_eq!(Versions(1, 3).both(Versions(4, 9)), None);
    }

    /// The request of an API that speaks versions 2 to 4 and skips a field, with these fields.
    fn read(fields: &str) -> Result<Message, String> {
        let api = Api {
            name: "Any",
            versions: (2, 4),
            side: crate::messages::table::Side::Producer,
            about: ("", ""),
            renamed: &[("Theirs", "Ours")],
            skipped: &["Skipped"],
        };
        let json = format!(
            r#"// A comment.
            {{ "apiKey": 1, "validVersions": "0-9", "flexibleVersions": "4+", "fields": [{fields}] }}"#
        );
        Message::read(&api, "Request", "", &json)
    }

    #[test]
    fn fields_of_other_versions_are_left_out_and_the_rest_is_narrowed() {
        let message = read(
            r#"{ "name": "Old", "type": "int32", "versions": "0-1" },
            { "name": "New", "type": "int32", "versions": "5+" },
            { "name": "Skipped", "type": "int32", "versions": "4+", "taggedVersions": "4+", "tag": 0 },
            { "name": "Theirs", "type": "string", "versions": "3+", "nullableVersions": "4+" }"#,
        );
        let message = message.unwrap();
        let [field] = message.structs[0].fields.as_slice() else {
            panic!("one field is left");
        };
        assert_eq!(
            (field.name.as_str(), field.kafka.as_str()),
            ("ours", "theirs")
        );
        assert_eq!(field.versions, Versions(3, 4));
        assert_eq!(field.nullable, Some(Versions(4, 4)));
    }

    #[test]
    fn the_smallest_element_is_that_of_the_version_in_which_it_is_smallest() {
        let message = read(
            r#"{ "name": "Items", "type": "[]Item", "versions": "0+", "fields": [
                { "name": "Name", "type": "string", "versions": "0+" },
                { "name": "Added", "type": "int64", "versions": "4+" } ]}"#,
        );
        let message = message.unwrap();
        let item = Kind::Struct("Item".to_owned());
        assert_eq!(message.smallest(&item, Versions(2, 4)), 2);
        // A compact string, a number, no tagged fields.
        assert_eq!(message.smallest(&item, Versions(4, 4)), 1 + 8 + 1);
    }

    #[test]
    fn what_is_not_known_is_refused_and_not_left_out() {
        for (field, what) in [
            (r#""type": "float64""#, "float64"),
            (
                r#""type": "int32", "nullableVersions": "2+""#,
                "can be null",
            ),
            (
                r#""type": "int32", "tag": 0, "taggedVersions": "4+""#,
                "some of its versions",
            ),
        ] {
            let refused = read(&format!(r#"{{ "name": "X", "versions": "2+", {field} }}"#));
            let refused = refused.map(drop).unwrap_err();
            assert!(refused.contains(what), "{refused}");
        }
        let refused = read(r#"{ "name": "Skipped", "type": "int32", "versions": "2+" }"#);
        assert!(refused.is_err());
    }

    #[test]
    fn camels_become_snakes() {
        assert_eq!(
            snake("V3AndBelowTransactionalId"),
            "v3_and_below_transactional_id"
        );
        assert_eq!(snake("timeoutMs"), "timeout_ms");
    }
}
