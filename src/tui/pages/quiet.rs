//! What opens no incident, over the whole fleet: silences, quiet labels, and what was left alone.

use std::time::Duration;

use sentinel_core::domain::quiet::Suppressed;
use sentinel_core::domain::snapshot::Mode;

use crate::tui::action::Action;
use crate::tui::glyphs::Glyphs;
use crate::tui::pages::page::Page;
use crate::tui::quiet;
use crate::tui::role::Role;
use crate::tui::state::State;
use crate::tui::styled::{Styled, paragraph};
use crate::tui::{text, words};

/// The widest a name may get.
const NAME_MOST: usize = 24;
/// Where what was left alone is told below its name.
const INDENT: usize = 4;

/// The page. Its stops are the rows of [`quiet::rows`].
pub fn page(state: &State, glyphs: &Glyphs, columns: usize) -> Page {
    let mut page = Page::default();
    brakes(&mut page, state, columns);
    granted(&mut page, state, columns);
    page.blank();
    page.say(0, Role::Dim, "What is here was seen and counted, and opened no incident.", columns);
    silenced(&mut page, state, glyphs, columns);
    labelled(&mut page, state, columns);
    left_alone(&mut page, state, columns);
    models(&mut page, state, columns);
    page
}

/// What holds auto-heal back.
fn brakes(page: &mut Page, state: &State, columns: usize) {
    let brakes = &state.snapshot.brakes;
    let held: Vec<_> = brakes.held.iter().filter(|h| h.until > state.now).collect();
    if brakes.halt.is_none() && held.is_empty() && state.snapshot.mode != Mode::AutoHeal {
        return;
    }
    page.heading("Brakes of auto-heal");
    if let Some(halt) = &brakes.halt {
        let why = if halt.reason.is_empty() { String::new() } else { format!(": {}", halt.reason) };
        let since = words::clock(halt.since, &state.zone);
        let words = format!("by {} since {since}{why}", halt.by);
        let head = Styled::of(Role::Error, "  kill switch on  ");
        page.lines.extend(paragraph(&head, INDENT, Role::Text, &words, columns));
    }
    let used = format!("{} of {} plans of this hour are used", brakes.used, brakes.per_hour);
    page.say(2, Role::Dim, &used, columns);
    for held in held {
        let head = Styled::of(Role::Strong, format!("  {}  ", held.name));
        let left = words::left(state.now, held.until);
        let words = format!("{}, {left} left", held.code.as_str().replace('_', " "));
        page.lines.extend(paragraph(&head, INDENT, Role::Text, &words, columns));
    }
}

/// What people allowed beforehand.
fn granted(page: &mut Page, state: &State, columns: usize) {
    let rows: Vec<_> = quiet::grants(state).collect();
    if rows.is_empty() {
        return;
    }
    page.heading(&format!("Allowed beforehand  {}", rows.len()));
    for grant in rows {
        let head = Styled::of(Role::Strong, format!("  {}  ", grant.service));
        let left = words::left(state.now, grant.until);
        let tools: Vec<&str> = grant.tools.iter().map(String::as_str).collect();
        let words = format!(
            "{}, {} of {} left, for {left}, by {}",
            tools.join(" and "),
            grant.uses.saturating_sub(grant.used),
            grant.uses,
            grant.by
        );
        page.stops.push(page.lines.len());
        page.lines.extend(paragraph(&head, INDENT, Role::Text, &words, columns));
    }
    if let Some(key) = state.keymap.key_for(state.context(), Action::Grant) {
        page.say(2, Role::Dim, &format!("{key} takes the chosen one back."), columns);
    }
}

fn silenced(page: &mut Page, state: &State, glyphs: &Glyphs, columns: usize) {
    let rows: Vec<_> = quiet::silences(state).collect();
    page.heading(&format!("Silenced now  {}", rows.len()));
    if rows.is_empty() {
        page.say(
            2,
            Role::Dim,
            "Nothing. Z on a container or incident silences its service.",
            columns,
        );
    }
    for silence in rows {
        let name = text::cut(&silence.service, NAME_MOST, glyphs.ellipsis);
        let head = Styled::of(Role::Info, format!("  {} ", glyphs.silenced))
            .and(Role::Strong, format!("{name}  "));
        page.stops.push(page.lines.len());
        let words = quiet::sentence(state, silence);
        page.lines.extend(paragraph(&head, INDENT, Role::Text, &words, columns));
        if quiet::covered(state, &silence.service).is_empty() {
            let none = "no watched container goes by that name now";
            page.say(INDENT, Role::Warn, none, columns);
        }
    }
}

fn labelled(page: &mut Page, state: &State, columns: usize) {
    let rows: Vec<_> = quiet::labelled(state).collect();
    if rows.is_empty() {
        return;
    }
    page.heading(&format!("Quiet by label  {}", rows.len()));
    for view in rows {
        let head = Styled::of(Role::Strong, format!("  {}  ", view.container.of.name));
        let words = "for as long as sre-sentinel.quiet=true stands on it";
        page.stops.push(page.lines.len());
        page.lines.extend(paragraph(&head, INDENT, Role::Dim, words, columns));
    }
}

fn left_alone(page: &mut Page, state: &State, columns: usize) {
    let rows = &state.snapshot.suppressed;
    let cases: u64 = rows.iter().map(|s| s.count).sum();
    page.heading(&format!("Left alone  {cases}"));
    if rows.is_empty() {
        page.say(2, Role::Dim, "Nothing so far.", columns);
    }
    for row in rows {
        page.stops.push(page.lines.len());
        let head = Styled::of(Role::Strong, format!("  {}  ", row.container));
        let why = format!("{}: {}", quiet::times(row.count), row.reason.words());
        page.lines.extend(paragraph(&head, INDENT, Role::Text, &why, columns));
        page.say(INDENT, Role::Dim, &quiet::last(state, row), columns);
    }
}

/// How the language models fare, and what they cost.
fn models(page: &mut Page, state: &State, columns: usize) {
    let views = &state.snapshot.models;
    if views.is_empty() {
        return;
    }
    page.heading("Language models");
    for view in views {
        let model = view.model.as_deref().unwrap_or("no model yet");
        let head = Styled::of(Role::Strong, format!("  {}  ", view.role.as_str()));
        let latency = view
            .last_latency_ms
            .map(|ms| format!(", the last in {}", words::took(Duration::from_millis(ms))))
            .unwrap_or_default();
        let said = format!(
            "{model} at {}: {} answers, {} failures, {} tokens, {:.4} USD{latency}",
            view.endpoint, view.calls, view.failures, view.tokens, view.cost_usd
        );
        page.lines.extend(paragraph(&head, INDENT, Role::Text, &said, columns));
        if view.waiting > 0 || view.dropped > 0 {
            let unjudged = format!(
                "{} anomalies wait to be judged, {} never were",
                view.waiting, view.dropped
            );
            page.say(INDENT, Role::Dim, &unjudged, columns);
        }
        if let Some(trouble) = &view.trouble {
            page.say(INDENT, Role::Error, trouble, columns);
        }
    }
}

/// The section of one container's page: how often, why, what it was the last time.
pub(super) fn section(page: &mut Page, state: &State, name: &str, columns: usize) {
    let rows: Vec<&Suppressed> = quiet::left_alone(state, name).collect();
    if rows.is_empty() {
        return;
    }
    page.heading("Left alone");
    for row in rows {
        let case = format!("{}; {}", row.reason.words(), quiet::last(state, row));
        page.fact(&quiet::times(row.count), Role::Text, &case, columns);
    }
}
