//! Any lines mined: it stays within its bounds, an id that was given leads to a template or to
//! one that went, and the same lines give the same ids.
#![no_main]

use jiff::{SignedDuration, Timestamp};
use libfuzzer_sys::fuzz_target;
use sentinel_core::detect::miner::{Bounds, Miner};
use sentinel_core::detect::reader::one;

const TEMPLATES: usize = 24;

fn mine(text: &str) -> Vec<Option<u32>> {
    let mut miner: Miner<()> = Miner::new(Bounds::of(TEMPLATES));
    let mut ids = Vec::new();
    for (n, line) in text.split('\n').enumerate() {
        let now = Timestamp::UNIX_EPOCH + SignedDuration::from_millis(n as i64 * 700);
        let message = one(line).message(line);
        let id = miner.mine(message, now).map(|mined| mined.id);
        assert!(miner.len() <= TEMPLATES);
        if let Some(id) = id {
            let resolved = miner.resolve(id);
            assert_eq!(miner.resolve(resolved), resolved);
            assert!(miner.get(id).is_some(), "a template that has just been seen is gone");
        }
        ids.push(id.map(|id| id.0));
    }
    for template in miner.iter() {
        assert!(!template.text().contains('\n'));
    }
    ids
}

fuzz_target!(|bytes: &[u8]| {
    let text = String::from_utf8_lossy(bytes);
    assert_eq!(mine(&text), mine(&text));
});
