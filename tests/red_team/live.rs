//! The built program on real containers of the private engine that say and are all of this.

use std::collections::HashMap;
use std::time::Duration;

use bollard::models::{ContainerCreateBody, HealthConfig};
use bollard::query_parameters::RestartContainerOptionsBuilder;
use portable_pty::CommandBuilder;
use serde_json::Value;

use crate::case::{Case, harm, texts};
use crate::support::process::command;
use crate::support::pty::Session;
use crate::support::{Corner, Fallible, eventually};

/// So many containers at a time: each is one case.
const AT_ONCE: usize = 24;
/// The longest text that goes onto a command line.
const ARGUMENT: usize = 60_000;

/// A name that the engine takes, for the number of a case.
fn short(number: usize) -> String {
    format!("c{number}")
}

/// Text as printf writes it, byte by byte.
fn octal(bytes: &[u8]) -> String {
    let digit =
        |byte: &u8, shift: u32| char::from_digit(u32::from(*byte >> shift) & 7, 8).unwrap_or('0');
    bytes.iter().flat_map(|byte| ['\\', digit(byte, 6), digit(byte, 3), digit(byte, 0)]).collect()
}

/// A container whose log, labels, environment and probe say what the case says.
fn body(corner: &Corner, case: &Case, number: usize) -> ContainerCreateBody {
    let mut said = String::new();
    for line in case.lines().iter().take(12) {
        let line = line.get(..line.len().min(4000)).unwrap_or_default();
        said.push_str(&octal(line));
        said.push_str("\\012");
    }
    if said.len() > ARGUMENT {
        // Whole escapes only.
        said.truncate(ARGUMENT);
        said.truncate(said.rfind('\\').unwrap_or(0));
        said.push_str("\\012");
    }
    let script = format!(
        "printf '{said}'; printf '{said}' >&2; echo '{} is here'; exec sleep 600",
        case.canary
    );
    let mut body = corner.body(&short(number), &script);
    let text: String = case.text().chars().filter(|c| *c != '\0').take(1500).collect();
    if case.stands_in("env") {
        body.env = Some(vec![format!("NOTE={text}")]);
    }
    if case.stands_in("label") {
        let labels = body.labels.get_or_insert_default();
        labels.insert("note".to_owned(), text.clone());
        labels.insert("sre-sentinel.service".to_owned(), text.clone());
        labels.insert("com.docker.compose.service".to_owned(), text.clone());
        labels.insert("com.docker.compose.project".to_owned(), text.clone());
    }
    if case.stands_in("health") {
        let part: Vec<u8> = text.bytes().take(300).collect();
        body.healthcheck = Some(HealthConfig {
            test: Some(vec!["CMD-SHELL".to_owned(), format!("printf '{}'; true", octal(&part))]),
            interval: Some(500_000_000),
            timeout: Some(5_000_000_000),
            ..HealthConfig::default()
        });
    }
    body
}

/// Set to `all`: every case gets a container. Otherwise each fourth does.
const HOW_MANY: &str = "SENTINEL_RED_TEAM";

/// Cases that a real container can have.
fn cases() -> Fallible<Vec<(usize, Case)>> {
    let all = Case::at(&["log", "label", "env", "health"])?;
    Ok(all.into_iter().enumerate().filter(|(_, case)| case.name != "many kinds of lines").collect())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a Docker engine: run scripts/test.sh"]
async fn real_containers_that_say_it_get_nothing_applied_and_nothing_into_the_stream() -> Fallible {
    let every = if std::env::var(HOW_MANY).is_ok_and(|text| text == "all") { 1 } else { 4 };
    let chosen: Vec<(usize, Case)> = cases()?.into_iter().step_by(every).collect();
    for part in chosen.chunks(AT_ONCE) {
        let corner = Corner::new("red")?;
        let folder = tempfile::tempdir()?;
        let out = folder.path().join("out");
        let mut before = HashMap::new();
        for (number, case) in part {
            corner.start(&short(*number), body(&corner, case, *number)).await?;
            before.insert(*number, corner.running_since(&short(*number)).await?);
        }
        let mut app = command(&corner, folder.path());
        app.args(["--headless", "--output", "jsonl", "--auto-heal", "--logs", "--filter"])
            .arg(corner.filter())
            .stdout(std::fs::File::create(&out)?)
            .stderr(std::fs::File::create(folder.path().join("err"))?);
        let mut app = app.spawn()?;
        let canaries: Vec<String> =
            part.iter().map(|(_, case)| format!("{} is here", case.canary)).collect();
        let heard = async || {
            let text = std::fs::read_to_string(&out).unwrap_or_default();
            Ok(text.contains("\"type\":\"monitor_started\"").then_some(()))
        };
        eventually("the program watches", Duration::from_mins(1), heard).await?;
        for (number, _) in part {
            let at_once = RestartContainerOptionsBuilder::default().t(0).build();
            corner.docker.restart_container(&corner.full(&short(*number)), Some(at_once)).await?;
            before.insert(*number, corner.running_since(&short(*number)).await?);
        }
        let unheard = || -> Vec<&String> {
            let text = std::fs::read_to_string(&out).unwrap_or_default();
            canaries.iter().filter(|canary| !text.contains(canary.as_str())).collect()
        };
        let heard = async || Ok(unheard().is_empty().then_some(()));
        if let Err(error) =
            eventually("every text came through", Duration::from_mins(1), heard).await
        {
            return Err(format!("{error}: {:?}", unheard()).into());
        }
        let pid = app.id().to_string();
        std::process::Command::new("kill").arg(pid).status()?;
        app.wait()?;

        let text = String::from_utf8(std::fs::read(&out)?)?;
        for line in text.lines() {
            assert_eq!(harm(line), None, "{line}");
            let event: Value = serde_json::from_str(line)?;
            let kind = event["type"].as_str().unwrap_or_default();
            assert!(!["fix_approved", "fix_applied", "fix_undone"].contains(&kind), "{line}");
            let mut all = Vec::new();
            texts(&event, &mut all);
            // Our own paragraphs are the one break of a line that a text may have.
            let explanation = event["incident"]["explanation"].as_str().unwrap_or_default();
            let own = |text: &str| text == explanation && text.matches('\n').count() == 2;
            let harmful = |text: &String| {
                harm(&if own(text) { text.replace("\n\n", " ") } else { text.clone() })
            };
            assert_eq!(all.iter().find_map(harmful), None, "{line}");
        }
        let seqs: Vec<u64> = text
            .lines()
            .filter_map(|line| serde_json::from_str::<Value>(line).ok()?["seq"].as_u64())
            .collect();
        assert!(seqs.windows(2).all(|pair| pair[0] < pair[1]), "a line of the stream is forged");
        let said = std::fs::read_to_string(folder.path().join("err"))?;
        assert_eq!(said.lines().find_map(harm), None, "{said}");
        for (number, case) in part {
            let now = corner.running_since(&short(*number)).await?;
            assert_eq!(now, before[number], "{}: it was touched", case.name);
        }
    }
    Ok(())
}

/// Sequences that the program has no use for while nobody copies anything.
fn foreign_sequence(raw: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(raw);
    let mut rest = text.as_ref();
    while let Some(at) = rest.find('\u{1b}') {
        let behind = &rest[at + 1..];
        // CSI and the choice of a character set draw; strings (OSC, DCS, APC, PM, SOS) do not.
        if behind.starts_with([']', 'P', '_', '^', 'X']) {
            return Some(behind.chars().take(40).collect());
        }
        rest = behind;
    }
    let drawn = text.replace('\u{1b}', "").replace(['\r', '\n', '\u{8}', '\u{f}'], "");
    harm(&drawn)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a Docker engine: run scripts/test.sh"]
async fn a_real_terminal_gets_nothing_of_it() -> Fallible {
    const CHOSEN: [&str; 10] = [
        "clipboard",
        "hyperlink",
        "title",
        "clear screen",
        "right to left override",
        "c1 osc",
        "alternate screen",
        "bracketed paste",
        "line separators",
        "escape split over lines",
    ];
    let corner = Corner::new("redpty")?;
    let folder = tempfile::tempdir()?;
    let chosen: Vec<(usize, Case)> =
        cases()?.into_iter().filter(|(_, case)| CHOSEN.contains(&case.name.as_str())).collect();
    assert_eq!(chosen.len(), CHOSEN.len());
    for (number, case) in &chosen {
        corner.start(&short(*number), body(&corner, case, *number)).await?;
    }
    let mut program = CommandBuilder::new(env!("CARGO_BIN_EXE_sentinel-tui"));
    program.args(["--no-tour", "--auto-heal", "--filter", &corner.filter(), "--state-dir"]);
    program.arg(folder.path().join("state"));
    program.env_clear();
    program.env("PATH", std::env::var_os("PATH").unwrap_or_default());
    program.env("HOME", folder.path());
    program.env("SENTINEL_LOCK_DIR", folder.path());
    program.env("DOCKER_HOST", &corner.host);
    program.cwd(folder.path());
    let mut session = Session::start(program, 50, 160)?;
    // The first container's log, then each further one's, and its page.
    for step in 0..chosen.len() {
        let canaries: Vec<&str> = chosen.iter().map(|(_, case)| case.canary.as_str()).collect();
        session.until("a log on the screen", |screen| {
            let text = screen.contents();
            canaries.iter().any(|canary| text.contains(&format!("{canary} is here")))
        })?;
        session.type_in("i")?;
        session.until_text("Resources")?;
        session.type_in("G")?;
        session.until_text("sre-sentinel.monitor")?;
        session.type_in("\u{1b}")?;
        session.until("the list again", |screen| {
            !screen.contents().contains("sre-sentinel.monitor")
        })?;
        if step + 1 < chosen.len() {
            session.type_in("j")?;
        }
    }
    assert!(session.parser.screen().alternate_screen(), "a line switched the screen");
    let title = session.raw.windows(6).any(|part| part == b"]0;pwn");
    assert!(!title, "a line set the title");
    session.type_in("\u{3}")?;
    session.until_end()?;
    assert_eq!(foreign_sequence(&session.raw), None);
    // What is checked would be found.
    let mut dirty = session.raw.clone();
    dirty.extend_from_slice(b"\x1b]52;c;eA==\x07");
    assert!(foreign_sequence(&dirty).is_some());
    assert!(foreign_sequence("a\u{202e}b".as_bytes()).is_some());
    Ok(())
}
