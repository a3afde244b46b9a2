//! Something stands near its limit: memory, processes, open files.

use jiff::{SignedDuration, Timestamp};

use crate::detect::usage::held::Held;
use crate::domain::severity::Severity;

/// When it counts as near, in percent, and for how long it has to stand there.
#[derive(Clone, Copy, Debug)]
pub struct Threshold {
    /// From here on it is near, …
    pub on: f64,
    /// … below here it is over, …
    pub off: f64,
    /// … after standing there this long.
    pub long: SignedDuration,
    /// From here on it is high, not medium.
    pub high: f64,
}

/// Memory: what is left is less than what many a request needs. Never high by itself: a store that
/// is meant to use its memory up stands there for weeks.
pub const MEMORY: Threshold =
    Threshold { on: 90.0, off: 85.0, long: SignedDuration::from_secs(10), high: f64::INFINITY };
/// Processes and threads: at the limit nothing can be started, not even the health check.
pub const PIDS: Threshold =
    Threshold { on: 90.0, off: 85.0, long: SignedDuration::from_secs(5), high: 95.0 };
/// Open files: at the limit no connection can be taken.
pub const FDS: Threshold =
    Threshold { on: 90.0, off: 85.0, long: SignedDuration::from_secs(5), high: 95.0 };

/// One measure of one container against its limit.
#[derive(Debug)]
pub struct NearLimit {
    threshold: Threshold,
    held: Held,
}

impl NearLimit {
    /// Nothing seen yet.
    pub fn new(threshold: Threshold) -> Self {
        Self { threshold, held: Held::default() }
    }

    /// Takes a reading; tells once how bad it is, and again when it is worse.
    pub fn sample(&mut self, at: Timestamp, value: f64, limit: f64) -> Option<Severity> {
        if limit <= 0.0 {
            return None;
        }
        let Threshold { on, off, long, high } = self.threshold;
        let percent = value / limit * 100.0;
        if !self.held.holds(at, percent >= on, percent < off, long) {
            return None;
        }
        let severity = if percent >= high { Severity::High } else { Severity::Medium };
        self.held.tells(severity).then_some(severity)
    }

    /// Whether it stands there now.
    pub fn is_on(&self) -> bool {
        self.held.is_on()
    }

    /// Another process.
    pub fn process_started(&mut self) {
        self.held.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(threshold: Threshold, values: &[(i64, f64)]) -> Vec<(i64, Severity)> {
        let mut near = NearLimit::new(threshold);
        values
            .iter()
            .filter_map(|(t, value)| {
                let at = Timestamp::UNIX_EPOCH + SignedDuration::from_secs(*t);
                near.sample(at, *value, 100.0).map(|severity| (*t, severity))
            })
            .collect()
    }

    #[test]
    fn it_has_to_stand_there_and_is_told_once() {
        let values = [(0, 92.0), (5, 91.0), (10, 95.0), (15, 99.0), (20, 88.0), (25, 96.0)];
        assert_eq!(told(MEMORY, &values), [(10, Severity::Medium)]);
        assert_eq!(told(MEMORY, &[(0, 92.0), (5, 80.0), (10, 92.0), (15, 92.0)]), []);
    }

    #[test]
    fn it_comes_back_after_it_was_over() {
        let values = [(0, 92.0), (10, 92.0), (20, 84.0), (30, 92.0), (40, 92.0)];
        assert_eq!(told(MEMORY, &values), [(10, Severity::Medium), (40, Severity::Medium)]);
    }

    #[test]
    fn more_of_processes_is_worse() {
        let values = [(0, 91.0), (6, 92.0), (8, 96.0), (10, 100.0)];
        assert_eq!(told(PIDS, &values), [(6, Severity::Medium), (8, Severity::High)]);
        // A limit of eight has nothing between seven and eight.
        let all = [(0, 100.0), (2, 100.0), (6, 100.0)];
        assert_eq!(told(PIDS, &all), [(6, Severity::High)]);
    }
}
