//! What the readings of each container were over the last minutes, taken down from the snapshots
//! as they come: for charts and for rates that no single snapshot tells.

use std::collections::{BTreeMap, VecDeque};

use jiff::{SignedDuration, Timestamp};
use sentinel_core::domain::ids::ContainerId;
use sentinel_core::domain::snapshot::{ContainerView, Snapshot};

/// Samples that are kept of each container; at a reading in two seconds four minutes.
pub const SAMPLES: usize = 120;
/// Samples are at least this far apart.
const APART: SignedDuration = SignedDuration::from_millis(950);
/// The time over which the rate of lines is taken.
const RECENT: SignedDuration = SignedDuration::from_secs(10);
/// The time over which errors are counted.
const MINUTE: SignedDuration = SignedDuration::from_secs(60);

/// The readings of one moment.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sample {
    /// When.
    pub at: Timestamp,
    /// Log lines read so far.
    pub lines: u64,
    /// Of these, at level error or above.
    pub errors: u64,
    /// Bytes received per second.
    pub rx: f64,
    /// Bytes sent per second.
    pub tx: f64,
    /// Bytes read from disk per second.
    pub read: f64,
    /// Bytes written to disk per second.
    pub written: f64,
    /// Processes and threads.
    pub pids: u64,
    /// Restarts by the policy and deaths so far.
    pub restarts: u32,
}

impl Sample {
    fn of(view: &ContainerView, at: Timestamp) -> Self {
        let usage = view.usage.as_ref();
        Self {
            at,
            lines: view.lines,
            errors: view.errors,
            rx: usage.map_or(0.0, |u| u.net_rx_bps),
            tx: usage.map_or(0.0, |u| u.net_tx_bps),
            read: usage.map_or(0.0, |u| u.disk_read_bps),
            written: usage.map_or(0.0, |u| u.disk_write_bps),
            pids: usage.map_or(0, |u| u.pids),
            restarts: view.container.restart_count.saturating_add(view.deaths),
        }
    }
}

/// The samples of one container, oldest first.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Trend {
    samples: VecDeque<Sample>,
}

impl Trend {
    /// Its samples, oldest first.
    pub fn samples(&self) -> &VecDeque<Sample> {
        &self.samples
    }

    fn take(&mut self, sample: Sample) {
        if self.samples.back().is_some_and(|last| sample.at.duration_since(last.at) < APART) {
            return;
        }
        if self.samples.len() == SAMPLES {
            self.samples.pop_front();
        }
        self.samples.push_back(sample);
    }

    /// The oldest sample that is not older than `span` before the newest, and the newest.
    fn span(&self, span: SignedDuration) -> Option<(&Sample, &Sample)> {
        let last = self.samples.back()?;
        let first = self.samples.iter().find(|s| last.at.duration_since(s.at) <= span)?;
        (first.at < last.at).then_some((first, last))
    }

    /// Log lines per second over the last seconds; `None` before two samples are there.
    pub fn lines_per_second(&self) -> Option<f64> {
        let (first, last) = self.span(RECENT)?;
        let seconds = last.at.duration_since(first.at).as_secs_f64();
        Some(last.lines.saturating_sub(first.lines) as f64 / seconds)
    }

    /// Errors logged in the last minute, or since there are samples.
    pub fn errors_in_a_minute(&self) -> u64 {
        self.span(MINUTE).map_or(0, |(first, last)| last.errors.saturating_sub(first.errors))
    }
}

/// The samples of every container that is there.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Trends {
    of: BTreeMap<ContainerId, Trend>,
}

impl Trends {
    /// Takes the readings of a snapshot down; containers that are gone are forgotten.
    pub fn take(&mut self, snapshot: &Snapshot) {
        if self.of.len() > snapshot.containers.len() {
            self.of.retain(|id, _| snapshot.containers.iter().any(|v| &v.container.of.id == id));
        }
        for view in &snapshot.containers {
            let sample = Sample::of(view, snapshot.at);
            // An id is only copied the first time.
            if let Some(trend) = self.of.get_mut(&view.container.of.id) {
                trend.take(sample);
            } else {
                self.of.entry(view.container.of.id.clone()).or_default().take(sample);
            }
        }
    }

    /// The samples of a container.
    pub fn of(&self, id: &ContainerId) -> Option<&Trend> {
        self.of.get(id)
    }

    /// Log lines per second of all containers; `None` before that is known of any.
    pub fn lines_per_second(&self) -> Option<f64> {
        self.of.values().filter_map(Trend::lines_per_second).reduce(|a, b| a + b)
    }

    /// Errors of all containers in the last minute.
    pub fn errors_in_a_minute(&self) -> u64 {
        self.of.values().map(Trend::errors_in_a_minute).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(second: i64, lines: u64, errors: u64) -> Sample {
        Sample {
            at: Timestamp::UNIX_EPOCH + SignedDuration::from_secs(second),
            lines,
            errors,
            rx: 0.0,
            tx: 0.0,
            read: 0.0,
            written: 0.0,
            pids: 1,
            restarts: 0,
        }
    }

    #[test]
    fn rates_are_of_the_last_seconds_and_samples_are_bounded() {
        let mut trend = Trend::default();
        assert_eq!(trend.lines_per_second(), None);
        for second in 0..300_i64 {
            trend.take(sample(second, second.unsigned_abs() * 5, u64::from(second >= 290)));
        }
        assert_eq!(trend.samples().len(), SAMPLES);
        assert_eq!(trend.lines_per_second(), Some(5.0));
        assert_eq!(trend.errors_in_a_minute(), 1);
        trend.take(sample(299, 9_999, 9));
        assert_eq!(trend.errors_in_a_minute(), 1, "too soon after the last one");
    }

    #[test]
    fn a_counter_that_begins_anew_is_no_rate() {
        let mut trend = Trend::default();
        trend.take(sample(0, 1000, 10));
        trend.take(sample(2, 4, 0));
        assert_eq!((trend.lines_per_second(), trend.errors_in_a_minute()), (Some(0.0), 0));
    }
}
