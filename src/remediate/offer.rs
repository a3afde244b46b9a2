//! One tool as a server offers it: made safe to show, its schema compiled once.

use std::sync::Arc;

use jsonschema::{PatternOptions, Validator};
use sentinel_core::domain::tool::{Tool, ToolHints};
use sentinel_core::redact::{self, display};
use serde_json::{Map, Value};

/// Bytes that a tool's schema may have.
pub(crate) const MAX_SCHEMA: usize = 64 * 1024;
/// Levels that a tool's schema may be nested.
const MAX_DEPTH: usize = 32;
/// Bytes of a description that are kept.
const MAX_DESCRIPTION: usize = 4096;
/// Objections named in one refusal.
const NAMED: usize = 4;
/// Bytes of one objection.
const OBJECTION: usize = 300;

/// A tool, ready to be called.
#[derive(Debug)]
pub(crate) struct Offer {
    /// As it is shown.
    pub(crate) tool: Tool,
    /// As it came in.
    pub(crate) raw: rmcp::model::Tool,
    schema: Validator,
}

impl Offer {
    /// Takes a tool as it came in; says why it cannot be used.
    pub(crate) fn new(server: &str, tool: &rmcp::model::Tool) -> Result<Self, String> {
        let name = tool.name.as_ref();
        let shown = redact::clean(name.as_bytes(), 128);
        if !is_name(name) {
            return Err(format!("a tool with the name {shown:?} is left out: no valid name"));
        }
        let refuse = |why: &str| Err(format!("its tool {name} is left out: {why}"));
        let schema = Value::Object(Map::clone(&tool.input_schema));
        let size = schema.to_string().len();
        if size > MAX_SCHEMA {
            return refuse(&format!("its schema has {size} bytes, more than {MAX_SCHEMA}"));
        }
        if depth(&schema) > MAX_DEPTH {
            return refuse(&format!("its schema is nested deeper than {MAX_DEPTH}"));
        }
        if let Some(why) = bad_reference(&schema) {
            return refuse(&why);
        }
        // Linear-time patterns: a server must not be able to stall us. References to other
        // places are an error at this point, nothing is fetched.
        let compiled =
            jsonschema::options().with_pattern_options(PatternOptions::regex()).build(&schema);
        let compiled = match compiled {
            Ok(compiled) => compiled,
            Err(error) => {
                let why = redact::clean(error.to_string().as_bytes(), OBJECTION);
                return refuse(&format!("its schema is not usable: {why}"));
            }
        };
        let hints = tool.annotations.as_ref();
        let description = tool.description.as_deref().unwrap_or_default();
        Ok(Self {
            tool: Tool {
                server: server.to_owned(),
                name: name.to_owned(),
                description: redact::clean(description.as_bytes(), MAX_DESCRIPTION),
                input_schema: showable(&schema),
                foreign: false,
                hints: ToolHints {
                    read_only: hints.and_then(|h| h.read_only_hint),
                    destructive: hints.and_then(|h| h.destructive_hint),
                    idempotent: hints.and_then(|h| h.idempotent_hint),
                    open_world: hints.and_then(|h| h.open_world_hint),
                },
            },
            raw: tool.clone(),
            schema: compiled,
        })
    }

    /// Checks arguments against the schema. An objection names the place, never the value: it
    /// may be a secret.
    pub(crate) fn check(&self, arguments: &Map<String, Value>) -> Result<(), String> {
        let arguments = Value::Object(arguments.clone());
        let mut objections: Vec<String> = self
            .schema
            .iter_errors(&arguments)
            .take(NAMED)
            .map(|e| {
                let path = e.instance_path().to_string();
                let path = if path.is_empty() { "/" } else { &path };
                redact::clean(format!("{path}: {}", e.masked()).as_bytes(), OBJECTION)
            })
            .collect();
        if objections.is_empty() {
            return Ok(());
        }
        objections.dedup();
        Err(objections.join("; "))
    }
}

fn is_name(text: &str) -> bool {
    (1..=128).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-.".contains(&b))
}

fn depth(value: &Value) -> usize {
    match value {
        Value::Array(all) => 1 + all.iter().map(depth).max().unwrap_or(0),
        Value::Object(all) => 1 + all.values().map(depth).max().unwrap_or(0),
        _ => 0,
    }
}

/// Why a schema's references are refused, if they are. One that leads back to a place that it was
/// reached through could keep the validator busy for ever, and a tool's arguments need no
/// recursion. To be sure of that, references have to be plain pointers into the same schema.
fn bad_reference(schema: &Value) -> Option<String> {
    fn walk(root: &Value, at: &Value, path: &mut Vec<String>, budget: &mut u32) -> Option<String> {
        *budget = budget.checked_sub(1)?;
        let Value::Object(map) = at else {
            return at.as_array()?.iter().find_map(|one| walk(root, one, path, budget));
        };
        for key in ["$dynamicRef", "$recursiveRef", "$anchor", "$dynamicAnchor"] {
            if map.get(key).is_some_and(Value::is_string) {
                return Some(format!("its schema uses {key}"));
            }
        }
        if !std::ptr::eq(root, at) && map.get("$id").is_some_and(Value::is_string) {
            return Some("its schema has a second $id".to_owned());
        }
        if let Some(reference) = map.get("$ref").and_then(Value::as_str) {
            let shown = redact::clean(reference.as_bytes(), 128);
            if path.iter().any(|seen| seen == reference) || reference == "#" {
                return Some(format!("its schema refers to itself ({shown})"));
            }
            let plain = reference.strip_prefix('#').filter(|p| !p.contains('%'));
            let Some(target) = plain.and_then(|pointer| root.pointer(pointer)) else {
                return Some(format!("its schema refers to something outside of it ({shown})"));
            };
            path.push(reference.to_owned());
            let found = walk(root, target, path, budget);
            path.pop();
            if found.is_some() {
                return found;
            }
        }
        map.values().find_map(|one| walk(root, one, path, budget))
    }
    // Far more than a schema within the bounds needs, unless its references multiply.
    let mut budget = 100_000;
    let found = walk(schema, schema, &mut Vec::new(), &mut budget);
    if budget == 0 { Some("its schema has too many references".to_owned()) } else { found }
}

/// The schema with every text made safe to show. Patterns keep their secrets-like parts: they
/// are no values.
fn showable(value: &Value) -> Value {
    match value {
        Value::String(text) => Value::String(redact::clean(text.as_bytes(), MAX_DESCRIPTION)),
        Value::Array(all) => Value::Array(all.iter().map(showable).collect()),
        Value::Object(all) => all
            .iter()
            .map(|(key, value)| {
                let value = match value {
                    Value::String(pattern) if key == "pattern" => {
                        Value::String(display::safe(pattern).into_owned())
                    }
                    other => showable(other),
                };
                (display::safe(key).into_owned(), value)
            })
            .collect(),
        other => other.clone(),
    }
}

/// A tool as every part of this adapter shares it.
pub(crate) type Shared = Arc<Offer>;

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn offer(schema: &Value) -> Result<Offer, String> {
        let schema = schema.as_object().cloned().unwrap();
        Offer::new("s", &rmcp::model::Tool::new("t", "says\u{1b}[31m hi", Arc::new(schema)))
    }

    #[test]
    fn arguments_are_checked_with_the_place_and_without_the_value() {
        let offer = offer(&json!({
            "type": "object",
            "properties": {
                "resources": {
                    "type": "object",
                    "properties": { "memory": { "type": "string", "pattern": "^[0-9]+[kmg]$" } },
                },
            },
            "required": ["resources"],
            "additionalProperties": false,
        }))
        .unwrap();
        assert_eq!(offer.tool.description, "says hi");
        let check = |value: &Value| offer.check(value.as_object().unwrap());
        assert_eq!(check(&json!({"resources": {"memory": "64m"}})), Ok(()));
        let error = check(&json!({"resources": {"memory": "hunter2"}})).unwrap_err();
        assert!(error.starts_with("/resources/memory: "), "{error}");
        assert!(!error.contains("hunter2"), "{error}");
        let error = check(&json!({"other": 1})).unwrap_err();
        assert!(error.contains("resources") && error.contains("other"), "{error}");
    }

    #[test]
    fn unusable_schemas_are_refused() {
        let cases = [
            (json!({"type": 7}), "not usable"),
            (json!({"$ref": "http://elsewhere/schema.json"}), "outside of it"),
            (json!({"$ref": "file:///etc/passwd"}), "outside of it"),
            (json!({"$ref": "#/%24defs/a", "$defs": {"a": {}}}), "outside of it"),
            (json!({"$anchor": "a", "allOf": [{"$ref": "#a"}]}), "$anchor"),
            (json!({"$defs": {"a": {"$id": "b"}}}), "second $id"),
            (json!({"properties": {"a": {"pattern": "("}}}), "not usable"),
            (json!({"allOf": [{"$ref": "#"}]}), "refers to itself"),
            (
                json!({"$ref": "#/$defs/a", "$defs": {"a": {"anyOf": [{"$ref": "#/$defs/a"}]}}}),
                "refers to itself",
            ),
            (json!({"description": "x".repeat(MAX_SCHEMA)}), "bytes"),
        ];
        for (schema, expected) in cases {
            let error = offer(&schema).unwrap_err();
            assert!(error.contains(expected), "{error}");
        }
        let mut deep = json!({});
        for _ in 0..40 {
            deep = json!({ "not": deep });
        }
        assert!(offer(&deep).unwrap_err().contains("nested"));
        // References that multiply: 2 to the 20th paths.
        let mut defs = Map::new();
        for i in 0..20 {
            let next = json!({ "$ref": format!("#/$defs/d{}", i + 1) });
            defs.insert(format!("d{i}"), json!({ "allOf": [next, next] }));
        }
        defs.insert("d20".to_owned(), json!({}));
        let error = offer(&json!({ "$ref": "#/$defs/d0", "$defs": defs })).unwrap_err();
        assert!(error.contains("too many"), "{error}");
        // A plain reference is fine.
        let plain = json!({"properties": {"a": {"$ref": "#/$defs/a"}, "b": {"$ref": "#/$defs/a"}},
            "$defs": {"a": {"type": "string"}}});
        let offer = offer(&plain).unwrap();
        assert!(offer.check(json!({"a": 1}).as_object().unwrap()).is_err());
    }

    #[test]
    fn names_that_are_no_names_are_refused() {
        for name in ["", "a b", "x\u{1b}[2J", &"n".repeat(129)] {
            let tool = rmcp::model::Tool::new(name.to_owned(), "", Arc::new(Map::new()));
            let error = Offer::new("s", &tool).unwrap_err();
            assert!(!error.contains('\u{1b}'), "{error}");
        }
    }
}
