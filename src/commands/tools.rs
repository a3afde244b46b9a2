//! `tools`: what the MCP servers offer, one call by hand, and confirming a server's command.

use std::io::{BufRead as _, IsTerminal as _, Read as _};
use std::process::ExitCode;
use std::sync::Arc;

use color_eyre::eyre::{Report, WrapErr as _, bail};
use jiff::Timestamp;
use sentinel_core::domain::audit::{AuditAction, AuditRecord};
use sentinel_core::domain::ids::IncidentId;
use sentinel_core::domain::plan::Actor;
use sentinel_core::domain::snapshot::Mode;
use sentinel_core::domain::tool::is_read;
use sentinel_core::domain::tool::{Tool, ToolCall, ToolResult};
use sentinel_core::redact;
use sentinel_core::redact::secrets::MASK;
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::app::{AppError, remediator};
use crate::cli::ToolsVerb;
use crate::commands::{FAILED, out};
use crate::config::Settings;
use crate::config::engine::resolve;
use crate::ports::{Remediator, Store as _};
use crate::remediate::catalog;
use crate::remediate::remediator::McpRemediator;
use crate::remediate::trust::Trust;
use crate::store::sqlite::SqliteStore;

/// Stands for the incident in the record of a call that belongs to none.
const BY_HAND: &str = "by-hand";
/// Bytes of a name that are repeated.
const SHOWN: usize = 256;
/// Bytes of a text that are recorded.
const RECORDED: usize = 4096;

/// Lists the tools or calls one.
pub async fn run(mut settings: Settings, verb: ToolsVerb) -> Result<ExitCode, Report> {
    if let ToolsVerb::Trust { name, yes } = &verb {
        return trust(&settings, name, *yes);
    }
    if let ToolsVerb::Call { read_only, all, .. } = &verb {
        if *read_only {
            settings.mode = Mode::ReadOnly;
        }
        settings.watch_all |= *all;
    }
    let endpoint = match resolve(settings.host.as_deref(), &settings.environment) {
        Ok(endpoint) => Some(endpoint),
        // Whoever serves behind a gateway has an engine of their own.
        Err(_) if settings.gateway.is_some() => None,
        Err(error) => return Err(AppError::NoEngine(error).into()),
    };
    let servers = Arc::new(remediator(&settings, endpoint.as_ref())?);
    let stop = CancellationToken::new();
    let (words, mut heard) = mpsc::channel(64);
    let running = tokio::spawn({
        let (servers, stop) = (Arc::clone(&servers), stop.clone());
        async move { servers.run(words, stop).await }
    });
    // The words are for front ends; whoever runs one verb wants the answer to it alone.
    let draining = tokio::spawn(async move { while heard.recv().await.is_some() {} });
    for problem in servers.settled().await {
        out::note(&problem);
    }
    let outcome = match verb {
        ToolsVerb::List { json } => list(&servers.tools(), json),
        ToolsVerb::Call { name, arguments, .. } => {
            call(&settings, &servers, name, &arguments).await
        }
        ToolsVerb::Trust { .. } => Ok(ExitCode::SUCCESS),
    };
    stop.cancel();
    running.await.wrap_err("the MCP client did not end cleanly")?;
    draining.await.wrap_err("the MCP client did not end cleanly")?;
    outcome
}

/// Shows the command of a server and takes down that it may be started.
fn trust(settings: &Settings, name: &str, yes: bool) -> Result<ExitCode, Report> {
    let specs = catalog::read(settings.catalog.as_deref(), &std::env::current_exe()?)
        .map_err(AppError::Catalog)?;
    let Some(spec) = specs.iter().find(|spec| spec.name == name) else {
        let names: Vec<&str> = specs.iter().map(|spec| spec.name.as_str()).collect();
        bail!("the catalogue has no server {name}; it has {}", names.join(", "));
    };
    let Some(asked) = spec.confirmation() else {
        out::note(&format!("{name} needs no confirmation: it is not started as a container"));
        return Ok(ExitCode::SUCCESS);
    };
    let trust = Trust::new(&settings.state_dir);
    let before = trust.holds(&asked).map_err(Report::msg)?;
    out::lines([asked.line.clone()])?;
    if before {
        out::note(&format!("{name}: this command is confirmed already"));
        return Ok(ExitCode::SUCCESS);
    }
    if !yes {
        if !std::io::stdin().is_terminal() {
            bail!("nothing was confirmed: look at the command and say --yes");
        }
        out::note(&format!("{name} would be started by this command. Confirm it? [y/N]"));
        let mut answer = String::new();
        std::io::stdin().lock().take(16).read_line(&mut answer)?;
        if !matches!(answer.trim(), "y" | "Y" | "yes") {
            bail!("nothing was confirmed");
        }
    }
    trust.confirm(&asked, &settings.operator).map_err(Report::msg)?;
    out::note(&format!("{name}: confirmed; any other command of it has to be confirmed again"));
    Ok(ExitCode::SUCCESS)
}

fn list(tools: &[Tool], json: bool) -> Result<ExitCode, Report> {
    if json {
        return out::lines(tools.iter().map(serde_json::to_string).collect::<Result<Vec<_>, _>>()?);
    }
    out::lines(tools.iter().map(|tool| {
        let hint = match tool.hints.read_only {
            Some(true) => "reads",
            _ => "changes",
        };
        let first = tool.description.lines().next().unwrap_or_default();
        format!("{:<20} {:<16} {hint:<8} {first}", tool.name, tool.server)
    }))
}

/// A call as the record has it. What a person typed is text from outside, too: a secret in it is
/// sent and not kept.
fn on_paper(call: &ToolCall) -> ToolCall {
    let arguments = call.arguments.iter().map(|(key, value)| kept(key, value));
    ToolCall { tool: redact::clean(call.tool.as_bytes(), SHOWN), arguments: arguments.collect() }
}

/// A value under its name: the name, the value itself, or the words before it may say secret.
fn kept(key: &str, value: &Value) -> (String, Value) {
    let kept = match value {
        Value::String(text) => {
            let line = redact::clean(format!("{key}={text}").as_bytes(), RECORDED);
            Value::String(line.split_once('=').map_or(MASK, |(_, value)| value).to_owned())
        }
        Value::Object(all) => Value::Object(all.iter().map(|(k, v)| kept(k, v)).collect()),
        Value::Array(all) => match all.iter().map(Value::as_str).collect::<Option<Vec<_>>>() {
            Some(words) => redact::clean_args(&words, RECORDED).into(),
            None => Value::Array(all.iter().map(|v| kept("", v).1).collect()),
        },
        other => other.clone(),
    };
    (redact::clean(key.as_bytes(), SHOWN), kept)
}

/// What may change something is on record before and after, whoever asks for it.
async fn on_record(
    settings: &Settings,
    servers: &McpRemediator,
    call: ToolCall,
) -> Result<(ToolResult, Value), Report> {
    let store = SqliteStore::open(&settings.state_dir).map_err(AppError::Store)?;
    let target = call.arguments.get("container_name").and_then(Value::as_str).unwrap_or_default();
    let mut record = AuditRecord {
        at: Timestamp::now(),
        actor: Actor::Person(settings.operator.clone()),
        action: AuditAction::Applying,
        incident: IncidentId(BY_HAND.to_owned()),
        fix: None,
        target: redact::clean(target.as_bytes(), RECORDED),
        target_id: String::new(),
        call: Some(on_paper(&call)),
        reason: "asked for on the command line".to_owned(),
        plan_sha256: None,
        result: None,
    };
    store.audit(record.clone()).await?;
    let outcome = servers.call(call).await;
    record.at = Timestamp::now();
    record.action = match &outcome {
        Ok((result, _)) if result.ok => AuditAction::Applied,
        _ => AuditAction::Failed,
    };
    record.result = Some(match &outcome {
        Ok((result, _)) => result.clone(),
        Err(error) => ToolResult { ok: false, message: error.to_string(), duration_ms: 0 },
    });
    store.audit(record).await?;
    Ok(outcome?)
}

/// What a changing tool is answered with in read-only mode, in the form of our own servers.
fn refused(tool: &str) -> Value {
    let shown = redact::clean(tool.as_bytes(), SHOWN);
    json!({
        "success": false,
        "code": "read_only",
        "tool": shown,
        "error": format!(
            "{shown} is not known to change nothing, and nothing may be changed: call it without --read-only"
        ),
    })
}

async fn call(
    settings: &Settings,
    servers: &McpRemediator,
    name: String,
    arguments: &str,
) -> Result<ExitCode, Report> {
    let parsed: Value = serde_json::from_str(arguments)
        .wrap_err("the arguments are no JSON; write them like '{\"container_name\":\"api\"}'")?;
    let Value::Object(arguments) = parsed else {
        bail!("the arguments must be a JSON object, like '{{\"container_name\":\"api\"}}'");
    };
    let call = ToolCall { tool: name, arguments };
    // Our own servers refuse it themselves; another one may not know what read-only means.
    if settings.mode == Mode::ReadOnly && !is_read(&call.tool) {
        out::lines([serde_json::to_string_pretty(&refused(&call.tool))?])?;
        return Ok(ExitCode::from(FAILED));
    }
    let (result, structured) = if is_read(&call.tool) {
        servers.call(call).await?
    } else {
        on_record(settings, servers, call).await?
    };
    out::lines([serde_json::to_string_pretty(&structured)?])?;
    Ok(if result.ok { ExitCode::SUCCESS } else { ExitCode::from(FAILED) })
}
