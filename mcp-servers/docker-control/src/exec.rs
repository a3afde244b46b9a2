//! A command inside a container, with an end.
//!
//! The engine offers no way to end an exec'd process. Each command therefore carries a mark in
//! its environment; when its time is over, a second command looks for the mark inside the
//! container and kills what carries it, children included. Where the image has no shell, the
//! process is killed from this machine, but only if its environment there shows the same mark:
//! a number alone could be somebody else's process.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::time::{Duration, Instant};

use bollard::Docker;
use bollard::exec::{CreateExecOptions, StartExecResults};
use futures_util::StreamExt;
use mcp_kit::engine::{Engine, WAIT};
use mcp_kit::failure::Failure;
use mcp_kit::target::Target;
use serde_json::Value;

use crate::capture::Capture;
use crate::{arguments, results};

/// The most output that is kept, in bytes.
pub const OUTPUT_MAX: usize = 64 * 1024;
/// The variable that carries the mark.
const MARK: &str = "SENTINEL_EXEC_MARK";
/// Shortest and longest time that a command may have, in seconds.
const TIMEOUT: (i64, i64) = (1, 120);
/// The most elements of a command.
const ELEMENTS_MAX: usize = 256;
/// The longest command, in bytes.
const COMMAND_MAX: usize = 64 * 1024;
/// How long one sweep may take.
const SWEEP: Duration = Duration::from_secs(5);
/// How many sweeps are made: a process may fork while it is looked for.
const SWEEPS: usize = 3;
/// How often the engine is asked whether the process is gone.
const POLL: Duration = Duration::from_millis(50);

/// Kills every process whose environment holds `$1`. Only `sh` and `cat` are needed.
const SWEEPER: &str = r#"for p in /proc/[0-9]*; do
  case "$(cat "$p/environ" 2>/dev/null)" in *"$1"*) kill -9 "${p#/proc/}" 2>/dev/null ;; esac
done"#;

/// Runs a command and waits for its end or its kill.
pub async fn run(engine: &Engine, asked: arguments::Exec) -> Result<results::Exec, Failure> {
    check(&asked.command)?;
    let seconds = asked.timeout.clamp(TIMEOUT.0, TIMEOUT.1);
    let limit = Duration::from_secs(seconds.unsigned_abs());
    let target = engine
        .changeable("exec_command", &asked.container_name, asked.expect_started_at.as_deref())
        .await?;
    if !target.switch("/State/Running") || target.switch("/State/Paused") {
        return Err(Failure::Conflict(format!(
            "{} is {}; a command needs a running container",
            target.name,
            target.status()
        )));
    }
    let ran = execute(engine, &target, &asked.command, limit).await?;
    Ok(results::Exec {
        success: ran.error.is_none(),
        output: ran.output,
        exit_code: ran.exit_code,
        command: mcp_kit::text::line(&asked.command.join(" ")),
        timed_out: ran.killed.is_some(),
        killed: ran.killed,
        truncated: ran.truncated,
        duration_ms: ran.duration_ms,
        code: ran.error.as_ref().map(|_| ran.code.to_owned()),
        error: ran.error,
        container: target.name.clone(),
        container_id: target.id.clone(),
    })
}

/// What became of a command.
#[derive(Debug)]
pub(crate) struct Ran {
    /// Its output, redacted, within [`OUTPUT_MAX`].
    pub(crate) output: String,
    /// Whether the beginning of that was cut.
    pub(crate) truncated: bool,
    /// None if it was cut off.
    pub(crate) exit_code: Option<i64>,
    /// Whether it could be killed; none if it ended by itself.
    pub(crate) killed: Option<bool>,
    /// Milliseconds.
    pub(crate) duration_ms: u64,
    /// What is wrong, unless it ended with 0.
    pub(crate) error: Option<String>,
    /// The stable word for that.
    pub(crate) code: &'static str,
}

/// Runs a command in a running container; it is killed when `limit` is over. The gates are the
/// caller's.
pub(crate) async fn execute(
    engine: &Engine,
    target: &Target,
    command: &[String],
    limit: Duration,
) -> Result<Ran, Failure> {
    let seconds = limit.as_secs();
    let docker = engine.docker(WAIT).await?;
    let mark = mark();
    let began = Instant::now();
    let id = create(&docker, target, command, &mark).await?;
    let mut capture = Capture::new(OUTPUT_MAX);
    let doing = format!("run a command in {}", target.name);
    // Starting counts: a command that cannot be started must not hold the call.
    let work = follow(&docker, &id, &doing, &mut capture);
    let timed_out = match tokio::time::timeout(limit, work).await {
        Ok(result) => {
            result?;
            false
        }
        Err(_) => true,
    };
    let killed =
        if timed_out { Some(kill(engine, &docker, target, &id, &mark).await) } else { None };
    let exit_code = if timed_out { None } else { exit_code(engine, &id).await? };
    let captured = capture.finish();
    let error = match (killed, exit_code) {
        (Some(true), _) => Some(format!(
            "the command ran longer than {seconds} s in {} and was killed",
            target.name
        )),
        (Some(false), _) => Some(format!(
            "the command ran longer than {seconds} s in {} and could not be killed; it may still run",
            target.name
        )),
        (None, Some(0)) => None,
        (None, Some(code)) => {
            Some(format!("the command ended with exit code {code} in {}", target.name))
        }
        (None, None) => Some(format!("the engine gave no exit code for it in {}", target.name)),
    };
    Ok(Ran {
        output: captured.text,
        truncated: captured.dropped > 0,
        exit_code,
        killed,
        duration_ms: u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX),
        error,
        code: if timed_out { "timeout" } else { "exit_code" },
    })
}

fn check(command: &[String]) -> Result<(), Failure> {
    let wrong = |text: String| Err(Failure::Invalid(text));
    if command.first().is_none_or(|program| program.trim().is_empty()) {
        return wrong("command is empty; give the program and its arguments".to_owned());
    }
    if command.len() > ELEMENTS_MAX {
        return wrong(format!("command has {} elements; at most {ELEMENTS_MAX}", command.len()));
    }
    if command.iter().map(String::len).sum::<usize>() > COMMAND_MAX {
        return wrong(format!("command is too long; at most {COMMAND_MAX} bytes"));
    }
    if command.iter().any(|part| part.contains('\0')) {
        return wrong("command holds a NUL byte".to_owned());
    }
    Ok(())
}

/// Unguessable enough that nothing else carries it; the hasher is seeded by the system.
fn mark() -> String {
    let word = || RandomState::new().build_hasher().finish();
    format!("{:016x}{:016x}", word(), word())
}

async fn create(
    docker: &Docker,
    target: &Target,
    command: &[String],
    mark: &str,
) -> Result<String, Failure> {
    let options = CreateExecOptions {
        attach_stdout: Some(true),
        attach_stderr: Some(true),
        env: Some(vec![format!("{MARK}={mark}")]),
        cmd: Some(command.to_vec()),
        ..CreateExecOptions::default()
    };
    let doing = format!("run a command in {}", target.name);
    let created = docker.create_exec(&target.id, options).await;
    created.map(|exec| exec.id).map_err(|e| Failure::engine(&doing, &e))
}

async fn follow(
    docker: &Docker,
    id: &str,
    doing: &str,
    capture: &mut Capture,
) -> Result<(), Failure> {
    let started = docker.start_exec(id, None).await.map_err(|e| Failure::engine(doing, &e))?;
    if let StartExecResults::Attached { mut output, .. } = started {
        while let Some(frame) = output.next().await {
            capture.push(frame.map_err(|e| Failure::engine(doing, &e))?.as_ref());
        }
    }
    Ok(())
}

/// The exit code, once the engine has noted it: the stream may end a moment earlier.
async fn exit_code(engine: &Engine, id: &str) -> Result<Option<i64>, Failure> {
    let deadline = Instant::now() + SWEEP;
    loop {
        let state = inspect(engine, id).await?;
        let running = state.get("Running").and_then(Value::as_bool).unwrap_or_default();
        if !running || Instant::now() > deadline {
            return Ok(state.get("ExitCode").and_then(Value::as_i64).filter(|_| !running));
        }
        tokio::time::sleep(POLL).await;
    }
}

async fn inspect(engine: &Engine, id: &str) -> Result<Value, Failure> {
    engine.get(&format!("/exec/{id}/json"), "look at a command").await
}

/// Kills what carries the mark; true once the engine says that the process is gone.
async fn kill(engine: &Engine, docker: &Docker, target: &Target, id: &str, mark: &str) -> bool {
    for attempt in 0..SWEEPS {
        let sweep = sweep(docker, target, mark);
        match tokio::time::timeout(SWEEP, sweep).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(%error, attempt, "the sweep inside failed"),
            Err(_) => tracing::warn!(attempt, "the sweep inside took too long"),
        }
        if gone(engine, id).await {
            return true;
        }
    }
    if engine.endpoint().is_ok_and(|endpoint| endpoint.is_local()) {
        kill_from_here(engine, id, mark).await;
    }
    gone(engine, id).await
}

async fn sweep(docker: &Docker, target: &Target, mark: &str) -> Result<(), Failure> {
    let wanted = format!("{MARK}={mark}");
    let command = ["sh", "-c", SWEEPER, "sh", &wanted].map(str::to_owned).to_vec();
    let options = CreateExecOptions {
        attach_stdout: Some(true),
        attach_stderr: Some(true),
        cmd: Some(command),
        ..CreateExecOptions::default()
    };
    let doing = format!("end a command in {}", target.name);
    let created = docker.create_exec(&target.id, options).await;
    let id = created.map_err(|e| Failure::engine(&doing, &e))?.id;
    follow(docker, &id, &doing, &mut Capture::new(1024)).await
}

async fn gone(engine: &Engine, id: &str) -> bool {
    let deadline = Instant::now() + Duration::from_secs(1);
    while Instant::now() < deadline {
        match inspect(engine, id).await {
            Ok(state) if state.get("Running") == Some(&Value::Bool(false)) => return true,
            // The container is gone, and its processes with it.
            Err(failure) if failure.status() == Some(404) => return true,
            Ok(_) => {}
            Err(error) => tracing::warn!(%error, "cannot tell whether the command still runs"),
        }
        tokio::time::sleep(POLL).await;
    }
    false
}

/// For images without a shell, where the engine shares this machine.
async fn kill_from_here(engine: &Engine, id: &str, mark: &str) {
    let pid = match inspect(engine, id).await {
        Ok(state) => state.get("Pid").and_then(Value::as_u64).filter(|pid| *pid > 1),
        Err(error) => {
            tracing::warn!(%error, "the command's process number is not known");
            None
        }
    };
    let Some(pid) = pid else { return };
    let wanted = format!("{MARK}={mark}");
    let ours = tokio::fs::read(format!("/proc/{pid}/environ"))
        .await
        .is_ok_and(|environ| environ.split(|b| *b == 0).any(|pair| pair == wanted.as_bytes()));
    if !ours {
        tracing::warn!(pid, "this machine's process of that number is another one; left alone");
        return;
    }
    let killed = tokio::process::Command::new("kill").args(["-9", &pid.to_string()]).status().await;
    if let Err(error) = killed {
        tracing::warn!(%error, pid, "kill could not be started");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(command: &[&str]) -> Vec<String> {
        command.iter().map(|word| (*word).to_owned()).collect()
    }

    #[test]
    fn a_command_needs_a_program_and_an_end() {
        assert!(check(&words(&["ls", ""])).is_ok());
        assert!(check(&words(&[])).is_err());
        assert!(check(&words(&[" "])).is_err());
        assert!(check(&words(&["a", "b\0c"])).is_err());
        assert!(check(&vec!["x".to_owned(); ELEMENTS_MAX + 1]).is_err());
        assert!(check(&["x".to_owned(), "y".repeat(COMMAND_MAX)]).is_err());
    }

    #[test]
    fn no_two_marks_are_the_same() {
        assert_ne!(mark(), mark());
    }
}
