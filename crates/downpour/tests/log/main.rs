//! What operators read: one test binary, since its subscriber is the process's.

#[cfg(test)]
mod lines;
