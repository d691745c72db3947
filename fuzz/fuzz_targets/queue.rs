//! See `src/queue.rs`.
#![no_main]

libfuzzer_sys::fuzz_target!(
    init: downpour_fuzz::begin::begin("queue"),
    |bytes: &[u8]| downpour_fuzz::queue::run(bytes)
);
