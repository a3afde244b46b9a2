//! What was recorded is told again: a scripted run, a real fault on a real engine, and files that
//! are no recordings.

mod support;

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use jiff::{SignedDuration, Timestamp};
use sentinel_core::detect::reader;
use sentinel_core::detect::signatures::Signatures;
use sentinel_core::domain::command::Command as Request;
use sentinel_core::domain::container::{Container, ContainerRef, RunState};
use sentinel_core::domain::event::{Envelope, Event};
use sentinel_core::domain::ids::ContainerId;
use sentinel_core::domain::life::{LifeEvent, LifeKind};
use sentinel_core::domain::log::{LogLine, Stream};
use sentinel_core::domain::plan::{Actor, Approved, Plan, Undo};
use sentinel_core::domain::signal::Signal;
use sentinel_core::domain::snapshot::EngineInfo;
use sentinel_core::domain::tool::{Tool, ToolCall, ToolHints, ToolResult};
use sentinel_core::domain::usage::{Usage, UsageSample};
use sentinel_core::engine::Settings;
use sentinel_core::session::input::Announced;
use sentinel_tui::ports::{Inbox, Monitor, PortError, Remediator};
use sentinel_tui::recording::write::FileRecorder;
use sentinel_tui::runtime::parts::Parts;
use sentinel_tui::runtime::run::prepare;
use sentinel_tui::store::sqlite::SqliteStore;
use serde_json::Value;
use support::idle::Idle;
use support::process::{Headless, command};
use support::{CRASHES, Corner, Fallible, eventually};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// How often a recording is told again.
const TIMES: usize = 20;
/// How long anything may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// An engine whose only container writes, is read, and crashes.
struct Crash;

impl Crash {
    fn container(state: RunState) -> Container {
        let plain = Container::plain(ContainerRef {
            id: ContainerId("a".repeat(64)),
            name: "api".to_owned(),
            service: "api".to_owned(),
            project: None,
        });
        let exit_code = if state == RunState::Exited { 7 } else { 0 };
        Container { state, exit_code, started_at_raw: "once".to_owned(), ..plain }
    }
}

impl Monitor for Crash {
    fn run(&self, inbox: Inbox, stop: CancellationToken) -> BoxFuture<'_, Result<(), PortError>> {
        Box::pin(async move {
            let engine = EngineInfo { name: "host".to_owned(), ..EngineInfo::default() };
            let api = Self::container(RunState::Running);
            let container = api.of.id.clone();
            inbox.life(Signal::Attached { engine, watched: vec![api] }).await;
            let line = |(at, text): (usize, &str)| LogLine {
                container: container.clone(),
                seq: at as u64 + 1,
                at: Timestamp::now(),
                stream: Stream::Stderr,
                text: text.into(),
                reading: reader::one(text),
                styles: None,
                history: false,
            };
            let says = ["order 1 stored", "order 2 stored", "FATAL: lost it"];
            inbox.lines(says.into_iter().enumerate().map(line).collect()).await;
            let at = Timestamp::now();
            let usage = Usage { cpu_pct: 100.0 / 3.0, mem_used: 1 << 20, ..Usage::default() };
            inbox.usage(UsageSample { container: container.clone(), at, usage });
            let kind = LifeKind::Die { exit_code: 7 };
            let event = LifeEvent { container: container.clone(), at, kind };
            inbox.life(Signal::Life { event }).await;
            inbox.log_word(Signal::LogEnd { container }).await;
            stop.cancelled().await;
            Ok(())
        })
    }

    fn inspect(&self, _: ContainerId) -> BoxFuture<'_, Result<Option<Container>, PortError>> {
        Box::pin(async { Ok(Some(Self::container(RunState::Exited))) })
    }
}

/// Tools that say that they worked.
struct Hands;

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
        _: Arc<dyn Monitor>,
        out: mpsc::Sender<Signal>,
    ) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            let plan = plan.get();
            let (incident, began_at) = (plan.incident.clone(), Timestamp::now());
            for step in &plan.steps {
                let result = ToolResult { ok: true, message: "started".to_owned(), duration_ms: 1 };
                let (incident, fix) = (incident.clone(), step.id.clone());
                let done = Signal::StepDone { incident, fix, result, replaced_by: None, began_at };
                drop(out.send(done).await);
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
    fn undo(&self, _: Approved<Undo>, _: mpsc::Sender<Signal>) -> BoxFuture<'_, ()> {
        Box::pin(async {})
    }
    fn call(
        &self,
        call: ToolCall,
    ) -> BoxFuture<'_, Result<(ToolResult, serde_json::Value), PortError>> {
        Idle.call(call)
    }
    fn tools(&self) -> Vec<Tool> {
        vec![Tool {
            server: "docker-control".to_owned(),
            name: "start_container".to_owned(),
            description: String::new(),
            input_schema: Value::Null,
            foreign: false,
            hints: ToolHints::default(),
        }]
    }
}

/// Runs the crash, approves the fix, waits until it was applied and for what else is wanted; gives
/// the stream.
async fn recorded(recorder: FileRecorder, wanted: fn(&Event) -> bool) -> Fallible<Vec<String>> {
    let (handle, state) = prepare(Parts {
        monitor: Arc::new(Crash),
        remediator: Arc::new(Hands),
        models: None,
        runbooks: Arc::default(),
        store: Arc::new(SqliteStore::in_memory()?),
        role: Arc::new(Idle),
        signatures: Arc::clone(Signatures::builtin()),
        settings: Settings { verify_hold: SignedDuration::from_secs(1), ..Settings::default() },
        earlier: Vec::new(),
        announced: Announced { logs: true, usage: true },
        recorder: Some(Box::new(recorder)),
    });
    let mut events = handle.subscribe();
    let stop = CancellationToken::new();
    let running = tokio::spawn(state.run(stop.clone()));
    let mut stream: Vec<Arc<Envelope>> = Vec::new();
    let all = async {
        let (mut applied, mut seen) = (false, false);
        loop {
            let envelope = events.recv().await?;
            stream.push(Arc::clone(&envelope));
            match &envelope.event {
                Event::FixStaged { fix, .. } => {
                    let approve =
                        Request::Approve { fix: fix.id.clone(), sha256: fix.sha256.clone() };
                    handle.command(Actor::Person("ann".to_owned()), approve).await?;
                }
                Event::FixApplied(_) => applied = true,
                Event::MonitorStopped { .. } => break,
                _ => {}
            }
            seen |= wanted(&envelope.event);
            if applied && seen {
                stop.cancel();
            }
        }
        Ok::<(), Box<dyn std::error::Error + Send + Sync>>(())
    };
    let outcome = tokio::time::timeout(PATIENCE, all).await;
    if outcome.is_err() {
        let told: Vec<&Event> = stream.iter().map(|e| &e.event).collect();
        return Err(format!("not within {PATIENCE:?}: {told:#?}").into());
    }
    outcome??;
    running.await?;
    Ok(stream.iter().map(serde_json::to_string).collect::<Result<_, _>>()?)
}

/// A replay by the built program, which finds nothing of this machine.
fn replay(file: &Path) -> Fallible<Output> {
    Ok(Command::new(env!("CARGO_BIN_EXE_sentinel-tui"))
        .env_clear()
        .arg("replay")
        .arg(file)
        .stdin(Stdio::null())
        .output()?)
}

/// The streams of so many replays of one file: all the same.
fn retold(file: &Path) -> Fallible<String> {
    let mut first = None;
    for _ in 0..TIMES {
        let output = replay(file)?;
        let words = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{words}");
        assert_eq!(words, "", "nothing is wrong with it");
        let stream = String::from_utf8(output.stdout)?;
        assert_eq!(first.get_or_insert_with(|| stream.clone()), &stream);
    }
    Ok(first.unwrap_or_default())
}

/// A good recording in a folder.
async fn good(folder: &Path) -> Fallible<(PathBuf, Vec<String>)> {
    let file = folder.join("session.jsonl");
    let stream = recorded(FileRecorder::create(&file)?, |_| true).await?;
    Ok((file, stream))
}

#[tokio::test]
async fn a_scripted_run_is_told_again_twenty_times_to_the_byte() -> Fallible {
    let folder = tempfile::tempdir()?;
    let (file, live) = good(folder.path()).await?;
    for kind in ["log", "usage", "incident_opened", "diagnosis_ready", "fix_applied"] {
        let named = format!("\"type\":\"{kind}\"");
        assert!(live.iter().any(|line| line.contains(&named)), "{kind}: {live:#?}");
    }
    assert_eq!(retold(&file)?, live.join("\n") + "\n");
    Ok(())
}

#[tokio::test]
async fn a_recording_is_for_nobody_elses_eyes_and_nothing_is_written_over() -> Fallible {
    use std::os::unix::fs::MetadataExt as _;
    let folder = tempfile::tempdir()?;
    let (file, _) = good(folder.path()).await?;
    assert_eq!(std::fs::metadata(&file)?.mode() & 0o777, 0o600);
    let kind = FileRecorder::create(&file).err().map(|e| e.kind());
    assert_eq!(kind, Some(std::io::ErrorKind::AlreadyExists));
    Ok(())
}

#[tokio::test]
async fn a_recording_that_is_full_says_so_and_watching_goes_on() -> Fallible {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("session.jsonl");
    let is_told = |event: &Event| {
        matches!(event, Event::Degraded { part, detail }
            if part == "recording" && detail.contains("its limit of 4096 bytes"))
    };
    let live = recorded(FileRecorder::with_limit(&file, 4096)?, is_told).await?;
    assert!(std::fs::metadata(&file)?.len() <= 4096);
    assert!(live.iter().any(|line| line.contains("fix_applied")), "{live:#?}");
    // What was taken down is told again, and that it ends there is said in it.
    let again = retold(&file)?;
    let before = live.join("\n") + "\n";
    assert!(before.starts_with(&again) && before.len() > again.len(), "{again}");
    assert!(std::fs::read_to_string(&file)?.contains("\"end\":\"it has reached its limit"));
    Ok(())
}

#[tokio::test]
async fn a_recording_that_breaks_off_is_told_up_to_there() -> Fallible {
    let folder = tempfile::tempdir()?;
    let (file, live) = good(folder.path()).await?;
    let bytes = std::fs::read(&file)?;
    let lines: Vec<&[u8]> = bytes.split_inclusive(|b| *b == b'\n').collect();
    let cut = folder.path().join("cut.jsonl");
    let all_but_last = bytes.len() - lines.last().map_or(0, |line| line.len());
    let ends = [
        (all_but_last, "has no end"),
        (bytes.len() - 5, "is not complete"),
        (all_but_last + 1, "is not complete"),
    ];
    for (end, words) in ends {
        std::fs::write(&cut, &bytes[..end])?;
        let output = replay(&cut)?;
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(0), "{said}");
        assert!(said.contains(words) && said.lines().count() == 1, "{said}");
        // Only the words for its end are missing, and they are no event.
        assert_eq!(String::from_utf8(output.stdout)?.lines().count(), live.len());
    }
    // Without its last byte, the line end, everything is there.
    std::fs::write(&cut, &bytes[..bytes.len() - 1])?;
    assert_eq!(String::from_utf8(replay(&cut)?.stderr)?, "");
    Ok(())
}

#[tokio::test]
async fn what_is_wrong_with_a_recording_is_told_with_its_line() -> Fallible {
    let folder = tempfile::tempdir()?;
    let (file, _) = good(folder.path()).await?;
    let text = std::fs::read_to_string(&file)?;
    let (head, rest) = text.split_once('\n').ok_or("one line")?;
    let (first, rest) = rest.split_once('\n').ok_or("two lines")?;
    let tick =
        |at: &str| format!("{{\"at\":\"{at}\",\"in\":{{\"signal\":{{\"signal\":\"tick\"}}}}}}");
    let cases: Vec<(Vec<u8>, &str)> = vec![
        (Vec::new(), "line 1: the recording is empty"),
        (b"\n".to_vec(), "line 1: this is no recording"),
        (b"{\"v\":1,\"seq\":1}\n".to_vec(), "line 1: this is no recording"),
        (vec![0, 159, 146, 150, b'\n'], "line 1: this is no recording"),
        (head.as_bytes()[..60].to_vec(), "line 1: EOF while parsing"),
        (
            head.replacen("\"sentinel_recording\":1", "\"sentinel_recording\":2", 1).into_bytes(),
            "line 1: the recording has version 2, and this sentinel-tui reads up to 1",
        ),
        (
            head.replacen("\"signatures\":\"\"", "\"signatures\":\"x = 1\"", 1).into_bytes(),
            "line 1: line 1: unknown field",
        ),
        (format!("{head}\nnonsense\n{rest}").into_bytes(), "line 2: expected"),
        (format!("{head}\n\n{rest}").into_bytes(), "line 2: EOF while parsing"),
        (format!("{head}\n{head}\n").into_bytes(), "line 2: "),
        (
            format!("{head}\n{first}\n{}\n", tick("9999-12-30T22:00:00Z")).into_bytes(),
            "line 3: the time",
        ),
        (format!("{head}\n{first}\n{}\n", tick("yesterday")).into_bytes(), "line 3: "),
        (format!("{head}\n{}\n", "[".repeat(100_000)).into_bytes(), "line 2: "),
        (format!("{text}{first}\n").into_bytes(), "the recording ended in the line before"),
        ([head.as_bytes(), b"\n{\"at\":\xff\xfe}\n"].concat(), "line 2: "),
    ];
    let bad = folder.path().join("bad.jsonl");
    for (bytes, words) in cases {
        std::fs::write(&bad, &bytes)?;
        let output = replay(&bad)?;
        let said = String::from_utf8(output.stderr)?;
        assert_eq!(output.status.code(), Some(1), "{words}: {said}");
        assert!(said.contains(words) && said.contains("bad.jsonl"), "{words}: {said}");
        assert!(!said.contains("panic"), "{said}");
        assert!(said.len() < 1000, "{said}");
    }
    Ok(())
}

/// The line with every time or span in it replaced, but for the time when it was given.
fn extreme(line: &str, with: &str) -> Fallible<String> {
    fn replace(value: &mut Value, with: &str) {
        match value {
            Value::String(text) => {
                let is_time = |text: &str| text.parse::<Timestamp>().is_ok();
                let is_span = |text: &str| text.parse::<SignedDuration>().is_ok();
                if is_time(text) && is_time(with) || is_span(text) && is_span(with) {
                    with.clone_into(text);
                }
            }
            Value::Array(all) => all.iter_mut().for_each(|v| replace(v, with)),
            Value::Object(all) => all.values_mut().for_each(|v| replace(v, with)),
            _ => {}
        }
    }
    let mut value: Value = serde_json::from_str(line)?;
    for part in ["start", "in"] {
        if let Some(part) = value.get_mut(part) {
            replace(part, with);
        }
    }
    // What a recording is must stand first.
    let text = value.to_string();
    Ok(match value.get("start") {
        Some(start) => {
            format!("{{\"sentinel_recording\":1,\"program\":\"0.1.0\",\"start\":{start}}}")
        }
        None => text,
    })
}

#[tokio::test]
async fn times_that_no_engine_has_are_told_with_their_line() -> Fallible {
    let folder = tempfile::tempdir()?;
    let (file, _) = good(folder.path()).await?;
    let text = std::fs::read_to_string(&file)?;
    let bad = folder.path().join("bad.jsonl");
    let mut refused = 0;
    for with in ["9999-12-30T22:00:00Z", "-009999-01-02T01:59:59Z", "PT2562047788015215H"] {
        let lines: Vec<String> =
            text.lines().map(|l| extreme(l, with)).collect::<Result<_, _>>()?;
        std::fs::write(&bad, lines.join("\n") + "\n")?;
        let output = replay(&bad)?;
        let said = String::from_utf8(output.stderr)?;
        assert!(matches!(output.status.code(), Some(0 | 1)), "{with}: {said}");
        if output.status.code() == Some(1) {
            refused += 1;
            assert!(said.contains(": line "), "{with}: {said}");
            assert!(said.contains("the core cannot work with this input"), "{with}: {said}");
            assert_eq!(said.lines().count(), 1, "{with}: {said}");
        }
    }
    assert!(refused > 0, "the test shows nothing");
    Ok(())
}

#[tokio::test]
async fn what_could_harm_a_terminal_does_not_leave_a_replay() -> Fallible {
    let folder = tempfile::tempdir()?;
    let (file, _) = good(folder.path()).await?;
    let text = std::fs::read_to_string(&file)?.replace("order 1", "o\u{9b}2J\u{202e}\\u001b[2J");
    std::fs::write(&file, text)?;
    let output = replay(&file)?;
    assert!(output.status.success());
    let stream = String::from_utf8(output.stdout)?;
    assert!(stream.contains("o\\u009b2J\\u202e\\u001b[2J"), "{stream}");
    assert!(!stream.chars().any(|c| c.is_control() && c != '\n' || c == '\u{202e}'));
    Ok(())
}

#[test]
fn a_file_that_is_not_there_is_named() -> Fallible {
    let output = replay(Path::new("/nonexistent/session.jsonl"))?;
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stderr)?;
    assert!(said.contains("/nonexistent/session.jsonl") && said.contains("No such file"), "{said}");
    Ok(())
}

#[tokio::test]
#[ignore = "needs a Docker engine: run scripts/test.sh"]
async fn a_real_crash_is_told_again_twenty_times_without_the_engine() -> Fallible {
    let corner = Corner::new("replay")?;
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("session.jsonl");
    let name = file.to_str().ok_or("no text")?;
    let mut body = corner.body("api", CRASHES);
    body.env = Some(vec!["DB_PASSWORD=hunter2-in-the-environment".to_owned()]);
    corner.start("api", body).await?;
    corner.run("chatty", "while true; do echo token=hunter2-in-a-line; sleep 0.1; done").await?;
    let mut app =
        Headless::start(&corner, folder.path(), &["--record", name, "--logs", "--usage"])?;
    app.until("log", |e| e["message"].as_str().is_some_and(|m| m.contains("token=")))?;
    corner.crash("api").await?;
    let opened = app.until("incident_opened", |_| true)?;
    app.until("diagnosis_ready", |_| true)?;
    let staged = app.until("fix_staged", |_| true)?;
    // The same decision as on the screen, from another terminal.
    let fix = staged["fix"]["id"].as_str().ok_or("no id")?;
    eventually("it can be approved", PATIENCE, async || {
        let mut approve = command(&corner, folder.path());
        // The stream is ahead of what other terminals see.
        Ok(approve.args(["approve", fix, "--yes"]).output()?.status.success().then_some(()))
    })
    .await?;
    app.until("incident_resolved", |e| e["incident"]["id"] == opened["incident"]["id"])?;
    assert_eq!(app.stop()?, 0);

    let again: Vec<Value> =
        retold(&file)?.lines().map(serde_json::from_str).collect::<Result<_, _>>()?;
    assert_eq!(again, app.events);

    let text = std::fs::read_to_string(&file)?;
    assert!(text.contains("token=") && text.contains("DB_PASSWORD"), "both were seen");
    assert!(!text.contains("hunter2"), "a recording has no secrets");

    // A run that cannot record says so and does not begin.
    let twice = command(&corner, folder.path()).args(["--headless", "--record", name]).output()?;
    let said = String::from_utf8(twice.stderr)?;
    assert_eq!(twice.status.code(), Some(1), "{said}");
    assert!(said.contains("nothing is written over"), "{said}");
    Ok(())
}
