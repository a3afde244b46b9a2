//! A postmortem as Markdown. Text from outside (log lines, names, results) is escaped, so that it
//! can neither break the document nor put a heading, a link, an image or HTML into it.

use std::fmt::Write as _;

use jiff::SignedDuration;

use crate::report::explanation::BETWEEN;
use crate::report::postmortem::{FixLine, Postmortem};
use crate::report::{similar, spans};

/// Writes the document.
pub fn write(postmortem: &Postmortem) -> String {
    let mut out = Document::default();
    out.line(&format!("# {}: {}", text(postmortem.id.as_str()), text(&postmortem.title)));
    out.line("");
    out.item(&format!(
        "{} · {} · {}",
        postmortem.state.as_str().replace('_', " "),
        postmortem.severity.as_str(),
        postmortem.class.words()
    ));
    out.item(&format!("service {}, root {}", text(&postmortem.service), text(&postmortem.root)));
    if let Some(earlier) = &postmortem.reopens {
        out.item(&format!("continues {}", text(earlier.as_str())));
    }
    out.heading("Summary");
    for paragraph in postmortem.summary.split(BETWEEN) {
        out.line(&text(paragraph));
        out.line("");
    }
    out.line(&format!("Written by {}.", text(&postmortem.summary_by)));
    if let Some(told) = &postmortem.told {
        out.heading("In other words");
        for paragraph in told.text.split(BETWEEN) {
            out.line(&text(paragraph));
            out.line("");
        }
        out.line(&format!("Written by {}, and not checked.", text(&told.by)));
    }
    impact(&mut out, postmortem);
    cause(&mut out, postmortem);
    fixes(&mut out, postmortem);
    if !postmortem.verification.is_empty() {
        out.heading("Verification");
        for check in &postmortem.verification {
            let mark = if check.passed { "passed" } else { "failed" };
            let name = text(&check.name).replace("\\_", " ");
            out.item(&format!("{mark}: {name}: {}", text(&check.detail)));
        }
    }
    out.heading("What prevented it from being found earlier");
    list(&mut out, &postmortem.not_found_earlier, "Nothing in the record says so.");
    out.heading("Action items");
    for item in &postmortem.action_items {
        out.item(&format!("[ ] {}", text(item)));
    }
    if postmortem.action_items.is_empty() {
        out.line("None.");
    }
    out.heading("Seen before");
    let until = postmortem.impact.to.unwrap_or(postmortem.impact.from);
    let before = similar::words(&postmortem.seen_before, until).map_or_else(
        || "Not in the record.".to_owned(),
        |words| format!("{} (as of then).", text(&words)),
    );
    out.line(&before);
    for id in &postmortem.seen_before.which {
        out.item(&text(id.as_str()));
    }
    timeline(&mut out, postmortem);
    out.0
}

fn impact(out: &mut Document, postmortem: &Postmortem) {
    out.heading("Impact");
    let impact = &postmortem.impact;
    let from = spans::moment(impact.from);
    match impact.to {
        Some(to) => {
            let lasted = spans::words(to.duration_since(impact.from));
            out.item(&format!("{from} to {}: {lasted}", spans::moment(to)));
        }
        None => out.item(&format!("since {from}; it has not ended")),
    }
    let names: Vec<String> = impact.containers.iter().map(|n| text(n)).collect();
    out.item(&format!("containers: {}", names.join(", ")));
    for lasted in &postmortem.durations {
        let span = SignedDuration::try_from_secs_f64(lasted.seconds).unwrap_or_default();
        out.item(&format!("{}: {}", lasted.phase, spans::words(span)));
    }
}

/// What a language model made of it; what has no evidence is said to have none.
fn analyst(out: &mut Document, postmortem: &Postmortem) {
    let Some(opinion) = &postmortem.analyst else { return };
    out.heading("What the analyst made of it");
    let model = text(&opinion.by.model);
    out.line(&format!("{model} {}: {}", opinion.agreement.words(), text(&opinion.cause)));
    if !opinion.claims.is_empty() {
        out.line("");
    }
    for claim in &opinion.claims {
        let without = if claim.supported { "" } else { " (no evidence for it)" };
        out.item(&format!("{}{without}", text(&claim.text)));
    }
}

fn cause(out: &mut Document, postmortem: &Postmortem) {
    out.heading("Cause");
    match &postmortem.cause {
        None => out.line("Not established."),
        Some(cause) => {
            let sure = cause.confidence.map(|c| format!(" ({:.0} % sure)", c * 100.0));
            out.line(&format!("{}{}", text(&cause.sentence), sure.unwrap_or_default()));
            if !cause.recent_changes.is_empty() || !cause.rejected.is_empty() {
                out.line("");
            }
            for change in &cause.recent_changes {
                out.item(&format!("changed before: {}", text(change)));
            }
            for other in &cause.rejected {
                out.item(&format!(
                    "not {} of {}: {}",
                    other.class.words(),
                    text(&other.root),
                    text(&other.why)
                ));
            }
        }
    }
    analyst(out, postmortem);
    if !postmortem.evidence.is_empty() {
        out.heading("Evidence");
        for (number, piece) in (1..).zip(&postmortem.evidence) {
            out.item(&format!(
                "e{number} {} {}: {}",
                spans::moment(piece.ts),
                text(&piece.container),
                code(&piece.excerpt)
            ));
        }
    }
    if !postmortem.signs.is_empty() {
        out.heading("Signs");
        for sign in &postmortem.signs {
            let (container, summary) = (text(&sign.container), text(&sign.summary));
            out.item(&format!("{} {container}: {summary}", spans::moment(sign.at)));
        }
        if postmortem.signs_dropped > 0 {
            out.item(&format!("and {} more that were not kept", postmortem.signs_dropped));
        }
    }
}

fn fixes(out: &mut Document, postmortem: &Postmortem) {
    out.heading("Fixes");
    if postmortem.fixes.is_empty() {
        out.line("None was planned.");
    }
    for fix in &postmortem.fixes {
        let FixLine { docker_line, risk, state, reason, change, result, compose_patch, .. } = fix;
        out.item(&format!("{} ({risk}, {state})", code(docker_line)));
        out.below(&format!("why: {}", text(reason)));
        out.below(&format!("change: {}", text(change)));
        if let Some(result) = result {
            out.below(&format!("result: {}", text(result)));
        }
        if let Some(patch) = compose_patch {
            out.below("for the compose file:");
            out.line("");
            let fence = "`".repeat(longest_run(patch).max(2) + 1);
            for line in [fence.as_str()].into_iter().chain(patch.lines()).chain([fence.as_str()]) {
                out.line(&format!("    {}", printable(line)));
            }
            out.line("");
        }
    }
}

fn timeline(out: &mut Document, postmortem: &Postmortem) {
    out.heading("Timeline");
    for entry in &postmortem.timeline {
        let state = entry.state.map(|s| format!(" ({})", s.as_str().replace('_', " ")));
        out.item(&format!(
            "{} {}: {}{}",
            spans::moment(entry.at),
            text(&entry.actor.to_string()),
            text(&entry.what),
            state.unwrap_or_default()
        ));
    }
}

fn list(out: &mut Document, items: &[String], none: &str) {
    for item in items {
        out.item(&text(item));
    }
    if items.is_empty() {
        out.line(none);
    }
}

/// The text so far.
#[derive(Default)]
struct Document(String);

impl Document {
    fn line(&mut self, line: &str) {
        self.0.push_str(line.trim_end());
        self.0.push('\n');
    }

    fn heading(&mut self, words: &str) {
        self.0.truncate(self.0.trim_end().len());
        // Writing to a String cannot fail.
        if write!(self.0, "\n\n## {words}\n\n").is_err() {
            self.0.clear();
        }
    }

    fn item(&mut self, words: &str) {
        self.line(&format!("- {words}"));
    }

    fn below(&mut self, words: &str) {
        self.line(&format!("  - {words}"));
    }
}

/// Line ends and control characters become spaces: none of them may begin a block of its own.
fn printable(raw: &str) -> String {
    raw.chars().map(|c| if c.is_control() || is_line_end(c) { ' ' } else { c }).collect()
}

fn is_line_end(c: char) -> bool {
    matches!(c, '\u{85}' | '\u{2028}' | '\u{2029}')
}

/// Text from outside on one line, without a meaning in Markdown.
pub fn text(raw: &str) -> String {
    let one_line = printable(raw);
    let one_line = one_line.trim();
    let mut safe = String::with_capacity(one_line.len() + 8);
    // At the beginning of a line these would begin a list, a rule or a heading.
    let digits = one_line.bytes().take_while(u8::is_ascii_digit).count();
    for (at, c) in one_line.char_indices() {
        let begins = at == 0 && matches!(c, '-' | '+' | '=' | ':')
            || at == digits && digits > 0 && matches!(c, '.' | ')');
        let means = matches!(
            c,
            '\\' | '`'
                | '*'
                | '_'
                | '['
                | ']'
                | '<'
                | '>'
                | '#'
                | '|'
                | '~'
                | '&'
                | '@'
                | '$'
                | '^'
                | '{'
                | '}'
                | '!'
        );
        // A bare address becomes a link in many readers.
        let rest = one_line.get(at..).unwrap_or_default();
        let links = rest.starts_with("://")
            || c == '.'
                && one_line.get(..at).is_some_and(|b| b.to_ascii_lowercase().ends_with("www"));
        if begins || means || links {
            safe.push('\\');
        }
        safe.push(c);
    }
    safe
}

/// Text from outside as a code span.
fn code(raw: &str) -> String {
    let one_line = printable(raw);
    let one_line = one_line.trim();
    if one_line.is_empty() {
        return "(empty)".to_owned();
    }
    let fence = "`".repeat(longest_run(one_line) + 1);
    format!("{fence} {one_line} {fence}")
}

/// The longest run of back-ticks in a text.
fn longest_run(of: &str) -> usize {
    of.split(|c| c != '`').map(str::len).max().unwrap_or(0)
}
