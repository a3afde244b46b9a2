//! Our client before a gateway like Docker's.

use std::sync::Arc;
use std::time::Duration;

use sentinel_core::domain::signal::Signal;
use sentinel_core::domain::tool::ToolCall;
use sentinel_tui::config::gateway::GatewaySettings;
use sentinel_tui::ports::Remediator as _;
use sentinel_tui::remediate::remediator::{McpRemediator, McpSettings};
use sentinel_tui::remediate::timeouts::Timeouts;
use serde_json::json;
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::client::http_client;
use crate::program::{Place, TOKEN};
use crate::upstream::Upstream;
use crate::{Fallible, LONG, until};

/// What the built-in catalogue documents.
const OURS: &[&str] = &[
    "restart_container",
    "start_container",
    "stop_container",
    "pause_container",
    "unpause_container",
    "connect_network",
    "disconnect_network",
    "list_containers",
    "inspect_container",
    "top",
    "stats_snapshot",
    "set_restart_policy",
    "health_check",
    "update_resources",
    "get_logs",
    "exec_command",
    "run_probe",
    "update_env_vars",
    "rollback_container",
];

/// Arguments with what looks like a token of GitHub.
const SECRET: &str =
    r#"{"container_name":"api","env_updates":{"T":"ghp_0123456789012345678901234567890123456"}}"#;

/// What Docker's gateway adds of its own.
const MANAGEMENT: &[&str] =
    &["code-mode", "mcp-activate-profile", "mcp-add", "mcp-exec", "mcp-find", "mcp-remove"];

fn all() -> Vec<&'static str> {
    MANAGEMENT.iter().chain(OURS).copied().collect()
}

async fn place(token: Option<&str>, tools: &[&'static str]) -> Fallible<(Upstream, Place)> {
    let upstream = Upstream::start(token, tools).await?;
    let place = Place::new()?.with("MCP_GATEWAY_URL", &upstream.url);
    Ok((upstream, place))
}

/// Runs a verb beside the gateway that is played in this process.
async fn run(
    place: &Arc<Place>,
    arguments: &'static [&'static str],
) -> Fallible<crate::program::Ran> {
    let place = Arc::clone(place);
    tokio::task::spawn_blocking(move || place.run(arguments)).await?
}

#[tokio::test(flavor = "multi_thread")]
async fn only_what_the_catalogue_documents_is_taken_and_what_is_missing_is_told() -> Fallible {
    let (upstream, place) = place(Some(TOKEN), &all()).await?;
    let place = Arc::new(place.with("MCP_GATEWAY_AUTH_TOKEN", TOKEN));
    let listed = run(&place, &["tools", "list"]).await?;
    assert_eq!(listed.status, 0, "{listed:?}");
    assert_eq!(listed.err, "");
    let mut names: Vec<&str> =
        listed.out.lines().filter_map(|line| line.split_whitespace().next()).collect();
    names.sort_unstable();
    let mut expected = OURS.to_vec();
    expected.sort_unstable();
    assert_eq!(names, expected);

    // Known by name or not: what is not in the catalogue is not called.
    let called =
        run(&place, &["tools", "call", "mcp-exec", r#"{"name":"stop_container"}"#]).await?;
    assert_eq!(called.status, 1);
    assert!(called.err.contains("no MCP server offers the tool mcp-exec"), "{called:?}");
    assert_eq!(upstream.seen().calls, Vec::<String>::new());

    upstream.seen().tools.retain(|tool| *tool != "restart_container" && *tool != "top");
    let listed = run(&place, &["tools", "list"]).await?;
    assert!(
        listed.err.contains("gateway: it does not offer restart_container, top,"),
        "{listed:?}"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_says_which_variable_to_set() -> Fallible {
    let (_upstream, without) = place(Some(TOKEN), OURS).await?;
    let listed = run(&Arc::new(without), &["tools", "list"]).await?;
    assert!(listed.err.contains("asks for a token; set MCP_GATEWAY_AUTH_TOKEN"), "{listed:?}");
    let (_other, wrong) = place(Some(TOKEN), OURS).await?;
    let wrong = Arc::new(wrong.with("MCP_GATEWAY_AUTH_TOKEN", "hunter2hunter2hunter2"));
    let listed = run(&wrong, &["tools", "list"]).await?;
    assert!(
        listed.err.contains("refuses the token that is set; set MCP_GATEWAY_AUTH_TOKEN"),
        "{listed:?}"
    );
    assert!(!listed.err.contains("hunter2"), "{listed:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_blocked_secret_is_told_as_a_block_of_the_gateway() -> Fallible {
    let (upstream, place) = place(None, OURS).await?;
    let place = Arc::new(place);
    let done =
        run(&place, &["tools", "call", "restart_container", r#"{"container_name":"api"}"#]).await?;
    assert_eq!(
        (done.status, done.json()?["message"].as_str()),
        (0, Some("restart_container done"))
    );

    let blocked = run(&place, &["tools", "call", "update_env_vars", SECRET]).await?;
    assert_eq!(blocked.status, 1, "{blocked:?}");
    let said = blocked.json()?["error"].to_string();
    assert!(
        said.contains("the gateway's policy blocked the call, and nothing was called"),
        "{said}"
    );
    assert!(said.contains("a secret is being passed to tool update_env_vars"), "{said}");

    let withheld =
        run(&place, &["tools", "call", "get_logs", r#"{"container_name":"api"}"#]).await?;
    assert_eq!(withheld.status, 1);
    let said = withheld.json()?["error"].to_string();
    assert!(
        said.contains("policy withheld the answer") && said.contains("the tool did run"),
        "{said}"
    );
    assert_eq!(upstream.seen().calls.len(), 2);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_gateway_there_is_a_word_and_no_crash() -> Fallible {
    let (upstream, place) = place(None, OURS).await?;
    drop(upstream);
    let place = Arc::new(place);
    let listed = run(&place, &["tools", "list"]).await?;
    assert_eq!(listed.status, 0);
    assert!(
        listed.err.contains("cannot be reached") && listed.err.contains("is it running?"),
        "{listed:?}"
    );
    Ok(())
}

/// A client in this process: over time, with short bounds.
struct Long {
    remediator: Arc<McpRemediator>,
    signals: mpsc::Receiver<Signal>,
    stop: CancellationToken,
    _folder: tempfile::TempDir,
}

impl Drop for Long {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

impl Long {
    fn start(url: &str, timeouts: Timeouts) -> Fallible<Self> {
        drop(http_client()?);
        let folder = tempfile::tempdir()?;
        let settings = McpSettings { executable: "/nowhere".into(), ..McpSettings::default() };
        let remediator = McpRemediator::new(settings)?
            .with_timeouts(timeouts)
            .through(&GatewaySettings::new(url, Some(TOKEN))?);
        let remediator = Arc::new(remediator);
        let (out, signals) = mpsc::channel(256);
        let stop = CancellationToken::new();
        let (runner, token) = (Arc::clone(&remediator), stop.clone());
        tokio::spawn(async move { runner.run(out, token).await });
        Ok(Self { remediator, signals, stop, _folder: folder })
    }

    async fn signal(&mut self, what: &str, fits: impl Fn(&Signal) -> bool) -> Fallible<Signal> {
        timeout(LONG, async {
            while let Some(signal) = self.signals.recv().await {
                if fits(&signal) {
                    return Ok(signal);
                }
            }
            Err(format!("the signals ended before: {what}").into())
        })
        .await
        .map_err(|_| format!("no signal: {what}"))?
    }

    async fn restart(&self) -> Fallible<(bool, String)> {
        let call = ToolCall::new("restart_container", [("container_name", json!("api"))]);
        let (result, _) = self.remediator.call(call).await?;
        Ok((result.ok, result.message))
    }
}

fn short() -> Timeouts {
    Timeouts {
        check: Duration::from_millis(100),
        patience: Duration::from_secs(20),
        ..Timeouts::default()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forgotten_session_is_opened_again_without_a_call_made_twice() -> Fallible {
    let upstream = Upstream::start(Some(TOKEN), OURS).await?;
    let mut long = Long::start(&upstream.url, Timeouts::default())?;
    long.signal("tools", |s| matches!(s, Signal::Tools { tools } if tools.len() == OURS.len()))
        .await?;
    assert_eq!(long.restart().await?, (true, "restart_container done".to_owned()));
    upstream.seen().sessions.clear();
    assert_eq!(long.restart().await?, (true, "restart_container done".to_owned()));
    let seen = upstream.seen();
    assert!(seen.opened >= 2, "{}", seen.opened);
    assert_eq!(seen.calls.len(), 2, "{:?}", seen.calls);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_that_goes_is_told_and_found_again() -> Fallible {
    let upstream = Upstream::start(Some(TOKEN), OURS).await?;
    let mut long = Long::start(&upstream.url, short())?;
    long.signal("tools", |s| matches!(s, Signal::Tools { tools } if !tools.is_empty())).await?;
    let seen = {
        let again = upstream.restart().await?;
        // A restart alone is no event: it is a forgotten session.
        assert!(long.restart().await?.0);
        again
    };
    let url = seen.url.clone();
    drop(seen);
    let gone = long.signal("a word", |s| matches!(s, Signal::Degraded { .. })).await?;
    let text = format!("{gone:?}");
    assert!(text.contains("does not answer") || text.contains("cannot be reached"), "{text}");
    let address = url.trim_start_matches("http://").to_owned();
    let back = Upstream::again(&address, Some(TOKEN), OURS).await?;
    long.signal("recovered", |s| matches!(s, Signal::Recovered { .. })).await?;
    assert!(long.restart().await?.0);
    drop(back);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_without_an_answer_ends_and_is_called_off() -> Fallible {
    let upstream = Upstream::start(Some(TOKEN), OURS).await?;
    let timeouts = Timeouts { call: Duration::from_millis(500), ..Timeouts::default() };
    let long = Long::start(&upstream.url, timeouts)?;
    let call = ToolCall::new("top", [("container_name", json!("api"))]);
    let (result, _) = timeout(LONG, long.remediator.call(call)).await??;
    assert!(!result.ok && result.message.starts_with("no answer within 0.5 s"), "{result:?}");
    assert!(result.message.contains("outcome not known"), "{result:?}");
    until("it was called off", || upstream.seen().calls.iter().any(|c| c == "called off")).await?;
    assert_eq!(upstream.seen().calls.iter().filter(|c| c.starts_with("top")).count(), 1);
    Ok(())
}
