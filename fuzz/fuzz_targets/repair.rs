//! Any text as what a model wrote: finding a document ends, what is found can be written and read
//! again, and a document that is valid as it stands is taken as it is.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sentinel_tui::analyze::repair::extract;

fuzz_target!(|text: &str| {
    let found = extract(text);
    if let Ok(valid) = serde_json::from_str::<serde_json::Value>(text) {
        let found = found.as_ref().map(|found| (found.repaired, &found.value));
        assert_eq!(found, Some((false, &valid)));
    }
    if let Some(found) = found {
        let written = found.value.to_string();
        let again = extract(&written).map(|again| again.value.to_string());
        assert_eq!(again, Some(written));
    }
});
