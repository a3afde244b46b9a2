//! What becomes of remembered times when the wall clock jumps: a suspend, a step by a time server.

use jiff::{SignedDuration, Timestamp};

/// `at`, moved along with a clock that jumped by `by`. It stops at the ends of time.
pub fn moved(at: Timestamp, by: SignedDuration) -> Timestamp {
    at.saturating_add(by).unwrap_or(at)
}

/// Moves every time that is there.
pub fn shift<'a>(times: impl IntoIterator<Item = &'a mut Timestamp>, by: SignedDuration) {
    for at in times {
        *at = moved(*at, by);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_move_both_ways_and_stop_at_the_end() {
        let mut times = [Timestamp::UNIX_EPOCH, Timestamp::MAX];
        shift(&mut times, SignedDuration::from_secs(5));
        assert_eq!(times[0].as_second(), 5);
        assert_eq!(times[1], Timestamp::MAX);
        assert_eq!(moved(times[0], SignedDuration::from_secs(-5)), Timestamp::UNIX_EPOCH);
    }
}
