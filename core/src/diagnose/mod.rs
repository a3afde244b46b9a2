//! Anomalies and what is known of the containers in, a diagnosis with evidence and plan out.
//!
//! Start at [`diagnose`]. Each class of failure is a file under [`classes`]: it looks at the case
//! and offers a hypothesis, or none. The best one wins, the others are listed with why they lost.

pub mod actions;
pub mod classes;
pub mod topology;
pub mod world;

use jiff::Timestamp;

use crate::diagnose::world::{Facts, World};
use crate::domain::anomaly::{Anomaly, AnomalyKind};
use crate::domain::container::ContainerRef;
use crate::domain::diagnosis::{Action, Diagnosis, Rejected, Source};
use crate::domain::evidence::Evidence;
use crate::domain::failure::FailureClass;

/// How close a runner-up may come before the diagnosis says that it is unsure.
const NEAR_TIE: f64 = 0.05;
/// Pieces of evidence that a diagnosis lists at most.
const MAX_EVIDENCE: usize = 12;

/// What a diagnosis is asked about.
#[derive(Clone, Copy, Debug)]
pub struct Case<'a> {
    /// The container that the incident is about.
    pub subject: &'a ContainerRef,
    /// What the detectors saw, oldest first.
    pub anomalies: &'a [Anomaly],
    /// What is known of all containers.
    pub world: &'a World,
    /// Now.
    pub now: Timestamp,
}

impl<'a> Case<'a> {
    /// Facts of the subject.
    pub fn facts(&self) -> Option<&'a Facts> {
        self.world.containers.get(&self.subject.id)
    }

    /// The anomalies of one kind on the subject.
    pub fn own(&self, kind: AnomalyKind) -> impl Iterator<Item = &'a Anomaly> {
        let subject = &self.subject.id;
        self.anomalies.iter().filter(move |a| a.kind == kind && &a.container.id == subject)
    }

    /// The last exit status that an anomaly of the subject names.
    pub fn exit_code(&self) -> Option<i64> {
        let subject = &self.subject.id;
        self.anomalies
            .iter()
            .rev()
            .filter(|a| &a.container.id == subject)
            .find_map(|a| a.detail.exit_code)
    }
}

/// One explanation of a case.
#[derive(Clone, Debug)]
pub struct Hypothesis {
    /// Its class.
    pub class: FailureClass,
    /// The container at fault.
    pub root: ContainerRef,
    /// How well it explains what was seen, 0 to 1.
    pub score: f64,
    /// The cause in one sentence.
    pub cause: String,
    /// What supports it.
    pub evidence: Vec<Evidence>,
    /// Who suffers besides the root.
    pub affected: Vec<String>,
    /// Actions in order; empty for "no safe fix".
    pub plan: Vec<Action>,
    /// What a human should do if there is no plan.
    pub advice: Option<String>,
}

/// Explains a case. There is always an answer; `unknown` is one.
pub fn diagnose(case: &Case<'_>) -> Diagnosis {
    let mut hypotheses: Vec<Hypothesis> =
        classes::ALL.iter().filter_map(|judge| judge(case)).collect();
    // A stable order for equal scores keeps the verdict repeatable.
    hypotheses.sort_by(|a, b| b.score.total_cmp(&a.score).then(a.class.cmp(&b.class)));
    let mut ranked = hypotheses.into_iter();
    let Some(best) = ranked.next() else { return unknown(case) };
    let rest: Vec<Hypothesis> = ranked.collect();
    let tie = rest.first().is_some_and(|second| best.score - second.score < NEAR_TIE);
    let rejected = rest
        .iter()
        .map(|h| Rejected {
            class: h.class,
            root: h.root.name.clone(),
            score: h.score,
            why: format!(
                "explains less than {} ({:.2} against {:.2}): {}",
                best.class, h.score, best.score, h.cause
            ),
        })
        .collect();
    let mut evidence = best.evidence;
    evidence.sort_by_key(|e| e.ts);
    evidence.dedup_by(|a, b| a.id == b.id);
    evidence.truncate(MAX_EVIDENCE);
    Diagnosis {
        source: Source::Rules,
        class: best.class,
        root: best.root.name,
        confidence: if tie { (best.score - 0.2).max(0.1) } else { best.score },
        cause: best.cause,
        evidence,
        affected: best.affected,
        rejected,
        plan: best.plan,
        advice: best.advice,
        edges: Vec::new(),
        near_tie: None,
        recent_changes: Vec::new(),
    }
}

fn unknown(case: &Case<'_>) -> Diagnosis {
    Diagnosis {
        source: Source::Rules,
        class: FailureClass::Unknown,
        root: case.subject.name.clone(),
        confidence: 0.1,
        cause: format!("the evidence about {} fits no known class", case.subject.name),
        evidence: case
            .anomalies
            .iter()
            .flat_map(|a| a.evidence.clone())
            .take(MAX_EVIDENCE)
            .collect(),
        affected: Vec::new(),
        rejected: Vec::new(),
        plan: Vec::new(),
        advice: Some("Read the log lines in the evidence list and decide by hand.".to_owned()),
        edges: Vec::new(),
        near_tie: None,
        recent_changes: Vec::new(),
    }
}
