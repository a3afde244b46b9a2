//! What keeps auto-heal from doing harm by doing too much. Counted per plan, not per call.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use jiff::{SignedDuration, Timestamp};

use crate::domain::brakes::{BrakesView, Halt, Held, KeptBrakes};
use crate::domain::container::ContainerRef;
use crate::domain::failure::FailureClass;
use crate::domain::grant::Grant;
use crate::domain::ids::IncidentId;
use crate::domain::not_acting::NotActing;
use crate::domain::plan::Plan;
use crate::policy::circuits::Circuits;
use crate::policy::grants::Grants;
use crate::policy::limits::Limits;
use crate::policy::reason::Reason;

/// The window of budget and chain.
const HOUR: SignedDuration = SignedDuration::from_hours(1);
/// Plans remembered; more than any budget looks at.
const ACTS_KEPT: usize = 256;

/// One plan that was carried out.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Act {
    at: Timestamp,
    /// Name of the target.
    name: String,
    service: String,
    incident: IncidentId,
    class: FailureClass,
    /// It was verified.
    helped: bool,
}

/// What a plan is about, as far as the brakes are concerned.
#[derive(Clone, Copy, Debug)]
pub struct About<'a> {
    /// What it changes.
    pub target: &'a ContainerRef,
    /// What it mends.
    pub class: FailureClass,
    /// The MCP servers that it calls.
    pub servers: &'a [&'a str],
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
    circuits: Circuits,
    halt: Option<Halt>,
    grants: Grants,
}

impl Brakes {
    /// Brakes with these bounds.
    pub fn new(limits: Limits) -> Self {
        Self { limits, ..Self::default() }
    }

    /// Remembers a plan that begins (or that the store says was carried out earlier).
    pub fn acted(
        &mut self,
        at: Timestamp,
        target: &ContainerRef,
        class: FailureClass,
        incident: &IncidentId,
    ) {
        if self.acts.len() == ACTS_KEPT {
            self.acts.pop_front();
        }
        self.acts.push_back(Act {
            at,
            name: target.name.clone(),
            service: target.service.clone(),
            incident: incident.clone(),
            class,
            helped: false,
        });
    }

    /// The last plan on `target` was not begun after all: nothing was called.
    pub fn unacted(&mut self, target: &ContainerRef) {
        if let Some(at) = self.acts.iter().rposition(|a| a.name == target.name) {
            self.acts.remove(at);
        }
    }

    /// The last plan of an incident was verified.
    pub fn helped(&mut self, incident: &IncidentId) {
        if let Some(act) = self.acts.iter_mut().rfind(|a| &a.incident == incident) {
            act.helped = true;
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

    /// A call to a server came back. True if that changed whether it is left alone.
    pub fn answered(&mut self, server: &str, ok: bool, now: Timestamp) -> bool {
        self.circuits.answered(server, ok, now, &self.limits)
    }

    /// The kill switch. True if that changed something.
    pub fn switch(&mut self, halt: Option<Halt>) -> bool {
        let changes = self.halt.is_some() != halt.is_some();
        if changes {
            self.halt = halt;
        }
        changes
    }

    /// The kill switch, while it is on.
    pub fn halted(&self) -> Option<&Halt> {
        self.halt.as_ref()
    }

    /// What is worth keeping beyond what the incidents tell.
    pub fn kept(&self) -> KeptBrakes {
        KeptBrakes {
            halt: self.halt.clone(),
            circuits: self.circuits.kept(),
            grants: self.grants.all().to_vec(),
        }
    }

    /// Takes over what an earlier run kept.
    pub fn recall(&mut self, kept: KeptBrakes) {
        self.halt = kept.halt.or(self.halt.take());
        self.circuits.recall(kept.circuits);
        self.grants.recall(kept.grants);
    }

    /// Takes over switch, circuits and grants from the brakes that these ones replace.
    pub fn inherit(&mut self, from: Self) {
        self.halt = from.halt;
        self.circuits = from.circuits;
        self.grants = from.grants;
    }

    /// Takes a grant, and gives it its number. `None`: there are too many.
    pub fn give(&mut self, grant: Grant) -> Option<Grant> {
        self.grants.give(grant)
    }

    /// The grant that allows a plan now.
    pub fn granted(&self, plan: &Plan, now: Timestamp) -> Option<&Grant> {
        self.grants.covering(plan, now)
    }

    /// A plan runs because of a grant.
    pub fn use_grant(&mut self, id: u64) -> Option<Grant> {
        self.grants.used(id)
    }

    /// Takes a grant away.
    pub fn revoke(&mut self, id: u64) -> Option<Grant> {
        self.grants.remove(id)
    }

    /// Takes away the grants that allow nothing any more.
    pub fn ended_grants(&mut self, now: Timestamp) -> Vec<Grant> {
        self.grants.ended(now)
    }

    /// When the next grant ends.
    pub fn grants_end(&self) -> Option<Timestamp> {
        self.grants.all().iter().map(|g| g.until).min()
    }

    /// When something was last done to the container of this name.
    pub fn last_act(&self, name: &str) -> Option<Timestamp> {
        self.acts.iter().filter(|a| a.name == name).map(|a| a.at).max()
    }

    /// All reasons why nothing may be done by itself now.
    pub fn holds(&self, about: &About<'_>, now: Timestamp) -> Vec<Reason> {
        let name = &about.target.name;
        let mut reasons = Vec::new();
        if let Some(halt) = &self.halt {
            let why =
                if halt.reason.is_empty() { String::new() } else { format!(": {}", halt.reason) };
            reasons.push(Reason::stays(
                NotActing::Halted,
                format!("the kill switch is on, by {}{why}; a person decides", halt.by),
            ));
        }
        if !self.in_flight.is_empty() {
            reasons.push(Reason::passes(
                NotActing::InFlight,
                "another plan is being applied or verified",
            ));
        }
        if self.unhelped_until(name, now).is_some() {
            reasons.push(Reason::stays(
                NotActing::Locked,
                format!("a plan for {name} did not help lately; {}", self.locked_words()),
            ));
        } else if self.struck_until(name, now).is_some() {
            let strikes = self.limits.strikes.max(1);
            reasons.push(Reason::stays(
                NotActing::Locked,
                format!("{name} had {strikes} plans lately; {}", self.locked_words()),
            ));
        } else if let Some(until) = self.cooling_until(name, now) {
            let left = until.duration_since(now).as_secs();
            reasons.push(Reason::passes(
                NotActing::Cooldown,
                format!("{name} was acted upon lately; {left} s of its cooldown are left"),
            ));
        }
        reasons.extend(self.in_vain(about, now));
        reasons.extend(self.over_budget(about, now));
        reasons.extend(self.circuits.holds(about.servers, now, &self.limits));
        reasons
    }

    fn locked_words(&self) -> String {
        format!("it is locked for {} min", self.limits.lock.as_mins())
    }

    /// Until when a target is locked because a fix did not help.
    fn unhelped_until(&self, name: &str, now: Timestamp) -> Option<Timestamp> {
        let until = *self.locked.get(name)? + self.limits.lock;
        (until > now).then_some(until)
    }

    /// Until when a target is locked because it had its strikes: the last `strikes` plans on it,
    /// if they fell into one window, lock it from the last of them on.
    fn struck_until(&self, name: &str, now: Timestamp) -> Option<Timestamp> {
        let limits = self.limits;
        let mut mine: Vec<Timestamp> =
            self.acts.iter().filter(|a| a.name == name).map(|a| a.at).collect();
        mine.sort_unstable();
        let last = mine.windows(limits.strikes.max(1)).rev().find_map(|w| {
            let (first, last) = (w.first()?, w.last()?);
            (last.duration_since(*first) < limits.strike_window).then_some(*last)
        })?;
        let until = last + limits.lock;
        (until > now).then_some(until)
    }

    fn cooling_until(&self, name: &str, now: Timestamp) -> Option<Timestamp> {
        let until = self.last_act(name)? + self.limits.cooldown;
        (until > now).then_some(until)
    }

    fn within_hour(&self, now: Timestamp) -> impl Iterator<Item = &Act> {
        self.acts.iter().filter(move |a| now.duration_since(a.at) < HOUR)
    }

    /// The same fault came back although it was mended, again and again: what is done does not
    /// reach its cause.
    fn in_vain(&self, about: &About<'_>, now: Timestamp) -> Option<Reason> {
        let service = &about.target.service;
        let same = |a: &&Act| a.helped && &a.service == service && a.class == about.class;
        let times = self.within_hour(now).filter(same).count();
        (times >= self.limits.chain.max(1)).then(|| {
            let words = format!(
                "{} of {service} was mended {times} times within an hour and is back: another fix \
                 of that kind would not last",
                about.class
            );
            Reason::stays(NotActing::Ineffective, words)
        })
    }

    fn over_budget(&self, about: &About<'_>, now: Timestamp) -> Option<Reason> {
        let (most, service) = (self.limits.per_hour, &about.target.service);
        let all = self.within_hour(now).count();
        let of_service = self.within_hour(now).filter(|a| &a.service == service).count();
        (all >= most || of_service >= most.div_ceil(3).max(1)).then(|| {
            let words = format!(
                "the hourly budget is used up ({all} of {most} plans, {of_service} for {service})"
            );
            Reason::passes(NotActing::Budget, words)
        })
    }

    /// What front ends show.
    pub fn view(&self, now: Timestamp) -> BrakesView {
        let names: BTreeSet<&String> =
            self.locked.keys().chain(self.acts.iter().map(|a| &a.name)).collect();
        let held = |name: &str, code, until| Held { name: name.to_owned(), code, until };
        let targets = names.into_iter().filter_map(|name| {
            let locked = self
                .unhelped_until(name, now)
                .into_iter()
                .chain(self.struck_until(name, now))
                .max();
            locked.map(|until| held(name, NotActing::Locked, until)).or_else(|| {
                let until = self.cooling_until(name, now)?;
                Some(held(name, NotActing::Cooldown, until))
            })
        });
        let servers = self.circuits.open(now, &self.limits);
        let servers = servers.map(|(server, until)| held(server, NotActing::CircuitOpen, until));
        BrakesView {
            halt: self.halt.clone(),
            used: self.within_hour(now).count(),
            per_hour: self.limits.per_hour,
            held: targets.chain(servers).collect(),
            grants: self.grants.all().iter().filter(|g| g.lasts(now)).cloned().collect(),
        }
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

    fn codes(brakes: &Brakes, name: &str, class: FailureClass, now: i64) -> Vec<NotActing> {
        let about = About { target: &target(name), class, servers: &["docker-control"] };
        brakes.holds(&about, at(now)).into_iter().map(|r| r.code).collect()
    }

    /// The first reason.
    fn code(brakes: &Brakes, name: &str, now: i64) -> Option<NotActing> {
        codes(brakes, name, FailureClass::Hang, now).first().copied()
    }

    fn act(brakes: &mut Brakes, name: &str, now: i64) {
        brakes.acted(at(now), &target(name), FailureClass::Hang, &IncidentId(format!("INC-{now}")));
    }

    #[test]
    fn each_brake_holds_and_lets_go() {
        let mut brakes = Brakes::default();
        assert_eq!(code(&brakes, "a", 0), None);
        brakes.begin(&"INC-1".into());
        brakes.begin(&"INC-1".into());
        assert_eq!(code(&brakes, "a", 0), Some(NotActing::InFlight));
        brakes.end(&"INC-1".into());
        act(&mut brakes, "a", 0);
        assert_eq!(code(&brakes, "a", 299), Some(NotActing::Cooldown));
        assert_eq!(code(&brakes, "b", 299), None);
        assert_eq!(code(&brakes, "a", 301), None);
        act(&mut brakes, "a", 301);
        // A third of six plans an hour is two for one service.
        assert_eq!(code(&brakes, "a", 700), Some(NotActing::Budget));
        act(&mut brakes, "a", 700);
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
            act(&mut brakes, name, i64::try_from(i).unwrap());
        }
        assert_eq!(code(&brakes, "g", 400), Some(NotActing::Budget));
        assert_eq!(code(&brakes, "g", 3700), None);
    }

    #[test]
    fn a_fault_that_comes_back_after_every_fix_is_not_mended_a_third_time() {
        let limits = Limits { per_hour: 100, strikes: 100, ..Limits::default() };
        let mut brakes = Brakes::new(limits);
        for now in [0, 600] {
            act(&mut brakes, "a", now);
            assert_eq!(code(&brakes, "a", now + 400), None, "it may be tried again");
            brakes.helped(&IncidentId(format!("INC-{now}")));
        }
        assert_eq!(code(&brakes, "a", 1200), Some(NotActing::Ineffective));
        assert_eq!(
            codes(&brakes, "a", FailureClass::OomKill, 1200),
            [],
            "another fault is another"
        );
        assert_eq!(code(&brakes, "b", 1200), None);
        assert_eq!(code(&brakes, "a", 3600), None, "the first one is an hour ago");
    }

    #[test]
    fn all_reasons_are_told_at_once() {
        let mut brakes = Brakes::new(Limits { per_hour: 1, ..Limits::default() });
        act(&mut brakes, "a", 0);
        brakes.begin(&"INC-0".into());
        let halt = Halt { since: at(0), by: "ann".to_owned(), reason: String::new() };
        assert!(brakes.switch(Some(halt.clone())));
        assert!(!brakes.switch(Some(halt)), "it is on already");
        for _ in 0..3 {
            brakes.answered("docker-control", false, at(0));
        }
        let all = codes(&brakes, "a", FailureClass::Hang, 1);
        let expected = [
            NotActing::Halted,
            NotActing::InFlight,
            NotActing::Cooldown,
            NotActing::Budget,
            NotActing::CircuitOpen,
        ];
        assert_eq!(all, expected);
        let view = brakes.view(at(1));
        let held: Vec<_> = view.held.iter().map(|h| (h.name.as_str(), h.code)).collect();
        assert_eq!(held, [("a", NotActing::Cooldown), ("docker-control", NotActing::CircuitOpen)]);
        assert_eq!((view.used, view.per_hour, view.halt.is_some()), (1, 1, true));
        assert!(brakes.switch(None));
        assert!(brakes.view(at(1)).halt.is_none());
    }

    #[test]
    fn switch_and_circuits_survive_a_restart() {
        let mut brakes = Brakes::default();
        let halt = Halt { since: at(0), by: "ann".to_owned(), reason: "deploy".to_owned() };
        brakes.switch(Some(halt.clone()));
        for _ in 0..3 {
            brakes.answered("docker-control", false, at(0));
        }
        let text = serde_json::to_string(&brakes.kept()).unwrap();
        let mut next = Brakes::default();
        next.recall(serde_json::from_str(&text).unwrap());
        assert_eq!(next.halted(), Some(&halt));
        let all = codes(&next, "a", FailureClass::Hang, 1);
        assert_eq!(all, [NotActing::Halted, NotActing::CircuitOpen]);
    }
}
