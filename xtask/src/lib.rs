//! The chores of this repository as a library, so that the conformance tests start the same real
//! clusters as the command line does. Nothing of downpour is known here.

pub mod tidy;
