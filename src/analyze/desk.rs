//! One role's model behind the common purse: nothing is asked that the budget does not cover.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use sentinel_core::domain::opinion::{Answered, ModelView, Role};
use tokio::sync::{Notify, mpsc};
use tokio_util::sync::CancellationToken;

use crate::analyze::budget::{Capped, Ledger};
use crate::analyze::client::Client;
use crate::analyze::failure::Failure;
use crate::analyze::reply::{Ask, Finish, Heard, Reply, Usage};

/// What all roles spend together.
#[derive(Debug)]
pub struct Purse {
    ledger: Mutex<Ledger>,
    /// Something was spent, or failed.
    pub changed: Notify,
}

impl Purse {
    /// A purse with what was spent in earlier runs.
    pub fn new(ledger: Ledger) -> Self {
        Self { ledger: Mutex::new(ledger), changed: Notify::new() }
    }

    /// The ledger.
    pub fn ledger(&self) -> MutexGuard<'_, Ledger> {
        // Its windows are changed one slot at a time: no panic can leave it half done.
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// In a sentence.
    pub why: String,
    /// Asking before is in vain.
    pub until: Option<Timestamp>,
}

/// One role.
#[derive(Debug)]
pub struct Desk {
    role: Role,
    client: Client,
    purse: Arc<Purse>,
    /// The budget that is used up.
    capped: Mutex<Option<Capped>>,
}

impl Desk {
    /// A role with its client.
    pub fn new(role: Role, client: Client, purse: Arc<Purse>) -> Self {
        Self { role, client, purse, capped: Mutex::new(None) }
    }

    /// Asks, if the budget covers it.
    pub async fn ask(
        &self,
        ask: &Ask,
        stop: &CancellationToken,
        heard: Option<mpsc::Sender<Heard>>,
    ) -> Result<Reply, Refusal> {
        let estimate = self.client.estimate(ask);
        if let Err(capped) = self.reserve(&estimate) {
            self.purse.changed.notify_one();
            return Err(Refusal { why: capped.to_string(), until: Some(capped.until) });
        }
        let outcome = self.client.ask(ask, stop, heard).await;
        if let Ok(reply) = &outcome {
            self.purse.ledger().spent(Timestamp::now(), &reply.usage);
        }
        self.purse.changed.notify_one();
        outcome.map_err(|failure| Refusal { why: failure.to_string(), until: until(&failure) })
    }

    fn reserve(&self, estimate: &Usage) -> Result<(), Capped> {
        let may = self.purse.ledger().may(Timestamp::now(), estimate);
        *self.capped.lock().unwrap_or_else(PoisonError::into_inner) = may.err();
        may
    }

    /// Asks which models the endpoint offers, so that it is known before one is needed.
    pub async fn check(&self) {
        // What is wrong stands in the client's state.
        if let Err(failure) = self.client.check().await {
            tracing::info!("{failure}");
        }
    }

    /// How it fares.
    pub fn view(&self, now: Timestamp) -> ModelView {
        let state = self.client.state();
        let capped = *self.capped.lock().unwrap_or_else(PoisonError::into_inner);
        let capped = capped.filter(|c| c.until > now).map(|c| c.to_string());
        let host = url::Url::parse(&state.base).ok();
        let host = host.and_then(|u| u.host_str().map(str::to_owned));
        ModelView {
            role: self.role,
            endpoint: host.unwrap_or(state.base),
            model: state.model,
            calls: state.calls,
            failures: state.failures,
            tokens: state.prompt_tokens.saturating_add(state.completion_tokens),
            cost_usd: state.cost_usd,
            last_latency_ms: state
                .latency
                .map(|l| u64::try_from(l.as_millis()).unwrap_or(u64::MAX)),
            // Counted by the engine.
            waiting: 0,
            dropped: 0,
            trouble: capped.or(state.last_failure),
        }
    }
}

fn until(failure: &Failure) -> Option<Timestamp> {
    match failure {
        Failure::Resting { until, .. } => Some(*until),
        other => other.until(),
    }
}

/// What several replies took together.
pub fn answered(replies: &[Reply]) -> Answered {
    let sum = |of: fn(&Reply) -> u64| replies.iter().map(of).fold(0, u64::saturating_add);
    let costs: Option<Vec<f64>> = replies.iter().map(|r| r.usage.cost_usd).collect();
    Answered {
        model: replies.last().map(|r| r.model.clone()).unwrap_or_default(),
        prompt_tokens: sum(|r| r.usage.prompt_tokens),
        completion_tokens: sum(|r| r.usage.completion_tokens),
        cost_usd: costs.map(|all| all.iter().sum()),
        mended: replies.last().is_some_and(|r| r.repaired || r.finish == Finish::Length),
        latency_ms: sum(|r| u64::try_from(r.latency.as_millis()).unwrap_or(u64::MAX)),
    }
}
