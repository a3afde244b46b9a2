//! How many errors a container logs, over the last quarter of an hour.

use std::collections::VecDeque;

use jiff::{SignedDuration, Timestamp};

/// Seconds of one bucket.
const BUCKET: i64 = 10;
/// Buckets kept: 15 minutes.
const KEPT: usize = 90;

/// Counts of errors in buckets of ten seconds, by the engine's time of the lines.
#[derive(Clone, Debug, Default)]
pub struct ErrorRate {
    /// Bucket number and count, oldest first; only those with an error.
    buckets: VecDeque<(i64, u32)>,
    /// All errors so far.
    total: u64,
    /// When the first line was heard: before that nothing is known.
    since: Option<Timestamp>,
}

impl ErrorRate {
    /// A line was written at `at`.
    pub fn heard(&mut self, at: Timestamp, is_error: bool) {
        self.since.get_or_insert(at);
        if !is_error {
            return;
        }
        self.total = self.total.saturating_add(1);
        let bucket = at.as_second().div_euclid(BUCKET);
        match self.buckets.back_mut() {
            // Lines of two streams may come a little out of order.
            Some((last, count)) if *last >= bucket => *count = count.saturating_add(1),
            _ => {
                if self.buckets.len() == KEPT {
                    self.buckets.pop_front();
                }
                self.buckets.push_back((bucket, 1));
            }
        }
    }

    /// All errors so far.
    pub fn total(&self) -> u64 {
        self.total
    }

    /// Errors from `from` (to the bucket) until `to`.
    fn count(&self, from: Timestamp, to: Timestamp) -> u32 {
        let first = from.as_second().div_euclid(BUCKET);
        let last = to.as_second().div_euclid(BUCKET);
        let within = self.buckets.iter().filter(|(b, _)| (first..=last).contains(b));
        within.fold(0, |sum: u32, (_, count)| sum.saturating_add(*count))
    }

    /// Errors per second over the `span` before `end`, or over what is known of it; `None` where
    /// that is less than a minute.
    pub fn per_second_before(&self, end: Timestamp, span: SignedDuration) -> Option<f64> {
        let known = end.duration_since(self.since?).min(span);
        if known < SignedDuration::from_mins(1) {
            return None;
        }
        let from = end.checked_sub(known).ok()?;
        // The bucket of the end belongs to what comes then.
        let last = end.checked_sub(SignedDuration::from_secs(BUCKET)).ok()?;
        Some(f64::from(self.count(from, last)) / known.as_secs_f64())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + SignedDuration::from_secs(seconds)
    }

    #[test]
    fn a_rate_is_over_what_is_known_and_bounded() {
        let mut rate = ErrorRate::default();
        rate.heard(at(0), false);
        assert_eq!(rate.per_second_before(at(50), SignedDuration::from_mins(10)), None);
        for second in 0..120 {
            rate.heard(at(second), second % 2 == 0);
        }
        let before = rate.per_second_before(at(120), SignedDuration::from_mins(10)).unwrap();
        assert!((before - 0.5).abs() < 0.01, "{before}");
        assert_eq!(rate.count(at(100), at(119)), 10);
        for second in 0..10_000 {
            rate.heard(at(1000 + second), true);
        }
        assert_eq!(rate.buckets.len(), KEPT);
    }
}
