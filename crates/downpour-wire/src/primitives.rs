//! Kafka's primitive types: reading them from a slice and writing them to a vector.
//! What a message is made of is in `messages`; a record's own varints are written in `batch`.

mod reader;
mod uuid;
mod write;

pub use reader::Reader;
pub use uuid::Uuid;
pub use write::{
    put_array_len, put_bool, put_bytes, put_compact_array_len, put_compact_bytes,
    put_compact_nullable_bytes, put_compact_nullable_string, put_compact_string,
    put_empty_tagged_fields, put_i8, put_i16, put_i32, put_i64, put_nullable_bytes,
    put_nullable_string, put_string, put_tagged_field, put_u32, put_uuid, put_uvarint, put_varint,
    put_varlong, uvarint_len, varint_len, varlong_len,
};

#[cfg(test)]
mod tests;
