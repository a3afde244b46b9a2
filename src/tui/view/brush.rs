//! What every drawing function holds: the buffer, the theme, the symbols; and the few strokes
//! that they share.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};

use crate::tui::glyphs::Glyphs;
use crate::tui::pane::Pane;
use crate::tui::role::Role;
use crate::tui::state::State;
use crate::tui::styled::Styled;
use crate::tui::text;
use crate::tui::theme::Theme;

/// The means of drawing.
pub struct Brush<'a> {
    /// Where to.
    pub buf: &'a mut Buffer,
    /// What it looks like.
    pub theme: &'a Theme,
    /// Symbols.
    pub glyphs: &'static Glyphs,
}

impl Brush<'_> {
    /// Draws a line, cut to `width` columns.
    pub fn line(&mut self, x: u16, y: u16, width: u16, line: &Styled) {
        self.line_on(x, y, width, line, None);
    }

    /// Draws a line on a row that has a style of its own: a selected one.
    fn line_on(&mut self, x: u16, y: u16, width: u16, line: &Styled, row: Option<Style>) {
        let area = self.buf.area;
        if y < area.top() || y >= area.bottom() || x < area.left() || x >= area.right() {
            return;
        }
        let room = usize::from(width.min(area.right() - x));
        let too_long = line.width() > room;
        let mut left =
            if too_long { room.saturating_sub(text::width(self.glyphs.ellipsis)) } else { room };
        let mut at = x;
        for (role, piece) in &line.pieces {
            let part = text::take(piece, left);
            let style = self.blend(*role, row);
            let drawn = text::plain(part);
            let (next, _) = self.buf.set_stringn(at, y, self.glyphs.say(&drawn), left, style);
            left = left.saturating_sub(text::width(part));
            at = next;
            if left == 0 {
                break;
            }
        }
        if too_long && room > 0 {
            let style = self.blend(Role::Dim, row);
            self.buf.set_stringn(at, y, self.glyphs.ellipsis, room, style);
        }
    }

    fn blend(&self, role: Role, row: Option<Style>) -> Style {
        let own = self.theme.style(role);
        match row {
            None => own,
            // The row's colours win over quiet text; what has a background of its own keeps it.
            Some(row) if own.bg.is_some() || own.add_modifier.contains(Modifier::REVERSED) => {
                row.patch(own)
            }
            Some(row) if row.fg.is_some_and(|c| c != ratatui::style::Color::Reset) => {
                let mut style = row;
                style.add_modifier |= own.add_modifier;
                style
            }
            Some(row) => {
                let mut style = own.patch(Style { fg: None, ..row });
                style.add_modifier |= own.add_modifier;
                style
            }
        }
    }

    /// Draws a row of a list: a cursor if it is selected, and its style over the whole width.
    pub fn row(&mut self, area: Rect, y: u16, line: &Styled, selected: bool, focused: bool) {
        let style = selected
            .then(|| self.theme.style(if focused { Role::Selection } else { Role::SelectionIdle }));
        if let Some(style) = style {
            self.buf.set_style(Rect { y, height: 1, ..area }, style);
        }
        if area.width == 0 {
            return;
        }
        let mark = if selected { self.glyphs.cursor } else { " " };
        let role = if focused { Role::RuleFocused } else { Role::Dim };
        let mark = Styled::of(role, mark);
        self.line_on(area.x, y, 1, &mark, style);
        self.line_on(area.x + 1, y, area.width - 1, line, style);
    }

    /// Columns of a pane's title line besides what is left and right in it.
    pub fn title_fixed(&self, pane: Pane) -> usize {
        // A stroke, number and title with spaces around, two spaces around each side, a stroke.
        text::width(pane.title()) + 12
    }

    /// The title line of a pane: `━━ 1 Containers  worst first ━━━━━━ 8 of 9 healthy ━━`. Where
    /// it is narrow the left side is cut first: the right one says how things are.
    pub fn title(&mut self, state: &State, pane: Pane, area: Rect, left: &Styled, right: &Styled) {
        let focused = state.focus == pane;
        let (rule, title) = if focused {
            (Role::RuleFocused, Role::TitleFocused)
        } else {
            (Role::Rule, Role::Title)
        };
        let stroke = if focused { self.glyphs.rule_focused } else { self.glyphs.rule };
        let width = usize::from(area.width);
        let mut line = Styled::of(rule, stroke)
            .and(Role::Text, " ")
            .and(title, format!("{} {}", pane.number(), pane.title()))
            .and(Role::Text, " ");
        let tail = if right.pieces.is_empty() { 0 } else { right.width() + 3 };
        let tail = if tail + line.width() < width { tail } else { 0 };
        let room = width.saturating_sub(line.width() + tail + 3);
        if !left.pieces.is_empty() && room > 3 {
            line.push(Role::Text, " ");
            line.pieces.extend(left.clone().cut(room, self.glyphs.ellipsis).pieces);
            line.push(Role::Text, " ");
        }
        line.push(rule, stroke.repeat(width.saturating_sub(line.width() + tail)));
        if tail > 0 {
            line.push(Role::Text, " ");
            line.pieces.extend(right.pieces.iter().cloned());
            line.push(Role::Text, " ");
            line.push(rule, stroke);
        }
        self.line(area.x, area.y, area.width, &line);
    }

    /// A sentence in the middle of an empty pane, wrapped.
    pub fn note(&mut self, area: Rect, role: Role, sentence: &str) {
        let columns = usize::from(area.width).saturating_sub(4).clamp(1, 76);
        let lines = text::wrap(sentence, columns);
        let rows = u16::try_from(lines.len()).unwrap_or(u16::MAX);
        let top = area.y + area.height.saturating_sub(rows) / 3;
        for (at, line) in (top..area.bottom()).zip(lines) {
            self.line(area.x + 2, at, area.width.saturating_sub(2), &Styled::of(role, line));
        }
    }
}

/// The first row in view of a list of `count`, so that `selected` is in it with some context.
pub fn first_row(count: usize, selected: usize, rows: usize) -> usize {
    if count <= rows { 0 } else { selected.saturating_sub(rows / 2).min(count - rows) }
}
