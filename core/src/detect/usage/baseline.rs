//! The usual level of a measure, and whether the present one is far above it.

use jiff::{SignedDuration, Timestamp};

use crate::detect::usage::buckets::Buckets;

/// Ten minutes in spans of ten seconds, and two hours in spans of two minutes.
const NEAR: (SignedDuration, usize) = (SignedDuration::from_secs(10), 60);
/// See [`NEAR`].
const FAR: (SignedDuration, usize) = (SignedDuration::from_mins(2), 60);
/// So many spans of ten seconds say what is usual: one minute.
const ENOUGH: usize = 6;

/// What is usual. It stands still while something unusual is under way, or the unusual would
/// become the usual before it is told.
#[derive(Debug)]
pub struct Baseline {
    near: Buckets,
    far: Buckets,
    /// As of the last span that was closed.
    usual: Option<f64>,
}

impl Default for Baseline {
    fn default() -> Self {
        let (near, far) = (Buckets::new(NEAR.0, NEAR.1), Buckets::new(FAR.0, FAR.1));
        Self { near, far, usual: None }
    }
}

impl Baseline {
    /// Takes a value of an ordinary time.
    pub fn push(&mut self, at: Timestamp, value: f64) {
        let closed = self.near.push(at, value);
        self.far.push(at, value);
        if closed {
            self.usual = self.level();
        }
    }

    /// The higher of the usual levels of ten minutes and two hours; `None` before there is a
    /// minute of it. What is busy every other quarter of an hour is usually busy.
    pub fn usual(&self) -> Option<f64> {
        self.usual
    }

    fn level(&self) -> Option<f64> {
        let (near, _) = self.near.usual(0).filter(|_| self.near.len() >= ENOUGH)?;
        let far = self.far.usual(0).map_or(near, |(far, _)| far);
        Some(near.max(far))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_minute_makes_a_usual_and_a_spike_does_not_move_it() {
        let mut baseline = Baseline::default();
        let at = |t: i64| Timestamp::UNIX_EPOCH + SignedDuration::from_secs(t);
        for t in 0..60 {
            baseline.push(at(t), 5.0);
        }
        assert_eq!(baseline.usual(), None);
        for t in 60..600 {
            baseline.push(at(t), if t % 100 < 20 { 95.0 } else { 5.0 });
        }
        assert_eq!(baseline.usual(), Some(5.0));
    }
}
