//! Directed tests of the engine against scripted answers.
