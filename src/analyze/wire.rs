//! The wire format of chat completions: what is sent, strictly; what comes back, leniently, as
//! every endpoint leaves something out, or adds something, or says null.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use serde_json::{Value, json};

use crate::analyze::reply::{Ask, Call, Form, Message, ToolSpec};

/// How a JSON document is asked for, from strict to none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Way {
    /// `response_format` with the schema: the endpoint enforces it.
    Schema,
    /// `response_format` without: the endpoint enforces JSON, the instructions hold the schema.
    Object,
    /// The instructions alone.
    Plain,
}

impl Way {
    /// What is tried where this is refused.
    pub fn next(self) -> Option<Self> {
        match self {
            Self::Schema => Some(Self::Object),
            Self::Object => Some(Self::Plain),
            Self::Plain => None,
        }
    }

    /// Its name on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Schema => "json_schema",
            Self::Object => "json_object",
            Self::Plain => "plain text",
        }
    }
}

/// The body of a request.
pub fn request(ask: &Ask, model: &str, way: Way, with_usage: bool) -> Value {
    let mut messages: Vec<Value> = ask.messages.iter().map(message).collect();
    let mut body = json!({
        "model": model,
        "stream": true,
        "max_tokens": ask.max_tokens,
        "temperature": rounded(ask.temperature),
    });
    if with_usage {
        body["stream_options"] = json!({ "include_usage": true });
    }
    if !ask.tools.is_empty() {
        body["tools"] = ask.tools.iter().map(tool).collect();
    }
    if let Form::Schema { name, schema } = &ask.form {
        match way {
            Way::Schema => {
                body["response_format"] = json!({
                    "type": "json_schema",
                    "json_schema": { "name": name, "strict": true, "schema": schema },
                });
            }
            Way::Object => body["response_format"] = json!({ "type": "json_object" }),
            Way::Plain => {}
        }
        if way != Way::Schema {
            let words = format!(
                "Answer with one JSON document that is valid under this JSON schema, and with nothing else: {schema}"
            );
            // Behind our own instructions: some endpoints take none behind the conversation.
            let behind =
                ask.messages.iter().take_while(|m| matches!(m, Message::System(_))).count();
            messages.insert(behind, json!({ "role": "system", "content": words }));
        }
    }
    body["messages"] = messages.into();
    body
}

/// As somebody would write it: 0.2 and not 0.20000000298.
fn rounded(temperature: f32) -> f64 {
    (f64::from(temperature) * 1000.0).round() / 1000.0
}

fn message(message: &Message) -> Value {
    match message {
        Message::System(text) => json!({ "role": "system", "content": text }),
        Message::User(text) => json!({ "role": "user", "content": text }),
        Message::Assistant { text, calls } if calls.is_empty() => {
            json!({ "role": "assistant", "content": text })
        }
        Message::Assistant { text, calls } => json!({
            "role": "assistant",
            "content": text,
            "tool_calls": calls.iter().map(call).collect::<Vec<_>>(),
        }),
        Message::Tool { call_id, text } => {
            json!({ "role": "tool", "tool_call_id": call_id, "content": text })
        }
    }
}

fn call(call: &Call) -> Value {
    // Endpoints refuse a conversation with arguments that are no object; the answer of the tool
    // tells the model that they were none.
    let arguments = match &call.arguments {
        object @ Value::Object(_) => object.to_string(),
        _ => "{}".to_owned(),
    };
    json!({
        "id": call.id,
        "type": "function",
        "function": { "name": call.name, "arguments": arguments },
    })
}

fn tool(tool: &ToolSpec) -> Value {
    json!({
        "type": "function",
        "function": {
            "name": tool.name,
            "description": tool.description,
            "parameters": tool.parameters,
        },
    })
}

/// Anything that is not as expected is as if it were not there.
fn lenient<'de, T, D>(deserializer: D) -> Result<T, D::Error>
where
    T: DeserializeOwned + Default,
    D: Deserializer<'de>,
{
    Ok(serde_json::from_value(Value::deserialize(deserializer)?).unwrap_or_default())
}

/// One event of a stream, or a whole answer of an endpoint that does not stream.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Chunk {
    /// The model that answers.
    #[serde(deserialize_with = "lenient")]
    pub model: Option<String>,
    /// The answers: we ask for one.
    #[serde(deserialize_with = "lenient")]
    pub choices: Vec<Choice>,
    /// What it took.
    #[serde(deserialize_with = "lenient")]
    pub usage: Option<WireUsage>,
    /// What went wrong after the answer's head was sent.
    pub error: Option<Value>,
}

/// A part of an answer.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Choice {
    /// What is new.
    #[serde(deserialize_with = "lenient")]
    pub delta: Option<Delta>,
    /// All of it, where the endpoint does not stream.
    #[serde(deserialize_with = "lenient")]
    pub message: Option<Delta>,
    /// Why it ends.
    #[serde(deserialize_with = "lenient")]
    pub finish_reason: Option<String>,
    /// What went wrong with it.
    pub error: Option<Value>,
}

/// What is new. What a model thinks (`reasoning`) is no part of its answer.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Delta {
    /// Text: a string, or parts.
    #[serde(deserialize_with = "lenient")]
    pub content: Content,
    /// Pieces of calls.
    #[serde(deserialize_with = "lenient")]
    pub tool_calls: Vec<CallDelta>,
}

/// Text in one of its two forms.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub enum Content {
    /// A string.
    Text(String),
    /// Parts, of which some are text.
    Parts(Vec<Part>),
}

impl Default for Content {
    fn default() -> Self {
        Self::Text(String::new())
    }
}

impl Content {
    /// The text.
    pub fn into_text(self) -> String {
        match self {
            Self::Text(text) => text,
            Self::Parts(parts) => parts.into_iter().map(|part| part.text).collect(),
        }
    }
}

/// A part of a text.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Part {
    /// Its text.
    #[serde(deserialize_with = "lenient")]
    pub text: String,
}

/// A piece of a call.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct CallDelta {
    /// Which call it belongs to.
    #[serde(deserialize_with = "lenient")]
    pub index: Option<u64>,
    /// The call's id, mostly with its first piece only.
    #[serde(deserialize_with = "lenient")]
    pub id: Option<String>,
    /// What is called.
    #[serde(deserialize_with = "lenient")]
    pub function: FunctionDelta,
}

/// A piece of what is called.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct FunctionDelta {
    /// The tool's name, mostly with the first piece only.
    #[serde(deserialize_with = "lenient")]
    pub name: Option<String>,
    /// A piece of a JSON text; from some endpoints the object itself.
    pub arguments: Value,
}

/// What a call took.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(default)]
pub struct WireUsage {
    /// Tokens that were sent.
    #[serde(deserialize_with = "lenient")]
    pub prompt_tokens: Option<u64>,
    /// Tokens that came back.
    #[serde(deserialize_with = "lenient")]
    pub completion_tokens: Option<u64>,
    /// What it cost in USD, where the endpoint says so.
    #[serde(deserialize_with = "lenient")]
    pub cost: Option<f64>,
}

/// What an answer that is an error says: the words, and the status that it names.
pub fn error_words(body: &str) -> String {
    serde_json::from_str(body).map_or_else(|_| body.to_owned(), |value: Value| told(&value).1)
}

/// Status and words of an error in one of its forms: `{"error": {"code", "message"}}`,
/// `{"error": "…"}`, `{"message", "code"}`, `{"detail": …}`.
pub fn told(error: &Value) -> (Option<u16>, String) {
    let inner = error.get("error").filter(|e| !e.is_null()).unwrap_or(error);
    let status = [inner.get("code"), inner.get("status_code"), error.get("status_code")]
        .into_iter()
        .flatten()
        .find_map(|code| {
            let number = code.as_u64().or_else(|| code.as_str().and_then(|c| c.parse().ok()));
            number.and_then(|n| u16::try_from(n).ok()).filter(|n| (400..600).contains(n))
        });
    let text = |value: Option<&Value>| {
        value
            .filter(|v| !v.is_null())
            .map(|v| v.as_str().map_or_else(|| v.to_string(), str::to_owned))
    };
    let words = text(inner.get("message"))
        .or_else(|| text(inner.get("detail")))
        .or_else(|| inner.as_str().map(str::to_owned))
        .unwrap_or_else(|| inner.to_string());
    // OpenRouter: the words of the provider behind it say more than its own.
    let behind = inner.get("metadata").and_then(|m| text(m.get("raw")));
    (status, behind.map_or_else(|| words.clone(), |behind| format!("{words}: {behind}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(form: Form) -> Ask {
        Ask {
            messages: vec![Message::System("s".to_owned()), Message::User("u".to_owned())],
            form,
            tools: Vec::new(),
            max_tokens: 10,
            temperature: 0.2,
        }
    }

    #[test]
    fn each_way_asks_for_the_document() {
        let form = Form::Schema { name: "n".to_owned(), schema: json!({"type": "object"}) };
        let body = request(&ask(form.clone()), "m", Way::Schema, true);
        assert_eq!(body["response_format"]["json_schema"]["schema"], json!({"type": "object"}));
        assert_eq!(body["response_format"]["json_schema"]["strict"], true);
        assert_eq!(body["stream_options"]["include_usage"], true);
        assert_eq!(body["temperature"], json!(0.2));
        assert_eq!(body["messages"].as_array().map(Vec::len), Some(2));
        let body = request(&ask(form.clone()), "m", Way::Object, false);
        assert_eq!(body["response_format"], json!({"type": "json_object"}));
        let told = body["messages"][1]["content"].as_str().unwrap();
        assert!(told.contains("JSON") && told.contains("{\"type\":\"object\"}"), "{told}");
        assert_eq!(body["messages"][2]["role"], "user");
        assert!(body.get("stream_options").is_none());
        let body = request(&ask(form), "m", Way::Plain, true);
        assert!(body.get("response_format").is_none());
        assert!(request(&ask(Form::Text), "m", Way::Schema, true).get("response_format").is_none());
    }

    #[test]
    fn a_conversation_with_tools_is_written_as_endpoints_want_it() {
        let call = |arguments| Call { id: "1".to_owned(), name: "t".to_owned(), arguments };
        let mut ask = ask(Form::Text);
        ask.messages.push(Message::Assistant {
            text: String::new(),
            calls: vec![call(json!({"a": 1})), call(json!("junk"))],
        });
        ask.messages.push(Message::Tool { call_id: "1".to_owned(), text: "r".to_owned() });
        ask.tools.push(ToolSpec {
            name: "t".to_owned(),
            description: "d".to_owned(),
            parameters: json!({"type": "object"}),
        });
        let body = request(&ask, "m", Way::Schema, true);
        let calls = &body["messages"][2]["tool_calls"];
        assert_eq!(calls[0]["function"]["arguments"], "{\"a\":1}");
        assert_eq!(calls[1]["function"]["arguments"], "{}");
        assert_eq!(body["messages"][3]["tool_call_id"], "1");
        assert_eq!(body["tools"][0]["function"]["name"], "t");
    }

    #[test]
    fn what_comes_is_read_leniently() {
        let chunk: Chunk = serde_json::from_value(json!({
            "id": 7, "model": null, "provider": "P", "time_info": {}, "usage": null,
            "choices": [{"finish_reason": null, "delta": {
                "role": "assistant", "content": null, "reasoning": "hm",
                "tool_calls": [{"function": {"arguments": {"a": 1}}, "index": null}],
            }}],
        }))
        .unwrap();
        let delta = chunk.choices[0].delta.clone().unwrap();
        assert_eq!(delta.content.into_text(), "");
        assert_eq!(delta.tool_calls[0].function.arguments, json!({"a": 1}));
        let parts: Content =
            serde_json::from_value(json!([{"type": "text", "text": "a"}, {"text": null}])).unwrap();
        assert_eq!(parts.into_text(), "a");
        let chunk: Chunk = serde_json::from_str("{\"choices\": 3, \"usage\": \"x\"}").unwrap();
        assert!(chunk.choices.is_empty() && chunk.usage.is_none());
    }

    #[test]
    fn errors_are_understood_in_each_of_their_forms() {
        for (body, status, words) in [
            (json!({"error": {"code": 429, "message": "slow"}}), Some(429), "slow"),
            (
                json!({"error": {"code": "502", "message": "a", "metadata": {"raw": "b"}}}),
                Some(502),
                "a: b",
            ),
            (json!({"message": "no", "code": "model_not_found", "type": "x"}), None, "no"),
            (json!({"error": "plain"}), None, "plain"),
            (json!({"detail": [{"msg": "m"}]}), None, "[{\"msg\":\"m\"}]"),
        ] {
            assert_eq!(told(&body), (status, words.to_owned()), "{body}");
        }
        assert_eq!(error_words("<html>"), "<html>");
    }
}
