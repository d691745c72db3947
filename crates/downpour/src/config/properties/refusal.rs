//! Why a property is not taken.

/// Why a value is not taken.
pub(super) enum Refusal {
    /// No such value: what is wrong, and what to try.
    Invalid(String, String),
    /// The name or this value is Kafka's, and not here.
    Not(Not),
}

/// What becomes of a name, or of a value, that is Kafka's and not here.
#[derive(Clone, Copy)]
pub(super) enum Not {
    /// Without it no record is lost, doubled or put out of order: a warning with the reason.
    Harmless(&'static str),
    /// An error with the reason and the replacement; the switch makes a warning of it.
    Refused(&'static str, &'static str),
    /// The same, and the switch changes nothing: whoever asks for encryption, for a name to be
    /// proven or for a transaction must not go without.
    Never(&'static str, &'static str),
}
