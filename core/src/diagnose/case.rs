//! What a diagnosis is asked about, and the questions that rules put to it.

use jiff::{SignedDuration, Timestamp};

use crate::diagnose::topology;
use crate::diagnose::world::{Facts, World};
use crate::domain::anomaly::{Anomaly, AnomalyKind};
use crate::domain::container::{ContainerRef, Health, RunState};
use crate::domain::failure::FailureClass;
use crate::domain::ids::ContainerId;
use crate::domain::spec::{Spec, SpecChange, SpecField};
use crate::domain::topology::Edge;

/// A change this long before the first sign may be its cause (FAILURES.md: image, env, mount,
/// limits, network in the last 10 minutes).
pub const RECENT: SignedDuration = SignedDuration::from_mins(10);
/// A line this close to a death names its reason.
const LAST_WORDS: SignedDuration = SignedDuration::from_secs(5);

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

    /// The anomalies on the subject.
    pub fn all_own(&self) -> impl DoubleEndedIterator<Item = &'a Anomaly> {
        let subject = &self.subject.id;
        self.anomalies.iter().filter(move |a| &a.container.id == subject)
    }

    /// The anomalies of one kind on the subject.
    pub fn own(&self, kind: AnomalyKind) -> impl DoubleEndedIterator<Item = &'a Anomaly> {
        self.all_own().filter(move |a| a.kind == kind)
    }

    /// The last anomaly of one kind on the subject.
    pub fn last(&self, kind: AnomalyKind) -> Option<&'a Anomaly> {
        self.own(kind).next_back()
    }

    /// The last death of the subject, whatever it was told as.
    pub fn death(&self) -> Option<&'a Anomaly> {
        self.all_own().rfind(|a| {
            matches!(a.kind, AnomalyKind::Death | AnomalyKind::CrashLoop | AnomalyKind::OomKill)
        })
    }

    /// The last exit status that an anomaly of the subject names.
    pub fn exit_code(&self) -> Option<i64> {
        self.all_own().rev().find_map(|a| a.detail.exit_code)
    }

    /// The last line of the subject that a signature of this class knows.
    pub fn signature(&self, class: FailureClass) -> Option<&'a Anomaly> {
        let text = |a: &&Anomaly| a.detail.class == Some(class) && a.detail.words.is_some();
        self.all_own().rfind(text)
    }

    /// Whether a line is among the last words before a death of the subject.
    pub fn is_last_words(&self, line: &Anomaly) -> bool {
        self.all_own()
            .filter(|a| matches!(a.kind, AnomalyKind::Death | AnomalyKind::CrashLoop))
            .any(|d| d.observed_at.duration_since(line.observed_at).abs() <= LAST_WORDS)
    }

    /// When the first of all signs could be seen.
    pub fn first_sign(&self) -> Timestamp {
        self.anomalies.iter().map(|a| a.observed_at).min().unwrap_or(self.now)
    }

    /// What changed of the subject's service in the [`RECENT`] time before the first sign, or
    /// since.
    pub fn changes(&self) -> Vec<&'a SpecChange> {
        self.changes_of(self.subject)
    }

    /// The same of the service of any container.
    pub fn changes_of(&self, of: &ContainerRef) -> Vec<&'a SpecChange> {
        let within = RECENT + self.now.duration_since(self.first_sign());
        self.world.recent_changes(of, within, self.now)
    }

    /// Those of them that a deploy makes.
    pub fn deployed(&self) -> Vec<&'a SpecChange> {
        let deploys = |c: &&SpecChange| {
            matches!(
                c.field,
                SpecField::Image
                    | SpecField::Command
                    | SpecField::Env
                    | SpecField::Mount
                    | SpecField::User
            )
        };
        self.changes().into_iter().filter(deploys).collect()
    }

    /// The last spec with which the subject's service ran well, if it ever did.
    pub fn good(&self) -> Option<&'a Spec> {
        self.world.history(self.subject)?.good.as_ref()
    }

    /// Whether a container is down, paused or unhealthy.
    pub fn is_broken(&self, id: &ContainerId) -> bool {
        self.world.containers.get(id).is_some_and(is_broken)
    }

    /// The deepest broken container that the subject needs, with the chain of needs that leads
    /// there: what `line` names counts as needed.
    pub fn broken_upstream(&self, line: Option<&Anomaly>) -> Option<(&'a Facts, Vec<Edge>)> {
        let facts = self.facts()?;
        let named = line.map(|l| topology::named(self.world, facts, l)).unwrap_or_default();
        let direct = named.into_iter().chain(topology::declared(self.world, facts));
        let needed = topology::upstream(self.world, facts).into_iter().map(|(_, f)| f);
        let first = direct.chain(needed).find(|f| is_broken(f))?;
        // What breaks the one that is needed may lie deeper still.
        let deepest = topology::ancestors(self.world, first)
            .into_iter()
            .rfind(|f| is_broken(f) && f.container.of.id != self.subject.id)
            .filter(|f| broke_before(f, first))
            .unwrap_or(first);
        let mut chain =
            topology::needs(self.world, facts, first, line).into_iter().collect::<Vec<_>>();
        chain.extend(topology::path(self.world, first, deepest).unwrap_or_default());
        Some((deepest, chain))
    }
}

fn is_broken(facts: &Facts) -> bool {
    facts.container.state != RunState::Running || facts.container.health == Health::Unhealthy
}

/// Whether `deeper` can have broken `other`: it did not break after it.
fn broke_before(deeper: &Facts, other: &Facts) -> bool {
    match (deeper.container.finished_at, other.container.finished_at) {
        (Some(a), Some(b)) if !deeper.container.is_up() && !other.container.is_up() => a <= b,
        _ => true,
    }
}
