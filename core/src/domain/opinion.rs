//! What language models said: taken as an opinion, checked by code, never as an order.

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

use crate::domain::diagnosis::Action;
use crate::domain::evidence::Evidence;
use crate::domain::failure::FailureClass;
use crate::domain::ids::IncidentId;
use crate::domain::judgement::{Verdict, text};

/// What a model is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Judges, fast and cheap, what the detectors single out.
    Triage,
    /// Explains an incident.
    Analyst,
}

impl Role {
    /// The wire name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Triage => "triage",
            Self::Analyst => "analyst",
        }
    }
}

/// Who answered, and what it took.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Answered {
    /// The model that answered, as its endpoint names it.
    pub model: String,
    /// Tokens sent, over all rounds.
    pub prompt_tokens: u64,
    /// Tokens received, over all rounds.
    pub completion_tokens: u64,
    /// In US dollars; `None`: no price is known for the model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost_usd: Option<f64>,
    /// From the first request to the last piece.
    pub latency_ms: u64,
    /// The answer was cut off, or was no valid document, and was mended.
    #[serde(default)]
    pub mended: bool,
}

/// One statement of a model, with what it says supports it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Statement {
    /// The statement.
    #[serde(deserialize_with = "text")]
    pub text: String,
    /// Ids of the evidence that it names.
    #[serde(deserialize_with = "texts")]
    pub evidence: Vec<String>,
}

/// One step that a model would take.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Proposed {
    /// Name of a tool.
    #[serde(deserialize_with = "text")]
    pub tool: String,
    /// Name of a container.
    #[serde(deserialize_with = "text")]
    pub target: String,
    /// Further arguments.
    #[serde(deserialize_with = "object")]
    pub arguments: Map<String, Value>,
    /// Why it would help.
    #[serde(deserialize_with = "text")]
    pub reason: String,
}

/// The analyst's answer as it came, before anything of it is checked. What is missing is empty:
/// models leave things out.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Analysis {
    /// Name of a failure class.
    #[serde(deserialize_with = "text")]
    pub class: String,
    /// Name of the container at fault.
    #[serde(deserialize_with = "text")]
    pub root: String,
    /// 0 to 1.
    #[serde(deserialize_with = "number")]
    pub confidence: f64,
    /// The cause in one sentence.
    #[serde(deserialize_with = "text")]
    pub cause: String,
    /// What it rests on.
    #[serde(deserialize_with = "list")]
    pub claims: Vec<Statement>,
    /// What it would do, in order.
    #[serde(deserialize_with = "list")]
    pub plan: Vec<Proposed>,
    /// What a person should do where no step is safe.
    #[serde(deserialize_with = "text")]
    pub advice: String,
}

fn texts<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<String>, D::Error> {
    let word = |value: Value| match value {
        Value::String(text) => Some(text),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    };
    Ok(match Value::deserialize(from)? {
        Value::Array(all) => all.into_iter().filter_map(word).collect(),
        one => word(one).into_iter().collect(),
    })
}

fn object<'de, D: Deserializer<'de>>(from: D) -> Result<Map<String, Value>, D::Error> {
    Ok(match Value::deserialize(from)? {
        Value::Object(map) => map,
        // Arguments as text, as tool calls have them.
        Value::String(text) => serde_json::from_str(&text).unwrap_or_default(),
        _ => Map::new(),
    })
}

/// A share of one; models also write percent, and words.
fn number<'de, D: Deserializer<'de>>(from: D) -> Result<f64, D::Error> {
    let read = match Value::deserialize(from)? {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.trim().trim_end_matches('%').trim().parse().ok(),
        _ => None,
    };
    let number = read.filter(|n: &f64| n.is_finite()).unwrap_or(0.0);
    Ok(if number > 1.0 { number / 100.0 } else { number }.clamp(0.0, 1.0))
}

/// Those entries of a list that can be read.
fn list<'de, D: Deserializer<'de>, T: serde::de::DeserializeOwned>(
    from: D,
) -> Result<Vec<T>, D::Error> {
    Ok(match Value::deserialize(from)? {
        Value::Array(all) => {
            all.into_iter().filter_map(|one| serde_json::from_value(one).ok()).collect()
        }
        _ => Vec::new(),
    })
}

/// A read-only call that the analyst made to look further.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Looked {
    /// Under this id a claim may name what came back.
    pub id: String,
    /// The tool.
    pub tool: String,
    /// Name of the container, if the call was about one.
    pub target: String,
    /// Whether it worked.
    pub ok: bool,
    /// What came back, redacted and cut.
    pub excerpt: String,
}

/// What code made of the analyst's word for the class and the root.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Agreement {
    /// The same class and the same container.
    Agrees,
    /// The same container, for another reason.
    OtherClass,
    /// Another container.
    OtherRoot,
    /// It does not say, or names what does not exist.
    Undecided,
}

impl Agreement {
    /// In words that follow "the analyst".
    pub fn words(self) -> &'static str {
        match self {
            Self::Agrees => "agrees with the rules",
            Self::OtherClass => "sees another cause than the rules",
            Self::OtherRoot => "blames another container than the rules",
            Self::Undecided => "names no cause that can be checked",
        }
    }
}

/// One claim, and whether what it names exists.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Claim {
    /// The claim, redacted.
    pub text: String,
    /// The pieces of evidence that it names and that exist.
    pub evidence: Vec<Evidence>,
    /// It names at least one piece of evidence, and all that it names exist.
    pub supported: bool,
}

/// What the analyst would do, as far as code lets it through.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Proposal {
    /// Its steps in words: `restart_container api`.
    pub words: Vec<String>,
    /// The same as calls that sentinel-tui itself composed; empty if any step was refused.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub actions: Vec<Action>,
    /// Why it is not staged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<String>,
}

/// The analyst's opinion of an incident, checked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Opinion {
    /// When it came.
    pub at: Timestamp,
    /// Whose it is.
    pub by: Answered,
    /// The class that it names, if there is such a class.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class: Option<FailureClass>,
    /// The container that it blames, if there is such a container.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub root: Option<String>,
    /// How sure it says it is, 0 to 1.
    pub confidence: f64,
    /// The cause in its words, redacted.
    pub cause: String,
    /// What it rests on.
    pub claims: Vec<Claim>,
    /// Whether it agrees with the rules as they were when it was asked.
    pub agreement: Agreement,
    /// What it would do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proposal: Option<Proposal>,
    /// What it says a person should do.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub advice: String,
    /// How it looked further.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub looked: Vec<Looked>,
    /// What of its answer did not stand up to the check.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub problems: Vec<String>,
}

/// How one of the two roles fares, for front ends.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ModelView {
    /// Which.
    pub role: Role,
    /// Where it is asked: host name of the endpoint.
    pub endpoint: String,
    /// The model that answers, once known.
    pub model: Option<String>,
    /// Requests that were answered.
    pub calls: u64,
    /// Requests that failed.
    pub failures: u64,
    /// Tokens sent and received since the start.
    pub tokens: u64,
    /// US dollars since the start, as far as prices are known.
    pub cost_usd: f64,
    /// How long the last answer took.
    pub last_latency_ms: Option<u64>,
    /// Anomalies that wait to be judged.
    #[serde(default)]
    pub waiting: usize,
    /// Anomalies that were never judged, for want of room.
    #[serde(default)]
    pub dropped: u64,
    /// What keeps it from working, and until when.
    #[serde(default)]
    pub trouble: Option<String>,
}

/// What comes back from asking a model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "word", rename_all = "snake_case")]
pub enum ModelWord {
    /// An analysis, unchecked.
    Analyzed {
        /// Of which incident.
        incident: IncidentId,
        /// As it came.
        analysis: Box<Analysis>,
        /// How it looked further.
        looked: Vec<Looked>,
        /// Whose it is.
        by: Answered,
    },
    /// There is no analysis.
    NotAnalyzed {
        /// Of which incident.
        incident: IncidentId,
        /// Why, in a sentence.
        why: String,
    },
    /// Verdicts about a batch, unchecked.
    Judged {
        /// Which batch.
        batch: u64,
        /// As they came.
        verdicts: Vec<Verdict>,
        /// Whose they are.
        by: Answered,
    },
    /// There are no verdicts: nothing is judged, which is not to say that all is well.
    NotJudged {
        /// Which batch.
        batch: u64,
        /// Why, in a sentence.
        why: String,
        /// Asking before is in vain.
        until: Option<Timestamp>,
    },
    /// A closed incident, explained for people who were not there.
    Explained {
        /// Which incident.
        incident: IncidentId,
        /// Two short paragraphs, as they came.
        text: String,
        /// Whose they are.
        by: Answered,
    },
    /// How one of the roles fares.
    State {
        /// Now.
        view: ModelView,
    },
}
