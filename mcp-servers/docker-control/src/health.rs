//! The state at this moment.

use mcp_kit::engine::Engine;
use mcp_kit::failure::Failure;
use serde_json::Value;

use crate::{arguments, results};

/// The longest probe output that is shown, in bytes.
const PROBE_MAX: usize = 2 * 1024;

/// Looks at a container. Succeeds on a sick one too: `health` and `state` tell.
pub async fn check(engine: &Engine, asked: arguments::Health) -> Result<results::Health, Failure> {
    let target = engine.watched(&asked.container_name).await?;
    let running = target.switch("/State/Running");
    let probe = target
        .inspect
        .pointer("/State/Health/Log")
        .and_then(Value::as_array)
        .and_then(|log| log.last())
        .and_then(|last| last.get("Output"))
        .and_then(Value::as_str)
        .map(|text| {
            let end = text.floor_char_boundary(PROBE_MAX);
            mcp_kit::text::lines(text.get(..end).unwrap_or_default().as_bytes())
        });
    let health = match target.text("/State/Health/Status") {
        "" => "none",
        word => word,
    };
    Ok(results::Health {
        success: true,
        status: if running { "running" } else { "stopped" }.to_owned(),
        health: health.to_owned(),
        restarts: target.number("/RestartCount"),
        started_at: target.started_at().to_owned(),
        state: target.status().to_owned(),
        exit_code: (!running).then(|| target.number("/State/ExitCode")),
        oom_killed: target.switch("/State/OOMKilled"),
        failing_streak: target.number("/State/Health/FailingStreak"),
        last_probe: probe,
        container: target.name,
        container_id: target.id,
    })
}
