//! What triage makes of an anomaly.

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use crate::domain::severity::Severity;

/// What triage made of an anomaly. It explains and ranks; it closes nothing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Judgement {
    /// The model.
    pub model: String,
    /// How bad it takes it to be.
    pub severity: Severity,
    /// What kind of trouble it sees, in a word or two, redacted.
    pub kind: String,
    /// One sentence, redacted.
    pub summary: String,
    /// The line that it quotes, if it is one that it was shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quote: Option<String>,
}

/// One of triage's verdicts as it came, before anything of it is checked.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Verdict {
    /// Which of the subjects: its id in the batch.
    #[serde(deserialize_with = "text")]
    pub id: String,
    /// Name of a severity.
    #[serde(deserialize_with = "text")]
    pub severity: String,
    /// In a word or two.
    #[serde(deserialize_with = "text")]
    pub kind: String,
    /// One sentence.
    #[serde(deserialize_with = "text")]
    pub summary: String,
    /// A line of the samples, word for word.
    #[serde(deserialize_with = "text")]
    pub quote: String,
}

/// Text, however a model wrote it.
pub(crate) fn text<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    Ok(match Value::deserialize(from)? {
        Value::String(text) => text,
        Value::Null => String::new(),
        other => other.to_string(),
    })
}
