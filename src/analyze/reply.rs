//! What is asked of a model and what comes back, in words of our own.

use std::time::Duration;

use serde_json::{Map, Value};

/// One question.
#[derive(Clone, Debug, PartialEq)]
pub struct Ask {
    /// The conversation so far.
    pub messages: Vec<Message>,
    /// The form that the answer must have.
    pub form: Form,
    /// Tools that may be called.
    pub tools: Vec<ToolSpec>,
    /// Tokens that the answer may have.
    pub max_tokens: u32,
    /// How much chance is in it: 0 for the same answer each time.
    pub temperature: f32,
}

/// The form of an answer.
#[derive(Clone, Debug, PartialEq)]
pub enum Form {
    /// Prose.
    Text,
    /// A JSON document of this schema; as far as the endpoint can, it is made to keep to it.
    Schema {
        /// A short name for the schema: letters, digits, `_` and `-`.
        name: String,
        /// The schema.
        schema: Value,
    },
}

/// One message of a conversation.
#[derive(Clone, Debug, PartialEq)]
pub enum Message {
    /// Our own instructions.
    System(String),
    /// What it is about.
    User(String),
    /// What the model said before.
    Assistant {
        /// Its text.
        text: String,
        /// The tools that it called.
        calls: Vec<Call>,
    },
    /// What a tool answered.
    Tool {
        /// The call that this answers.
        call_id: String,
        /// The answer.
        text: String,
    },
}

/// A tool that the model may call.
#[derive(Clone, Debug, PartialEq)]
pub struct ToolSpec {
    /// Its name.
    pub name: String,
    /// What it does.
    pub description: String,
    /// The schema of its arguments.
    pub parameters: Value,
}

/// A call that the model makes.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    /// The id that its answer must name.
    pub id: String,
    /// The tool's name, as the model wrote it.
    pub name: String,
    /// The arguments: an object, or a string with what the model wrote where that is no object
    /// and cannot be mended into one.
    pub arguments: Value,
}

impl Call {
    /// The arguments, or a sentence that can be returned to the model.
    pub fn object(&self) -> Result<&Map<String, Value>, String> {
        self.arguments.as_object().ok_or_else(|| {
            format!(
                "the arguments of {} are no valid JSON object: call it again with one",
                self.name
            )
        })
    }
}

/// An answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Reply {
    /// The text, as it came: whoever shows or keeps it cleans it.
    pub text: String,
    /// The document in it, where one was asked for and could be found.
    pub json: Option<Value>,
    /// The document was not valid as it came.
    pub repaired: bool,
    /// Tools that the model calls.
    pub calls: Vec<Call>,
    /// The model that answered, as the endpoint names it.
    pub model: String,
    /// What it took, tries that failed half-way included.
    pub usage: Usage,
    /// From the question to the end of the answer, retries included.
    pub latency: Duration,
    /// Why the answer ends.
    pub finish: Finish,
}

/// What a call took.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Usage {
    /// Tokens that were sent.
    pub prompt_tokens: u64,
    /// Tokens that came back.
    pub completion_tokens: u64,
    /// What it cost, where that is known.
    pub cost_usd: Option<f64>,
    /// The endpoint did not say: counted from the length of the texts.
    pub estimated: bool,
}

impl Usage {
    /// All tokens.
    pub fn tokens(&self) -> u64 {
        self.prompt_tokens.saturating_add(self.completion_tokens)
    }
}

/// Why an answer ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finish {
    /// It is complete.
    Stop,
    /// It has as many tokens as it may have.
    Length,
    /// The model waits for its tools.
    ToolCalls,
    /// The endpoint kept it back.
    ContentFilter,
    /// The endpoint's own word.
    Other(String),
}

/// What is heard while an answer comes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Heard {
    /// The next piece of its text.
    Piece(String),
    /// It begins anew: the pieces so far are void.
    Anew,
}
