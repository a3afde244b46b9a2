//! What an answer is made from, and the pieces of evidence that it may cite.

use std::sync::Arc;

use jiff::Timestamp;

use crate::domain::evidence::{Evidence, EvidenceKind};
use crate::domain::ids::EvidenceId;
use crate::domain::incident::Incident;
use crate::domain::snapshot::{ContainerView, Snapshot};
use crate::runbook::Runbook;

/// What is asked about.
#[derive(Clone, Copy, Debug)]
pub enum Subject<'a> {
    /// An incident.
    Incident(&'a Incident),
    /// A container.
    Container(&'a ContainerView),
}

/// Everything that an answer may use.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// What is asked about.
    pub subject: Subject<'a>,
    /// The state of everything.
    pub snapshot: &'a Snapshot,
    /// Runbooks that fit, the most specific first.
    pub runbooks: &'a [&'a Runbook],
    /// Last lines of the container that say of themselves that something failed, oldest first.
    pub errors: &'a [Evidence],
    /// The time.
    pub now: Timestamp,
}

impl<'a> Facts<'a> {
    /// The incident: the one asked about, or the newest one of the container, an open one first.
    pub fn incident(&self) -> Option<&'a Incident> {
        match self.subject {
            Subject::Incident(incident) => Some(incident),
            Subject::Container(view) => {
                let of = &view.container.of;
                let its = |i: &&Arc<Incident>| {
                    i.container.id == of.id || i.root == of.name || i.affected.contains(&of.name)
                };
                let all = || self.snapshot.incidents.iter().filter(its);
                all().find(|i| !i.state.is_closed()).or_else(|| all().next()).map(Arc::as_ref)
            }
        }
    }

    /// The container: the one asked about, or the one at fault.
    pub fn container(&self) -> Option<&'a ContainerView> {
        match self.subject {
            Subject::Container(view) => Some(view),
            Subject::Incident(incident) => {
                let named = |name: &str| {
                    self.snapshot.containers.iter().find(|v| v.container.of.name == name)
                };
                named(&incident.root).or_else(|| named(&incident.container.name))
            }
        }
    }

    /// What people call what is asked about.
    pub fn name(&self) -> &'a str {
        match self.subject {
            Subject::Container(view) => &view.container.of.name,
            Subject::Incident(incident) => &incident.root,
        }
    }
}

/// Pieces of evidence by the names under which a text may cite them: `e1`, `e2`, … in the order of
/// the incident's page, then the error lines.
pub(super) struct Pieces {
    all: Vec<(Evidence, bool)>,
    /// How many of them are the diagnosis's.
    pub(super) diagnosed: usize,
}

impl Pieces {
    pub(super) fn of(facts: &Facts<'_>) -> Self {
        let diagnosis = facts.incident().and_then(|i| i.diagnosis.as_ref());
        let mut all: Vec<Evidence> =
            diagnosis.map_or_else(Vec::new, |diagnosis| diagnosis.evidence.clone());
        let diagnosed = all.len();
        let known = |piece: &Evidence, all: &[Evidence]| {
            piece.line.is_some() && all.iter().any(|e| e.line == piece.line)
        };
        for piece in facts.errors {
            if !known(piece, &all) {
                all.push(piece.clone());
            }
        }
        for (number, piece) in (1..).zip(&mut all) {
            piece.id = EvidenceId(format!("e{number}"));
        }
        Self { all: all.into_iter().map(|piece| (piece, false)).collect(), diagnosed }
    }

    pub(super) fn count(&self) -> usize {
        self.all.len()
    }

    /// Cites the piece at a place: its text and its mark.
    pub(super) fn cite(&mut self, at: usize) -> Option<(String, String)> {
        let (piece, cited) = self.all.get_mut(at)?;
        *cited = true;
        Some((piece.excerpt.clone(), format!("[{}]", piece.id)))
    }

    /// Cites the piece at a place if it is a line of a log.
    pub(super) fn cite_line(&mut self, at: usize) -> Option<(String, String)> {
        self.all.get(at).filter(|(piece, _)| piece.kind == EvidenceKind::Log)?;
        self.cite(at)
    }

    /// The marks of the first `most` pieces of the diagnosis.
    pub(super) fn marks(&mut self, most: usize) -> String {
        let most = most.min(self.diagnosed);
        let marks: Vec<String> =
            (0..most).filter_map(|at| self.cite(at).map(|(_, mark)| mark)).collect();
        marks.join(" ")
    }

    pub(super) fn cited(self) -> Vec<Evidence> {
        self.all.into_iter().filter(|(_, cited)| *cited).map(|(piece, _)| piece).collect()
    }
}
