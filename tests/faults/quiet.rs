//! The quiet half hour: two of each control at once, again and again, on a machine that has other
//! work, before one program that may heal. It passes if no incident opens.
//!
//! What ends is repeated ([`Again`]), with rests between. Every stage has a network, a neighbour
//! and service names of its own. A round that could not be played fails the whole: silence proves
//! nothing where nothing happened.

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use futures_util::StreamExt as _;
use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::cases::controls::{Again, CONTROLS, Control};
use crate::setting;
use crate::stage::{BUSY, NETWORK, Stage, part};
use crate::support::process::Headless;
use crate::support::{Corner, Fallible};

/// Stages of each control.
const EACH: usize = 2;
/// Containers that are made at a time.
const AT_ONCE: usize = 4;
/// Between one round and the next, at least.
const REST: Duration = Duration::from_secs(10);
/// What comes late belongs to it.
const AFTERMATH: Duration = Duration::from_secs(15);
/// Other work: two thirds of a processor and some writing. Nobody watches it.
const LOAD: &str = "while :; do end=$(( $(date +%s) + 20 )); while [ $(date +%s) -lt $end ]; do :; done; dd if=/dev/zero of=/load bs=1M count=64 conv=fsync 2>/dev/null; rm /load; sleep 10; done";

/// One of the stages, and how it went.
struct Place {
    control: Control,
    stage: Stage,
    number: u64,
    rounds: usize,
    error: Option<String>,
}

/// What was said of a control.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Row {
    /// Containers that the program saw.
    pub seen: usize,
    /// Anomalies by severity.
    pub anomalies: BTreeMap<String, usize>,
    /// The same by kind, to see what it was.
    pub kinds: BTreeMap<String, usize>,
    /// Cases that were left alone, as far as they were told.
    pub left_alone: u64,
    /// What opened.
    pub incidents: Vec<String>,
}

/// Plays it; the scoreboard goes to standard output.
pub fn run(minutes: u64, seed: u64, only: Option<&str>) -> ExitCode {
    check();
    match played(minutes, seed, only) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("the quiet half hour could not be played: {error}");
            ExitCode::FAILURE
        }
    }
}

fn played(minutes: u64, seed: u64, only: Option<&str>) -> Fallible<bool> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let crowd = format!("quiet-{}-", std::process::id());
    let mut places = places(seed, only)?;
    let load = Corner::new("load")?;
    runtime.block_on(async {
        for number in 0..busy() {
            let name = format!("load{number}");
            let mut body = load.body(&name, LOAD);
            body.labels.get_or_insert_default().remove("sre-sentinel.monitor");
            load.start(&name, body).await?;
        }
        set_all(&places).await
    })?;
    let folder = tempfile::tempdir()?;
    let filter = format!("name={crowd}");
    let mut app = Headless::start_over(&load, folder.path(), &filter, &["--auto-heal"])?;
    let began = Instant::now();
    let until = began + Duration::from_secs(minutes * 60);
    // What a stage does blocks nobody who reads what the program says.
    std::thread::scope(|scope| -> Fallible {
        let stages =
            scope.spawn(|| runtime.block_on(join_all(places.iter_mut().map(|p| rounds(p, until)))));
        let mut told = 0;
        while !stages.is_finished() {
            app.after(Duration::from_millis(500));
            if app.has_ended()? {
                return Err("the program ended before the time was over".into());
            }
            let minute = began.elapsed().as_secs() / 60;
            if minute > told {
                told = minute;
                let (anomalies, opened) =
                    (app.all("anomaly").len(), app.all("incident_opened").len());
                eprintln!("{minute} of {minutes} min: {anomalies} anomalies, {opened} incidents");
            }
        }
        app.after(AFTERMATH);
        Ok(())
    })?;
    let events = std::mem::take(&mut app.events);
    app.stop()?;
    if let Some(path) = setting("KEEP") {
        let lines: Vec<String> = events.iter().map(ToString::to_string).collect();
        std::fs::create_dir_all(&path)?;
        std::fs::write(format!("{path}/quiet.jsonl"), lines.join("\n"))?;
    }
    let owners: Vec<(String, &str)> =
        places.iter().map(|p| (p.stage.full(""), p.control.case.name)).collect();
    let rows = tally(&events, &owners);
    for place in places.iter_mut().filter(|p| p.error.is_none()) {
        if rows.get(place.control.case.name).is_none_or(|r| r.seen == 0) {
            place.error = Some("the program saw none of its containers".to_owned());
        }
    }
    tell(minutes, seed, &places, &rows)
}

/// How many containers make the other work: one for two processors.
fn busy() -> usize {
    std::thread::available_parallelism().map_or(1, |n| n.get().div_ceil(2))
}

fn places(seed: u64, only: Option<&str>) -> Fallible<Vec<Place>> {
    let wanted = |control: &Control| {
        only.is_none_or(|parts| parts.split(',').any(|p| control.case.name.contains(p)))
    };
    let mut places = Vec::new();
    for copy in 0..EACH {
        for (at, control) in CONTROLS.into_iter().enumerate().filter(|(_, c)| wanted(c)) {
            let number = (copy * CONTROLS.len() + at) as u64;
            let corner = Corner::new(&format!("{at}{}-quiet", ["a", "b"][copy % 2]))?;
            let stage = Stage {
                corner,
                demo_image: None,
                seed: seed + number,
                broken_at: Mutex::default(),
                among_others: true,
            };
            places.push(Place { control, stage, number, rounds: 0, error: None });
        }
    }
    if places.is_empty() { Err("no control has such a name".into()) } else { Ok(places) }
}

async fn set_all(places: &[Place]) -> Fallible {
    let set = futures_util::stream::iter(places.iter().map(set)).buffered(AT_ONCE);
    set.collect::<Vec<Fallible>>().await.into_iter().collect()
}

async fn set(place: &Place) -> Fallible {
    place.stage.corner.network(NETWORK).await?;
    place.stage.run(part("neighbour", BUSY)).await?;
    (place.control.case.set)(&place.stage).await
}

/// Plays a control until the time is over.
async fn rounds(place: &mut Place, until: Instant) {
    // Nobody begins in the same instant, and something is known of everybody before.
    let begins = Duration::from_millis(3000 + place.number * 730 + place.stage.seed % 7 * 300);
    tokio::time::sleep(begins).await;
    loop {
        if let Err(error) = (place.control.case.act)(&place.stage).await {
            place.error = Some(error.to_string());
            return;
        }
        place.rounds += 1;
        let again = place.control.again;
        let pause = Duration::from_secs(place.control.case.wait + place.stage.seed % 5) + REST;
        let next = if again == Again::GoesOn { until } else { until.min(Instant::now() + pause) };
        tokio::time::sleep_until(next.into()).await;
        if Instant::now() >= until {
            break;
        }
        if let Err(error) = prepare(place, again).await {
            place.error = Some(error.to_string());
            return;
        }
    }
    // Its neighbour never rests: if it does, the stage fell, and silence says nothing.
    match place.stage.corner.running_since("neighbour").await {
        Ok(Some(_)) => {}
        Ok(None) => place.error = Some("its neighbour does not run any more".to_owned()),
        Err(error) => place.error = Some(error.to_string()),
    }
}

/// What has to be done before a control can be played again.
async fn prepare(place: &Place, again: Again) -> Fallible {
    let stage = &place.stage;
    match again {
        Again::GoesOn | Again::Act => {}
        Again::Started => {
            stage.start_what_is_down().await?;
            stage.pause(5).await;
        }
        Again::Without(name) => stage.corner.remove(name).await?,
        Again::Afresh => {
            stage.clear_but("neighbour").await?;
            (place.control.case.set)(stage).await?;
            stage.pause(5).await;
        }
    }
    Ok(())
}

/// What was said, by the control on whose stage it happened; `owners` are beginnings of names.
/// What happened nowhere on a stage counts, too.
fn tally(events: &[Value], owners: &[(String, &str)]) -> BTreeMap<String, Row> {
    let owner = |container: &Value| {
        let name = container.as_str().unwrap_or_default();
        let found = owners.iter().find(|(begin, _)| name.starts_with(begin.as_str()));
        found.map_or("(on no stage)", |(_, control)| control).to_owned()
    };
    let text = |value: &Value| value.as_str().unwrap_or("?").to_owned();
    let mut rows: BTreeMap<String, Row> = BTreeMap::new();
    // A row of these counts up: the last one counts.
    let mut alone: BTreeMap<(String, String), u64> = BTreeMap::new();
    for event in events {
        match event["type"].as_str().unwrap_or_default() {
            "container_seen" => {
                rows.entry(owner(&event["container"]["name"])).or_default().seen += 1;
            }
            "anomaly" => {
                let anomaly = &event["anomaly"];
                let row = rows.entry(owner(&anomaly["container"])).or_default();
                *row.anomalies.entry(text(&anomaly["severity"])).or_default() += 1;
                *row.kinds.entry(text(&anomaly["kind"])).or_default() += 1;
            }
            "suppressed" => {
                let case = &event["suppressed"];
                let key = (text(&case["container"]), text(&case["reason"]));
                alone.insert(key, case["count"].as_u64().unwrap_or_default());
            }
            "incident_opened" | "incident_reopened" => {
                let incident = &event["incident"];
                let words = ["opened_at", "class", "container", "title"];
                let words: Vec<String> = words.iter().map(|w| text(&incident[*w])).collect();
                rows.entry(owner(&incident["container"]))
                    .or_default()
                    .incidents
                    .push(words.join(" "));
            }
            _ => {}
        }
    }
    for ((container, _), count) in alone {
        rows.entry(owner(&json!(container))).or_default().left_alone += count;
    }
    rows
}

const SEVERITIES: [&str; 4] = ["low", "medium", "high", "critical"];

/// Prints the table and the same as JSON; true if it was quiet.
fn tell(minutes: u64, seed: u64, places: &[Place], rows: &BTreeMap<String, Row>) -> Fallible<bool> {
    let mut names: Vec<&str> = Vec::new();
    for place in places {
        if !names.contains(&place.control.case.name) {
            names.push(place.control.case.name);
        }
    }
    names.extend(rows.keys().map(String::as_str).filter(|n| n.starts_with('(')));
    println!(
        "{:<38} {:>6} {:>10} {:>5} {:>6} {:>5} {:>8} {:>10} {:>9}",
        "control (two of each)",
        "rounds",
        "containers",
        "low",
        "medium",
        "high",
        "critical",
        "left alone",
        "incidents"
    );
    let mut all = Vec::new();
    let empty = Row::default();
    for name in names {
        let row = rows.get(name).unwrap_or(&empty);
        let own = || places.iter().filter(|p| p.control.case.name == name);
        let rounds: usize = own().map(|p| p.rounds).sum();
        let errors: Vec<&String> = own().filter_map(|p| p.error.as_ref()).collect();
        let by = |severity: &str| row.anomalies.get(severity).copied().unwrap_or_default();
        let [low, medium, high, critical] = SEVERITIES.map(by);
        println!(
            "{name:<38} {rounds:>6} {:>10} {low:>5} {medium:>6} {high:>5} {critical:>8} {:>10} {:>9}",
            row.seen,
            row.left_alone,
            row.incidents.len()
        );
        for error in &errors {
            println!("  could not be played: {error}");
        }
        for incident in &row.incidents {
            println!("  incident: {incident}");
        }
        all.push(json!({
            "control": name, "rounds": rounds, "containers": row.seen, "anomalies": row.anomalies,
            "kinds": row.kinds, "left_alone": row.left_alone, "incidents": row.incidents,
            "errors": errors,
        }));
    }
    let incidents: usize = rows.values().map(|r| r.incidents.len()).sum();
    let broken = places.iter().filter(|p| p.error.is_some()).count();
    let passed = incidents == 0 && broken == 0;
    let report = json!({
        "minutes": minutes, "seed": seed, "stages": places.len(), "load": busy(),
        "incidents": incidents, "stages_that_could_not_be_played": broken, "passed": passed,
        "controls": all,
    });
    println!("{report}");
    if let Some(path) = setting("JSON") {
        std::fs::write(path, report.to_string())?;
    }
    let verdict = if passed { "ok" } else { "FAILED" };
    println!(
        "quiet: {verdict}. {minutes} min, {} stages, {incidents} incidents, {broken} stages that could not be played",
        places.len()
    );
    Ok(passed)
}

/// The counting itself, checked before anything is played. Panics if it is wrong.
fn check() {
    let events = [
        json!({"type": "container_seen", "container": {"name": "st-0a-web"}}),
        json!({"type": "anomaly", "anomaly": {"container": "st-0a-web", "severity": "low", "kind": "burst"}}),
        json!({"type": "anomaly", "anomaly": {"container": "st-10a-api", "severity": "high", "kind": "burst"}}),
        json!({"type": "suppressed", "suppressed": {"container": "st-0b-job", "reason": "one_off", "count": 1}}),
        json!({"type": "suppressed", "suppressed": {"container": "st-0b-job", "reason": "one_off", "count": 4}}),
        json!({"type": "incident_opened", "incident": {"container": "other", "class": "hang"}}),
    ];
    let owners = [
        ("st-0a-".to_owned(), "job"),
        ("st-0b-".to_owned(), "job"),
        ("st-10a-".to_owned(), "flood"),
    ];
    let rows = tally(&events, &owners);
    let low = BTreeMap::from([("low".to_owned(), 1)]);
    assert_eq!((&rows["job"].anomalies, rows["job"].seen, rows["job"].left_alone), (&low, 1, 4));
    assert_eq!(rows["flood"].anomalies["high"], 1);
    assert_eq!(rows["(on no stage)"].incidents, ["? hang other ?"], "nothing is lost");
}
