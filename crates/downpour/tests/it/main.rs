//! The producer against the fake cluster: one test binary, a topic a module.

#[cfg(test)]
mod basics;
#[cfg(test)]
mod cancel;
#[cfg(test)]
mod closing;
#[cfg(test)]
mod faults;
mod fork;
#[cfg(test)]
mod memory;
#[cfg(test)]
mod refusals;
#[cfg(test)]
mod setup;
#[cfg(test)]
mod spread;
#[cfg(test)]
mod storm;
