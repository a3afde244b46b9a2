//! What the server answers: a queue, rules that look at the question, or a function of it.

use std::collections::BTreeMap;
use std::sync::Mutex;

use serde::Deserialize;
use serde_json::{Value, json};

use super::Recorded;

/// Whose wire format is spoken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Flavour {
    #[default]
    Openrouter,
    Cerebras,
}

/// Tokens that an answer says it took.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub struct Tokens {
    pub prompt: u64,
    pub completion: u64,
}

impl Default for Tokens {
    fn default() -> Self {
        Self { prompt: 12, completion: 7 }
    }
}

/// A call of a tool; the arguments are text, so that they can be wrong.
#[derive(Clone, Debug, Deserialize)]
pub struct ToolCall {
    pub id: String,
    pub name: String,
    pub arguments: String,
}

/// One answer.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Act {
    /// A text, streamed in pieces.
    Answer(String, #[serde(default)] Tokens),
    /// A document.
    Json(Value),
    /// A document in a fence, with prose around it.
    Fenced(Value),
    /// A document whose last third is missing; `finish_reason` is `length`.
    Truncated(Value),
    /// Calls of tools, each in several pieces.
    ToolCalls(Vec<ToolCall>),
    /// A status; `null` as a body stands for the flavour's own.
    Status {
        code: u16,
        #[serde(default)]
        headers: BTreeMap<String, String>,
        #[serde(default)]
        body: Value,
    },
    /// A few pieces, then an error, inside HTTP 200.
    ErrorInStream { code: u16, message: String },
    /// The head comes after so many milliseconds.
    SlowFirstByte(u64),
    /// So many pieces, then nothing, for ever.
    StallAfter(usize),
    /// So many pieces, then the connection is cut.
    CutAfter(usize),
    /// Bytes in the text that are no UTF-8.
    InvalidUtf8,
    /// An answer that does not say what it took.
    NoUsage(String),
    /// A text of so many bytes.
    Huge(usize),
    /// Events without a choice.
    EmptyChoices,
    /// HTTP 400 if a schema is asked for (`json_schema`), else the other answer.
    RefuseSchema(Box<Self>),
    /// HTTP 400 if any form is asked for, else the other answer.
    RefuseForms(Box<Self>),
    /// HTTP 400 if usage is asked for (`stream_options`), else the other answer.
    RefuseUsage(Box<Self>),
    /// HTTP 404: the model does not exist.
    ModelMissing,
    /// The answer in one piece, not streamed.
    Whole(String),
    /// A web page.
    Page,
}

/// An answer for certain questions.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// The question has this text in it.
    #[serde(default)]
    pub when: Option<String>,
    /// It is for this model.
    #[serde(default)]
    pub model: Option<String>,
    /// So often; without it always.
    #[serde(default)]
    pub times: Option<usize>,
    pub act: Act,
}

enum Answers {
    Rules(Mutex<Vec<Rule>>),
    Function(Box<dyn Fn(&Recorded) -> Act + Send + Sync>),
}

/// All that the server does.
pub struct Script {
    pub flavour: Flavour,
    /// What `/models` says; `None`: there is no such list.
    pub models: Option<Vec<String>>,
    /// The key that is asked for.
    pub key: Option<String>,
    answers: Answers,
}

/// A script as it stands in a file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct InFile {
    #[serde(default)]
    flavour: Flavour,
    #[serde(default)]
    models: Option<Vec<String>>,
    #[serde(default)]
    key: Option<String>,
    rules: Vec<Rule>,
}

impl Script {
    /// One answer after the other; the last one again and again.
    pub fn queue(acts: impl IntoIterator<Item = Act>) -> Self {
        let mut rules: Vec<Rule> = acts
            .into_iter()
            .map(|act| Rule { when: None, model: None, times: Some(1), act })
            .collect();
        if let Some(last) = rules.last_mut() {
            last.times = None;
        }
        Self::of(Answers::Rules(Mutex::new(rules)))
    }

    /// Always the same answer.
    pub fn always(act: Act) -> Self {
        Self::queue([act])
    }

    /// What the function says.
    pub fn by(function: impl Fn(&Recorded) -> Act + Send + Sync + 'static) -> Self {
        Self::of(Answers::Function(Box::new(function)))
    }

    /// A script out of a file: `{"flavour", "models", "key", "rules": [{"when", "model", "times",
    /// "act"}]}`; the first rule that fits answers.
    pub fn parse(text: &str) -> Result<Self, serde_json::Error> {
        let file: InFile = serde_json::from_str(text)?;
        let script = Self::of(Answers::Rules(Mutex::new(file.rules)));
        Ok(Self { flavour: file.flavour, models: file.models, key: file.key, ..script })
    }

    fn of(answers: Answers) -> Self {
        Self { flavour: Flavour::default(), models: None, key: None, answers }
    }

    pub fn flavour(self, flavour: Flavour) -> Self {
        Self { flavour, ..self }
    }

    pub fn models(self, ids: &[&str]) -> Self {
        Self { models: Some(ids.iter().map(|id| (*id).to_owned()).collect()), ..self }
    }

    pub fn key(self, key: &str) -> Self {
        Self { key: Some(key.to_owned()), ..self }
    }

    /// The answer to a question.
    pub fn act(&self, question: &Recorded) -> Act {
        let nothing = || Act::Status {
            code: 500,
            headers: BTreeMap::new(),
            body: json!({"error": {"code": 500, "message": "no rule of the script fits"}}),
        };
        match &self.answers {
            Answers::Function(function) => function(question),
            Answers::Rules(rules) => {
                let Ok(mut rules) = rules.lock() else { return nothing() };
                let text = question.body.to_string();
                let model = question.body.get("model").and_then(Value::as_str);
                let fitting = rules.iter_mut().find(|rule| {
                    rule.times != Some(0)
                        && rule.when.as_ref().is_none_or(|when| text.contains(when))
                        && rule.model.as_ref().is_none_or(|m| Some(m.as_str()) == model)
                });
                let Some(rule) = fitting else { return nothing() };
                rule.times = rule.times.map(|times| times - 1);
                rule.act.clone()
            }
        }
    }
}
