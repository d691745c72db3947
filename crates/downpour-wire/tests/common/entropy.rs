//! Values made of a slice of random bytes; when it runs out, every choice is the smallest one, so
//! that fewer bytes make a simpler value.

use downpour_wire::error_code::ErrorCode;
use downpour_wire::primitives::Uuid;

pub(crate) struct Entropy<'a> {
    bytes: &'a [u8],
}

impl<'a> Entropy<'a> {
    pub(crate) const fn new(bytes: &'a [u8]) -> Self {
        Self { bytes }
    }

    pub(crate) fn u8(&mut self) -> u8 {
        match self.bytes.split_first() {
            Some((first, rest)) => {
                self.bytes = rest;
                *first
            }
            None => 0,
        }
    }

    pub(crate) fn bool(&mut self) -> bool {
        self.u8() & 1 == 1
    }

    pub(crate) fn i8(&mut self) -> i8 {
        self.u8() as i8
    }

    /// Small values and the edges more often than chance would have it.
    pub(crate) fn i64(&mut self) -> i64 {
        match self.u8() % 8 {
            0 => 0,
            1 => -1,
            2 => i64::MAX,
            3 => i64::MIN,
            4 => i64::from(self.u8()),
            _ => i64::from_be_bytes([0; 8].map(|_: u8| self.u8())),
        }
    }

    pub(crate) fn i32(&mut self) -> i32 {
        match self.u8() % 8 {
            0 => 0,
            1 => -1,
            2 => i32::MAX,
            3 => i32::MIN,
            4 => i32::from(self.u8()),
            _ => i32::from_be_bytes([0; 4].map(|_: u8| self.u8())),
        }
    }

    pub(crate) fn i16(&mut self) -> i16 {
        i16::from_be_bytes([self.u8(), self.u8()])
    }

    pub(crate) fn error(&mut self) -> ErrorCode {
        ErrorCode(self.i16())
    }

    pub(crate) fn uuid(&mut self) -> Uuid {
        Uuid([0; 16].map(|_: u8| self.u8()))
    }

    pub(crate) fn string(&mut self) -> String {
        match self.u8() % 6 {
            0 => String::new(),
            // Around 127 bytes the compact length grows to two bytes.
            1 => "x".repeat(usize::from(self.u8() % 6) + 124),
            2 => "Ærøskøbing-東京-🌧".to_owned(),
            _ => (0..self.u8() % 12)
                .map(|_| char::from(b'a' + self.u8() % 26))
                .collect(),
        }
    }

    pub(crate) fn bytes(&mut self) -> Vec<u8> {
        let len = match self.u8() % 4 {
            0 => 0,
            1 => usize::from(self.u8() % 6) + 124,
            2 => usize::from(self.u8()) + 16_300,
            _ => usize::from(self.u8() % 20),
        };
        (0..len).map(|_| self.u8()).collect()
    }

    pub(crate) fn option<T>(&mut self, make: impl FnOnce(&mut Self) -> T) -> Option<T> {
        self.bool().then(|| make(self))
    }

    pub(crate) fn vec<T>(&mut self, mut make: impl FnMut(&mut Self) -> T) -> Vec<T> {
        let len = match self.u8() % 16 {
            15 => 130,
            n => n % 4,
        };
        (0..len).map(|_| make(self)).collect()
    }
}
