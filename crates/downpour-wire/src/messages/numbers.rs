//! Every number of an answer, for tests that set each to what no broker should say. Which numbers an
//! answer has is generated with the messages: a new field is among them by itself.
//!
//! What a client must make of such an answer is its own tests' matter.

mod generated;

use crate::error_code::ErrorCode;

/// What is called with the name (`Struct.field`) and the place of each number.
pub type EachNumber<'a> = &'a mut dyn FnMut(&'static str, Number<'_>);

/// A message whose numbers can be looked at and set.
pub trait Numbers {
    /// Shows each number that `version` carries, in the order of the fields; those of arrays and of
    /// the structs in them included, lengths and flags not.
    fn each_number(&mut self, version: i16, each: EachNumber<'_>);
}

/// A number where it stands.
#[derive(Debug)]
#[non_exhaustive]
pub enum Number<'a> {
    /// Of 8 bits.
    I8(&'a mut i8),
    /// Of 16 bits.
    I16(&'a mut i16),
    /// Of 32 bits.
    I32(&'a mut i32),
    /// Of 64 bits.
    I64(&'a mut i64),
    /// One of Kafka's error codes, or none of them.
    Code(&'a mut ErrorCode),
}

impl Number<'_> {
    /// What it is now.
    #[must_use]
    pub fn get(&self) -> i64 {
        match self {
            Self::I8(it) => i64::from(**it),
            Self::I16(it) => i64::from(**it),
            Self::I32(it) => i64::from(**it),
            Self::I64(it) => **it,
            Self::Code(it) => i64::from(it.0),
        }
    }

    /// Makes it `value`, or as much of that as it has bits for.
    pub fn set(&mut self, value: i64) {
        match self {
            Self::I8(it) => **it = value as i8,
            Self::I16(it) => **it = value as i16,
            Self::I32(it) => **it = value as i32,
            Self::I64(it) => **it = value,
            Self::Code(it) => it.0 = value as i16,
        }
    }

    /// Its least and largest value.
    #[must_use]
    pub fn range(&self) -> (i64, i64) {
        match self {
            Self::I8(_) => (i8::MIN.into(), i8::MAX.into()),
            Self::I16(_) | Self::Code(_) => (i16::MIN.into(), i16::MAX.into()),
            Self::I32(_) => (i32::MIN.into(), i32::MAX.into()),
            Self::I64(_) => (i64::MIN, i64::MAX),
        }
    }

    /// What it is tried with: its ends and beside them, around zero and around what it is now; for an
    /// error code also every code that has a name. In ascending order, what it is now left out.
    #[must_use]
    pub fn extremes(&self) -> Vec<i64> {
        let ((min, max), now) = (self.range(), self.get());
        let around = [now.saturating_sub(1), now.saturating_add(1)];
        let mut values = vec![min, min + 1, -2, -1, 0, 1, 2, max - 1, max];
        values.extend(around.map(|value| value.clamp(min, max)));
        if matches!(self, Self::Code(_)) {
            values.extend(ErrorCode::ALL.iter().map(|code| i64::from(code.0)));
        }
        values.sort_unstable();
        values.dedup();
        values.retain(|value| *value != now);
        values
    }
}

macro_rules! number {
    ($($variant:ident: $ty:ty),*) => {
        $(impl<'a> From<&'a mut $ty> for Number<'a> {
            fn from(it: &'a mut $ty) -> Self {
                Self::$variant(it)
            }
        })*
    };
}

number! { I8: i8, I16: i16, I32: i32, I64: i64, Code: ErrorCode }

/// All numbers of a message: the name of each and what it is to be tried with.
#[must_use]
pub fn numbers_of(message: &mut dyn Numbers, version: i16) -> Vec<(&'static str, Vec<i64>)> {
    let mut found = Vec::new();
    message.each_number(version, &mut |name, number| {
        found.push((name, number.extremes()));
    });
    found
}

/// Sets the number at this place of [`numbers_of`]; false if there are not so many.
pub fn set_number(message: &mut dyn Numbers, version: i16, place: usize, value: i64) -> bool {
    let mut at = 0;
    message.each_number(version, &mut |_, mut number| {
        if at == place {
            number.set(value);
        }
        at += 1;
    });
    place < at
}
