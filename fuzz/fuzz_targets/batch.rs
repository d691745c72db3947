//! See `src/batch.rs`.
#![no_main]

libfuzzer_sys::fuzz_target!(
    init: downpour_fuzz::begin::begin("batch"),
    |bytes: &[u8]| downpour_fuzz::batch::run(bytes)
);
