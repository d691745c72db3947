//! Values that are never shown: passwords, keys, tokens and what contains them.
//!
//! Which property is secret is told by its name alone, whether this producer knows it or not.

use std::fmt;

/// Words that a secret property's name contains, Java's, librdkafka's and other people's.
///
/// Rather one too many: a file's name that is not shown costs a look into the program, a password
/// in a log is lost for good.
const WORDS: &[&str] = &[
    "password",
    "passphrase",
    "secret",
    "token",
    "credential",
    // A line of its own that holds user and password.
    "jaas",
    // Pairs of names and values, the client's secret among them.
    "oauthbearer.config",
    "oauthbearer.extensions",
    "user.info",
    // The key itself, not the file that it is in.
    "key.pem",
    "keystore.key",
    "private.key",
    // Java's type for these is the password's.
    "certificate.chain",
    "truststore.certificates",
    // A command line.
    "kinit.cmd",
];

/// A property's value that is shown as `***`, by `Debug` and `Display` alike.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Secret(String);

impl Secret {
    /// The value of a property, if its name says that it is secret.
    pub(crate) fn of(name: &str, value: &str) -> Option<Self> {
        let name = name.to_ascii_lowercase().replace(['_', '-'], ".");
        // librdkafka's `ssl_key` is a key, its `ssl.key.location` a file's name.
        let is_secret = name == "ssl.key" || WORDS.iter().any(|word| name.contains(word));
        is_secret.then(|| Self(value.to_owned()))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

#[cfg(test)]
mod tests {
    use super::Secret;

    #[test]
    fn a_name_tells_whether_its_value_is_secret() {
        for name in [
            "sasl.jaas.config",
            "ssl.key.pem",
            "SSL_KEY_PASSWORD",
            "x.Client-Secret",
            "ssl_key",
        ] {
            let secret = Secret::of(name, "hush").expect(name);
            assert_eq!(format!("{secret} {secret:?}"), "*** ***");
        }
        for name in [
            "ssl.ca.pem",
            "key.serializer",
            "sasl.username",
            "ssl.keystore.location",
        ] {
            assert_eq!(Secret::of(name, "plain"), None, "{name}");
        }
    }
}
