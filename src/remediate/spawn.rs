//! A server's process: cleared environment, its own process group, standard error into the log.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use process_wrap::tokio::{CommandWrap, ProcessGroup};
use rmcp::transport::TokioChildProcess;
use sentinel_core::redact;
use tokio::io::{AsyncBufReadExt as _, AsyncRead, AsyncReadExt as _, BufReader};
use tokio::process::Command;
use tokio::time::Instant;

/// Bytes of one line of standard error that are kept.
const LINE: usize = 2048;
/// Lines of standard error that are kept within [`WINDOW`]; more are counted only.
const LINES: u32 = 200;
/// See [`LINES`].
const WINDOW: Duration = Duration::from_secs(10);

/// The variables that a server sees: those in `names`, out of `environment`, and everything in
/// `pass`.
pub(crate) fn variables(
    names: &[String],
    environment: &BTreeMap<String, String>,
    pass: &BTreeMap<String, String>,
) -> BTreeMap<String, String> {
    names
        .iter()
        .filter_map(|name| Some((name.clone(), environment.get(name)?.clone())))
        .chain(pass.clone())
        .collect()
}

/// Starts the process of the server `name`. `path` is where a program without a slash is looked
/// for (`PATH`).
pub(crate) fn spawn(
    name: &str,
    words: &[String],
    variables: &BTreeMap<String, String>,
    path: Option<&str>,
) -> Result<TokioChildProcess, String> {
    let (program, arguments) = words.split_first().ok_or_else(|| "its exec is empty".to_owned())?;
    // Resolved here: with a cleared environment the child has no PATH to look in.
    let program = resolve(program, path)?;
    let mut command = Command::new(&program);
    command.args(arguments).env_clear().envs(variables).kill_on_drop(true);
    let mut wrap = CommandWrap::from(command);
    // Ctrl-C in the terminal is meant for us; we end our servers in order.
    wrap.wrap(ProcessGroup::leader());
    let (process, stderr) = TokioChildProcess::builder(wrap)
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|e| format!("cannot start {program}: {e}"))?;
    if let Some(stderr) = stderr {
        // Ends by itself when the process and what it started have closed the pipe.
        tokio::spawn(drain(name.to_owned(), stderr));
    }
    Ok(process)
}

fn resolve(program: &str, path: Option<&str>) -> Result<String, String> {
    if program.contains('/') {
        return Ok(program.to_owned());
    }
    path.unwrap_or_default()
        .split(':')
        .filter(|folder| folder.starts_with('/'))
        .map(|folder| format!("{folder}/{program}"))
        .find(|candidate| Path::new(candidate).is_file())
        .ok_or_else(|| format!("there is no program {program} in PATH; write its full path"))
}

/// Writes a server's standard error into the log: bounded lines, a bounded number of them, so
/// that a chatty server can fill neither memory nor the log.
async fn drain(server: String, stderr: impl AsyncRead + Unpin) {
    let mut reader = BufReader::new(stderr);
    let mut began = Instant::now();
    let mut lines = 0u32;
    let mut dropped = 0u64;
    let mut line = Vec::new();
    loop {
        line.clear();
        let room = u64::try_from(LINE).unwrap_or(u64::MAX);
        // A longer line goes on in the next round, as a line of its own.
        match (&mut reader).take(room).read_until(b'\n', &mut line).await {
            Ok(0) => break,
            Ok(_) => {}
            Err(error) => {
                tracing::debug!("MCP server {server}: its standard error broke off: {error}");
                break;
            }
        }
        if began.elapsed() >= WINDOW {
            if dropped > 0 {
                tracing::info!("MCP server {server}: {dropped} more lines were dropped");
            }
            (began, lines, dropped) = (Instant::now(), 0, 0);
        }
        lines += 1;
        if lines > LINES {
            dropped += 1;
            continue;
        }
        let text = redact::clean(line.trim_ascii_end(), LINE);
        if !text.is_empty() {
            tracing::info!("MCP server {server}: {text}");
        }
    }
    if dropped > 0 {
        tracing::info!("MCP server {server}: {dropped} more lines were dropped");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_sees_what_is_named_for_it_and_what_is_passed() {
        let names = ["SEEN", "ABSENT", "BOTH"].map(str::to_owned);
        let map = |pairs: &[(&str, &str)]| {
            pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect()
        };
        let environment = map(&[("SEEN", "1"), ("SECRET", "2"), ("BOTH", "ours")]);
        let pass = map(&[("DOCKER_HOST", "unix:///x"), ("BOTH", "passed")]);
        assert_eq!(
            variables(&names, &environment, &pass),
            map(&[("SEEN", "1"), ("DOCKER_HOST", "unix:///x"), ("BOTH", "passed")])
        );
    }

    #[test]
    fn programs_are_looked_up_in_absolute_folders_only() {
        assert_eq!(resolve("/x/y", None).unwrap(), "/x/y");
        assert_eq!(resolve("sh", Some("relative:/nowhere:/bin")).unwrap(), "/bin/sh");
        assert!(resolve("sh", None).unwrap_err().contains("in PATH"));
        assert!(resolve("sh", Some(".:")).is_err());
    }
}
