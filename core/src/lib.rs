//! The pure tier of sentinel-tui.
//!
//! No I/O, no clock, no environment, no async runtime: time arrives inside the signal, so that
//! everything here can be recorded, replayed and tested without a machine around it.
//!
//! Map, in dependency order:
//! - [`domain`] what is true: containers, log lines, anomalies, incidents, plans, events
//! - [`redact`] secrets out, display-safe text: the only way text from outside gets in
//! - [`detect`] signals in, anomalies out
//! - [`diagnose`] anomalies and topology in, a diagnosis with evidence and plan out
//! - [`policy`] how risky a call is and whether it may run without a person
//! - [`consult`] what language models are shown, and what is made of their answers
//! - [`report`] words about incidents: explanation, postmortem, what was seen before
//! - [`runbook`] what people wrote down for a kind of failure, found again
//! - [`engine`] the incident life cycle: state + signal + now -> effects
//! - [`answer`] questions about an incident or a container, answered from stored facts
//! - [`session`] detectors and engine as one thing that can be recorded and replayed

pub mod answer;
pub mod consult;
pub mod detect;
pub mod diagnose;
pub mod domain;
pub mod engine;
pub mod policy;
pub mod redact;
pub mod report;
pub mod runbook;
pub mod session;
