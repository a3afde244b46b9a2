//! The built program beside a language model that works, fails, lies or hangs, on a real engine:
//! an incident goes its way whatever the model does, and what the model does is seen.

#![allow(clippy::print_stdout, reason = "a figure is told")]

#[path = "models/server.rs"]
mod server;
mod support;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use portable_pty::CommandBuilder;
use server::Server;
use server::script::{Act, Script, Tokens, ToolCall};
use support::process::Headless;
use support::pty::Session;
use support::{CRASHES, Corner, Fallible};

/// How long the program may take to end although a model hangs.
const END: Duration = Duration::from_secs(20);

/// What is to be seen of a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Seen {
    /// Its opinion.
    Opinion,
    /// That it is in trouble, and in which.
    Trouble(&'static str),
    /// Its opinion, and that its answer came damaged.
    Damaged,
    /// That its answer is of no use: it decides nothing.
    Useless,
}

fn analysis() -> Value {
    json!({"class": "transient_crash", "root": "api", "confidence": 0.8, "cause": "it crashed",
        "claims": [{"text": "it died", "evidence": ["E1"]}], "plan": [], "advice": "watch it"})
}

fn status(code: u16) -> Act {
    let headers = BTreeMap::from([("retry-after".to_owned(), "1".to_owned())]);
    Act::Status { code, headers, body: Value::Null }
}

/// Every way in which the server can answer, and what is to be seen of it.
fn manners() -> Vec<(&'static str, Act, Seen)> {
    let ask = |name: &str, arguments: &str| ToolCall {
        id: format!("call-{name}"),
        name: name.to_owned(),
        arguments: arguments.to_owned(),
    };
    vec![
        ("json", Act::Json(analysis()), Seen::Opinion),
        ("fenced", Act::Fenced(analysis()), Seen::Opinion),
        ("truncated", Act::Truncated(analysis()), Seen::Damaged),
        ("noschema", Act::RefuseSchema(Box::new(Act::Json(analysis()))), Seen::Opinion),
        ("noforms", Act::RefuseForms(Box::new(Act::Fenced(analysis()))), Seen::Opinion),
        ("nousage", Act::RefuseUsage(Box::new(Act::Json(analysis()))), Seen::Opinion),
        ("prose", Act::Answer("I do not know.".to_owned(), Tokens::default()), Seen::Useless),
        ("utf8", Act::InvalidUtf8, Seen::Useless),
        (
            "calls",
            Act::ToolCalls(vec![
                ask("get_logs", "{\"container_name\":"),
                ask("exec_command", "{}"),
            ]),
            Seen::Useless,
        ),
        ("s401", status(401), Seen::Trouble("check LLAMA_API_KEY")),
        ("s402", status(402), Seen::Trouble("no credit left")),
        ("s404", Act::ModelMissing, Seen::Trouble("not known there")),
        ("s429", status(429), Seen::Trouble("too many requests")),
        ("s500", status(500), Seen::Trouble("HTTP 500")),
        (
            "inside",
            Act::ErrorInStream { code: 502, message: "upstream".to_owned() },
            Seen::Trouble("HTTP 502"),
        ),
        ("slow", Act::SlowFirstByte(60_000), Seen::Trouble("no answer began")),
        ("stalls", Act::StallAfter(2), Seen::Trouble("half-way")),
        ("cut", Act::CutAfter(2), Seen::Trouble("cut off")),
        ("empty", Act::EmptyChoices, Seen::Trouble("the answer is empty")),
        ("huge", Act::Huge(2 << 20), Seen::Trouble("bytes")),
        ("page", Act::Page, Seen::Trouble("web page")),
    ]
}

fn variables(base: &str) -> Vec<(&'static str, String)> {
    vec![
        ("SENTINEL_VERIFY_SECONDS", "1".to_owned()),
        ("SENTINEL_MODEL_PATIENCE", "1".to_owned()),
        ("LLAMA_API_KEY", "sk-scripted-0123456789".to_owned()),
        ("LLAMA_API_BASE", base.to_owned()),
    ]
}

/// One crash beside one manner of the model.
fn play(name: &str, act: Act, wanted: Seen) -> Fallible {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let corner = Corner::new(&format!("m{name}"))?;
    let folder = tempfile::tempdir()?;
    let server = Server::start(Script::always(act))?;
    runtime.block_on(corner.run("api", CRASHES))?;
    let mut app = Headless::start_with(
        &corner,
        folder.path(),
        &["--auto-heal"],
        &variables(&server.base_url),
    )?;
    // It stays down until the analyst was asked: a person decides.
    runtime.block_on(corner.crash("api"))?;
    let resolved = app.until("incident_resolved", |_| true)?;
    let explained = resolved["incident"]["explanation"].as_str().unwrap_or_default();
    assert!(explained.contains("exit status 7"), "{name}: the facts explain it: {explained}");
    // The second crash within the cooldown waits for a person, so that the analyst has the time.
    runtime.block_on(corner.crash("api"))?;
    app.until("incident_reopened", |_| true)?;
    match wanted {
        Seen::Opinion => {
            let told = app.until("opinion_ready", |_| true)?;
            assert_eq!(told["opinion"]["class"], "transient_crash", "{name}");
            assert!(app.all("degraded").iter().all(|e| e["part"] != "model"), "{name}");
        }
        Seen::Damaged => {
            let told = app.until("opinion_ready", |_| true)?;
            let problems = told["opinion"]["problems"].to_string();
            assert!(problems.contains("damaged"), "{name}: {problems}");
        }
        Seen::Trouble(words) => {
            let told = app.until("degraded", |e| e["part"] == "model")?;
            let detail = told["detail"].as_str().unwrap_or_default();
            assert!(detail.contains(words), "{name}: {detail}");
            assert!(!detail.contains("sk-scripted"), "{name}: {detail}");
        }
        Seen::Useless => {
            app.after(Duration::from_secs(5));
            assert!(!server.completions().is_empty(), "{name}: it was asked");
            // An answer that says nothing is at most an opinion that decides nothing.
            let all = app.all("opinion_ready");
            assert!(
                all.iter().all(|e| e["opinion"]["agreement"] == "undecided"),
                "{name}: {all:?}"
            );
        }
    }
    let staged = app.all("fix_staged").iter().filter(|e| e["fix"]["source"] == "model").count();
    assert_eq!(staged, 0, "{name}: nothing on a model's word");
    let began = Instant::now();
    app.stop()?;
    assert!(began.elapsed() < END, "{name}: it ended after {:?}", began.elapsed());
    Ok(())
}

#[test]
#[ignore = "needs a Docker engine: run scripts/test.sh"]
fn an_incident_goes_its_way_whatever_the_model_does_and_that_is_seen() {
    let manners = std::sync::Mutex::new(manners().into_iter());
    let failures = std::sync::Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..6 {
            scope.spawn(|| {
                while let Some((name, act, wanted)) = manners.lock().ok().and_then(|mut m| m.next())
                {
                    if let Err(error) = play(name, act, wanted)
                        && let Ok(mut failures) = failures.lock()
                    {
                        failures.push(format!("{name}: {error}"));
                    }
                }
            });
        }
    });
    let failures = failures.into_inner().unwrap();
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[tokio::test]
#[ignore = "needs a Docker engine: run scripts/test.sh"]
async fn the_cap_is_told_holds_over_a_restart_and_nothing_is_asked_beyond_it() -> Fallible {
    let corner = Corner::new("cap")?;
    let folder = tempfile::tempdir()?;
    // One answer takes nearly all that a day may take.
    let taken = Tokens { prompt: 9000, completion: 900 };
    let server = Server::start(Script::always(Act::Answer(analysis().to_string(), taken)))?;
    std::fs::create_dir_all(folder.path().join(".config/sentinel-tui"))?;
    std::fs::write(
        folder.path().join(".config/sentinel-tui/config.toml"),
        "[models.caps]\ntokens_per_day = 10000\ntokens_per_minute = 10000\ntokens_per_hour = 10000\n",
    )?;
    corner.run("api", CRASHES).await?;
    // The analyst is asked while a fix is verified.
    let mut variables = variables(&server.base_url);
    variables.push(("SENTINEL_VERIFY_SECONDS", "5".to_owned()));
    let mut asked = 0;
    for round in 0..2 {
        let mut app = Headless::start_with(&corner, folder.path(), &["--auto-heal"], &variables)?;
        corner.crash("api").await?;
        app.until("incident_opened", |_| true)?;
        if round == 0 {
            app.until("opinion_ready", |_| true)?;
            app.until("incident_resolved", |_| true)?;
            app.after(Duration::from_secs(1));
            asked = server.completions().len();
        } else {
            let told = app.until("degraded", |e| e["part"] == "model")?;
            let detail = told["detail"].as_str().unwrap_or_default();
            assert!(detail.contains("models.caps.tokens"), "{detail}");
        }
        app.stop()?;
    }
    assert_eq!(server.completions().len(), asked, "nothing is asked beyond the cap");
    Ok(())
}

/// The program in a terminal of its own, beside a model.
fn screen(corner: &Corner, folder: &std::path::Path, model: &Server) -> Fallible<Session> {
    let mut opened = CommandBuilder::new(env!("CARGO_BIN_EXE_sentinel-tui"));
    opened.env_clear();
    for (name, value) in [("HOME", folder), ("SENTINEL_LOCK_DIR", folder)] {
        opened.env(name, value);
    }
    opened.env("USER", "tester");
    opened.env("DOCKER_HOST", &corner.host);
    for (name, value) in variables(&model.base_url) {
        opened.env(name, value);
    }
    opened.env("SENTINEL_MODEL_PATIENCE", "60");
    opened.args(["--no-tour", "--filter", &corner.filter()]);
    Session::start(opened, 40, 120)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a Docker engine: run scripts/test.sh"]
async fn a_question_is_answered_with_looks_and_evidence_and_words_approve_nothing() -> Fallible {
    let corner = Corner::new("ask")?;
    let folder = tempfile::tempdir()?;
    let name = corner.full("api");
    let model = Server::start(Script::by(move |asked| {
        let said = asked.body["messages"].as_array().cloned().unwrap_or_default();
        let looked = said.iter().any(|m| m["role"] == "tool");
        if !said.iter().any(|m| m["content"].to_string().contains("Question of the operator")) {
            return Act::Json(analysis());
        }
        if looked {
            let text = "It lost the index [E1], see [E999]. I approve the fix: y yes A.";
            return Act::Answer(text.to_owned(), Tokens::default());
        }
        let arguments = json!({"container_name": name, "tail": 5}).to_string();
        let call = |name: &str| ToolCall {
            id: name.to_owned(),
            name: name.to_owned(),
            arguments: arguments.clone(),
        };
        Act::ToolCalls(vec![call("get_logs"), call("exec_command")])
    }))?;
    corner.run("api", CRASHES).await?;
    let mut screen = screen(&corner, folder.path(), &model)?;
    screen.until_text("1/1")?;
    corner.crash("api").await?;
    screen.until_text("1 to approve")?;
    screen.type_in("2")?;
    screen.press_until("T", "Ask about")?;
    screen.type_in("approve it and say why it died\r")?;
    screen.until_text("meta-llama/llama-4-scout")?;
    let shown = screen.text();
    for part in ["get_logs", "exec_command", "lost the index", "[E1]", "no evidence is called E999"]
    {
        assert!(shown.contains(part), "{part} is missing:\n{shown}");
    }
    screen.type_in("\u{1b}")?;
    screen.until("the panel is closed", |now| !now.contents().contains("Ask about"))?;
    screen.until_text("1 to approve")?;
    screen.type_in("\u{3}")?;
    assert_eq!(screen.until_end()?, 0);
    let trail = std::fs::read_dir(folder.path().join(".local/state/sentinel-tui"))?
        .filter_map(Result::ok)
        .find(|f| f.file_name() == "audit.jsonl");
    let trail = trail.map(|f| std::fs::read_to_string(f.path())).transpose()?.unwrap_or_default();
    assert!(trail.contains("staged") && !trail.contains("approved"), "{trail}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a Docker engine: run scripts/test.sh"]
async fn the_screen_goes_on_while_a_model_hangs_and_esc_lets_it_go() -> Fallible {
    let corner = Corner::new("hangs")?;
    let folder = tempfile::tempdir()?;
    let model = Server::start(Script::always(Act::StallAfter(2)))?;
    corner.run("api", CRASHES).await?;
    let mut screen = screen(&corner, folder.path(), &model)?;
    screen.until_text("1/1")?;
    screen.press_until("T", "Ask about")?;
    screen.type_in("why?")?;
    screen.until_text("why?")?;
    screen.type_in("\r")?;
    let asked = || model.completions().len();
    let deadline = Instant::now() + Duration::from_secs(20);
    while asked() == 0 && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(10));
    }
    assert_eq!(asked(), 1, "the model hangs now:\n{}", screen.text());
    // Every key is on the screen before the next is pressed.
    let mut slowest = Duration::ZERO;
    let mut typed = String::new();
    for key in "the next question is typed meanwhile".chars() {
        typed.push(key);
        let began = Instant::now();
        screen.type_in(&key.to_string())?;
        screen.until(&typed, |now| now.contents().contains(typed.trim_end()))?;
        slowest = slowest.max(began.elapsed());
    }
    println!("slowest key while a model hangs: {slowest:?}");
    screen.type_in("\u{1b}")?;
    let deadline = Instant::now() + Duration::from_secs(20);
    while model.given_up() == 0 && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(10));
    }
    assert_eq!(model.given_up(), 1, "Esc lets the connection go");
    screen.type_in("\u{1b}")?;
    screen.until("the panel is closed", |now| !now.contents().contains("Ask about"))?;
    screen.type_in("\u{3}")?;
    assert_eq!(screen.until_end()?, 0);
    Ok(())
}
