//! See `src/engine.rs`.
#![no_main]

libfuzzer_sys::fuzz_target!(
    init: downpour_fuzz::begin::begin("engine"),
    |bytes: &[u8]| downpour_fuzz::engine::run(bytes)
);
