//! The tools that the official conformance suite of MCP calls, over standard input and output: behind
//! our gateway they show what goes through it. See `scripts/interop/conformance.sh`.

use std::sync::Arc;
use std::time::Duration;

use rmcp::model::{
    CallToolRequestParams, CallToolResponse, CallToolResult, InputRequests, InputRequiredResult,
    ListToolsResult, PaginatedRequestParams, ProgressNotificationParam, ServerCapabilities,
    ServerConfig, Tool,
};
use rmcp::service::RequestContext;
use rmcp::{ErrorData, RoleServer, ServerHandler, ServiceExt as _};
use serde_json::{Value, json};

/// One red dot.
const IMAGE: &str = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8/5+hHgAHggJ/PchI7wAAAABJRU5ErkJggg==";
/// Silence.
const AUDIO: &str = "UklGRiQAAABXQVZFZm10IBAAAAABAAEARKwAAIhYAQACABAAZGF0YQAAAAA=";
/// What the suite calls without arguments.
const NAMES: &[&str] = &[
    "test_simple_text",
    "test_image_content",
    "test_audio_content",
    "test_embedded_resource",
    "test_multiple_content_types",
    "test_error_handling",
    "test_tool_with_progress",
    "test_input_required_result_elicitation",
    "test_input_required_result_sampling",
    "test_input_required_result_list_roots",
    "test_input_required_result_request_state",
    "test_input_required_result_tampered_state",
    "test_input_required_result_multiple_inputs",
    "test_input_required_result_multi_round",
];

#[derive(Clone)]
struct Suite;

fn text(text: &str) -> Value {
    json!({ "type": "text", "text": text })
}

fn image() -> Value {
    json!({ "type": "image", "data": IMAGE, "mimeType": "image/png" })
}

fn resource(uri: &str, mime_type: &str, text: &str) -> Value {
    json!({ "type": "resource", "resource": { "uri": uri, "mimeType": mime_type, "text": text } })
}

/// An answer as it stands in JSON: that is what the suite is about.
fn answer(content: &[Value]) -> Result<CallToolResponse, ErrorData> {
    read::<CallToolResult>(json!({ "content": content })).map(Into::into)
}

fn read<T: serde::de::DeserializeOwned>(value: Value) -> Result<T, ErrorData> {
    serde_json::from_value(value).map_err(|e| ErrorData::internal_error(e.to_string(), None))
}

fn question(key: &str) -> (String, Value) {
    let asked = json!({ "method": "elicitation/create", "params": {
        "mode": "form", "message": format!("{key}?"), "requestedSchema": {
            "type": "object", "properties": { key: { "type": "string" } }, "required": [key],
        },
    }});
    (key.to_owned(), asked)
}

fn prompt(key: &str) -> (String, Value) {
    let asked = json!({ "method": "sampling/createMessage", "params": {
        "messages": [{ "role": "user", "content": text("What is the capital of France?") }],
        "maxTokens": 100,
    }});
    (key.to_owned(), asked)
}

fn roots(key: &str) -> (String, Value) {
    (key.to_owned(), json!({ "method": "roots/list" }))
}

fn ask(
    questions: impl IntoIterator<Item = (String, Value)>,
    state: Option<&str>,
) -> Result<CallToolResponse, ErrorData> {
    let questions: InputRequests =
        read(Value::Object(questions.into_iter().collect::<serde_json::Map<_, _>>()))?;
    Ok(InputRequiredResult::new(Some(questions), state.map(str::to_owned)).into())
}

/// Tools that need to be answered before they answer.
fn in_rounds(call: &CallToolRequestParams) -> Result<CallToolResponse, ErrorData> {
    // What is no object is no answer.
    let given = |key: &str| {
        call.input_responses.as_ref().and_then(|all| all.get(key)).is_some_and(Value::is_object)
    };
    let done = || answer(&[text("done")]);
    let state = call.request_state.as_deref();
    let tampered = || ErrorData::invalid_params("this is no state of mine", None);
    match call.name.trim_start_matches("test_input_required_result_") {
        "elicitation" if given("user_name") => done(),
        "elicitation" => ask([question("user_name")], None),
        "sampling" if given("capital_question") => done(),
        "sampling" => ask([prompt("capital_question")], None),
        "list_roots" if given("client_roots") => done(),
        "list_roots" => ask([roots("client_roots")], None),
        "request_state" | "tampered_state" => match state {
            None => ask([question("confirm")], Some("state-to-confirm")),
            Some("state-to-confirm") => answer(&[text("state-ok")]),
            Some(_) => Err(tampered()),
        },
        "multiple_inputs" if given("user_name") && given("greeting") && given("client_roots") => {
            if state == Some("state-to-gather") {
                done()
            } else {
                Err(tampered())
            }
        }
        "multiple_inputs" => ask(
            [question("user_name"), prompt("greeting"), roots("client_roots")],
            Some("state-to-gather"),
        ),
        _ => match state {
            None => ask([question("step1")], Some("state-of-round-1")),
            Some("state-of-round-1") => ask([question("step2")], Some("state-of-round-2")),
            Some("state-of-round-2") => done(),
            Some(_) => Err(tampered()),
        },
    }
}

impl ServerHandler for Suite {
    fn get_info(&self) -> ServerConfig {
        ServerConfig::new(ServerCapabilities::builder().enable_tools().build())
    }

    async fn list_tools(
        &self,
        _request: Option<PaginatedRequestParams>,
        _context: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        let tool = |name: &str, schema: &Value| {
            let schema = schema.as_object().cloned().unwrap_or_default();
            Tool::new(name.to_owned(), "For the conformance suite.", Arc::new(schema))
        };
        let mut all: Vec<Tool> =
            NAMES.iter().map(|name| tool(name, &json!({ "type": "object" }))).collect();
        all.push(tool(
            "test_custom_headers",
            &json!({
                "type": "object",
                "properties": { "region": { "type": "string", "x-mcp-header": "Region" } },
                "required": ["region"],
            }),
        ));
        Ok(ListToolsResult::with_all_items(all))
    }

    async fn call_tool(
        &self,
        call: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        match call.name.as_ref() {
            "test_simple_text" => answer(&[text("This is a simple text response for testing.")]),
            "test_image_content" => answer(&[image()]),
            "test_audio_content" => {
                answer(&[json!({ "type": "audio", "data": AUDIO, "mimeType": "audio/wav" })])
            }
            "test_embedded_resource" => answer(&[resource(
                "test://embedded-resource",
                "text/plain",
                "This is an embedded resource content.",
            )]),
            "test_multiple_content_types" => answer(&[
                text("Multiple content types test:"),
                image(),
                resource(
                    "test://mixed-content-resource",
                    "application/json",
                    r#"{"test":"data","value":123}"#,
                ),
            ]),
            "test_error_handling" => {
                let said = [text("This tool intentionally returns an error for testing")];
                read::<CallToolResult>(json!({ "content": said, "isError": true })).map(Into::into)
            }
            "test_tool_with_progress" => {
                for step in [0, 50, 100] {
                    if let Some(token) = context.meta.get_progress_token() {
                        let news = ProgressNotificationParam::new(token, f64::from(step))
                            .with_total(100.0);
                        context
                            .peer
                            .notify_progress(news)
                            .await
                            .map_err(|e| ErrorData::internal_error(e.to_string(), None))?;
                    }
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
                answer(&[text("It is done.")])
            }
            "test_custom_headers" => answer(&[text("The header fits.")]),
            _ => in_rounds(&call),
        }
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    Suite.serve(rmcp::transport::stdio()).await?.waiting().await?;
    Ok(())
}
