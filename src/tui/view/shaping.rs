//! The dialogs that edit, put off or allow a plan, and the report of a dry run.

use ratatui::layout::Rect;
use sentinel_core::diagnose::amend::Mistake;

use crate::tui::role::Role;
use crate::tui::shaping::{Editing, Granting, Rehearsing, Snoozing};
use crate::tui::state::State;
use crate::tui::status;
use crate::tui::styled::{Styled, paragraph};
use crate::tui::text;
use crate::tui::view::brush::Brush;
use crate::tui::view::frame::{boxed, field, frame, keys};

/// The widest that a form gets.
const WIDEST: u16 = 84;
/// The widest that a report gets.
const WIDEST_REPORT: u16 = 110;
/// Columns of a field's name.
const NAME: u16 = 18;

fn width(screen: Rect, most: u16) -> (u16, usize) {
    let width = screen.width.saturating_sub(2).min(most);
    (width, usize::from(width.saturating_sub(4)).max(1))
}

/// Lines from the top of a box, as far as it goes.
fn lines(brush: &mut Brush<'_>, inside: Rect, list: &[Styled]) {
    for (y, line) in (inside.y..inside.bottom()).zip(list) {
        brush.line(inside.x, y, inside.width, line);
    }
}

/// Arguments, each with what is wrong with it beside, and what comes of them below.
pub(super) fn edit(brush: &mut Brush<'_>, state: &State, screen: Rect, editing: &Editing) {
    let (wide, columns) = width(screen, WIDEST);
    let Some(fix) = editing.fix() else { return };
    let many = editing.plan.steps.len() > 1;
    let title = if many {
        let (at, of) = (editing.step + 1, editing.plan.steps.len());
        format!("Edit step {at} of {of}: {} on {}", fix.call.tool, fix.target.name)
    } else {
        format!("Edit {} on {}", fix.call.tool, fix.target.name)
    };
    let mut foot = vec![("enter", "take over"), ("tab", "next field"), ("esc", "cancel")];
    if many {
        foot.insert(2, ("pgdn", "next step"));
    }
    if let Some(why) = &editing.void {
        let words = paragraph(&Styled::new(), 0, Role::Error, why, columns);
        let inside = frame(brush, screen, wide, words.len(), &title, &keys(&[("esc", "close")]));
        lines(brush, inside, &words);
        return;
    }
    let outcome = editing.outcome(&state.snapshot);
    let mistakes: &[Mistake] = outcome.as_ref().err().map_or(&[], Vec::as_slice);
    let below = match &outcome {
        Ok(action) if action.call.arguments == fix.call.arguments => {
            paragraph(&Styled::new(), 0, Role::Dim, "As it is: nothing was changed yet.", columns)
        }
        Ok(action) => {
            let head = Styled::of(Role::Dim, "then  ");
            let mut list = paragraph(&head, 6, Role::Strong, &action.diff, columns);
            let head = Styled::of(Role::Dim, "      $ ");
            list.extend(paragraph(&head, 8, Role::Info, &action.docker_line, columns));
            let words = "A person has to approve the new plan; its risk is worked out anew.";
            list.extend(paragraph(&Styled::new(), 6, Role::Dim, words, columns));
            list
        }
        Err(_) => {
            let fields = |m: &&Mistake| !editing.fields.iter().any(|e| e.field.path == m.path);
            let others = mistakes.iter().filter(fields);
            let words: Vec<String> = others.map(|m| format!("{} {}", m.path, m.words)).collect();
            let words = if words.is_empty() {
                "What is marked has to be mended first.".to_owned()
            } else {
                words.join("; ")
            };
            paragraph(&Styled::new(), 0, Role::Warn, &words, columns)
        }
    };
    let rows = editing.fields.len() * 2 + 1 + below.len();
    let inside = frame(brush, screen, wide, rows, &title, &keys(&foot));
    // Where it is small the field with the focus stays in view, and then what comes of it.
    let shown = (usize::from(inside.height).saturating_sub(1) / 2).min(editing.fields.len()).max(1);
    let first = (editing.cursor + 1).saturating_sub(shown);
    let mut y = inside.y;
    for (at, edited) in editing.fields.iter().enumerate().skip(first).take(shown) {
        let focused = at == editing.cursor;
        let name = text::cut(&edited.field.path, usize::from(NAME) - 1, brush.glyphs.ellipsis);
        let role = if focused { Role::Strong } else { Role::Dim };
        brush.line(inside.x, y, NAME, &Styled::of(role, name));
        let x = inside.x + NAME.min(inside.width);
        let place = Rect { x, y, width: inside.width.saturating_sub(NAME), height: 1 };
        field(brush, place, &edited.typed, focused);
        let beside = match mistakes.iter().find(|m| m.path == edited.field.path) {
            Some(mistake) => Styled::of(Role::Error, mistake.words.clone()),
            None => Styled::of(Role::Dim, edited.field.hint.clone()),
        };
        if y + 1 < inside.bottom() {
            brush.line(x, y + 1, place.width, &beside);
        }
        y += 2;
    }
    if y + 1 < inside.bottom() {
        let rest = Rect { y: y + 1, height: inside.bottom() - y - 1, ..inside };
        lines(brush, rest, &below);
    }
}

/// For how long.
pub(super) fn snooze(brush: &mut Brush<'_>, screen: Rect, snoozing: &Snoozing) {
    let (wide, columns) = width(screen, 64);
    let mut head = paragraph(&Styled::new(), 0, Role::Text, &snoozing.about, columns);
    let words = "No countdown runs meanwhile; then it is checked again.";
    head.extend(paragraph(&Styled::new(), 0, Role::Dim, words, columns));
    let choices = snoozing.choices();
    head.truncate(usize::from(screen.height.saturating_sub(2)).saturating_sub(choices.len()));
    let foot = keys(&[("enter", "choose"), ("esc", "cancel")]);
    let rows = head.len() + choices.len();
    let inside = frame(brush, screen, wide, rows, "Put this fix off", &foot);
    lines(brush, inside, &head);
    let top = inside.y + u16::try_from(head.len()).unwrap_or(0);
    for (at, (y, (_, words))) in (top..inside.bottom()).zip(&choices).enumerate() {
        let line = Styled::of(Role::Key, format!("{} ", at + 1)).and(Role::Text, words.clone());
        brush.row(inside, y, &line, at == snoozing.cursor, true);
    }
}

/// How long and how often, and what that covers.
pub(super) fn grant(brush: &mut Brush<'_>, state: &State, screen: Rect, granting: &Granting) {
    let (wide, columns) = width(screen, WIDEST);
    let plan = &granting.plan;
    let service = plan.steps.first().map_or("", |s| s.target.service.as_str());
    let title = format!("Allow beforehand on {service}");
    let mut list = Vec::new();
    let mut say = |role, words: &str| {
        list.extend(paragraph(&Styled::new(), 0, role, words, columns));
    };
    if let Some(why) = &granting.void {
        say(Role::Error, why);
        say(Role::Strong, "Nothing was allowed.");
        let inside = frame(brush, screen, wide, list.len(), &title, &keys(&[("esc", "close")]));
        lines(brush, inside, &list);
        return;
    }
    let mut tools: Vec<&str> = plan.steps.iter().map(|s| s.call.tool.as_str()).collect();
    tools.dedup();
    let risk = status::of_risk(plan.risk());
    say(Role::Strong, &format!("{} {} on {service}", risk.word, tools.join(" and ")));
    say(
        Role::Text,
        "Plans of these calls run without asking, this one first, also in approve mode.",
    );
    let brakes = "Kill switch, labels, cooldown, budgets and every doubt hold on.";
    say(Role::Dim, brakes);
    if state.snapshot.brakes.halt.is_some() {
        say(Role::Warn, "The kill switch is on: nothing runs while it is.");
    }
    list.truncate(usize::from(screen.height.saturating_sub(4)).max(1));
    let foot = keys(&[("y", "allow"), ("tab", "next field"), ("esc", "cancel")]);
    let inside = frame(brush, screen, wide, list.len() + 2, &title, &foot);
    lines(brush, inside, &list);
    let last = inside.bottom().saturating_sub(1);
    let first = last.saturating_sub(1).max(inside.y);
    let rows = [
        (first, "For", &granting.duration, !granting.in_uses, granting.seconds().err()),
        (last, "At most", &granting.uses, granting.in_uses, granting.count().err()),
    ];
    for (y, label, typed, focused, mistake) in rows {
        brush.line(inside.x, y, 10, &Styled::of(Role::Dim, label));
        let x = inside.x + 10.min(inside.width);
        field(brush, Rect { x, y, width: 10, height: 1 }, typed, focused);
        let unit = if y == last { "plans" } else { "" };
        let beside = mistake
            .map_or_else(|| Styled::of(Role::Text, unit), |why| Styled::of(Role::Error, why));
        brush.line(x + 12, y, inside.right().saturating_sub(x + 12), &beside);
    }
}

/// What a plan would do now.
pub(super) fn rehearsal(brush: &mut Brush<'_>, screen: Rect, rehearsing: &Rehearsing) {
    let (wide, columns) = width(screen, WIDEST_REPORT);
    let (role, words) = match &rehearsing.outcome {
        None => (Role::Dim, "Looking at the target and at the tools…"),
        Some(Ok(words)) => (Role::Text, words.as_str()),
        Some(Err(why)) => (Role::Error, why.as_str()),
    };
    let mut list = Vec::new();
    for line in words.lines() {
        let indent = line.len() - line.trim_start().len();
        let role = if indent == 0 && role == Role::Text { Role::Heading } else { role };
        let pad = Styled::of(Role::Text, " ".repeat(indent));
        list.extend(paragraph(
            &pad,
            indent + 2 * usize::from(indent > 0),
            role,
            line.trim(),
            columns,
        ));
    }
    let foot = keys(&[("esc", "close"), ("j k", "scroll"), ("y", "copy")]);
    boxed(brush, (screen, wide), "Dry run", (&list, rehearsing.scroll), &foot);
}
