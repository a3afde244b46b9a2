//! The labelled set of secrets planted wherever text enters, on a real engine: nothing of it comes
//! out again, on no way, and the innocent lines stay readable.

mod support;

#[path = "models/server.rs"]
mod server;
#[path = "../core/tests/redact/set.rs"]
mod set;

use std::collections::{HashMap, HashSet};
use std::fs;
use std::path::Path;
use std::time::Duration;

use bollard::body_full;
use bollard::models::{ContainerCreateBody, HealthConfig};
use bollard::query_parameters::{CreateContainerOptionsBuilder, UploadToContainerOptionsBuilder};
use portable_pty::CommandBuilder;
use serde_json::{Value, json};
use server::script::{Act, Script, ToolCall};
use server::{Recorded, Server};
use support::process::{Headless, command};
use support::pty::Session;
use support::{Corner, Fallible};

/// Pieces of a secret that are looked for in files: long enough that no hash or time is one of
/// them by chance.
const PIECE: usize = 12;
/// The shortest secret that is looked for.
const SHORTEST: usize = 8;
/// The last line of the container's log.
const LAST: &str = "all of it is told now";
const SEED: u64 = 11;

/// What would give a secret away, of every length that is looked for.
struct Pieces(HashMap<usize, HashSet<Vec<u8>>>);

impl Pieces {
    fn of(cases: &[set::Case]) -> Self {
        // What the set shows anyway: the beginning of a token, words between secrets.
        let mut around = set::innocent().join("\n");
        for case in cases {
            around.push_str(&case.around);
        }
        let mut pieces: HashMap<usize, HashSet<Vec<u8>>> = HashMap::new();
        for secret in cases.iter().flat_map(|case| &case.secrets) {
            if secret.len() >= SHORTEST {
                let width = PIECE.min(secret.len());
                let windows = secret.as_bytes().windows(width).map(<[u8]>::to_vec);
                pieces.entry(width).or_default().extend(windows);
            }
        }
        for (width, pieces) in &mut pieces {
            around.as_bytes().windows(*width).for_each(|known| {
                pieces.remove(known);
            });
        }
        Self(pieces)
    }

    fn count(&self) -> usize {
        self.0.values().map(HashSet::len).sum()
    }

    /// Fails if a piece of a secret is in `bytes`.
    fn absent(&self, place: &str, bytes: &[u8]) -> Fallible {
        for (width, pieces) in &self.0 {
            if let Some(piece) = bytes.windows(*width).find(|window| pieces.contains(*window)) {
                let piece = String::from_utf8_lossy(piece);
                return Err(format!("{place} shows {piece:?}, a piece of a secret").into());
            }
        }
        Ok(())
    }
}

/// A container that says all lines, with the secrets in its settings, too; it ends when it is told.
async fn planted(corner: &Corner, short: &str, cases: &[set::Case]) -> Fallible {
    let secrets: Vec<&str> = cases.iter().map(|case| case.line.as_str()).collect();
    let said = "until [ -e /go ]; do sleep 0.02; done; cat /innocent /secrets; echo 'all of it is told now'; until [ -e /crash ]; do sleep 0.02; done; rm /crash; cat /secrets >&2; exit 7";
    let mut body = corner.body(short, said);
    let arguments = secrets.iter().map(|line| (*line).to_owned());
    body.cmd.get_or_insert_default().extend(std::iter::once("sh".to_owned()).chain(arguments));
    let labels = body.labels.get_or_insert_default();
    labels.extend(pairs(&secrets).map(|(n, line)| (format!("note-{n}"), line)));
    body.env = Some(pairs(&secrets).map(|(n, line)| format!("NOTE_{n}={line}")).collect());
    start(
        corner,
        short,
        body,
        &[("innocent", set::innocent().join("\n")), ("secrets", secrets.join("\n"))],
    )
    .await
}

/// A container whose health check fails and says so many of the lines.
async fn sick(corner: &Corner, short: &str, lines: &[set::Case]) -> Fallible {
    let secrets: Vec<&str> = lines.iter().map(|case| case.line.as_str()).collect();
    let mut body = corner.body(short, "while true; do sleep 0.05; done");
    body.healthcheck = Some(HealthConfig {
        test: Some(vec!["CMD-SHELL".to_owned(), "cat /secrets; exit 1".to_owned()]),
        interval: Some(1_000_000_000),
        retries: Some(1),
        ..HealthConfig::default()
    });
    start(corner, short, body, &[("secrets", secrets.join("\n"))]).await
}

fn pairs(lines: &[&str]) -> impl Iterator<Item = (usize, String)> {
    lines.iter().enumerate().map(|(n, line)| (n, (*line).to_owned()))
}

/// Starts a container with files in its root.
async fn start(
    corner: &Corner,
    short: &str,
    body: ContainerCreateBody,
    files: &[(&str, String)],
) -> Fallible {
    let name = corner.full(short);
    let options = CreateContainerOptionsBuilder::default().name(&name).build();
    corner.docker.create_container(Some(options), body).await?;
    let mut archive = tar::Builder::new(Vec::new());
    for (path, text) in files {
        let text = format!("{text}\n");
        let mut header = tar::Header::new_gnu();
        header.set_size(text.len().try_into()?);
        header.set_mode(0o644);
        archive.append_data(&mut header, path, text.as_bytes())?;
    }
    let into = UploadToContainerOptionsBuilder::default().path("/").build();
    let archive = archive.into_inner()?;
    corner.docker.upload_to_container(&name, Some(into), body_full(archive.into())).await?;
    corner.docker.start_container(&name, None).await?;
    Ok(())
}

/// All files below a folder, as they are on disk.
fn files(folder: &Path, found: &mut Vec<(String, Vec<u8>)>) -> Fallible {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            files(&path, found)?;
        } else if path.is_file() {
            found.push((path.display().to_string(), fs::read(&path)?));
        }
    }
    Ok(())
}

/// A model that looks at a container's log and settings before it answers, and takes down all
/// that it is told.
fn curious(name: String) -> Fallible<Server> {
    let script = Script::by(move |asked: &Recorded| {
        let said = asked.body["messages"].as_array().cloned().unwrap_or_default();
        let looked = said.iter().any(|m| m["role"] == "tool");
        if looked || asked.body["tools"].is_null() {
            return Act::Json(json!({"class": "unknown", "verdicts": []}));
        }
        let call = |id: &str, tool: &str| ToolCall {
            id: id.to_owned(),
            name: tool.to_owned(),
            arguments: json!({"container_name": name, "tail": 200}).to_string(),
        };
        Act::ToolCalls(vec![call("1", "get_logs"), call("2", "inspect_container")])
    });
    Ok(Server::start(script)?)
}

/// What a model was asked.
fn the_models_recorded_requests(model: &Server) -> Vec<(String, Vec<u8>)> {
    let asked = model.completions().into_iter();
    asked.map(|r| ("a question to a model".to_owned(), r.body.to_string().into_bytes())).collect()
}

/// Every file of a run, and what would have gone to a model.
fn kept(folder: &Path, model: &Server, pieces: &Pieces) -> Fallible<Vec<String>> {
    let mut all = Vec::new();
    files(folder, &mut all)?;
    all.extend(the_models_recorded_requests(model));
    for (place, bytes) in &all {
        pieces.absent(place, bytes)?;
    }
    Ok(all.into_iter().map(|(place, _)| place).collect())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a Docker engine: run scripts/test.sh"]
async fn no_piece_of_a_planted_secret_is_told_kept_or_recorded() -> Fallible {
    let cases = set::secrets(SEED);
    let pieces = Pieces::of(&cases);
    assert!(cases.len() >= 200 && pieces.count() > 2000, "{}", pieces.count());
    let corner = Corner::new("redact")?;
    let folder = tempfile::tempdir()?;
    let recording = folder.path().join("session.jsonl");
    let record = recording.to_str().ok_or("no text")?;
    planted(&corner, "api", &cases).await?;
    let model = curious(corner.full("api"))?;
    let mut app = Headless::start_with(
        &corner,
        folder.path(),
        &["--logs", "--auto-heal", "--record", record],
        &[
            // Long enough for the analyst to be asked while a fix is verified.
            ("SENTINEL_VERIFY_SECONDS", "5".to_owned()),
            ("LLAMA_API_KEY", "scripted".to_owned()),
            ("LLAMA_API_BASE", model.base_url.clone()),
        ],
    )?;
    corner.touch("api", "/go").await?;
    app.until("log", |e| e["message"] == LAST)?;
    // The engine keeps 4 KiB of what a health check prints.
    for (n, part) in cases.chunks(24).enumerate().step_by(3) {
        let name = format!("sick{n}");
        sick(&corner, &name, part).await?;
        let full = corner.full(&name);
        app.until("anomaly", |e| {
            e["anomaly"]["kind"] == "unhealthy" && e["anomaly"]["container"] == full.as_str()
        })?;
    }
    corner.crash("api").await?;
    app.until("fix_applied", |_| true)?;
    app.until("opinion_ready", |e| {
        e["opinion"]["looked"].as_array().is_some_and(|l| l.len() == 2)
    })?;
    app.after(Duration::from_secs(3));
    let said: Vec<String> = app.events.iter().map(ToString::to_string).collect();
    pieces.absent("standard output", said.join("\n").as_bytes())?;
    let messages: Vec<&str> = app.all("log").iter().filter_map(|e| e["message"].as_str()).collect();
    assert!(messages.len() > 2 * cases.len(), "the secrets' lines were told: {}", messages.len());
    for line in set::innocent() {
        let told = messages.iter().any(|m| !m.is_empty() && line.contains(m));
        assert!(told, "{line} is not readable on standard output");
    }
    // One secret, one mark: the same lines were said twice or more.
    let marked = messages.iter().filter(|m| m.starts_with("DB_PASSWORD=***")).collect::<Vec<_>>();
    assert!(
        marked.len() >= 2 && marked.iter().all(|m| *m == marked[0] && m.len() == 20),
        "{marked:?}"
    );
    assert_eq!(app.stop()?, 3);

    for tool in ["get_logs", "inspect_container"] {
        let arguments = match tool {
            "get_logs" => format!(r#"{{"container_name":"{}","tail":2000}}"#, corner.full("api")),
            _ => format!(r#"{{"container_name":"{}"}}"#, corner.full("api")),
        };
        let answer =
            command(&corner, folder.path()).args(["tools", "call", tool, &arguments]).output()?;
        let errors = String::from_utf8_lossy(&answer.stderr).into_owned();
        assert!(answer.status.success() && answer.stdout.len() > 4000, "{tool}: {errors}");
        pieces.absent(tool, &answer.stdout)?;
        pieces.absent(tool, &answer.stderr)?;
    }
    let asked = model.completions();
    let looks = asked.iter().flat_map(|r| r.body["messages"].as_array().into_iter().flatten());
    let looks: Vec<&Value> = looks.filter(|m| m["role"] == "tool").collect();
    assert!(looks.iter().any(|m| m["content"].to_string().contains("***")), "it was shown the log");
    let all: String = asked.iter().map(|r| r.body.to_string()).collect();
    let value = all.find("NOTE_3=").map(|at| all.get(at.saturating_sub(300)..at + 60));
    assert!(value.is_none(), "of variables only their names: {value:?}");
    let places = kept(folder.path(), &model, &pieces)?;
    assert!(places.iter().any(|place| place.contains("to a model")));
    for file in ["session.jsonl", "audit.jsonl", ".db"] {
        assert!(
            places.iter().any(|place| place.contains(file)),
            "{file} was looked at: {places:?}"
        );
    }
    let recorded = fs::read_to_string(&recording)?;
    for line in set::innocent() {
        let json = serde_json::to_string(line)?;
        assert!(recorded.contains(json.trim_matches('"')), "{line} is not in the recording");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a Docker engine: run scripts/test.sh"]
async fn no_piece_of_a_planted_secret_reaches_the_screen() -> Fallible {
    let cases = set::secrets(SEED + 1);
    let pieces = Pieces::of(&cases);
    let corner = Corner::new("redactscreen")?;
    let folder = tempfile::tempdir()?;
    planted(&corner, "api", &cases).await?;
    let mut opened = CommandBuilder::new(env!("CARGO_BIN_EXE_sentinel-tui"));
    opened.env_clear();
    for (name, value) in [("HOME", folder.path()), ("SENTINEL_LOCK_DIR", folder.path())] {
        opened.env(name, value);
    }
    opened.env("USER", "tester");
    opened.env("DOCKER_HOST", &corner.host);
    let model = curious(corner.full("api"))?;
    opened.env("LLAMA_API_KEY", "scripted");
    opened.env("LLAMA_API_BASE", &model.base_url);
    opened.args(["--no-tour", "--filter", &corner.filter()]);
    let mut screen = Session::start(opened, 60, 240)?;
    screen.until_text("1/1")?;
    corner.touch("api", "/go").await?;
    screen.until_text(LAST)?;
    let mut seen = Vec::new();
    let mut look = |screen: &Session| seen.push(screen.text());
    look(&screen);
    // Back through the log page by page: every page is another screen.
    for _ in 0..24 {
        let before = screen.text();
        screen.type_in("\u{1b}[5~")?;
        screen.until("another page", |now| now.contents() != before)?;
        look(&screen);
    }
    corner.crash("api").await?;
    screen.until_text("1 to approve")?;
    look(&screen);
    screen.type_in("2\r")?;
    screen.until_text("docker start")?;
    look(&screen);
    screen.type_in("Twhy did it crash?\r")?;
    screen.until_text("llama-4-scout")?;
    look(&screen);
    screen.type_in("\u{1b}")?;
    screen.until("the panel is closed", |now| !now.contents().contains("why did it crash"))?;
    screen.type_in("A")?;
    screen.until_text("start_container")?;
    look(&screen);
    screen.type_in("\u{3}")?;
    assert_eq!(screen.until_end()?, 0);
    let shown = seen.join("\n");
    assert!(shown.contains("***"), "secrets' lines were on the screen");
    pieces.absent("the screen", shown.as_bytes())?;
    pieces.absent("the terminal", &screen.raw)?;
    kept(folder.path(), &model, &pieces)?;
    Ok(())
}
