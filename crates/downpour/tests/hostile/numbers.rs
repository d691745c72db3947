//! A sample of hostile numbers, to a whole producer.
