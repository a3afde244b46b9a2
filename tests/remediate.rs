//! The remediator against real MCP servers: child processes of `examples/fixture_server.rs`.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::future::BoxFuture;
use jiff::{SignedDuration, Timestamp};
use sentinel_core::domain::container::{Container, ContainerRef};
use sentinel_core::domain::diagnosis::Source;
use sentinel_core::domain::failure::FailureClass;
use sentinel_core::domain::ids::{ContainerId, FixId, IncidentId};
use sentinel_core::domain::incident::{Incident, IncidentState};
use sentinel_core::domain::plan::{
    Actor, Approved, Fix, FixState, Plan, Preconditions, Risk, UndoTicket,
};
use sentinel_core::domain::severity::Severity;
use sentinel_core::domain::signal::Signal;
use sentinel_core::domain::tool::{ToolCall, ToolResult};
use sentinel_tui::ports::{Inbox, Lease, Leases, Monitor, PortError, Remediator};
use sentinel_tui::remediate::remediator::{McpRemediator, McpSettings};
use sentinel_tui::remediate::timeouts::Timeouts;
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;

type Outcome = Result<(), Box<dyn std::error::Error>>;

/// No single wait of these tests is longer.
const LONG: Duration = Duration::from_secs(30);
const STARTED: &str = "2026-01-02T03:04:05.123456789Z";

/// A remediator that runs, with its servers. Dropping it ends them, also when a test fails.
struct Bed {
    folder: tempfile::TempDir,
    remediator: Arc<McpRemediator>,
    signals: mpsc::Receiver<Signal>,
    stop: CancellationToken,
    running: JoinHandle<()>,
}

impl Drop for Bed {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

fn fixture() -> Result<PathBuf, Box<dyn std::error::Error>> {
    let own = std::env::current_exe()?;
    let target = own.parent().and_then(Path::parent).ok_or("no target folder")?;
    let path = target.join("examples/fixture_server");
    if !path.is_file() {
        return Err("examples/fixture_server is not built: run `cargo build --examples`".into());
    }
    Ok(path)
}

fn quick() -> Timeouts {
    Timeouts { patience: Duration::from_secs(10), ..Timeouts::default() }
}

impl Bed {
    /// Servers in the order given: a name and, for the fixture, its role as `@role`.
    fn start(
        servers: &[(&str, &[&str])],
        timeouts: Timeouts,
    ) -> Result<Self, Box<dyn std::error::Error>> {
        Self::leased(servers, timeouts, None)
    }

    /// The same beside other instances.
    fn leased(
        servers: &[(&str, &[&str])],
        timeouts: Timeouts,
        leases: Option<Arc<dyn Leases>>,
    ) -> Result<Self, Box<dyn std::error::Error>> {
        let folder = tempfile::tempdir()?;
        // Written by hand: the order of the servers counts.
        let mut catalog = "registry:\n".to_owned();
        for (name, exec) in servers {
            let exec = match exec {
                [role] if role.starts_with('@') => {
                    let log = folder.path().join("calls");
                    json!(["$SELF", role.trim_start_matches('@'), log])
                }
                exec => json!(exec),
            };
            let local = json!({ "exec": exec, "env": ["LISTED", "ABSENT"] });
            writeln!(catalog, "  {name}: {{x-sentinel: {local}}}")?;
        }
        let path = folder.path().join("catalog.yaml");
        std::fs::write(&path, catalog)?;
        let map = |pairs: &[(&str, &str)]| -> BTreeMap<String, String> {
            pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect()
        };
        let remediator = McpRemediator::new(McpSettings {
            catalog: Some(path),
            executable: fixture()?,
            environment: map(&[("LISTED", "yes"), ("UNLISTED", "no"), ("PATH", "/usr/bin:/bin")]),
            pass: map(&[("SENTINEL_READ_ONLY", "false")]),
        })?
        .with_timeouts(timeouts)
        .with_leases(leases);
        let remediator = Arc::new(remediator);
        let (out, signals) = mpsc::channel(256);
        let stop = CancellationToken::new();
        let (runner, token) = (Arc::clone(&remediator), stop.clone());
        let running = tokio::spawn(async move { runner.run(out, token).await });
        Ok(Self { folder, remediator, signals, stop, running })
    }

    fn one() -> Result<Self, Box<dyn std::error::Error>> {
        Self::start(&[("first", &["@first"])], quick())
    }

    async fn signal(
        &mut self,
        what: &str,
        fits: impl Fn(&Signal) -> bool,
    ) -> Result<Signal, Box<dyn std::error::Error>> {
        let deadline = Instant::now() + LONG;
        loop {
            match tokio::time::timeout_at(deadline, self.signals.recv()).await {
                Ok(Some(signal)) if fits(&signal) => return Ok(signal),
                Ok(Some(_)) => {}
                Ok(None) => return Err(format!("the signals ended before: {what}").into()),
                Err(_) => return Err(format!("no signal: {what}").into()),
            }
        }
    }

    async fn call(&self, tool: &str, arguments: Value) -> Result<(ToolResult, Value), PortError> {
        let arguments = arguments.as_object().cloned().unwrap_or_default();
        self.remediator.call(ToolCall { tool: tool.to_owned(), arguments }).await
    }

    /// What the servers were asked so far.
    fn calls(&self) -> Vec<String> {
        std::fs::read_to_string(self.folder.path().join("calls"))
            .unwrap_or_default()
            .lines()
            .map(str::to_owned)
            .collect()
    }

    /// Runs a plan and returns what it reports, up to its last word.
    async fn apply(
        &self,
        plan: Approved<Plan>,
        monitor: &Arc<Still>,
    ) -> Result<Vec<Signal>, Box<dyn std::error::Error>> {
        let (out, mut signals) = mpsc::channel(64);
        let monitor: Arc<dyn Monitor> = Arc::<Still>::clone(monitor);
        timeout(LONG, self.remediator.apply(plan, monitor, out)).await?;
        let mut all = Vec::new();
        while let Some(signal) = signals.recv().await {
            all.push(signal);
        }
        Ok(all)
    }

    async fn end(mut self) -> Outcome {
        self.stop.cancel();
        timeout(LONG, &mut self.running).await??;
        Ok(())
    }
}

/// A monitor of containers that stand still.
#[derive(Default)]
struct Still(Mutex<BTreeMap<ContainerId, Container>>);

impl Still {
    fn of(containers: impl IntoIterator<Item = Container>) -> Arc<Self> {
        let map = containers.into_iter().map(|c| (c.of.id.clone(), c)).collect();
        Arc::new(Self(Mutex::new(map)))
    }
}

impl Monitor for Still {
    fn run(&self, _: Inbox, _: CancellationToken) -> BoxFuture<'_, Result<(), PortError>> {
        Box::pin(async { Ok(()) })
    }

    fn inspect(&self, id: ContainerId) -> BoxFuture<'_, Result<Option<Container>, PortError>> {
        let found = self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&id).cloned();
        Box::pin(async move { Ok(found) })
    }
}

fn id(letter: &str) -> ContainerId {
    ContainerId(letter.repeat(64))
}

fn container(letter: &str, name: &str) -> Container {
    Container {
        image: "app:1".to_owned(),
        image_id: "sha256:1".to_owned(),
        started_at: STARTED.parse().ok(),
        started_at_raw: STARTED.to_owned(),
        network_mode: "bridge".to_owned(),
        config_hash: "hash".to_owned(),
        command: "app".to_owned(),
        ..Container::plain(ContainerRef {
            id: id(letter),
            name: name.to_owned(),
            service: name.to_owned(),
            project: None,
        })
    }
}

/// A call, and the one that takes it back.
type Step = (ToolCall, Option<ToolCall>);

fn call(tool: &str, arguments: &Value) -> ToolCall {
    let mut all = arguments.as_object().cloned().unwrap_or_default();
    all.insert("container_name".to_owned(), json!(id("a")));
    ToolCall { tool: tool.to_owned(), arguments: all }
}

/// A plan on the container `a`, approved as a person does it.
fn approved(
    steps: Vec<Step>,
) -> Result<(Approved<Plan>, UndoTicket, Plan), Box<dyn std::error::Error>> {
    approved_on(&container("a", "api"), steps)
}

fn approved_on(
    container: &Container,
    steps: Vec<Step>,
) -> Result<(Approved<Plan>, UndoTicket, Plan), Box<dyn std::error::Error>> {
    let now = Timestamp::now();
    let target = container.of.clone();
    let incident = IncidentId::from("INC-1");
    let fixes = steps
        .into_iter()
        .zip(1u32..)
        .map(|((call, inverse), step)| Fix {
            id: FixId(format!("INC-1/1.{step}")),
            step,
            call,
            target: target.clone(),
            risk: Risk::R1,
            reason: String::new(),
            diff: String::new(),
            docker_line: String::new(),
            downtime: String::new(),
            inverse,
            compose_patch: None,
            state: FixState::Staged,
            result: None,
            progress: None,
            replaced_by: None,
        })
        .collect();
    let plan = Plan {
        incident: incident.clone(),
        source: Source::Rules,
        steps: fixes,
        preconditions: Preconditions {
            running: true,
            image_id: container.image_id.clone(),
            started_at: container.started_at_raw.clone(),
            config_hash: container.config_hash.clone(),
        },
        staged_at: now,
        expires_at: now + SignedDuration::from_mins(15),
        sha256: String::new(),
    }
    .freeze();
    let mut incident = Incident {
        refused_by: None,
        snooze: None,
        id: incident,
        container: target,
        root: "api".to_owned(),
        state: IncidentState::AwaitingApproval,
        severity: Severity::High,
        class: FailureClass::Hang,
        title: String::new(),
        affected: vec![],
        observed_at: now,
        opened_at: now,
        closed_at: None,
        anomalies: vec![],
        anomalies_dropped: 0,
        diagnosis: None,
        plan: Some(plan.clone()),
        plans: 1,
        checks: vec![],
        not_acting: vec![],
        timeline: vec![],
        reopens: None,
        explanation: None,
        explanation_by: None,
        opinion: None,
        earlier_plans: Vec::new(),
    };
    let by = Actor::Person("ann".to_owned());
    let (approved, ticket) = incident.approve(&FixId::from("INC-1/1.1"), &plan.sha256, by, now)?;
    Ok((approved, ticket, plan))
}

/// The reports in short: `fix ok message`, `stale: why`, `plan ok`.
fn short(signals: &[Signal]) -> Vec<String> {
    signals
        .iter()
        .map(|signal| match signal {
            Signal::StepDone { fix, result, .. } => {
                format!("{fix} {} {}", result.ok, result.message)
            }
            Signal::PlanStale { why, .. } => format!("stale: {why}"),
            Signal::PlanDone { ok, .. } => format!("plan {ok}"),
            other => format!("{other:?}"),
        })
        .collect()
}

#[tokio::test]
async fn tools_are_discovered_over_all_pages_and_bad_ones_are_named() -> Outcome {
    let mut bed = Bed::one()?;
    let Signal::Tools { tools } =
        bed.signal("tools", |s| matches!(s, Signal::Tools { .. })).await?
    else {
        return Err("no tools".into());
    };
    let names: Vec<_> = tools.iter().map(|t| t.name.as_str()).collect();
    let expected =
        ["die", "environment", "fail", "ok", "refuse", "replace", "slow", "soft_fail", "strict"];
    assert_eq!(names, expected);
    assert_eq!(tools[3].description, "the ok of first");
    assert_eq!(tools[8].input_schema["required"], json!(["container_name"]));
    let degraded = bed.signal("a word", |s| matches!(s, Signal::Degraded { .. })).await?;
    let text = format!("{degraded:?}");
    assert!(text.contains("part: \"mcp\"") && text.contains("its tool bad is left out"), "{text}");
    assert_eq!(bed.remediator.tools(), tools);
    bed.end().await
}

#[tokio::test]
async fn a_server_sees_only_what_is_meant_for_it_and_ends_with_us() -> Outcome {
    let bed = Bed::one()?;
    let (result, value) = bed.call("environment", json!({})).await?;
    assert!(result.ok);
    assert_eq!(value["variables"], json!(["LISTED is yes", "SENTINEL_READ_ONLY is false"]));
    let pid = value["pid"].as_u64().ok_or("no pid")?;
    let process = PathBuf::from(format!("/proc/{pid}"));
    assert!(process.exists());
    bed.end().await?;
    assert!(!process.exists(), "the server outlived us");
    Ok(())
}

#[tokio::test]
async fn arguments_that_do_not_fit_are_never_sent() -> Outcome {
    let bed = Bed::one()?;
    let good = json!({ "container_name": id("a"), "resources": { "memory": "64m" } });
    assert!(bed.call("strict", good).await?.0.ok);
    let cases = [
        (json!({}), "container_name"),
        (json!({ "container_name": "api" }), "/container_name"),
        (json!({ "container_name": id("a"), "resources": { "memory": 64 } }), "/resources/memory"),
        (json!({ "container_name": id("a"), "x": 1 }), "x"),
    ];
    for (arguments, place) in cases {
        let error = bed.call("strict", arguments).await.err().ok_or("it was sent")?.to_string();
        assert!(error.contains(place) && error.contains("schema"), "{error}");
    }
    let error = bed.call("bad", json!({})).await.err().ok_or("it was sent")?.to_string();
    assert!(error.contains("no MCP server offers the tool bad"), "{error}");
    assert_eq!(bed.calls().len(), 1);
    bed.end().await
}

#[tokio::test]
async fn every_form_of_failure_is_one() -> Outcome {
    let bed = Bed::one()?;
    for (tool, message) in [
        ("fail", "it broke: password=*** "),
        ("soft_fail", "it did not work"),
        ("refuse", "the server refused the call: not today"),
    ] {
        let (result, _) = bed.call(tool, json!({})).await?;
        assert!(!result.ok);
        assert_eq!(result.message, message);
    }
    bed.end().await
}

#[tokio::test]
async fn a_call_without_an_answer_is_not_repeated() -> Outcome {
    let timeouts = Timeouts { call: Duration::from_millis(300), ..quick() };
    let bed = Bed::start(&[("first", &["@first"])], timeouts)?;
    let (result, _) = bed.call("slow", json!({})).await?;
    assert!(!result.ok);
    assert!(result.message.contains("no answer within 0.3 s"), "{}", result.message);
    assert!(result.message.contains("outcome not known"), "{}", result.message);
    // The server is not held up by it.
    assert!(bed.call("ok", json!({})).await?.0.ok);
    assert_eq!(bed.calls(), ["first slow {}", "first ok {}"]);
    bed.end().await
}

#[tokio::test]
async fn a_server_that_dies_is_started_again_and_asked_again() -> Outcome {
    let mut bed = Bed::start(&[("second", &["@second"]), ("first", &["@first"])], quick())?;
    bed.signal("all tools", |s| matches!(s, Signal::Tools { tools } if tools.len() == 10)).await?;
    let (_, before) = bed.call("environment", json!({})).await?;
    let began = Instant::now();
    let (result, _) = bed.call("die", json!({})).await?;
    assert!(!result.ok && result.message.contains("outcome not known"), "{}", result.message);
    assert!(began.elapsed() < Duration::from_secs(5), "its end was noticed late");
    bed.signal(
        "degraded",
        |s| matches!(s, Signal::Degraded { detail, .. } if detail.contains("first: it ended")),
    )
    .await?;
    // Its tools stay known, and a call waits until it is back.
    assert_eq!(bed.remediator.tools().len(), 10);
    let (_, after) = bed.call("environment", json!({})).await?;
    assert_ne!(before["pid"], after["pid"]);
    bed.signal(
        "better",
        |s| matches!(s, Signal::Degraded { detail, .. } if !detail.contains("it ended")),
    )
    .await?;
    assert_eq!(bed.calls().iter().filter(|c| c.contains("die")).count(), 1);
    bed.end().await
}

#[tokio::test]
async fn the_end_of_an_idle_server_is_noticed_at_once_and_its_return_is_told() -> Outcome {
    let mut bed = Bed::start(&[("plain", &["@plain"])], quick())?;
    let (_, value) = bed.call("environment", json!({})).await?;
    let pid = value["pid"].as_u64().ok_or("no pid")?;
    let killed = std::process::Command::new("kill").args(["-9", &pid.to_string()]).status()?;
    assert!(killed.success());
    let began = Instant::now();
    bed.signal("degraded", |s| matches!(s, Signal::Degraded { .. })).await?;
    assert!(began.elapsed() < Duration::from_secs(3), "its end was noticed late");
    bed.signal("recovered", |s| matches!(s, Signal::Recovered { part, .. } if part == "mcp"))
        .await?;
    assert!(bed.call("environment", json!({})).await?.0.ok);
    assert_eq!(bed.remediator.settled().await, Vec::<String>::new());
    bed.end().await
}

#[tokio::test]
async fn a_server_whose_tools_change_is_asked_again() -> Outcome {
    let mut bed = Bed::start(&[("plain", &["@plain"])], quick())?;
    assert!(bed.call("grow", json!({})).await?.0.ok);
    bed.signal(
        "the new tool",
        |s| matches!(s, Signal::Tools { tools } if tools.iter().any(|t| t.name == "grown")),
    )
    .await?;
    assert!(bed.call("grown", json!({})).await?.0.ok);
    bed.end().await
}

#[tokio::test]
async fn of_two_tools_with_one_name_the_first_wins() -> Outcome {
    let bed = Bed::start(&[("second", &["@second"]), ("first", &["@first"])], quick())?;
    let problems = bed.remediator.settled().await;
    let word = "first: its tool ok is left out: second offers one of that name";
    assert!(problems.iter().any(|p| p == word), "{problems:?}");
    for tool in ["ok", "extra", "soft_fail"] {
        bed.call(tool, json!({})).await?;
    }
    assert_eq!(bed.calls(), ["second ok {}", "second extra {}", "first soft_fail {}"]);
    bed.end().await
}

#[tokio::test]
async fn too_many_tools_are_cut_off() -> Outcome {
    let bed = Bed::start(&[("crowd", &["@crowd"])], quick())?;
    let problems = bed.remediator.settled().await;
    assert!(problems[0].contains("more than 200 tools"), "{problems:?}");
    assert_eq!(bed.remediator.tools().len(), 200);
    bed.end().await
}

#[tokio::test]
async fn programs_that_are_no_servers_hold_nobody_up() -> Outcome {
    let timeouts = Timeouts { connect: Duration::from_secs(6), ..quick() };
    let mut bed = Bed::start(
        &[
            ("echo", &["cat"]),
            ("silent", &["sleep", "600"]),
            ("short", &["false"]),
            ("chatty", &["sh", "-c", "while :; do echo x; sleep 0.01; done"]),
            ("missing", &["no-such-program"]),
            ("first", &["@first"]),
        ],
        timeouts,
    )?;
    // The good one is there at once.
    let began = Instant::now();
    assert!(bed.call("ok", json!({})).await?.0.ok);
    assert!(began.elapsed() < Duration::from_secs(6), "it waited for the others");
    let problems = bed.remediator.settled().await;
    for name in ["echo", "silent", "short", "chatty", "missing"] {
        let found = problems.iter().any(|p| p.starts_with(&format!("{name}: ")));
        assert!(found, "{name} is not named: {problems:?}");
    }
    bed.signal(
        "degraded",
        |s| matches!(s, Signal::Degraded { detail, .. } if detail.contains("no-such-program")),
    )
    .await?;
    bed.end().await
}

#[tokio::test]
async fn a_plan_runs_as_it_stands() -> Outcome {
    let bed = Bed::one()?;
    let started = json!({ "expect_started_at": STARTED });
    let (plan, _, _) =
        approved(vec![(call("strict", &json!({})), None), (call("ok", &started), None)])?;
    let reports = bed.apply(plan, &Still::of([container("a", "api")])).await?;
    assert_eq!(short(&reports), ["INC-1/1.1 true fine", "INC-1/1.2 true fine", "plan true"]);
    let a = id("a");
    assert_eq!(
        bed.calls(),
        [
            format!(r#"first strict {{"container_name":"{a}"}}"#),
            format!(r#"first ok {{"container_name":"{a}","expect_started_at":"{STARTED}"}}"#),
        ]
    );
    bed.end().await
}

#[tokio::test]
async fn how_far_a_call_has_come_is_told_while_it_is_made() -> Outcome {
    let bed = Bed::start(&[("behind", &["@behind"])], quick())?;
    let (plan, _, _) = approved(vec![(call("steps", &json!({})), None)])?;
    let reports = bed.apply(plan, &Still::of([container("a", "api")])).await?;
    let told: Vec<&str> = reports
        .iter()
        .filter_map(|s| match s {
            Signal::StepProgress { words, .. } => Some(words.as_str()),
            _ => None,
        })
        .collect();
    // A word that comes soon after another gives way to the next.
    assert_eq!(told.first(), Some(&"1 of 3: one more"), "{reports:?}");
    assert!(matches!(reports.last(), Some(Signal::PlanDone { ok: true, .. })), "{reports:?}");
    bed.end().await
}

#[tokio::test]
async fn a_changed_world_makes_a_plan_stale() -> Outcome {
    let bed = Bed::one()?;
    let with = |change: &dyn Fn(&mut Container)| {
        let mut changed = container("a", "api");
        change(&mut changed);
        Still::of([changed])
    };
    let cases = [
        (Still::of([]), "is gone"),
        (with(&|c| c.image_id = "sha256:2".to_owned()), "its image changed"),
        (with(&|c| c.config_hash = "other".to_owned()), "its configuration changed"),
        (with(&|c| c.started_at_raw = "2026-01-03T00:00:00Z".to_owned()), "it was started again"),
    ];
    for (monitor, why) in cases {
        let (plan, _, _) = approved(vec![(call("ok", &json!({})), None)])?;
        let reports = short(&bed.apply(plan, &monitor).await?);
        assert_eq!(reports.len(), 1, "{reports:?}");
        assert!(reports[0].starts_with("stale: api: ") && reports[0].contains(why), "{reports:?}");
    }
    let (plan, _, _) = approved(vec![(call("no_such_tool", &json!({})), None)])?;
    let reports = short(&bed.apply(plan, &Still::of([container("a", "api")])).await?);
    assert_eq!(reports, ["stale: no MCP server offers the tool no_such_tool"]);
    assert_eq!(bed.calls(), Vec::<String>::new());
    bed.end().await
}

/// Leases that hold so many looks, and what was done with them.
#[derive(Clone, Default)]
struct Counted(Arc<Mutex<(usize, Vec<String>)>>);

impl Counted {
    fn that_hold(looks: usize) -> Self {
        Self(Arc::new(Mutex::new((looks, Vec::new()))))
    }

    fn note(&self, word: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).1.push(word.to_owned());
    }

    fn words(&self) -> Vec<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).1.clone()
    }
}

impl Leases for Counted {
    fn take(
        &self,
        of: Vec<ContainerId>,
        by_person: bool,
    ) -> BoxFuture<'_, Result<Box<dyn Lease>, PortError>> {
        Box::pin(async move {
            if self.0.lock().unwrap_or_else(PoisonError::into_inner).0 == 0 {
                return Err(PortError("the instance web-2 has it".to_owned()));
            }
            self.note(&format!("take {} {by_person}", of.len()));
            Ok(Box::new(self.clone()) as Box<dyn Lease>)
        })
    }
}

impl Lease for Counted {
    fn holds(&self) -> BoxFuture<'_, Result<(), PortError>> {
        Box::pin(async {
            let mut counted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            if counted.0 == 1 {
                return Err(PortError("the lease 7 was lost".to_owned()));
            }
            counted.0 -= 1;
            Ok(())
        })
    }

    fn end(self: Box<Self>, acted: bool) -> BoxFuture<'static, ()> {
        self.note(&format!("end {acted}"));
        Box::pin(async {})
    }
}

#[tokio::test]
async fn without_a_lease_nothing_is_called_and_one_that_is_lost_ends_the_plan() -> Outcome {
    let no = "stale: there is no lease to act";
    let cases = [
        (0, vec![format!("{no}: the instance web-2 has it")], vec![]),
        // Lost between the approval and the first call.
        (1, vec![format!("{no} any more: the lease 7 was lost")], vec!["end false"]),
        // Lost between two calls.
        (
            2,
            vec![
                "INC-1/1.1 true fine".to_owned(),
                "INC-1/1.2 false not called: there is no lease to act any more: the lease 7 was lost"
                    .to_owned(),
                "plan false".to_owned(),
            ],
            vec!["end true"],
        ),
        (
            3,
            vec![
                "INC-1/1.1 true fine".to_owned(),
                "INC-1/1.2 true fine".to_owned(),
                "plan true".to_owned(),
            ],
            vec!["end true"],
        ),
    ];
    for (looks, expected, words) in cases {
        let leases = Counted::that_hold(looks);
        let bed = Bed::leased(&[("first", &["@first"])], quick(), Some(Arc::new(leases.clone())))?;
        let step = || (call("ok", &json!({})), None);
        let (plan, _, _) = approved(vec![step(), step()])?;
        let reports = bed.apply(plan, &Still::of([container("a", "api")])).await?;
        assert_eq!(short(&reports), expected);
        assert_eq!(bed.calls().len(), looks.saturating_sub(1));
        let taken = (looks > 0).then_some("take 1 true");
        assert_eq!(leases.words(), taken.into_iter().chain(words).collect::<Vec<_>>());
        bed.end().await?;
    }
    Ok(())
}

#[tokio::test]
async fn a_plan_with_one_bad_call_is_not_begun() -> Outcome {
    let bed = Bed::one()?;
    let bad = call("strict", &json!({ "resources": { "memory": "a lot" } }));
    let (plan, _, _) = approved(vec![(call("ok", &json!({})), None), (bad, None)])?;
    let reports = short(&bed.apply(plan, &Still::of([container("a", "api")])).await?);
    assert_eq!(reports.len(), 2, "{reports:?}");
    assert!(reports[0].starts_with("INC-1/1.1 false nothing was called: step 2: "), "{reports:?}");
    assert!(reports[0].contains("/resources/memory"), "{reports:?}");
    assert_eq!(reports[1], "plan false");
    assert_eq!(bed.calls(), Vec::<String>::new());
    bed.end().await
}

#[tokio::test]
async fn the_first_failure_ends_a_plan() -> Outcome {
    let bed = Bed::one()?;
    for failing in ["fail", "soft_fail", "die"] {
        let steps = ["ok", failing, "ok"].map(|tool| (call(tool, &json!({})), None));
        let (plan, _, _) = approved(steps.into())?;
        let reports = short(&bed.apply(plan, &Still::of([container("a", "api")])).await?);
        assert_eq!(reports.len(), 3, "{reports:?}");
        assert!(reports[1].starts_with("INC-1/1.2 false "), "{reports:?}");
        assert_eq!(reports[2], "plan false");
    }
    assert_eq!(bed.calls().len(), 6);
    bed.end().await
}

#[tokio::test]
async fn later_steps_and_the_undo_follow_a_replaced_container() -> Outcome {
    let bed = Bed::one()?;
    let mut new = container("b", "api");
    new.started_at_raw = "2026-02-02T00:00:00Z".to_owned();
    let monitor = Still::of([container("a", "api"), new, container("c", "db")]);
    let replace = |new: &str| call("replace", &json!({ "new": id(new) }));
    let after = call("ok", &json!({ "expect_started_at": STARTED }));
    let back = call("extra_undo", &json!({}));
    let back = ToolCall { tool: "ok".to_owned(), ..back };
    let (plan, ticket, mut done) =
        approved(vec![(replace("b"), None), (after.clone(), Some(back))])?;
    let reports = short(&bed.apply(plan, &monitor).await?);
    assert_eq!(reports.last().map(String::as_str), Some("plan true"), "{reports:?}");
    let b = id("b");
    let expected = format!(
        r#"first ok {{"container_name":"{b}","expect_started_at":"2026-02-02T00:00:00Z"}}"#
    );
    assert_eq!(bed.calls()[1], expected);
    for step in &mut done.steps {
        step.state = FixState::Applied;
    }
    let undo = ticket.redeem(&done).ok_or("the ticket is for another plan")?;
    let (out, mut signals) = mpsc::channel(4);
    bed.remediator.undo(undo, out).await;
    let Some(Signal::UndoDone { result, .. }) = signals.recv().await else {
        return Err("no word".into());
    };
    assert!(result.ok);
    assert!(result.message.contains("1 of the steps cannot be taken back"), "{}", result.message);
    assert_eq!(bed.calls()[2], format!(r#"first ok {{"container_name":"{b}"}}"#));

    // A server that points at somebody else's container gets no further.
    let (plan, _, _) = approved(vec![(replace("c"), None), (after, None)])?;
    let reports = short(&bed.apply(plan, &monitor).await?);
    assert_eq!(reports.len(), 2, "{reports:?}");
    assert!(reports[0].contains("is called db, not api"), "{reports:?}");
    assert_eq!(bed.calls().len(), 4);
    bed.end().await
}

#[tokio::test]
async fn an_undo_goes_backwards_and_stops_at_a_failure() -> Outcome {
    let bed = Bed::one()?;
    let step = |n: u32, inverse: &str| {
        (call("ok", &json!({ "do": n })), Some(call(inverse, &json!({ "undo": n }))))
    };
    // The third step was never applied: its inverse must not run.
    let steps = vec![step(1, "ok"), step(2, "ok"), step(3, "ok")];
    let cases = [
        (steps, true, vec![2, 1], "ok: fine; ok: fine"),
        (vec![step(1, "ok"), step(2, "fail")], false, vec![2], "1 more were not tried"),
        (vec![(call("ok", &json!({})), None)], false, vec![], "nothing that can be taken back"),
    ];
    for (steps, ok, order, words) in cases {
        let before = bed.calls().len();
        let (_approved, ticket, mut done) = approved(steps)?;
        for (step, state) in
            done.steps.iter_mut().zip([FixState::Applied, FixState::Applied, FixState::Skipped])
        {
            step.state = state;
        }
        let undo = ticket.redeem(&done).ok_or("the ticket is for another plan")?;
        let (out, mut signals) = mpsc::channel(4);
        bed.remediator.undo(undo, out).await;
        let Some(Signal::UndoDone { result, .. }) = signals.recv().await else {
            return Err("no word".into());
        };
        assert_eq!(result.ok, ok, "{}", result.message);
        assert!(result.message.contains(words), "{}", result.message);
        let calls = &bed.calls()[before..];
        assert_eq!(calls.len(), order.len(), "{calls:?}");
        for (call, n) in calls.iter().zip(order) {
            assert!(call.ends_with(&format!("\"undo\":{n}}}")), "{calls:?}");
        }
    }
    bed.end().await
}

#[tokio::test]
async fn a_call_under_way_comes_back_before_the_end() -> Outcome {
    let bed = Bed::one()?;
    bed.remediator.settled().await;
    let remediator = Arc::clone(&bed.remediator);
    let sleeping =
        tokio::spawn(
            async move { remediator.call(ToolCall::new("slow", [("ms", json!(1500))])).await },
        );
    let deadline = Instant::now() + LONG;
    while bed.calls().is_empty() {
        assert!(Instant::now() < deadline, "the call was not made");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    bed.end().await?;
    let (result, _) = sleeping.await??;
    assert!(result.ok, "{}", result.message);
    Ok(())
}

/// A real container, removed also when the test fails.
struct Sandbox {
    docker: bollard::Docker,
    id: String,
}

impl Sandbox {
    async fn create() -> Result<Self, Box<dyn std::error::Error>> {
        let host = std::env::var("SENTINEL_TEST_DOCKER_HOST").map_err(
            |_| "SENTINEL_TEST_DOCKER_HOST is not set: run scripts/test.sh, or name an engine",
        )?;
        let docker = bollard::Docker::connect_with_host(&host)?;
        let image = std::env::var("SENTINEL_TEST_IMAGE")
            .unwrap_or_else(|_| "sentinel-test/busybox:1".to_owned());
        let body = bollard::models::ContainerCreateBody {
            image: Some(image),
            cmd: Some(vec!["sleep".to_owned(), "300".to_owned()]),
            stop_timeout: Some(0),
            labels: Some([("sre-sentinel.monitor".to_owned(), "true".to_owned())].into()),
            host_config: Some(bollard::models::HostConfig {
                memory: Some(64 << 20),
                memory_swap: Some(64 << 20),
                ..Default::default()
            }),
            ..Default::default()
        };
        let name =
            format!("remediate-test-{}-{}", std::process::id(), Timestamp::now().as_second());
        let options =
            bollard::query_parameters::CreateContainerOptionsBuilder::default().name(&name).build();
        let id = docker.create_container(Some(options), body).await?.id;
        let sandbox = Self { docker, id };
        sandbox.docker.start_container(&sandbox.id, None).await?;
        Ok(sandbox)
    }

    /// Its start time and its memory limit in MiB.
    async fn look(&self) -> Result<(String, i64), Box<dyn std::error::Error>> {
        let found = self.docker.inspect_container(&self.id, None).await?;
        let started = found.state.and_then(|s| s.started_at).ok_or("no StartedAt")?;
        let memory = found.host_config.and_then(|h| h.memory).unwrap_or_default();
        Ok((started, memory >> 20))
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        let (docker, id) = (self.docker.clone(), self.id.clone());
        // A runtime of its own: the test's may be ending with a failure.
        let removal = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            let options = bollard::query_parameters::RemoveContainerOptionsBuilder::default()
                .force(true)
                .build();
            runtime
                .block_on(docker.remove_container(&id, Some(options)))
                .map_err(std::io::Error::other)
        });
        if !matches!(removal.join(), Ok(Ok(()))) {
            assert!(std::thread::panicking(), "the container {} was not removed", self.id);
        }
    }
}

#[tokio::test]
#[ignore = "needs a Docker engine: run scripts/test.sh"]
async fn the_built_in_servers_change_a_real_container_and_take_it_back() -> Outcome {
    let sandbox = Sandbox::create().await?;
    let folder = tempfile::tempdir()?;
    let host = std::env::var("SENTINEL_TEST_DOCKER_HOST")?;
    let state = folder.path().to_str().ok_or("no text")?.to_owned();
    let remediator = Arc::new(McpRemediator::new(McpSettings {
        executable: env!("CARGO_BIN_EXE_sentinel-tui").into(),
        pass: [("DOCKER_HOST".to_owned(), host), ("SENTINEL_STATE_DIR".to_owned(), state)].into(),
        ..McpSettings::default()
    })?);
    let (out, signals) = mpsc::channel(256);
    let stop = CancellationToken::new();
    let (runner, token) = (Arc::clone(&remediator), stop.clone());
    let running = tokio::spawn(async move { runner.run(out, token).await });
    let bed = Bed { folder, remediator, signals, stop, running };
    assert_eq!(bed.remediator.settled().await, Vec::<String>::new());

    let (started, memory) = sandbox.look().await?;
    assert_eq!(memory, 64);
    let mut seen = container("a", "sandbox");
    seen.of.id = ContainerId(sandbox.id.clone());
    seen.started_at_raw.clone_from(&started);
    let on = |tool: &str, more: Value| {
        let mut arguments = more.as_object().cloned().unwrap_or_default();
        arguments.insert("container_name".to_owned(), json!(sandbox.id));
        ToolCall { tool: tool.to_owned(), arguments }
    };
    let limit = |memory: &str| json!({ "resources": { "memory": memory } });
    let steps = vec![
        (on("update_resources", limit("96m")), Some(on("update_resources", limit("64m")))),
        (on("restart_container", json!({ "expect_started_at": started })), None),
        // Expects the start that the step before it made.
        (on("restart_container", json!({ "expect_started_at": started })), None),
    ];
    let (plan, ticket, mut done) = approved_on(&seen, steps)?;
    let reports = short(&bed.apply(plan, &Still::of([seen])).await?);
    assert_eq!(reports.last().map(String::as_str), Some("plan true"), "{reports:?}");
    let (restarted, memory) = sandbox.look().await?;
    assert_ne!(restarted, started);
    assert_eq!(memory, 96);

    for step in &mut done.steps {
        step.state = FixState::Applied;
    }
    let undo = ticket.redeem(&done).ok_or("the ticket is for another plan")?;
    let (out, mut signals) = mpsc::channel(4);
    bed.remediator.undo(undo, out).await;
    let undone = signals.recv().await;
    assert_eq!(sandbox.look().await?.1, 64, "{undone:?}");
    bed.end().await
}
