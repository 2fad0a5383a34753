#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| pipebill_fuzz::run("template", data));
