//! Any bytes as lines: spans lie in the text, records end, a first line begins one, and what the
//! monitor and a file do before they read does not fail either.
#![no_main]

use jiff::Timestamp;
use libfuzzer_sys::fuzz_target;
use sentinel_core::detect::reader::fields::{MOST_FIELDS, of};
use sentinel_core::detect::reader::record::{MOST_BYTES, MOST_LINES};
use sentinel_core::detect::reader::wrap::unwrapped;
use sentinel_core::detect::reader::{Reader, one, stamp};
use sentinel_core::domain::log::{Reading, Stream};
use sentinel_core::redact::clean;

fn check(text: &str, reading: &Reading) {
    let (start, end) = (reading.message_start as usize, reading.message_end as usize);
    assert!(start <= end && text.get(start..end).is_some(), "{reading:?} of {text:?}");
    assert!(of(text, reading).count() <= MOST_FIELDS);
}

fuzz_target!(|bytes: &[u8]| {
    let now = Timestamp::UNIX_EPOCH;
    let text = String::from_utf8_lossy(bytes);
    let mut reader = Reader::default();
    let (mut lines, mut size) = (0, 0);
    for (n, line) in text.split('\n').enumerate() {
        let alone = one(line);
        check(line, &alone);
        assert_eq!(alone, one(line));
        assert_eq!(stamp(line, now), stamp(line, now));
        let reading = reader.read(Stream::Stdout, line);
        check(line, &reading);
        if reading.continues {
            assert!(n > 0);
            lines += 1;
            size += line.trim_ascii().len();
            assert!(lines <= MOST_LINES && size <= MOST_BYTES);
        } else {
            (lines, size) = (1, line.trim_ascii().len());
            assert_eq!(reading, alone);
        }
        let safe = clean(unwrapped(line).as_bytes(), 1024);
        check(&safe, &one(&safe));
    }
});
