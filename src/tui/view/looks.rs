//! The dialogs about how the screen looks, and the cards of the tour.

use ratatui::layout::Rect;

use crate::tui::action::Action;
use crate::tui::columns::Column;
use crate::tui::looks::{CARDS, Looks, themes};
use crate::tui::role::Role;
use crate::tui::state::State;
use crate::tui::styled::{Styled, paragraph};
use crate::tui::text;
use crate::tui::view::brush::{Brush, first_row};
use crate::tui::view::frame::{boxed, frame, keys};

/// Columns of a name of a theme or a column.
const NAME: usize = 16;

/// Draws it.
pub(super) fn draw(brush: &mut Brush<'_>, state: &State, screen: Rect, looks: Looks) {
    match looks {
        Looks::Themes { cursor } => choose_theme(brush, state, screen, cursor),
        Looks::Columns { cursor } => choose_columns(brush, state, screen, cursor),
        Looks::Tour { card } => tour(brush, state, screen, card),
    }
}

fn choose_theme(brush: &mut Brush<'_>, state: &State, screen: Rect, cursor: usize) {
    let rows = themes(&state.look);
    let width = screen.width.saturating_sub(4).min(70);
    let foot = keys(&[("j k", "try"), ("enter", "take"), ("esc", "as before")]);
    let inside = frame(brush, screen, width, rows.len() + 3, "Theme", &foot);
    let list = Rect { height: inside.height.saturating_sub(3), ..inside };
    let first = first_row(rows.len(), cursor, usize::from(list.height));
    for (y, (at, (name, what))) in (list.y..list.bottom()).zip(rows.iter().enumerate().skip(first))
    {
        let name = text::left(name, NAME, brush.glyphs.ellipsis);
        let line = Styled::of(Role::Strong, name).and(Role::Dim, format!(" {what}"));
        brush.row(list, y, &line, at == cursor, true);
    }
    for (y, line) in (list.bottom() + 1..inside.bottom()).zip(sample(brush)) {
        brush.line(inside.x, y, inside.width, &line);
    }
}

/// Each meaning once, so that a theme can be judged before it is taken.
fn sample(brush: &Brush<'_>) -> [Styled; 2] {
    let g = brush.glyphs;
    let states = Styled::of(Role::Ok, format!(" {} running ", g.up))
        .and(Role::Warn, format!(" {} starting ", g.pending))
        .and(Role::Error, format!(" {} exited 1 ", g.down))
        .and(Role::Dim, format!(" {} ended ", g.ended))
        .and(Role::Spark, format!(" {}", g.spark.concat()))
        .and(Role::Text, " ")
        .and(Role::Gauge, g.full.repeat(4))
        .and(Role::GaugeEmpty, g.empty.repeat(4));
    let grades = Styled::of(Role::Text, " ")
        .and(Role::Critical, "CRIT")
        .and(Role::Text, " ")
        .and(Role::Error, "HIGH ")
        .and(Role::Warn, "MED ")
        .and(Role::Info, "LOW  ")
        .and(Role::LevelError, "ERROR ")
        .and(Role::LevelWarn, "WARN ")
        .and(Role::LevelInfo, "INFO ")
        .and(Role::LevelDebug, "DEBUG  ")
        .and(Role::Match, "match");
    [states, grades]
}

fn choose_columns(brush: &mut Brush<'_>, state: &State, screen: Rect, cursor: usize) {
    let width = screen.width.saturating_sub(4).min(64);
    let foot = keys(&[("space", "on, off"), ("0", "all that fit"), ("esc", "close")]);
    let title = "Columns, where they fit";
    let inside = frame(brush, screen, width, Column::ALL.len(), title, &foot);
    let first = first_row(Column::ALL.len(), cursor, usize::from(inside.height));
    let rows = Column::ALL.iter().enumerate().skip(first);
    for (y, (at, column)) in (inside.y..inside.bottom()).zip(rows) {
        let shown = state.look.shows(*column);
        let (mark, role) = if shown { ("[x] ", Role::Strong) } else { ("[ ] ", Role::Dim) };
        let line = Styled::of(role, format!("{mark}{}", text::left(column.word(), NAME, "")))
            .and(Role::Dim, column.describe());
        brush.row(inside, y, &line, at == cursor, true);
    }
}

fn tour(brush: &mut Brush<'_>, state: &State, screen: Rect, card: usize) {
    let width = screen.width.saturating_sub(4).min(68);
    let columns = usize::from(width.saturating_sub(4));
    let (title, paragraphs) = card_text(state, card);
    let mut lines = Vec::new();
    for (at, words) in paragraphs.iter().enumerate() {
        if at > 0 && screen.height >= 20 {
            lines.push(Styled::new());
        }
        lines.extend(paragraph(&Styled::new(), 0, Role::Text, words, columns));
    }
    let next = if card + 1 < CARDS { "next" } else { "begin" };
    let foot = keys(&[("enter", next), ("esc", "end the tour")]);
    let title = format!("{} of {CARDS}: {title}", card + 1);
    boxed(brush, (screen, width), &title, (&lines, 0), &foot);
}

/// A card: its title and its paragraphs, with the keys as they are bound.
fn card_text(state: &State, card: usize) -> (&'static str, Vec<String>) {
    let key = |action: Action| {
        let mut bindings = state.keymap.bindings().iter().filter(|b| b.action == action);
        let key = bindings.find_map(|b| b.keys.first());
        key.map_or_else(|| format!(":{}", action.word()), ToString::to_string)
    };
    match card {
        0 => (
            "what you see",
            vec![
                "Containers, the worst first; incidents and fixes beside them; below, the log of \
                 the selected container, with what is out of the ordinary marked."
                    .to_owned(),
                format!(
                    "{} goes to the next pane, {} opens what is selected, {} goes back.",
                    key(Action::NextPane),
                    key(Action::Open),
                    key(Action::Back)
                ),
            ],
        ),
        1 => (
            "an incident",
            vec![
                "When something breaks an incident opens by itself. It names the container at \
                 fault, the cause with how sure that is, and the evidence."
                    .to_owned(),
                format!(
                    "{} goes to the incidents, {} inspects one, {} jumps from evidence to its \
                     line. Nothing ever takes the focus from you.",
                    key(Action::GoIncidents),
                    key(Action::Inspect),
                    key(Action::Open)
                ),
            ],
        ),
        2 => (
            "a decision",
            vec![
                "Where a fix is known it is staged, and waits. Nothing is changed until you \
                 approve exactly what is shown: the call, its risk, the way back."
                    .to_owned(),
                format!(
                    "{} goes to the fixes, {} opens the question, y says yes; {} rejects. {} takes \
                     an applied fix back.",
                    key(Action::GoFixes),
                    key(Action::Approve),
                    key(Action::Reject),
                    key(Action::Undo)
                ),
            ],
        ),
        _ => (
            "help",
            vec![
                format!(
                    "{} lists every key, the last line those that do something here and now.",
                    key(Action::Help)
                ),
                format!(
                    "{} finds everything by its name: logs api, theme light, tour. {} chooses a \
                     theme with a preview.",
                    key(Action::Palette),
                    key(Action::Themes)
                ),
            ],
        ),
    }
}
