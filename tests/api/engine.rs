//! The built program on a real engine.

use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;
use portable_pty::CommandBuilder;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

use crate::client::{ask, bearer, get, post};
use crate::support::process::Headless;
use crate::support::pty::Session;
use crate::support::{CRASHES, Corner, Fallible};

/// A port that nobody has.
fn port() -> Fallible<SocketAddr> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?)
}

fn token(folder: &Path) -> Fallible<String> {
    Ok(std::fs::read_to_string(folder.join("state/api-token"))?.trim().to_owned())
}

fn audit(folder: &Path) -> Fallible<String> {
    let audit = std::process::Command::new(env!("CARGO_BIN_EXE_sentinel-tui"))
        .env_clear()
        .env("HOME", folder)
        .arg("--state-dir")
        .arg(folder.join("state"))
        .args(["audit", "show"])
        .output()?;
    Ok(String::from_utf8(audit.stdout)?)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a Docker engine: run scripts/test.sh"]
async fn a_crash_is_seen_and_healed_by_way_of_the_api() -> Fallible {
    let corner = Corner::new("api")?;
    let folder = tempfile::tempdir()?;
    corner.run("web", CRASHES).await?;
    let at = port()?;
    let mut headless = Headless::start(&corner, folder.path(), &["--api", &at.to_string()])?;
    let token = token(folder.path())?;
    // What is told and what is shown may be a moment apart.
    crate::support::eventually("readiness", Duration::from_secs(10), async || {
        Ok((get(at, "/readyz").await?.status == 200).then_some(()))
    })
    .await?;
    corner.crash("web").await?;
    let staged = headless.until("fix_staged", |_| true)?;
    let incident = staged["incident_id"].as_str().ok_or("no incident")?.to_owned();
    let one = crate::support::eventually("the plan", Duration::from_secs(10), async || {
        let one = get(at, &format!("/incidents/{incident}")).await?.json()?;
        Ok(one["plan"]["sha256"].is_string().then_some(one))
    })
    .await?;
    let body = json!({"sha256": one["plan"]["sha256"], "by": "ann"});
    let answer = post(at, &format!("/incidents/{incident}/approve"), &token, &body).await?;
    assert_eq!(answer.status, 200, "{}", answer.body);
    headless.until("incident_resolved", |_| true)?;
    let log = get(at, &format!("/containers/{}/logs", corner.full("web"))).await?.json()?;
    let marked = |line: &Value| line["text"] == "FATAL: lost the index";
    assert!(log["lines"].as_array().is_some_and(|lines| lines.iter().any(marked)), "{log}");
    let metrics = get(at, "/metrics").await?.body;
    for line in
        ["sentinel_fixes_total{result=\"applied\"} 1", "sentinel_time_to_repair_seconds_count 1"]
    {
        assert!(metrics.contains(line), "{metrics}");
    }
    let page = ask(at, "GET /audit", &bearer(&token), "").await?.json()?;
    let by = |record: &Value| record["record"]["actor"]["person"] == "ann via api from 127.0.0.1";
    assert!(page["records"].as_array().is_some_and(|all| all.iter().any(by)), "{page}");
    assert_eq!(headless.stop()?, 0);
    assert!(audit(folder.path())?.contains("ann via api from 127.0.0.1"));
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a Docker engine: run scripts/test.sh"]
async fn an_instance_without_a_screen_is_driven_from_an_attached_one() -> Fallible {
    let corner = Corner::new("attach")?;
    let folder = tempfile::tempdir()?;
    corner.run("web", CRASHES).await?;
    let at = port()?;
    let mut headless = Headless::start(&corner, folder.path(), &["--api", &at.to_string()])?;
    let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_sentinel-tui"));
    command.env_clear();
    command.env("HOME", folder.path());
    command.env("USER", "tester");
    command.arg("--state-dir");
    command.arg(folder.path().join("state"));
    command.args(["attach", &format!("http://{at}")]);
    let mut screen = Session::start(command, 40, 120)?;
    screen.until_text("1/1")?;
    screen.until_text("ready")?;
    corner.crash("web").await?;
    screen.until_text("1 to approve")?;
    screen.type_in("2\r")?;
    screen.until_text("FATAL: lost the index")?;
    screen.type_in("A")?;
    screen.until_text("start_container")?;
    assert_eq!(corner.running_since("web").await?, None, "nothing happens before the word");
    screen.press_until("y", "resolved")?;
    assert!(corner.running_since("web").await?.is_some());
    headless.kill()?;
    screen.until_text("no connection to")?;
    screen.until_text("next try")?;
    let mut headless = Headless::start(&corner, folder.path(), &["--api", &at.to_string()])?;
    screen.until_text("1/1")?;
    screen.type_in("\u{3}")?;
    assert_eq!(screen.until_end()?, 0);
    headless.stop()?;
    let trail = audit(folder.path())?;
    let approved = trail.lines().find(|line| line.contains(" approved ")).ok_or("no approval")?;
    assert!(approved.contains("tester via api from 127.0.0.1"), "{approved}");
    Ok(())
}

/// What the newest line that was told is behind the clock, looked at again and again.
fn worst_lag(headless: &mut Headless, looks: u32) -> Fallible<Duration> {
    let mut worst = Duration::ZERO;
    for _ in 0..looks {
        headless.after(Duration::from_millis(100));
        let newest = headless.events.iter().rev().find(|event| event["type"] == "log");
        let at: Timestamp = newest.and_then(|e| e["ts"].as_str()).ok_or("no line")?.parse()?;
        let lag = Timestamp::now().duration_since(at);
        worst = worst.max(Duration::try_from(lag).unwrap_or_default());
    }
    Ok(worst)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a Docker engine: run scripts/test.sh"]
async fn hostile_clients_change_nothing_and_slow_nothing() -> Fallible {
    let long = std::env::var_os("SENTINEL_HOSTILE").is_some();
    let corner = Corner::new("hostile")?;
    let folder = tempfile::tempdir()?;
    corner.run("web", "while :; do echo tick; sleep 0.02; done").await?;
    let at = port()?;
    let arguments = ["--api", &at.to_string(), "--logs"];
    let mut headless = Headless::start(&corner, folder.path(), &arguments)?;
    let looks = if long { 100 } else { 20 };
    let quiet = worst_lag(&mut headless, looks)?;
    let attacks: Vec<_> = (0..if long { 1000_usize } else { 200 })
        .map(|number| {
            tokio::spawn(async move {
                loop {
                    let attacked = attack(at, number).await;
                    if attacked.is_err() {
                        tokio::time::sleep(Duration::from_millis(20)).await;
                    }
                }
            })
        })
        .collect();
    let busy = worst_lag(&mut headless, looks)?;
    let resident = get_with_patience(at).await;
    attacks.iter().for_each(tokio::task::JoinHandle::abort);
    eprintln!("newest line behind the clock: quiet {quiet:?}, under attack {busy:?}; {resident}");
    // The clients of this test take processor time, too: the bound is generous.
    assert!(busy < Duration::from_secs(2), "{busy:?}");
    let changes = ["healing_halted", "silenced", "fix_approved", "log_dropped"];
    let changed = headless.events.iter().find(|e| changes.iter().any(|c| e["type"] == *c));
    assert!(changed.is_none(), "{changed:?}");
    let token = token(folder.path())?;
    let answer = crate::support::eventually("an answer", Duration::from_secs(30), async || {
        Ok(post(at, "/halt", &token, &json!({})).await.ok())
    });
    assert_eq!(answer.await?.status, 200);
    headless.stop()?;
    Ok(())
}

/// What the metrics say of memory, as far as one gets through.
async fn get_with_patience(at: SocketAddr) -> String {
    let body = get(at, "/metrics").await.map(|answer| answer.body).unwrap_or_default();
    let line = body.lines().find(|line| line.starts_with("process_resident"));
    line.unwrap_or("metrics not reached under attack").to_owned()
}

/// One of the ways to do harm.
async fn attack(at: SocketAddr, number: usize) -> Fallible {
    match number % 6 {
        0 => drop(post(at, "/halt", "guess", &json!({})).await?),
        1 => drop(get(at, "/containers").await?),
        2 => drop(post(at, "/silences", "", &json!({"service": "x".repeat(1 << 20)})).await?),
        3 => drop(ask(at, "GET /incidents", "Origin: http://evil.example\r\n", "").await?),
        4 => drop(get(at, "/metrics").await?),
        _ => {
            let mut stream = TcpStream::connect(at).await?;
            for _ in 0..20 {
                stream.write_all(b"GET / HTTP/1.1\r\nX: ").await?;
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
        }
    }
    Ok(())
}
