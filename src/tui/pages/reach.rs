//! How far an incident reaches: from the container at fault along who needs whom.

use std::collections::BTreeSet;

use sentinel_core::domain::incident::Incident;
use sentinel_core::domain::topology::{Edge, EdgeSource};

use crate::tui::glyphs::Glyphs;
use crate::tui::pages::page::Page;
use crate::tui::role::Role;
use crate::tui::state::State;
use crate::tui::status;
use crate::tui::styled::{Styled, paragraph};

/// Containers shown; the others are counted.
const SHOWN: usize = 24;
/// Columns of one step along the graph.
const STEP: usize = 2;

/// A section, where more than the container at fault is affected.
pub(super) fn section(
    page: &mut Page,
    state: &State,
    incident: &Incident,
    glyphs: &Glyphs,
    columns: usize,
) {
    let reached = reached(&incident.root, &incident.affected, &state.snapshot.edges);
    if reached.len() < 2 {
        return;
    }
    page.heading("How far it reaches");
    for place in reached.iter().take(SHOWN) {
        let mut line = Styled::of(Role::Dim, " ".repeat(STEP * (place.depth + 1)));
        if place.depth > 0 {
            line.push(Role::Dim, format!("{} ", glyphs.arrow));
        }
        match state.container_named(place.name) {
            Some(view) => {
                let shown = status::of_container(&view.container, glyphs);
                line.push(shown.role, format!("{} ", shown.glyph));
                line.push(Role::Strong, place.name.to_owned());
                line.push(Role::Dim, format!("  {}", shown.word));
            }
            None => line.push(Role::Strong, place.name.to_owned()),
        }
        let indent = line.width();
        let why = place.why.map_or_else(String::new, |edge| {
            format!("  needs it ({:.0}%: {})", edge.confidence * 100.0, edge.why)
        });
        page.lines.extend(paragraph(&line, indent.min(columns / 2), Role::Dim, &why, columns));
    }
    if let Some(more) = reached.len().checked_sub(SHOWN).filter(|more| *more > 0) {
        page.say(STEP, Role::Dim, &format!("and {more} more"), columns);
    }
}

/// A container that is reached.
struct Place<'a> {
    name: &'a str,
    /// Steps from the container at fault.
    depth: usize,
    /// Why it needs the one before it; `None` where nothing is known that leads to it.
    why: Option<&'a Edge>,
}

/// The affected ones behind those that they need, nearest first; each once, so that a circle ends.
fn reached<'a>(root: &'a str, affected: &'a [String], edges: &'a [Edge]) -> Vec<Place<'a>> {
    let mut left: BTreeSet<&str> = affected.iter().map(String::as_str).collect();
    left.remove(root);
    let mut found = Vec::new();
    let mut next = vec![Place { name: root, depth: 0, why: None }];
    while let Some(place) = next.pop() {
        let (name, depth) = (place.name, place.depth);
        found.push(place);
        // What shares a network need not need it.
        let callers = edges.iter().rev().filter(|e| e.source != EdgeSource::Network);
        for edge in callers.filter(|e| e.to == name) {
            if left.remove(edge.from.as_str()) {
                next.push(Place { name: &edge.from, depth: depth + 1, why: Some(edge) });
            }
        }
    }
    found.extend(left.into_iter().map(|name| Place { name, depth: 1, why: None }));
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edge(from: &str, to: &str) -> Edge {
        Edge {
            from: from.to_owned(),
            to: to.to_owned(),
            source: EdgeSource::Environment,
            confidence: 0.9,
            why: "PEER_URL names it".to_owned(),
        }
    }

    fn told(root: &str, affected: &[&str], edges: &[Edge]) -> Vec<(String, usize)> {
        let affected: Vec<String> = affected.iter().map(|n| (*n).to_owned()).collect();
        let places = reached(root, &affected, edges);
        places.into_iter().map(|p| (p.name.to_owned(), p.depth)).collect()
    }

    #[test]
    fn callers_stand_behind_what_they_need_and_a_circle_ends() {
        let edges = [edge("api", "db"), edge("web", "api"), edge("db", "web"), edge("job", "db")];
        let found = told("db", &["web", "api", "db"], &edges);
        let wanted = [("db", 0), ("api", 1), ("web", 2)];
        assert_eq!(found, wanted.map(|(name, depth)| (name.to_owned(), depth)), "job is well");
    }

    #[test]
    fn what_nothing_leads_to_is_not_left_out() {
        let found = told("db", &["api", "lone"], &[edge("api", "db")]);
        let wanted = [("db", 0), ("api", 1), ("lone", 1)];
        assert_eq!(found, wanted.map(|(name, depth)| (name.to_owned(), depth)));
    }
}
