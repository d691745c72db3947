//! The producer against the fake cluster: one test binary, a topic a module.

#[cfg(test)]
mod basics;
