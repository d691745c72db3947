//! The producer against the fake cluster: one test binary, one module per subject.

#[cfg(test)]
mod asking;
#[cfg(test)]
mod basics;
#[cfg(test)]
mod cancel;
#[cfg(test)]
mod chaos;
#[cfg(test)]
mod closing;
#[cfg(test)]
mod connecting;
#[cfg(test)]
mod early;
#[cfg(all(test, unix))]
mod elsewhere;
#[cfg(test)]
mod errors;
#[cfg(test)]
mod faults;
#[cfg(test)]
mod foreign;
mod fork;
#[cfg(test)]
mod lines;
#[cfg(test)]
mod memory;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod refusals;
#[cfg(test)]
mod setup;
#[cfg(test)]
mod spread;
#[cfg(test)]
mod statistics;
#[cfg(test)]
mod threads;
#[cfg(test)]
mod topics;
#[cfg(test)]
mod verbs;
