//! See `src/properties.rs`.
#![no_main]

libfuzzer_sys::fuzz_target!(
    init: downpour_fuzz::begin::begin("properties"),
    |bytes: &[u8]| downpour_fuzz::properties::run(bytes)
);
