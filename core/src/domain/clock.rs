//! What becomes of remembered times when the wall clock jumps: a suspend, a step by a time server.

use jiff::{SignedDuration, Timestamp};

/// The last second that a time from outside may have: the year 3000. Holds and deadlines are added
/// to it, and windows taken off; both must leave room.
const LAST: i64 = 32_503_680_000;

/// Whether a time that an engine or a log names can be worked with. The engine's own zero (the year
/// 1) and what a broken clock says far away cannot.
pub fn is_plausible(at: Timestamp) -> bool {
    at > Timestamp::UNIX_EPOCH && at.as_second() < LAST
}

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
    fn times_without_room_around_them_are_none() {
        for (text, plausible) in [
            ("0001-01-01T00:00:00Z", false),
            ("1970-01-01T00:00:00Z", false),
            ("2026-11-24T03:15:02Z", true),
            ("9999-12-30T22:00:00Z", false),
            ("-009999-01-02T01:59:59Z", false),
        ] {
            assert_eq!(is_plausible(text.parse().unwrap()), plausible, "{text}");
        }
    }

    #[test]
    fn times_move_both_ways_and_stop_at_the_end() {
        let mut times = [Timestamp::UNIX_EPOCH, Timestamp::MAX];
        shift(&mut times, SignedDuration::from_secs(5));
        assert_eq!(times[0].as_second(), 5);
        assert_eq!(times[1], Timestamp::MAX);
        assert_eq!(moved(times[0], SignedDuration::from_secs(-5)), Timestamp::UNIX_EPOCH);
    }
}
