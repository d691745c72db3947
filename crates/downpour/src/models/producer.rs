//! A whole producer.
