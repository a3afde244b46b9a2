//! The providers' wire formats: events of a stream, and bodies of errors.

use std::time::Duration;

use serde_json::{Value, json};

use super::script::{Act, Flavour, Tokens, ToolCall};

/// Bytes of a piece of text.
const PIECE: usize = 8;
/// A moment in which both formats say that they answer.
const CREATED: u64 = 1_790_000_000;

/// What is done with the connection, in order.
pub enum Step {
    Bytes(Vec<u8>),
    /// Nothing more comes, and the connection stays.
    Stall,
    /// The connection ends without the end of the body.
    Cut,
}

/// An answer, before it is sent.
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub delay: Duration,
    pub steps: Vec<Step>,
}

/// Writes answers of one provider for one model.
pub struct Writer<'a> {
    pub flavour: Flavour,
    pub model: &'a str,
    pub with_usage: bool,
}

impl Writer<'_> {
    /// The answer that an act stands for; `body` is the question.
    pub fn answer(&self, act: &Act, body: &Value) -> Answer {
        let form = body.pointer("/response_format/type").and_then(Value::as_str);
        match act {
            Act::RefuseSchema(_) if form == Some("json_schema") => self.refusal("response_format"),
            Act::RefuseForms(_) if form.is_some() => self.refusal("response_format"),
            Act::RefuseUsage(_) if body.get("stream_options").is_some() => {
                self.refusal("stream_options")
            }
            Act::RefuseSchema(act) | Act::RefuseForms(act) | Act::RefuseUsage(act) => {
                self.answer(act, body)
            }
            Act::ModelMissing => self.error(404, "model"),
            Act::Status { code, headers, body } => {
                let mut answer = self.error(*code, "");
                if !body.is_null() {
                    let text = body.as_str().map_or_else(|| body.to_string(), str::to_owned);
                    answer.steps = vec![Step::Bytes(text.into_bytes())];
                }
                answer.headers.extend(headers.iter().map(|(k, v)| (k.clone(), v.clone())));
                answer
            }
            Act::Whole(text) => whole(&json!({
                "id": "chatcmpl-1", "object": "chat.completion", "model": self.model,
                "choices": [{"index": 0, "finish_reason": "stop",
                    "message": {"role": "assistant", "content": text}}],
                "usage": {"prompt_tokens": 12, "completion_tokens": 7, "total_tokens": 19},
            })),
            Act::Page => Answer {
                headers: vec![("content-type".to_owned(), "text/html".to_owned())],
                steps: vec![Step::Bytes(b"<html>Log in first</html>".to_vec())],
                ..whole(&Value::Null)
            },
            streamed => self.stream(streamed),
        }
    }

    fn stream(&self, act: &Act) -> Answer {
        let mut steps = vec![self.opening()];
        let text = "the quick brown fox jumps over the lazy dog";
        let tokens = Tokens::default();
        let mut delay = Duration::ZERO;
        match act {
            Act::Answer(text, tokens) => steps.extend(self.told(text, "stop", Some(*tokens))),
            Act::Json(value) => {
                steps.extend(self.told(&value.to_string(), "stop", Some(tokens)));
            }
            Act::Fenced(value) => {
                let text =
                    format!("Here is the answer:\n\n```json\n{value:#}\n```\n\nI hope this helps!");
                steps.extend(self.told(&text, "stop", Some(tokens)));
            }
            Act::Truncated(value) => {
                let text = value.to_string();
                let mut end = text.len() * 2 / 3;
                while !text.is_char_boundary(end) {
                    end -= 1;
                }
                let cut = text.get(..end).unwrap_or_default();
                steps.extend(self.told(cut, "length", Some(tokens)));
            }
            Act::ToolCalls(calls) => {
                steps.extend(self.calls(calls));
                steps.extend(self.end("tool_calls", Some(tokens)));
            }
            Act::ErrorInStream { code, message } => {
                steps.extend(self.pieces(text).into_iter().take(2));
                steps.push(event(&json!({
                    "error": {"code": code, "message": message},
                    "choices": [{"index": 0, "delta": {"content": ""}, "finish_reason": "error"}],
                })));
            }
            Act::SlowFirstByte(milliseconds) => {
                delay = Duration::from_millis(*milliseconds);
                steps.extend(self.told(text, "stop", Some(tokens)));
            }
            Act::StallAfter(pieces) => {
                steps.extend(self.pieces(text).into_iter().take(*pieces));
                steps.push(Step::Stall);
            }
            Act::CutAfter(pieces) => {
                steps.extend(self.pieces(text).into_iter().take(*pieces));
                steps.push(Step::Cut);
            }
            Act::InvalidUtf8 => {
                let event = self.delta(&json!({"content": "caf@ au lait"}));
                let bytes = data(&event).into_iter().map(|b| if b == b'@' { 0xE9 } else { b });
                steps.push(Step::Bytes(bytes.collect()));
                steps.extend(self.end("stop", Some(tokens)));
            }
            Act::NoUsage(text) => steps.extend(self.told(text, "stop", None)),
            Act::Huge(bytes) => {
                let piece = "x".repeat(1024);
                let event = self.delta(&json!({"content": piece}));
                steps.extend((0..bytes / 1024).map(|_| Step::Bytes(data(&event))));
                steps.extend(self.end("stop", Some(tokens)));
            }
            _ => {
                // Events without a choice, and the end.
                steps.push(event(&json!({"id": "gen-1", "model": self.model, "choices": []})));
                steps.push(Step::Bytes(b"data: [DONE]\n\n".to_vec()));
            }
        }
        let mut headers = vec![("content-type".to_owned(), "text/event-stream".to_owned())];
        if self.flavour == Flavour::Cerebras {
            headers.extend(limits("14387", "59000"));
        }
        Answer { status: 200, headers, delay, steps }
    }

    /// What stands before the first piece.
    fn opening(&self) -> Step {
        match self.flavour {
            Flavour::Openrouter => Step::Bytes(b": OPENROUTER PROCESSING\n\n".repeat(2)),
            Flavour::Cerebras => event(&self.delta(&json!({"role": "assistant"}))),
        }
    }

    fn told(&self, text: &str, reason: &str, tokens: Option<Tokens>) -> Vec<Step> {
        let mut steps = self.pieces(text);
        steps.extend(self.end(reason, tokens));
        steps
    }

    fn pieces(&self, text: &str) -> Vec<Step> {
        let characters: Vec<char> = text.chars().collect();
        characters
            .chunks(PIECE)
            .map(|piece| {
                let piece: String = piece.iter().collect();
                event(&self.delta(&json!({"content": piece})))
            })
            .collect()
    }

    fn calls(&self, calls: &[ToolCall]) -> Vec<Step> {
        let mut steps = Vec::new();
        for (index, call) in calls.iter().enumerate() {
            steps.push(event(&self.delta(&json!({"content": null, "tool_calls": [{
                "index": index, "id": call.id, "type": "function",
                "function": {"name": call.name, "arguments": ""},
            }]}))));
            let characters: Vec<char> = call.arguments.chars().collect();
            for piece in characters.chunks(PIECE) {
                let piece: String = piece.iter().collect();
                steps.push(event(&self.delta(&json!({"tool_calls": [{
                    "index": index, "function": {"arguments": piece},
                }]}))));
            }
        }
        steps
    }

    fn delta(&self, delta: &Value) -> Value {
        match self.flavour {
            Flavour::Openrouter => {
                let mut delta = delta.clone();
                delta["role"] = "assistant".into();
                json!({
                    "id": "gen-1790000000-abc", "provider": "Groq", "model": self.model,
                    "object": "chat.completion.chunk", "created": CREATED,
                    "choices": [{"index": 0, "delta": delta, "finish_reason": null,
                        "native_finish_reason": null, "logprobs": null}],
                })
            }
            Flavour::Cerebras => json!({
                "id": "chatcmpl-abc", "model": self.model, "object": "chat.completion.chunk",
                "created": CREATED, "system_fingerprint": "fp_abc",
                "choices": [{"index": 0, "delta": delta}],
            }),
        }
    }

    fn end(&self, reason: &str, tokens: Option<Tokens>) -> Vec<Step> {
        let mut last = self.delta(&json!({}));
        last["choices"][0]["finish_reason"] = reason.into();
        let mut events = Vec::new();
        let usage = tokens.map(|t| {
            json!({
                "prompt_tokens": t.prompt, "completion_tokens": t.completion,
                "total_tokens": t.prompt + t.completion,
            })
        });
        match self.flavour {
            // Cerebras says all of it at once, whether it was asked for or not.
            Flavour::Cerebras => {
                if let Some(usage) = usage {
                    last["usage"] = usage;
                    last["time_info"] = json!({"queue_time": 0.0001, "prompt_time": 0.002,
                        "completion_time": 0.01, "total_time": 0.013, "created": CREATED});
                }
                events.push(last);
            }
            Flavour::Openrouter => {
                last["choices"][0]["native_finish_reason"] = reason.into();
                events.push(last.clone());
                if let Some(mut usage) = usage.filter(|_| self.with_usage) {
                    usage["cost"] = json!(0.000_012);
                    last["choices"][0]["finish_reason"] = Value::Null;
                    last["usage"] = usage;
                    events.push(last);
                }
            }
        }
        let mut steps: Vec<Step> = events.iter().map(event).collect();
        steps.push(Step::Bytes(b"data: [DONE]\n\n".to_vec()));
        steps
    }

    fn refusal(&self, parameter: &str) -> Answer {
        self.error(400, parameter)
    }

    /// The provider's own words for a status.
    pub fn error(&self, status: u16, parameter: &str) -> Answer {
        let model = self.model;
        let (message, kind, code) = match (status, parameter) {
            (404, _) => (
                format!("Model {model} does not exist or you do not have access to it."),
                "not_found_error",
                "model_not_found",
            ),
            (400, parameter) => (
                format!("Unsupported value: '{parameter}' is not supported with this model."),
                "invalid_request_error",
                "wrong_api_format",
            ),
            (401, _) => ("Wrong API Key".to_owned(), "invalid_request_error", "wrong_api_key"),
            (402, _) => ("Insufficient credits".to_owned(), "payment_required", "payment_required"),
            (429, _) => (
                "Tokens per minute limit exceeded - too many tokens processed.".to_owned(),
                "too_many_tokens_error",
                "token_quota_exceeded",
            ),
            (status, _) => {
                (format!("Provider returned error {status}"), "server_error", "internal")
            }
        };
        let body = match self.flavour {
            Flavour::Openrouter => {
                json!({"error": {"code": status, "message": message}, "user_id": "user_1"})
            }
            Flavour::Cerebras => json!({
                "message": message, "type": kind, "param": parameter, "code": code,
            }),
        };
        let mut answer = Answer { status, ..whole(&body) };
        if self.flavour == Flavour::Cerebras && status == 429 {
            answer.headers.extend(limits("14387", "0"));
        }
        answer
    }
}

/// Cerebras's headers about its limits.
fn limits(requests: &str, tokens: &str) -> Vec<(String, String)> {
    [
        ("x-ratelimit-limit-requests-day", "14400"),
        ("x-ratelimit-limit-tokens-minute", "60000"),
        ("x-ratelimit-remaining-requests-day", requests),
        ("x-ratelimit-remaining-tokens-minute", tokens),
        ("x-ratelimit-reset-requests-day", "33011.382867"),
        ("x-ratelimit-reset-tokens-minute", "0.25"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .to_vec()
}

/// A JSON body in one piece.
pub fn whole(body: &Value) -> Answer {
    Answer {
        status: 200,
        headers: vec![("content-type".to_owned(), "application/json".to_owned())],
        delay: Duration::ZERO,
        steps: vec![Step::Bytes(body.to_string().into_bytes())],
    }
}

fn event(value: &Value) -> Step {
    Step::Bytes(data(value))
}

fn data(value: &Value) -> Vec<u8> {
    format!("data: {value}\n\n").into_bytes()
}
