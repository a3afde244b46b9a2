//! Waiting until a successor has proved itself.

use std::time::Duration;

use bollard::query_parameters::LogsOptions;
use futures_util::StreamExt;
use mcp_kit::engine::{Engine, WAIT};
use mcp_kit::failure::Failure;
use mcp_kit::target::Target;
use serde_json::Value;
use tokio::time::Instant;

/// How long a container without a health check must run unbroken.
pub const STABLE: Duration = Duration::from_secs(5);
/// The shortest and the longest time that a health check gets.
const VERDICT: (Duration, Duration) = (Duration::from_secs(30), Duration::from_mins(10));
/// How often the engine is asked.
const POLL: Duration = Duration::from_millis(200);
/// The last lines that an error quotes.
const LINES: &str = "5";
/// The longest quote, in bytes.
const QUOTE_MAX: usize = 1024;

/// Waits until the container is healthy, or has run for [`STABLE`] if it has no health check.
/// Fails at once when it ends, restarts or turns unhealthy, quoting its last lines.
pub async fn wait(engine: &Engine, id: &str) -> Result<Target, Failure> {
    let first = engine.inspect(id).await?;
    let checked = has_check(&first.inspect);
    let limit = if checked { longest_verdict(&first.inspect) } else { STABLE };
    let began = first.started_at().to_owned();
    let deadline = Instant::now() + limit;
    loop {
        let now = engine.inspect(id).await?;
        let whole = now.switch("/State/Running")
            && !now.switch("/State/Restarting")
            && now.started_at() == began;
        if !whole {
            let code = now.number("/State/ExitCode");
            return Err(unfit(engine, &now, &format!("ended with exit code {code}")).await);
        }
        match now.text("/State/Health/Status") {
            "healthy" => return Ok(now),
            "unhealthy" => return Err(unfit(engine, &now, "turned unhealthy").await),
            _ => {}
        }
        if Instant::now() >= deadline {
            if !checked {
                return Ok(now);
            }
            let text = format!("was not healthy within {} s", limit.as_secs());
            return Err(unfit(engine, &now, &text).await);
        }
        tokio::time::sleep(POLL).await;
    }
}

/// Whether there is a health check that runs.
pub fn has_check(inspect: &Value) -> bool {
    inspect
        .pointer("/Config/Healthcheck/Test/0")
        .and_then(Value::as_str)
        .is_some_and(|kind| !kind.is_empty() && kind != "NONE")
}

/// The longest time after which a health check has said yes or no.
fn longest_verdict(inspect: &Value) -> Duration {
    let field = |name: &str, default: u64| {
        let set = inspect.pointer(&format!("/Config/Healthcheck/{name}"));
        set.and_then(Value::as_u64).filter(|v| *v > 0).unwrap_or(default)
    };
    let start = Duration::from_nanos(field("StartPeriod", 0));
    let interval = Duration::from_nanos(field("Interval", 30_000_000_000));
    let timeout = Duration::from_nanos(field("Timeout", 30_000_000_000));
    let probes = u32::try_from(field("Retries", 3)).unwrap_or(u32::MAX).saturating_add(1);
    let longest = start.saturating_add(interval.saturating_add(timeout).saturating_mul(probes));
    longest.clamp(VERDICT.0, VERDICT.1)
}

async fn unfit(engine: &Engine, container: &Target, what: &str) -> Failure {
    let quote = match last_lines(engine, &container.id).await {
        Ok(lines) if lines.trim().is_empty() => String::new(),
        Ok(lines) => format!("; its last lines: {}", lines.trim_end().replace('\n', " | ")),
        Err(error) => {
            tracing::warn!(%error, "the successor's log cannot be read");
            String::new()
        }
    };
    Failure::Conflict(format!("the new container {what}{quote}"))
}

async fn last_lines(engine: &Engine, id: &str) -> Result<String, Failure> {
    let docker = engine.docker(WAIT).await?;
    let options = LogsOptions {
        stdout: true,
        stderr: true,
        tail: LINES.to_owned(),
        ..LogsOptions::default()
    };
    let mut stream = docker.logs(id, Some(options));
    let mut raw = Vec::new();
    let reading = async {
        while let Some(frame) = stream.next().await {
            let frame = frame.map_err(|e| Failure::engine("read its log", &e))?;
            raw.extend_from_slice(frame.as_ref());
            if raw.len() > QUOTE_MAX {
                raw.truncate(QUOTE_MAX);
                break;
            }
        }
        Ok::<(), Failure>(())
    };
    match tokio::time::timeout(WAIT, reading).await {
        Ok(result) => result?,
        Err(_) => return Err(Failure::Timeout("reading its log took too long".to_owned())),
    }
    Ok(mcp_kit::text::lines(&raw))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_verdict_takes_as_long_as_the_check_is_set_to() {
        let check = |fields: Value| json!({"Config": {"Healthcheck": fields}});
        let second = 1_000_000_000_u64;
        let cases = [
            (json!({"Interval": second, "Timeout": second, "Retries": 1}), 30),
            (json!({}), 240),
            (json!({"StartPeriod": 60 * second}), 300),
            (json!({"Interval": 900 * second}), 600),
        ];
        for (fields, seconds) in cases {
            assert_eq!(longest_verdict(&check(fields.clone())).as_secs(), seconds, "{fields}");
        }
        assert!(has_check(&check(json!({"Test": ["CMD", "true"]}))));
        assert!(!has_check(&check(json!({"Test": ["NONE"]}))));
        assert!(!has_check(&json!({"Config": {}})));
    }
}
