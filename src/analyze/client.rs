//! Questions to one endpoint, and their answers: retried within bounds, in the form that the
//! endpoint understands, by the model that it offers.

use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use secrecy::ExposeSecret;
use tokio::sync::{Semaphore, mpsc};
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;

use crate::analyze::assembly::Assembly;
use crate::analyze::endpoint::{Endpoint, Limits};
use crate::analyze::exchange::{Ear, Exchange};
use crate::analyze::failure::{Asked, Failure, Late};
use crate::analyze::models::{Chosen, offered};
use crate::analyze::price::Prices;
use crate::analyze::repair::extract;
use crate::analyze::reply::{Ask, Finish, Form, Heard, Reply, Usage};
use crate::analyze::retry::{LONGEST_WAIT, backoff};
use crate::analyze::state::{ClientState, Habits, Known};
use crate::analyze::transport::Transport;
use crate::analyze::wire::{Way, request};

/// Bytes of a token, on the low side: logs have shorter ones than prose.
const BYTES_PER_TOKEN: u64 = 3;

/// Asks one endpoint.
pub struct Client {
    http: reqwest::Client,
    endpoint: Endpoint,
    limits: Limits,
    prices: Prices,
    turns: Semaphore,
    known: Mutex<Known>,
}

/// Neither the key nor a proxy's password can get into it.
impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("endpoint", &self.endpoint).finish_non_exhaustive()
    }
}

/// What one try gave.
struct Answer {
    assembly: Assembly,
    usage: Usage,
}

impl Client {
    /// A client; nothing is sent yet.
    pub fn new(
        endpoint: Endpoint,
        limits: Limits,
        prices: Prices,
        transport: Transport,
    ) -> Result<Self, Failure> {
        let http = transport
            .client(&endpoint.base)
            .map_err(|words| Failure::Setup { asked: Box::new(endpoint.asked(None)), words })?;
        let turns = Semaphore::new(limits.concurrency.clamp(1, Semaphore::MAX_PERMITS));
        Ok(Self { http, endpoint, limits, prices, turns, known: Mutex::default() })
    }

    /// Asks, and waits for the whole answer; its pieces are told to `heard` as they come. The
    /// request is given up when `stop` is cancelled, or when the future is dropped.
    pub async fn ask(
        &self,
        ask: &Ask,
        stop: &CancellationToken,
        heard: Option<mpsc::Sender<Heard>>,
    ) -> Result<Reply, Failure> {
        let began = Instant::now();
        let tries = self.limits.retries.saturating_add(1);
        let whole = self.limits.whole.saturating_mul(tries);
        let outcome = tokio::select! {
            biased;
            () = stop.cancelled() => Err(Failure::Stopped { asked: Box::new(self.asked(None)) }),
            outcome = timeout(whole, self.asked_until_answered(ask, heard)) => {
                outcome.unwrap_or_else(|_| Err(Failure::Slow {
                    asked: Box::new(self.asked(None)),
                    what: Late::End,
                    seconds: whole.as_secs().max(1),
                }))
            }
        };
        let outcome = outcome.map(|reply| Reply { latency: began.elapsed(), ..reply });
        self.known().ended(&outcome);
        if let Ok(reply) = &outcome {
            // Of the texts nothing is logged.
            tracing::info!(
                role = self.endpoint.name,
                model = reply.model,
                prompt_tokens = reply.usage.prompt_tokens,
                completion_tokens = reply.usage.completion_tokens,
                cost_usd = reply.usage.cost_usd,
                milliseconds = u64::try_from(reply.latency.as_millis()).unwrap_or(u64::MAX),
                "a model answered"
            );
        }
        outcome
    }

    /// Which of the configured models the endpoint offers; the first of them is asked from now on.
    pub async fn check(&self) -> Result<Chosen, Failure> {
        let outcome = offered(&self.http, &self.endpoint, &self.limits).await;
        let mut known = self.known();
        match &outcome {
            Ok(chosen) => {
                known.chosen = Some(chosen.model.clone());
                known.missing = chosen.missing.iter().cloned().collect();
            }
            Err(failure) => known.remember(failure),
        }
        drop(known);
        outcome
    }

    /// How it stands.
    pub fn state(&self) -> ClientState {
        ClientState {
            name: self.endpoint.name.clone(),
            base: self.endpoint.base.to_string(),
            ..self.known().state(&self.endpoint.models, Timestamp::now())
        }
    }

    /// What a question may take at most, for a budget. The cost is `None` where the model's price
    /// is not known.
    pub fn estimate(&self, ask: &Ask) -> Usage {
        let model = self.known().model(&self.endpoint.models).unwrap_or_default();
        let prompt_tokens = tokens(request(ask, &model, Way::Object, true).to_string().len());
        let completion_tokens = u64::from(ask.max_tokens);
        let cost_usd = self.prices.cost(&model, prompt_tokens, completion_tokens);
        Usage { prompt_tokens, completion_tokens, cost_usd, estimated: true }
    }

    async fn asked_until_answered(
        &self,
        ask: &Ask,
        heard: Option<mpsc::Sender<Heard>>,
    ) -> Result<Reply, Failure> {
        self.closed()?;
        // The semaphore is never closed.
        let turn = self.turns.acquire().await;
        if turn.is_err() {
            return Err(Failure::Stopped { asked: Box::new(self.asked(None)) });
        }
        let mut ear = Ear::new(heard);
        let mut wasted = Usage::default();
        let mut tried = 0;
        self.may()?;
        loop {
            let model = self.model().await?;
            let failure = match self.try_once(ask, &model, &mut ear, &mut wasted).await {
                Ok(answer) => {
                    self.known().breaker.succeeded();
                    return Ok(reply(ask, model, answer, &wasted));
                }
                Err(failure) => failure,
            };
            if matches!(failure, Failure::NoModel { .. })
                && self.known().lacks(&model, &self.endpoint.models)
            {
                continue;
            }
            let Some(wait) = self.wait_behind(&failure, tried) else { return Err(failure) };
            tracing::debug!(role = self.endpoint.name, "asking again: {failure}");
            ear.anew().await;
            sleep(wait).await;
            tried += 1;
            self.may()?;
        }
    }

    /// How long to wait before the question is asked again, if it is.
    fn wait_behind(&self, failure: &Failure, tried: u32) -> Option<Duration> {
        let now = Timestamp::now();
        let wanted = failure.wanted_pause(now).map(|p| Duration::try_from(p).unwrap_or_default());
        let mut known = self.known();
        known.remember(failure);
        if failure.is_the_endpoints() {
            known.breaker.failed(now);
        } else {
            // It answers, though not to this question.
            known.breaker.succeeded();
        }
        if let (Some(pause), Some(until)) = (wanted, failure.until())
            && pause > LONGEST_WAIT
        {
            known.breaker.rest_until(now, until);
        }
        let open = known.breaker.open_until(now).is_some();
        drop(known);
        if open || !failure.is_transient() || tried >= self.limits.retries {
            return None;
        }
        Some(backoff(tried, fastrand::f64()).max(wanted.unwrap_or_default()))
    }

    /// The model to ask. Where none is configured the endpoint is asked what it offers.
    async fn model(&self) -> Result<String, Failure> {
        let known = self.known().model(&self.endpoint.models);
        match known {
            Some(model) => Ok(model),
            None => self.check().await.map(|chosen| chosen.model),
        }
    }

    /// One try, in each form until one is understood.
    async fn try_once(
        &self,
        ask: &Ask,
        model: &str,
        ear: &mut Ear,
        wasted: &mut Usage,
    ) -> Result<Answer, Failure> {
        let mut habits = self.known().habits.get(model).copied().unwrap_or_default();
        let found = habits;
        loop {
            let body = request(ask, model, habits.way, habits.with_usage).to_string();
            match self.exchange(model, body, ear, wasted).await {
                Ok(answer) => {
                    // What was refused before is remembered only now: it was the form, and not the
                    // question.
                    if habits != found {
                        self.known().habits.insert(model.to_owned(), habits);
                    }
                    return Ok(answer);
                }
                Err(failure) => {
                    habits = simpler(habits, &ask.form, &failure).ok_or(failure)?;
                }
            }
        }
    }

    async fn exchange(
        &self,
        model: &str,
        body: String,
        ear: &mut Ear,
        wasted: &mut Usage,
    ) -> Result<Answer, Failure> {
        let key = self.endpoint.key.as_ref().map(ExposeSecret::expose_secret);
        let exchange = Exchange::new(self.endpoint.asked(Some(model)), &self.limits, key);
        let mut assembly = Assembly::new(self.limits.reply_bytes);
        let mut request = self.http.post(self.endpoint.path("chat/completions"));
        if let Some(key) = key {
            request = request.bearer_auth(key);
        }
        let sent = body.len();
        let outcome = exchange.run(request, body, &mut assembly, ear).await;
        let usage = self.usage(model, &assembly, sent);
        match outcome {
            Ok(()) => Ok(Answer { assembly, usage }),
            Err(failure) => {
                // What had begun to come is paid for.
                if assembly.bytes() > 0 {
                    *wasted = sum(&usage, wasted);
                }
                Err(failure)
            }
        }
    }

    /// What an answer took, as the endpoint says or as its length tells.
    fn usage(&self, model: &str, assembly: &Assembly, sent: usize) -> Usage {
        let said = assembly.usage.unwrap_or_default();
        let estimated = said.prompt_tokens.is_none() || said.completion_tokens.is_none();
        let prompt_tokens = said.prompt_tokens.unwrap_or_else(|| tokens(sent));
        let completion_tokens = said.completion_tokens.unwrap_or_else(|| tokens(assembly.bytes()));
        let cost = |model: &str| self.prices.cost(model, prompt_tokens, completion_tokens);
        let cost_usd = said
            .cost
            .filter(|cost| cost.is_finite() && *cost >= 0.0)
            .or_else(|| assembly.model.as_deref().and_then(cost))
            .or_else(|| cost(model));
        Usage { prompt_tokens, completion_tokens, cost_usd, estimated }
    }

    fn closed(&self) -> Result<(), Failure> {
        let known = self.known();
        match known.breaker.open_until(Timestamp::now()) {
            None => Ok(()),
            Some(until) => Err(self.resting(until, &known)),
        }
    }

    fn may(&self) -> Result<(), Failure> {
        let mut known = self.known();
        let may = known.breaker.may(Timestamp::now());
        may.map_err(|until| self.resting(until, &known))
    }

    fn resting(&self, until: Timestamp, known: &Known) -> Failure {
        Failure::Resting { asked: Box::new(self.asked(None)), until, last: known.last_words() }
    }

    fn asked(&self, model: Option<&str>) -> Asked {
        self.endpoint.asked(model)
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        // What it holds is counted and remembered one by one: no panic can leave it half done.
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The next simpler way to ask, if the failure may come from the form.
fn simpler(habits: Habits, form: &Form, failure: &Failure) -> Option<Habits> {
    let Failure::Refused { status: 400 | 422, words, .. } = failure else { return None };
    if habits.with_usage && words.mention("stream_options") {
        return Some(Habits { with_usage: false, ..habits });
    }
    if matches!(form, Form::Text) {
        return None;
    }
    habits.way.next().map(|way| Habits { way, ..habits })
}

fn reply(ask: &Ask, asked: String, answer: Answer, wasted: &Usage) -> Reply {
    let Answer { mut assembly, usage } = answer;
    let calls = assembly.take_calls();
    let text = assembly.text;
    let found = match &ask.form {
        Form::Text => None,
        // What a model thinks aloud is no part of its answer.
        Form::Schema { .. } => {
            extract(text.rsplit_once("</think>").map_or(text.as_str(), |(_, answer)| answer))
        }
    };
    Reply {
        repaired: found.as_ref().is_some_and(|found| found.repaired),
        json: found.map(|found| found.value),
        text,
        calls,
        model: assembly.model.unwrap_or(asked),
        usage: if wasted.tokens() > 0 { sum(&usage, wasted) } else { usage },
        latency: Duration::ZERO,
        finish: assembly.finish.unwrap_or(Finish::Stop),
    }
}

fn sum(a: &Usage, b: &Usage) -> Usage {
    let known = |usage: &Usage| usage.cost_usd.or((usage.tokens() == 0).then_some(0.0));
    Usage {
        prompt_tokens: a.prompt_tokens.saturating_add(b.prompt_tokens),
        completion_tokens: a.completion_tokens.saturating_add(b.completion_tokens),
        cost_usd: known(a).zip(known(b)).map(|(a, b)| a + b),
        estimated: a.estimated || b.estimated,
    }
}

/// Tokens of a text of this length.
fn tokens(bytes: usize) -> u64 {
    u64::try_from(bytes).unwrap_or(u64::MAX).div_ceil(BYTES_PER_TOKEN)
}
