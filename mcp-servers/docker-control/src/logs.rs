//! The newest lines of a container's log.

use std::time::Duration;

use bollard::query_parameters::LogsOptions;
use futures_util::StreamExt;
use jiff::{SignedDuration, Timestamp};
use mcp_kit::engine::{Engine, WAIT};
use mcp_kit::failure::Failure;

use crate::capture::Capture;
use crate::{arguments, results};

/// The most that is returned, in bytes.
pub const LOGS_MAX: usize = 64 * 1024;
/// The most lines that can be asked for.
const TAIL_MAX: u32 = 5000;
/// How long reading may take.
const READING: Duration = Duration::from_secs(30);

/// Reads the newest lines, demultiplexed, redacted, at most [`LOGS_MAX`] bytes of them.
pub async fn read(engine: &Engine, asked: arguments::Logs) -> Result<results::Logs, Failure> {
    if !(1..=TAIL_MAX).contains(&asked.tail) {
        return Err(Failure::Invalid(format!(
            "tail {} is out of range; 1 to {TAIL_MAX} lines",
            asked.tail
        )));
    }
    let since = asked.since.as_deref().map(|text| moment(text, Timestamp::now())).transpose()?;
    let target = engine.watched(&asked.container_name).await?;
    let docker = engine.docker(WAIT).await?;
    let options = LogsOptions {
        stdout: true,
        stderr: true,
        tail: asked.tail.to_string(),
        since: since.unwrap_or_default(),
        ..LogsOptions::default()
    };
    let doing = format!("read the log of {}", target.name);
    let mut stream = docker.logs(&target.id, Some(options));
    let mut capture = Capture::new(LOGS_MAX);
    let reading = async {
        while let Some(frame) = stream.next().await {
            let frame = frame.map_err(|e| Failure::engine(&doing, &e))?;
            capture.push(frame.as_ref());
        }
        Ok::<(), Failure>(())
    };
    match tokio::time::timeout(READING, reading).await {
        Ok(result) => result?,
        Err(_) => {
            return Err(Failure::Timeout(format!(
                "the Docker engine did not {doing} within {} s",
                READING.as_secs()
            )));
        }
    }
    let captured = capture.finish();
    let truncated = captured.dropped > 0;
    Ok(results::Logs {
        success: true,
        returned: captured.text.lines().count() - usize::from(truncated),
        truncated,
        logs: captured.text,
        lines: asked.tail,
        container: target.name,
        container_id: target.id,
    })
}

/// A moment in seconds since 1970: RFC 3339, seconds, or an age such as `10m`.
fn moment(text: &str, now: Timestamp) -> Result<i32, Failure> {
    let wrong = || {
        Failure::Invalid(format!(
            "since {:?} is no moment; use RFC 3339, seconds since 1970, or an age such as 10m",
            mcp_kit::text::line(text)
        ))
    };
    let text = text.trim();
    let seconds = if let Ok(seconds) = text.parse::<i64>() {
        seconds
    } else if let Ok(moment) = text.parse::<Timestamp>() {
        moment.as_second()
    } else {
        let age: SignedDuration = text.parse().map_err(|_| wrong())?;
        if age.is_negative() {
            return Err(wrong());
        }
        now.as_second().saturating_sub(age.as_secs())
    };
    // The client library's own limit: 2038.
    i32::try_from(seconds).ok().filter(|s| *s >= 0).ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_has_three_forms() {
        let now: Timestamp = "2026-11-24T03:15:02Z".parse().unwrap();
        assert_eq!(moment("1764000000", now).unwrap(), 1_764_000_000);
        assert_eq!(moment("1970-01-01T00:01:00Z", now).unwrap(), 60);
        assert_eq!(i64::from(moment("10m", now).unwrap()), now.as_second() - 600);
        for bad in ["", "soon", "-5", "99999999999"] {
            assert!(moment(bad, now).is_err(), "{bad}");
        }
    }
}
