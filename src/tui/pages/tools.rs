//! The tools of the MCP servers; one of them with its arguments, and what it answered.

use sentinel_core::consult::look;
use sentinel_core::domain::tool::{Tool, ToolHints};
use serde_json::{Map, Value};

use crate::tui::glyphs::Glyphs;
use crate::tui::listing::Listing;
use crate::tui::listing::tools::Outcome;
use crate::tui::pages::page::Page;
use crate::tui::role::Role;
use crate::tui::rows::tools;
use crate::tui::state::State;
use crate::tui::styled::{Styled, paragraph};
use crate::tui::{text, words};

/// Columns of a tool's name.
const NAME: usize = 22;
/// From so many columns on there is room for the worst of its hints, and for all.
const HINTED: (usize, usize) = (50, 80);
/// Lines of an answer that are shown.
const ANSWER_LINES: usize = 1_000;
/// Bytes of one line of an answer.
const LINE: usize = 2_000;
/// How deep an answer is read.
const DEPTH: usize = 8;

/// The list, by server.
pub(super) fn list(state: &State, glyphs: &Glyphs, columns: usize) -> Page {
    let mut page = Page::default();
    for part in state.snapshot.degraded.iter().filter(|d| d.part == "mcp") {
        page.say(0, Role::Error, &part.detail, columns);
    }
    let rows = state.listing_rows(Listing::Tools);
    if rows.is_empty() {
        let why = "No MCP server has told of its tools yet. `sentinel-tui tools list` says which \
                   servers are known and what is wrong with them.";
        page.none(state, Listing::Tools, why, columns);
        return page;
    }
    let mut server = "";
    for key in rows {
        let Some(tool) = tools::at(state, key) else { continue };
        if tool.server != server {
            server = &tool.server;
            page.blank();
            page.lines.push(of_server(state, tool));
        }
        page.row(row(tool, glyphs, columns));
    }
    page
}

fn of_server(state: &State, tool: &Tool) -> Styled {
    let line = Styled::of(Role::Heading, tool.server.clone());
    let line = if tool.foreign {
        line.and(Role::Dim, "  another's server: each of its tools counts as R3")
    } else {
        line
    };
    match tools::circuit(state, &tool.server) {
        Some(until) => {
            let left = words::left(state.now, *until);
            line.and(Role::Error, format!("  left alone for {left}: its calls failed"))
        }
        None => line.and(Role::Ok, "  enabled"),
    }
}

fn row(tool: &Tool, glyphs: &Glyphs, columns: usize) -> Styled {
    let risk = tools::risk_of(tool);
    let role = if tools::is_callable(tool) { Role::Ok } else { Role::Warn };
    let name = text::left(&tool.name, NAME, glyphs.ellipsis);
    let mut line = Styled::of(Role::Strong, format!("  {name} ")).and(role, format!("{risk} "));
    if columns >= HINTED.1 {
        line.push(Role::Dim, format!("{} ", text::left(&hints(tool.hints), 34, glyphs.ellipsis)));
    } else if columns >= HINTED.0 {
        let worst = match tool.hints {
            ToolHints { destructive: Some(true), .. } => "destructive",
            ToolHints { read_only: Some(true), .. } => "read-only",
            ToolHints { read_only: Some(false), .. } => "writes",
            _ => "no hints",
        };
        line.push(Role::Dim, format!("{worst:<11} "));
    }
    let said = tool.description.lines().next().unwrap_or_default();
    line.and(Role::Text, said)
}

/// What its server says of it.
fn hints(hints: ToolHints) -> String {
    let named = [
        (hints.read_only, "read-only", "writes"),
        (hints.destructive, "destructive", "not destructive"),
        (hints.idempotent, "idempotent", ""),
        (hints.open_world, "open world", ""),
    ];
    let said: Vec<&str> = named
        .into_iter()
        .filter_map(|(hint, yes, no)| hint.map(|on| if on { yes } else { no }))
        .filter(|word| !word.is_empty())
        .collect();
    if said.is_empty() { "no hints".to_owned() } else { said.join(", ") }
}

/// One tool.
pub(super) fn one(state: &State, key: u64, columns: usize) -> Page {
    let mut page = Page::default();
    let Some(tool) = tools::at(state, key) else {
        page.say(0, Role::Dim, "This tool is not offered any more.", columns);
        return page;
    };
    page.say(0, Role::Strong, &format!("{} of {}", tool.name, tool.server), columns);
    page.say(0, Role::Text, &tool.description, columns);
    page.blank();
    let risk = tools::risk_of(tool);
    page.fact("risk", Role::Text, &format!("{risk}: {}", risk.words()), columns);
    page.fact("hints", Role::Text, &hints(tool.hints), columns);
    if let Some(until) = tools::circuit(state, &tool.server) {
        let left = words::left(state.now, *until);
        page.fact("circuit", Role::Error, &format!("open for {left}: its calls failed"), columns);
    }
    page.blank();
    if tools::is_callable(tool) {
        let call = "It only reads: enter fills in its arguments and calls it.";
        page.say(0, Role::Ok, call, columns);
    } else {
        let why = "It is called only as a step of a staged fix that somebody approved, or from \
                   `sentinel-tui tools call`.";
        page.say(0, Role::Warn, why, columns);
    }
    answer(&mut page, state, key, columns);
    arguments(&mut page, tool, columns);
    page
}

fn arguments(page: &mut Page, tool: &Tool, columns: usize) {
    page.heading("Arguments");
    let none = Map::new();
    let known = tool.input_schema.get("properties").and_then(Value::as_object).unwrap_or(&none);
    if known.is_empty() {
        page.say(2, Role::Dim, "None.", columns);
    }
    for (name, schema) in known {
        let required = is_required(tool, name);
        let head = Styled::of(Role::Strong, format!("  {name}"))
            .and(Role::Dim, format!(" {}", kind(schema)))
            .and(Role::Warn, if required { " required" } else { "" });
        page.lines.push(head);
        if let Some(said) = schema.get("description").and_then(Value::as_str) {
            page.lines.extend(paragraph(&Styled::new(), 4, Role::Text, said, columns));
        }
    }
}

/// Whether an argument has to be given.
fn is_required(tool: &Tool, name: &str) -> bool {
    let list = tool.input_schema.get("required").and_then(Value::as_array);
    list.is_some_and(|list| list.iter().any(|v| v.as_str() == Some(name)))
}

/// What an argument may be, in a word or two.
fn kind(schema: &Value) -> String {
    if let Some(any) = schema.get("enum").and_then(Value::as_array) {
        let words: Vec<&str> = any.iter().filter_map(Value::as_str).take(12).collect();
        return words.join(" | ");
    }
    match schema.get("type") {
        Some(Value::String(one)) => one.clone(),
        Some(Value::Array(any)) => {
            let words: Vec<&str> = any.iter().filter_map(Value::as_str).collect();
            words.join(" or ")
        }
        _ => "any value".to_owned(),
    }
}

/// What the last call of this tool answered.
fn answer(page: &mut Page, state: &State, key: u64, columns: usize) {
    let Some(called) = state.listings.tools.called.as_ref().filter(|c| c.key == key) else {
        return;
    };
    page.heading("Answer");
    page.say(2, Role::Dim, &called.words, columns);
    match &called.outcome {
        Outcome::Running(_) => page.say(2, Role::Dim, "The tool is at work.", columns),
        Outcome::Failed(why) => page.say(2, Role::Error, why, columns),
        Outcome::Answered(answer) => {
            let (result, value) = answer.as_ref();
            let role = if result.ok { Role::Ok } else { Role::Error };
            let said = format!("{} ({} ms)", result.message, result.duration_ms);
            page.say(2, role, &said, columns);
            let mut lines = Vec::new();
            written(&look::shown(value), 0, &mut lines);
            let left_out = lines.len() >= ANSWER_LINES;
            for (depth, line) in lines {
                let pad = 4 + depth * 2;
                page.lines.extend(paragraph(&Styled::new(), pad, Role::Text, &line, columns));
            }
            if left_out {
                let words = format!("Only the first {ANSWER_LINES} lines are shown.");
                page.say(2, Role::Warn, &words, columns);
            }
        }
    }
}

/// A JSON value as lines for people, each with its depth; bounded.
fn written(value: &Value, depth: usize, lines: &mut Vec<(usize, String)>) {
    match value {
        Value::Object(map) if depth < DEPTH => {
            for (name, value) in map {
                entry(&format!("{name}:"), value, depth, lines);
            }
        }
        Value::Array(all) if depth < DEPTH => {
            for value in all {
                entry("-", value, depth, lines);
            }
        }
        Value::String(words) => {
            for line in words.lines() {
                say(line, depth, lines);
            }
        }
        other => say(&other.to_string(), depth, lines),
    }
}

fn entry(head: &str, value: &Value, depth: usize, lines: &mut Vec<(usize, String)>) {
    let inline = match value {
        Value::String(words) if !words.contains('\n') => Some(words.clone()),
        Value::Object(map) if map.is_empty() => Some("none".to_owned()),
        Value::Array(all) if all.is_empty() => Some("none".to_owned()),
        Value::Object(_) | Value::Array(_) | Value::String(_) => None,
        other => Some(other.to_string()),
    };
    if let Some(words) = inline {
        say(&format!("{head} {words}"), depth, lines);
    } else {
        say(head, depth, lines);
        written(value, depth + 1, lines);
    }
}

fn say(words: &str, depth: usize, lines: &mut Vec<(usize, String)>) {
    if lines.len() < ANSWER_LINES {
        let mut end = words.len().min(LINE);
        while !words.is_char_boundary(end) {
            end -= 1;
        }
        lines.push((depth, words.get(..end).unwrap_or_default().to_owned()));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_answer_is_written_for_people_and_is_bounded() {
        let mut lines = Vec::new();
        let value = json!({"lines": ["a", "b\nc"], "count": 2, "none": {}});
        written(&value, 0, &mut lines);
        let text: Vec<String> =
            lines.iter().map(|(d, l)| format!("{}{l}", " ".repeat(*d))).collect();
        assert_eq!(text, ["count: 2", "lines:", " - a", " -", "  b", "  c", "none: none"]);
        let many: Vec<u32> = (0..5000).collect();
        lines.clear();
        written(&json!(many), 0, &mut lines);
        assert_eq!(lines.len(), ANSWER_LINES);
    }
}
