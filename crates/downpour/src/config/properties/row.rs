//! One row of the table of property names: what a name answers, and the reading of its value.

use std::time::Duration;

use super::refusal::{Not, Refusal};
use super::values::{boolean, bytes, millis, socket_buffer};
use crate::config::partial::PartialConfig;
use crate::config::servers::BootstrapServers;
use crate::config::setting::Setting;

type Set = fn(&mut PartialConfig, &'static str, &str) -> Result<(), Refusal>;

type Field<T> = fn(&mut PartialConfig) -> &mut Setting<T>;

/// What a name answers.
#[derive(Clone, Copy)]
pub(super) enum Answer {
    /// It works, with addresses.
    Servers(Field<BootstrapServers>),
    /// It works, with a text.
    Text(Field<String>),
    /// It works, with a number of bytes or another whole number.
    ///
    /// Java bounds the record and the request by one number, `max.request.size`; a request
    /// here holds many batches, so that number goes to the record.
    Number(Field<usize>),
    /// It works, with a number of bytes, or 0 or -1 for the kernel's choice.
    SocketBuffer(Field<usize>),
    /// It works, with milliseconds.
    Millis(Field<Duration>),
    /// It works, with true or false.
    Bool(Field<bool>),
    /// It works, in a way of its own, and means this setter, which the page of all names tells.
    Works(
        Set,
        #[cfg_attr(not(test), expect(dead_code, reason = "the page is a test's"))] &'static str,
    ),
    /// These values are what happens anyway; what becomes of the others.
    Only(&'static [&'static str], Not),
    /// It is not here.
    Not(Not),
}

impl Answer {
    /// Takes a value under this name, if the name works with it.
    pub(super) fn set(
        self,
        partial: &mut PartialConfig,
        name: &'static str,
        value: &str,
    ) -> Result<(), Refusal> {
        match self {
            Self::Servers(field) => field(partial).set_as(name, value.into()),
            Self::Text(field) => field(partial).set_as(name, value.to_owned()),
            Self::Number(field) => field(partial).set_as(name, bytes(value)?),
            Self::SocketBuffer(field) => match socket_buffer(value)? {
                Some(bytes) => field(partial).set_as(name, bytes),
                None => field(partial).forget(),
            },
            Self::Millis(field) => field(partial).set_as(name, millis(value)?),
            Self::Bool(field) => field(partial).set_as(name, boolean(value)?),
            Self::Works(set, _) => set(partial, name, value)?,
            // What happens anyway may be asked for.
            Self::Only(taken, _) if taken.iter().any(|t| t.eq_ignore_ascii_case(value)) => {}
            Self::Only(_, not) | Self::Not(not) => return Err(Refusal::Not(not)),
        }
        Ok(())
    }

    /// The setter that the name means, if it works.
    #[cfg(test)]
    pub(super) fn setter(self) -> Option<&'static str> {
        let mut partial = PartialConfig::default();
        match self {
            Self::Servers(field) => Some(field(&mut partial).setter()),
            Self::Text(field) => Some(field(&mut partial).setter()),
            Self::Number(field) | Self::SocketBuffer(field) => Some(field(&mut partial).setter()),
            Self::Millis(field) => Some(field(&mut partial).setter()),
            Self::Bool(field) => Some(field(&mut partial).setter()),
            Self::Works(_, setter) => Some(setter),
            Self::Only(..) | Self::Not(_) => None,
        }
    }
}

pub(super) struct Row {
    pub(super) name: &'static str,
    pub(super) answer: Answer,
}

pub(super) const fn row(name: &'static str, answer: Answer) -> Row {
    Row { name, answer }
}
