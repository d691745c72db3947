//! See `src/decoders.rs`.
#![no_main]

libfuzzer_sys::fuzz_target!(
    init: downpour_fuzz::begin::begin("decoders"),
    |bytes: &[u8]| downpour_fuzz::decoders::run(bytes)
);
