//! Fixtures for the tests of the terminal UI: one small shop, in several states, at a fixed time.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use ratatui::buffer::{Buffer, Cell};
use ratatui::layout::Rect;
use sentinel_core::domain::brakes::{BrakesView, Halt, Held};
use sentinel_core::domain::container::{
    Attachment, Container, ContainerRef, Health, HealthCheck, Probe, RestartPolicy, RunState,
};
use sentinel_core::domain::diagnosis::{Diagnosis, Rejected, Source};
use sentinel_core::domain::evidence::{Evidence, EvidenceKind, LineAddress};
use sentinel_core::domain::failure::FailureClass;
use sentinel_core::domain::ids::ContainerId;
use sentinel_core::domain::incident::{Check, Incident, IncidentState, TimelineEntry};
use sentinel_core::domain::log::{Level, LogEntry, LogLine, Reading, Stream};
use sentinel_core::domain::not_acting::NotActing;
use sentinel_core::domain::opinion::{
    Agreement, Answered, Claim, Looked, ModelView, Opinion, Proposal, Role as ModelRole,
};
use sentinel_core::domain::plan::{Actor, Fix, FixState, Plan, Preconditions, Risk};
use sentinel_core::domain::quiet::{QuietReason, Silence, Suppressed};
use sentinel_core::domain::setup::Variable;
use sentinel_core::domain::severity::Severity;
use sentinel_core::domain::snapshot::{ContainerView, Degraded, EngineInfo, Mode, Snapshot};
use sentinel_core::domain::tool::{ToolCall, ToolResult};
use sentinel_core::domain::topology::{Edge, EdgeSource};
use sentinel_core::domain::usage::Usage;
use sentinel_tui::runtime::rings::LogPage;
use sentinel_tui::tui::message::{Effect, Msg};
use sentinel_tui::tui::state::State;
use sentinel_tui::tui::theme::Theme;
use sentinel_tui::tui::update::update;
use sentinel_tui::tui::view::root;
use serde_json::json;

/// The time at which every test takes place.
pub(crate) fn now() -> Timestamp {
    Timestamp::from_second(1_795_500_000).unwrap()
}

pub(crate) fn ago(seconds: i64) -> Timestamp {
    now() - SignedDuration::from_secs(seconds)
}

pub(crate) fn id(name: &str) -> ContainerId {
    ContainerId(sentinel_core::domain::hash::sha256_hex(name.as_bytes()))
}

pub(crate) fn container(name: &str, service: &str) -> Container {
    Container {
        image: format!("registry.example/shop/{service}:2.14.3"),
        image_id: "sha256:1".to_owned(),
        health: Health::Healthy,
        probes: vec![Probe {
            exit_code: 0,
            output: "ok".to_owned(),
            ended_at: Some(ago(3)),
            duration: Duration::from_millis(12),
        }],
        created_at: Some(ago(9000)),
        started_at: Some(ago(9000)),
        started_at_raw: "2026-11-24T00:00:00Z".to_owned(),
        restart_policy: RestartPolicy::UnlessStopped,
        memory_limit: Some(96 << 20),
        nano_cpus: Some(500_000_000),
        health_check: Some(HealthCheck {
            test: vec![
                "CMD".to_owned(),
                "wget".to_owned(),
                "-q".to_owned(),
                "localhost".to_owned(),
            ],
            interval: Duration::from_secs(2),
            timeout: Duration::from_secs(1),
            start_period: Duration::ZERO,
            retries: 3,
        }),
        networks: vec![Attachment {
            network: "shop_default".to_owned(),
            aliases: vec![service.to_owned()],
            address: "172.20.0.4".to_owned(),
        }],
        network_mode: "shop_default".to_owned(),
        labels: BTreeMap::from([("sre-sentinel.monitor".to_owned(), "true".to_owned())]),
        env: ["DATABASE_URL", "LOG_LEVEL"]
            .map(|name| (name.to_owned(), Variable::default()))
            .into(),
        config_hash: "h".to_owned(),
        command: format!("/app/{service}"),
        ..Container::plain(ContainerRef {
            id: id(name),
            name: name.to_owned(),
            service: service.to_owned(),
            project: Some("shop".to_owned()),
        })
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "readings made up for a picture"
)]
pub(crate) fn view(container: Container, cpu: f64, memory: f64) -> ContainerView {
    let up = container.is_up();
    let limit = container.memory_limit.unwrap_or(1 << 30);
    let wave = |base: f64| (0..20_u8).map(move |n| (base * (0.6 + f64::from(n % 5) / 10.0)) as f32);
    ContainerView {
        usage: up.then(|| Usage {
            cpu_pct: cpu,
            mem_used: (limit as f64 * memory / 100.0) as u64,
            mem_limit: limit,
            net_rx_bps: 12_400.0,
            net_tx_bps: 2_300.0,
            disk_read_bps: 0.0,
            disk_write_bps: 512.0,
            pids: 9,
            ..Usage::default()
        }),
        cpu_history: wave(cpu).collect(),
        mem_history: wave(memory).collect(),
        container: Arc::new(container),
        deaths: 0,
        lines: 40,
        lines_dropped: 0,
        errors: 1,
    }
}

pub(crate) fn empty() -> Snapshot {
    Snapshot {
        at: now(),
        version: 1,
        engine: None,
        mode: Mode::Approve,
        containers: Vec::new(),
        incidents: Vec::new(),
        anomalies: Vec::new(),
        degraded: Vec::new(),
        tools: Arc::new(Vec::new()),
        watching: None,
        edges: Arc::default(),
        suppressed: Vec::new(),
        silences: Vec::new(),
        brakes: BrakesView::default(),
        models: Vec::new(),
        past: Arc::default(),
    }
}

pub(crate) fn healthy() -> Snapshot {
    let mut migrate = container("shop-migrate-1", "migrate");
    migrate.state = RunState::Exited;
    migrate.finished_at = Some(ago(8990));
    let mut cache = container("shop-cache-1", "cache");
    cache.health = Health::None;
    cache.health_check = None;
    Snapshot {
        engine: Some(EngineInfo {
            name: "node-7".to_owned(),
            version: "28.5.1".to_owned(),
            api: "1.51".to_owned(),
            cpus: 8,
            memory: 32 << 30,
            endpoint: "unix:///var/run/docker.sock".to_owned(),
            ..EngineInfo::default()
        }),
        containers: vec![
            view(container("shop-api-1", "api"), 42.0, 55.0),
            view(cache, 3.2, 86.0),
            view(container("shop-db-1", "db"), 12.0, 40.0),
            view(container("shop-gateway-1", "gateway"), 0.4, 12.0),
            view(migrate, 0.0, 0.0),
            view(container("shop-worker-1", "worker"), 95.0, 31.0),
        ],
        edges: Arc::new(edges()),
        ..empty()
    }
}

/// Who needs whom in the shop.
fn edges() -> Vec<Edge> {
    let edge = |from: &str, to: &str, source, confidence, why: &str| Edge {
        from: from.to_owned(),
        to: to.to_owned(),
        source,
        confidence,
        why: why.to_owned(),
    };
    let (compose, named) = (EdgeSource::Compose, EdgeSource::Environment);
    vec![
        edge("shop-api-1", "shop-db-1", compose, 0.95, "compose says that it depends on db"),
        edge("shop-gateway-1", "shop-api-1", named, 0.8, "API_URL names api:3001"),
        edge("shop-api-1", "shop-cache-1", EdgeSource::Network, 0.2, "both are on shop_default"),
        edge("shop-api-1", "shop-worker-1", EdgeSource::Network, 0.2, "both are on shop_default"),
    ]
}

pub(crate) fn step(number: u32, tool: &str, risk: Risk, diff: &str, line: &str) -> Fix {
    Fix {
        id: format!("INC-1/{number}").as_str().into(),
        step: number,
        call: ToolCall::new(
            tool,
            [
                ("container_name", json!(id("shop-api-1"))),
                ("reason", json!("the kernel killed it at its limit of 96 MiB")),
            ],
        ),
        target: container("shop-api-1", "api").of,
        risk,
        reason: "the kernel killed shop-api-1 at its limit of 96 MiB".to_owned(),
        diff: diff.to_owned(),
        docker_line: line.to_owned(),
        downtime: "none: it is down already".to_owned(),
        inverse: Some(ToolCall::new("stop_container", [("container_name", json!("x"))])),
        compose_patch: None,
        state: FixState::Staged,
        result: None,
        progress: None,
        replaced_by: None,
    }
}

pub(crate) fn plan(risk: Risk) -> Plan {
    let mut raise = step(
        1,
        "update_resources",
        Risk::R1,
        "memory 96 MiB → 144 MiB",
        "docker update --memory 144m shop-api-1",
    );
    let patch = "# /srv/shop/docker-compose.yml\nservices:\n  api:\n    mem_limit: 144m";
    raise.compose_patch = Some(patch.to_owned());
    Plan {
        incident: "INC-20261124-031502-7KQ4".into(),
        source: Source::Rules,
        steps: vec![
            raise,
            step(2, "start_container", risk, "exited → running", "docker start shop-api-1"),
        ],
        preconditions: Preconditions {
            running: false,
            image_id: "sha256:1".to_owned(),
            started_at: "2026-11-24T00:00:00Z".to_owned(),
            config_hash: "h".to_owned(),
        },
        staged_at: ago(28),
        expires_at: now() + SignedDuration::from_secs(872),
        sha256: String::new(),
    }
    .freeze()
}

pub(crate) fn incident(plan: Option<Plan>, state: IncidentState) -> Incident {
    let name = "shop-api-1";
    let entry = |seconds, what: &str, state| TimelineEntry {
        at: ago(seconds),
        actor: Actor::System,
        what: what.to_owned(),
        state,
    };
    Incident {
        refused_by: None,
        snooze: None,
        id: "INC-20261124-031502-7KQ4".into(),
        container: container(name, "api").of,
        root: name.to_owned(),
        state,
        severity: Severity::Critical,
        class: FailureClass::OomKill,
        title: "shop-api-1 was killed at its memory limit".to_owned(),
        affected: vec!["shop-gateway-1".to_owned()],
        observed_at: ago(31),
        opened_at: ago(31),
        closed_at: None,
        anomalies: Vec::new(),
        anomalies_dropped: 0,
        diagnosis: Some(Diagnosis {
            source: Source::Rules,
            class: FailureClass::OomKill,
            root: name.to_owned(),
            confidence: 0.95,
            cause:
                "shop-api-1 needed more than its memory limit of 96 MiB and the kernel killed it"
                    .to_owned(),
            evidence: vec![
                Evidence {
                    id: "E1".into(),
                    kind: EvidenceKind::Event,
                    container: name.to_owned(),
                    ts: ago(31),
                    excerpt: "shop-api-1 hit its memory limit (oom event)".to_owned(),
                    line: None,
                },
                Evidence {
                    id: "E2".into(),
                    kind: EvidenceKind::Log,
                    container: name.to_owned(),
                    ts: ago(32),
                    excerpt: "ERROR allocation of 4194304 bytes failed".to_owned(),
                    line: Some(LineAddress { container: id(name), seq: 18 }),
                },
            ],
            affected: vec!["shop-gateway-1".to_owned()],
            rejected: vec![Rejected {
                class: FailureClass::TransientCrash,
                root: name.to_owned(),
                score: 0.2,
                why: "an oom event explains the death better".to_owned(),
            }],
            plan: Vec::new(),
            advice: None,
            edges: edges().into_iter().filter(|e| e.to == name).collect(),
            near_tie: None,
            recent_changes: vec!["memory limit 192 MiB → 96 MiB".to_owned()],
            seen_before: None,
            doubt: None,
        }),
        plan,
        plans: 1,
        checks: Vec::new(),
        not_acting: vec!["auto_heal_off: auto-heal is off; a person decides".to_owned()],
        timeline: vec![
            entry(31, "opened: killed at its memory limit", Some(IncidentState::Detected)),
            entry(30, "diagnosed as oom_kill", Some(IncidentState::Diagnosing)),
            entry(28, "a plan of two steps is staged", Some(IncidentState::AwaitingApproval)),
        ],
        reopens: None,
        explanation: None,
        explanation_by: None,
        opinion: None,
        earlier_plans: Vec::new(),
    }
}

/// The api was killed, a plan waits.
pub(crate) fn awaiting(risk: Risk) -> Snapshot {
    let mut snapshot = healthy();
    let mut api = container("shop-api-1", "api");
    api.state = RunState::Exited;
    api.exit_code = 137;
    api.oom_killed = true;
    api.finished_at = Some(ago(31));
    let mut down = view(api, 0.0, 0.0);
    down.deaths = 1;
    snapshot.containers[0] = down;
    snapshot.incidents =
        vec![Arc::new(incident(Some(plan(risk)), IncidentState::AwaitingApproval))];
    snapshot
}

pub(crate) fn verifying() -> Snapshot {
    let mut snapshot = healthy();
    let mut done = plan(Risk::R1);
    for step in &mut done.steps {
        step.state = FixState::Applied;
        step.result = Some(ToolResult { ok: true, message: "done".to_owned(), duration_ms: 214 });
    }
    let mut open = incident(Some(done), IncidentState::Verifying);
    let check = |name: &str, passed, detail: &str| Check {
        name: name.to_owned(),
        passed,
        detail: detail.to_owned(),
    };
    open.checks = vec![
        check("running", true, "shop-api-1 is running"),
        check("healthy", false, "shop-api-1: its health check has no verdict yet"),
    ];
    snapshot.incidents = vec![Arc::new(open)];
    snapshot
}

pub(crate) fn resolved() -> Snapshot {
    let mut snapshot = verifying();
    let mut closed = (*snapshot.incidents[0]).clone();
    closed.state = IncidentState::Resolved;
    closed.closed_at = Some(ago(4));
    closed.checks[1].passed = true;
    closed.explanation =
        Some("shop-api-1 was affected (oom kill). Done (approved by ana): docker update. Verified by 2 checks.".to_owned());
    snapshot.incidents = vec![Arc::new(closed)];
    snapshot
}

pub(crate) fn degraded() -> Snapshot {
    let mut snapshot = healthy();
    snapshot.degraded = vec![Degraded {
        part: "docker".to_owned(),
        detail: "no answer for 5 s; what is shown is from before".to_owned(),
        since: ago(65),
    }];
    snapshot
}

/// Auto-heal is on, and the kill switch, too; some targets are left alone for a while.
pub(crate) fn halted() -> Snapshot {
    let mut snapshot = resolved();
    snapshot.mode = Mode::AutoHeal;
    let held = |name: &str, code, seconds| Held {
        name: name.to_owned(),
        code,
        until: now() + SignedDuration::from_secs(seconds),
    };
    snapshot.brakes = BrakesView {
        halt: Some(Halt {
            since: ago(610),
            by: "ana".to_owned(),
            reason: "migration of the database".to_owned(),
        }),
        used: 3,
        per_hour: 6,
        held: vec![
            held("shop-api-1", NotActing::Cooldown, 250),
            held("shop-worker-1", NotActing::Locked, 3400),
            held("docker-control", NotActing::CircuitOpen, 120),
        ],
        grants: Vec::new(),
    };
    snapshot
}

/// The api is in maintenance, the cache is quiet by its label, and some things were left alone.
pub(crate) fn silenced() -> Snapshot {
    let mut snapshot = healthy();
    let mut cache = container("shop-cache-1", "cache");
    cache.labels.insert("sre-sentinel.quiet".to_owned(), "true".to_owned());
    snapshot.containers[1] = view(cache, 3.2, 86.0);
    let silence = |service: &str, seconds, reason: &str| Silence {
        service: service.to_owned(),
        until: now() + SignedDuration::from_secs(seconds),
        by: "ana".to_owned(),
        reason: reason.to_owned(),
    };
    snapshot.silences = vec![silence("api", 1745, "new disk"), silence("billing", 100_000, "")];
    let alone = |container: &str, service: &str, reason, what: &str, count, last| Suppressed {
        container: container.to_owned(),
        service: service.to_owned(),
        reason,
        what: what.to_owned(),
        count,
        last: ago(last),
    };
    snapshot.suppressed = vec![
        alone("shop-api-1", "api", QuietReason::Silenced, "shop-api-1 ended with status 1", 12, 40),
        alone(
            "shop-api-1",
            "api",
            QuietReason::OperatorIntent,
            "shop-api-1 ended with status 143",
            1,
            130,
        ),
        alone(
            "shop-report-7",
            "report",
            QuietReason::OneOff,
            "shop-report-7 ended with status 0",
            3,
            7300,
        ),
    ];
    snapshot
}

pub(crate) fn long_names() -> Snapshot {
    let mut snapshot = awaiting(Risk::R2);
    for (at, name) in [
        (1, "a-project-with-a-long-name-checkout-service-blue-green-canary-1"),
        (2, "数据库-主节点-一号"),
        (3, "naïve-café-🦀-service"),
    ] {
        let mut own = container(name, "超长服务名称用于测试");
        own.health = Health::Unhealthy;
        snapshot.containers[at] = view(own, 120.0, 97.0);
    }
    snapshot
}

pub(crate) fn page() -> LogPage {
    let entry = |seq: u64, text: &str, level, anomaly: bool, mark| {
        Arc::new(LogEntry {
            line: LogLine {
                container: id("shop-api-1"),
                seq,
                at: ago(50 - i64::try_from(seq).unwrap()),
                stream: Stream::Stdout,
                text: text.into(),
                reading: Reading { level, ..Reading::default() },
                styles: None,
                history: false,
            },
            anomaly: anomaly.then(|| "A-1".into()),
            mark,
        })
    };
    let mut entries: Vec<_> = (1..=15)
        .map(|n| {
            entry(
                n,
                &format!("INFO GET /orders/{n} 200 {}ms", n + 5),
                Some(Level::Info),
                false,
                false,
            )
        })
        .collect();
    entries.push(entry(16, "WARN cache grew to 81 MiB", Some(Level::Warn), false, false));
    entries.push(entry(17, "WARN 缓存增长到 93 MiB, eviction is behind, and this line is long enough to be cut at the right edge of every terminal that is less than two hundred columns wide, or wrapped", Some(Level::Warn), false, false));
    entries.push(entry(
        18,
        "ERROR allocation of 4194304 bytes failed",
        Some(Level::Error),
        true,
        false,
    ));
    entries.push(entry(18, "3 lines lost: the reader fell behind", None, false, true));
    LogPage { first_kept: 1, last: 18, revision: 1, entries }
}

pub(crate) fn theme(name: &str) -> Theme {
    Theme::load(name, false).unwrap()
}

/// A session that is driven by messages alone.
pub(crate) struct Session {
    pub(crate) state: State,
    pub(crate) at: Duration,
    pub(crate) effects: Vec<Effect>,
}

impl Session {
    pub(crate) fn new(snapshot: Snapshot, width: u16, height: u16) -> Self {
        let state = State::new(Arc::new(empty()), TimeZone::UTC);
        let mut session = Self { state, at: Duration::from_secs(100), effects: Vec::new() };
        session.send(Msg::Resize { width, height });
        session.snapshot(snapshot);
        session.logs(page());
        session.effects.clear();
        session
    }

    pub(crate) fn send(&mut self, msg: Msg) {
        let effects = update(&mut self.state, msg);
        self.effects.extend(effects);
    }

    pub(crate) fn snapshot(&mut self, snapshot: Snapshot) {
        self.send(Msg::Snapshot(Arc::new(snapshot)));
    }

    pub(crate) fn logs(&mut self, page: LogPage) {
        let generation = self.state.logs.generation;
        let container = self.state.logs.container.clone().unwrap_or_else(|| id("none"));
        self.send(Msg::Logs { container, generation, page, whole: true });
    }

    pub(crate) fn drawn(&mut self) {
        self.send(Msg::Drawn { at: self.at });
    }

    pub(crate) fn wait(&mut self, ms: u64) {
        self.at += Duration::from_millis(ms);
    }

    /// Keys as the keymap writes them, a word each.
    pub(crate) fn keys(&mut self, keys: &str) {
        for word in keys.split_whitespace() {
            let key = sentinel_tui::tui::keymap::Key::parse(word)
                .unwrap_or_else(|| panic!("no key {word}"));
            self.send(Msg::Key { key: KeyEvent::new(key.code, key.modifiers), at: self.at });
        }
    }

    /// Letters of a text, one key each.
    pub(crate) fn types(&mut self, text: &str) {
        for c in text.chars() {
            let key = KeyEvent::new(KeyCode::Char(c), KeyModifiers::NONE);
            self.send(Msg::Key { key, at: self.at });
        }
    }

    /// What was asked of the engine.
    pub(crate) fn commands(&self) -> Vec<&sentinel_core::domain::command::Command> {
        self.effects
            .iter()
            .filter_map(|e| match e {
                Effect::Ask(command) => Some(command),
                _ => None,
            })
            .collect()
    }

    pub(crate) fn buffer(&self, theme: &Theme) -> Buffer {
        let mut buffer =
            Buffer::empty(Rect::new(0, 0, self.state.area.width, self.state.area.height));
        root::draw(&mut buffer, &self.state, theme);
        buffer
    }

    pub(crate) fn screen(&self) -> String {
        text(&self.buffer(&theme("dark")))
    }
}

/// A buffer's text, a line each; what stands behind a wide character is not repeated.
pub(crate) fn text(buffer: &Buffer) -> String {
    let mut out = String::new();
    for y in 0..buffer.area.height {
        let mut line = String::new();
        let mut skip = 0;
        for x in 0..buffer.area.width {
            let symbol = buffer[(x, y)].symbol();
            if skip > 0 {
                skip -= 1;
                continue;
            }
            skip = unicode_width::UnicodeWidthStr::width(symbol).saturating_sub(1);
            line.push_str(symbol);
        }
        out.push_str(line.trim_end());
        out.push('\n');
    }
    out
}

/// The cell where a text begins.
pub(crate) fn cell_of(buffer: &Buffer, wanted: &str) -> Cell {
    for y in 0..buffer.area.height {
        let cells: Vec<&str> = (0..buffer.area.width).map(|x| buffer[(x, y)].symbol()).collect();
        for x in 0..cells.len() {
            if cells[x..].concat().starts_with(wanted) {
                return buffer[(u16::try_from(x).unwrap(), y)].clone();
            }
        }
    }
    panic!("`{wanted}` is not on the screen:\n{}", text(buffer));
}

/// An incident that waits for approval, and an analyst that sees it otherwise.
pub(crate) fn opined() -> Snapshot {
    let mut snapshot = awaiting(Risk::R1);
    let Some(first) = snapshot.incidents.first_mut() else { return snapshot };
    let incident = Arc::make_mut(first);
    let evidence = incident.diagnosis.iter().flat_map(|d| d.evidence.iter().take(1).cloned());
    let claim = |text: &str, evidence: Vec<Evidence>| Claim {
        text: text.to_owned(),
        supported: !evidence.is_empty(),
        evidence,
    };
    incident.opinion = Some(Box::new(Opinion {
        at: ago(20),
        by: Answered {
            model: "meta-llama/llama-4-scout".to_owned(),
            prompt_tokens: 6120,
            completion_tokens: 210,
            cost_usd: Some(0.000_55),
            latency_ms: 1840,
            mended: false,
        },
        class: Some(FailureClass::MemoryLeak),
        root: Some("shop-api-1".to_owned()),
        confidence: 0.7,
        cause: "Its memory grew with every request until the kernel killed it".to_owned(),
        claims: vec![
            claim("The kernel killed it at its limit", evidence.collect()),
            claim("A cache of sessions is never emptied", Vec::new()),
        ],
        agreement: Agreement::OtherClass,
        proposal: Some(Proposal {
            words: vec!["restart_container shop-api-1".to_owned()],
            actions: Vec::new(),
            refused: Some(
                "the analyst sees another cause than the rules; its plan is shown only".to_owned(),
            ),
        }),
        advice: "Look for what keeps sessions.".to_owned(),
        looked: vec![Looked {
            id: "T1".to_owned(),
            tool: "get_logs".to_owned(),
            target: "shop-api-1".to_owned(),
            ok: true,
            excerpt: "…".to_owned(),
        }],
        problems: vec!["no evidence is called E99".to_owned()],
    }));
    let view = |role, model: &str, trouble: Option<&str>| ModelView {
        role,
        endpoint: "openrouter.ai".to_owned(),
        model: Some(model.to_owned()),
        calls: 14,
        failures: 2,
        tokens: 51_200,
        cost_usd: 0.0123,
        last_latency_ms: Some(1840),
        waiting: 3,
        dropped: 0,
        trouble: trouble.map(str::to_owned),
    };
    let capped = "the budget models.caps.tokens_per_hour is used up until 2026-11-24T04:00:00Z";
    snapshot.models = vec![
        view(ModelRole::Triage, "gpt-oss-120b", Some(capped)),
        view(ModelRole::Analyst, "meta-llama/llama-4-scout", None),
    ];
    snapshot
}
