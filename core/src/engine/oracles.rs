//! The oracles: what must hold before an incident counts as mended.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use crate::detect::usage::cpu::THROTTLED;
use crate::diagnose::topology;
use crate::diagnose::world::{Facts, World};
use crate::domain::clock;
use crate::domain::container::{Container, Health, RunState};
use crate::domain::failure::FailureClass;
use crate::domain::ids::ContainerId;
use crate::domain::incident::{Check, Incident};

/// No verification takes longer.
const LONGEST: SignedDuration = SignedDuration::from_mins(10);
/// Something must hold by then at the latest, health check or not.
const SHORTEST: SignedDuration = SignedDuration::from_secs(30);
/// Detectors repeat themselves within this time while a signal lasts.
const QUIET: SignedDuration = SignedDuration::from_secs(10);
/// How often the oracles are asked.
pub(crate) const LOOK: SignedDuration = SignedDuration::from_millis(500);
/// So many looks at least must find that everything holds, however long the hold.
const LEAST_LOOKS: i64 = 2;
/// What is usual is what was before the fault for this long.
const BEFORE: SignedDuration = SignedDuration::from_mins(10);
/// A service that comes up may log so many errors besides.
const START_ERRORS: f64 = 3.0;
/// An inspect that does not come within this time is not waited for any longer, unless the engine
/// was out of sight.
const INSPECT_WAIT: SignedDuration = SignedDuration::from_secs(2);

/// The oracles at work on one incident.
#[derive(Debug)]
pub(crate) struct Verification {
    /// Whether our own plan is being verified (or a recovery that we only watch).
    pub(crate) ours: bool,
    /// Whose recovery.
    pub(crate) targets: Vec<ContainerId>,
    /// When the fix ended, or the watch began.
    pub(crate) began: Timestamp,
    /// When every oracle must hold at the latest.
    pub(crate) deadline: Timestamp,
    /// How long they must hold.
    pub(crate) hold: SignedDuration,
    /// Since when every oracle holds.
    pub(crate) holds_since: Option<Timestamp>,
    /// How each target was when they began to hold.
    pub(crate) runs: BTreeMap<ContainerId, Run>,
    /// How many looks in a row found so.
    pub(crate) looks: i64,
    /// Targets that were inspected since it began, or since the engine came back in sight.
    pub(crate) inspected: Vec<ContainerId>,
    /// An inspect counts that shows a target as it was then, or later.
    pub(crate) fresh_from: Timestamp,
    /// The engine was out of sight: without an inspect nothing is believed.
    pub(crate) must_inspect: bool,
    /// When to look next.
    pub(crate) next_look: Timestamp,
}

/// How a target was when everything began to hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Run {
    /// `State.StartedAt`.
    started_at: String,
    /// `RestartCount`.
    restarts: u32,
    /// Errors that it had logged.
    errors: u64,
}

impl Run {
    fn of(facts: &Facts) -> Self {
        Self {
            started_at: facts.container.started_at_raw.clone(),
            restarts: facts.container.restart_count,
            errors: facts.errors.total(),
        }
    }
}

impl Verification {
    pub(crate) fn new(
        world: &World,
        targets: Vec<ContainerId>,
        ours: bool,
        hold: SignedDuration,
        now: Timestamp,
    ) -> Self {
        let verdict = targets
            .iter()
            .filter_map(|t| world.containers.get(t)?.container.health_check.as_ref())
            .filter_map(|h| SignedDuration::try_from(h.longest_verdict()).ok())
            .max()
            .unwrap_or(SHORTEST);
        Self {
            ours,
            targets,
            began: now,
            deadline: now + verdict.clamp(SHORTEST, LONGEST),
            hold,
            holds_since: None,
            runs: BTreeMap::new(),
            looks: 0,
            inspected: Vec::new(),
            fresh_from: now,
            must_inspect: false,
            next_look: now,
        }
    }

    /// A target was inspected; the inspect shows it as it was at `shows`.
    pub(crate) fn saw(&mut self, container: &ContainerId, shows: Timestamp) {
        if shows >= self.fresh_from && !self.inspected.contains(container) {
            self.inspected.push(container.clone());
        }
    }

    /// The engine is out of sight: what held is not known any more.
    pub(crate) fn loses_sight(&mut self) {
        self.forget_hold();
        self.inspected.clear();
    }

    /// The engine is back in sight after `lost`: everything is looked at anew, and the time that
    /// nobody could see is given back.
    pub(crate) fn sees_again(&mut self, lost: SignedDuration, now: Timestamp) {
        self.loses_sight();
        self.deadline = clock::moved(self.deadline, lost);
        self.fresh_from = now;
        self.must_inspect = true;
        self.next_look = now;
    }

    /// The wall clock jumped by `by`, and everything that is waited for with it.
    pub(crate) fn clock_jumped(&mut self, by: SignedDuration) {
        let times =
            [&mut self.began, &mut self.deadline, &mut self.fresh_from, &mut self.next_look];
        clock::shift(times.into_iter().chain(self.holds_since.as_mut()), by);
    }

    fn forget_hold(&mut self) {
        self.holds_since = None;
        self.looks = 0;
        self.runs.clear();
    }

    /// Takes over what the oracles say now: since when they hold, and on which run.
    pub(crate) fn take(&mut self, world: &World, all: bool, now: Timestamp) {
        if !all {
            self.forget_hold();
            return;
        }
        self.looks += 1;
        if self.holds_since.is_none() {
            self.holds_since = Some(now);
            let run = |t: &ContainerId| Some((t.clone(), Run::of(world.containers.get(t)?)));
            self.runs = self.targets.iter().filter_map(run).collect();
        }
    }

    /// Every oracle held for long enough, and was asked often enough meanwhile: after a sleep of
    /// the machine much time is over and nothing was seen.
    pub(crate) fn has_passed(&self, now: Timestamp) -> bool {
        let looks = i64::try_from(self.hold.as_millis() / LOOK.as_millis()).unwrap_or(i64::MAX);
        self.looks >= looks.max(LEAST_LOOKS)
            && self.holds_since.is_some_and(|since| now.duration_since(since) >= self.hold)
    }

    /// Something still does not hold when all should.
    pub(crate) fn is_late(&self, now: Timestamp) -> bool {
        self.holds_since.is_none() && now >= self.deadline
    }

    /// Asks every oracle. `last_sign` is when the incident's last anomaly arrived.
    pub(crate) fn checks(
        &self,
        world: &World,
        incident: &Incident,
        last_sign: Option<Timestamp>,
        now: Timestamp,
    ) -> Vec<Check> {
        let mut checks = Vec::new();
        for target in &self.targets {
            match world.containers.get(target) {
                Some(facts) => self.of_target(&facts.container, now, &mut checks),
                None => checks.push(check("running", false, "the container is gone".to_owned())),
            }
        }
        // One that needs it may complain a little longer; what counts is that it stops: every
        // complaint starts the wait anew.
        let quiet = QUIET.min(self.hold);
        let noise = last_sign.is_some_and(|at| at > self.began && now.duration_since(at) < quiet);
        let said = incident.anomalies.last().filter(|_| noise);
        checks.push(check(
            "signals_quiet",
            !noise,
            said.map_or_else(|| "its own signals are quiet".to_owned(), |a| a.summary.clone()),
        ));
        if self.ours {
            let rates = self.targets.iter().filter_map(|t| world.containers.get(t));
            checks.extend(rates.map(|f| self.error_rate(f, incident, now)));
        }
        if incident.class == FailureClass::CpuThrottled {
            checks.extend(self.targets.iter().filter_map(|t| held_back(world.containers.get(t)?)));
        }
        checks.push(self.dependents(world, incident));
        checks
    }

    fn of_target(&self, container: &Container, now: Timestamp, checks: &mut Vec<Check>) {
        let name = &container.of.name;
        let id = &container.of.id;
        // The event says that it runs; the inspect says since when.
        let waited = !self.must_inspect && now.duration_since(self.began) >= INSPECT_WAIT;
        let seen = self.inspected.contains(id) || waited;
        let running = container.state == RunState::Running;
        checks.push(check(
            "running",
            running && seen,
            if running && !seen {
                format!("{name} is about to be inspected")
            } else {
                format!("{name} is {}", container.state)
            },
        ));
        let run = self.runs.get(id);
        let same = run.is_none_or(|run| run.started_at == container.started_at_raw);
        checks.push(check(
            "same_start",
            same,
            if same {
                format!("{name} runs since {}", container.started_at_raw)
            } else {
                format!("{name} was started again meanwhile")
            },
        ));
        let before = run.map_or(container.restart_count, |run| run.restarts);
        checks.push(check(
            "restarts_unchanged",
            before == container.restart_count,
            format!("{name}: restarts {before} → {}", container.restart_count),
        ));
        let (healthy, words) = match container.health {
            Health::None => (true, "it has no health check"),
            Health::Healthy => (true, "its health check passes"),
            Health::Starting => (false, "its health check has no verdict yet"),
            Health::Unhealthy => (false, "its health check fails"),
        };
        checks.push(check("healthy", healthy, format!("{name}: {words}")));
    }

    /// Whether a target logs no more errors than before the fault, since all holds: at most twice
    /// the rate of the ten minutes before, and a few for the start.
    fn error_rate(&self, facts: &Facts, incident: &Incident, now: Timestamp) -> Check {
        const NAME: &str = "error_rate";
        let name = &facts.container.of.name;
        let Some(before) = facts.errors.per_second_before(incident.observed_at, BEFORE) else {
            let words = format!("{name}: its errors before the fault are not known");
            return check(NAME, true, words);
        };
        let run = self.runs.get(&facts.container.of.id);
        let since = self.holds_since.map_or(SignedDuration::ZERO, |at| now.duration_since(at));
        let seconds = since.as_secs_f64();
        let total = facts.errors.total();
        let errors = total.saturating_sub(run.map_or(total, |run| run.errors));
        let most = START_ERRORS + 2.0 * before * seconds;
        let words = format!(
            "{name}: {errors} errors in {seconds:.0} s, {:.1} a minute before the fault",
            before * 60.0
        );
        check(NAME, errors as f64 <= most, words)
    }

    fn dependents(&self, world: &World, incident: &Incident) -> Check {
        let roots: Vec<&Facts> =
            self.targets.iter().filter_map(|t| world.containers.get(t)).collect();
        let bad = world.containers.values().find(|f| {
            let down_now = f.container.is_down_or_sick();
            let newly = f.changed_at.is_some_and(|at| at > self.began);
            let id = &f.container.of.id;
            down_now
                && newly
                && !self.targets.contains(id)
                && f.stopped_by_operator.is_none()
                && (id == &incident.container.id
                    || roots.iter().any(|root| topology::needs(world, f, root, None).is_some()))
        });
        check(
            "dependents",
            bad.is_none(),
            bad.map_or_else(
                || "nothing that needs it got worse".to_owned(),
                |f| format!("{} needs it and got worse", f.container.of.name),
            ),
        )
    }
}

/// A quota that is still too small shows in the readings only: it is told once, while it lasts.
fn held_back(facts: &Facts) -> Option<Check> {
    let percent = facts.usage.as_ref()?.throttled_pct?;
    let name = &facts.container.of.name;
    let detail = format!("{name} is held back in {percent:.0} % of its periods");
    Some(check("not_held_back", percent <= THROTTLED, detail))
}

/// How long a recovery that we only watch must hold. Text alone has no state that one could look
/// at, a loop comes back after a pause, and a restart gives back no memory that is too small:
/// these take longer to believe.
pub(crate) fn patience(incident: &Incident, hold: SignedDuration) -> SignedDuration {
    let observed = incident.anomalies.iter().any(|a| a.kind.is_engine_observed());
    match incident.class {
        FailureClass::CrashLoop | FailureClass::Flapping | FailureClass::OomKill => hold * 10,
        _ if !observed => hold * 4,
        _ => hold,
    }
}

pub(crate) fn check(name: &str, passed: bool, detail: String) -> Check {
    Check { name: name.to_owned(), passed, detail }
}
