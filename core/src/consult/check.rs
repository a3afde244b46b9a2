//! An analysis becomes an opinion: what it names is looked up, and what does not exist is said.

use jiff::Timestamp;

use crate::consult::brief::Brief;
use crate::consult::{SENTENCE, menu, words};
use crate::diagnose::world::World;
use crate::domain::evidence::{Evidence, EvidenceKind};
use crate::domain::failure::FailureClass;
use crate::domain::ids::EvidenceId;
use crate::domain::incident::Incident;
use crate::domain::opinion::{
    Agreement, Analysis, Answered, Claim, Looked, Opinion, Proposal, Proposed, Statement,
};
use crate::report::explanation::BETWEEN;

/// Claims kept.
const CLAIMS: usize = 8;
/// Steps of a proposal.
const STEPS: usize = 3;
/// Bytes of a paragraph.
const PARAGRAPH: usize = 800;
/// Problems kept.
const PROBLEMS: usize = 10;

/// Checks an analysis. Everything in the result is bounded and safe to show.
pub fn opinion(
    analysis: &Analysis,
    by: &Answered,
    looked: Vec<Looked>,
    brief: &Brief,
    about: (&Incident, &World),
    now: Timestamp,
) -> Opinion {
    let (incident, world) = about;
    let mut problems = Vec::new();
    if by.mended {
        problems.push("its answer came damaged; this is what could be read of it".to_owned());
    }
    let class = class(&analysis.class);
    if class.is_none() {
        problems.push(format!("there is no failure class {:?}", words(&analysis.class, 60)));
    }
    let root = world.by_name(analysis.root.trim()).map(|f| f.container.of.name.clone());
    if root.is_none() {
        problems.push(format!("there is no watched container {:?}", words(&analysis.root, 60)));
    }
    let claims: Vec<Claim> = analysis
        .claims
        .iter()
        .filter(|s| !s.text.trim().is_empty())
        .take(CLAIMS)
        .map(|s| claim(s, brief, &looked, &mut problems))
        .collect();
    if claims.iter().all(|c| !c.supported) {
        problems.push("nothing that it says is supported by evidence".to_owned());
    }
    let agreement = agreement(class, root.as_deref(), incident.class, &incident.root);
    let proposal = (!analysis.plan.is_empty()).then(|| {
        let mut proposal = propose(&analysis.plan, incident, world);
        if proposal.refused.is_none() {
            proposal.refused = not_staged(agreement, incident, &claims);
        }
        proposal
    });
    problems.truncate(PROBLEMS);
    Opinion {
        at: now,
        by: Answered { model: words(&by.model, 120), ..by.clone() },
        class,
        root,
        confidence: analysis.confidence.clamp(0.0, 1.0),
        cause: words(&analysis.cause, SENTENCE),
        claims,
        agreement,
        proposal,
        advice: words(&analysis.advice, SENTENCE),
        looked,
        problems,
    }
}

/// A model's two paragraphs about a closed incident, made safe and bounded; `None` if nothing is
/// left of them.
pub fn explanation(text: &str) -> Option<String> {
    let paragraphs: Vec<String> = text
        .split(BETWEEN)
        .map(|p| words(p, PARAGRAPH))
        .filter(|p| !p.is_empty())
        .take(2)
        .collect();
    (!paragraphs.is_empty()).then(|| paragraphs.join(BETWEEN))
}

/// The evidence that a text cites as `[E3]`, each under that id, and ids that do not exist.
pub fn cited(text: &str, brief: &Brief) -> (Vec<Evidence>, Vec<String>) {
    let mut found: Vec<Evidence> = Vec::new();
    let mut unknown = Vec::new();
    for part in text.split('[').skip(1) {
        let Some((inside, _)) = part.split_once(']') else { continue };
        for id in inside.split([',', ' ', ';']).filter(|id| is_id(id)) {
            let id = id.to_ascii_uppercase();
            match brief.evidence(&id) {
                Some(piece) if !found.iter().any(|f| f.id.as_str() == id) => {
                    found.push(Evidence { id: EvidenceId(id), ..piece.clone() });
                }
                None if !unknown.contains(&id) && !id.starts_with('T') => unknown.push(id),
                _ => {}
            }
        }
    }
    (found, unknown)
}

fn is_id(text: &str) -> bool {
    let number = text.strip_prefix(['E', 'e', 'T', 't']);
    number.is_some_and(|n| (1..=4).contains(&n.len()) && n.bytes().all(|b| b.is_ascii_digit()))
}

/// A class by its name, however it is spelled.
fn class(name: &str) -> Option<FailureClass> {
    let plain = name.trim().to_ascii_lowercase().replace([' ', '-'], "_");
    FailureClass::ALL.into_iter().find(|c| c.as_str() == plain)
}

/// Whether what the analyst names is what the rules name.
pub fn agreement(
    class: Option<FailureClass>,
    root: Option<&str>,
    rules_class: FailureClass,
    rules_root: &str,
) -> Agreement {
    match (class, root) {
        (None | Some(FailureClass::Unknown), _) | (_, None) => Agreement::Undecided,
        (_, Some(root)) if root != rules_root => Agreement::OtherRoot,
        (Some(class), _) if class != rules_class => Agreement::OtherClass,
        _ => Agreement::Agrees,
    }
}

fn claim(
    statement: &Statement,
    brief: &Brief,
    looked: &[Looked],
    problems: &mut Vec<String>,
) -> Claim {
    let mut evidence = Vec::new();
    let mut missing = Vec::new();
    for id in statement.evidence.iter().take(CLAIMS) {
        match brief.evidence(id).cloned().or_else(|| seen(looked, id, brief)) {
            Some(found) => evidence.push(found),
            None => missing.push(words(id, 24)),
        }
    }
    if !missing.is_empty() {
        problems.push(format!("no evidence is called {}", missing.join(", ")));
    }
    let supported = !evidence.is_empty() && missing.is_empty();
    Claim { text: words(&statement.text, SENTENCE), evidence, supported }
}

/// What a look brought, as evidence.
fn seen(looked: &[Looked], id: &str, brief: &Brief) -> Option<Evidence> {
    let id = id.trim().trim_matches(['[', ']']);
    let look = looked.iter().find(|l| l.ok && l.id.eq_ignore_ascii_case(id))?;
    Some(Evidence {
        id: EvidenceId(format!("look-{}-{}", brief.subject, look.id)),
        kind: EvidenceKind::Inspect,
        container: look.target.clone(),
        ts: brief.observed_at,
        excerpt: format!("{}: {}", look.tool, look.excerpt),
        line: None,
    })
}

/// What it would do, step by step. One step that may not be takes all with it.
fn propose(plan: &[Proposed], incident: &Incident, world: &World) -> Proposal {
    let mut proposal = Proposal::default();
    for step in plan.iter().take(STEPS) {
        let (tool, target) = (words(&step.tool, 40), words(&step.target, 60));
        proposal.words.push(format!("{tool} {target}"));
        if proposal.refused.is_some() {
            continue;
        }
        match compose(step, incident, world) {
            Ok(action) => proposal.actions.push(action),
            Err(why) => proposal.refused = Some(format!("{tool} {target}: {why}")),
        }
    }
    if plan.len() > STEPS {
        proposal.refused.get_or_insert_with(|| format!("it has more than {STEPS} steps"));
    }
    if proposal.refused.is_some() {
        proposal.actions.clear();
    }
    proposal
}

fn compose(
    step: &Proposed,
    incident: &Incident,
    world: &World,
) -> Result<crate::domain::diagnosis::Action, String> {
    let target = step.target.trim();
    let named = || step.arguments.get("container_name").and_then(serde_json::Value::as_str);
    let target = if target.is_empty() { named().unwrap_or_default() } else { target };
    let Some(facts) = world.by_name(target) else {
        return Err("no watched container has that name".to_owned());
    };
    if target != incident.root {
        return Err(format!("only {}, which is at fault, may be changed", incident.root));
    }
    menu::compose(step, facts, world)
}

/// Why a plan whose steps may be is not staged all the same.
fn not_staged(agreement: Agreement, incident: &Incident, claims: &[Claim]) -> Option<String> {
    if agreement != Agreement::Agrees {
        return Some(format!("the analyst {}; its plan is shown only", agreement.words()));
    }
    if !claims.iter().any(|c| c.supported) {
        return Some("nothing that the analyst says is supported by evidence".to_owned());
    }
    let own = incident.diagnosis.as_ref().is_some_and(|d| !d.plan.is_empty());
    own.then(|| "the rules have a plan of their own".to_owned())
}
