//! The incident life cycle: state + signal + now -> effects. Synchronous, pure, replayable.
//!
//! Start at [`Engine::step`]. Files: [`effect`] what is asked of the shell, [`correlate`] which
//! incident an anomaly belongs to, [`cycle`] opening, diagnosing, staging, deciding,
//! [`fixing`] what comes back from tools, [`verify`] the oracles, [`requests`] what people ask,
//! [`explain`] the closing words, [`board`] what front ends see.

pub mod board;
pub mod correlate;
pub mod cycle;
pub mod effect;
pub mod explain;
pub mod fixing;
pub mod requests;
pub mod verify;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use crate::diagnose::world::{Facts, World};
use crate::domain::anomaly::Anomaly;
use crate::domain::container::{Container, Health, RunState};
use crate::domain::event::{ContainerWire, EngineWire, Event};
use crate::domain::ids::{ContainerId, IncidentId};
use crate::domain::incident::{Incident, IncidentState};
use crate::domain::life::{LifeEvent, LifeKind};
use crate::domain::plan::Actor;
use crate::domain::signal::Signal;
use crate::domain::snapshot::{Degraded, Mode};
use crate::engine::board::Board;
use crate::engine::correlate::Waiting;
use crate::engine::cycle::Work;
use crate::engine::effect::Effect;
use crate::policy::brakes::{Brakes, Limits};

/// Closed incidents kept in memory; the store has all.
const CLOSED_KEPT: usize = 50;
/// Anomalies kept that belong to no incident.
const ANOMALIES_KEPT: usize = 200;

/// What the engine is told at the start.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Name of the host, for ids.
    pub host: String,
    /// What may be done.
    pub mode: Mode,
    /// Whether this instance is the one that acts on the engine.
    pub elected: bool,
    /// Everything is watched.
    pub watch_all: bool,
    /// How long every oracle must hold before an incident is resolved.
    pub verify_hold: SignedDuration,
    /// How long a staged plan may wait for a decision.
    pub plan_expiry: SignedDuration,
    /// The brakes' bounds.
    pub limits: Limits,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            host: "localhost".to_owned(),
            mode: Mode::Approve,
            elected: true,
            watch_all: false,
            verify_hold: SignedDuration::from_secs(30),
            plan_expiry: SignedDuration::from_mins(15),
            limits: Limits::default(),
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
pub struct Engine {
    settings: Settings,
    world: World,
    board: Board,
    incidents: BTreeMap<IncidentId, Open>,
    waiting: Vec<Waiting>,
    anomalies: VecDeque<Arc<Anomaly>>,
    degraded: Vec<Degraded>,
    brakes: Brakes,
    counter: u64,
    attached: bool,
}

/// One turn: what time it is and what came of it.
#[derive(Debug)]
pub(crate) struct Turn {
    now: Timestamp,
    effects: Vec<Effect>,
    dirty: BTreeSet<IncidentId>,
}

impl Turn {
    fn emit(&mut self, event: Event) {
        self.effects.push(Effect::Emit(Box::new(event)));
    }
}

impl Engine {
    /// An engine that continues with the incidents of an earlier run. Plans that were being
    /// applied when it ended are looked at again, never repeated.
    pub fn new(settings: Settings, earlier: Vec<Incident>) -> Self {
        let mut brakes = Brakes::new(settings.limits);
        for incident in &earlier {
            cycle::recall(&mut brakes, incident);
        }
        let incidents = earlier
            .into_iter()
            .map(|i| (i.id.clone(), Open { incident: Arc::new(i), work: Work::default() }))
            .collect();
        Self {
            settings,
            world: World::default(),
            board: Board::default(),
            incidents,
            waiting: Vec::new(),
            anomalies: VecDeque::new(),
            degraded: Vec::new(),
            brakes,
            counter: 0,
            attached: false,
        }
    }

    /// Takes one signal, with what the detectors found in it, and says what is to be done.
    #[must_use]
    pub fn step(&mut self, signal: Signal, anomalies: Vec<Anomaly>, now: Timestamp) -> Vec<Effect> {
        let mut turn = Turn { now, effects: Vec::new(), dirty: BTreeSet::new() };
        self.take(signal, &mut turn);
        for anomaly in anomalies {
            self.anomaly(anomaly, &mut turn);
        }
        self.advance(&mut turn);
        for id in std::mem::take(&mut turn.dirty) {
            if let Some(open) = self.incidents.get(&id) {
                turn.effects.push(Effect::Save(Arc::clone(&open.incident)));
            }
        }
        self.prune();
        turn.effects
    }

    fn take(&mut self, signal: Signal, turn: &mut Turn) {
        match signal {
            Signal::Tick => {}
            Signal::Attached { engine, watched } => {
                let wire = EngineWire {
                    name: engine.name.clone(),
                    version: engine.version.clone(),
                    api: engine.api.clone(),
                };
                self.world.engine = engine;
                let names = watched.iter().map(|c| c.of.name.clone()).collect();
                for container in watched {
                    self.inspected(container, turn);
                }
                turn.emit(Event::MonitorStarted {
                    engine: wire,
                    mode: self.settings.mode.as_str().to_owned(),
                    watched: names,
                });
                if !std::mem::replace(&mut self.attached, true) {
                    self.resume_earlier(turn);
                }
            }
            Signal::Inspected { container, .. } => self.inspected(*container, turn),
            Signal::Gone { container } => self.gone(&container, turn),
            Signal::Life { event } => self.life(&event, turn),
            Signal::Logs { lines } => {
                for line in &lines {
                    if let Some(facts) = self.world.containers.get_mut(&line.container) {
                        facts.heard(line);
                    }
                    self.board.heard(line);
                }
            }
            Signal::LogEnd { container } => self.log_ended(&container),
            Signal::LogLost { container, count, why } => {
                self.board.lost(&container, count);
                let name = self.name_of(&container);
                turn.emit(Event::LogDropped { container: name, count, reason: why });
            }
            Signal::Usage { sample } => {
                if let Some(facts) = self.world.containers.get_mut(&sample.container) {
                    facts.usage = Some(sample.usage.clone());
                }
                self.board.usage(&sample);
            }
            Signal::Degraded { part, detail } => {
                self.degraded.retain(|d| d.part != part);
                self.degraded.push(Degraded {
                    part: part.clone(),
                    detail: detail.clone(),
                    since: turn.now,
                });
                turn.emit(Event::Degraded { part, detail });
            }
            Signal::Recovered { part, detail } => {
                self.degraded.retain(|d| d.part != part);
                turn.emit(Event::Recovered { part, detail });
            }
            Signal::Tools { tools } => {
                self.world.tools = tools;
                self.tools_changed(turn);
            }
            Signal::Command { request, actor, command } => {
                self.command(request, &actor, command, turn);
            }
            Signal::StepDone { incident, fix, result, .. } => {
                self.step_done(&incident, &fix, result, turn);
            }
            Signal::PlanStale { incident, why } => self.plan_stale(&incident, &why, turn),
            Signal::PlanDone { incident, ok } => self.plan_done(&incident, ok, turn),
            Signal::UndoDone { incident, result } => self.undo_done(&incident, &result, turn),
            Signal::Detached { why } => turn.emit(Event::MonitorStopped {
                counts: self.board.counts(self.incidents.len()),
                reason: why,
            }),
        }
    }

    fn inspected(&mut self, container: Container, turn: &mut Turn) {
        let id = container.of.id.clone();
        let wire = ContainerWire::from(&container);
        match self.world.containers.get_mut(&id) {
            None => {
                self.world.containers.insert(
                    id.clone(),
                    Facts {
                        container: Arc::new(container),
                        usage: None,
                        tail: VecDeque::new(),
                        stopped_by_operator: None,
                        changed_at: None,
                    },
                );
                turn.emit(Event::ContainerSeen { container: wire });
            }
            Some(facts) => {
                let old = &facts.container;
                let changed = old.state != container.state
                    || old.health != container.health
                    || old.of != container.of;
                if container.state == RunState::Running {
                    facts.stopped_by_operator = None;
                } else {
                    facts.usage = None;
                }
                facts.container = Arc::new(container);
                if changed {
                    turn.emit(Event::ContainerChanged { container: wire });
                }
            }
        }
        self.seen_by_inspect(&id);
    }

    fn gone(&mut self, id: &ContainerId, turn: &mut Turn) {
        if let Some(facts) = self.world.containers.remove(id) {
            let wire = ContainerWire::from(facts.container.as_ref());
            turn.emit(Event::ContainerGone { container: wire });
        }
        self.board.forget(id);
        self.subject_gone(id, turn);
    }

    /// The engine's events change what is known at once; the inspect that follows has the rest.
    fn life(&mut self, event: &LifeEvent, turn: &mut Turn) {
        let ours = self.is_being_fixed(&event.container);
        let Some(facts) = self.world.containers.get_mut(&event.container) else { return };
        facts.changed_at = Some(event.at);
        let container = Arc::make_mut(&mut facts.container);
        let before = (container.state, container.health);
        match &event.kind {
            LifeKind::Start => {
                container.state = RunState::Running;
                if container.health != Health::None {
                    container.health = Health::Starting;
                }
                facts.stopped_by_operator = None;
            }
            LifeKind::Die { exit_code } => {
                container.exit_code = *exit_code;
                container.finished_at = Some(event.at);
                let asked = facts.stopped_by_operator.is_some();
                let back =
                    container.restart_policy.restarts_after(*exit_code, container.restart_count);
                container.state =
                    if back && !asked { RunState::Restarting } else { RunState::Exited };
                facts.usage = None;
            }
            LifeKind::Kill { signal } => {
                let stops = *signal == container.stop_signal || matches!(signal, 2 | 3 | 9 | 15);
                if stops && !ours {
                    facts.stopped_by_operator = Some(event.at);
                }
            }
            LifeKind::Stop => {
                container.state = RunState::Exited;
                if !ours {
                    facts.stopped_by_operator = Some(event.at);
                }
            }
            LifeKind::Healthy => container.health = Health::Healthy,
            LifeKind::Unhealthy => container.health = Health::Unhealthy,
            LifeKind::Pause => container.state = RunState::Paused,
            LifeKind::Unpause => container.state = RunState::Running,
            LifeKind::Create
            | LifeKind::Restart
            | LifeKind::Oom
            | LifeKind::Destroy
            | LifeKind::Rename
            | LifeKind::Update
            | LifeKind::Connect { .. }
            | LifeKind::Disconnect { .. } => {}
        }
        let changed = before != (container.state, container.health);
        let wire = ContainerWire::from(facts.container.as_ref());
        let stopped = matches!(event.kind, LifeKind::Die { .. } | LifeKind::Stop)
            && facts.stopped_by_operator.is_some();
        if changed {
            turn.emit(Event::ContainerChanged { container: wire });
        }
        if stopped && !ours {
            self.operator_stopped(&event.container, turn);
        }
    }

    /// When the engine wants to be woken although nothing happened.
    pub fn wake_at(&self) -> Option<Timestamp> {
        let works = self.incidents.values().filter_map(|o| o.work.wake_at());
        let plans =
            self.incidents.values().filter(|o| !o.incident.state.is_closed()).filter_map(|o| {
                o.incident.plan.as_ref().filter(|p| p.is_staged()).map(|p| p.expires_at)
            });
        works.chain(plans).chain(self.waiting.iter().map(|w| w.until)).min()
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

    fn open_ids(&self) -> Vec<IncidentId> {
        self.incidents
            .iter()
            .filter(|(_, o)| !o.incident.state.is_closed())
            .map(|(id, _)| id.clone())
            .collect()
    }

    /// Whether a plan of ours is being applied to a container right now.
    fn is_being_fixed(&self, container: &ContainerId) -> bool {
        self.incidents.values().any(|o| {
            o.incident.state == IncidentState::Fixing
                && o.incident
                    .plan
                    .as_ref()
                    .is_some_and(|p| p.steps.iter().any(|s| &s.target.id == container))
        })
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
            .filter(|(_, o)| o.incident.state.is_closed())
            .map(|(id, _)| id.clone())
            .collect();
        let excess = closed.len().saturating_sub(CLOSED_KEPT);
        for id in closed.into_iter().take(excess) {
            self.incidents.remove(&id);
        }
        while self.anomalies.len() > ANOMALIES_KEPT {
            self.anomalies.pop_front();
        }
    }

    /// Whether any incident still needs somebody.
    pub fn open_incidents(&self) -> usize {
        self.incidents.values().filter(|o| !o.incident.state.is_closed()).count()
    }
}
