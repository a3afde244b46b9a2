//! A form for the arguments of a tool that only reads: a field for each property of its JSON
//! schema, checked against it with every key.

use std::sync::Arc;

use jsonschema::{PatternOptions, Validator};
use sentinel_core::domain::tool::{ReadCall, Tool, ToolCall};
use serde_json::{Map, Value};
use tui_textarea::TextArea;

use crate::tui::field::{one_line, typed};

/// Fields of a form at most; a tool with more is called from the command line.
const MOST_FIELDS: usize = 40;
/// The argument that names a watched container.
pub const TARGET: &str = "container_name";

/// What may stand in a field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Any text.
    Text,
    /// A number, with or without a fraction.
    Number,
    /// One of these: what is shown, and what is sent.
    OneOf(Vec<(String, Value)>),
    /// JSON.
    Json,
}

/// One field.
#[derive(Clone, Debug)]
pub struct Field {
    /// The argument.
    pub name: String,
    /// What may stand in it.
    pub kind: Kind,
    /// In a word or two, as the schema says it.
    pub words: String,
    /// It must be given.
    pub required: bool,
    /// What the schema says of it.
    pub said: String,
    /// What is typed.
    pub typed: TextArea<'static>,
    /// The chosen one of [`Kind::OneOf`].
    pub choice: Option<usize>,
}

impl Field {
    /// Its value; `None`: it is left out.
    fn value(&self) -> Result<Option<Value>, String> {
        if let Kind::OneOf(any) = &self.kind {
            return Ok(self.choice.and_then(|at| any.get(at)).map(|(_, value)| value.clone()));
        }
        let text = typed(&self.typed);
        let text = text.trim();
        if text.is_empty() {
            return Ok(None);
        }
        match self.kind {
            Kind::Text | Kind::OneOf(_) => Ok(Some(Value::String(text.to_owned()))),
            Kind::Number => match serde_json::from_str::<Value>(text) {
                Ok(number @ Value::Number(_)) => Ok(Some(number)),
                _ => Err("write a number".to_owned()),
            },
            Kind::Json => {
                serde_json::from_str(text).map(Some).map_err(|_| "write it as JSON".to_owned())
            }
        }
    }

    /// Whether it is typed, not chosen.
    pub fn is_typed(&self) -> bool {
        !matches!(self.kind, Kind::OneOf(_))
    }

    /// The next or previous choice; beyond the ends nothing is chosen, unless it must be.
    pub fn turn(&mut self, forward: bool) {
        let Kind::OneOf(any) = &self.kind else { return };
        let count = any.len();
        self.choice = match (self.choice, forward) {
            (None, true) => Some(0),
            (None, false) => count.checked_sub(1),
            (Some(at), true) if at + 1 < count => Some(at + 1),
            (Some(at), false) if at > 0 => Some(at - 1),
            (Some(_), true) if self.required => Some(0),
            (Some(_), false) if self.required => count.checked_sub(1),
            (Some(_), _) => None,
        }
        .filter(|at| *at < count);
    }

    /// What is chosen, in words.
    pub fn chosen(&self) -> &str {
        match &self.kind {
            Kind::OneOf(any) => {
                self.choice.and_then(|at| any.get(at)).map_or("(not given)", |(words, _)| words)
            }
            Kind::Text | Kind::Number | Kind::Json => "",
        }
    }
}

/// A call in the making.
#[derive(Clone, Debug)]
pub struct Form {
    /// The row of its tool.
    pub key: u64,
    /// The tool.
    pub tool: Tool,
    /// Its fields: required ones first.
    pub fields: Vec<Field>,
    /// The field with the focus.
    pub at: usize,
    /// What the schema asks.
    validator: Option<Arc<Validator>>,
}

impl Form {
    /// An empty form; the container in question is chosen already. `containers` are names and ids.
    /// `None`: its schema cannot be used, or asks for too much.
    pub fn of(
        key: u64,
        tool: &Tool,
        containers: &[(String, String)],
        target: Option<&str>,
    ) -> Option<Self> {
        let none = Map::new();
        let known = tool.input_schema.get("properties").and_then(Value::as_object);
        let known = known.unwrap_or(&none);
        if known.len() > MOST_FIELDS {
            return None;
        }
        let required = tool.input_schema.get("required").and_then(Value::as_array);
        let is_required =
            |name: &str| required.is_some_and(|l| l.iter().any(|v| v.as_str() == Some(name)));
        let mut fields: Vec<Field> = known
            .iter()
            .map(|(name, schema)| field(name, schema, is_required(name), containers))
            .collect();
        fields.sort_by_key(|f| (!f.required, f.name != TARGET));
        if let Some(field) = fields.iter_mut().find(|f| f.name == TARGET)
            && let Kind::OneOf(any) = &field.kind
        {
            let wanted = |(words, _): &(String, Value)| Some(words.as_str()) == target;
            field.choice = any.iter().position(wanted).or((!any.is_empty()).then_some(0));
        }
        let options = jsonschema::options().with_pattern_options(PatternOptions::regex());
        let validator = options.build(&tool.input_schema).ok().map(Arc::new);
        validator.is_some().then(|| Self { key, tool: tool.clone(), fields, at: 0, validator })
    }

    /// The field with the focus.
    pub fn field(&mut self) -> Option<&mut Field> {
        self.fields.get_mut(self.at)
    }

    /// To the next or previous field, around the ends.
    pub fn go(&mut self, forward: bool) {
        let count = self.fields.len().max(1);
        self.at = if forward { self.at + 1 } else { self.at + count - 1 } % count;
    }

    /// The arguments, or the field that is wrong and why.
    pub fn arguments(&self) -> Result<Map<String, Value>, (usize, String)> {
        let mut arguments = Map::new();
        for (at, field) in self.fields.iter().enumerate() {
            match field.value() {
                Ok(Some(value)) => drop(arguments.insert(field.name.clone(), value)),
                Ok(None) if field.required => return Err((at, "it must be given".to_owned())),
                Ok(None) => {}
                Err(why) => return Err((at, why)),
            }
        }
        let value = Value::Object(arguments);
        let Some(validator) = &self.validator else {
            return Err((0, "the schema of this tool cannot be used".to_owned()));
        };
        if let Some(error) = validator.iter_errors(&value).next() {
            let path = error.instance_path().to_string();
            let name = path.trim_start_matches('/').split('/').next().unwrap_or_default();
            let at = self.fields.iter().position(|f| f.name == name).unwrap_or(self.at);
            return Err((at, error.to_string()));
        }
        match value {
            Value::Object(arguments) => Ok(arguments),
            _ => Err((0, "these are no arguments".to_owned())),
        }
    }

    /// The call with the arguments as they stand.
    pub fn call(&self) -> Result<ReadCall, (usize, String)> {
        let arguments = self.arguments()?;
        let call = ToolCall { tool: self.tool.name.clone(), arguments };
        ReadCall::new(call, &self.tool)
            .ok_or_else(|| (self.at, "this tool does not only read".to_owned()))
    }

    /// The call in words: what was chosen by its name, not by its id.
    pub fn words(&self) -> String {
        let given = self.fields.iter().filter_map(|f| {
            let value = match &f.kind {
                Kind::OneOf(_) => f.choice.map(|_| f.chosen().to_owned()),
                _ => Some(typed(&f.typed)).filter(|t| !t.trim().is_empty()),
            };
            value.map(|v| format!("{}={v}", f.name))
        });
        let given: Vec<String> = given.collect();
        format!("{} {}", self.tool.name, given.join(" ")).trim_end().to_owned()
    }
}

fn field(name: &str, schema: &Value, required: bool, containers: &[(String, String)]) -> Field {
    let said = schema.get("description").and_then(Value::as_str).unwrap_or_default();
    let (kind, words) = if name == TARGET {
        let any = containers.iter().map(|(name, id)| (name.clone(), Value::String(id.clone())));
        (Kind::OneOf(any.collect()), "container".to_owned())
    } else {
        kind(schema)
    };
    Field {
        name: name.to_owned(),
        kind,
        words,
        required,
        said: said.to_owned(),
        typed: one_line(),
        choice: None,
    }
}

/// What a property may be: its type, without the null that stands for "not given".
fn kind(schema: &Value) -> (Kind, String) {
    let plain =
        |any: &Value| (any.as_str().map_or_else(|| any.to_string(), str::to_owned), any.clone());
    if let Some(any) = schema.get("enum").and_then(Value::as_array) {
        let any: Vec<(String, Value)> = any.iter().filter(|v| !v.is_null()).map(plain).collect();
        return (Kind::OneOf(any), "one of these".to_owned());
    }
    let types: Vec<&str> = match schema.get("type") {
        Some(Value::String(one)) => vec![one],
        Some(Value::Array(any)) => any.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    let types: Vec<&str> = types.into_iter().filter(|t| *t != "null").collect();
    match types.as_slice() {
        ["string"] => (Kind::Text, "text".to_owned()),
        ["integer"] => (Kind::Number, "whole number".to_owned()),
        ["number"] => (Kind::Number, "number".to_owned()),
        ["boolean"] => {
            let any = [true, false].map(|b| (b.to_string(), Value::Bool(b)));
            (Kind::OneOf(any.into()), "yes or no".to_owned())
        }
        _ => (Kind::Json, "JSON".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use sentinel_core::domain::tool::ToolHints;
    use serde_json::json;

    use super::*;

    fn form() -> Form {
        let tool = Tool {
            server: "docker-control".to_owned(),
            name: "get_logs".to_owned(),
            description: String::new(),
            input_schema: json!({
                "type": "object",
                "properties": {
                    "container_name": {"type": "string"},
                    "tail": {"type": ["integer", "null"], "minimum": 1},
                    "stderr": {"type": "boolean"},
                    "level": {"enum": ["warn", "error"]}
                },
                "required": ["container_name"],
                "additionalProperties": false
            }),
            foreign: false,
            hints: ToolHints { read_only: Some(true), ..ToolHints::default() },
        };
        let containers = [("api".to_owned(), "a1".to_owned()), ("db".to_owned(), "d1".to_owned())];
        Form::of(0, &tool, &containers, Some("db")).unwrap()
    }

    #[test]
    fn the_target_comes_first_and_is_sent_by_its_id() {
        let form = form();
        assert_eq!(form.fields[0].name, TARGET);
        let call = form.call().unwrap().into_call();
        assert_eq!(Value::Object(call.arguments), json!({"container_name": "d1"}));
        assert_eq!(form.words(), "get_logs container_name=db");
    }

    #[test]
    fn what_does_not_fit_the_schema_is_named_at_its_field() {
        let mut form = form();
        let tail = form.fields.iter().position(|f| f.name == "tail").unwrap();
        for (text, good) in [("50", true), ("many", false), ("0", false), ("1.5", false)] {
            form.fields[tail].typed = one_line();
            form.fields[tail].typed.insert_str(text);
            assert_eq!(
                form.arguments().map_err(|(at, _)| at).err(),
                (!good).then_some(tail),
                "{text}"
            );
        }
    }

    #[test]
    fn a_choice_turns_and_can_be_left_out_unless_it_must_be_given() {
        let mut form = form();
        let level = form.fields.iter().position(|f| f.name == "level").unwrap();
        let mut seen = Vec::new();
        for _ in 0..3 {
            form.fields[level].turn(true);
            seen.push(form.fields[level].choice);
        }
        assert_eq!(seen, [Some(0), Some(1), None]);
        form.fields[0].turn(true);
        assert_eq!(form.fields[0].choice, Some(0), "around the end");
    }
}
