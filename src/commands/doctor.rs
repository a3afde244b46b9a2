//! `doctor`: whether everything that is needed is there and works, each with what to do about it.
//!
//! Nothing is changed: the engine is greeted, servers are asked for their tools, endpoints for
//! their models, files are looked at.

mod bus;
mod engine;
mod files;
mod outside;
mod screen;

use std::process::ExitCode;
use std::time::Duration;

use color_eyre::eyre::Report;
use sentinel_core::domain::finding::{Finding, Verdict};
use tokio::time::timeout;

use crate::cli::DoctorArgs;
use crate::commands::{FAILED, out};
use crate::config::Settings;

/// One part may take this long: servers start, endpoints answer.
const PATIENCE: Duration = Duration::from_secs(20);
/// Columns of the name of a part.
const NAMES: usize = 14;

/// Prints what was found; exit status 1 if something is broken.
pub async fn run(settings: Settings, arguments: &DoctorArgs) -> Result<ExitCode, Report> {
    let findings = examine(&settings).await;
    let broken = findings.iter().any(|f| f.verdict == Verdict::Broken);
    if arguments.json {
        out::lines(findings.iter().map(serde_json::to_string).collect::<Result<Vec<_>, _>>()?)?;
    } else {
        out::lines(findings.iter().flat_map(lines))?;
    }
    Ok(if broken { ExitCode::from(FAILED) } else { ExitCode::SUCCESS })
}

/// Looks at every part, side by side, in bounded time.
pub async fn examine(settings: &Settings) -> Vec<Finding> {
    let (engine, mcp, models, redis) = tokio::join!(
        within("engine", engine::examine(settings)),
        within("tools", outside::tools(settings)),
        within("models", outside::models(settings)),
        within("redis", Box::pin(bus::examine(settings))),
    );
    let mut findings = engine;
    findings.extend(files::examine(settings).await);
    findings.extend(mcp);
    findings.extend(models);
    findings.extend(redis);
    findings.extend(screen::examine(settings));
    findings
}

async fn within(part: &str, look: impl Future<Output = Vec<Finding>>) -> Vec<Finding> {
    timeout(PATIENCE, look).await.unwrap_or_else(|_| {
        let detail = format!("no answer within {} s", PATIENCE.as_secs());
        vec![Finding::broken(part, detail, "see what keeps it from answering, then ask again")]
    })
}

fn lines(finding: &Finding) -> Vec<String> {
    let Finding { part, verdict, detail, remedy } = finding;
    let mut lines = vec![format!("{part:<NAMES$} {:<11} {detail}", verdict.word())];
    lines.extend(remedy.iter().map(|remedy| format!("{:<NAMES$} {:<11} > {remedy}", "", "")));
    lines
}
