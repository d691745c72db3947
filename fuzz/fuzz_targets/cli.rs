//! See `src/cli.rs`.
#![no_main]

libfuzzer_sys::fuzz_target!(
    init: downpour_fuzz::begin::begin("cli"),
    |bytes: &[u8]| downpour_fuzz::cli::run(bytes)
);
