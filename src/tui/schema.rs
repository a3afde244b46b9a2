//! Whether arguments are what a tool says that it takes, by its own JSON schema.

use sentinel_core::diagnose::amend::Mistake;
use sentinel_core::domain::tool::Tool;
use serde_json::{Map, Value};

/// Mistakes that are shown; one at a time is mended anyway.
const MOST: usize = 8;

/// What is wrong with arguments by the schema of their tool. A schema that cannot be read accepts
/// all: the call is checked again where it is made.
pub fn mistakes(tool: &Tool, arguments: &Map<String, Value>) -> Vec<Mistake> {
    let Ok(validator) = jsonschema::validator_for(&tool.input_schema) else { return Vec::new() };
    let value = Value::Object(arguments.clone());
    validator
        .iter_errors(&value)
        .take(MOST)
        .map(|error| {
            let place = error.instance_path().to_string();
            let path = place.trim_start_matches('/').replace('/', ".");
            Mistake { path, words: error.to_string() }
        })
        .collect()
}
