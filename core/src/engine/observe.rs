//! What the signals say of the containers: the world as the engine knows it.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use crate::diagnose::topology;
use crate::diagnose::world::Facts;
use crate::domain::container::{Container, Health, RunState};
use crate::domain::event::{ContainerWire, Event};
use crate::domain::ids::ContainerId;
use crate::domain::life::{LifeEvent, LifeKind};
use crate::domain::log::LogLine;
use crate::engine::{Engine, Turn};

/// A kill through the engine explains a death within the stop timeout plus this.
const KILL_SLACK: SignedDuration = SignedDuration::from_secs(2);

/// What was made of an event of a container's life.
struct Aftermath {
    /// It is of our own making.
    ours: bool,
    /// Its process ended: with this status, and whether somebody asked for it.
    ended: Option<(i64, bool)>,
    /// It ended while nobody could see why.
    unseen: bool,
    /// Somebody stopped it.
    stopped: bool,
}

impl Engine {
    /// Lines of one container.
    pub(crate) fn heard(&mut self, lines: &[LogLine]) {
        for line in lines {
            if let Some(facts) = self.world.containers.get_mut(&line.container) {
                facts.heard(line);
            }
            let known = self.world.containers.contains_key(&line.container);
            self.board.heard(line, known);
        }
    }

    /// A container as inspected: in order with the events, or `asked_at` some time. An answer to
    /// a question counts only if nothing newer is known: what was removed does not come back.
    pub(crate) fn inspected(
        &mut self,
        container: Container,
        asked_at: Option<Timestamp>,
        turn: &mut Turn,
    ) {
        let id = container.of.id.clone();
        let known = self.world.containers.get(&id);
        if asked_at.is_some_and(|asked| known.is_none_or(|f| f.has_overtaken(asked))) {
            return;
        }
        let is_up = container.is_up();
        self.remember_spec(&container, turn);
        let known = self.world.containers.get(&id);
        if !known.is_some_and(|f| topology::is_wired_alike(&f.container, &container)) {
            self.edges = None;
        }
        let wire = ContainerWire::from(&container);
        match self.world.containers.get_mut(&id) {
            None => {
                let facts = Facts { ordered_at: Some(turn.now), ..Facts::new(container) };
                self.world.containers.insert(id.clone(), facts);
                turn.emit(Event::ContainerSeen { container: wire });
            }
            // It was looked at before the death that we know of: what it says is history.
            Some(facts) if facts.is_outdated(&container) => return,
            Some(facts) => {
                if asked_at.is_none() {
                    facts.ordered_at = Some(turn.now);
                }
                let old = &facts.container;
                let changed = old.state != container.state
                    || old.health != container.health
                    || old.of != container.of;
                if container.state == RunState::Running {
                    facts.stopped_by_operator = None;
                    facts.ended_run = None;
                    facts.crashed = false;
                } else {
                    facts.usage = None;
                }
                facts.was_healthy |= container.health == Health::Healthy;
                facts.container = Arc::new(container);
                if changed {
                    turn.emit(Event::ContainerChanged { container: wire });
                }
            }
        }
        self.seen_by_inspect(&id, asked_at.unwrap_or(turn.now));
        if is_up {
            self.successor_runs(&id, turn);
            self.started_meanwhile(&id, false, turn);
        }
    }

    pub(crate) fn gone(&mut self, id: &ContainerId, turn: &mut Turn) {
        // It died, and `--rm` takes it away. The incident stays open, for nobody meant it to end.
        let crashed =
            self.world.containers.get(id).is_some_and(|f| f.container.auto_remove && f.crashed);
        if crashed {
            // The last moment to say why.
            self.diagnose_now(id, turn);
        }
        self.edges = None;
        if let Some(facts) = self.world.containers.remove(id) {
            let wire = ContainerWire::from(facts.container.as_ref());
            turn.emit(Event::ContainerGone { container: wire });
        }
        self.board.forget(id);
        self.subject_gone(id, crashed, turn);
    }

    fn diagnose_now(&mut self, container: &ContainerId, turn: &mut Turn) {
        for id in self.open_ids() {
            let waits = self.incidents.get(&id).is_some_and(|o| {
                &o.incident.container.id == container
                    && (o.incident.diagnosis.is_none()
                        || o.work.rethink
                        || o.work.diagnose_by.is_some())
            });
            if waits && self.may_diagnose(&id) {
                self.diagnose(&id, turn);
            }
        }
    }

    /// The engine's events change what is known at once; the inspect that follows has the rest.
    pub(crate) fn life(&mut self, event: &LifeEvent, turn: &mut Turn) {
        let id = &event.container;
        let ours = self.own.claims(id, &event.kind, turn.now);
        // What is told after a time out of sight proves no operator's wish: an engine that crashed
        // ends what it finds left over when it starts again.
        let blind = self.is_blind();
        let Some(facts) = self.world.containers.get_mut(id) else { return };
        facts.changed_at = Some(turn.now);
        facts.ordered_at = Some(turn.now);
        let container = Arc::make_mut(&mut facts.container);
        let before = (container.state, container.health);
        let mut stopped = false;
        let mut unseen = false;
        let mut ended = None;
        match &event.kind {
            LifeKind::Start => {
                container.state = RunState::Running;
                if container.health != Health::None {
                    container.health = Health::Starting;
                }
                facts.stopped_by_operator = None;
                facts.killed_at = None;
                facts.killed_unseen = false;
                facts.log_ended_at = None;
                facts.crashed = false;
            }
            LifeKind::Die { exit_code } => {
                container.exit_code = *exit_code;
                container.finished_at = Some(event.at);
                let patience = SignedDuration::try_from(container.stop_timeout)
                    .unwrap_or(SignedDuration::from_secs(10))
                    .saturating_add(KILL_SLACK);
                let asked = !ours
                    && facts
                        .killed_at
                        .take()
                        .is_some_and(|at| event.at.duration_since(at) <= patience);
                let back = ours
                    || container.restart_policy.restarts_after(*exit_code, container.restart_count);
                container.state =
                    if back && !asked { RunState::Restarting } else { RunState::Exited };
                facts.ended_run = Some(container.started_at_raw.clone());
                facts.usage = None;
                unseen = facts.killed_unseen && !asked && !ours;
                facts.crashed = !asked && !ours && !unseen && *exit_code != 0;
                if !ours && !unseen {
                    ended = Some((*exit_code, asked));
                }
                if asked {
                    facts.stopped_by_operator = Some(event.at);
                    facts.stop_seen_at = Some(turn.now);
                    stopped = true;
                }
            }
            LifeKind::Kill { signal } => {
                let stops = *signal == container.stop_signal || matches!(signal, 2 | 3 | 9 | 15);
                if stops && !ours && blind {
                    facts.killed_unseen |= facts.killed_at.is_none();
                } else if stops && !ours {
                    facts.killed_at = Some(event.at);
                }
            }
            LifeKind::Stop => {
                container.state = RunState::Exited;
                facts.crashed = false;
                if blind && !ours {
                    unseen = facts.stopped_by_operator.is_none();
                } else if !ours {
                    // The death before it has told already.
                    stopped = facts.stopped_by_operator.is_none();
                    facts.stopped_by_operator = Some(event.at);
                    facts.stop_seen_at = Some(turn.now);
                }
            }
            LifeKind::Healthy => {
                container.health = Health::Healthy;
                facts.was_healthy = true;
            }
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
            | LifeKind::Disconnect { .. }
            | LifeKind::NetworkGone { .. }
            | LifeKind::ImageGone => {}
        }
        if stopped || (event.kind.is_by_hand() && !ours && !blind) {
            facts.worked_on_at = Some(event.at);
        }
        let changed = before != (container.state, container.health);
        let wire = ContainerWire::from(facts.container.as_ref());
        if changed {
            turn.emit(Event::ContainerChanged { container: wire });
        }
        self.after_life(event, &Aftermath { ours, ended, unseen, stopped }, turn);
    }

    /// What an event means beyond its own container.
    fn after_life(&mut self, event: &LifeEvent, after: &Aftermath, turn: &mut Turn) {
        let id = &event.container;
        if event.kind == LifeKind::Start {
            self.successor_runs(id, turn);
            self.started_meanwhile(id, true, turn);
        }
        if let Some((exit_code, asked)) = after.ended {
            self.suppress_end(id, exit_code, asked, turn);
        }
        let acted = matches!(event.kind, LifeKind::Pause | LifeKind::Disconnect { .. });
        if acted && !after.ours {
            self.suppress_act(id, &event.kind, turn);
        }
        if after.unseen {
            self.ended_unseen(id);
        }
        if after.stopped {
            self.operator_stopped(id, turn);
        }
    }
}
