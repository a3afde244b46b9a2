//! What keeps auto-heal from doing harm by doing too much. Counted per plan, not per call.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::domain::container::ContainerRef;
use crate::domain::ids::IncidentId;
use crate::domain::not_acting::NotActing;

/// The bounds; settable in the configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Limits {
    /// A target is left alone this long after an action on it.
    pub cooldown: SignedDuration,
    /// So many plans on one target within [`Limits::strike_window`] lock it.
    pub strikes: usize,
    /// See [`Limits::strikes`].
    pub strike_window: SignedDuration,
    /// How long a lock holds.
    pub lock: SignedDuration,
    /// Plans within an hour.
    pub per_hour: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            cooldown: SignedDuration::from_mins(5),
            strikes: 3,
            strike_window: SignedDuration::from_hours(1),
            lock: SignedDuration::from_hours(1),
            per_hour: 6,
        }
    }
}

/// Plans remembered; more than any budget looks at.
const ACTS_KEPT: usize = 256;

/// One plan that was carried out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Act {
    /// When it began.
    pub at: Timestamp,
    /// Name of the target.
    pub name: String,
    /// Its service.
    pub service: String,
}

/// What was done lately, and what is being done.
#[derive(Clone, Debug, Default)]
pub struct Brakes {
    /// The bounds.
    pub limits: Limits,
    acts: VecDeque<Act>,
    in_flight: BTreeSet<IncidentId>,
    /// When a target was locked because a fix did not help, by its name.
    locked: BTreeMap<String, Timestamp>,
}

impl Brakes {
    /// Brakes with these bounds.
    pub fn new(limits: Limits) -> Self {
        Self { limits, ..Self::default() }
    }

    /// Remembers a plan that begins (or that the store says was carried out earlier).
    pub fn acted(&mut self, at: Timestamp, target: &ContainerRef) {
        if self.acts.len() == ACTS_KEPT {
            self.acts.pop_front();
        }
        self.acts.push_back(Act { at, name: target.name.clone(), service: target.service.clone() });
    }

    /// The last plan on `target` was not begun after all: nothing was called.
    pub fn unacted(&mut self, target: &ContainerRef) {
        if let Some(at) = self.acts.iter().rposition(|a| a.name == target.name) {
            self.acts.remove(at);
        }
    }

    /// The plan of an incident is being applied, verified or taken back.
    pub fn begin(&mut self, incident: &IncidentId) {
        self.in_flight.insert(incident.clone());
    }

    /// It ended.
    pub fn end(&mut self, incident: &IncidentId) {
        self.in_flight.remove(incident);
    }

    /// A plan on `target` did not help: nothing more by itself while [`Limits::lock`] lasts.
    pub fn lock(&mut self, at: Timestamp, target: &ContainerRef) {
        let lock = self.limits.lock;
        self.locked.retain(|_, since| at.duration_since(*since) < lock);
        self.locked.insert(target.name.clone(), at);
    }

    /// Why nothing may be done on `target` now, if so; and whether that passes by itself.
    pub fn holds(
        &self,
        target: &ContainerRef,
        now: Timestamp,
    ) -> Option<(NotActing, String, bool)> {
        let limits = self.limits;
        if !self.in_flight.is_empty() {
            return Some((
                NotActing::InFlight,
                "another plan is being applied or verified".to_owned(),
                true,
            ));
        }
        if let Some(at) = self.locked.get(&target.name)
            && now.duration_since(*at) < limits.lock
        {
            return Some((
                NotActing::Locked,
                format!("a plan for {} did not help lately; it is locked for an hour", target.name),
                false,
            ));
        }
        let since = |window: SignedDuration| {
            self.acts.iter().filter(move |a| now.duration_since(a.at) < window)
        };
        let on_target = |a: &&Act| a.name == target.name;
        // The last `strikes` plans on the target, if they fell into one window, lock it from the
        // last of them on.
        let mut mine: Vec<Timestamp> = self.acts.iter().filter(on_target).map(|a| a.at).collect();
        mine.sort_unstable();
        let strikes = limits.strikes.max(1);
        let locked = mine.windows(strikes).any(|w| {
            let (Some(first), Some(last)) = (w.first(), w.last()) else { return false };
            last.duration_since(*first) < limits.strike_window
                && now.duration_since(*last) < limits.lock
        });
        if locked {
            return Some((
                NotActing::Locked,
                format!("{} had {strikes} plans lately and is locked for an hour", target.name),
                false,
            ));
        }
        if let Some(last) = since(limits.cooldown).filter(on_target).map(|a| a.at).max() {
            let left = limits.cooldown - now.duration_since(last);
            return Some((
                NotActing::Cooldown,
                format!(
                    "{} was acted upon lately; {} s of its cooldown are left",
                    target.name,
                    left.as_secs()
                ),
                true,
            ));
        }
        let hour = SignedDuration::from_hours(1);
        let all = since(hour).count();
        let of_service = since(hour).filter(|a| a.service == target.service).count();
        if all >= limits.per_hour || of_service >= limits.per_hour.div_ceil(3).max(1) {
            return Some((
                NotActing::Budget,
                format!(
                    "the hourly budget is used up ({all} of {} plans, {of_service} for {})",
                    limits.per_hour, target.service
                ),
                true,
            ));
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(name: &str) -> ContainerRef {
        ContainerRef {
            id: name.into(),
            name: name.to_owned(),
            service: name.to_owned(),
            project: None,
        }
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + SignedDuration::from_secs(seconds)
    }

    fn code(brakes: &Brakes, name: &str, now: i64) -> Option<NotActing> {
        brakes.holds(&target(name), at(now)).map(|(code, ..)| code)
    }

    #[test]
    fn each_brake_holds_and_lets_go() {
        let mut brakes = Brakes::default();
        assert_eq!(code(&brakes, "a", 0), None);
        brakes.begin(&"INC-1".into());
        brakes.begin(&"INC-1".into());
        assert_eq!(code(&brakes, "a", 0), Some(NotActing::InFlight));
        brakes.end(&"INC-1".into());
        brakes.acted(at(0), &target("a"));
        assert_eq!(code(&brakes, "a", 299), Some(NotActing::Cooldown));
        assert_eq!(code(&brakes, "b", 299), None);
        assert_eq!(code(&brakes, "a", 301), None);
        brakes.acted(at(301), &target("a"));
        // A third of six plans an hour is two for one service.
        assert_eq!(code(&brakes, "a", 700), Some(NotActing::Budget));
        brakes.acted(at(700), &target("a"));
        assert_eq!(code(&brakes, "a", 1100), Some(NotActing::Locked));
        assert_eq!(code(&brakes, "a", 4299), Some(NotActing::Locked));
        assert_eq!(code(&brakes, "a", 4301), None);
    }

    #[test]
    fn a_fix_that_did_not_help_locks_its_target_for_an_hour() {
        let mut brakes = Brakes::default();
        brakes.lock(at(0), &target("a"));
        assert_eq!(code(&brakes, "a", 3599), Some(NotActing::Locked));
        assert_eq!(code(&brakes, "b", 10), None);
        assert_eq!(code(&brakes, "a", 3600), None);
    }

    #[test]
    fn the_hourly_budget_counts_all_services() {
        let mut brakes = Brakes::default();
        for (i, name) in ["a", "b", "c", "d", "e", "f"].iter().enumerate() {
            brakes.acted(at(i64::try_from(i).unwrap()), &target(name));
        }
        assert_eq!(code(&brakes, "g", 400), Some(NotActing::Budget));
        assert_eq!(code(&brakes, "g", 3700), None);
    }
}
