//! Redaction measured on a labelled set: of what is secret nothing may be left, and what only looks
//! like a secret must stay readable.

use std::collections::BTreeMap;

use sentinel_core::redact::secrets::{Key, Masker};
use sentinel_core::redact::{clean, custom::Custom};

mod set;

const LINE: usize = 16 * 1024;
/// So often each kind of secret is made anew.
const SEEDS: u64 = 5;

#[test]
fn the_set_is_as_large_as_it_says() {
    let kinds: std::collections::BTreeSet<&str> = set::secrets(1).iter().map(|c| c.kind).collect();
    assert!(set::secrets(1).len() >= 260 && kinds.len() >= 30, "{}", kinds.len());
    assert!(set::innocent().len() >= 300);
    assert!(set::secrets(1).iter().all(|case| case.leak(&case.line).is_some()), "none is empty");
}

#[test]
fn no_piece_of_a_secret_is_left_and_no_innocent_line_is_altered() {
    let keyed = Masker { key: Some(Key::new([7; 32])), custom: Custom::default() };
    let (mut secrets, mut missed) = (0, Vec::new());
    let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
    for case in (1..=SEEDS).flat_map(set::secrets) {
        let plain = clean(case.line.as_bytes(), LINE);
        let marked = keyed.mask(case.line.as_str().into()).into_owned();
        secrets += 1;
        *kinds.entry(case.kind).or_default() += 1;
        for safe in [&plain, &marked] {
            if let Some(piece) = case.leak(safe) {
                missed.push(format!("{}: {piece:?} of {} in {safe}", case.kind, case.line));
            }
        }
        assert_eq!(clean(plain.as_bytes(), LINE), plain, "twice is once");
        assert_eq!(keyed.mask(marked.as_str().into()), marked, "twice is once");
    }
    let innocent = set::innocent();
    let altered: Vec<String> = innocent
        .iter()
        .map(|line| (line, clean(line.as_bytes(), LINE)))
        .filter(|(line, safe)| safe != *line)
        .map(|(line, safe)| format!("{line}\n  became {safe}"))
        .collect();
    let found = secrets - missed.len().min(secrets);
    println!(
        "{secrets} lines with secrets of {} kinds: recall {:.2} %; {} innocent lines: {} altered, precision {:.2} %",
        kinds.len(),
        percent(found, secrets),
        innocent.len(),
        altered.len(),
        percent(found, found + altered.len()),
    );
    assert!(missed.is_empty(), "{} missed:\n{}", missed.len(), missed.join("\n"));
    assert!(altered.is_empty(), "{} altered:\n{}", altered.len(), altered.join("\n"));
}

fn percent(part: usize, of: usize) -> f64 {
    100.0 * part as f64 / of as f64
}
