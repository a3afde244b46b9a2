//! Pages of a log that is not in memory, from a real engine.

mod support;

use std::sync::Arc;
use std::time::Duration;

use sentinel_core::domain::hash::Salt;
use sentinel_core::domain::ids::ContainerId;
use sentinel_core::domain::log::LogLine;
use sentinel_core::domain::log_page::{PageAsk, PageFrom, Seam};
use sentinel_tui::config::engine::Endpoint;
use sentinel_tui::monitor::scope::Scope;
use sentinel_tui::monitor::{DockerMonitor, Settings};
use sentinel_tui::ports::Monitor as _;
use support::{Corner, Fallible, eventually};

const PATIENCE: Duration = Duration::from_secs(30);
/// Lines that the container writes.
const LINES: usize = 2_500;

fn monitor(corner: &Corner) -> Fallible<DockerMonitor> {
    Ok(DockerMonitor::new(Settings {
        endpoint: Endpoint { url: corner.host.clone(), source: "test".to_owned(), tls: None },
        scope: Scope::default(),
        usage_every: Duration::from_millis(500),
        cursors: Vec::new(),
        salt: Salt::default(),
    })?)
}

/// The edge at a line, as a reader of the lines on one side of it has it.
fn seam(line: &LogLine, of: &[LogLine]) -> Seam {
    let like = |l: &&LogLine| (l.at, l.stream, &l.text) == (line.at, line.stream, &line.text);
    let copies = of.iter().filter(like).count();
    Seam { at: line.at, stream: line.stream, text: Arc::clone(&line.text), copies }
}

fn texts(lines: &[LogLine]) -> Vec<&str> {
    lines.iter().map(|l| l.text.as_ref()).collect()
}

#[tokio::test]
#[ignore = "needs a Docker engine: run scripts/test.sh"]
async fn a_log_is_read_page_by_page_in_both_directions() -> Fallible {
    let corner = Corner::new("log-pages")?;
    let script =
        format!("i=0; while [ $i -lt {LINES} ]; do i=$((i+1)); echo line $i; done; exit 0");
    let id = ContainerId(corner.run("writer", &script).await?);
    let monitor = monitor(&corner)?;
    let page = async |from: PageFrom, limit: usize| {
        monitor.page(PageAsk { container: id.clone(), from, limit }).await
    };
    // From the beginning on, until there is no more.
    let mut all: Vec<LogLine> = Vec::new();
    eventually("all lines", PATIENCE, async || {
        all.clear();
        let mut next = PageFrom::Start;
        loop {
            let read = page(next, 400).await?;
            all.extend(read.lines);
            let Some(last) = all.last() else { return Ok(None) };
            if read.ends {
                return Ok((all.len() == LINES).then_some(()));
            }
            next = PageFrom::After(seam(last, &all));
        }
    })
    .await?;
    let expected: Vec<String> = (1..=LINES).map(|n| format!("line {n}")).collect();
    assert_eq!(texts(&all), expected);
    // And back from the last line to the first.
    let mut back: Vec<LogLine> = all.last().cloned().into_iter().collect();
    loop {
        let edge = seam(&back[0], &back);
        let read = page(PageFrom::Before(edge, back.len() as u64), 700).await?;
        back.splice(0..0, read.lines);
        if read.ends {
            break;
        }
        assert!(back.len() < LINES, "it begins somewhere");
    }
    assert_eq!(texts(&back), expected);
    let gone =
        PageAsk { container: "0".repeat(64).as_str().into(), from: PageFrom::Start, limit: 9 };
    let why = monitor.page(gone).await.map_err(|e| e.to_string());
    assert_eq!(why.unwrap_err(), "the container is gone, and its log with it");
    Ok(())
}

#[tokio::test]
#[ignore = "needs a Docker engine: run scripts/test.sh"]
async fn a_driver_that_keeps_nothing_says_so() -> Fallible {
    let corner = Corner::new("log-pages-none")?;
    let mut body = corner.body("mute", "echo one; sleep 60");
    let host = body.host_config.get_or_insert_default();
    host.log_config =
        Some(bollard::models::HostConfigLogConfig { typ: Some("none".to_owned()), config: None });
    let container = ContainerId(corner.start("mute", body).await?);
    let ask = PageAsk { container, from: PageFrom::Start, limit: 10 };
    let why = monitor(&corner)?.page(ask).await.map_err(|e| e.to_string());
    assert_eq!(why.unwrap_err(), "the log driver `none` cannot be read back");
    Ok(())
}
