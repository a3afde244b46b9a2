//! Any text against the signatures that are built in, and any text as a user's file of them.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sentinel_core::detect::signatures::{Signatures, of};

fuzz_target!(|text: &str| {
    let found = of(text).map(|signature| signature.name.clone());
    assert_eq!(found, of(text).map(|signature| signature.name.clone()));
    // To build a set takes milliseconds: only for what may be one.
    if text.contains("[[")
        && let Ok(signatures) = Signatures::with(text)
    {
        for line in text.lines() {
            signatures.find(line);
        }
    }
});
