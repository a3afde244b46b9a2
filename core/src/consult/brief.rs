//! An incident as a model is shown it: evidence with short ids, within a budget.
//!
//! What tells most comes first, and what does not fit is left out and counted. Everything in it was
//! redacted where it entered; values of the environment are not in it at all.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};

use crate::consult::menu;
use crate::consult::pieces::{PIECE_BYTES, change, cut, describe, probes, usage};
use crate::consult::unvalued::Unvalued;
use crate::detect::score::quote;
use crate::diagnose::topology;
use crate::diagnose::world::{Facts, World};
use crate::domain::container::ContainerRef;
use crate::domain::evidence::{Evidence, EvidenceKind};
use crate::domain::failure::FailureClass;
use crate::domain::ids::{ContainerId, EvidenceId, IncidentId};
use crate::domain::incident::{Incident, TimelineEntry};
use crate::domain::log::{Level, LogLine};
use crate::domain::snapshot::{Mode, Snapshot};
use crate::domain::tool::Tool;
use crate::domain::topology::Edge;
use crate::runbook::{Runbooks, Wanted};

/// Bytes of evidence, about four to a token: what a small model reads well in one go.
pub const EVIDENCE_BYTES: usize = 14 << 10;
/// Bytes of tool descriptions with their schemas.
pub const TOOL_BYTES: usize = 12 << 10;
/// Bytes of runbooks.
pub const RUNBOOK_BYTES: usize = 4 << 10;
/// Log lines per container.
const LINES: usize = 12;
/// Containers around the incident that are described.
const NEIGHBOURS: usize = 8;
/// Edges told.
const MOST_EDGES: usize = 16;
/// Entries of the timeline told.
const TIMELINE: usize = 12;
/// Changes this long before the incident are told.
const CHANGES: SignedDuration = SignedDuration::from_hours(6);
/// Sentences may speak of any change that is remembered.
const REMEMBERED: SignedDuration = SignedDuration::from_hours(24 * 365);

/// A runbook that fits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// Its name.
    pub name: String,
    /// Its text, redacted.
    pub text: String,
}

/// What a brief is made of.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// The container that it is about.
    pub container: &'a ContainerRef,
    /// The incident, if it is about one.
    pub incident: Option<&'a Incident>,
    /// What is known of all containers.
    pub world: &'a World,
    /// What may be done.
    pub mode: Mode,
    /// What is remembered of earlier incidents like it, in words.
    pub memory: &'a [String],
    /// Now.
    pub now: Timestamp,
}

/// One piece of evidence under the id that the model is to name.
#[derive(Clone, Debug, PartialEq)]
pub struct Item {
    /// `E1`, `E2`, …
    pub id: String,
    /// The piece itself.
    pub evidence: Evidence,
}

/// What the rules say.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RulesSay {
    /// Their class.
    pub class: Option<FailureClass>,
    /// The container that they blame.
    pub root: String,
    /// 0 to 1.
    pub confidence: f64,
    /// Their sentence.
    pub cause: String,
    /// What else they considered, and why not.
    pub rejected: Vec<String>,
    /// What they would do, as `docker` lines.
    pub plan: Vec<String>,
    /// What they advise a person to do.
    pub advice: String,
}

/// An incident, ready to be shown to a model.
#[derive(Clone, Debug, PartialEq)]
pub struct Brief {
    /// Which incident, if it is about one.
    pub incident: Option<IncidentId>,
    /// What is broken, in a line.
    pub title: String,
    /// Name of the container that it was opened on.
    pub subject: String,
    /// Names that it goes by: of the container at fault, and of its service.
    pub names: Vec<String>,
    /// Labels of that container.
    pub labels: BTreeMap<String, String>,
    /// When the fault was observable.
    pub observed_at: Timestamp,
    /// What the rules say.
    pub rules: RulesSay,
    /// The evidence, oldest first.
    pub items: Vec<Item>,
    /// Pieces of evidence that did not fit.
    pub left_out: usize,
    /// The containers around it, a line each.
    pub containers: Vec<String>,
    /// Who needs whom, a line each.
    pub topology: Vec<String>,
    /// What happened to the incident so far, a line each.
    pub timeline: Vec<String>,
    /// Earlier incidents like it.
    pub memory: Vec<String>,
    /// Runbooks that fit: added where they are kept.
    pub runbooks: Vec<Page>,
    /// Tools, with their schemas.
    pub tools: Vec<Tool>,
    /// What may be done, in words.
    pub policy: Vec<String>,
    /// Watched containers by name: what may be looked at.
    pub watched: BTreeMap<String, ContainerId>,
}

impl Brief {
    /// The piece of evidence under an id, if there is one.
    pub fn evidence(&self, id: &str) -> Option<&Evidence> {
        let id = id.trim().trim_matches(['[', ']']);
        self.items.iter().find(|i| i.id.eq_ignore_ascii_case(id)).map(|i| &i.evidence)
    }
}

/// Makes the brief of an incident, or of a container.
pub fn brief(of: &Subject<'_>) -> Brief {
    let Subject { container, incident, world, now, .. } = *of;
    let places = places(of);
    let unvalued = unvalued(of, &places);
    let (items, left_out) = evidence(of, &places, &unvalued);
    let near: BTreeSet<&str> = places.iter().map(|f| f.container.of.name.as_str()).collect();
    let close = |e: &&Edge| near.contains(e.from.as_str()) && near.contains(e.to.as_str());
    let needs = |e: &Edge| {
        format!("{} needs {} ({:.0} % sure: {})", e.from, e.to, e.confidence * 100.0, e.why)
    };
    let timeline = incident.map(|i| i.timeline.as_slice()).unwrap_or_default();
    let told =
        |e: &TimelineEntry| format!("{:.0} {}: {}", e.at, e.actor, cut(&unvalued.text(&e.what)));
    let first = places.first().map(|f| &f.container);
    Brief {
        incident: incident.map(|i| i.id.clone()),
        title: incident.map_or_else(String::new, |i| unvalued.text(&i.title)),
        subject: container.name.clone(),
        names: first.map_or_else(Vec::new, |c| vec![c.of.name.clone(), c.of.service.clone()]),
        labels: first.map_or_else(BTreeMap::new, |c| c.labels.clone()),
        observed_at: incident.map_or(now, |i| i.observed_at),
        rules: incident.map_or_else(RulesSay::default, |i| rules_say(i, &unvalued)),
        items,
        left_out,
        containers: places.iter().map(|f| describe(f)).collect(),
        topology: topology::all(world).iter().filter(close).map(needs).take(MOST_EDGES).collect(),
        timeline: timeline.iter().rev().take(TIMELINE).rev().map(told).collect(),
        memory: of.memory.iter().map(|m| unvalued.text(m)).collect(),
        runbooks: Vec::new(),
        tools: tools(world),
        policy: policy(of.mode),
        watched: world
            .containers
            .values()
            .map(|f| (f.container.of.name.clone(), f.container.of.id.clone()))
            .collect(),
    }
}

/// The same with what people wrote down for such a case.
#[must_use]
pub fn with_runbooks(mut brief: Brief, books: &Runbooks) -> Brief {
    let names: Vec<&str> = brief.names.iter().map(String::as_str).collect();
    let Some(class) = brief.rules.class else { return brief };
    let fitting = books.matching(&Wanted { class, names: &names, labels: Some(&brief.labels) });
    let pages: Vec<Page> =
        fitting.iter().map(|b| Page { name: b.name.clone(), text: b.lines.join("\n") }).collect();
    brief.runbooks = within(&pages, RUNBOOK_BYTES, |p| p.text.len());
    brief
}

/// The container at fault and that of the incident first, then those around them.
fn places<'w>(of: &Subject<'w>) -> Vec<&'w Facts> {
    let Subject { container, incident, world, .. } = *of;
    let mut found: Vec<&Facts> = Vec::new();
    let mut seen = BTreeSet::new();
    let mut add = |facts: &'w Facts, found: &mut Vec<&'w Facts>| {
        if found.len() < NEIGHBOURS && seen.insert(facts.container.of.id.clone()) {
            found.push(facts);
        }
    };
    let own = world.containers.get(&container.id);
    let root = incident.and_then(|i| world.by_name(&i.root));
    let centre: Vec<&Facts> = root.into_iter().chain(own).collect();
    for facts in &centre {
        add(facts, &mut found);
    }
    let affected = incident.iter().flat_map(|i| &i.affected);
    for facts in affected.filter_map(|name| world.by_name(name)) {
        add(facts, &mut found);
    }
    for facts in centre {
        let upstream = topology::upstream(world, facts);
        for (_, other) in upstream.into_iter().chain(topology::dependents(world, facts)) {
            add(other, &mut found);
        }
    }
    found
}

/// The evidence within its budget, oldest first, and how many pieces did not fit.
fn evidence(of: &Subject<'_>, places: &[&Facts], unvalued: &Unvalued) -> (Vec<Item>, usize) {
    let Subject { incident, world, now, .. } = *of;
    let mut ranked: Vec<Evidence> = Vec::new();
    let diagnosis = incident.and_then(|i| i.diagnosis.as_ref());
    ranked.extend(diagnosis.iter().flat_map(|d| d.evidence.iter().cloned()));
    let mut anomalies: Vec<_> = incident.iter().flat_map(|i| &i.anomalies).collect();
    // What the engine itself saw tells more than text, and the first signs more than the last.
    anomalies.sort_by_key(|a| (!a.kind.is_engine_observed(), a.observed_at));
    for anomaly in anomalies {
        ranked.push(Evidence {
            id: EvidenceId(format!("anomaly-{}", anomaly.id)),
            kind: EvidenceKind::Event,
            container: anomaly.container.name.clone(),
            ts: anomaly.observed_at,
            excerpt: format!(
                "{} ({}): {}",
                anomaly.kind.as_str(),
                anomaly.severity,
                anomaly.summary
            ),
            line: None,
        });
        ranked.extend(anomaly.evidence.iter().cloned());
    }
    for facts in places.iter().take(2) {
        ranked.extend(usage(facts, now));
        ranked.extend(probes(facts));
        let changes = world.recent_changes(&facts.container.of, CHANGES, now);
        ranked.extend(changes.into_iter().map(|c| change(c, &facts.container)));
    }
    for (place, facts) in places.iter().enumerate() {
        let most = if place < 2 { LINES } else { 3 };
        let loud = |l: &&LogLine| l.reading.level.is_some_and(|level| level >= Level::Warn);
        let (loud, quiet): (Vec<_>, Vec<_>) = facts.tail.iter().rev().partition(|l| loud(l));
        let lines = loud.into_iter().chain(quiet).take(most);
        ranked.extend(lines.map(|l| quote::line(l, &facts.container.of)));
    }
    let mut told = BTreeSet::new();
    ranked.retain(|e| !e.excerpt.trim().is_empty() && told.insert(e.id.clone()));
    let all = ranked.len();
    let mut chosen = within(&ranked, EVIDENCE_BYTES, |e| e.excerpt.len().min(PIECE_BYTES) + 80);
    let left_out = all - chosen.len();
    chosen.sort_by(|a, b| a.ts.cmp(&b.ts).then(a.id.cmp(&b.id)));
    let item = |(n, mut evidence): (usize, Evidence)| {
        evidence.excerpt = cut(&unvalued.text(&evidence.excerpt));
        Item { id: format!("E{n}"), evidence }
    };
    ((1..).zip(chosen).map(item).collect(), left_out)
}

/// As many of the first as fit; a large one is passed over for smaller ones behind it.
fn within<T: Clone>(all: &[T], bytes: usize, size: impl Fn(&T) -> usize) -> Vec<T> {
    let mut left = bytes;
    let mut fits = |one: &&T| match left.checked_sub(size(one)) {
        Some(rest) => {
            left = rest;
            true
        }
        None => false,
    };
    all.iter().filter(|one| fits(one)).cloned().collect()
}

/// What the rules' sentences may name of the values of variables.
fn unvalued(of: &Subject<'_>, places: &[&Facts]) -> Unvalued {
    let changes =
        places.iter().flat_map(|f| of.world.recent_changes(&f.container.of, REMEMBERED, of.now));
    Unvalued::of(of.incident, changes)
}

fn rules_say(incident: &Incident, unvalued: &Unvalued) -> RulesSay {
    let Some(d) = &incident.diagnosis else { return RulesSay::default() };
    RulesSay {
        class: Some(d.class),
        root: d.root.clone(),
        confidence: d.confidence,
        cause: unvalued.text(&d.cause),
        rejected: d
            .rejected
            .iter()
            .map(|r| unvalued.text(&format!("{} of {}: {}", r.class, r.root, r.why)))
            .collect(),
        plan: d.plan.iter().map(|a| unvalued.text(&a.docker_line)).collect(),
        advice: d.advice.as_ref().map_or_else(String::new, |a| unvalued.text(a)),
    }
}

/// Tools with their schemas: what reads first, then what may be proposed, as far as they fit.
fn tools(world: &World) -> Vec<Tool> {
    let mut ranked: Vec<&Tool> = world.tools.iter().filter(|t| !t.foreign).collect();
    ranked.sort_by_key(|t| (!menu::may_read(t), !menu::offers(&t.name), t.name.clone()));
    ranked.retain(|t| menu::may_read(t) || menu::offers(&t.name));
    let owned: Vec<Tool> = ranked.into_iter().cloned().collect();
    within(&owned, TOOL_BYTES, |t| t.description.len() + t.input_schema.to_string().len())
}

fn policy(mode: Mode) -> Vec<String> {
    let mode = match mode {
        Mode::ReadOnly => "nothing may be changed",
        Mode::Approve => "every change needs the approval of a person",
        Mode::AutoHeal => "changes that the rules propose may run by policy; yours need a person",
    };
    vec![
        format!("Mode: {mode}."),
        "You can approve nothing. What you propose is checked, composed anew and shown to a person."
            .to_owned(),
        format!("You may propose only: {}.", menu::OFFERED.join(", ")),
        "Only the container at fault may be changed. No commands in containers, no deletion.".to_owned(),
    ]
}

/// What is known by a snapshot, with lines of one container: enough to answer questions from.
pub fn world(snapshot: &Snapshot, lines: &[LogLine]) -> World {
    let mut world = World {
        engine: snapshot.engine.clone().unwrap_or_default(),
        tools: snapshot.tools.to_vec(),
        ..World::default()
    };
    for view in &snapshot.containers {
        let mut facts = Facts::new(view.container.as_ref().clone());
        facts.usage.clone_from(&view.usage);
        world.containers.insert(view.container.of.id.clone(), facts);
    }
    for line in lines {
        if let Some(facts) = world.containers.get_mut(&line.container) {
            facts.heard(line);
        }
    }
    world
}
