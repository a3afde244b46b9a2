//! The monitor against a real engine.

mod support;

use std::time::Duration;

use bollard::container::LogOutput;
use bollard::models::{HealthConfig, HealthStatusEnum, NetworkDisconnectRequest};
use bollard::query_parameters::{
    LogsOptionsBuilder, RestartContainerOptionsBuilder, StatsOptionsBuilder,
    StopContainerOptionsBuilder,
};
use futures_util::TryStreamExt as _;
use jiff::Timestamp;
use sentinel_core::detect::Detector;
use sentinel_core::domain::anomaly::{Anomaly, AnomalyKind};
use sentinel_core::domain::container::{Container, RunState};
use sentinel_core::domain::evidence::EvidenceKind;
use sentinel_core::domain::life::LifeKind;
use sentinel_core::domain::log::{LogLine, Stream};
use sentinel_core::domain::severity::Severity;
use sentinel_core::domain::signal::Signal;
use sentinel_core::redact::CUT_MARK;
use sentinel_tui::config::engine::Endpoint;
use sentinel_tui::config::filter::WatchFilter;
use sentinel_tui::monitor::scope::Scope;
use sentinel_tui::monitor::{DockerMonitor, Settings};
use sentinel_tui::ports::{LogCursor, Monitor as _, Outlet, inbox};
use support::{Corner, Engine, Fallible, eventually, next_signal};
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout_at};
use tokio_util::sync::CancellationToken;

const PATIENCE: Duration = Duration::from_secs(20);

/// A running monitor and what it said so far.
struct Watching {
    outlet: Outlet,
    stop: CancellationToken,
    task: JoinHandle<()>,
    signals: Vec<Signal>,
}

impl Watching {
    async fn begin(corner: &Corner, cursors: Vec<LogCursor>) -> Fallible<(Self, Vec<Container>)> {
        let monitor = DockerMonitor::new(Settings {
            endpoint: Endpoint { url: corner.host.clone(), source: "test".to_owned(), tls: None },
            scope: Scope {
                filters: vec![WatchFilter::parse(&corner.filter())?],
                ..Scope::default()
            },
            usage_every: Duration::from_millis(500),
            cursors,
            salt: sentinel_core::domain::hash::Salt::default(),
        })?;
        let (inbox, outlet) = inbox();
        let stop = CancellationToken::new();
        let token = stop.clone();
        let task = tokio::spawn(async move {
            if let Err(error) = monitor.run(inbox, token).await {
                tracing::error!("the monitor ended: {error}");
            }
        });
        let mut watching = Self { outlet, stop, task, signals: Vec::new() };
        watching
            .until("attached", |signals| {
                signals.iter().any(|s| matches!(s, Signal::Attached { .. }))
            })
            .await?;
        let watched = watching
            .signals
            .iter()
            .find_map(|s| match s {
                Signal::Attached { watched, .. } => Some(watched.clone()),
                _ => None,
            })
            .unwrap_or_default();
        Ok((watching, watched))
    }

    /// Takes signals until the condition holds.
    async fn until(&mut self, what: &str, holds: impl Fn(&[Signal]) -> bool) -> Fallible {
        let deadline = Instant::now() + PATIENCE;
        while !holds(&self.signals) {
            match timeout_at(deadline, next_signal(&mut self.outlet)).await {
                Ok(signal) => self.signals.push(signal),
                Err(_) => return Err(format!("{what}: not seen; {:#?}", self.signals).into()),
            }
        }
        Ok(())
    }

    fn lines(&self) -> Vec<&LogLine> {
        lines(&self.signals)
    }

    async fn end(self) -> Fallible {
        self.stop.cancel();
        self.task.await?;
        Ok(())
    }
}

fn lines(signals: &[Signal]) -> Vec<&LogLine> {
    signals
        .iter()
        .filter_map(|s| match s {
            Signal::Logs { lines } => Some(lines),
            _ => None,
        })
        .flatten()
        .collect()
}

fn has_line(text: &str) -> impl Fn(&[Signal]) -> bool + use<'_> {
    move |signals| lines(signals).iter().any(|l| &*l.text == text)
}

fn kinds(signals: &[Signal]) -> Vec<LifeKind> {
    signals
        .iter()
        .filter_map(|s| match s {
            Signal::Life { event } => Some(event.kind.clone()),
            _ => None,
        })
        .collect()
}

#[tokio::test]
#[ignore = "needs a Docker engine: run scripts/test.sh"]
async fn the_last_lines_before_a_death_arrive_and_the_stream_says_that_it_ended() -> Fallible {
    let corner = Corner::new("death")?;
    let (mut watching, watched) = Watching::begin(&corner, Vec::new()).await?;
    assert!(watched.is_empty());
    corner.run("a", "echo one; echo two >&2; echo FATAL three; exit 3").await?;
    watching
        .until("death and end of stream", |signals| {
            kinds(signals).contains(&LifeKind::Die { exit_code: 3 })
                && signals.iter().any(|s| matches!(s, Signal::LogEnd { .. }))
        })
        .await?;
    let end = watching.signals.iter().position(|s| matches!(s, Signal::LogEnd { .. }));
    let before: Vec<&str> =
        lines(&watching.signals[..end.unwrap_or_default()]).iter().map(|l| &*l.text).collect();
    assert_eq!(before.len(), 3, "{before:?}");
    assert!(before.contains(&"FATAL three"));
    assert!(watching.lines().iter().all(|l| !l.history), "a new container has no history");
    assert!(
        watching.lines().iter().any(|l| &*l.text == "two" && l.stream == Stream::Stderr),
        "streams are told apart"
    );
    // The engine knows of the container before it hears of its death.
    let seen = watching.signals.iter().position(|s| matches!(s, Signal::Inspected { .. }));
    let died = watching.signals.iter().position(
        |s| matches!(s, Signal::Life { event } if matches!(event.kind, LifeKind::Die { .. })),
    );
    assert!(seen.is_some() && seen < died);
    watching.end().await
}

#[tokio::test]
#[ignore = "needs a Docker engine: run scripts/test.sh"]
async fn what_was_written_before_the_start_is_history_and_what_comes_after_is_not() -> Fallible {
    let corner = Corner::new("history")?;
    corner.run("a", "echo old; until [ -e /go ]; do sleep 0.05; done; echo new; sleep 60").await?;
    let (mut watching, watched) = Watching::begin(&corner, Vec::new()).await?;
    assert_eq!(watched.len(), 1);
    corner.touch("a", "/go").await?;
    watching.until("the new line", has_line("new")).await?;
    let history: Vec<(&str, bool)> =
        watching.lines().iter().map(|l| (&*l.text, l.history)).collect();
    assert_eq!(history, [("old", true), ("new", false)]);
    watching.end().await
}

#[tokio::test]
#[ignore = "needs a Docker engine: run scripts/test.sh"]
async fn lines_behind_the_mark_of_an_earlier_run_are_judged_once() -> Fallible {
    let corner = Corner::new("mark")?;
    corner
        .run("a", "echo judged; until [ -e /go ]; do sleep 0.05; done; echo missed; sleep 60")
        .await?;
    let (mut first, watched) = Watching::begin(&corner, Vec::new()).await?;
    first.until("the first line", has_line("judged")).await?;
    let at = first.lines().first().map(|l| l.at).ok_or("no line")?;
    first.end().await?;
    corner.touch("a", "/go").await?;
    eventually("the line is in the log", PATIENCE, async || {
        Ok(logged(&corner, "a").await?.iter().any(|l| l == "missed").then_some(()))
    })
    .await?;
    let cursor = LogCursor { container: watched[0].of.id.clone(), at };
    let (mut second, _) = Watching::begin(&corner, vec![cursor]).await?;
    second.until("the missed line", has_line("missed")).await?;
    let verdicts: Vec<(&str, bool)> =
        second.lines().iter().map(|l| (&*l.text, l.history)).collect();
    assert_eq!(verdicts, [("judged", true), ("missed", false)]);
    second.end().await
}

#[tokio::test]
#[ignore = "needs a Docker engine: run scripts/test.sh"]
async fn no_line_is_lost_or_repeated_over_restarts() -> Fallible {
    let corner = Corner::new("restart")?;
    let (mut watching, _) = Watching::begin(&corner, Vec::new()).await?;
    // Two streams, equal lines within one millisecond, and a last word at every stop.
    corner
        .run(
            "a",
            "trap 'echo bye; exit 0' TERM; i=0; while true; do i=$((i+1)); echo n $i; echo same >&2; echo same >&2; sleep 0.01; done",
        )
        .await?;
    // A run whose first line is there has its trap: asked to stop before, it would be killed.
    let runs = |signals: &[Signal]| lines(signals).iter().filter(|l| &*l.text == "n 1").count();
    for run in 1..=3 {
        watching
            .until("a run writes", move |signals| {
                runs(signals) == run && lines(signals).len() >= run * 40
            })
            .await?;
        let options = RestartContainerOptionsBuilder::default().t(2).build();
        corner.docker.restart_container(&corner.full("a"), Some(options)).await?;
    }
    watching.until("the last run writes", move |signals| runs(signals) == 4).await?;
    corner.docker.stop_container(&corner.full("a"), None).await?;
    let expected = logged(&corner, "a").await?;
    assert!(expected.len() > 50, "{}", expected.len());
    let count = expected.len();
    watching.until("all lines", move |signals| lines(signals).len() >= count).await?;
    // Anything that came twice would still be on its way: the end of the last stream is behind it.
    watching
        .until("the last stream's end", |signals| {
            kinds(signals).iter().filter(|k| matches!(k, LifeKind::Die { .. })).count() == 4
                && matches!(
                    signals
                        .iter()
                        .rfind(|s| matches!(s, Signal::Logs { .. } | Signal::LogEnd { .. })),
                    Some(Signal::LogEnd { .. })
                )
        })
        .await?;
    let got: Vec<String> = watching.lines().iter().map(|l| l.text.to_string()).collect();
    let sorted = |mut v: Vec<String>| {
        v.sort();
        v
    };
    assert_eq!(sorted(got), sorted(expected));
    let seqs: Vec<u64> = watching.lines().iter().map(|l| l.seq).collect();
    assert!(seqs.windows(2).all(|w| w[1] == w[0] + 1), "numbers have no holes");
    assert!(!watching.signals.iter().any(|s| matches!(s, Signal::LogLost { .. })));
    watching.end().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a Docker engine: run scripts/test.sh"]
async fn a_restart_of_the_engine_loses_no_line_and_finds_what_stayed_down() -> Fallible {
    let engine = Engine::start()?;
    let corner = Corner::on(&engine.host, "engine")?;
    let count = "i=$(cat /i 2>/dev/null || echo 0); while true; do i=$((i+1)); echo $i > /i; echo n $i; sleep 0.02; done";
    let mut back = corner.body("back", count);
    if let Some(host) = &mut back.host_config {
        host.restart_policy = Some(bollard::models::RestartPolicy {
            name: Some(bollard::models::RestartPolicyNameEnum::ALWAYS),
            maximum_retry_count: None,
        });
    }
    corner.start("back", back).await?;
    corner.run("down", "echo up; sleep 600").await?;
    let (mut watching, _) = Watching::begin(&corner, Vec::new()).await?;
    watching.until("lines before", |signals| lines(signals).len() > 20).await?;
    engine.order("restart")?;
    watching
        .until("the engine is back", |signals| {
            signals.iter().any(|s| matches!(s, Signal::Recovered { .. }))
        })
        .await?;
    let degraded = watching
        .signals
        .iter()
        .any(|s| matches!(s, Signal::Degraded { part, .. } if part == "docker"));
    assert!(degraded, "the gap is told");
    let found_down = watching.signals.iter().any(|s| {
        matches!(s, Signal::Inspected { container, unwitnessed: true, .. } if container.of.service == "down" && container.state == RunState::Exited)
    });
    assert!(found_down, "what stayed down is found, and nobody knows why");
    let seen = watching.lines().len();
    watching.until("lines after", move |signals| lines(signals).len() > seen + 20).await?;
    corner.docker.stop_container(&corner.full("back"), None).await?;
    let expected = logged(&corner, "back").await?;
    // A kill between emptying and writing /i makes the count begin anew: the text of the last
    // line may have come before, so all lines are waited for.
    let count = expected.len();
    let counted =
        |signals: &[Signal]| lines(signals).iter().filter(|l| l.text.starts_with("n ")).count();
    watching.until("the last line", move |signals| counted(signals) >= count).await?;
    let got: Vec<String> = watching
        .lines()
        .iter()
        .filter(|l| l.text.starts_with("n "))
        .map(|l| l.text.to_string())
        .collect();
    assert_eq!(got, expected);
    watching.end().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a Docker engine: run scripts/test.sh"]
async fn what_an_engines_crash_took_down_is_found() -> Fallible {
    let engine = Engine::start()?;
    let corner = Corner::on(&engine.host, "crash")?;
    corner.run("down", "echo up; sleep 600").await?;
    let (mut watching, _) = Watching::begin(&corner, Vec::new()).await?;
    engine.order("kill")?;
    engine.order("start")?;
    watching
        .until("the engine is back", |signals| {
            signals.iter().any(|s| matches!(s, Signal::Recovered { .. }))
        })
        .await?;
    let found_down = watching.signals.iter().any(|s| {
        matches!(s, Signal::Inspected { container, unwitnessed: true, .. }
            if container.state == RunState::Exited)
    });
    assert!(found_down, "{:#?}", watching.signals);
    watching.end().await
}

#[tokio::test]
#[ignore = "needs a Docker engine: run scripts/test.sh"]
async fn a_recreated_container_is_followed_under_its_new_id() -> Fallible {
    let corner = Corner::new("recreate")?;
    let old = corner.run("a", "echo first; sleep 60").await?;
    let (mut watching, _) = Watching::begin(&corner, Vec::new()).await?;
    corner.remove("a").await?;
    let new = corner.run("a", "echo second; sleep 60").await?;
    watching.until("the new one's line", has_line("second")).await?;
    watching
        .until("the old one is gone", |signals| {
            signals
                .iter()
                .any(|s| matches!(s, Signal::Gone { container } if container.as_str() == old))
        })
        .await?;
    assert!(watching.signals.iter().any(
        |s| matches!(s, Signal::Inspected { container, .. } if container.of.id.as_str() == new)
    ));
    watching.end().await
}

#[tokio::test]
#[ignore = "needs a Docker engine: run scripts/test.sh"]
async fn terminals_long_lines_and_hostile_bytes_are_read() -> Fallible {
    let corner = Corner::new("bytes")?;
    let (mut watching, _) = Watching::begin(&corner, Vec::new()).await?;
    let mut body = corner.body("tty", "printf 'on a \\033[31mterminal\\033[0m\\n'; sleep 60");
    body.tty = Some(true);
    corner.start("tty", body).await?;
    corner
        .run(
            "raw",
            "head -c 100000 /dev/zero | tr '\\0' x; echo; printf 'bad \\377 utf8 \\000 nul\\n'; echo password=hunter22; echo '-----BEGIN PRIVATE KEY-----'; echo MIIEvgIBADANBgkqhkiG9w0BAQEFAASC; echo '-----END PRIVATE KEY-----'; printf 'no end'",
        )
        .await?;
    watching.until("the terminal's line", has_line("on a terminal")).await?;
    watching.until("the last line without an end", has_line("no end")).await?;
    let text =
        |part: &str| watching.lines().iter().map(|l| l.text.to_string()).find(|t| t.contains(part));
    let long = text("xxxx").ok_or("no long line")?;
    assert!(long.ends_with(CUT_MARK) && long.len() < 20_000);
    assert_eq!(text("utf8").as_deref(), Some("bad \u{fffd} utf8 · nul"));
    assert_eq!(text("password").as_deref(), Some("password=***"));
    assert_eq!(text("MIIEvg"), None, "the body of a private key is hidden line by line");
    watching.end().await
}

#[tokio::test]
#[ignore = "needs a Docker engine: run scripts/test.sh"]
async fn an_operators_kill_comes_before_the_death() -> Fallible {
    let corner = Corner::new("intent")?;
    corner.run("a", "sleep 60").await?;
    let (mut watching, _) = Watching::begin(&corner, Vec::new()).await?;
    corner.docker.kill_container(&corner.full("a"), None).await?;
    watching
        .until("death", |signals| kinds(signals).contains(&LifeKind::Die { exit_code: 137 }))
        .await?;
    let kinds = kinds(&watching.signals);
    let kill = kinds.iter().position(|k| *k == LifeKind::Kill { signal: 9 });
    let die = kinds.iter().position(|k| matches!(k, LifeKind::Die { .. }));
    assert!(kill.is_some() && kill < die, "{kinds:?}");
    watching
        .until("the inspect after it", |signals| {
            signals.iter().any(
                |s| matches!(s, Signal::Inspected { container, .. } if container.state == RunState::Exited),
            )
        })
        .await?;
    watching.end().await
}

/// What the detectors make of the signals, in the order in which these came.
fn anomalies(signals: &[Signal]) -> Vec<Anomaly> {
    let mut detector = Detector::new("test");
    let now = Timestamp::now();
    signals.iter().flat_map(|signal| detector.observe(signal, now)).collect()
}

#[tokio::test]
#[ignore = "needs a Docker engine: run scripts/test.sh"]
async fn what_is_done_through_the_engine_is_told_and_is_no_fault() -> Fallible {
    let corner = Corner::new("surroundings")?;
    corner.run("a", "trap '' TERM; while true; do sleep 1; done").await?;
    let (mut watching, watched) = Watching::begin(&corner, Vec::new()).await?;
    let network = watched.first().and_then(|c| c.networks.first()).ok_or("no network")?;
    let name = corner.full("a");
    corner.docker.pause_container(&name).await?;
    watching.until("pause", |s| kinds(s).contains(&LifeKind::Pause)).await?;
    corner.docker.unpause_container(&name).await?;
    watching.until("unpause", |s| kinds(s).contains(&LifeKind::Unpause)).await?;
    let request = NetworkDisconnectRequest { container: name.clone(), ..Default::default() };
    corner.docker.disconnect_network(&network.network, request).await?;
    let without = |s: &Signal| matches!(s, Signal::Inspected { container, .. } if container.networks.is_empty() && container.is_up());
    // The look that the end of the pause asked for may see it before the event of it comes.
    let lost = |s: &Signal| matches!(s, Signal::Life { event } if matches!(event.kind, LifeKind::Disconnect { .. }));
    watching
        .until("an inspect without it", |s| s.iter().skip_while(|s| !lost(s)).any(without))
        .await?;
    // It ignores the signal: killed after the second that it is given, and that is no fault either.
    let patience = StopContainerOptionsBuilder::default().t(1).build();
    corner.docker.stop_container(&name, Some(patience)).await?;
    watching.until("stop", |s| kinds(s).contains(&LifeKind::Stop)).await?;
    assert!(kinds(&watching.signals).contains(&LifeKind::Die { exit_code: 137 }));
    let told: Vec<_> =
        anomalies(&watching.signals).into_iter().map(|a| (a.kind, a.severity, a.summary)).collect();
    let expected = [
        (AnomalyKind::Paused, Severity::Low, format!("{name} was paused through the engine")),
        (
            AnomalyKind::Surroundings,
            Severity::Medium,
            format!(
                "{name} was disconnected from network {} through the engine; it has no other",
                network.network
            ),
        ),
    ];
    assert_eq!(told, expected);
    watching.end().await
}

#[tokio::test]
#[ignore = "needs a Docker engine: run scripts/test.sh"]
async fn a_health_check_that_fails_shows_what_it_printed_and_deaths_together_are_a_storm()
-> Fallible {
    let corner = Corner::new("storm")?;
    let mut sick = corner.body("sick", "sleep 60");
    sick.healthcheck = Some(HealthConfig {
        test: Some(vec!["CMD-SHELL".to_owned(), "echo no answer; exit 3".to_owned()]),
        interval: Some(1_000_000_000),
        // Long enough for a machine that has other work.
        timeout: Some(20_000_000_000),
        retries: Some(1),
        ..HealthConfig::default()
    });
    corner.start("sick", sick).await?;
    for short in ["a", "b", "c"] {
        corner.run(short, "while [ ! -e /tmp/end ]; do sleep 0.1; done; exit 4").await?;
    }
    eventually("the verdict of the health check", PATIENCE, async || {
        let state = corner.docker.inspect_container(&corner.full("sick"), None).await?.state;
        let verdict = state.and_then(|s| s.health).and_then(|h| h.status);
        Ok((verdict == Some(HealthStatusEnum::UNHEALTHY)).then_some(()))
    })
    .await?;
    let (mut watching, _) = Watching::begin(&corner, Vec::new()).await?;
    let found = anomalies(&watching.signals);
    let probe = found
        .iter()
        .filter(|a| a.kind == AnomalyKind::Unhealthy)
        .flat_map(|a| &a.evidence)
        .find(|e| e.kind == EvidenceKind::Probe)
        .ok_or("no probe is shown")?;
    assert!(probe.excerpt.starts_with("probe ended with 3 after "), "{}", probe.excerpt);
    assert!(probe.excerpt.ends_with(" s: no answer"), "{}", probe.excerpt);
    for short in ["a", "b", "c"] {
        corner.touch(short, "/tmp/end").await?;
    }
    let deaths =
        |s: &[Signal]| kinds(s).iter().filter(|k| matches!(k, LifeKind::Die { .. })).count();
    watching.until("three deaths", |s| deaths(s) >= 3).await?;
    let told = anomalies(&watching.signals);
    let storms: Vec<_> = told.iter().filter(|a| a.kind == AnomalyKind::RestartStorm).collect();
    assert_eq!(storms.len(), 1, "{told:?}");
    assert!(
        storms[0].summary.starts_with("3 containers died within 10 s: "),
        "{}",
        storms[0].summary
    );
    watching.end().await
}

#[tokio::test]
#[ignore = "needs a Docker engine: run scripts/test.sh"]
async fn readings_agree_with_docker_stats() -> Fallible {
    let corner = Corner::new("usage")?;
    let mut body =
        corner.body("busy", "head -c 8000000 /dev/zero > /dev/shm/x; while true; do :; done");
    if let Some(host) = &mut body.host_config {
        host.nano_cpus = Some(200_000_000);
        host.memory = Some(64 << 20);
    }
    let id = corner.start("busy", body).await?;
    let (mut watching, _) = Watching::begin(&corner, Vec::new()).await?;
    let readings =
        |signals: &[Signal]| signals.iter().filter(|s| matches!(s, Signal::Usage { .. })).count();
    watching.until("readings", move |signals| readings(signals) >= 6).await?;
    let mine: Vec<_> = watching
        .signals
        .iter()
        .filter_map(|s| match s {
            Signal::Usage { sample } => Some(sample.usage.clone()),
            _ => None,
        })
        .collect();
    // `docker stats` waits for two samples of the engine and computes from them.
    let options = StatsOptionsBuilder::default().stream(false).build();
    let theirs =
        corner.docker.stats(&id, Some(options)).try_next().await?.ok_or("no statistics")?;
    let memory = theirs.memory_stats.unwrap_or_default();
    let cache = memory.stats.iter().flatten().find(|(k, _)| *k == "total_inactive_file");
    let used = memory.usage.unwrap_or_default() - cache.map_or(0, |(_, v)| *v);
    let last = mine.last().ok_or("no reading")?;
    assert!(last.mem_used.abs_diff(used) < 2 << 20, "{} against {used}", last.mem_used);
    assert_eq!(last.mem_limit, 64 << 20);
    let mean = mine.iter().map(|u| u.cpu_pct).sum::<f64>() / mine.len() as f64;
    let (now, before) =
        (theirs.cpu_stats.unwrap_or_default(), theirs.precpu_stats.unwrap_or_default());
    let total = |c: &bollard::models::ContainerCpuStats| {
        c.cpu_usage.as_ref().and_then(|u| u.total_usage).unwrap_or_default() as f64
    };
    let system =
        |c: &bollard::models::ContainerCpuStats| c.system_cpu_usage.unwrap_or_default() as f64;
    let cpus = f64::from(now.online_cpus.unwrap_or(1));
    let cli = (total(&now) - total(&before)) / (system(&now) - system(&before)) * cpus * 100.0;
    // Limited to a fifth of a core: both must say so, whatever else the machine does.
    assert!((mean - cli).abs() < 8.0, "{mean:.1} % against {cli:.1} %");
    watching.end().await
}

/// What the engine itself has of a container's log, line by line.
async fn logged(corner: &Corner, short: &str) -> Fallible<Vec<String>> {
    let options = LogsOptionsBuilder::default().stdout(true).stderr(true).build();
    let outputs: Vec<LogOutput> =
        corner.docker.logs(&corner.full(short), Some(options)).try_collect().await?;
    Ok(outputs
        .iter()
        .map(|o| String::from_utf8_lossy(o.as_ref()).trim_end_matches('\n').to_owned())
        .collect())
}
