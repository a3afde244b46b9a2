//! Answers to questions about an incident or a container, from rules and stored facts alone. Start
//! at [`answer`]. Nothing here acts or asks for an act: a question that sounds like an order is
//! answered with the key that does it.

pub mod facts;
mod history;
mod sections;
pub mod topic;

use crate::answer::facts::{Facts, Pieces};
use crate::answer::topic::{Topic, topics};
use crate::domain::evidence::Evidence;

/// Topics that one question is answered on.
const MOST_TOPICS: usize = 3;

/// An answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// What is known, in short paragraphs. Evidence is cited as `[e3]`.
    pub text: String,
    /// What is cited: each piece under the id by which the text names it.
    pub evidence: Vec<Evidence>,
    /// What a language model would add to it.
    pub what_a_model_would_add: String,
}

/// Answers a question. Words that mean nothing here lead to a summary.
pub fn answer(question: &str, facts: &Facts<'_>) -> Answer {
    let mut asked = topics(question);
    asked.truncate(MOST_TOPICS);
    let first = asked.first().copied().unwrap_or(Topic::Summary);
    if asked.is_empty() {
        asked.push(Topic::Summary);
    }
    let mut pieces = Pieces::of(facts);
    let mut paragraphs: Vec<String> = Vec::new();
    for topic in asked {
        let paragraph = sections::write(topic, facts, &mut pieces);
        if !paragraph.is_empty() && !paragraphs.contains(&paragraph) {
            paragraphs.push(paragraph);
        }
    }
    Answer {
        text: paragraphs.join("\n\n"),
        evidence: pieces.cited(),
        what_a_model_would_add: first.what_a_model_would_add().to_owned(),
    }
}
