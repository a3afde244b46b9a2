//! An answer put together out of the events of a stream.

use std::collections::BTreeMap;

use serde_json::{Map, Value};
use thiserror::Error;

use crate::analyze::repair::extract;
use crate::analyze::reply::{Call, Finish};
use crate::analyze::wire::{CallDelta, Chunk, Delta, WireUsage, told};

/// The event that ends a stream.
const DONE: &str = "[DONE]";
/// Calls in one answer; more are no plan, but a loop.
const MOST_CALLS: usize = 16;

/// Why an answer cannot be put together.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum Unfit {
    /// An event is no JSON.
    #[error("an event of the stream is no JSON")]
    Unreadable,
    /// It has more bytes, or more calls, than are taken.
    #[error("the answer is too large")]
    TooLarge,
    /// The endpoint says inside the stream that it failed.
    #[error("{words}")]
    Told {
        /// The status that it names.
        status: Option<u16>,
        /// Its words.
        words: String,
    },
}

/// A call whose pieces are still coming.
#[derive(Clone, Debug, Default)]
struct Partial {
    id: String,
    name: String,
    arguments: String,
}

/// What has come so far.
#[derive(Clone, Debug, Default)]
pub struct Assembly {
    most: usize,
    bytes: usize,
    /// The text.
    pub text: String,
    calls: BTreeMap<u64, Partial>,
    /// The model that answers.
    pub model: Option<String>,
    /// What it took.
    pub usage: Option<WireUsage>,
    /// Why it ends.
    pub finish: Option<Finish>,
    /// The stream said that it is over.
    pub done: bool,
}

impl Assembly {
    /// Nothing has come; `most` bytes are taken.
    pub fn new(most: usize) -> Self {
        Self { most, ..Self::default() }
    }

    /// Takes an event and gives the piece of text that it adds.
    pub fn event(&mut self, data: &str) -> Result<String, Unfit> {
        let mut data = data.trim();
        let mut added = String::new();
        // Some servers leave out the empty line between two events.
        if let Some(before) = data.strip_suffix(DONE) {
            self.done = true;
            data = before;
        }
        for chunk in serde_json::Deserializer::from_str(data).into_iter::<Chunk>() {
            let chunk = chunk.map_err(|_| Unfit::Unreadable)?;
            added.push_str(&self.chunk(chunk)?);
        }
        Ok(added)
    }

    fn chunk(&mut self, chunk: Chunk) -> Result<String, Unfit> {
        let choice = chunk.choices.into_iter().next().unwrap_or_default();
        let failed = [chunk.error, choice.error].into_iter().flatten().find(|e| !e.is_null());
        if let Some(error) = failed {
            let (status, words) = told(&error);
            return Err(Unfit::Told { status, words });
        }
        if chunk.model.as_deref().is_some_and(|model| !model.is_empty()) {
            self.model = chunk.model;
        }
        self.usage = chunk.usage.or(self.usage);
        let added = match choice.delta.or(choice.message) {
            Some(delta) => self.delta(delta)?,
            None => String::new(),
        };
        match choice.finish_reason.as_deref() {
            None | Some("") => {}
            Some("error") => {
                let words = "the stream ended with finish_reason \"error\"".to_owned();
                return Err(Unfit::Told { status: None, words });
            }
            Some(reason) => self.finish = Some(finish(reason)),
        }
        Ok(added)
    }

    fn delta(&mut self, delta: Delta) -> Result<String, Unfit> {
        for call in delta.tool_calls {
            self.call(call)?;
        }
        let added = delta.content.into_text();
        self.count(added.len())?;
        self.text.push_str(&added);
        Ok(added)
    }

    fn call(&mut self, delta: CallDelta) -> Result<(), Unfit> {
        let last = self.calls.last_key_value().map(|(index, call)| (*index, call.id.clone()));
        let index = match (delta.index, &last) {
            (Some(index), _) => index,
            (None, None) => 0,
            // Without an index another id begins another call.
            (None, Some((index, id))) => match &delta.id {
                Some(new) if !new.is_empty() && new != id => index.saturating_add(1),
                _ => *index,
            },
        };
        let arguments = match delta.function.arguments {
            Value::String(text) => text,
            Value::Null => String::new(),
            other => other.to_string(),
        };
        let (id, name) = (delta.id.unwrap_or_default(), delta.function.name.unwrap_or_default());
        self.count(id.len() + name.len() + arguments.len())?;
        if !self.calls.contains_key(&index) && self.calls.len() >= MOST_CALLS {
            return Err(Unfit::TooLarge);
        }
        let call = self.calls.entry(index).or_default();
        // Some endpoints repeat both with each piece.
        if call.id.is_empty() {
            call.id = id;
        }
        if call.name.is_empty() {
            call.name = name;
        }
        call.arguments.push_str(&arguments);
        Ok(())
    }

    fn count(&mut self, bytes: usize) -> Result<(), Unfit> {
        self.bytes = self.bytes.saturating_add(bytes);
        if self.bytes > self.most { Err(Unfit::TooLarge) } else { Ok(()) }
    }

    /// Bytes of text and calls.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Nothing that could be used has come.
    pub fn is_empty(&self) -> bool {
        self.text.trim().is_empty() && self.calls.is_empty()
    }

    /// The calls, in their order. Those without a name are none.
    pub fn take_calls(&mut self) -> Vec<Call> {
        std::mem::take(&mut self.calls)
            .into_iter()
            .filter(|(_, call)| !call.name.trim().is_empty())
            .map(|(index, call)| Call {
                id: if call.id.is_empty() { format!("call_{index}") } else { call.id },
                name: call.name.trim().to_owned(),
                arguments: arguments(&call.arguments),
            })
            .collect()
    }
}

/// Arguments as an object, mended if need be; else the text itself.
fn arguments(text: &str) -> Value {
    if text.trim().is_empty() {
        return Value::Object(Map::new());
    }
    match extract(text).map(|found| found.value) {
        Some(Value::Null) => Value::Object(Map::new()),
        Some(object @ Value::Object(_)) => object,
        _ => Value::String(text.to_owned()),
    }
}

fn finish(reason: &str) -> Finish {
    match reason {
        "stop" | "eos" | "end_turn" => Finish::Stop,
        "length" | "max_tokens" => Finish::Length,
        "tool_calls" | "function_call" => Finish::ToolCalls,
        "content_filter" => Finish::ContentFilter,
        other => Finish::Other(other.chars().take(40).collect()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(events: &[Value]) -> Result<Assembly, Unfit> {
        let mut assembly = Assembly::new(1000);
        for event in events {
            assembly.event(&event.to_string())?;
        }
        Ok(assembly)
    }

    fn text(text: &str) -> Value {
        json!({"model": "m", "choices": [{"index": 0, "delta": {"content": text}, "finish_reason": null}]})
    }

    fn calls(calls: &Value) -> Value {
        json!({"choices": [{"delta": {"tool_calls": calls}}]})
    }

    #[test]
    fn text_usage_and_end_come_together() {
        let end = json!({"choices": [{"delta": {}, "finish_reason": "stop"}]});
        let usage = json!({"choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 2, "cost": 0.1}});
        let mut assembly = read(&[text("a"), text("b"), end, usage]).unwrap();
        assert!(!assembly.done);
        assembly.event("[DONE]").unwrap();
        assert_eq!((assembly.text.as_str(), assembly.done), ("ab", true));
        assert_eq!(assembly.finish, Some(Finish::Stop));
        assert_eq!(assembly.usage.and_then(|u| u.prompt_tokens), Some(3));
        assert_eq!(assembly.model.as_deref(), Some("m"));
        // Two events without an empty line between them.
        assert_eq!(
            assembly.event(&format!("{}\n{}\n[DONE]", text("c"), text("d"))),
            Ok("cd".to_owned())
        );
    }

    #[test]
    fn calls_are_put_together_out_of_their_pieces() {
        let mut assembly = read(&[
            calls(&json!([{"index": 0, "id": "x", "function": {"name": "get_logs", "arguments": ""}}])),
            calls(&json!([{"index": 1, "id": "y", "function": {"name": "inspect", "arguments": "{\"a\""}}])),
            calls(&json!([{"index": 0, "function": {"arguments": "{\"tail\": 5,}"}}])),
            calls(&json!([{"index": 1, "id": "y", "function": {"name": "inspect", "arguments": ": junk"}}])),
        ])
        .unwrap();
        let calls = assembly.take_calls();
        assert_eq!(calls[0].arguments, json!({"tail": 5}));
        assert_eq!((calls[1].id.as_str(), calls[1].name.as_str()), ("y", "inspect"));
        assert!(calls[1].object().unwrap_err().contains("inspect"));
    }

    #[test]
    fn calls_without_index_or_id_are_told_apart() {
        let mut assembly = read(&[
            calls(&json!([{"id": "x", "function": {"name": "a", "arguments": {"n": 1}}}])),
            calls(
                &json!([{"id": "y", "function": {"name": "b"}}, {"function": {"arguments": "{}"}}]),
            ),
        ])
        .unwrap();
        let names: Vec<_> =
            assembly.take_calls().into_iter().map(|c| (c.name, c.arguments)).collect();
        assert_eq!(names, [("a".to_owned(), json!({"n": 1})), ("b".to_owned(), json!({}))]);
        let mut assembly = read(&[calls(&json!([{"function": {"name": "a"}}]))]).unwrap();
        assert_eq!(assembly.take_calls()[0].id, "call_0");
    }

    #[test]
    fn errors_and_bounds_end_it() {
        let error = json!({"error": {"code": 502, "message": "provider gone"}, "choices": [{"finish_reason": "error"}]});
        assert_eq!(
            read(&[text("a"), error]).unwrap_err(),
            Unfit::Told { status: Some(502), words: "provider gone".to_owned() }
        );
        assert_eq!(read(&[text(&"x".repeat(1001))]).unwrap_err(), Unfit::TooLarge);
        let many = (0..17).map(|n| json!({"index": n, "function": {"name": "a"}})).collect();
        assert_eq!(read(&[calls(&many)]).unwrap_err(), Unfit::TooLarge);
        assert_eq!(Assembly::new(10).event("{\"choices\": [").unwrap_err(), Unfit::Unreadable);
    }
}
