//! The two roles together: what the runtime asks, in the words of the core.

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use jiff::Timestamp;
use sentinel_core::consult::brief::Brief;
use sentinel_core::consult::triage::Batch;
use sentinel_core::domain::ids::IncidentId;
use sentinel_core::domain::incident::Incident;
use sentinel_core::domain::judgement::Verdict;
use sentinel_core::domain::opinion::{Analysis, Answered, ModelView, ModelWord, Role};
use sentinel_core::domain::signal::Signal;
use sentinel_core::engine::consulting::Roles;
use sentinel_core::redact;
use serde::Deserialize;
use tokio::sync::mpsc;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::analyze::budget::Ledger;
use crate::analyze::client::Client;
use crate::analyze::desk::{Desk, Purse, Refusal, answered};
use crate::analyze::endpoint::{Endpoint, Limits};
use crate::analyze::failure::Failure;
use crate::analyze::price::Prices;
use crate::analyze::prompt::{self, Prompt};
use crate::analyze::reply::{Ask, Form, Heard, Message};
use crate::analyze::rounds::{Listener, Outcome, Question, converse};
use crate::analyze::transport::Transport;
use crate::config::models::ModelSettings;
use crate::ports::{Inquiry, LearnedLog, Models, PortError, ReadTools, Said, Store};

/// Tokens of an analysis.
const ANALYSIS_TOKENS: u32 = 1500;
/// Tokens of verdicts about a batch.
const TRIAGE_TOKENS: u32 = 1500;
/// Tokens of an explanation or an answer.
const PROSE_TOKENS: u32 = 500;
/// What is in trouble is looked at again after this.
const AGAIN: Duration = Duration::from_mins(1);
/// Changes within this are reported together.
const GATHER: Duration = Duration::from_millis(250);
/// The key under which the store keeps what was spent.
const SPENT: &str = "models-spent|";
/// The part that is degraded while a model is in trouble.
const PART: &str = "model";
/// Bytes of one piece of an answer.
const PIECE: usize = 4096;

/// The models that are configured.
pub struct LanguageModels {
    triage: Option<Arc<Desk>>,
    analyst: Option<Arc<Desk>>,
    purse: Arc<Purse>,
    store: Arc<dyn Store>,
}

impl LanguageModels {
    /// The models of these settings; `None` if there are none. What was spent in earlier runs is
    /// read from the store, and counts.
    pub async fn new(
        settings: &ModelSettings,
        store: Arc<dyn Store>,
    ) -> Result<Option<Self>, Failure> {
        if settings.triage.is_none() && settings.analyst.is_none() {
            return Ok(None);
        }
        let spent = match store.load_learned(SPENT.to_owned()).await {
            Ok(kept) => kept.first().and_then(|k| serde_json::from_str::<Ledger>(&k.content).ok()),
            Err(error) => {
                tracing::warn!("{error}; what was spent on models before is not known");
                None
            }
        };
        let ledger = spent
            .map_or_else(|| Ledger::new(settings.caps), |spent| spent.with_caps(settings.caps));
        let purse = Arc::new(Purse::new(ledger));
        let transport =
            Transport { proxy: settings.proxy.clone(), ca_file: settings.ca_file.clone() };
        let desk = |role: Role, endpoint: &Option<crate::config::models::ModelEndpoint>| {
            endpoint
                .as_ref()
                .map(|settled| {
                    let endpoint = Endpoint::new(role.as_str(), settled);
                    let prices = Prices { models: settings.prices.clone() };
                    let client = Client::new(
                        endpoint,
                        Limits::patient(settings.patience),
                        prices,
                        transport.clone(),
                    )?;
                    Ok(Arc::new(Desk::new(role, client, Arc::clone(&purse))))
                })
                .transpose()
        };
        Ok(Some(Self {
            triage: desk(Role::Triage, &settings.triage)?,
            analyst: desk(Role::Analyst, &settings.analyst)?,
            purse: Arc::clone(&purse),
            store,
        }))
    }

    /// Which roles there are.
    pub fn roles(&self) -> Roles {
        Roles { triage: self.triage.is_some(), analyst: self.analyst.is_some() }
    }

    fn desks(&self) -> impl Iterator<Item = &Arc<Desk>> {
        self.triage.iter().chain(&self.analyst)
    }

    /// Keeps what was spent, so that a restart is no way around a cap.
    async fn keep(&self) {
        let content = serde_json::to_string(&*self.purse.ledger());
        let kept = match content {
            Ok(content) => {
                let kept = LearnedLog { key: SPENT.to_owned(), content };
                self.store.save_learned(kept).await.map_err(|e| e.to_string())
            }
            Err(error) => Err(error.to_string()),
        };
        if let Err(error) = kept {
            tracing::warn!("what was spent on models cannot be kept: {error}");
        }
    }

    async fn reported(&self, out: &mpsc::Sender<Signal>) {
        for desk in self.desks() {
            desk.check().await;
        }
        let mut told: Vec<ModelView> = Vec::new();
        let mut trouble = None;
        loop {
            let now = Timestamp::now();
            let views: Vec<ModelView> = self.desks().map(|d| d.view(now)).collect();
            for view in views.iter().filter(|v| !told.contains(v)) {
                let word = ModelWord::State { view: view.clone() };
                tell(out, Signal::Model { word: Box::new(word) }).await;
            }
            let words = troubles(&views);
            if words != trouble {
                let part = PART.to_owned();
                let signal = match &words {
                    Some(detail) => Signal::Degraded { part, detail: detail.clone() },
                    None => Signal::Recovered { part, detail: "models answer again".to_owned() },
                };
                tell(out, signal).await;
            }
            if views != told {
                self.keep().await;
            }
            let failing = words.is_some();
            (told, trouble) = (views, words);
            tokio::select! {
                () = self.purse.changed.notified() => sleep(GATHER).await,
                () = sleep(AGAIN), if failing => {
                    for desk in self.desks() {
                        desk.check().await;
                    }
                }
            }
        }
    }

    async fn judged(&self, batch: &Batch, stop: &CancellationToken) -> Result<ModelWord, Refusal> {
        let Some(desk) = &self.triage else { return Err(missing(Role::Triage)) };
        let form = Form::Schema { name: "verdicts".to_owned(), schema: prompt::triage_schema() };
        let reply =
            desk.ask(&alone(prompt::triage(batch), form, TRIAGE_TOKENS), stop, None).await?;
        let read = reply.json.clone().and_then(|json| verdicts(json).ok());
        let Some(verdicts) = read else {
            return Err(unreadable(Role::Triage));
        };
        Ok(ModelWord::Judged { batch: batch.number, verdicts, by: answered(&[reply]) })
    }

    async fn analyzed(
        &self,
        incident: &IncidentId,
        brief: &Brief,
        reads: &Arc<dyn ReadTools>,
        stop: &CancellationToken,
    ) -> Result<ModelWord, Refusal> {
        let Some(desk) = &self.analyst else { return Err(missing(Role::Analyst)) };
        let question = Question {
            prompt: prompt::analysis(brief),
            before: Vec::new(),
            form: Form::Schema { name: "analysis".to_owned(), schema: prompt::analysis_schema() },
            max_tokens: ANALYSIS_TOKENS,
            temperature: 0.0,
        };
        let Outcome { replies, looked } =
            converse(desk, question, brief, reads, stop, Listener::default()).await?;
        let by = answered(&replies);
        let json = replies.last().and_then(|r| r.json.clone()).filter(serde_json::Value::is_object);
        let analysis = json.and_then(|json| serde_json::from_value::<Analysis>(json).ok());
        let Some(analysis) = analysis else { return Err(unreadable(Role::Analyst)) };
        let incident = incident.clone();
        Ok(ModelWord::Analyzed { incident, analysis: Box::new(analysis), looked, by })
    }

    async fn answered(
        &self,
        question: Inquiry,
        reads: &Arc<dyn ReadTools>,
        stop: &CancellationToken,
        said: mpsc::Sender<Said>,
    ) -> Result<Answered, Refusal> {
        let Some(desk) = &self.analyst else { return Err(missing(Role::Analyst)) };
        let Inquiry { brief, before, words } = question;
        let before = before.into_iter().flat_map(|(question, answer)| {
            [Message::User(question), Message::Assistant { text: answer, calls: Vec::new() }]
        });
        let asked = Question {
            prompt: prompt::question(&brief, &words),
            before: before.collect(),
            form: Form::Text,
            max_tokens: PROSE_TOKENS,
            temperature: 0.2,
        };
        let (pieces, mut heard) = mpsc::channel(64);
        let (looks, mut looked) = mpsc::channel(16);
        let listener = Listener { pieces: Some(pieces), looks: Some(looks) };
        // The pieces are passed on beside the conversation, and end with it.
        let passing = async {
            loop {
                let word = tokio::select! {
                    biased;
                    Some(look) = looked.recv() => Said::Looked(look),
                    Some(heard) = heard.recv() => match heard {
                        Heard::Piece(piece) => Said::Piece(redact::clean(piece.as_bytes(), PIECE)),
                        Heard::Anew => Said::Anew,
                    },
                    else => break,
                };
                if said.send(word).await.is_err() {
                    break;
                }
            }
        };
        let talking = converse(desk, asked, &brief, reads, stop, listener);
        let (outcome, ()) = tokio::join!(talking, passing);
        Ok(answered(&outcome?.replies))
    }
}

impl Models for LanguageModels {
    fn run(&self, out: mpsc::Sender<Signal>, stop: CancellationToken) -> BoxFuture<'_, ()> {
        async move {
            tokio::select! {
                () = stop.cancelled() => {}
                () = self.reported(&out) => {}
            }
            self.keep().await;
        }
        .boxed()
    }

    fn triage(&self, batch: Batch, stop: CancellationToken) -> BoxFuture<'_, ModelWord> {
        async move {
            let number = batch.number;
            self.judged(&batch, &stop).await.unwrap_or_else(|Refusal { why, until }| {
                ModelWord::NotJudged { batch: number, why, until }
            })
        }
        .boxed()
    }

    fn analyze(
        &self,
        incident: IncidentId,
        brief: Arc<Brief>,
        reads: Arc<dyn ReadTools>,
        stop: CancellationToken,
    ) -> BoxFuture<'_, ModelWord> {
        async move {
            let word = self.analyzed(&incident, &brief, &reads, &stop).await;
            word.unwrap_or_else(|Refusal { why, .. }| ModelWord::NotAnalyzed { incident, why })
        }
        .boxed()
    }

    fn explain(
        &self,
        incident: Arc<Incident>,
        stop: CancellationToken,
    ) -> BoxFuture<'_, Option<ModelWord>> {
        async move {
            let desk = self.analyst.as_ref()?;
            let ask = alone(prompt::explanation(&incident), Form::Text, PROSE_TOKENS);
            match desk.ask(&ask, &stop, None).await {
                Ok(reply) => {
                    let text = reply.text.clone();
                    let by = answered(&[reply]);
                    Some(ModelWord::Explained { incident: incident.id.clone(), text, by })
                }
                Err(Refusal { why, .. }) => {
                    tracing::info!("{}: explained by the facts alone: {why}", incident.id);
                    None
                }
            }
        }
        .boxed()
    }

    fn answer(
        &self,
        question: Inquiry,
        reads: Arc<dyn ReadTools>,
        stop: CancellationToken,
        said: mpsc::Sender<Said>,
    ) -> BoxFuture<'_, Result<Answered, PortError>> {
        async move {
            let outcome = self.answered(question, &reads, &stop, said).await;
            outcome.map_err(|Refusal { why, .. }| PortError(why))
        }
        .boxed()
    }
}

fn alone(prompt: Prompt, form: Form, max_tokens: u32) -> Ask {
    Ask {
        messages: vec![Message::System(prompt.system), Message::User(prompt.user)],
        form,
        tools: Vec::new(),
        max_tokens,
        temperature: 0.0,
    }
}

/// Verdicts as they were asked for, or as a bare list.
fn verdicts(json: serde_json::Value) -> Result<Vec<Verdict>, serde_json::Error> {
    #[derive(Deserialize)]
    struct Asked {
        verdicts: Vec<Verdict>,
    }
    if json.is_array() {
        return serde_json::from_value(json);
    }
    serde_json::from_value::<Asked>(json).map(|asked| asked.verdicts)
}

fn missing(role: Role) -> Refusal {
    Refusal { why: format!("no {} is configured", role.as_str()), until: None }
}

fn unreadable(role: Role) -> Refusal {
    let why =
        format!("the answer of the {} cannot be read: it is not what was asked for", role.as_str());
    Refusal { why, until: None }
}

/// What is wrong with any of the roles.
fn troubles(views: &[ModelView]) -> Option<String> {
    let words: Vec<String> = views.iter().filter_map(|v| v.trouble.clone()).collect();
    (!words.is_empty()).then(|| words.join("; "))
}

async fn tell(out: &mpsc::Sender<Signal>, signal: Signal) {
    if out.send(signal).await.is_err() {
        tracing::debug!("the run loop ended before it heard how the models fare");
    }
}
