//! A conversation as lines.

use crate::tui::glyphs::Glyphs;
use crate::tui::pages::page::Page;
use crate::tui::role::Role;
use crate::tui::styled::{Styled, paragraph};
use crate::tui::talk::{End, Talk, Turn};
use crate::tui::text;

/// All of it. The stops are the pieces of evidence of the last answer.
pub fn page(talk: &Talk, glyphs: &Glyphs, columns: usize) -> Page {
    let mut page = Page::default();
    if talk.turns.is_empty() {
        page.say(0, Role::Text, "Ask in plain words: why, status, evidence, what changed, what to do, history, dependencies, metrics, errors.", columns);
        page.say(0, Role::Dim, "Nothing typed here changes anything or approves a fix.", columns);
    }
    for turn in &talk.turns {
        page.blank();
        page.stops.clear();
        write(&mut page, turn, glyphs, columns);
    }
    page
}

fn write(page: &mut Page, turn: &Turn, glyphs: &Glyphs, columns: usize) {
    let head = Styled::of(Role::Key, "? ");
    page.lines.extend(paragraph(&head, 2, Role::Strong, &turn.asked, columns));
    for look in &turn.looks {
        let (mark, role) =
            if look.ok { (glyphs.pass, Role::Ok) } else { (glyphs.fail, Role::Warn) };
        let head = Styled::of(role, format!("  {mark} ")).and(Role::Info, look.call.clone());
        let head = head.and(Role::Dim, ": ");
        page.lines.extend(paragraph(&head, 4, Role::Dim, &look.words, columns));
    }
    if let Some(why) = &turn.failed {
        page.say(2, Role::Warn, why, columns);
    }
    for line in turn.text.lines() {
        for wrapped in text::wrap(line, columns.saturating_sub(2).max(8)) {
            let mut styled = Styled::of(Role::Text, "  ");
            cited(&mut styled, &wrapped);
            page.lines.push(styled);
        }
    }
    for piece in &turn.evidence {
        page.stops.push(page.lines.len());
        let jumps = if piece.line.is_some() { glyphs.more_right } else { " " };
        let head = Styled::of(Role::Key, format!("  {} {jumps} ", piece.id));
        let words = format!("{}: {}", piece.container, piece.excerpt);
        page.lines.extend(paragraph(&head, 6, Role::Dim, &words, columns));
    }
    match &turn.end {
        Some(End::Done { by, note }) => {
            page.say(2, Role::Dim, &format!("from {by}"), columns);
            if let Some(note) = note {
                page.say(2, Role::Dim, note, columns);
            }
        }
        Some(End::Cancelled) => page.say(2, Role::Warn, "cancelled", columns),
        None => page.lines.push(Styled::of(Role::Dim, format!("  {}", glyphs.ellipsis))),
    }
}

/// Marks like `[e3]` stand out.
fn cited(line: &mut Styled, text: &str) {
    let mut rest = text;
    while let Some(at) = rest.find("[e") {
        let (before, from) = rest.split_at(at);
        let end = from.find(']').map_or(from.len(), |end| end + 1);
        let (mark, after) = from.split_at(end);
        let digits = mark.trim_start_matches("[e").trim_end_matches(']');
        let is_mark = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
        line.push(Role::Text, before);
        line.push(if is_mark { Role::Key } else { Role::Text }, mark);
        rest = after;
    }
    line.push(Role::Text, rest);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_stand_out_and_nothing_is_lost() {
        for (text, marks) in [
            ("it died [e1] of it [e12].", &["[e1]", "[e12]"][..]),
            ("no [end] and [e", &[]),
            ("[e3]", &["[e3]"]),
            ("", &[]),
        ] {
            let mut line = Styled::new();
            cited(&mut line, text);
            assert_eq!(line.plain(), text);
            let keys: Vec<&str> = line
                .pieces
                .iter()
                .filter(|(role, _)| *role == Role::Key)
                .map(|(_, text)| text.as_str())
                .collect();
            assert_eq!(keys, marks, "{text}");
        }
    }
}
