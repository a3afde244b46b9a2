//! One incident in full, in the order of the questions: what broke, why, what to do, did it
//! help, how do we know.

use std::time::Duration;

use sentinel_core::domain::container::Probe;
use sentinel_core::domain::diagnosis::Source;
use sentinel_core::domain::evidence::EvidenceKind;
use sentinel_core::domain::failure::FailureClass;
use sentinel_core::domain::incident::{Incident, IncidentState};
use sentinel_core::domain::plan::Plan;
use sentinel_core::report::explanation::{self, BETWEEN};
use sentinel_core::report::similar;

use crate::tui::glyphs::Glyphs;
use crate::tui::pages::page::Page;
use crate::tui::pages::{opinion, plan, reach, runbook};
use crate::tui::quiet;
use crate::tui::role::Role;
use crate::tui::state::State;
use crate::tui::status;
use crate::tui::styled::{Styled, paragraph};
use crate::tui::{text, words};

/// Timeline entries shown; earlier ones are counted.
const TIMELINE_SHOWN: usize = 40;

/// The page.
pub fn page(state: &State, incident: &Incident, glyphs: &Glyphs, columns: usize) -> Page {
    let mut page = Page::default();
    head(&mut page, state, incident, glyphs, columns);
    if let Some(explanation) = &incident.explanation {
        page.heading("In short");
        for (at, paragraph) in explanation.split(BETWEEN).enumerate() {
            if at > 0 {
                page.blank();
            }
            page.say(2, Role::Text, paragraph, columns);
        }
        if let Some(by) = &incident.explanation_by {
            // A model may say anything: the record stands beside it.
            page.say(2, Role::Dim, &format!("Written by {by}. By the record:"), columns);
            let record = explanation::write(incident).replace(BETWEEN, " ");
            page.say(2, Role::Dim, &record, columns);
        }
    }
    decide(&mut page, state, incident, glyphs, columns);
    checks(&mut page, incident, glyphs, columns);
    evidence(&mut page, state, incident, glyphs, columns);
    probes(&mut page, state, incident, columns);
    reach::section(&mut page, state, incident, glyphs, columns);
    context(&mut page, incident, columns);
    runbook::sections(&mut page, state, incident, columns);
    rejected(&mut page, incident, columns);
    opinion::section(&mut page, state, incident, columns);
    timeline(&mut page, state, incident, columns);
    page
}

fn head(page: &mut Page, state: &State, incident: &Incident, glyphs: &Glyphs, columns: usize) {
    let severity = status::of_severity(incident.severity);
    let mut shown = status::of_incident(incident, state.why_no_approval().is_none(), glyphs);
    if incident.state == IncidentState::ResolvedExternally
        && let Some(words) = status::last_words(incident)
    {
        words.clone_into(&mut shown.word);
    }
    let line = Styled::of(severity.role, format!(" {} ", severity.word.trim()))
        .and(Role::Text, " ")
        .and(Role::Strong, incident.class.words())
        .and(Role::Dim, format!(" {} ", glyphs.dot))
        .and(shown.role, format!("{} {}", shown.glyph, shown.word))
        .and(Role::Dim, format!(" {} {}", glyphs.dot, since(state, incident)));
    page.lines.push(line);
    let sentence = incident.diagnosis.as_ref().map_or(&incident.title, |d| &d.cause);
    page.say(0, Role::Strong, sentence, columns);
    confidence(page, incident, glyphs);
    if let Some(rival) = incident.diagnosis.as_ref().and_then(|d| d.near_tie.as_ref()) {
        page.say(0, Role::Text, &format!("Not clear: {rival}"), columns);
    }
    let seen = similar::seen(incident, &state.snapshot.past);
    if let Some(words) = similar::words(&seen, incident.closed_at.unwrap_or(state.now)) {
        page.say(0, Role::Text, &format!("Before: {words}"), columns);
    }
    if let Some(doubt) = incident.diagnosis.as_ref().and_then(|d| d.doubt.as_ref()) {
        page.say(0, Role::Warn, doubt, columns);
    }
    if let Some(silence) = quiet::silence_of(state, &incident.container)
        && !incident.state.is_closed()
    {
        let head = format!("{} {} is silenced  ", glyphs.silenced, silence.service);
        let words = quiet::sentence(state, silence);
        let head = Styled::of(Role::Info, head);
        page.lines.extend(paragraph(&head, 2, Role::Text, &words, columns));
    }
    let mut facts = vec![incident.id.to_string(), format!("root {}", incident.root)];
    if !incident.affected.is_empty() {
        facts.push(format!("affects {}", incident.affected.join(", ")));
    }
    if let Some(earlier) = &incident.reopens {
        facts.push(format!("continues {earlier}"));
    }
    page.say(0, Role::Dim, &facts.join(&format!(" {} ", glyphs.dot)), columns);
}

fn since(state: &State, incident: &Incident) -> String {
    match incident.closed_at {
        Some(closed) => format!(
            "lasted {}, ended {} ago",
            words::span(closed.duration_since(incident.observed_at)),
            words::age(state.now, closed)
        ),
        None => format!("for {}", words::age(state.now, incident.observed_at)),
    }
}

/// How sure the cause above it is.
fn confidence(page: &mut Page, incident: &Incident, glyphs: &Glyphs) {
    let Some(diagnosis) = &incident.diagnosis else {
        page.lines
            .push(Styled::of(Role::Dim, "The cause is not known yet; evidence still comes in."));
        return;
    };
    let by = match diagnosis.source {
        Source::Rules => "by rules",
        Source::Model => "by the language model: an opinion",
        Source::Person => "by a person",
    };
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "between 0 and 10 after the clamp"
    )]
    let full = (diagnosis.confidence * 10.0).round().clamp(0.0, 10.0) as usize;
    let mut line = Styled::new()
        .and(Role::Gauge, glyphs.full.repeat(full))
        .and(Role::GaugeEmpty, glyphs.empty.repeat(10 - full))
        .and(Role::Strong, format!(" {:.0}% sure", diagnosis.confidence * 100.0))
        .and(Role::Dim, format!(", {by}"));
    if let Some(opinion) = &incident.opinion {
        let words = format!("the analyst {}", opinion.agreement.words());
        line.push(Role::Dim, format!(" {} ", glyphs.dot));
        line.push(opinion::role(opinion.agreement), words);
    }
    page.lines.push(line);
}

fn decide(page: &mut Page, state: &State, incident: &Incident, glyphs: &Glyphs, columns: usize) {
    if let Some(plan) = &incident.plan {
        plan_head(page, state, plan, glyphs, columns);
        plan::steps(page, plan, glyphs, columns);
    } else if let Some(diagnosis) = &incident.diagnosis
        && !incident.state.is_closed()
    {
        page.heading("No safe fix");
        let advice = diagnosis.advice.as_deref().unwrap_or("A person has to look at it.");
        page.say(2, Role::Text, advice, columns);
    }
    let open = !incident.state.is_closed() && incident.state != IncidentState::Verifying;
    if open && !incident.not_acting.is_empty() {
        page.heading("Why it does not act by itself");
        let mut reasons: Vec<&String> = Vec::new();
        for reason in incident.not_acting.iter().rev() {
            if !reasons.contains(&reason) {
                reasons.push(reason);
            }
        }
        for reason in reasons.into_iter().take(6).rev() {
            let bullet = Styled::of(Role::Dim, format!("  {} ", glyphs.dot));
            page.lines.extend(paragraph(&bullet, 4, Role::Text, without_code(reason), columns));
        }
    }
}

/// Reasons are kept as `code: words`; people need the words.
pub(super) fn without_code(reason: &str) -> &str {
    match reason.split_once(": ") {
        Some((code, words)) if code.chars().all(|c| c.is_ascii_lowercase() || c == '_') => words,
        _ => reason,
    }
}

fn plan_head(page: &mut Page, state: &State, plan: &Plan, glyphs: &Glyphs, columns: usize) {
    page.blank();
    let risk = status::of_risk(plan.risk());
    let mut line = Styled::of(Role::Heading, if plan.is_staged() { "Proposed fix" } else { "Fix" })
        .and(Role::Dim, "  ")
        .and(risk.role, format!("{} {}", risk.word, plan.risk().words()));
    if let Some(expiry) = plan::expiry(plan, state.now) {
        line.push(Role::Dim, format!(" {} {expiry}", glyphs.dot));
    }
    page.lines.push(line);
    if plan.can_undo() && state.why_no_approval().is_none() {
        let key = Styled::of(Role::Text, "  ").and(Role::Key, "U");
        page.lines.push(key.and(Role::KeyText, " take it back…"));
    }
    if plan.is_staged() {
        if let Some(why) = state.why_no_approval() {
            page.say(2, Role::Warn, &why, columns);
            return;
        }
        let line = Styled::of(Role::Text, "  ")
            .and(Role::Key, "A")
            .and(Role::KeyText, " approve…   ")
            .and(Role::Key, "R")
            .and(Role::KeyText, " reject…   ")
            .and(Role::Key, "D")
            .and(Role::KeyText, " dismiss the incident…");
        page.lines.push(line);
    }
}

fn checks(page: &mut Page, incident: &Incident, glyphs: &Glyphs, columns: usize) {
    if incident.checks.is_empty() {
        return;
    }
    let passed = incident.checks.iter().filter(|c| c.passed).count();
    page.heading(&format!("Verification  {passed} of {}", incident.checks.len()));
    for check in &incident.checks {
        let (glyph, role) =
            if check.passed { (glyphs.pass, Role::Ok) } else { (glyphs.fail, Role::Warn) };
        let line = Styled::of(Role::Text, "  ")
            .and(role, format!("{glyph} "))
            .and(Role::Text, format!("{}  ", check.name.replace('_', " ")));
        page.lines.extend(paragraph(&line, 4, Role::Dim, &check.detail, columns));
    }
}

fn evidence(page: &mut Page, state: &State, incident: &Incident, glyphs: &Glyphs, columns: usize) {
    let Some(diagnosis) = incident.diagnosis.as_ref().filter(|d| !d.evidence.is_empty()) else {
        anomalies(page, state, incident, columns);
        return;
    };
    page.heading(&format!("Evidence  {}", diagnosis.evidence.len()));
    for (at, piece) in diagnosis.evidence.iter().enumerate() {
        let kind = match piece.kind {
            EvidenceKind::Log => "log",
            EvidenceKind::Event => "event",
            EvidenceKind::Sample => "sample",
            EvidenceKind::Inspect => "inspect",
            EvidenceKind::Probe => "probe",
        };
        let jumps = if piece.kind == EvidenceKind::Log { glyphs.more_right } else { " " };
        let mut line = Styled::of(Role::Strong, format!("{:>2} {jumps}", at + 1))
            .and(Role::Dim, format!(" {} ", words::clock(piece.ts, &state.zone)))
            .and(Role::Info, format!("{kind} "));
        if piece.container != incident.root {
            line.push(Role::Strong, format!("{} ", piece.container));
        }
        page.stops.push(page.lines.len());
        page.lines.extend(paragraph(&line, 6, Role::Text, &piece.excerpt, columns));
    }
}

/// Before there is a diagnosis, what the detectors saw is all there is.
fn anomalies(page: &mut Page, state: &State, incident: &Incident, columns: usize) {
    if incident.anomalies.is_empty() {
        return;
    }
    page.heading("Seen so far");
    for anomaly in &incident.anomalies {
        let line =
            Styled::of(Role::Dim, format!("  {} ", words::clock(anomaly.observed_at, &state.zone)));
        page.lines.extend(paragraph(&line, 4, Role::Text, &anomaly.summary, columns));
    }
}

fn probes(page: &mut Page, state: &State, incident: &Incident, columns: usize) {
    let relevant = matches!(
        incident.class,
        FailureClass::Hang
            | FailureClass::BadHealthcheck
            | FailureClass::DependencyDown
            | FailureClass::SlowDependency
            | FailureClass::Flapping
    );
    let Some(view) = state.container_named(&incident.root).filter(|_| relevant) else { return };
    if view.container.probes.is_empty() {
        return;
    }
    page.heading(&format!("Last health probes of {}", incident.root));
    probe_lines(page, state, &view.container.probes, columns);
}

/// Adds probes, newest first.
pub(super) fn probe_lines(page: &mut Page, state: &State, probes: &[Probe], columns: usize) {
    for probe in probes.iter().rev().take(5) {
        let (word, role) = match probe.exit_code {
            0 => ("exit 0   ".to_owned(), Role::Ok),
            -1 => ("timed out".to_owned(), Role::Error),
            code => (text::left(&format!("exit {code}"), 9, ""), Role::Error),
        };
        let at = probe
            .ended_at
            .map_or_else(|| "--:--:--".to_owned(), |at| words::clock(at, &state.zone));
        let took = if probe.duration == Duration::ZERO {
            String::new()
        } else {
            words::took(probe.duration)
        };
        let line = Styled::of(Role::Dim, format!("  {at} "))
            .and(role, word)
            .and(Role::Dim, format!(" {} ", text::right(&took, 6, "")));
        let output = probe.output.trim();
        let output = if output.is_empty() { "(no output)" } else { output };
        page.lines.extend(paragraph(&line, 6, Role::Text, output, columns));
    }
}

/// What the verdict rests on beside the evidence: who needs whom, and what changed before.
fn context(page: &mut Page, incident: &Incident, columns: usize) {
    let Some(diagnosis) = &incident.diagnosis else { return };
    if !diagnosis.recent_changes.is_empty() {
        page.heading("What changed before");
        for change in &diagnosis.recent_changes {
            page.say(2, Role::Text, change, columns);
        }
    }
    if !diagnosis.edges.is_empty() {
        page.heading("Who needs whom");
        for edge in &diagnosis.edges {
            let line = Styled::of(Role::Text, format!("  {} needs {} ", edge.from, edge.to));
            let sure = format!("{:.0}%: {}", edge.confidence * 100.0, edge.why);
            page.lines.extend(paragraph(&line, 4, Role::Dim, &sure, columns));
        }
    }
}

fn rejected(page: &mut Page, incident: &Incident, columns: usize) {
    let Some(diagnosis) = incident.diagnosis.as_ref().filter(|d| !d.rejected.is_empty()) else {
        return;
    };
    page.heading("What it is not");
    for other in &diagnosis.rejected {
        let line = Styled::of(Role::Text, format!("  {} ", other.class.words()))
            .and(Role::Dim, format!("of {} {:.0}%: ", other.root, other.score * 100.0));
        page.lines.extend(paragraph(&line, 4, Role::Dim, &other.why, columns));
    }
}

fn timeline(page: &mut Page, state: &State, incident: &Incident, columns: usize) {
    if incident.timeline.is_empty() {
        return;
    }
    page.heading("Timeline");
    let hidden = incident.timeline.len().saturating_sub(TIMELINE_SHOWN);
    if hidden > 0 {
        page.say(2, Role::Dim, &format!("({hidden} earlier entries)"), columns);
    }
    for entry in incident.timeline.iter().skip(hidden) {
        let role = if entry.state.is_some() { Role::Strong } else { Role::Text };
        let actor = entry.actor.to_string();
        let mut line = Styled::of(Role::Dim, format!("  {} ", words::clock(entry.at, &state.zone)));
        if actor != "sentinel-tui" {
            line.push(Role::Info, format!("{actor} "));
        }
        page.lines.extend(paragraph(&line, 11, role, &entry.what, columns));
    }
}
