//! How all containers are, in a few counts, and how incidents stood over the last hour.

use jiff::{SignedDuration, Timestamp};
use sentinel_core::domain::container::{Health, RunState};
use sentinel_core::domain::severity::Severity;

use crate::tui::state::State;
use crate::tui::status;

/// The time that the ribbon shows.
pub const RIBBON: SignedDuration = SignedDuration::from_mins(60);

/// How many containers are how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Fleet {
    /// Up, and no health check says otherwise.
    pub up: usize,
    /// Up, without a verdict of the health check yet.
    pub starting: usize,
    /// Up and failing its health check.
    pub unhealthy: usize,
    /// Waiting for the restart policy, or on the way out.
    pub restarting: usize,
    /// Frozen.
    pub paused: usize,
    /// Down through a fault.
    pub down: usize,
    /// Ended as it should, or never started.
    pub ended: usize,
}

/// Counts the containers.
pub fn count(state: &State) -> Fleet {
    let mut fleet = Fleet::default();
    for view in &state.snapshot.containers {
        let container = &view.container;
        let slot = match (container.state, container.health) {
            _ if status::is_failed(container) => &mut fleet.down,
            (RunState::Running, Health::Unhealthy) => &mut fleet.unhealthy,
            (RunState::Running, Health::Starting) => &mut fleet.starting,
            (RunState::Running, Health::None | Health::Healthy) => &mut fleet.up,
            (RunState::Restarting | RunState::Removing, _) => &mut fleet.restarting,
            (RunState::Paused, _) => &mut fleet.paused,
            (RunState::Created | RunState::Exited | RunState::Dead, _) => &mut fleet.ended,
        };
        *slot += 1;
    }
    fleet
}

/// Open incidents of each severity, the gravest first; those of which there is none are left out.
pub fn open_by_severity(state: &State) -> Vec<(Severity, usize)> {
    [Severity::Critical, Severity::High, Severity::Medium, Severity::Low]
        .into_iter()
        .map(|severity| {
            let of = |i: &&std::sync::Arc<sentinel_core::domain::incident::Incident>| {
                !i.state.is_closed() && i.severity == severity
            };
            (severity, state.snapshot.incidents.iter().filter(of).count())
        })
        .filter(|(_, count)| *count > 0)
        .collect()
}

/// One column of the ribbon.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Slice {
    /// The gravest incident that was open then.
    pub open: Option<Severity>,
    /// One was opened then.
    pub began: bool,
    /// One ended then.
    pub ended: bool,
}

/// How incidents stood over the last hour, oldest first, in `columns` slices of the same length.
pub fn ribbon(state: &State, columns: usize) -> Vec<Slice> {
    let mut slices = vec![Slice::default(); columns];
    let seconds = RIBBON.as_secs_f64();
    // Where a moment falls; before the hour is column 0, for what was open already.
    let place = |at: Timestamp| -> (usize, bool) {
        let ago = state.now.duration_since(at).as_secs_f64().max(0.0);
        if ago >= seconds {
            return (0, false);
        }
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "between 0 and the number of columns"
        )]
        let column = ((seconds - ago) / seconds * columns as f64) as usize;
        (column.min(columns.saturating_sub(1)), true)
    };
    for incident in &state.snapshot.incidents {
        let (first, began) = place(incident.observed_at);
        let (last, ended) = match incident.closed_at {
            Some(at) => place(at),
            None => (columns.saturating_sub(1), false),
        };
        if incident.closed_at.is_some() && !ended {
            // It was over before the hour began.
            continue;
        }
        for slice in slices.iter_mut().take(last + 1).skip(first) {
            slice.open = slice.open.max(Some(incident.severity));
        }
        if let Some(slice) = slices.get_mut(first) {
            slice.began |= began;
        }
        if let Some(slice) = slices.get_mut(last) {
            slice.ended |= ended;
        }
    }
    slices
}
