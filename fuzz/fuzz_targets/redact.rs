//! Any bytes: cleaning them does not fail, twice is once, with a key and without, and a planted key
//! does not survive.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sentinel_core::redact::custom::Custom;
use sentinel_core::redact::display::is_harmful;
use sentinel_core::redact::key_block::KeyBlock;
use sentinel_core::redact::secrets::{Key, Masker};
use sentinel_core::redact::{CUT_MARK, clean, clean_args};

const KEY: &str = "ghp_a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8";

fuzz_target!(|bytes: &[u8]| {
    let safe = clean(bytes, 4096);
    assert!(safe.len() <= 4096 + CUT_MARK.len());
    assert!(!safe.contains(is_harmful));
    if bytes.len() <= 4096 && safe.len() <= 4096 {
        assert_eq!(clean(safe.as_bytes(), 8192), safe);
    }
    let masker = Masker { key: Some(Key::new([7; 32])), custom: Custom::default() };
    let marked = masker.mask(safe.as_str().into()).into_owned();
    assert_eq!(masker.mask(marked.as_str().into()), marked);
    let text = String::from_utf8_lossy(bytes);
    let middle = (0..=text.len() / 2).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    let (before, after) = text.split_at(middle);
    for planted in [format!("{before} {KEY} {after}"), format!("{before} password={KEY} {after}")] {
        assert!(!clean(planted.as_bytes(), 1 << 20).contains(&KEY[8..20]), "{planted:?}");
    }
    let words: Vec<&str> = text.split_whitespace().take(32).collect();
    assert_eq!(clean_args(&words, 256).len(), words.len());
    let mut key = KeyBlock::default();
    for line in text.lines() {
        key.line(line);
    }
});
