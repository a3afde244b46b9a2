//! Arguments in, schemas and results out.
//!
//! Every tool answers with one shape: its result with `success: true`, or
//! `{success: false, error, tool, code}` marked as an error. rmcp checks no schema, so arguments
//! are read here and ranges are checked by the tool itself.

use std::any::Any;
use std::sync::Arc;

use rmcp::handler::server::tool::{schema_for_input, schema_for_output};
use rmcp::model::{CallToolResult, JsonObject};
use schemars::JsonSchema;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::failure::Failure;

/// The longest reason that is taken, in bytes.
pub const REASON_MAX: usize = 1024;

/// The input schema of a tool with arguments `A`.
pub fn input_schema<A: JsonSchema + Any>() -> Arc<JsonObject> {
    match schema_for_input::<A>() {
        Ok(schema) => schema,
        Err(error) => {
            tracing::error!(error, "arguments must be an object");
            Arc::default()
        }
    }
}

/// The output schema of a tool with result `R`. Only `success` is required, and the fields of a
/// failure are named, so that a failed call fits it too.
pub fn output_schema<R: JsonSchema + Any>() -> Arc<JsonObject> {
    let mut schema = schema_for_output::<R>().as_ref().clone();
    schema.insert("required".to_owned(), json!(["success"]));
    let properties = schema.entry("properties").or_insert_with(|| json!({}));
    if let Some(properties) = properties.as_object_mut() {
        for (name, text) in [
            ("error", "On failure: what failed, on what, and what to do."),
            ("code", "On failure: a stable word for programs, such as stale or not_watched."),
            ("tool", "On failure: the tool that failed."),
        ] {
            properties
                .entry(name)
                .or_insert_with(|| json!({"type": "string", "description": text}));
        }
    }
    Arc::new(schema)
}

/// Reads the arguments, runs the tool, words the result. A result with `success: false` is
/// marked as an error and keeps its fields.
pub async fn answer<A, R, F>(
    tool: &'static str,
    arguments: JsonObject,
    run: impl FnOnce(A) -> F,
) -> CallToolResult
where
    A: DeserializeOwned,
    R: Serialize,
    F: Future<Output = Result<R, Failure>>,
{
    let arguments = match serde_json::from_value(Value::Object(arguments)) {
        Ok(arguments) => arguments,
        Err(error) => {
            let text = format!("the arguments of {tool} are wrong: {}", unquoted(&error));
            return failed(tool, &Failure::Invalid(crate::text::line(&text)));
        }
    };
    match run(arguments).await {
        Ok(result) => finished(tool, &result),
        Err(failure) => {
            tracing::warn!(tool, code = failure.code(), %failure, "refused or failed");
            failed(tool, &failure)
        }
    }
}

/// What is wrong with the arguments, without the value that was given: one in the wrong place
/// may be a secret, and quoting it helps nobody.
fn unquoted(error: &serde_json::Error) -> String {
    let text = error.to_string();
    for kind in ["invalid type: string ", "invalid value: string "] {
        // The quote may hold anything, so it ends at the last such mark.
        if let (Some(start), Some(end)) = (text.find(kind), text.rfind(", expected "))
            && let (Some(head), Some(tail)) = (text.get(..start + kind.len()), text.get(end..))
            && start < end
        {
            return format!("{}{tail}", head.trim_end());
        }
    }
    text
}

fn finished(tool: &'static str, result: &impl Serialize) -> CallToolResult {
    match serde_json::to_value(result) {
        Ok(mut value) if value.get("success") == Some(&Value::Bool(false)) => {
            if let Some(fields) = value.as_object_mut() {
                fields.entry("tool").or_insert_with(|| json!(tool));
            }
            CallToolResult::structured_error(value)
        }
        Ok(value) => CallToolResult::structured(value),
        Err(error) => {
            failed(tool, &Failure::Local(format!("the result of {tool} is no JSON: {error}")))
        }
    }
}

/// `{success: false, error, tool, code}`, marked as an error.
pub fn failed(tool: &str, failure: &Failure) -> CallToolResult {
    CallToolResult::structured_error(json!({
        "success": false,
        "error": failure.to_string(),
        "code": failure.code(),
        "tool": tool,
    }))
}

/// The reason as results repeat it.
pub fn reason(given: Option<&str>) -> String {
    match given.map(str::trim) {
        Some(text) if !text.is_empty() => sentinel_core::redact::clean(text.as_bytes(), REASON_MAX),
        _ => "No reason provided".to_owned(),
    }
}

/// Now, as results write it: RFC 3339 in UTC with milliseconds.
pub fn timestamp() -> String {
    format!("{:.3}", jiff::Timestamp::now())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Serialize, JsonSchema)]
    struct Sample {
        success: bool,
        started_at: String,
    }

    #[test]
    fn a_failure_fits_the_output_schema() {
        let schema = output_schema::<Sample>();
        assert_eq!(schema["required"], json!(["success"]));
        for field in ["success", "started_at", "error", "code", "tool"] {
            assert!(schema["properties"].get(field).is_some(), "{field}");
        }
    }

    #[tokio::test]
    async fn a_value_in_the_wrong_place_is_not_quoted() {
        #[derive(Debug, serde::Deserialize)]
        struct Asked {
            #[serde(rename = "updates")]
            _updates: std::collections::BTreeMap<String, String>,
        }
        for value in ["hunter2", "a, expected hunter2"] {
            let arguments = serde_json::from_value(json!({"updates": value})).unwrap();
            let run = |_: Asked| async { Ok(Sample { success: true, started_at: String::new() }) };
            let reply = answer("change", arguments, run).await.structured_content.unwrap();
            let text = reply["error"].as_str().unwrap();
            assert!(text.contains("string, expected a map"), "{text}");
            assert!(!text.contains("hunter2"), "{text}");
        }
    }

    #[test]
    fn a_blank_reason_is_named_as_such() {
        assert_eq!(reason(Some("  ")), "No reason provided");
        assert_eq!(reason(Some("DB_PASS=x")), "DB_PASS=***");
    }

    #[test]
    fn the_timestamp_has_milliseconds() {
        let now = timestamp();
        assert_eq!(now.len(), "2026-11-24T03:15:02.123Z".len(), "{now}");
    }
}
