//! How fields look in Rust whatever is done with them: types, defaults, conditions on the version.

use super::definition::{Field, Kind, Struct, Versions};

/// The condition on `version` under which something of a struct is there; `None` if it always is.
pub(super) fn condition(versions: Versions, whole: Versions) -> Option<String> {
    let Versions(from, to) = versions;
    match (from <= whole.0, to >= whole.1) {
        (true, true) => None,
        (false, true) => Some(format!("version >= {from}")),
        (true, false) => Some(format!("version <= {to}")),
        (false, false) => Some(format!("({from}..={to}).contains(&version)")),
    }
}

/// The opposite of [`condition`]: under which something is not there.
pub(super) fn opposite(versions: Versions, whole: Versions) -> Option<String> {
    let Versions(from, to) = versions;
    match (from <= whole.0, to >= whole.1) {
        (true, true) => None,
        (false, true) => Some(format!("version < {from}")),
        (true, false) => Some(format!("version > {to}")),
        (false, false) => Some(format!("!({from}..={to}).contains(&version)")),
    }
}

/// Whether Rust text has such a condition; fields may have names like `min_version`.
pub(super) fn asks_version(text: &str) -> bool {
    ["version >", "version <", "&version"]
        .iter()
        .any(|condition| text.contains(condition))
}

/// `then` under the condition, otherwise `otherwise`.
pub(super) fn either(condition: Option<&str>, then: &str, otherwise: &str) -> String {
    match condition {
        None => then.to_owned(),
        Some(condition) => format!("if {condition} {{ {then} }} else {{ {otherwise} }}"),
    }
}

impl Field {
    /// Whether the Rust field is an `Option`.
    pub(super) fn is_option(&self) -> bool {
        self.nullable.is_some() || self.is_tagged_struct()
    }

    /// Which is an `Option`, since Kafka leaves it out if it holds nothing but defaults.
    pub(super) fn is_tagged_struct(&self) -> bool {
        matches!(self.kind, Kind::Struct(_)) && self.tag.is_some()
    }

    pub(super) fn rust_type(&self) -> String {
        let inner = self.kind.rust_type();
        if self.is_option() {
            format!("Option<{inner}>")
        } else {
            inner
        }
    }

    /// What the field holds in a version that lacks it, and what it begins with.
    pub(super) fn rust_default(&self, whole: Versions) -> Result<String, String> {
        let value = match &self.kind {
            _ if self.is_tagged_struct() => return Ok("None".to_owned()),
            Kind::Struct(name) => format!("{name}::default()"),
            _ if self.default == "null" => return Ok("None".to_owned()),
            // Kafka says empty; null says better that nothing was said. It makes no difference to
            // what is read, since every version says the one or the other.
            Kind::String | Kind::Bytes
                if self.default.is_empty() && self.nullable == Some(whole) =>
            {
                return Ok("None".to_owned());
            }
            Kind::String if self.default.is_empty() => "String::new()".to_owned(),
            Kind::String => format!("{:?}.to_owned()", self.default),
            Kind::Bytes | Kind::Array(_) => "Vec::new()".to_owned(),
            Kind::ErrorCode => "ErrorCode::NONE".to_owned(),
            Kind::Uuid => "Uuid::ZERO".to_owned(),
            Kind::Bool => (self.default == "true").to_string(),
            Kind::Int(int) => integer(int, &self.default)?,
        };
        Ok(if self.is_option() {
            format!("Some({value})")
        } else {
            value
        })
    }

    /// Whether the default is what Rust would take too.
    pub(super) fn default_is_rusts(&self, whole: Versions) -> Result<bool, String> {
        let plain = [
            "None",
            "false",
            "0",
            "String::new()",
            "Vec::new()",
            "ErrorCode::NONE",
            "Uuid::ZERO",
        ];
        let default = self.rust_default(whole)?;
        Ok(plain.contains(&default.as_str()) || default.ends_with("::default()"))
    }

    /// An expression that is true if the field of `self` holds something else than its default.
    pub(super) fn differs(&self, whole: Versions) -> Result<String, String> {
        let name = &self.name;
        Ok(match self.rust_default(whole)?.as_str() {
            "None" => format!("self.{name}.is_some()"),
            "false" => format!("self.{name}"),
            "true" => format!("!self.{name}"),
            "String::new()" | "Vec::new()" => format!("!self.{name}.is_empty()"),
            "ErrorCode::NONE" => format!("!self.{name}.is_none()"),
            other => format!("self.{name} != {other}"),
        })
    }

    /// What is said of the field: Kafka's words, its versions and its default.
    pub(super) fn doc(&self, whole: Versions) -> Result<String, String> {
        let mut doc = self.about.trim().trim_end_matches('.').to_owned();
        // The words of other formats than Rust's documentation.
        doc = doc.replace('[', "\\[").replace('<', "\\<");
        let Versions(from, to) = self.versions;
        doc.push_str(&match (from <= whole.0, to >= whole.1) {
            (true, true) => String::new(),
            (false, true) => format!("; from version {from}"),
            (true, false) => format!("; up to version {to}"),
            (false, false) => format!("; versions {from} to {to}"),
        });
        if let Some(nullable) = self
            .nullable
            .filter(|nullable| nullable.0 > self.versions.0)
        {
            doc.push_str(&format!("; may be null from version {}", nullable.0));
        }
        doc.push('.');
        if !self.default_is_rusts(whole)? {
            let default = self.rust_default(whole)?;
            doc.push_str(&match default.strip_prefix("Some(") {
                Some(_) if default.ends_with("::new())") => " Default empty.".to_owned(),
                _ => format!(" Default `{default}`."),
            });
        }
        Ok(doc)
    }
}

impl Kind {
    pub(super) fn rust_type(&self) -> String {
        match self {
            Self::Bool => "bool".to_owned(),
            Self::Int(int) => (*int).to_owned(),
            Self::ErrorCode => "ErrorCode".to_owned(),
            Self::Uuid => "Uuid".to_owned(),
            Self::String => "String".to_owned(),
            Self::Bytes => "Vec<u8>".to_owned(),
            Self::Struct(name) => name.clone(),
            Self::Array(element) => format!("Vec<{}>", element.rust_type()),
        }
    }

    /// Whether its Rust type is copied.
    pub(super) const fn is_copy(&self) -> bool {
        matches!(
            self,
            Self::Bool | Self::Int(_) | Self::ErrorCode | Self::Uuid
        )
    }
}

impl Struct {
    pub(super) fn tagged(&self) -> Vec<&Field> {
        let tagged = self.fields.iter().filter(|field| field.tag.is_some());
        let mut tagged: Vec<_> = tagged.collect();
        tagged.sort_by_key(|field| field.tag);
        tagged
    }

    pub(super) fn untagged(&self) -> impl Iterator<Item = &Field> {
        self.fields.iter().filter(|field| field.tag.is_none())
    }
}

/// A number as Rust would write it.
fn integer(int: &str, kafka: &str) -> Result<String, String> {
    let value = match (kafka, kafka.strip_prefix("0x")) {
        ("", _) => Ok(0),
        (_, Some(digits)) => i64::from_str_radix(digits, 16),
        (digits, None) => digits.parse(),
    };
    let value = value.map_err(|_| format!("{kafka} is no number"))?;
    let (min, max) = match int {
        "i16" => (i64::from(i16::MIN), i64::from(i16::MAX)),
        "i32" => (i64::from(i32::MIN), i64::from(i32::MAX)),
        "i64" => (i64::MIN, i64::MAX),
        _ => return Ok(value.to_string()),
    };
    if value == min {
        return Ok(format!("{int}::MIN"));
    }
    if value == max {
        return Ok(format!("{int}::MAX"));
    }
    Ok(value.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_condition_says_only_what_a_struct_may_lack() {
        let whole = Versions(1, 9);
        assert_eq!(condition(Versions(0, i16::MAX), whole), None);
        assert_eq!(condition(Versions(4, 9), whole).unwrap(), "version >= 4");
        assert_eq!(condition(Versions(1, 3), whole).unwrap(), "version <= 3");
        let middle = condition(Versions(4, 6), whole).unwrap();
        assert_eq!(middle, "(4..=6).contains(&version)");
        let outside = opposite(Versions(4, 6), whole).unwrap();
        assert_eq!(outside, "!(4..=6).contains(&version)");
    }

    #[test]
    fn numbers_are_written_as_rust_writes_them() {
        assert_eq!(integer("i32", "0x7fffffff").unwrap(), "i32::MAX");
        assert_eq!(integer("i32", "-2147483648").unwrap(), "i32::MIN");
        assert_eq!(integer("i32", "60000").unwrap(), "60000");
        assert_eq!(integer("i8", "-1").unwrap(), "-1");
        assert_eq!(integer("i64", "").unwrap(), "0");
        assert!(integer("i64", "x").is_err());
    }
}
