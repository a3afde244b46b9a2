//! A world in which a story is told to detector and engine: a clock that only the story moves,
//! containers that change as the story says, tools that work, fail or stay silent.

use std::borrow::Cow;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use sentinel_core::consult::brief::Brief;
use sentinel_core::consult::triage::{Batch, Judged};
use sentinel_core::detect::score::learned::ServiceKey;
use sentinel_core::detect::{Detector, reader};
use sentinel_core::domain::audit::{AuditAction, AuditRecord};
use sentinel_core::domain::brakes::KeptBrakes;
use sentinel_core::domain::command::Command;
use sentinel_core::domain::container::{
    Attachment, Container, ContainerRef, Health, HealthCheck, LABEL_MONITOR, RunState,
};
use sentinel_core::domain::event::Event;
use sentinel_core::domain::ids::{ContainerId, IncidentId};
use sentinel_core::domain::incident::{Incident, IncidentState, MAX_TIMELINE};
use sentinel_core::domain::life::{LifeEvent, LifeKind};
use sentinel_core::domain::log::{LogLine, Stream};
use sentinel_core::domain::plan::{Actor, FixState, Plan};
use sentinel_core::domain::quiet::Silence;
use sentinel_core::domain::signal::{NO_LEAVE, Signal, UNRECORDED};
use sentinel_core::domain::size::parse_bytes;
use sentinel_core::domain::snapshot::{EngineInfo, Mode};
use sentinel_core::domain::spec::History;
use sentinel_core::domain::tool::{Tool, ToolHints, ToolResult};
use sentinel_core::domain::usage::{Usage, UsageSample};
use sentinel_core::engine::effect::Effect;
use sentinel_core::engine::{Engine, Settings};
use sentinel_core::session::input::Input;
use sentinel_core::session::wire::Given;

pub(crate) const SECOND: SignedDuration = SignedDuration::from_secs(1);

pub(crate) fn millis(count: i64) -> SignedDuration {
    SignedDuration::from_millis(count)
}

pub(crate) fn seconds(count: i64) -> SignedDuration {
    SignedDuration::from_secs(count)
}

/// What the tools of the story do with an approved plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tools {
    /// Every call works, and its events arrive before its result.
    Work,
    /// Every call works, and its events arrive after its result.
    WorkEventsLate,
    /// The call of this step fails.
    FailAt(u32),
    /// The preconditions do not hold any more.
    Stale,
    /// What must be on disk before the first call cannot be written.
    Unrecorded,
    /// Another instance has the lease on the target.
    Leased,
    /// Nothing ever comes back.
    Silent,
}

/// What language models were asked.
#[derive(Default)]
pub(crate) struct Asked {
    pub(crate) batches: Vec<Batch>,
    pub(crate) briefs: Vec<Arc<Brief>>,
    pub(crate) called_off: Vec<IncidentId>,
    pub(crate) to_explain: Vec<Arc<Incident>>,
}

/// A story under way.
pub(crate) struct Story {
    detector: Detector,
    /// What detector and engine are given, as a recording has it, if that is wanted.
    pub(crate) recording: Option<Vec<Vec<u8>>>,
    pub(crate) engine: Engine,
    pub(crate) now: Timestamp,
    pub(crate) truth: BTreeMap<String, Container>,
    pub(crate) tools: Tools,
    /// An undo never comes back.
    pub(crate) undo_is_silent: bool,
    /// Inspects that the engine asks for are answered after this long; `None`: never.
    pub(crate) inspect_after: Option<SignedDuration>,
    pending: VecDeque<(Timestamp, Signal)>,
    pub(crate) events: Vec<(Timestamp, Event)>,
    pub(crate) saved: BTreeMap<IncidentId, Incident>,
    /// How often the engine had something saved.
    pub(crate) saves: usize,
    pub(crate) audit: Vec<AuditRecord>,
    /// Silences as last kept.
    pub(crate) silences: Vec<Silence>,
    /// Kill switch and failing servers as last kept.
    pub(crate) brakes: KeptBrakes,
    /// What triage said, as last kept.
    pub(crate) judged: Vec<Judged>,
    /// What models were asked; nobody answers unless the story does.
    pub(crate) asked: Asked,
    /// What is remembered of each service.
    pub(crate) histories: BTreeMap<ServiceKey, History>,
    pub(crate) applied: Vec<Plan>,
    pub(crate) undone: Vec<Plan>,
    pub(crate) inspects: Vec<ContainerId>,
    replies: BTreeMap<u64, Result<String, String>>,
    request: u64,
    starts: u32,
    line_seq: BTreeMap<String, u64>,
    approved_events: usize,
}

/// A watched, running container with nothing special about it, on the network `net`.
pub(crate) fn container(name: &str) -> Container {
    Container {
        image: "app:1".to_owned(),
        image_id: "sha256:1".to_owned(),
        started_at_raw: "start-0".to_owned(),
        networks: vec![Attachment {
            network: "net".to_owned(),
            aliases: Vec::new(),
            address: String::new(),
        }],
        network_mode: "net".to_owned(),
        labels: BTreeMap::from([(LABEL_MONITOR.to_owned(), "true".to_owned())]),
        config_hash: "config-1".to_owned(),
        command: "app".to_owned(),
        ..Container::plain(ContainerRef {
            id: ContainerId(format!("{name:-<64}")),
            name: name.to_owned(),
            service: name.to_owned(),
            project: None,
        })
    }
}

/// The same with a health check that passes.
pub(crate) fn healthy(name: &str) -> Container {
    Container {
        health: Health::Healthy,
        health_check: Some(HealthCheck {
            test: vec!["CMD".to_owned(), "probe".to_owned()],
            interval: Duration::from_secs(5),
            timeout: Duration::from_secs(2),
            start_period: Duration::from_secs(20),
            retries: 3,
        }),
        ..container(name)
    }
}

pub(crate) fn settings(mode: Mode) -> Settings {
    Settings { host: "host-1".to_owned(), mode, ..Settings::default() }
}

pub(crate) fn tool(name: &str) -> Tool {
    Tool {
        server: "docker-control".to_owned(),
        name: name.to_owned(),
        description: String::new(),
        input_schema: serde_json::Value::Null,
        foreign: false,
        hints: ToolHints::default(),
    }
}

pub(crate) fn all_tools() -> Vec<Tool> {
    ["start_container", "stop_container", "restart_container", "update_resources"]
        .map(tool)
        .to_vec()
}

fn engine_info() -> EngineInfo {
    EngineInfo { name: "host-1".to_owned(), memory: 8 << 30, cpus: 4, ..EngineInfo::default() }
}

pub(crate) fn begin_at() -> Timestamp {
    Timestamp::UNIX_EPOCH + SignedDuration::from_hours(500_000)
}

impl Story {
    /// A story in which these containers are watched and all tools are there.
    pub(crate) fn new(mode: Mode, containers: Vec<Container>) -> Self {
        Self::with(settings(mode), Vec::new(), containers)
    }

    /// The same with other settings, and with the incidents of an earlier run.
    pub(crate) fn with(
        settings: Settings,
        earlier: Vec<Incident>,
        containers: Vec<Container>,
    ) -> Self {
        let mut story = Self::before_attach(settings, earlier, begin_at(), containers);
        story.feed(Signal::Tools { tools: all_tools() });
        story.attach();
        story
    }

    /// Another run of sentinel-tui on the same world at the same time.
    pub(crate) fn restarted(&self, settings: Settings) -> Self {
        let earlier = self.saved.values().cloned().collect();
        let truth = self.truth.values().cloned().collect();
        let mut story = Self::before_attach(settings, earlier, self.now, truth);
        story.starts = self.starts;
        story.engine.recall_brakes(self.brakes.clone());
        story.feed(Signal::Tools { tools: all_tools() });
        story.attach();
        story
    }

    /// A story in which the monitor is not attached yet and no tool was discovered.
    pub(crate) fn before_attach(
        settings: Settings,
        earlier: Vec<Incident>,
        now: Timestamp,
        containers: Vec<Container>,
    ) -> Self {
        let saved = earlier.iter().map(|i| (i.id.clone(), i.clone())).collect();
        Self {
            detector: Detector::new("run"),
            recording: None,
            engine: Engine::new(settings, earlier),
            now,
            truth: containers.into_iter().map(|c| (c.of.name.clone(), c)).collect(),
            tools: Tools::Work,
            undo_is_silent: false,
            inspect_after: Some(millis(10)),
            pending: VecDeque::new(),
            events: Vec::new(),
            saves: 0,
            saved,
            audit: Vec::new(),
            silences: Vec::new(),
            brakes: KeptBrakes::default(),
            judged: Vec::new(),
            asked: Asked::default(),
            histories: BTreeMap::new(),
            applied: Vec::new(),
            undone: Vec::new(),
            inspects: Vec::new(),
            replies: BTreeMap::new(),
            request: 0,
            starts: 0,
            line_seq: BTreeMap::new(),
            approved_events: 0,
        }
    }

    pub(crate) fn attach(&mut self) {
        let watched = self.truth.values().cloned().collect();
        self.feed(Signal::Attached { engine: engine_info(), watched });
    }

    /// The keeper of `story` ended; this one takes over and acts from now on.
    pub(crate) fn adopts(&mut self, story: &Self) {
        self.saved.clone_from(&story.saved);
        let earlier: Vec<Incident> = story.saved.values().cloned().collect();
        self.take_down(Input::Adopted(earlier.as_slice().into()));
        self.engine.adopt(earlier);
        self.take_down(Input::Elected(true));
        self.engine.elect(true);
        self.feed(Signal::Tick);
    }

    // ---- what happens

    /// Gives one signal to detector and engine, now.
    pub(crate) fn feed(&mut self, signal: Signal) {
        self.take_down(Input::Signal(Cow::Borrowed(&signal)));
        let anomalies = self.detector.observe(&signal, self.now);
        let effects = self.engine.step(signal, anomalies, self.now);
        for effect in effects {
            self.perform(effect);
        }
    }

    fn take_down(&mut self, input: Input<'_>) {
        if let Some(recording) = &mut self.recording {
            let line = serde_json::to_vec(&Given { at: self.now, input });
            recording.push(line.unwrap_or_else(|e| unreachable!("cannot be written: {e}")));
        }
    }

    /// Lets time pass: what is pending arrives, the engine is woken when it asks for it.
    pub(crate) fn pass(&mut self, time: SignedDuration) {
        let end = self.now + time;
        for _ in 0..200_000 {
            let pending = self.pending.iter().map(|(at, _)| *at).min();
            let wake = self.engine.wake_at();
            let next = pending.into_iter().chain(wake).min().filter(|at| *at <= end);
            let Some(next) = next else {
                self.now = end;
                return;
            };
            self.now = self.now.max(next);
            if let Some(at) = self.pending.iter().position(|(at, _)| *at <= self.now) {
                if let Some((_, signal)) = self.pending.remove(at) {
                    self.feed(signal);
                }
            } else {
                self.feed(Signal::Tick);
                let wake = self.engine.wake_at();
                assert!(
                    wake.is_none_or(|at| at > self.now),
                    "the engine wants to be woken in the past: the run loop would spin"
                );
            }
        }
        assert!(self.now >= end, "time does not pass");
    }

    /// The wall clock jumps while nothing happens: the shell notices and says so.
    pub(crate) fn clock_jumps(&mut self, by: SignedDuration) {
        self.now += by;
        for (at, _) in &mut self.pending {
            *at += by;
        }
        self.take_down(Input::ClockJumped(by));
        self.detector.clock_jumped(by);
        self.engine.clock_jumped(by);
    }

    /// Something arrives later.
    pub(crate) fn later(&mut self, after: SignedDuration, signal: Signal) {
        self.pending.push_back((self.now + after, signal));
    }

    pub(crate) fn id(&self, name: &str) -> ContainerId {
        self.truth.get(name).map_or_else(|| ContainerId(name.to_owned()), |c| c.of.id.clone())
    }

    pub(crate) fn life_signal(&self, name: &str, kind: LifeKind, at: Timestamp) -> Signal {
        Signal::Life { event: LifeEvent { container: self.id(name), at, kind } }
    }

    /// An event of the engine, now.
    pub(crate) fn life(&mut self, name: &str, kind: LifeKind) {
        let signal = self.life_signal(name, kind, self.now);
        self.feed(signal);
    }

    pub(crate) fn edit(&mut self, name: &str, change: impl FnOnce(&mut Container)) {
        if let Some(container) = self.truth.get_mut(name) {
            change(container);
        }
    }

    /// The container as it is now is inspected by the monitor.
    pub(crate) fn inspected(&mut self, name: &str, unwitnessed: bool) {
        if let Some(container) = self.truth.get(name) {
            let container = Box::new(container.clone());
            self.feed(Signal::Inspected { container, unwitnessed, asked_at: None });
        }
    }

    /// The process ends by itself: the event, and after 20 ms the end of its log.
    pub(crate) fn dies(&mut self, name: &str, exit_code: i64) {
        let now = self.now;
        self.edit(name, |c| {
            c.state = RunState::Exited;
            c.exit_code = exit_code;
            c.finished_at = Some(now);
        });
        let end = Signal::LogEnd { container: self.id(name) };
        self.later(millis(20), end);
        self.life(name, LifeKind::Die { exit_code });
    }

    /// The process begins to run: by whom is not said.
    pub(crate) fn starts(&mut self, name: &str) {
        self.starts += 1;
        let raw = format!("start-{}", self.starts);
        self.edit(name, |c| {
            c.state = RunState::Running;
            c.started_at_raw = raw;
            if c.health != Health::None {
                c.health = Health::Starting;
            }
        });
        self.life(name, LifeKind::Start);
        self.inspected(name, false);
    }

    /// The engine's restart policy starts it again.
    pub(crate) fn starts_by_policy(&mut self, name: &str) {
        self.edit(name, |c| c.restart_count += 1);
        self.starts(name);
    }

    pub(crate) fn becomes(&mut self, name: &str, health: Health) {
        self.edit(name, |c| c.health = health);
        match health {
            Health::Healthy => self.life(name, LifeKind::Healthy),
            Health::Unhealthy => self.life(name, LifeKind::Unhealthy),
            Health::None | Health::Starting => {}
        }
    }

    /// `docker stop` by somebody else.
    pub(crate) fn operator_stops(&mut self, name: &str) {
        self.life(name, LifeKind::Kill { signal: 15 });
        self.pass(millis(50));
        self.dies(name, 143);
        self.life(name, LifeKind::Stop);
    }

    pub(crate) fn removed(&mut self, name: &str) {
        let id = self.id(name);
        self.life(name, LifeKind::Destroy);
        self.truth.remove(name);
        self.feed(Signal::Gone { container: id });
    }

    /// Somebody makes it anew: another container of the same name runs in its place.
    pub(crate) fn recreated(&mut self, name: &str) {
        let Some(mut new) = self.truth.get(name).cloned() else { return };
        self.removed(name);
        self.starts += 1;
        new.of.id = ContainerId(format!("{name}-{:->50}", self.starts));
        new.started_at_raw = format!("start-{}", self.starts);
        new.state = RunState::Running;
        new.restart_count = 0;
        self.truth.insert(name.to_owned(), new);
        self.life(name, LifeKind::Create);
        self.inspected(name, false);
    }

    pub(crate) fn says(&mut self, name: &str, text: &str) {
        let seq = self.line_seq.entry(name.to_owned()).or_insert(0);
        *seq += 1;
        let line = LogLine {
            container: self.truth.get(name).map_or_else(|| name.into(), |c| c.of.id.clone()),
            seq: *seq,
            at: self.now,
            stream: Stream::Stderr,
            text: text.into(),
            reading: reader::one(text),
            styles: None,
            history: false,
        };
        self.feed(Signal::Logs { lines: vec![line] });
    }

    pub(crate) fn uses_memory(&mut self, name: &str, mem_used: u64, mem_limit: u64) {
        let usage = Usage { mem_used, mem_limit, ..Usage::default() };
        let sample = UsageSample { container: self.id(name), at: self.now, usage };
        self.feed(Signal::Usage { sample });
    }

    // ---- what people do

    pub(crate) fn ask(&mut self, actor: Actor, command: Command) -> Result<String, String> {
        self.request += 1;
        let request = self.request;
        self.feed(Signal::Command { request, actor, command });
        self.replies.remove(&request).unwrap_or_else(|| Err("no reply came".to_owned()))
    }

    /// A person approves the staged plan of the only open incident.
    pub(crate) fn approve(&mut self) -> Result<String, String> {
        let plan = self.plan().ok_or("there is no plan to approve")?;
        let fix = plan.steps.first().ok_or("the plan has no step")?.id.clone();
        self.ask(Actor::Person("ann".to_owned()), Command::Approve { fix, sha256: plan.sha256 })
    }

    /// A person has the fix of the last incident taken back.
    pub(crate) fn undo(&mut self) -> Result<String, String> {
        let plan = self.last().and_then(|i| i.plan).ok_or("there is no plan to take back")?;
        let fix = plan.steps.first().ok_or("the plan has no step")?.id.clone();
        self.ask(Actor::Person("ann".to_owned()), Command::Undo { fix, sha256: plan.sha256 })
    }

    pub(crate) fn reject(&mut self, reason: &str) -> Result<String, String> {
        let plan = self.plan().ok_or("there is no plan to reject")?;
        let fix = plan.steps.first().ok_or("the plan has no step")?.id.clone();
        let reason = reason.to_owned();
        self.ask(Actor::Person("ann".to_owned()), Command::Reject { fix, reason })
    }

    // ---- what became of it

    pub(crate) fn open(&self) -> Vec<&Incident> {
        self.saved.values().filter(|i| !i.state.is_closed()).collect()
    }

    /// The only incident of the story so far.
    pub(crate) fn incident(&self) -> Incident {
        assert_eq!(self.saved.len(), 1, "one incident is expected, in {:#?}", self.told());
        self.saved.values().cloned().next_back().unwrap_or_else(|| unreachable!())
    }

    pub(crate) fn last(&self) -> Option<Incident> {
        self.saved.values().cloned().max_by_key(|i| (i.opened_at, i.id.clone()))
    }

    pub(crate) fn state(&self) -> IncidentState {
        self.incident().state
    }

    /// The staged plan of the last incident.
    pub(crate) fn plan(&self) -> Option<Plan> {
        self.saved.values().filter_map(|i| i.plan.clone()).rfind(Plan::is_staged)
    }

    /// The types of all events so far, in order, without anomalies and container changes.
    pub(crate) fn told(&self) -> Vec<String> {
        let quiet =
            ["anomaly", "container_seen", "container_changed", "monitor_started", "container_gone"];
        self.events
            .iter()
            .map(|(_, e)| e.type_name())
            .filter(|t| !quiet.contains(&t.as_str()))
            .collect()
    }

    pub(crate) fn count(&self, kind: &str) -> usize {
        self.events.iter().filter(|(_, e)| e.type_name() == kind).count()
    }

    /// When the first event of a type was told.
    pub(crate) fn first(&self, kind: &str) -> Option<Timestamp> {
        self.events.iter().find(|(_, e)| e.type_name() == kind).map(|(at, _)| *at)
    }

    /// The codes of all reasons against acting, in order.
    pub(crate) fn reasons(&self) -> Vec<&'static str> {
        self.events
            .iter()
            .filter_map(|(_, e)| match e {
                Event::NotActing { code, .. } => Some(code.as_str()),
                _ => None,
            })
            .collect()
    }

    pub(crate) fn audited(&self) -> Vec<&'static str> {
        self.audit.iter().map(|r| r.action.as_str()).collect()
    }

    // ---- what the shell would do

    fn perform(&mut self, effect: Effect) {
        match effect {
            Effect::Emit(event) => {
                if matches!(*event, Event::FixApproved(_)) {
                    self.approved_events += 1;
                }
                self.events.push((self.now, *event));
            }
            Effect::Save(incident) => {
                check_timeline(&incident);
                self.saves += 1;
                self.saved.insert(incident.id.clone(), (*incident).clone());
            }
            Effect::Audit(record) => self.audit.push(*record),
            Effect::SaveSilences(silences) => self.silences = silences,
            Effect::SaveBrakes(kept) => self.brakes = *kept,
            Effect::SaveJudged(judged) => self.judged = judged,
            Effect::Triage(batch) => self.asked.batches.push(*batch),
            Effect::Analyze { brief, .. } => self.asked.briefs.push(brief),
            Effect::CallOff(incident) => self.asked.called_off.push(incident),
            Effect::Explain(incident) => self.asked.to_explain.push(incident),
            Effect::Remember { service, history } => {
                self.histories.insert(service, *history);
            }
            Effect::Inspect(container) => {
                self.inspects.push(container.clone());
                let Some(after) = self.inspect_after else { return };
                let found = self.truth.values().find(|c| c.of.id == container).cloned();
                // The shell asks after the turn that wants it.
                let asked_at = Some(self.now + SignedDuration::from_nanos(1));
                let answer = match found {
                    Some(found) => {
                        let container = Box::new(found);
                        Signal::Inspected { container, unwitnessed: false, asked_at }
                    }
                    None => Signal::Gone { container },
                };
                self.later(after, answer);
            }
            Effect::Apply { plan, incident, records } => {
                let plan = plan.get().clone();
                assert!(
                    self.approved_events >= plan.steps.len(),
                    "a plan runs that was not announced as approved"
                );
                self.approved_events -= plan.steps.len();
                assert_eq!(plan.digest(), plan.sha256, "the hash is that of what runs");
                for step in &plan.steps {
                    let there = self.truth.values().any(|c| c.of.id == step.target.id);
                    assert!(there, "a plan runs on a container that is not there any more");
                }
                assert_eq!(incident.state, IncidentState::Fixing);
                let before = |action| records.iter().filter(|r| r.action == action).count();
                assert_eq!(before(AuditAction::Applying), plan.steps.len());
                assert_eq!(before(AuditAction::Approved), plan.steps.len());
                self.saved.insert(incident.id.clone(), (*incident).clone());
                self.audit.extend(records);
                self.apply(&plan);
                self.applied.push(plan);
            }
            Effect::Undo { plan, incident, records } => {
                let plan = plan.get().0.clone();
                let steps = incident.plan.iter().flat_map(|p| &p.steps);
                let marked = steps.filter(|s| s.state == FixState::Undoing).count();
                assert!(marked > 0, "an undo is marked before its call");
                assert_eq!(records.len(), marked);
                assert!(records.iter().all(|r| r.action == AuditAction::Undoing));
                self.saved.insert(incident.id.clone(), (*incident).clone());
                self.audit.extend(records);
                if self.undo_is_silent {
                    self.undone.push(plan);
                    return;
                }
                let result = ToolResult { ok: true, message: "undone".to_owned(), duration_ms: 5 };
                let incident = plan.incident.clone();
                let done = Signal::UndoDone { incident, result, replaced_by: None };
                self.later(millis(200), done);
                self.undone.push(plan);
            }
            Effect::Rehearse { request, rehearsal, .. } => {
                self.replies.insert(request, Ok(rehearsal.text(None)));
            }
            Effect::Reply { request, outcome } => {
                self.replies.insert(request, outcome);
            }
        }
    }

    fn apply(&mut self, plan: &Plan) {
        let incident = plan.incident.clone();
        match self.tools {
            Tools::Silent => return,
            Tools::Stale => {
                let why = "StartedAt changed".to_owned();
                self.later(millis(50), Signal::PlanStale { incident, why });
                return;
            }
            Tools::Unrecorded => {
                let why = format!("{UNRECORDED}, so nothing was called: the disk is full");
                self.later(millis(50), Signal::PlanStale { incident, why });
                return;
            }
            Tools::Leased => {
                let why = format!("{NO_LEAVE}: the instance web-2 has it");
                self.later(millis(50), Signal::PlanStale { incident, why });
                return;
            }
            Tools::Work | Tools::WorkEventsLate | Tools::FailAt(_) => {}
        }
        let mut at = millis(0);
        let mut all = true;
        for step in &plan.steps {
            at += millis(200);
            let ok = self.tools != Tools::FailAt(step.step);
            if ok {
                let late = self.tools == Tools::WorkEventsLate;
                let events = at + if late { millis(500) } else { millis(-100) };
                self.call(&step.call.tool, &step.target.name, &step.call.arguments, events);
            }
            let message = if ok { "done" } else { "the engine said no" }.to_owned();
            let result = ToolResult { ok, message, duration_ms: 200 };
            let (fix, began_at) = (step.id.clone(), self.now);
            let replaced_by = None;
            let incident = incident.clone();
            self.later(at, Signal::StepDone { incident, fix, result, replaced_by, began_at });
            all &= ok;
            if !ok {
                break;
            }
        }
        self.later(at, Signal::PlanDone { incident, ok: all });
    }

    /// What a call of our tools does to the world, and the events that it brings about.
    fn call(
        &mut self,
        tool: &str,
        name: &str,
        arguments: &serde_json::Map<String, serde_json::Value>,
        events: SignedDuration,
    ) {
        self.starts += 1;
        let raw = format!("start-{}", self.starts);
        let memory = arguments
            .get("resources")
            .and_then(|r| r.get("memory"))
            .and_then(serde_json::Value::as_str)
            .and_then(parse_bytes);
        let kinds: &[LifeKind] = match tool {
            "start_container" => &[LifeKind::Start],
            "restart_container" => &[
                LifeKind::Kill { signal: 15 },
                LifeKind::Die { exit_code: 143 },
                LifeKind::Stop,
                LifeKind::Start,
                LifeKind::Restart,
            ],
            _ => &[LifeKind::Update],
        };
        let starts = kinds.contains(&LifeKind::Start);
        self.edit(name, |c| {
            if starts {
                c.state = RunState::Running;
                c.started_at_raw = raw;
                if c.health != Health::None {
                    c.health = Health::Starting;
                }
            }
            if memory.is_some() {
                c.memory_limit = memory;
            }
        });
        for kind in kinds {
            let signal = self.life_signal(name, kind.clone(), self.now + events);
            self.later(events, signal);
        }
    }
}

/// Every transition is legal, and says who made it.
pub(crate) fn check_timeline(incident: &Incident) {
    let mut state = IncidentState::Detected;
    // A full timeline has lost entries, so neighbours in it need not have followed each other.
    if incident.timeline.len() < MAX_TIMELINE {
        for entry in &incident.timeline {
            assert!(!entry.what.is_empty());
            if let Some(next) = entry.state {
                assert!(state.may_become(next), "{state} may not become {next}: {incident:#?}");
                state = next;
            }
        }
        assert_eq!(state, incident.state, "the timeline leads to the state: {incident:#?}");
    }
    assert_eq!(incident.state.is_closed(), incident.closed_at.is_some());
    assert_eq!(incident.state.is_closed(), incident.explanation.is_some());
    // What broke and why; what was done and what remains.
    let paragraphs = incident.explanation.as_deref().map(|words| words.split("\n\n").count());
    assert!(paragraphs.is_none_or(|count| count == 2), "{:?}", incident.explanation);
}
