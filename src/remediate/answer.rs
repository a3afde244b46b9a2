//! What a tool answered, made safe to keep: secrets and control characters out, size bounded.

use rmcp::model::CallToolResult;
use sentinel_core::redact::secrets::mark;
use sentinel_core::redact::{self, CUT_MARK};
use serde_json::{Map, Value, json};

/// Bytes of a message that are kept.
const MESSAGE: usize = 2048;
/// Bytes of text in a whole answer that are kept.
const TOTAL: usize = 1024 * 1024;

/// Whether the tool says that it worked, what it says, and the answer as data.
pub(crate) struct Answer {
    /// False on `isError` and on a structured `success: false`.
    pub(crate) ok: bool,
    /// One line.
    pub(crate) message: String,
    /// Structured content, or what stands in for it.
    pub(crate) value: Value,
}

/// Reads an answer.
pub(crate) fn read(result: CallToolResult) -> Answer {
    let texts: Vec<String> =
        result.content.iter().filter_map(|c| Some(c.as_text()?.text.clone())).collect();
    let raw = result.structured_content.unwrap_or_else(|| match texts.as_slice() {
        // Servers from before structured content write the same as text.
        [one] => match serde_json::from_str::<Value>(one) {
            Ok(object @ Value::Object(_)) => object,
            _ => json!({ "text": one }),
        },
        several => json!({ "text": several }),
    });
    let ok = result.is_error != Some(true) && raw.get("success") != Some(&Value::Bool(false));
    let said = |key: &str| raw.get(key).and_then(Value::as_str).filter(|text| !text.is_empty());
    let named = if ok { said("message") } else { said("error").or_else(|| said("message")) };
    let message = match named {
        Some(text) => text.to_owned(),
        None if ok && !raw.get("text").is_some_and(Value::is_string) => "done".to_owned(),
        None => texts.first().cloned().filter(|t| !t.is_empty()).unwrap_or_else(|| {
            if ok { "done".to_owned() } else { "the tool failed and said nothing".to_owned() }
        }),
    };
    let mut room = TOTAL;
    Answer { ok, message: line(&message), value: safe(&raw, &mut room) }
}

/// One safe line of bounded length.
pub(crate) fn line(text: &str) -> String {
    redact::clean(text.trim().as_bytes(), MESSAGE)
}

/// Any data without secrets and control characters, bounded.
pub(crate) fn kept(value: &Value) -> Value {
    let mut room = TOTAL;
    safe(value, &mut room)
}

fn safe(value: &Value, room: &mut usize) -> Value {
    match value {
        Value::String(text) => Value::String(lines(text, room)),
        Value::Array(all) => {
            let mut kept = Vec::new();
            for one in all {
                // Counted, so that even empty elements have an end.
                *room = room.saturating_sub(1);
                if *room == 0 {
                    kept.push(Value::String(CUT_MARK.trim().to_owned()));
                    break;
                }
                kept.push(safe(one, room));
            }
            Value::Array(kept)
        }
        Value::Object(all) => {
            let mut kept = Map::new();
            for (key, value) in all {
                *room = room.saturating_sub(key.len() + 1);
                if *room == 0 {
                    break;
                }
                let value = match value {
                    Value::String(text) if redact::names_secret(key) && !text.is_empty() => {
                        Value::String(mark(text))
                    }
                    other => safe(other, room),
                };
                kept.insert(redact::clean(key.as_bytes(), 256), value);
            }
            Value::Object(kept)
        }
        other => other.clone(),
    }
}

/// Line by line: a secret is recognised within its line, and line ends are no harm inside JSON.
fn lines(text: &str, room: &mut usize) -> String {
    let mut out = String::new();
    for (i, one) in text.split('\n').enumerate() {
        if i > 0 {
            out.push('\n');
        }
        out.push_str(&redact::clean(one.as_bytes(), *room));
        *room = room.saturating_sub(one.len() + 1);
        if *room == 0 {
            break;
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use rmcp::model::ContentBlock;

    use super::*;

    fn structured(value: Value) -> CallToolResult {
        CallToolResult::structured(value)
    }

    #[test]
    fn failure_has_several_forms() {
        let mut flagged = structured(json!({"message": "no such container"}));
        flagged.is_error = Some(true);
        let cases = [
            (structured(json!({"message": "restarted"})), true, "restarted"),
            (structured(json!({"success": true})), true, "done"),
            (structured(json!({"success": false, "error": "e", "message": "m"})), false, "e"),
            (flagged, false, "no such container"),
            (CallToolResult::error(vec![ContentBlock::text("boom\nat x")]), false, "boom at x"),
            (CallToolResult::error(vec![]), false, "the tool failed and said nothing"),
            (CallToolResult::success(vec![ContentBlock::text("fine")]), true, "fine"),
            (
                CallToolResult::success(vec![ContentBlock::text(r#"{"success":false}"#)]),
                false,
                r#"{"success":false}"#,
            ),
        ];
        for (result, ok, message) in cases {
            let answer = read(result);
            assert_eq!((answer.ok, answer.message.as_str()), (ok, message));
        }
    }

    #[test]
    fn secrets_and_controls_never_get_through() {
        let answer = read(structured(json!({
            "message": "set DB_PASSWORD=hunter2\u{1b}]52;c;x\u{7}",
            "env": {"API_TOKEN": "hunter2", "PORT": "80"},
            "logs": "first\npassword: hunter2\u{1b}[2J",
            "key\u{1b}[31m": 1,
        })));
        let text = answer.value.to_string() + &answer.message;
        assert!(!text.contains("hunter2"), "{text}");
        assert!(!text.contains("\\u001b") && !text.contains('\u{1b}'), "{text}");
        assert_eq!(answer.value["logs"], "first\npassword: ***");
        assert_eq!(answer.value["env"]["PORT"], "80");
    }

    #[test]
    fn a_huge_answer_is_cut() {
        let answer = read(structured(json!({ "message": "x".repeat(10_000),
            "logs": vec!["y".repeat(1000); 5000] })));
        assert!(answer.message.len() < MESSAGE + 20);
        let length = answer.value.to_string().len();
        assert!(length < 2 * TOTAL, "{length}");
    }
}
