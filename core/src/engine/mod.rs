//! The incident life cycle: state + signal + now -> effects. Synchronous, pure, replayable.
//!
//! Start at [`Engine::step`]. In the order of an incident's life: `observe` what the signals say
//! of the containers, `correlate` which incident an anomaly belongs to, `opening`, `merge`,
//! `diagnosing`, `staging`, `deciding`, `fixing` what comes back from tools, `verify` and
//! `oracles` whether it is mended, `requests` what people ask.
//! Beside it: [`effect`] what is asked of the shell, `board` what front ends see, `resume` what an
//! earlier run left open, `own_calls` which events are of our own making, `sight` what is out of
//! sight, `remembering` how services were configured, `experience` what became of past incidents,
//! `quiet` what is left alone on purpose, `editing`, `snoozing`, `granting` and `rehearsing` what
//! people do with a plan besides yes and no, `clock` a clock that jumps, `handover` when the keeper
//! ended, [`consulting`] asking language models, `work`, `turn` and `records`.

mod board;
mod clock;
pub mod consulting;
mod correlate;
mod deciding;
mod diagnosing;
mod editing;
pub mod effect;
mod experience;
mod fixing;
mod granting;
mod handover;
mod merge;
mod neighbours;
mod observe;
mod opening;
mod oracles;
mod own_calls;
mod quiet;
mod records;
mod rehearsing;
mod remembering;
mod requests;
mod resume;
mod sight;
mod snoozing;
mod staging;
mod storm;
mod switch;
mod turn;
mod undo;
mod verify;
mod work;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::diagnose::world::World;
use crate::domain::anomaly::Anomaly;
use crate::domain::event::{EngineWire, Event};
use crate::domain::ids::{ContainerId, IncidentId};
use crate::domain::incident::{Incident, IncidentState};
use crate::domain::past::Past;
use crate::domain::plan::Actor;
use crate::domain::signal::Signal;
use crate::domain::snapshot::{Degraded, Mode};
use crate::domain::topology::Edge;
use crate::engine::board::Board;
use crate::engine::consulting::{Consults, Roles};
use crate::engine::correlate::Waiting;
use crate::engine::diagnosing::TOOLS_WAIT;
use crate::engine::effect::Effect;
use crate::engine::own_calls::OwnCalls;
use crate::engine::quiet::Quiet;
use crate::engine::turn::Turn;
use crate::engine::work::Work;
use crate::policy::brakes::Brakes;
use crate::policy::limits::Limits;
use crate::policy::rules::Rules;

/// Closed incidents kept in memory; the store has all.
const CLOSED_KEPT: usize = 50;

/// What the engine is told at the start.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default)]
pub struct Settings {
    /// Name of the host, for ids.
    pub host: String,
    /// What may be done.
    pub mode: Mode,
    /// Whether this instance is the one that acts on the engine.
    pub elected: bool,
    /// Whether this instance keeps the record of its state folder. Otherwise another one does:
    /// incidents of earlier runs are shown as they were, and nothing is saved, audited or decided.
    pub keeps: bool,
    /// Everything is watched.
    pub watch_all: bool,
    /// How long every oracle must hold before an incident is resolved.
    pub verify_hold: SignedDuration,
    /// How long a staged plan may wait for a decision.
    pub plan_expiry: SignedDuration,
    /// The brakes' bounds.
    pub limits: Limits,
    /// What the configuration asks of the policy.
    pub rules: Rules,
    /// Which language models there are to ask.
    pub models: Roles,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            host: "localhost".to_owned(),
            mode: Mode::Approve,
            elected: true,
            keeps: true,
            watch_all: false,
            verify_hold: SignedDuration::from_secs(30),
            plan_expiry: SignedDuration::from_mins(15),
            limits: Limits::default(),
            rules: Rules::default(),
            models: Roles::default(),
        }
    }
}

/// An incident with the engine's own notes on it.
#[derive(Debug)]
struct Open {
    incident: Arc<Incident>,
    work: Work,
}

/// All state of the life cycle.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "facts that hold or do not, independently")]
pub struct Engine {
    settings: Settings,
    world: World,
    board: Board,
    incidents: BTreeMap<IncidentId, Open>,
    waiting: Vec<Waiting>,
    anomalies: VecDeque<Arc<Anomaly>>,
    degraded: Vec<Degraded>,
    brakes: Brakes,
    own: OwnCalls,
    counter: u64,
    attached: bool,
    /// The MCP servers have said once what they offer.
    tools_announced: bool,
    /// They should have by then.
    tools_due: Option<Timestamp>,
    /// Incidents of earlier runs that another instance keeps: for front ends only.
    shown: Vec<Arc<Incident>>,
    /// Since when the container engine is out of sight.
    blind_since: Option<Timestamp>,
    /// Nothing new is begun any more.
    standing_down: bool,
    /// The next step takes up what another instance left, and these anomalies of our own.
    adopted: Option<Vec<Anomaly>>,
    /// The next step decides about staged plans anew.
    reconsider: bool,
    quiet: Quiet,
    /// What is kept in mind of incidents that have ended, oldest first.
    past: Arc<Vec<Past>>,
    /// Who needs whom, as far as known; `None` when that may have changed.
    edges: Option<Arc<Vec<Edge>>>,
    consults: Consults,
}

impl Open {
    fn new(incident: Incident) -> Self {
        Self { incident: Arc::new(incident), work: Work::default() }
    }
}

impl Engine {
    /// An engine that continues with the incidents of an earlier run. Plans that were being
    /// applied when it ended are looked at again, never repeated.
    pub fn new(settings: Settings, earlier: Vec<Incident>) -> Self {
        let mut brakes = Brakes::new(settings.limits);
        for incident in &earlier {
            resume::recall(&mut brakes, incident);
        }
        let past = experience::of(&earlier);
        let (own, shown) =
            if settings.keeps { (earlier, Vec::new()) } else { (Vec::new(), earlier) };
        let incidents = own.into_iter().map(|i| (i.id.clone(), Open::new(i))).collect();
        Self {
            settings,
            world: World::default(),
            board: Board::default(),
            incidents,
            waiting: Vec::new(),
            anomalies: VecDeque::new(),
            degraded: Vec::new(),
            brakes,
            own: OwnCalls::default(),
            counter: 0,
            attached: false,
            tools_announced: false,
            tools_due: None,
            shown: resume::most_recent(shown),
            blind_since: None,
            standing_down: false,
            adopted: None,
            reconsider: false,
            quiet: Quiet::default(),
            past: Arc::new(past),
            edges: None,
            consults: Consults::default(),
        }
    }

    /// Takes one signal, with what the detectors found in it, and says what is to be done.
    #[must_use]
    pub fn step(&mut self, signal: Signal, anomalies: Vec<Anomaly>, now: Timestamp) -> Vec<Effect> {
        let mut turn = Turn { now, effects: Vec::new(), dirty: BTreeSet::new() };
        self.take_over(&mut turn);
        self.take(signal, &mut turn);
        for anomaly in anomalies {
            self.anomaly(anomaly, &mut turn);
        }
        self.advance(&mut turn);
        self.consult(&mut turn);
        self.keep_in_mind(&turn.dirty);
        if self.settings.keeps {
            let saved = turn.dirty.iter().filter_map(|id| self.incidents.get(id));
            turn.effects.extend(saved.map(|open| Effect::Save(Arc::clone(&open.incident))));
        } else {
            let kept = |effect: &Effect| {
                matches!(
                    effect,
                    Effect::Audit(_)
                        | Effect::Remember { .. }
                        | Effect::SaveSilences(_)
                        | Effect::SaveBrakes(_)
                        | Effect::SaveJudged(_)
                )
            };
            turn.effects.retain(|effect| !kept(effect));
        }
        self.prune();
        turn.effects
    }

    fn take(&mut self, signal: Signal, turn: &mut Turn) {
        match signal {
            Signal::Tick => self.remember_well(turn),
            Signal::Attached { engine, watched } => {
                let wire = EngineWire::of(&engine);
                self.world.engine = engine;
                let names = watched.iter().map(|c| c.of.name.clone()).collect();
                for container in watched {
                    self.inspected(container, None, turn);
                }
                turn.emit(Event::MonitorStarted {
                    engine: wire,
                    mode: self.settings.mode.as_str().to_owned(),
                    watched: names,
                });
                if !std::mem::replace(&mut self.attached, true) {
                    self.tools_due = Some(turn.now + TOOLS_WAIT);
                    self.resume_earlier(turn);
                }
            }
            Signal::Inspected { container, asked_at, .. } => {
                self.inspected(*container, asked_at, turn);
            }
            Signal::Gone { container } => self.gone(&container, turn),
            Signal::Life { event } => self.life(&event, turn),
            Signal::Logs { lines } => self.heard(&lines),
            Signal::LogEnd { container } => self.log_ended(&container, turn),
            Signal::LogLost { container, count, why } => {
                let known = self.world.containers.contains_key(&container);
                self.board.lost(&container, count, known);
                let name = self.name_of(&container);
                turn.emit(Event::LogDropped { container: name, count, reason: why });
            }
            Signal::Usage { sample } => {
                let facts = self.world.containers.get_mut(&sample.container);
                let known = facts.is_some();
                if let Some(facts) = facts {
                    facts.usage = Some(sample.usage.clone());
                }
                self.board.usage(&sample, known);
            }
            Signal::Degraded { part, detail } => self.part_degraded(part, detail, turn),
            Signal::Recovered { part, detail } => self.part_recovered(part, detail, turn),
            Signal::Tools { tools } => {
                self.world.tools = tools;
                self.tools_announced = true;
                self.tools_changed(turn);
            }
            Signal::Command { request, actor, command } => {
                self.command(request, &actor, command, turn);
            }
            Signal::StepDone { incident, fix, result, replaced_by, .. } => {
                self.step_done(&incident, &fix, result, replaced_by, turn);
            }
            Signal::StepProgress { incident, fix, words } => {
                self.step_progress(&incident, &fix, &words, turn);
            }
            Signal::PlanStale { incident, why } => self.plan_stale(&incident, &why, turn),
            Signal::PlanDone { incident, ok } => self.plan_done(&incident, ok, turn),
            Signal::UndoDone { incident, result, replaced_by } => {
                self.undo_done(&incident, &result, replaced_by, turn);
            }
            Signal::Model { word } => self.model_said(*word, turn),
            Signal::Detached { why } => turn.emit(Event::MonitorStopped {
                counts: self.board.counts(self.incidents.len(), self.quiet.total()),
                reason: why,
            }),
        }
    }

    /// Everything that is due now, and what that makes due, in so many rounds at most.
    fn advance(&mut self, turn: &mut Turn) {
        const ROUNDS: usize = 4;
        self.end_silences(turn);
        self.end_grants(turn);
        self.settle_waiting(turn);
        for id in self.tended_ids() {
            for _ in 0..ROUNDS {
                self.tend(&id, turn);
                if self.due_at(&id).is_none_or(|at| at > turn.now) {
                    break;
                }
            }
        }
    }

    fn tend(&mut self, id: &IncidentId, turn: &mut Turn) {
        self.wake(id, turn);
        self.expire(id, turn);
        self.overdue(id, turn);
        self.operator_decided(id, turn);
        self.give_up_on_tools(id, turn);
        if self.diagnosis_due(id, turn.now) {
            self.diagnose(id, turn);
        }
        let retry = self.incidents.get(id).and_then(|o| o.work.retry_at);
        if retry.is_some_and(|at| at <= turn.now) {
            self.consider(id, turn);
        }
        self.analyze(id, turn);
        self.verify(id, turn);
    }

    /// When an incident wants to be tended although nothing happened.
    fn due_at(&self, id: &IncidentId) -> Option<Timestamp> {
        let Open { incident, work } = self.incidents.get(id)?;
        if incident.state.is_closed() {
            return work.result_by;
        }
        let plan = incident.plan.as_ref().filter(|p| p.is_staged());
        let due = [
            work.diagnose_by.filter(|_| self.may_diagnose(id)),
            work.retry_at.filter(|_| plan.is_some()),
            work.verification.as_ref().map(|v| v.next_look).filter(|_| !self.is_blind()),
            work.result_by,
            work.stopped_until.filter(|_| incident.state != IncidentState::Fixing),
            work.tools_by,
            plan.map(|p| incident.snoozed_until().unwrap_or_else(|| work.expiry(p))),
            work.analyze_at,
        ];
        due.into_iter().flatten().min()
    }

    /// When the engine wants to be woken although nothing happened. After the step at that time
    /// it names a later one, or none.
    pub fn wake_at(&self) -> Option<Timestamp> {
        if self.adopted.is_some() || self.reconsider {
            return Some(Timestamp::UNIX_EPOCH);
        }
        let due = self.incidents.keys().filter_map(|id| self.due_at(id));
        let waits = self.waiting.iter().map(|w| w.until).chain(self.triage_due_at());
        due.chain(waits).chain(self.silence_ends()).chain(self.brakes.grants_end()).min()
    }

    /// An open incident may be changed; the change is saved at the end of the turn.
    fn edit<'e>(
        &'e mut self,
        id: &IncidentId,
        turn: &mut Turn,
    ) -> Option<(&'e mut Incident, &'e mut Work)> {
        let open = self.incidents.get_mut(id)?;
        turn.dirty.insert(id.clone());
        Some((Arc::make_mut(&mut open.incident), &mut open.work))
    }

    /// Incidents that something may be due for: open ones, and those whose fix is being taken back.
    fn tended_ids(&self) -> Vec<IncidentId> {
        let tended = |o: &Open| !o.incident.state.is_closed() || o.work.undoing;
        self.incidents.iter().filter(|(_, o)| tended(o)).map(|(id, _)| id.clone()).collect()
    }

    fn open_ids(&self) -> Vec<IncidentId> {
        self.incidents
            .iter()
            .filter(|(_, o)| !o.incident.state.is_closed())
            .map(|(id, _)| id.clone())
            .collect()
    }

    fn name_of(&self, container: &ContainerId) -> String {
        self.world
            .containers
            .get(container)
            .map_or_else(|| container.short().to_owned(), |f| f.container.of.name.clone())
    }

    fn note(&mut self, id: &IncidentId, actor: Actor, what: String, turn: &mut Turn) {
        let now = turn.now;
        if let Some((incident, _)) = self.edit(id, turn) {
            incident.note(now, actor, what);
        }
    }

    /// The oldest closed incidents leave memory; the store keeps them.
    fn prune(&mut self) {
        let closed: Vec<IncidentId> = self
            .incidents
            .iter()
            .filter(|(_, o)| o.incident.state.is_closed() && !o.work.undoing)
            .map(|(id, _)| id.clone())
            .collect();
        let excess = closed.len().saturating_sub(CLOSED_KEPT);
        for id in closed.into_iter().take(excess) {
            self.incidents.remove(&id);
        }
    }

    /// sentinel-tui is about to end: no plan is approved any more. What is under way comes back
    /// as ever.
    pub fn stand_down(&mut self) {
        self.standing_down = true;
    }

    /// Whether any incident still needs somebody.
    pub fn open_incidents(&self) -> usize {
        self.incidents.values().filter(|o| !o.incident.state.is_closed()).count()
    }
}
