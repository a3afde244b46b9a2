//! Asking language models about anomalies and incidents, and taking what they say.
//!
//! The rules never wait for a model: what it says comes later and adds to what stands. With no
//! model, or a failing one, everything goes on as it would.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

use crate::consult::brief::{Brief, Subject, brief};
use crate::consult::check;
use crate::consult::triage::{Judged, Triage};
use crate::domain::anomaly::Anomaly;
use crate::domain::diagnosis::{Diagnosis, Source};
use crate::domain::event::{Event, IncidentWire};
use crate::domain::failure::FailureClass;
use crate::domain::ids::{AnomalyId, IncidentId};
use crate::domain::incident::IncidentState;
use crate::domain::judgement::Judgement;
use crate::domain::opinion::{Agreement, ModelView, ModelWord, Opinion, Role};
use crate::domain::plan::{Actor, Plan};
use crate::domain::severity::Severity;
use crate::engine::effect::Effect;
use crate::engine::{Engine, Open, Turn};
use crate::report::similar;

/// The analyst is asked this long after a diagnosis, when what belongs to it has come.
const SETTLE: SignedDuration = SignedDuration::from_secs(2);
/// Analyses of one incident.
const MOST_ANALYSES: u32 = 3;
/// What triage calls bad opens an incident only together with something else that the detectors
/// saw on the same container within this time.
const TOGETHER: SignedDuration = SignedDuration::from_mins(2);

/// Which models there are to ask.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Roles {
    /// Anomalies are judged.
    pub triage: bool,
    /// Incidents are analysed and explained.
    pub analyst: bool,
}

/// What is asked of models now.
#[derive(Debug, Default)]
pub(crate) struct Consults {
    pub(crate) triage: Triage,
    /// Incidents under analysis, with what the analyst was shown.
    briefs: BTreeMap<IncidentId, Arc<Brief>>,
    views: Vec<ModelView>,
}

impl Engine {
    /// What triage said in earlier runs.
    pub fn recall_judged(&mut self, judged: Vec<Judged>) {
        self.consults.triage.recall(judged);
    }

    /// How the models fare.
    pub(crate) fn model_views(&self) -> Vec<ModelView> {
        let (waiting, dropped) = self.consults.triage.unjudged();
        let mut views = self.consults.views.clone();
        for view in views.iter_mut().filter(|v| v.role == Role::Triage) {
            (view.waiting, view.dropped) = (waiting, dropped);
        }
        views
    }

    fn analyst(&self) -> bool {
        // Who keeps no record asks nobody: the one that does asks already.
        self.settings.models.analyst && self.settings.keeps && !self.standing_down
    }

    fn triage(&self) -> bool {
        self.settings.models.triage && self.settings.keeps && !self.standing_down
    }

    /// Adds what is known of an anomaly's kind, or has it judged.
    pub(crate) fn triaged(&mut self, anomaly: &mut Anomaly, turn: &Turn) {
        if self.triage() {
            anomaly.detail.judgement = self.consults.triage.see(anomaly, turn.now);
        }
    }

    /// When a model is to be asked about anomalies.
    pub(crate) fn triage_due_at(&self) -> Option<jiff::Timestamp> {
        self.consults.triage.due_at().filter(|_| self.triage())
    }

    /// Asks what is due, and calls off what nobody needs any more. Once per turn.
    pub(crate) fn consult(&mut self, turn: &mut Turn) {
        if self.triage()
            && let Some(batch) = self.consults.triage.due(turn.now)
        {
            turn.effects.push(Effect::Triage(Box::new(batch)));
        }
        let over =
            |id: &IncidentId| self.incidents.get(id).is_none_or(|o| o.incident.state.is_closed());
        let called_off: Vec<IncidentId> =
            self.consults.briefs.keys().filter(|id| over(id)).cloned().collect();
        for id in called_off {
            self.consults.briefs.remove(&id);
            turn.effects.push(Effect::CallOff(id));
        }
    }

    /// An analysis is wanted once the evidence has settled.
    pub(crate) fn want_analysis(&mut self, id: &IncidentId, turn: &Turn) {
        if !self.analyst() {
            return;
        }
        let Some(open) = self.incidents.get_mut(id) else { return };
        if open.work.analyses < MOST_ANALYSES {
            open.work.analyze_at = Some(turn.now + SETTLE);
        }
    }

    /// Asks the analyst, if it is time.
    pub(crate) fn analyze(&mut self, id: &IncidentId, turn: &mut Turn) {
        let asks = self.analyst();
        let Some(open) = self.incidents.get_mut(id) else { return };
        if open.work.analyze_at.is_none_or(|at| at > turn.now) {
            return;
        }
        open.work.analyze_at = None;
        if !asks {
            return;
        }
        open.work.analyses += 1;
        let incident = Arc::clone(&open.incident);
        let seen = similar::seen(&incident, &self.past);
        let memory: Vec<String> = similar::words(&seen, turn.now).into_iter().collect();
        let brief = Arc::new(brief(&Subject {
            container: &incident.container,
            incident: Some(&incident),
            world: &self.world,
            mode: self.settings.mode,
            memory: &memory,
            now: turn.now,
        }));
        self.consults.briefs.insert(id.clone(), Arc::clone(&brief));
        turn.effects.push(Effect::Analyze { incident: id.clone(), brief });
    }

    /// Takes what a model said.
    pub(crate) fn model_said(&mut self, word: ModelWord, turn: &mut Turn) {
        match word {
            ModelWord::Analyzed { incident, analysis, looked, by } => {
                let Some(brief) = self.consults.briefs.remove(&incident) else { return };
                let Some(open) = self.incidents.get(&incident) else { return };
                let about = (open.incident.as_ref(), &self.world);
                let opinion = check::opinion(&analysis, &by, looked, &brief, about, turn.now);
                self.opined(&incident, opinion, turn);
            }
            ModelWord::NotAnalyzed { incident, why } => {
                if self.consults.briefs.remove(&incident).is_some() {
                    self.note(&incident, Actor::System, format!("no analysis: {why}"), turn);
                }
            }
            ModelWord::Judged { batch, verdicts, by } => {
                let told = self.consults.triage.judged(batch, &verdicts, &by.model, turn.now);
                for (anomaly, judgement) in told {
                    self.judged(&anomaly, &judgement, turn);
                }
                if let Some(judged) = self.consults.triage.to_keep() {
                    turn.effects.push(Effect::SaveJudged(judged));
                }
            }
            ModelWord::NotJudged { batch, until, .. } => {
                self.consults.triage.failed(batch, until, turn.now);
            }
            ModelWord::Explained { incident, text, by } => {
                self.explained(&incident, &text, &by.model, turn);
            }
            ModelWord::State { view } => {
                self.consults.views.retain(|v| v.role != view.role);
                self.consults.views.push(view);
                self.consults.views.sort_by_key(|v| v.role);
            }
        }
    }

    /// An opinion becomes part of its incident; a plan of its own is staged for a person.
    fn opined(&mut self, id: &IncidentId, opinion: Opinion, turn: &mut Turn) {
        let Some((incident, _)) = self.edit(id, turn) else { return };
        let percent = opinion.confidence * 100.0;
        let what = match opinion.agreement {
            Agreement::Undecided => String::new(),
            _ => format!(": {} of {}", word(&opinion), opinion.root.as_deref().unwrap_or("?")),
        };
        let note = format!(
            "the analyst ({}) {}{what} ({percent:.0} % sure)",
            opinion.by.model,
            opinion.agreement.words()
        );
        incident.opinion = Some(Box::new(opinion.clone()));
        incident.note(turn.now, Actor::System, note);
        turn.emit(Event::OpinionReady {
            incident_id: id.clone(),
            opinion: Box::new(opinion.clone()),
        });
        let Some(proposal) = opinion.proposal.filter(|p| p.refused.is_none()) else { return };
        let Some(open) = self.incidents.get(id) else { return };
        let free = matches!(
            open.incident.state,
            IncidentState::AwaitingApproval | IncidentState::Escalated
        ) && !open.work.undoing
            && !open.incident.plan.as_ref().is_some_and(Plan::is_staged);
        let Some(diagnosis) = open.incident.diagnosis.clone().filter(|_| free) else { return };
        let proposed = Diagnosis { source: Source::Model, plan: proposal.actions, ..diagnosis };
        self.stage(id, &proposed, turn);
        self.consider(id, turn);
    }

    /// A judgement joins its anomaly, wherever that is now.
    fn judged(&mut self, id: &AnomalyId, judgement: &Judgement, turn: &mut Turn) {
        let mut found = None;
        if let Some(kept) = self.anomalies.iter_mut().find(|a| &a.id == id) {
            let anomaly = Arc::make_mut(kept);
            anomaly.detail.judgement = Some(judgement.clone());
            found = Some(anomaly.clone());
        }
        let mut told = found.as_ref().map(|a| a.container.name.clone());
        for Open { incident, .. } in self.incidents.values_mut() {
            if incident.anomalies.iter().any(|a| &a.id == id) {
                let own = Arc::make_mut(incident).anomalies.iter_mut().find(|a| &a.id == id);
                if let Some(anomaly) = own {
                    anomaly.detail.judgement = Some(judgement.clone());
                    told = Some(anomaly.container.name.clone());
                    turn.dirty.insert(incident.id.clone());
                }
            }
        }
        let Some(container) = told else { return };
        turn.emit(Event::AnomalyJudged {
            anomaly_id: id.clone(),
            container,
            judgement: judgement.clone(),
        });
        if let Some(anomaly) = found.filter(|a| self.is_borne_out(a, judgement)) {
            self.anomalies.retain(|a| &a.id != id);
            let summary = format!("{}; triage: {}", anomaly.summary, judgement.summary);
            self.route_again(Anomaly { severity: Severity::High, summary, ..anomaly }, turn);
        }
    }

    /// Whether what triage calls bad may open an incident: it quotes a line that is there, the
    /// detectors were not sure that all is well, and they saw something else on the same
    /// container at that time. A model's word alone opens nothing.
    fn is_borne_out(&self, anomaly: &Anomaly, judgement: &Judgement) -> bool {
        let bad = judgement.severity >= Severity::High && judgement.quote.is_some();
        let unsure = anomaly.severity == Severity::Medium;
        let besides = || {
            self.anomalies.iter().any(|other| {
                other.id != anomaly.id
                    && other.kind != anomaly.kind
                    && other.container.id == anomaly.container.id
                    && other.severity >= Severity::Medium
                    && other.observed_at.duration_since(anomaly.observed_at).abs() <= TOGETHER
            })
        };
        bad && unsure && besides()
    }

    /// A closed incident may be told better than by its facts alone.
    pub(crate) fn want_explanation(&mut self, id: &IncidentId, turn: &mut Turn) {
        if !self.analyst() {
            return;
        }
        let worth = |i: &IncidentState| {
            matches!(i, IncidentState::Resolved | IncidentState::ResolvedExternally)
        };
        if let Some(open) = self.incidents.get(id).filter(|o| worth(&o.incident.state)) {
            turn.effects.push(Effect::Explain(Arc::clone(&open.incident)));
        }
    }

    fn explained(&mut self, id: &IncidentId, text: &str, model: &str, turn: &mut Turn) {
        let closed = self.incidents.get(id).is_some_and(|o| o.incident.state.is_closed());
        let Some(text) = check::explanation(text).filter(|_| closed) else { return };
        let Some((incident, _)) = self.edit(id, turn) else { return };
        incident.explanation = Some(text);
        incident.explanation_by = Some(crate::consult::words(model, 120));
        let wire = IncidentWire::from(&*incident);
        turn.emit(Event::IncidentUpdated { incident: wire });
    }
}

fn word(opinion: &Opinion) -> String {
    opinion.class.map_or_else(|| "no class".to_owned(), FailureClass::words)
}
