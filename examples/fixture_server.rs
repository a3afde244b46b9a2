//! An MCP server for `tests/remediate.rs`: tools that work, fail, take their time or die.
//!
//! Arguments: a role (`first`, `second`, `plain`, `crowd`, `behind`) and a file that gets one line
//! per call, and (`behind`) one per call that was called off.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rmcp::model::{
    CallToolRequestParams, CallToolResponse, CallToolResult, ContentBlock, Implementation,
    ListToolsResult, PaginatedRequestParams, ProgressNotificationParam, ServerCapabilities,
    ServerConfig, SubscriptionFilter, Tool,
};
use rmcp::service::{RequestContext, SubscriptionContext};
use rmcp::{ErrorData, RoleServer, ServerHandler, ServiceExt as _};
use serde_json::{Value, json};
use tokio::sync::watch;

/// Tools per page, so that there is more than one page.
const PAGE: usize = 4;

struct Fixture {
    role: String,
    log: PathBuf,
    /// Set by the tool `grow`: there is one tool more from then on.
    grown: watch::Sender<bool>,
}

impl Fixture {
    fn tools(&self) -> Vec<Tool> {
        let free = json!({ "type": "object" });
        let strict = json!({
            "type": "object",
            "properties": {
                "container_name": { "type": "string", "pattern": "^[0-9a-f]{64}$" },
                "resources": {
                    "type": "object",
                    "properties": { "memory": { "type": "string", "pattern": "^[0-9]+[kmg]$" } },
                    "additionalProperties": false,
                },
            },
            "required": ["container_name"],
            "additionalProperties": false,
        });
        let strict = if self.role == "behind" {
            json!({
                "type": "object",
                "properties": {
                    "container_name": { "type": "string", "pattern": "^[A-Za-z0-9_.-]+$" },
                    "reason": { "type": "string" },
                },
                "required": ["container_name"],
                "additionalProperties": false,
            })
        } else {
            strict
        };
        let bad = json!({ "type": 7 });
        let all: Vec<(String, &Value)> = match self.role.as_str() {
            "second" => vec![("ok".to_owned(), &free), ("extra".to_owned(), &free)],
            "plain" => ["environment", "grow"].map(|name| (name.to_owned(), &free)).into(),
            "behind" => vec![
                ("restart_container".to_owned(), &strict),
                ("steps".to_owned(), &free),
                ("slow".to_owned(), &free),
                ("die".to_owned(), &free),
                ("ok".to_owned(), &free),
                ("refuse".to_owned(), &free),
            ],
            "crowd" => (0..250).map(|i| (format!("tool_{i}"), &free)).collect(),
            _ => ["ok", "fail", "soft_fail", "slow", "die", "environment", "replace", "refuse"]
                .map(|name| (name.to_owned(), &free))
                .into_iter()
                .chain([("strict".to_owned(), &strict), ("bad".to_owned(), &bad)])
                .collect(),
        };
        let more = self.grown.borrow().then(|| ("grown".to_owned(), &free));
        all.into_iter()
            .chain(more)
            .map(|(name, schema)| {
                let schema = schema.as_object().cloned().unwrap_or_default();
                let says = format!("the \u{1b}[31m{name}\u{1b}[0m of {}", self.role);
                Tool::new(name, says, Arc::new(schema))
            })
            .collect()
    }

    fn note(&self, call: &CallToolRequestParams) -> std::io::Result<()> {
        let arguments = Value::Object(call.arguments.clone().unwrap_or_default());
        self.say(&format!("{} {} {arguments}", self.role, call.name))
    }

    fn say(&self, line: &str) -> std::io::Result<()> {
        let mut log = OpenOptions::new().append(true).create(true).open(&self.log)?;
        log.write_all(format!("{line}\n").as_bytes())
    }
}

impl ServerHandler for Fixture {
    fn get_info(&self) -> ServerConfig {
        ServerConfig::new(
            ServerCapabilities::builder().enable_tools().enable_tool_list_changed().build(),
        )
        .with_server_info(Implementation::new("fixture", "1"))
    }

    fn accepted_subscription_filter(
        &self,
        requested: &SubscriptionFilter,
    ) -> Option<SubscriptionFilter> {
        Some(requested.clone())
    }

    async fn listen(&self, context: SubscriptionContext) -> Result<(), ErrorData> {
        let mut grown = self.grown.subscribe();
        tokio::select! {
            () = context.cancelled() => return Ok(()),
            grown = grown.wait_for(|grown| *grown) => drop(grown),
        }
        context
            .sink()
            .notify_tool_list_changed()
            .await
            .map_err(|e| ErrorData::internal_error(e.to_string(), None))?;
        context.cancelled().await;
        Ok(())
    }

    async fn list_tools(
        &self,
        request: Option<PaginatedRequestParams>,
        _context: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        let from = request
            .and_then(|r| r.cursor)
            .map_or(Ok(0), |cursor| cursor.parse())
            .map_err(|_| ErrorData::invalid_params("no such page", None))?;
        let all = self.tools();
        let mut page = ListToolsResult::with_all_items(
            all.iter().skip(from).take(PAGE).cloned().collect::<Vec<_>>(),
        );
        page.next_cursor = (from + PAGE < all.len()).then(|| (from + PAGE).to_string());
        Ok(page)
    }

    async fn call_tool(
        &self,
        call: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let broken = |e: std::io::Error| ErrorData::internal_error(e.to_string(), None);
        self.note(&call).map_err(broken)?;
        let arguments = call.arguments.clone().unwrap_or_default();
        let result = match call.name.as_ref() {
            "fail" => CallToolResult::error(vec![ContentBlock::text(
                "it broke: password=hunter2 \u{1b}[2J",
            )]),
            "soft_fail" => {
                CallToolResult::structured(json!({ "success": false, "error": "it did not work" }))
            }
            "refuse" => return Err(ErrorData::invalid_params("not today", None)),
            "slow" => {
                let wait = arguments.get("ms").and_then(Value::as_u64).unwrap_or(60_000);
                tokio::select! {
                    () = tokio::time::sleep(Duration::from_millis(wait)) => {}
                    () = context.ct.cancelled(), if self.role == "behind" => {
                        self.say(&format!("{} called off", self.role)).map_err(broken)?;
                    }
                }
                CallToolResult::structured(json!({ "message": "slept" }))
            }
            "steps" => {
                for step in 1..=3 {
                    // A step takes its time.
                    tokio::time::sleep(Duration::from_millis(100)).await;
                    if let Some(token) = context.meta.get_progress_token() {
                        let news = ProgressNotificationParam::new(token, f64::from(step))
                            .with_total(3.0)
                            .with_message("one more");
                        if let Err(error) = context.peer.notify_progress(news).await {
                            return Err(ErrorData::internal_error(error.to_string(), None));
                        }
                    }
                }
                CallToolResult::structured(json!({ "message": "three steps" }))
            }
            "grow" => {
                self.grown.send_replace(true);
                CallToolResult::structured(json!({ "message": "grown" }))
            }
            "die" => std::process::exit(3),
            "environment" => {
                let names: Vec<(String, String)> = std::env::vars().collect();
                CallToolResult::structured(json!({
                    "message": "seen",
                    "variables": names.into_iter().map(|(k, v)| format!("{k} is {v}"))
                        .collect::<Vec<_>>(),
                    "pid": std::process::id(),
                }))
            }
            "replace" => CallToolResult::structured(json!({
                "message": "replaced",
                "new_container_id": arguments.get("new"),
                "started_at": arguments.get("started_at"),
            })),
            _ => CallToolResult::structured(json!({ "message": "fine" })),
        };
        Ok(result.into())
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let role = arguments.next().unwrap_or_default();
    let log = Path::new(&arguments.next().unwrap_or_default()).to_owned();
    // More than a pipe holds: whoever does not read this stops us here.
    for _ in 0..2000 {
        std::io::stderr().write_all(&[b'x'; 99])?;
        std::io::stderr().write_all(b"\n")?;
    }
    Fixture { role, log, grown: watch::Sender::new(false) }
        .serve(rmcp::transport::stdio())
        .await?
        .waiting()
        .await?;
    Ok(())
}
