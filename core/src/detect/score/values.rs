//! A value never seen before at a place that has few: `status=503`.

use crate::detect::miner::slots::Place;

/// Lines with this place that must have been seen.
const LINES: u64 = 200;
/// A value that came less often says that others may come.
const SETTLED: u32 = 3;
/// More values before are no closed set.
const FEW: usize = 5;

/// Whether a new value at `place` is news: until it came, the set looked closed. (After Good and
/// Turing the chance of a new value is the share of those that came once; here there are none.)
pub fn is_news(place: &Place) -> bool {
    let Some(values) = place.values.as_ref() else { return false };
    let known = values.known();
    let old = known.len().saturating_sub(1);
    let lines: u64 = known.iter().take(old).map(|(_, times)| u64::from(*times)).sum();
    (1..=FEW).contains(&old)
        && lines >= LINES
        && known.iter().take(old).all(|(_, times)| *times >= SETTLED)
}

/// Whether a value is a server's failure by the numbers of HTTP.
pub fn is_failure(value: &str) -> bool {
    value.len() == 3 && value.starts_with('5') && value.bytes().all(|b| b.is_ascii_digit())
}
