//! Read-only calls that the analyst may make to look further.

use serde_json::{Map, Value, json};

use crate::consult::brief::Brief;
use crate::consult::menu::may_read;
use crate::domain::tool::{ReadCall, ToolCall};

/// Lines of a log that one call may ask for.
const MOST_LINES: u64 = 200;

/// Turns what a model asks for into a call, or says why not. Only tools that read, only watched
/// containers, each by its full id; what the tool does not know of is dropped.
pub fn compose(brief: &Brief, tool: &str, asked: &Map<String, Value>) -> Result<ReadCall, String> {
    let Some(tool) = brief.tools.iter().find(|t| t.name == tool) else {
        return Err("there is no such tool".to_owned());
    };
    if !may_read(tool) {
        return Err(format!(
            "{} changes something: it can only be proposed in the plan",
            tool.name
        ));
    }
    let known = tool.input_schema.get("properties").and_then(Value::as_object);
    let mut arguments = Map::new();
    for (key, value) in asked {
        if known.is_some_and(|known| known.contains_key(key)) {
            arguments.insert(key.clone(), value.clone());
        }
    }
    if known.is_some_and(|known| known.contains_key("container_name")) {
        let name = asked
            .get("container_name")
            .or_else(|| asked.get("container"))
            .or_else(|| asked.get("target"));
        let name = name.and_then(Value::as_str).unwrap_or_default();
        let Some(id) = brief.watched.get(name) else {
            return Err(format!("no watched container has that name; there are: {}", names(brief)));
        };
        arguments.insert("container_name".to_owned(), json!(id));
    }
    if let Some(tail) = arguments.get_mut("tail") {
        let wanted = tail
            .as_u64()
            .or_else(|| tail.as_str().and_then(|t| t.parse().ok()))
            .unwrap_or(MOST_LINES);
        *tail = json!(wanted.clamp(1, MOST_LINES));
    }
    let call = ToolCall { tool: tool.name.clone(), arguments };
    ReadCall::new(call, tool).ok_or_else(|| "this tool does not only read".to_owned())
}

/// What a tool answered, as a model may see it: values of the environment are left out.
pub fn shown(answer: &Value) -> Value {
    match answer {
        Value::Object(map) => {
            let one = |(key, value): (&String, &Value)| {
                let value = match value {
                    Value::Object(env) if key == "env" => json!(env.keys().collect::<Vec<_>>()),
                    other => shown(other),
                };
                (key.clone(), value)
            };
            Value::Object(map.iter().map(one).collect())
        }
        Value::Array(all) => Value::Array(all.iter().map(shown).collect()),
        other => other.clone(),
    }
}

fn names(brief: &Brief) -> String {
    let names: Vec<&str> = brief.watched.keys().map(String::as_str).take(30).collect();
    names.join(", ")
}
