//! What keeps auto-heal from doing harm by doing too much. Counted per plan, not per call.

use std::collections::VecDeque;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::domain::container::ContainerRef;
use crate::domain::event::NotActing;

/// The bounds; settable in the configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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
    in_flight: usize,
}

impl Brakes {
    /// Brakes with these bounds.
    pub fn new(limits: Limits) -> Self {
        Self { limits, ..Self::default() }
    }

    /// Remembers a plan that begins (or that the store says was carried out earlier).
    pub fn acted(&mut self, at: Timestamp, target: &ContainerRef) {
        if self.acts.len() == 256 {
            self.acts.pop_front();
        }
        self.acts.push_back(Act { at, name: target.name.clone(), service: target.service.clone() });
    }

    /// A plan is being applied or verified.
    pub fn begin(&mut self) {
        self.in_flight += 1;
    }

    /// It ended.
    pub fn end(&mut self) {
        self.in_flight = self.in_flight.saturating_sub(1);
    }

    /// Why nothing may be done on `target` now, if so; and whether that passes by itself.
    pub fn holds(
        &self,
        target: &ContainerRef,
        now: Timestamp,
    ) -> Option<(NotActing, String, bool)> {
        let limits = self.limits;
        if self.in_flight > 0 {
            return Some((
                NotActing::InFlight,
                "another plan is being applied or verified".to_owned(),
                true,
            ));
        }
        let since = |window: SignedDuration| {
            self.acts.iter().filter(move |a| now.duration_since(a.at) < window)
        };
        let on_target = |a: &&Act| a.name == target.name;
        let strikes = since(limits.strike_window.max(limits.lock)).filter(on_target).count();
        if strikes >= limits.strikes {
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
        brakes.begin();
        assert_eq!(code(&brakes, "a", 0), Some(NotActing::InFlight));
        brakes.end();
        brakes.acted(at(0), &target("a"));
        assert_eq!(code(&brakes, "a", 299), Some(NotActing::Cooldown));
        assert_eq!(code(&brakes, "b", 299), None);
        assert_eq!(code(&brakes, "a", 301), None);
        brakes.acted(at(301), &target("a"));
        // A third of six plans an hour is two for one service.
        assert_eq!(code(&brakes, "a", 700), Some(NotActing::Budget));
        brakes.acted(at(700), &target("a"));
        assert_eq!(code(&brakes, "a", 1100), Some(NotActing::Locked));
        assert_eq!(code(&brakes, "a", 4500), None);
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
