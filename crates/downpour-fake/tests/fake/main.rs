//! The fake through its public interface: the logic by frames, the shell by sockets. Foreign
//! clients against it are in `foreign-reader`.

mod batches;
mod brokers;
mod faults;
mod hostile;
mod odd;
mod offers;
mod reading;
mod replicas;
mod sequences;
mod settings;
mod shell;
mod shell_faults;
mod support;
