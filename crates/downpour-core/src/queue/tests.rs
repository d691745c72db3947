//! Directed tests of a queue, one fact a test.
