//! Shows the terminal UI over a scripted engine: real run loop, detectors and diagnosis; only
//! Docker, the tools and the store are played. `cargo run --example tui_preview -- --help`.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::future::BoxFuture;
use jiff::{SignedDuration, Timestamp};
use sentinel_core::detect::reader;
use sentinel_core::detect::signatures::Signatures;
use sentinel_core::domain::container::{
    Attachment, Container, ContainerRef, Health, HealthCheck, Probe, RunState,
};
use sentinel_core::domain::ids::ContainerId;
use sentinel_core::domain::life::{LifeEvent, LifeKind};
use sentinel_core::domain::log::{LogLine, Stream};
use sentinel_core::domain::plan::{Approved, Plan, Undo};
use sentinel_core::domain::setup::Variable;
use sentinel_core::domain::signal::Signal;
use sentinel_core::domain::snapshot::{EngineInfo, Mode};
use sentinel_core::domain::tool::{Tool, ToolCall, ToolHints, ToolResult};
use sentinel_core::domain::usage::{Usage, UsageSample};
use sentinel_core::engine::Settings;
use sentinel_core::session::input::Announced;
use sentinel_tui::config::ui::{Display, Notify};
use sentinel_tui::ports::{Claim, Inbox, Monitor, PortError, Remediator, Role};
use sentinel_tui::runtime::parts::Parts;
use sentinel_tui::runtime::run::prepare;
use sentinel_tui::store::sqlite::SqliteStore;
use sentinel_tui::tui::keymap::Keymap;
use sentinel_tui::tui::options::{Menu, Options};
use sentinel_tui::tui::theme::Theme;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

const NAMES: [(&str, &str); 9] = [
    ("shop-gateway-1", "gateway"),
    ("shop-api-1", "api"),
    ("shop-api-2", "api"),
    ("shop-worker-1", "worker"),
    ("shop-db-1", "db"),
    ("shop-cache-1", "cache"),
    ("shop-mailer-1", "mailer"),
    ("shop-search-1", "search"),
    ("shop-migrate-1", "migrate"),
];

#[derive(Clone, Copy, Debug)]
enum Fault {
    OomApi,
    CrashWorker,
    DatabaseDown,
    Unhealthy,
    DockerGone,
}

const FAULTS: [(Fault, &str); 5] = [
    (Fault::OomApi, "the api runs out of memory"),
    (Fault::CrashWorker, "the worker crashes"),
    (Fault::DatabaseDown, "the database dies, the api suffers"),
    (Fault::Unhealthy, "search hangs: its health check fails"),
    (Fault::DockerGone, "the engine stops answering for 20 s"),
];

struct Play {
    containers: Mutex<BTreeMap<String, Container>>,
    seq: Mutex<BTreeMap<String, u64>>,
    faults: mpsc::Sender<Fault>,
    todo: Mutex<Option<mpsc::Receiver<Fault>>>,
    inbox: Mutex<Option<Inbox>>,
}

fn id(name: &str) -> ContainerId {
    ContainerId(sentinel_core::domain::hash::sha256_hex(name.as_bytes()))
}

fn container(name: &str, service: &str) -> Container {
    let now = Timestamp::now();
    let started = now - SignedDuration::from_mins(73);
    let migrate = service == "migrate";
    let check = matches!(service, "api" | "gateway" | "db" | "search").then(|| HealthCheck {
        test: vec!["CMD-SHELL".to_owned(), "wget -q -O- http://localhost:8080/healthz".to_owned()],
        interval: Duration::from_secs(2),
        timeout: Duration::from_secs(1),
        start_period: Duration::ZERO,
        retries: 3,
    });
    let depends = match service {
        "gateway" => "api",
        "api" | "worker" => "db,cache",
        _ => "",
    };
    let mut labels = BTreeMap::from([("sre-sentinel.monitor".to_owned(), "true".to_owned())]);
    if !depends.is_empty() {
        labels.insert("sre-sentinel.depends-on".to_owned(), depends.to_owned());
    }
    Container {
        image: format!("registry.example/shop/{service}:2.14.3"),
        image_id: format!("sha256:{service}"),
        state: if migrate { RunState::Exited } else { RunState::Running },
        health: if check.is_some() { Health::Healthy } else { Health::None },
        created_at: Some(started),
        started_at: Some(started),
        started_at_raw: started.to_string(),
        finished_at: migrate.then(|| started + SignedDuration::from_secs(12)),
        memory_limit: Some(if service == "db" { 512 << 20 } else { 96 << 20 }),
        nano_cpus: Some(1_000_000_000),
        health_check: check,
        networks: vec![Attachment {
            network: "shop_default".to_owned(),
            aliases: vec![service.to_owned()],
            address: "172.20.0.4".to_owned(),
        }],
        network_mode: "shop_default".to_owned(),
        labels,
        env: ["DATABASE_URL", "LOG_LEVEL"]
            .map(|name| (name.to_owned(), Variable::default()))
            .into(),
        config_hash: format!("hash-{service}"),
        command: format!("/app/{service} --port 8080"),
        ..Container::plain(ContainerRef {
            id: id(name),
            name: name.to_owned(),
            service: service.to_owned(),
            project: Some("shop".to_owned()),
        })
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Play {
    /// The shop, and `load` further containers that write one line a second each.
    fn new(load: usize) -> Arc<Self> {
        let (faults, todo) = mpsc::channel(8);
        let mut containers: BTreeMap<String, Container> =
            NAMES.iter().map(|(n, s)| ((*n).to_owned(), container(n, s))).collect();
        for number in 1..=load {
            let name = format!("load-{number:02}");
            containers.insert(name.clone(), container(&name, "load"));
        }
        Arc::new(Self {
            containers: Mutex::new(containers),
            seq: Mutex::new(BTreeMap::new()),
            faults,
            todo: Mutex::new(Some(todo)),
            inbox: Mutex::new(None),
        })
    }

    fn line(&self, name: &str, text: &str, history: bool) -> LogLine {
        let mut seqs = lock(&self.seq);
        let seq = seqs.entry(name.to_owned()).or_insert(0);
        *seq += 1;
        LogLine {
            container: id(name),
            seq: *seq,
            at: Timestamp::now(),
            stream: Stream::Stdout,
            text: text.into(),
            reading: reader::one(text),
            styles: None,
            history,
        }
    }

    async fn say(&self, inbox: &Inbox, name: &str, texts: &[&str]) {
        let lines = texts.iter().map(|t| self.line(name, t, false)).collect();
        inbox.lines(lines).await;
    }

    async fn change(&self, inbox: &Inbox, name: &str, edit: impl FnOnce(&mut Container)) {
        let changed = {
            let mut all = lock(&self.containers);
            let Some(container) = all.get_mut(name) else { return };
            edit(container);
            container.clone()
        };
        inbox
            .life(Signal::Inspected {
                container: Box::new(changed),
                unwitnessed: false,
                asked_at: None,
            })
            .await;
    }

    async fn life(&self, inbox: &Inbox, name: &str, kind: LifeKind) {
        let event = LifeEvent { container: id(name), at: Timestamp::now(), kind };
        inbox.life(Signal::Life { event }).await;
    }

    async fn die(&self, inbox: &Inbox, name: &str, exit_code: i64, oom: bool) {
        if oom {
            self.life(inbox, name, LifeKind::Oom).await;
        }
        inbox.log_word(Signal::LogEnd { container: id(name) }).await;
        self.life(inbox, name, LifeKind::Die { exit_code }).await;
        self.change(inbox, name, |c| {
            c.state = RunState::Exited;
            c.exit_code = exit_code;
            c.oom_killed = oom;
            c.finished_at = Some(Timestamp::now());
        })
        .await;
    }

    async fn start(&self, name: &str) {
        let Some(inbox) = lock(&self.inbox).clone() else { return };
        let now = Timestamp::now();
        self.change(&inbox, name, |c| {
            c.state = RunState::Running;
            c.oom_killed = false;
            c.exit_code = 0;
            c.started_at = Some(now);
            c.started_at_raw = now.to_string();
            if c.health_check.is_some() {
                c.health = Health::Healthy;
                c.probes.clear();
            }
        })
        .await;
        self.life(&inbox, name, LifeKind::Start).await;
        self.say(&inbox, name, &["INFO starting", "INFO listening on :8080"]).await;
    }

    async fn cause(&self, inbox: &Inbox, fault: Fault) {
        match fault {
            Fault::OomApi => {
                let name = "shop-api-1";
                self.say(
                    inbox,
                    name,
                    &[
                        "WARN cache grew to 81 MiB",
                        "WARN cache grew to 93 MiB, eviction is behind",
                        "ERROR allocation of 4194304 bytes failed",
                    ],
                )
                .await;
                self.die(inbox, name, 137, true).await;
            }
            Fault::CrashWorker => {
                let name = "shop-worker-1";
                self.say(
                    inbox,
                    name,
                    &[
                        "ERROR job 4411 failed: index out of range",
                        "FATAL panic: index out of range [7] with length 7",
                    ],
                )
                .await;
                self.die(inbox, name, 2, false).await;
            }
            Fault::DatabaseDown => {
                self.say(inbox, "shop-db-1", &["FATAL could not write WAL: terminating"]).await;
                self.die(inbox, "shop-db-1", 1, false).await;
                for name in ["shop-api-1", "shop-api-2", "shop-worker-1"] {
                    self.say(inbox, name, &["ERROR connect db:5432: connection refused"]).await;
                }
            }
            Fault::Unhealthy => {
                let name = "shop-search-1";
                self.change(inbox, name, |c| {
                    c.health = Health::Unhealthy;
                    c.probes = (0..5)
                        .map(|n| Probe {
                            exit_code: if n < 2 { 0 } else { -1 },
                            output: if n < 2 { "ok" } else { "wget: download timed out" }
                                .to_owned(),
                            ended_at: Some(
                                Timestamp::now() - SignedDuration::from_secs(10 - 2 * n),
                            ),
                            duration: Duration::from_millis(if n < 2 { 12 } else { 1000 }),
                        })
                        .collect();
                })
                .await;
                self.life(inbox, name, LifeKind::Unhealthy).await;
            }
            Fault::DockerGone => {
                let detail =
                    "no answer from the engine for 5 s; what is shown is from before; trying again"
                        .to_owned();
                inbox.life(Signal::Degraded { part: "docker".to_owned(), detail }).await;
                let inbox = inbox.clone();
                tokio::spawn(async move {
                    tokio::time::sleep(Duration::from_secs(20)).await;
                    let word = Signal::Recovered {
                        part: "docker".to_owned(),
                        detail: "answers again".to_owned(),
                    };
                    inbox.life(word).await;
                });
            }
        }
    }

    async fn play(&self, inbox: Inbox, stop: CancellationToken) {
        *lock(&self.inbox) = Some(inbox.clone());
        let Some(mut todo) = lock(&self.todo).take() else { return };
        let watched: Vec<Container> = lock(&self.containers).values().cloned().collect();
        let engine = EngineInfo {
            name: "node-7".to_owned(),
            version: "28.5.1".to_owned(),
            api: "1.51".to_owned(),
            cpus: 8,
            memory: 32 << 30,
            endpoint: "scripted".to_owned(),
            ..EngineInfo::default()
        };
        for name in watched.iter().map(|c| c.of.name.as_str()) {
            let lines = (0..30)
                .map(|n| {
                    self.line(name, &format!("INFO GET /orders/{n} 200 {}ms", 7 + n % 5), true)
                })
                .collect();
            inbox.lines(lines).await;
        }
        inbox.life(Signal::Attached { engine, watched }).await;
        let mut beat = tokio::time::interval(Duration::from_millis(500));
        let mut turn: u64 = 0;
        loop {
            tokio::select! {
                () = stop.cancelled() => break,
                Some(fault) = todo.recv() => self.cause(&inbox, fault).await,
                _ = beat.tick() => {
                    turn += 1;
                    self.everyday(&inbox, turn).await;
                }
            }
        }
    }

    async fn everyday(&self, inbox: &Inbox, turn: u64) {
        let up: Vec<(String, u64)> = lock(&self.containers)
            .values()
            .filter(|c| c.is_up())
            .map(|c| (c.of.name.clone(), c.memory_limit.unwrap_or(1 << 30)))
            .collect();
        for (place, (name, limit)) in up.iter().enumerate() {
            let wave = ((turn + place as u64 * 7) % 20) as f64 / 20.0;
            let share =
                if name == "shop-cache-1" { 86 } else { 35 + (turn + place as u64 * 7) % 20 };
            inbox.usage(UsageSample {
                container: id(name),
                at: Timestamp::now(),
                usage: Usage {
                    cpu_pct: 3.0 + wave * (12.0 + place as f64 * 6.0),
                    mem_used: limit / 100 * share,
                    mem_limit: *limit,
                    net_rx_bps: wave * 48_000.0,
                    net_tx_bps: wave * 12_000.0,
                    disk_read_bps: 0.0,
                    disk_write_bps: wave * 4096.0,
                    pids: 12,
                    ..Usage::default()
                },
            });
            if name.starts_with("load-") && (turn + place as u64).is_multiple_of(2) {
                continue;
            }
            let text = match (turn + place as u64) % 9 {
                0 => "DEBUG pool: 3 idle, 2 busy".to_owned(),
                4 => format!(
                    "WARN slow query: 412ms select * from orders where customer_id = {turn}"
                ),
                _ => format!("INFO POST /orders 201 {}ms trace=9f{turn:04x}", 9 + turn % 13),
            };
            self.say(inbox, name, &[text.as_str()]).await;
        }
    }
}

impl Monitor for Play {
    fn run(&self, inbox: Inbox, stop: CancellationToken) -> BoxFuture<'_, Result<(), PortError>> {
        Box::pin(async move {
            self.play(inbox, stop).await;
            Ok(())
        })
    }

    fn inspect(&self, wanted: ContainerId) -> BoxFuture<'_, Result<Option<Container>, PortError>> {
        let found = lock(&self.containers).values().find(|c| c.of.id == wanted).cloned();
        Box::pin(async move { Ok(found) })
    }
}

struct Hands(Arc<Play>);

impl Remediator for Hands {
    fn run(&self, out: mpsc::Sender<Signal>, stop: CancellationToken) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            if out.send(Signal::Tools { tools: self.tools() }).await.is_ok() {
                stop.cancelled().await;
            }
        })
    }

    fn apply(
        &self,
        plan: Approved<Plan>,
        _monitor: Arc<dyn Monitor>,
        out: mpsc::Sender<Signal>,
    ) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            let incident = plan.get().incident.clone();
            for step in &plan.get().steps {
                let began_at = Timestamp::now();
                tokio::time::sleep(Duration::from_millis(700)).await;
                if step.call.tool == "update_resources" {
                    let name = step.target.name.clone();
                    if let Some(c) = lock(&self.0.containers).get_mut(&name) {
                        c.memory_limit = Some(144 << 20);
                    }
                } else {
                    self.0.start(&step.target.name).await;
                }
                let result = ToolResult {
                    ok: true,
                    message: format!("{} done", step.call.tool),
                    duration_ms: 703,
                };
                let done = Signal::StepDone {
                    incident: incident.clone(),
                    fix: step.id.clone(),
                    result,
                    replaced_by: None,
                    began_at,
                };
                if out.send(done).await.is_err() {
                    return;
                }
            }
            drop(out.send(Signal::PlanDone { incident, ok: true }).await);
        })
    }

    fn rehearse<'a>(
        &'a self,
        _: &'a Plan,
        _: Arc<dyn Monitor>,
    ) -> BoxFuture<'a, Result<(), String>> {
        Box::pin(async { Ok(()) })
    }
    fn undo(&self, plan: Approved<Undo>, out: mpsc::Sender<Signal>) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            let incident = plan.get().0.incident.clone();
            let result = ToolResult { ok: true, message: "undone".to_owned(), duration_ms: 5 };
            drop(out.send(Signal::UndoDone { incident, result, replaced_by: None }).await);
        })
    }

    fn call(
        &self,
        _call: ToolCall,
    ) -> BoxFuture<'_, Result<(ToolResult, serde_json::Value), PortError>> {
        Box::pin(async { Err(PortError("not played here".to_owned())) })
    }

    fn tools(&self) -> Vec<Tool> {
        [
            "start_container",
            "stop_container",
            "restart_container",
            "update_resources",
            "health_check",
        ]
        .into_iter()
        .map(|name| Tool {
            server: "docker-control".to_owned(),
            name: name.to_owned(),
            description: String::new(),
            input_schema: serde_json::json!({ "type": "object" }),
            foreign: false,
            hints: ToolHints::default(),
        })
        .collect()
    }
}

/// Nobody else is there.
struct Alone;

impl Role for Alone {
    fn claim(&self) -> Claim {
        Claim { acts: true, keeps: true }
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let has = |flag: &str| args.iter().any(|a| a == flag);
    if has("--help") {
        use std::io::Write as _;
        writeln!(
            std::io::stdout(),
            "tui_preview [--read-only | --auto-heal] [--ascii] [--panic] [--mouse] [--notify] [--load N] [--theme NAME] [--tour FILE]\nF opens the menu of faults."
        )?;
        return Ok(());
    }
    let named = args.iter().position(|a| a == "--theme").and_then(|at| args.get(at + 1));
    let no_color = std::env::var_os("NO_COLOR").is_some_and(|v| !v.is_empty());
    let theme = Theme::load(named.map_or("dark", String::as_str), no_color && named.is_none())?;
    let mode = if has("--read-only") {
        Mode::ReadOnly
    } else if has("--auto-heal") {
        Mode::AutoHeal
    } else {
        Mode::Approve
    };
    let (ascii, panics) = (has("--ascii"), has("--panic"));
    let load = args.iter().position(|a| a == "--load").and_then(|at| args.get(at + 1));
    let load = load.map_or(Ok(0), |n| n.parse())?;
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(preview(
        theme,
        mode,
        (ascii, panics),
        (has("--mouse"), has("--notify")),
        load,
        args.iter().position(|a| a == "--tour").and_then(|at| args.get(at + 1)).map(PathBuf::from),
    ))
}

async fn preview(
    theme: Theme,
    mode: Mode,
    (ascii, panics): (bool, bool),
    (mouse, bell): (bool, bool),
    load: usize,
    tour: Option<PathBuf>,
) -> Result<(), Box<dyn std::error::Error>> {
    let play = Play::new(load);
    let settings = Settings {
        host: "preview".to_owned(),
        mode,
        verify_hold: SignedDuration::from_secs(10),
        ..Settings::default()
    };
    let (handle, run_loop) = prepare(Parts {
        monitor: Arc::clone(&play) as Arc<dyn Monitor>,
        remediator: Arc::new(Hands(Arc::clone(&play))),
        models: None,
        runbooks: Arc::default(),
        store: Arc::new(SqliteStore::in_memory()?),
        role: Arc::new(Alone),
        settings,
        signatures: Arc::clone(Signatures::builtin()),
        earlier: Vec::new(),
        announced: Announced::default(),
        recorder: None,
    });
    let stop = CancellationToken::new();
    let engine = tokio::spawn(run_loop.run(stop.clone()));
    let faults = play.faults.clone();
    let menu = Menu {
        title: "Break something".to_owned(),
        items: FAULTS.iter().map(|(_, words)| (*words).to_owned()).collect(),
        pick: Arc::new(move |item| {
            let faults = faults.clone();
            Box::pin(async move {
                let (fault, words) = FAULTS.get(item).ok_or("no such fault")?;
                faults.send(*fault).await.map_err(|_| "the script has ended".to_owned())?;
                Ok(format!("now {words}"))
            })
        }),
    };
    let postmortems = std::env::temp_dir();
    let options = Options {
        theme,
        ascii,
        operator: "ana".to_owned(),
        saved_logs: postmortems.clone(),
        postmortems,
        menu: Some(menu),
        keymap: Keymap::default(),
        mouse,
        notify: if bell { Notify::Osc9 } else { Notify::Off },
        display: Display::None,
        tmux: false,
        frames: None,
        examine: None,
        columns: None,
        tour,
    };
    let signals = stop.clone();
    tokio::spawn(async move {
        use tokio::signal::unix::{SignalKind, signal};
        let (Ok(mut term), Ok(mut hup)) =
            (signal(SignalKind::terminate()), signal(SignalKind::hangup()))
        else {
            return;
        };
        tokio::select! { _ = term.recv() => {}, _ = hup.recv() => {} }
        signals.cancel();
    });
    if panics {
        tokio::spawn(async {
            tokio::time::sleep(Duration::from_secs(1)).await;
            #[expect(clippy::panic, reason = "what a crash looks like is what is shown")]
            {
                panic!("a crash for show")
            }
        });
    }
    let shown = sentinel_tui::tui::run::run(handle, options, stop.clone()).await;
    stop.cancel();
    engine.await?;
    shown?;
    Ok(())
}
