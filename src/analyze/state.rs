//! What a client has learned about its endpoint, and what it shows of that.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;

use crate::analyze::breaker::Breaker;
use crate::analyze::failure::Failure;
use crate::analyze::reply::{Reply, Usage};
use crate::analyze::wire::Way;

/// How a client stands, to be shown.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ClientState {
    /// `triage` or `analyst`.
    pub name: String,
    /// The endpoint's address.
    pub base: String,
    /// The model that answered last, or will be asked next.
    pub model: Option<String>,
    /// The circuit breaker is open until then.
    pub open_until: Option<Timestamp>,
    /// What the endpoint does not understand, as `model: form`.
    pub refused: Vec<String>,
    /// Models that it does not offer.
    pub missing: Vec<String>,
    /// The last failure; `None` once a question was answered again.
    pub last_failure: Option<String>,
    /// Questions that were answered.
    pub calls: u64,
    /// Questions that were not.
    pub failures: u64,
    /// Tokens that were sent.
    pub prompt_tokens: u64,
    /// Tokens that came back.
    pub completion_tokens: u64,
    /// What the answers cost whose price is known.
    pub cost_usd: f64,
    /// Answers whose price is not known.
    pub unpriced: u64,
    /// How long the last answer took.
    pub latency: Option<Duration>,
}

/// How a model may be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Habits {
    /// The strictest way that it understands, as far as is known.
    pub way: Way,
    /// It understands the question for usage.
    pub with_usage: bool,
}

impl Default for Habits {
    fn default() -> Self {
        Self { way: Way::Schema, with_usage: true }
    }
}

/// What a client has learned. Bounded by the number of models that are configured or offered.
#[derive(Debug, Default)]
pub(crate) struct Known {
    pub breaker: Breaker,
    pub habits: BTreeMap<String, Habits>,
    /// The model that the list of models was searched for.
    pub chosen: Option<String>,
    pub missing: BTreeSet<String>,
    answered: Option<String>,
    last_failure: Option<String>,
    calls: u64,
    failures: u64,
    spent: Usage,
    cost: f64,
    unpriced: u64,
    latency: Option<Duration>,
}

impl Known {
    /// The model to ask.
    pub(crate) fn model(&self, configured: &[String]) -> Option<String> {
        self.chosen
            .clone()
            .or_else(|| configured.iter().find(|m| !self.missing.contains(*m)).cloned())
    }

    /// The endpoint does not have a model. Whether there is another one to ask.
    pub(crate) fn lacks(&mut self, model: &str, configured: &[String]) -> bool {
        self.missing.insert(model.to_owned());
        self.chosen = None;
        if self.model(configured).is_some() {
            return true;
        }
        // All are gone, or the address is wrong: the next question begins with the first again.
        self.missing.clear();
        false
    }

    /// Takes down how a question ended.
    pub(crate) fn ended(&mut self, outcome: &Result<Reply, Failure>) {
        match outcome {
            Ok(reply) => {
                self.calls += 1;
                self.last_failure = None;
                self.answered = Some(reply.model.clone());
                self.latency = Some(reply.latency);
                let usage = &reply.usage;
                let spent = &mut self.spent;
                spent.prompt_tokens = spent.prompt_tokens.saturating_add(usage.prompt_tokens);
                spent.completion_tokens =
                    spent.completion_tokens.saturating_add(usage.completion_tokens);
                match usage.cost_usd {
                    Some(cost) => self.cost += cost,
                    None => self.unpriced += 1,
                }
            }
            // Somebody did not want to know any more, or nobody was asked.
            Err(Failure::Stopped { .. } | Failure::Resting { .. }) => {}
            Err(failure) => self.failed(failure),
        }
    }

    fn failed(&mut self, failure: &Failure) {
        self.failures += 1;
        self.last_failure = Some(failure.to_string());
    }

    /// Words for an open breaker.
    pub(crate) fn last_words(&self) -> String {
        self.last_failure.clone().unwrap_or_else(|| "it did not answer".to_owned())
    }

    /// Takes down a failure that more tries may follow.
    pub(crate) fn remember(&mut self, failure: &Failure) {
        self.last_failure = Some(failure.to_string());
    }

    /// What is shown.
    pub(crate) fn state(&self, configured: &[String], now: Timestamp) -> ClientState {
        let refused = self.habits.iter().flat_map(|(model, habits)| {
            let schema = (habits.way > Way::Schema).then_some(Way::Schema.as_str());
            let object = (habits.way > Way::Object).then_some(Way::Object.as_str());
            let usage = (!habits.with_usage).then_some("stream_options");
            [schema, object, usage].into_iter().flatten().map(move |w| format!("{model}: {w}"))
        });
        ClientState {
            name: String::new(),
            base: String::new(),
            model: self.answered.clone().or_else(|| self.model(configured)),
            open_until: self.breaker.open_until(now),
            refused: refused.collect(),
            missing: self.missing.iter().cloned().collect(),
            last_failure: self.last_failure.clone(),
            calls: self.calls,
            failures: self.failures,
            prompt_tokens: self.spent.prompt_tokens,
            completion_tokens: self.spent.completion_tokens,
            cost_usd: self.cost,
            unpriced: self.unpriced,
            latency: self.latency,
        }
    }
}
