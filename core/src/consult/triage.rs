//! Which anomalies are worth a judgement, and what was judged before.
//!
//! Triage sees only what the detectors single out and are not sure of: kinds of line that are new
//! or out of their usual, below the severity that opens an incident. Each kind is asked about once
//! and remembered, so that a steady log costs nothing. What is asked goes in batches over all
//! containers. A judgement adds to an anomaly; that nobody judged is never read as "all is well".

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::consult::{SENTENCE, words};
use crate::domain::anomaly::{Anomaly, AnomalyKind};
use crate::domain::evidence::EvidenceKind;
use crate::domain::hash::base32_of;
use crate::domain::ids::AnomalyId;
use crate::domain::judgement::{Judgement, Verdict};
use crate::domain::severity::Severity;

/// Subjects of one batch.
const BATCH: usize = 12;
/// The first subject waits this long for company.
const GATHER: SignedDuration = SignedDuration::from_secs(5);
/// Batches are at least this far apart.
const PAUSE: SignedDuration = SignedDuration::from_secs(20);
/// A failure without a time of its own is waited out this long.
const AGAIN: SignedDuration = SignedDuration::from_secs(60);
/// Subjects that may wait; beyond it the oldest gives way, counted.
const WAITING: usize = 120;
/// Judgements remembered; the oldest gives way.
const REMEMBERED: usize = 2000;
/// A judgement holds this long.
const HOLDS: SignedDuration = SignedDuration::from_hours(14 * 24);
/// Lines shown of one subject.
const SAMPLES: usize = 3;
/// Bytes of one line shown.
const SAMPLE: usize = 300;

/// One thing to be judged.
#[derive(Clone, Debug, PartialEq)]
pub struct Subject {
    /// `S1`, `S2`, …: unique in its batch.
    pub id: String,
    /// Which anomaly asks.
    pub anomaly: AnomalyId,
    /// Name of the container.
    pub container: String,
    /// Its service.
    pub service: String,
    /// What the detectors call it.
    pub kind: AnomalyKind,
    /// How bad they take it to be.
    pub severity: Severity,
    /// Their sentence.
    pub summary: String,
    /// The kind of line.
    pub template: Option<String>,
    /// A few lines, redacted.
    pub samples: Vec<String>,
    /// Under this it is remembered.
    key: String,
}

/// Subjects that are judged in one go.
#[derive(Clone, Debug, PartialEq)]
pub struct Batch {
    /// Counts the batches of a run.
    pub number: u64,
    /// The subjects.
    pub subjects: Vec<Subject>,
}

/// A judgement that is remembered.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Judged {
    /// Service and kind of line, hashed.
    pub key: String,
    /// When.
    pub at: Timestamp,
    /// What was said.
    pub judgement: Judgement,
}

/// What is asked, and what was answered.
#[derive(Debug, Default)]
pub struct Triage {
    judged: BTreeMap<String, Judged>,
    waiting: VecDeque<(Timestamp, Subject)>,
    asked: Option<Batch>,
    batches: u64,
    not_before: Option<Timestamp>,
    dropped: u64,
    changed: bool,
}

/// Whether an anomaly is of a kind that triage is for: what a log says, and its measures.
fn is_asked(anomaly: &Anomaly) -> bool {
    let said = matches!(
        anomaly.kind,
        AnomalyKind::NewTemplate
            | AnomalyKind::RareReturn
            | AnomalyKind::TemplateBurst
            | AnomalyKind::SeverityShare
            | AnomalyKind::NewValue
            | AnomalyKind::TemplateShare
            | AnomalyKind::NumericDrift
            | AnomalyKind::ErrorBurst
            | AnomalyKind::FatalSignature
    );
    said && anomaly.severity < Severity::High
}

/// Service, kind of line and what is unusual about it.
fn key(anomaly: &Anomaly) -> String {
    let of = &anomaly.container;
    let detail = &anomaly.detail;
    let what =
        detail.template.as_deref().or(detail.signature.as_deref()).or(detail.measure.as_deref());
    base32_of(
        &format!(
            "{}|{}|{}|{}",
            of.project.as_deref().unwrap_or_default(),
            of.service,
            anomaly.kind.as_str(),
            what.unwrap_or_default()
        ),
        20,
    )
}

impl Triage {
    /// What was judged in earlier runs.
    pub fn recall(&mut self, judged: Vec<Judged>) {
        for one in judged.into_iter().take(REMEMBERED) {
            self.judged.entry(one.key.clone()).or_insert(one);
        }
    }

    /// Takes an anomaly: the judgement that is remembered of its kind, or none, and then it waits
    /// to be judged.
    pub fn see(&mut self, anomaly: &Anomaly, now: Timestamp) -> Option<Judgement> {
        if !is_asked(anomaly) {
            return None;
        }
        let key = key(anomaly);
        if let Some(known) = self.judged.get(&key)
            && now.duration_since(known.at) < HOLDS
        {
            // The line that was quoted then is not among those of now.
            return Some(Judgement { quote: None, ..known.judgement.clone() });
        }
        let asked = self.asked.iter().flat_map(|b| &b.subjects);
        if asked.chain(self.waiting.iter().map(|(_, s)| s)).any(|s| s.key == key) {
            return None;
        }
        if self.waiting.len() >= WAITING {
            self.waiting.pop_front();
            self.dropped += 1;
        }
        self.waiting.push_back((now, subject(anomaly, key)));
        None
    }

    /// What is to be asked now.
    pub fn due(&mut self, now: Timestamp) -> Option<Batch> {
        if self.due_at()? > now {
            return None;
        }
        self.batches += 1;
        let count = self.waiting.len().min(BATCH);
        let subjects = self.waiting.drain(..count).map(|(_, s)| s);
        let named = |(n, subject): (usize, Subject)| Subject { id: format!("S{n}"), ..subject };
        let batch =
            Batch { number: self.batches, subjects: (1..).zip(subjects).map(named).collect() };
        self.asked = Some(batch.clone());
        self.not_before = Some(now + PAUSE);
        Some(batch)
    }

    /// When something is to be asked; `None` while an answer is awaited.
    pub fn due_at(&self) -> Option<Timestamp> {
        let (since, _) = self.waiting.front()?;
        if self.asked.is_some() {
            return None;
        }
        let gathered = if self.waiting.len() >= BATCH { *since } else { *since + GATHER };
        Some(self.not_before.map_or(gathered, |at| at.max(gathered)))
    }

    /// Takes verdicts: what is kept of each, with the anomaly that asked. What a verdict quotes
    /// counts only if it stands in the lines that were shown. A subject without a verdict stays
    /// unjudged, and is asked about when it is seen again.
    pub fn judged(
        &mut self,
        batch: u64,
        verdicts: &[Verdict],
        model: &str,
        now: Timestamp,
    ) -> Vec<(AnomalyId, Judgement)> {
        let Some(asked) = self.asked.take_if(|b| b.number == batch) else { return Vec::new() };
        let mut told = Vec::new();
        let mut answered = BTreeSet::new();
        for verdict in verdicts {
            let id = verdict.id.trim();
            let Some(subject) = asked.subjects.iter().find(|s| s.id.eq_ignore_ascii_case(id))
            else {
                continue;
            };
            let Some(severity) = severity(&verdict.severity) else { continue };
            if !answered.insert(&subject.id) {
                continue;
            }
            let judgement = Judgement {
                model: words(model, 120),
                severity,
                kind: words(&verdict.kind, 60),
                summary: words(&verdict.summary, SENTENCE),
                quote: quoted(&verdict.quote, subject),
            };
            self.remember(&subject.key, &judgement, now);
            told.push((subject.anomaly.clone(), judgement));
        }
        told
    }

    /// No verdicts came: the subjects wait again, until `until` or a while.
    pub fn failed(&mut self, batch: u64, until: Option<Timestamp>, now: Timestamp) {
        let Some(asked) = self.asked.take_if(|b| b.number == batch) else { return };
        for subject in asked.subjects.into_iter().rev() {
            if self.waiting.len() < WAITING {
                self.waiting.push_front((now, subject));
            } else {
                self.dropped += 1;
            }
        }
        self.not_before = Some(until.map_or(now + AGAIN, |at| at.max(now + PAUSE)));
    }

    /// Everything remembered, if that changed since it was last asked for.
    pub fn to_keep(&mut self) -> Option<Vec<Judged>> {
        std::mem::take(&mut self.changed).then(|| self.judged.values().cloned().collect())
    }

    /// Subjects that wait for a judgement, and how many were dropped for want of room.
    pub fn unjudged(&self) -> (usize, u64) {
        let asked = self.asked.as_ref().map_or(0, |b| b.subjects.len());
        (self.waiting.len() + asked, self.dropped)
    }

    /// The wall clock jumped by `by`.
    pub fn clock_jumped(&mut self, by: SignedDuration) {
        let waiting = self.waiting.iter_mut().map(|(at, _)| at);
        crate::domain::clock::shift(waiting.chain(self.not_before.as_mut()), by);
    }

    fn remember(&mut self, key: &str, judgement: &Judgement, now: Timestamp) {
        if self.judged.len() >= REMEMBERED {
            let oldest = self.judged.values().min_by_key(|j| j.at).map(|j| j.key.clone());
            self.judged.retain(|key, _| Some(key) != oldest.as_ref());
        }
        let one = Judged { key: key.to_owned(), at: now, judgement: judgement.clone() };
        self.judged.insert(key.to_owned(), one);
        self.changed = true;
    }
}

fn subject(anomaly: &Anomaly, key: String) -> Subject {
    let lines = anomaly.evidence.iter().filter(|e| e.kind == EvidenceKind::Log);
    Subject {
        id: String::new(),
        anomaly: anomaly.id.clone(),
        container: anomaly.container.name.clone(),
        service: anomaly.container.service.clone(),
        kind: anomaly.kind,
        severity: anomaly.severity,
        summary: anomaly.summary.clone(),
        template: anomaly.detail.template.clone(),
        samples: lines.take(SAMPLES).map(|e| words(&e.excerpt, SAMPLE)).collect(),
        key,
    }
}

fn severity(name: &str) -> Option<Severity> {
    let all = [Severity::Low, Severity::Medium, Severity::High, Severity::Critical];
    let name = name.trim().to_ascii_lowercase();
    all.into_iter().find(|s| s.as_str() == name)
}

/// The quote, if it is part of a line that was shown; short ones could be part of anything.
fn quoted(quote: &str, subject: &Subject) -> Option<String> {
    const LEAST: usize = 12;
    let quote = words(quote, SAMPLE);
    let shown = subject.samples.iter().any(|line| line.contains(&quote));
    (quote.len() >= LEAST && shown).then_some(quote)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::anomaly::AnomalyDetail;
    use crate::domain::container::tests_support::container;
    use crate::domain::evidence::Evidence;
    use crate::domain::ids::EvidenceId;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + SignedDuration::from_secs(seconds)
    }

    fn anomaly(number: u32, template: &str) -> Anomaly {
        let of = container("api").of;
        Anomaly {
            id: AnomalyId(format!("A{number}")),
            kind: AnomalyKind::NewTemplate,
            severity: Severity::Medium,
            score: 0.5,
            summary: "a new kind of line".to_owned(),
            observed_at: at(0),
            evidence: vec![Evidence {
                id: EvidenceId(format!("log-{number}")),
                kind: EvidenceKind::Log,
                container: of.name.clone(),
                ts: at(0),
                excerpt: format!("ERROR cannot write ledger {number}: disk is full"),
                line: None,
            }],
            detail: AnomalyDetail {
                template: Some(template.to_owned()),
                ..AnomalyDetail::default()
            },
            container: of,
        }
    }

    fn verdict(id: &str, severity: &str, quote: &str) -> Verdict {
        Verdict {
            id: id.to_owned(),
            severity: severity.to_owned(),
            kind: "error".to_owned(),
            summary: "the ledger is not written".to_owned(),
            quote: quote.to_owned(),
        }
    }

    #[test]
    fn a_kind_is_asked_about_once_and_remembered() {
        let mut triage = Triage::default();
        assert_eq!(triage.see(&anomaly(1, "cannot write <*>"), at(0)), None);
        assert_eq!(triage.see(&anomaly(2, "cannot write <*>"), at(1)), None);
        assert_eq!(triage.due(at(4)), None);
        let batch = triage.due(at(5)).unwrap();
        assert_eq!(batch.subjects.len(), 1);
        assert_eq!(triage.due(at(100)), None, "an answer is awaited");
        let told =
            triage.judged(batch.number, &[verdict("s1", "HIGH", "disk is full")], "m", at(6));
        assert_eq!(told.len(), 1);
        assert_eq!(told[0].1.severity, Severity::High);
        assert_eq!(told[0].1.quote.as_deref(), Some("disk is full"));
        let again = triage.see(&anomaly(3, "cannot write <*>"), at(5000)).unwrap();
        assert_eq!(again.quote, None, "that line is not here any more");
        assert_eq!(triage.due_at(), None);
        assert_eq!(triage.to_keep().map(|k| k.len()), Some(1));
        assert_eq!(triage.to_keep(), None);
    }

    #[test]
    fn a_quote_that_was_not_shown_counts_for_nothing_and_strangers_are_ignored() {
        let mut triage = Triage::default();
        triage.see(&anomaly(1, "a <*>"), at(0));
        let batch = triage.due(at(5)).unwrap();
        let verdicts = [
            verdict("S9", "critical", "disk is full"),
            verdict("S1", "awful", "disk is full"),
            verdict("S1", "critical", "rm -rf / was run"),
            verdict("S1", "low", "disk is full"),
        ];
        let told = triage.judged(batch.number, &verdicts, "m", at(6));
        assert_eq!(told.len(), 1, "one verdict for one subject");
        assert_eq!((told[0].1.severity, told[0].1.quote.as_deref()), (Severity::Critical, None));
    }

    #[test]
    fn what_could_not_be_judged_waits_and_is_asked_again() {
        let mut triage = Triage::default();
        triage.see(&anomaly(1, "a <*>"), at(0));
        let batch = triage.due(at(5)).unwrap();
        triage.failed(batch.number, None, at(6));
        assert_eq!(triage.unjudged(), (1, 0));
        assert_eq!(triage.due_at(), Some(at(66)));
        let batch = triage.due(at(66)).unwrap();
        triage.failed(batch.number, Some(at(3600)), at(67));
        assert_eq!(triage.due_at(), Some(at(3600)));
    }

    #[test]
    fn a_late_answer_to_another_batch_changes_nothing() {
        let mut triage = Triage::default();
        triage.see(&anomaly(1, "a <*>"), at(0));
        let batch = triage.due(at(5)).unwrap();
        assert!(
            triage.judged(batch.number + 1, &[verdict("S1", "low", "")], "m", at(6)).is_empty()
        );
        triage.failed(batch.number + 1, None, at(6));
        assert_eq!(triage.judged(batch.number, &[verdict("S1", "low", "")], "m", at(7)).len(), 1);
    }

    #[test]
    fn a_flood_of_kinds_is_bounded_and_what_is_dropped_is_counted() {
        let mut triage = Triage::default();
        for number in 0..1000 {
            triage.see(&anomaly(number, &format!("kind {number} <*>")), at(0));
        }
        assert_eq!(triage.unjudged(), (WAITING, 1000 - WAITING as u64));
        assert_eq!(triage.due(at(0)).unwrap().subjects.len(), BATCH);
    }

    #[test]
    fn what_opens_an_incident_by_itself_needs_no_judgement() {
        let mut triage = Triage::default();
        let high = Anomaly { severity: Severity::High, ..anomaly(1, "a <*>") };
        let death = Anomaly { kind: AnomalyKind::Death, ..anomaly(2, "b <*>") };
        assert_eq!((triage.see(&high, at(0)), triage.see(&death, at(0))), (None, None));
        assert_eq!(triage.due_at(), None);
    }
}
