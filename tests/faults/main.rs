//! The fault suite: real containers break, the built program watches, its verdicts are scored.
//!
//! As a test it plays a few cases. With `SENTINEL_FAULTS=all` (`scripts/must/fault-suite.sh`) it plays
//! them all, or those whose names contain one of `SENTINEL_FAULTS_ONLY`; `SENTINEL_FAULTS_SEED` varies what must
//! not matter, `SENTINEL_FAULTS_JOBS` cases run at a time, and the result goes to standard output and as
//! JSON to `SENTINEL_FAULTS_JSON`. Every case has a fresh state folder.
//!
//! With `SENTINEL_FAULTS_MODEL` (`good`, `wrong`, `hostile`, `dead`) a scripted language model is asked,
//! too: see [`model`].
//!
//! With `SENTINEL_FAULTS_QUIET_MINUTES` (`scripts/must/quiet-half-hour.sh`) the controls alone are
//! played, two of each, for so long, before one program: see [`quiet`].

#![allow(
    unreachable_pub,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a scoreboard is printed"
)]

mod cases;
mod model;
mod quiet;
mod report;
mod score;
#[path = "../models/server.rs"]
mod server;
mod stage;
#[path = "../support/mod.rs"]
mod support;

use std::sync::Mutex;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use serde_json::Value;

use crate::cases::{Case, all};
use crate::model::{Knows, Manner, Model};
use crate::score::Score;
use crate::stage::{BUSY, NETWORK, Stage, part};
use crate::support::process::{Headless, command};
use crate::support::{Corner, Fallible};

/// What a plain test run plays.
const SMOKE: [&str; 5] = [
    "crash without a restart policy",
    "crash loop",
    "health check with a program that is not there",
    "job that is done",
    "operator stops, kills and restarts",
];

fn setting(name: &str) -> Option<String> {
    std::env::var(format!("SENTINEL_FAULTS_{name}")).ok().filter(|v| !v.is_empty())
}

/// Plays one case and scores it.
fn play(case: &Case, number: usize, seed: u64, demo: Option<&str>) -> Score {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let outcome = match runtime {
        Ok(runtime) => runtime.block_on(played(case, number, seed, demo)),
        Err(error) => Err(error.into()),
    };
    let mut score = outcome.unwrap_or_else(|error| Score {
        control: case.right.is_none(),
        error: Some(error.to_string().chars().take(300).collect()),
        ..Score::default()
    });
    case.name.clone_into(&mut score.name);
    score
}

async fn played(case: &Case, number: usize, seed: u64, demo: Option<&str>) -> Fallible<Score> {
    let corner = Corner::new(&format!("f{number}"))?;
    let stage = Stage {
        corner,
        demo_image: demo.map(str::to_owned),
        seed,
        broken_at: Mutex::new(None),
        among_others: false,
    };
    stage.corner.network(NETWORK).await?;
    let folder = tempfile::tempdir()?;
    on_stage(case, &stage, folder.path()).await
}

async fn on_stage(case: &Case, stage: &Stage, folder: &std::path::Path) -> Fallible<Score> {
    stage.run(part("neighbour", BUSY)).await?;
    (case.set)(stage).await?;
    let mut variables = vec![("SENTINEL_VERIFY_SECONDS", "12".to_owned())];
    let model = match setting("MODEL") {
        Some(name) => {
            let manner = Manner::named(&name)
                .ok_or("SENTINEL_FAULTS_MODEL: good, wrong, hostile or dead")?;
            Some(Model::start(manner, Knows::of(case.right.as_ref(), |name| stage.full(name)))?)
        }
        None => None,
    };
    variables.extend(model.iter().flat_map(|m| m.variables.clone()));
    let mut app = Headless::start_with(&stage.corner, folder, &["--auto-heal"], &variables)?;
    // Something is known of everybody before anything happens; how long varies with the seed.
    app.after(Duration::from_millis(2500 + stage.seed % 7 * 300));
    let from = app.events.len();
    let acted = Timestamp::now();
    (case.act)(stage).await?;
    let broken = stage.broken_at.lock().ok().and_then(|at| *at);
    let injected = broken.map_or(acted, |at| at.max(acted));
    let deadline = Instant::now() + Duration::from_secs(case.wait);
    let mut approved = Vec::new();
    while Instant::now() < deadline {
        app.after(Duration::from_millis(300));
        if let Some(held) = waits_for_a_person(&app.events, &approved) {
            // What was told a moment ago may not be on disk yet: then again a moment later.
            if approve(stage, folder, &held)? {
                approved.push(held.fix);
            }
        }
        let over = case.right.is_some_and(|right| {
            let wanted = if right.mends { "incident_resolved" } else { "incident_escalated" };
            app.events.iter().any(|e| e["type"] == wanted)
        });
        if over {
            // What comes right behind belongs to it.
            app.after(Duration::from_secs(3));
            break;
        }
    }
    let logs = stage.logs().await?;
    let grounded = |evidence: &Value| {
        let excerpt = evidence["excerpt"].as_str().unwrap_or_default();
        let named = evidence["id"].as_str().is_some_and(|id| !id.is_empty());
        let first = excerpt.lines().next().unwrap_or_default();
        named && !excerpt.is_empty() && (evidence["kind"] != "log" || logs.contains(first))
    };
    let events = app.events.get(from..).unwrap_or_default().to_vec();
    if let Some(path) = setting("KEEP") {
        let lines: Vec<String> = app.events.iter().map(ToString::to_string).collect();
        std::fs::create_dir_all(&path)?;
        std::fs::write(format!("{path}/{}.jsonl", case.name.replace(' ', "-")), lines.join("\n"))?;
    }
    app.stop()?;
    let asked = model.iter().flat_map(|m| &m.server).map(|s| s.completions().len()).sum();
    let score =
        score::score(case.right.as_ref(), &events, injected, |name| stage.full(name), grounded);
    Ok(Score { asked, ..score })
}

/// A fix that waits for a person, and the container that it is about.
struct Held {
    fix: String,
    target: String,
}

/// A staged fix that the policy left to a person, and that was not approved yet.
fn waits_for_a_person(events: &[Value], approved: &[String]) -> Option<Held> {
    let held = |incident: &Value| {
        events.iter().any(|e| {
            e["type"] == "not_acting"
                && &e["incident_id"] == incident
                && ["class_not_allowed", "risk_too_high", "operator_intent", "no_observed_fault"]
                    .contains(&e["code"].as_str().unwrap_or_default())
        })
    };
    let mut staged = events.iter().filter(|e| e["type"] == "fix_staged" && e["fix"]["step"] == 1);
    let last = staged.rfind(|e| held(&e["incident_id"]))?;
    let fix = last["fix"]["id"].as_str()?.to_owned();
    let target = last["fix"]["target"].as_str()?.to_owned();
    (!approved.contains(&fix)).then_some(Held { fix, target })
}

/// Approves as a person in another terminal would.
fn approve(stage: &Stage, folder: &std::path::Path, held: &Held) -> Fallible<bool> {
    let output = command(&stage.corner, folder)
        .args(["approve", &held.fix, "--yes", "--confirm", &held.target])
        .output()?;
    if !output.status.success() {
        eprintln!("approve {}: {}", held.fix, String::from_utf8_lossy(&output.stderr));
    }
    Ok(output.status.success())
}

/// The image with the demo's services; its tag stays, for the next run.
fn demo_image() -> Fallible<String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let corner = Corner::new("image")?;
    let built = runtime.block_on(sentinel_tui::demo::image::build_from(
        &corner.docker,
        std::path::Path::new(env!("CARGO_BIN_EXE_sentinel-tui")),
    ));
    built.map_err(|error| format!("{error:#}").into())
}

fn main() -> std::process::ExitCode {
    let whole = std::env::var("SENTINEL_FAULTS").is_ok_and(|v| v == "all")
        || setting("QUIET_MINUTES").is_some();
    // As a test binary it is only wanted where tests on an engine are.
    if !whole && !std::env::args().any(|a| a == "--include-ignored" || a == "--ignored") {
        println!("\ntest result: ok. 0 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out");
        return std::process::ExitCode::SUCCESS;
    }
    score::check::scoring();
    let only = setting("ONLY");
    let seed = setting("SEED").and_then(|s| s.parse().ok()).unwrap_or(1);
    if let Some(minutes) = setting("QUIET_MINUTES") {
        return match minutes.parse() {
            Ok(minutes) if minutes > 0 => quiet::run(minutes, seed, only.as_deref()),
            _ => {
                eprintln!("SENTINEL_FAULTS_QUIET_MINUTES: a whole number of minutes is wanted");
                std::process::ExitCode::FAILURE
            }
        };
    }
    let jobs = setting("JOBS").and_then(|j| j.parse().ok()).unwrap_or(4_usize);
    let chosen: Vec<Case> = all()
        .into_iter()
        .filter(|c| whole || SMOKE.contains(&c.name))
        .filter(|c| {
            only.as_deref().is_none_or(|parts| parts.split(',').any(|part| c.name.contains(part)))
        })
        .collect();
    let demo = match demo_image() {
        Ok(image) => Some(image),
        Err(error) => {
            eprintln!("no image of the demo's services: {error}");
            None
        }
    };
    let left = Mutex::new((0..chosen.len()).rev().collect::<Vec<usize>>());
    let scores = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..jobs {
            scope.spawn(|| {
                while let Some(at) = left.lock().ok().and_then(|mut l| l.pop()) {
                    let score = play(&chosen[at], at, seed + at as u64, demo.as_deref());
                    if whole {
                        eprintln!("played: {}", score.name);
                    }
                    if let Ok(mut scores) = scores.lock() {
                        scores.push((at, score));
                    }
                }
            });
        }
    });
    let mut scores = scores.into_inner().unwrap_or_default();
    scores.sort_by_key(|(at, _)| *at);
    let scores: Vec<Score> = scores.into_iter().map(|(_, score)| score).collect();
    println!("{}", report::table(&scores));
    if let Some(path) = setting("JSON") {
        let all =
            serde_json::json!({"seed": seed, "cases": scores, "totals": report::totals(&scores)});
        if let Err(error) = std::fs::write(&path, all.to_string()) {
            eprintln!("{path}: {error}");
            return std::process::ExitCode::FAILURE;
        }
    }
    let wrong = |s: &&Score| {
        let quiet = s.control && s.incidents == 0;
        let right = s.detected && s.class_right && s.root_right && s.fix_right;
        s.error.is_some() || !(quiet || right)
    };
    let failed = if whole { 0 } else { scores.iter().filter(wrong).count() };
    let verdict = if failed == 0 { "ok" } else { "FAILED" };
    println!(
        "test result: {verdict}. {} passed; {failed} failed; 0 ignored; 0 measured; 0 filtered out",
        scores.len() - failed
    );
    if failed == 0 { std::process::ExitCode::SUCCESS } else { std::process::ExitCode::FAILURE }
}
