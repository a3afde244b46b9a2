//! What is left alone on purpose: silenced services, quiet labels, starts, what operators and jobs
//! do. Each case is counted and told with its reason.

use std::collections::VecDeque;

use jiff::{SignedDuration, Timestamp};

use crate::diagnose::topology;
use crate::diagnose::world::Facts;
use crate::domain::anomaly::{Anomaly, AnomalyKind};
use crate::domain::container::{Container, ContainerRef, Health, LABEL_QUIET};
use crate::domain::event::Event;
use crate::domain::ids::ContainerId;
use crate::domain::life::LifeKind;
use crate::domain::plan::Actor;
use crate::domain::quiet::{QuietReason, Silence, Suppressed};
use crate::engine::effect::Effect;
use crate::engine::{Engine, Turn};

/// Silences at a time.
const MOST_SILENCES: usize = 64;
/// The longest silence, in seconds: a week. Nobody means a longer one.
const LONGEST: u64 = 7 * 24 * 3600;
/// Kinds of suppressed cases that are kept; the longest unseen gives way.
const KEPT: usize = 100;
/// Lines of a process this young that has no health check are its start-up.
const YOUNG: SignedDuration = SignedDuration::from_secs(3);

/// What is left alone, and what was.
#[derive(Debug, Default)]
pub(crate) struct Quiet {
    /// Silences in force.
    silences: Vec<Silence>,
    /// What was suppressed, the newest last.
    suppressed: VecDeque<Suppressed>,
    /// How many cases there were.
    total: u64,
}

impl Quiet {
    pub(crate) fn silences(&self) -> &[Silence] {
        &self.silences
    }

    /// The newest first.
    pub(crate) fn suppressed(&self) -> Vec<Suppressed> {
        self.suppressed.iter().rev().cloned().collect()
    }

    pub(crate) fn total(&self) -> u64 {
        self.total
    }

    pub(crate) fn silenced(&self, of: &ContainerRef) -> bool {
        self.silences.iter().any(|s| s.service == of.service || s.service == of.name)
    }

    /// Counts a case; the row of its container and reason moves to the end.
    fn count(&mut self, of: &ContainerRef, reason: QuietReason, what: &str, now: Timestamp) {
        self.total += 1;
        let same = |s: &Suppressed| s.container == of.name && s.reason == reason;
        let earlier = self.suppressed.iter().position(same);
        let count = earlier.and_then(|at| self.suppressed.remove(at)).map_or(0, |s| s.count);
        if self.suppressed.len() >= KEPT {
            self.suppressed.pop_front();
        }
        self.suppressed.push_back(Suppressed {
            container: of.name.clone(),
            service: of.service.clone(),
            reason,
            what: what.to_owned(),
            count: count + 1,
            last: now,
        });
    }
}

impl Engine {
    /// Silences of an earlier run that still last.
    pub fn recall_silences(&mut self, silences: Vec<Silence>, now: Timestamp) {
        for silence in silences.into_iter().filter(|s| s.until > now).take(MOST_SILENCES) {
            if !self.quiet.silences.iter().any(|s| s.service == silence.service) {
                self.quiet.silences.push(silence);
            }
        }
    }

    /// Why trouble with `anomaly` opens no incident, if that is so.
    pub(crate) fn quiet_reason(&self, anomaly: &Anomaly, now: Timestamp) -> Option<QuietReason> {
        let of = &anomaly.container;
        if self.quiet.silenced(of) {
            return Some(QuietReason::Silenced);
        }
        let facts = self.world.containers.get(&of.id)?;
        if facts.container.label(LABEL_QUIET).is_some_and(|v| v.eq_ignore_ascii_case("true")) {
            return Some(QuietReason::QuietLabel);
        }
        if self.complains_of_silenced(facts, anomaly) {
            return Some(QuietReason::Silenced);
        }
        // What a service says while it and its peers come up. A known fatal line counts from the
        // first second.
        let settling =
            !anomaly.kind.is_engine_observed() && anomaly.kind != AnomalyKind::FatalSignature;
        (settling && is_starting(&facts.container, now)).then_some(QuietReason::StartUp)
    }

    /// Who complains about a service in maintenance says nothing new.
    fn complains_of_silenced(&self, facts: &Facts, anomaly: &Anomaly) -> bool {
        let named = topology::named(&self.world, facts, anomaly);
        let needed = topology::upstream(&self.world, facts).into_iter().map(|(_, f)| f);
        named
            .into_iter()
            .chain(needed)
            .any(|f| f.container.is_down_or_sick() && self.quiet.silenced(&f.container.of))
    }

    /// Counts a case that is left alone, and tells of it: the first few, then ever more seldom.
    pub(crate) fn suppress(
        &mut self,
        of: &ContainerRef,
        reason: QuietReason,
        what: &str,
        turn: &mut Turn,
    ) {
        self.quiet.count(of, reason, what, turn.now);
        if let Some(row) = self.quiet.suppressed.back() {
            let told = row.count <= 3 || row.count.is_power_of_two();
            if told {
                turn.emit(Event::Suppressed { suppressed: row.clone() });
            }
        }
    }

    /// The end of a container that is no trouble: why not.
    pub(crate) fn suppress_end(
        &mut self,
        container: &ContainerId,
        exit_code: i64,
        asked: bool,
        turn: &mut Turn,
    ) {
        let Some(facts) = self.world.containers.get(container) else { return };
        let one_off = facts.container.is_one_off();
        let reason = match (asked, exit_code, one_off) {
            (true, _, _) => QuietReason::OperatorIntent,
            (false, 0, true) => QuietReason::OneOff,
            (false, 0, false) => QuietReason::CleanExit,
            _ => return,
        };
        let of = facts.container.of.clone();
        let what = format!("{} ended with status {exit_code}", of.name);
        self.suppress(&of, reason, &what, turn);
    }

    /// What somebody did to a container through the engine is no trouble by itself.
    pub(crate) fn suppress_act(
        &mut self,
        container: &ContainerId,
        kind: &LifeKind,
        turn: &mut Turn,
    ) {
        // The engine itself detaches what has ended.
        let Some(facts) = self.world.containers.get(container).filter(|f| f.container.is_up())
        else {
            return;
        };
        let of = facts.container.of.clone();
        let what = format!("{} {}", of.name, kind.words());
        self.suppress(&of, QuietReason::OperatorIntent, &what, turn);
    }

    pub(crate) fn silence(
        &mut self,
        service: &str,
        seconds: u64,
        reason: &str,
        actor: &Actor,
        turn: &mut Turn,
    ) -> Result<String, String> {
        let service = service.trim();
        if service.is_empty() {
            return Err("which service? give its name or a container's".to_owned());
        }
        let known = self.quiet.silences.iter().position(|s| s.service == service);
        if seconds == 0 {
            let Some(at) = known else { return Err(format!("{service} is not silenced")) };
            self.quiet.silences.remove(at);
            self.silence_over(service, &actor.to_string(), turn);
            return Ok(format!("{service} is not silenced any more"));
        }
        if seconds > LONGEST {
            return Err("a silence may last a week at most".to_owned());
        }
        if known.is_none() && self.quiet.silences.len() >= MOST_SILENCES {
            return Err(format!("{MOST_SILENCES} services are silenced already; end one first"));
        }
        let seconds = i64::try_from(seconds).unwrap_or(i64::MAX);
        let silence = Silence {
            service: service.to_owned(),
            until: turn.now + SignedDuration::from_secs(seconds),
            by: actor.to_string(),
            reason: reason.to_owned(),
        };
        match known.and_then(|at| self.quiet.silences.get_mut(at)) {
            Some(old) => *old = silence.clone(),
            None => self.quiet.silences.push(silence.clone()),
        }
        let seen = self.world.containers.values().any(|f| {
            let of = &f.container.of;
            of.service == service || of.name == service
        });
        let until = format!("{:.0}", silence.until);
        turn.emit(Event::Silenced { silence });
        turn.effects.push(Effect::SaveSilences(self.quiet.silences.clone()));
        let note = if seen { "" } else { " (no watched container has that name now)" };
        Ok(format!("{service} is silenced until {until}{note}"))
    }

    /// Silences that are over: what is broken then is judged then.
    pub(crate) fn end_silences(&mut self, turn: &mut Turn) {
        let now = turn.now;
        let over: Vec<Silence> =
            self.quiet.silences.iter().filter(|s| s.until <= now).cloned().collect();
        if over.is_empty() {
            return;
        }
        self.quiet.silences.retain(|s| s.until > now);
        for silence in over {
            self.silence_over(&silence.service, &Actor::System.to_string(), turn);
        }
    }

    /// When the next silence ends.
    pub(crate) fn silence_ends(&self) -> Option<Timestamp> {
        self.quiet.silences.iter().map(|s| s.until).min()
    }

    fn silence_over(&mut self, service: &str, by: &str, turn: &mut Turn) {
        turn.emit(Event::SilenceEnded { service: service.to_owned(), by: by.to_owned() });
        turn.effects.push(Effect::SaveSilences(self.quiet.silences.clone()));
        let broken: Vec<ContainerId> = self
            .world
            .containers
            .values()
            .filter(|f| f.container.of.service == service || f.container.of.name == service)
            .filter(|f| {
                let down = !f.container.is_up() && f.crashed;
                down || f.container.health == Health::Unhealthy
            })
            .map(|f| f.container.of.id.clone())
            .collect();
        for id in broken {
            let last = self
                .anomalies
                .iter()
                .rposition(|a| a.container.id == id && a.kind.is_engine_observed());
            if let Some(anomaly) = last.and_then(|at| self.anomalies.remove(at)) {
                self.route_again((*anomaly).clone(), turn);
            }
        }
    }
}

/// Inside the start period of its health check, or too young to have settled.
fn is_starting(container: &Container, now: Timestamp) -> bool {
    let Some(started) = container.started_at else { return false };
    let age = now.duration_since(started);
    match &container.health_check {
        Some(check) => {
            let grace = SignedDuration::try_from(check.start_period).unwrap_or_default();
            container.health == Health::Starting && age <= grace.max(YOUNG)
        }
        None => age <= YOUNG,
    }
}
