//! Processor time, as the scheduler counts it.

use std::fs;

/// Nanoseconds of processor time of this thread; `None` where the scheduler does not tell.
pub(crate) fn cpu() -> Option<u64> {
    let text = fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    text.split_whitespace().next()?.parse().ok()
}
