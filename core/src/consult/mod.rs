//! Asking language models, the pure half: what they are shown, what they may look at, and what code
//! makes of their answers.
//!
//! - [`brief`] an incident as evidence with ids, within a budget, the most telling first
//! - [`check`] an analysis becomes an opinion: every id, name and step is looked up
//! - [`menu`] tools to look with, and the steps that may be proposed, composed by us
//! - [`triage`] which anomalies are worth a judgement, and what was judged before
//! - [`look`] read-only calls that the analyst may make
//! - [`unvalued`] sentences of the rules without the values of variables
//!
//! A model explains, ranks and proposes. It never opens an incident alone, never closes one, never
//! approves, and none of its words becomes an argument of a call.

pub mod brief;
pub mod check;
pub mod look;
pub mod menu;
mod pieces;
pub mod triage;
pub mod unvalued;

use crate::redact;

/// Bytes of a sentence that a model wrote.
pub(crate) const SENTENCE: usize = 400;

/// A model's words, made safe to show and keep. One line.
pub(crate) fn words(text: &str, bytes: usize) -> String {
    let line: Vec<&str> = text.split_whitespace().collect();
    redact::clean(line.join(" ").as_bytes(), bytes)
}
