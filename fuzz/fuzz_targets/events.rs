//! Any bytes as a stream of a model's answer: the same events whatever pieces they come in, within
//! their bounds, and what is put together out of them ends.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sentinel_tui::analyze::assembly::Assembly;
use sentinel_tui::analyze::lines::{EventReader, TooLong};

const MOST_EVENT: usize = 512;
const MOST_STREAM: usize = 2048;

fn events(pieces: &[&[u8]]) -> Result<Vec<String>, TooLong> {
    let mut reader = EventReader::new(MOST_EVENT, MOST_STREAM);
    let mut all = Vec::new();
    for piece in pieces {
        all.extend(reader.push(piece)?);
    }
    all.extend(reader.finish()?);
    Ok(all)
}

fuzz_target!(|bytes: &[u8]| {
    let Some((size, stream)) = bytes.split_first() else { return };
    let pieces: Vec<&[u8]> = stream.chunks(usize::from(*size).max(1)).collect();
    let (whole, cut) = (events(&[stream]), events(&pieces));
    // Which bound is met first may depend on the pieces; whether one is does not.
    assert_eq!(whole.as_ref().ok(), cut.as_ref().ok());
    let mut assembly = Assembly::new(MOST_EVENT);
    for event in whole.unwrap_or_default() {
        assert!(event.len() <= 3 * MOST_EVENT);
        if assembly.event(&event).is_err() {
            break;
        }
    }
    assert!(assembly.text.len() <= MOST_EVENT);
    for call in assembly.take_calls() {
        assert!(!call.name.is_empty());
    }
});
