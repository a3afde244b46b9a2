//! Questions about an incident or a container, and their answers as they come, piece by piece.
//!
//! Words can do nothing here: what answers sees a snapshot, log lines and runbooks, and has no way
//! to the run loop.

use std::sync::Arc;

use jiff::Timestamp;
use sentinel_core::answer::facts::{Facts, Subject};
use sentinel_core::answer::{Answer, answer};
use sentinel_core::consult::brief::{self, Brief, Subject as Briefed};
use sentinel_core::consult::check;
use sentinel_core::domain::evidence::{Evidence, EvidenceKind, LineAddress};
use sentinel_core::domain::ids::{ContainerId, EvidenceId, IncidentId};
use sentinel_core::domain::opinion::Looked;
use sentinel_core::domain::snapshot::{ContainerView, Snapshot};
use sentinel_core::redact;
use sentinel_core::report::postmortem::BY_RULES;
use sentinel_core::report::similar;
use tokio::sync::mpsc;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::ports::{Inquiry, Models, ReadTools, Said};
use crate::runtime::consulting::Asked;
use crate::runtime::rings::LogPage;

/// Bytes of a question.
pub const MAX_WORDS: usize = 2_000;
/// Pieces that may wait for a reader.
const PARTS: usize = 32;
/// Bytes of one piece of text, about.
const PIECE: usize = 48;
/// Questions of the same conversation that a model is told again.
const BEFORE: usize = 4;
/// Error lines that an answer may use.
const ERRORS: usize = 20;

/// What is asked about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum About {
    /// An incident.
    Incident(IncidentId),
    /// A container.
    Container(ContainerId),
}

/// A question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// About what.
    pub about: About,
    /// In which words. They are cut and cleaned where they are asked.
    pub words: String,
    /// Question and answer of what was asked before in the same conversation, oldest first.
    pub before: Vec<(String, String)>,
}

/// Pieces of an answer, in order.
#[derive(Clone, Debug, PartialEq)]
pub enum Part {
    /// A piece of text. Evidence is cited as `[e3]`.
    Text(String),
    /// The answer begins anew: the text so far is void.
    Anew,
    /// A read-only tool call that was made.
    Looked {
        /// The tool.
        tool: String,
        /// Its arguments, in words.
        arguments: String,
        /// Whether it worked.
        ok: bool,
        /// What came back, in short.
        words: String,
    },
    /// The end.
    Done {
        /// Who answered: [`BY_RULES`] or a model's name.
        by: String,
        /// What was cited, each under the id by which the text names it.
        evidence: Vec<Evidence>,
        /// What a model would add, or what was unsupported.
        note: Option<String>,
    },
    /// Why a model did not answer; the answer from rules and stored facts follows.
    Failed(String),
}

/// An answer on its way. Dropping it cancels it.
#[derive(Debug)]
pub struct Asking {
    parts: mpsc::Receiver<Part>,
    _cancel: DropGuard,
}

impl Asking {
    /// The next piece; none behind [`Part::Done`].
    // A method, so that who waits for a piece holds the whole: a closure that named the queue alone
    // would leave the guard behind, and with it the answer.
    pub async fn next(&mut self) -> Option<Part> {
        self.parts.recv().await
    }
}

/// What an answer is made from.
#[derive(Clone, Debug)]
pub(super) struct Material {
    pub(super) snapshot: Arc<Snapshot>,
    pub(super) lines: LogPage,
    pub(super) asked: Asked,
}

impl Question {
    /// With its words made safe and short.
    pub(super) fn safe(self) -> Self {
        let clean = |text: &str| redact::clean(text.as_bytes(), MAX_WORDS);
        let earlier = self.before.len().saturating_sub(BEFORE);
        let before = self.before.iter().skip(earlier).map(|(q, a)| (clean(q), clean(a)));
        Self { words: clean(&self.words), before: before.collect(), ..self }
    }
}

impl About {
    /// The container whose log is looked at.
    pub(super) fn container(&self, snapshot: &Snapshot) -> Option<ContainerId> {
        match self {
            Self::Container(id) => Some(id.clone()),
            Self::Incident(id) => {
                let incident = snapshot.incidents.iter().find(|i| &i.id == id)?;
                let root = view(snapshot, |v| v.container.of.name == incident.root);
                Some(root.map_or(&incident.container.id, |v| &v.container.of.id).clone())
            }
        }
    }
}

fn view(snapshot: &Snapshot, is: impl Fn(&ContainerView) -> bool) -> Option<&ContainerView> {
    snapshot.containers.iter().find(|v| is(v))
}

/// Begins to answer.
pub(super) fn begin(question: Question, material: Material) -> Asking {
    let (sender, parts) = mpsc::channel(PARTS);
    let cancel = CancellationToken::new();
    let cancelled = cancel.clone();
    tokio::spawn(async move {
        tokio::select! {
            () = cancelled.cancelled() => {}
            () = answered(&question, &material, &sender, &cancelled) => {}
        }
    });
    Asking { parts, _cancel: cancel.drop_guard() }
}

/// The answer of the analyst where there is one and it answers, else that of the facts.
async fn answered(
    question: &Question,
    material: &Material,
    parts: &mpsc::Sender<Part>,
    stop: &CancellationToken,
) {
    if let Some((models, reads)) = &material.asked.models
        && let Some(brief) = brief_of(question, material)
    {
        let asked = (models.as_ref(), Arc::clone(reads));
        match by_model(asked, question, brief, parts, stop).await {
            Ok(done) => {
                tell(parts, done).await;
                return;
            }
            Err(why) => tell(parts, Part::Failed(why)).await,
        }
    }
    from_facts(question, material, parts).await;
}

async fn tell(parts: &mpsc::Sender<Part>, part: Part) {
    if parts.send(part).await.is_err() {
        tracing::debug!("an answer came after its reader had gone");
    }
}

/// What the analyst is shown; `None` if what is asked about is not known any more.
fn brief_of(question: &Question, material: &Material) -> Option<Arc<Brief>> {
    let snapshot = &material.snapshot;
    let incident = match &question.about {
        About::Incident(id) => Some(snapshot.incidents.iter().find(|i| &i.id == id)?),
        About::Container(id) => {
            snapshot.incidents.iter().find(|i| &i.container.id == id && !i.state.is_closed())
        }
    };
    let container = match &question.about {
        About::Incident(_) => &incident?.container,
        About::Container(id) => &view(snapshot, |v| &v.container.of.id == id)?.container.of,
    };
    let lines = material.lines.entries.iter().filter(|e| !e.mark).map(|e| e.line.clone());
    let world = brief::world(snapshot, &lines.collect::<Vec<_>>());
    let seen = incident.map(|i| similar::seen(i, &snapshot.past));
    let now = Timestamp::now();
    let memory: Vec<String> =
        seen.and_then(|seen| similar::words(&seen, now)).into_iter().collect();
    let subject = Briefed {
        container,
        incident: incident.map(AsRef::as_ref),
        world: &world,
        mode: snapshot.mode,
        memory: &memory,
        now,
    };
    Some(Arc::new(brief::with_runbooks(brief::brief(&subject), &material.asked.runbooks)))
}

/// The analyst's answer, piece by piece; the error says why there is none.
async fn by_model(
    (models, reads): (&dyn Models, Arc<dyn ReadTools>),
    question: &Question,
    brief: Arc<Brief>,
    parts: &mpsc::Sender<Part>,
    stop: &CancellationToken,
) -> Result<Part, String> {
    let (said, mut heard) = mpsc::channel(PARTS);
    let inquiry = Inquiry {
        brief: Arc::clone(&brief),
        before: question.before.clone(),
        words: question.words.clone(),
    };
    let asking = models.answer(inquiry, reads, stop.clone(), said);
    let mut text = String::new();
    let listening = async {
        while let Some(word) = heard.recv().await {
            let part = match word {
                Said::Piece(piece) => {
                    text.push_str(&piece);
                    Part::Text(piece)
                }
                Said::Anew => {
                    text.clear();
                    Part::Anew
                }
                Said::Looked(Looked { tool, target, ok, excerpt, .. }) => {
                    Part::Looked { tool, arguments: target, ok, words: excerpt }
                }
            };
            tell(parts, part).await;
        }
    };
    let (outcome, ()) = tokio::join!(asking, listening);
    let by = outcome.map_err(|error| error.to_string())?;
    if text.trim().is_empty() {
        return Err(format!("{} answered nothing", by.model));
    }
    let (evidence, unknown) = check::cited(&text, &brief);
    let note = (!unknown.is_empty())
        .then(|| format!("no evidence is called {}: do not rely on it", unknown.join(", ")));
    Ok(Part::Done { by: by.model, evidence, note })
}

/// The answer from rules and stored facts, piece by piece.
async fn from_facts(question: &Question, material: &Material, parts: &mpsc::Sender<Part>) {
    let told = offline(question, material, Timestamp::now());
    for piece in pieces(&told.text) {
        // A reader that has gone wants no more.
        if parts.send(Part::Text(piece)).await.is_err() {
            return;
        }
    }
    let note = Some(told.what_a_model_would_add);
    let done = Part::Done { by: BY_RULES.to_owned(), evidence: told.evidence, note };
    if parts.send(done).await.is_err() {
        tracing::debug!("an answer came after its reader had gone");
    }
}

/// The answer from rules and stored facts.
fn offline(question: &Question, material: &Material, now: Timestamp) -> Answer {
    let snapshot = &material.snapshot;
    let subject = match &question.about {
        About::Incident(id) => snapshot
            .incidents
            .iter()
            .find(|i| &i.id == id)
            .map(|incident| Subject::Incident(incident)),
        About::Container(id) => {
            view(snapshot, |v| &v.container.of.id == id).map(Subject::Container)
        }
    };
    let Some(subject) = subject else {
        return Answer {
            text: "It is not in the record that is shown any more; `sentinel-tui incidents show ID` reads the store.".to_owned(),
            evidence: Vec::new(),
            what_a_model_would_add: "A model would know no more of it.".to_owned(),
        };
    };
    let errors = errors(snapshot, &material.lines);
    let mut facts = Facts { subject, snapshot, runbooks: &[], errors: &errors, now };
    let books = facts
        .incident()
        .map_or_else(Vec::new, |incident| material.asked.runbooks.for_incident(incident, snapshot));
    facts.runbooks = &books;
    answer(&question.words, &facts)
}

/// The last lines that say of themselves that something failed.
fn errors(snapshot: &Snapshot, page: &LogPage) -> Vec<Evidence> {
    let said = page.entries.iter().filter(|e| !e.mark && e.line.reading.begins_error());
    let mut last: Vec<Evidence> = said
        .rev()
        .take(ERRORS)
        .map(|entry| {
            let line = &entry.line;
            let name = view(snapshot, |v| v.container.of.id == line.container);
            Evidence {
                id: EvidenceId(format!("line-{}", line.seq)),
                kind: EvidenceKind::Log,
                container: name.map_or(line.container.short(), |v| &v.container.of.name).to_owned(),
                ts: line.at,
                excerpt: line.text.to_string(),
                line: Some(LineAddress { container: line.container.clone(), seq: line.seq }),
            }
        })
        .collect();
    last.reverse();
    last
}

/// A text in pieces that end behind a word.
fn pieces(text: &str) -> Vec<String> {
    let mut pieces = vec![String::new()];
    for word in text.split_inclusive([' ', '\n']) {
        match pieces.last_mut() {
            Some(last) if last.len() < PIECE => last.push_str(word),
            _ => pieces.push(word.to_owned()),
        }
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_make_up_the_text() {
        for text in ["", "one", "one two\n\nthree ".repeat(40).as_str(), "x".repeat(500).as_str()] {
            assert_eq!(pieces(text).concat(), text);
        }
        assert!(pieces(&"word ".repeat(100)).len() > 5);
    }

    fn material() -> Material {
        let snapshot = serde_json::json!({
            "at": "2026-11-24T03:15:02Z", "version": 1, "engine": null, "mode": "approve",
            "containers": [], "incidents": [], "anomalies": [], "degraded": [], "tools": [],
        });
        Material {
            snapshot: Arc::new(serde_json::from_value(snapshot).unwrap()),
            asked: Asked::default(),
            lines: LogPage::default(),
        }
    }

    fn question(words: &str) -> Question {
        Question {
            about: About::Incident("INC-1".into()),
            words: words.to_owned(),
            before: Vec::new(),
        }
    }

    #[tokio::test]
    async fn an_answer_comes_in_pieces_and_says_at_the_end_who_gave_it() {
        let (question, material) = (question("why?"), material());
        let told = offline(&question, &material, Timestamp::now());
        let mut asking = begin(question, material);
        let mut text = String::new();
        let mut end = None;
        while let Some(part) = asking.next().await {
            assert_eq!(end, None, "nothing comes behind the end");
            match part {
                Part::Text(piece) => text.push_str(&piece),
                other => end = Some(other),
            }
        }
        assert_eq!(text, told.text);
        let (by, note) = (BY_RULES.to_owned(), Some(told.what_a_model_would_add));
        assert_eq!(end, Some(Part::Done { by, evidence: Vec::new(), note }));
    }

    #[tokio::test]
    async fn dropping_an_answer_ends_the_work_on_it() {
        let material = material();
        let snapshot = Arc::clone(&material.snapshot);
        drop(begin(question("why?"), material));
        while Arc::strong_count(&snapshot) > 1 {
            tokio::task::yield_now().await;
        }
    }

    #[test]
    fn the_words_of_a_question_are_cut_and_cleaned() {
        let about = About::Incident("INC-1".into());
        let words = format!("password=hunter2-and-more \u{1b}[31m {}", "x".repeat(3 * MAX_WORDS));
        let safe = Question { about, words, before: Vec::new() }.safe().words;
        assert!(!safe.contains("hunter2") && !safe.contains('\u{1b}'), "{safe}");
        assert!(safe.len() <= MAX_WORDS + redact::CUT_MARK.len());
    }
}
