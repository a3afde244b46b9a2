//! The whole screen.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::widgets::{Clear, Widget};

use crate::tui::glyphs::Glyphs;
use crate::tui::layout::{Form, LEAST, Layout, layout};
use crate::tui::pane::Pane;
use crate::tui::role::Role;
use crate::tui::state::State;
use crate::tui::styled::Styled;
use crate::tui::text;
use crate::tui::theme::Theme;
use crate::tui::view::brush::Brush;
use crate::tui::view::{
    containers, dialog, fixes, fleet, footer, header, incidents, inspector, logs,
};

/// Draws the state. The buffer may have another size than the state thinks for one frame after a
/// resize; nothing outside of it is touched.
pub fn draw(buf: &mut Buffer, state: &State, theme: &Theme) {
    let area = state.area.intersection(buf.area);
    let mut brush = Brush { buf, theme, glyphs: Glyphs::of(state.ascii) };
    brush.buf.set_style(area, theme.style(Role::Text));
    let layout = layout(state);
    if layout.form == Form::TooSmall {
        let sentence = format!(
            "sentinel-tui needs {}x{}; this terminal is {}x{}. q quits.",
            LEAST.0, LEAST.1, state.area.width, state.area.height
        );
        let lines = text::wrap(&sentence, usize::from(area.width).max(1));
        for (y, line) in (area.y..area.bottom()).zip(lines) {
            brush.line(area.x, y, area.width, &Styled::of(Role::Warn, line));
        }
        return;
    }
    header::draw(&mut brush, state, layout.header);
    if let Some(banner) = layout.banner {
        header::banner(&mut brush, state, banner);
    }
    if let Some(place) = layout.fleet {
        fleet::draw(&mut brush, state, place);
    }
    if let Some(tabs) = layout.tabs {
        header::tabs(&mut brush, state, tabs);
    }
    if let Some(rule) = layout.rule {
        for y in rule.y..rule.bottom() {
            let bar = brush.glyphs.bar;
            brush.line(rule.x, y, 1, &Styled::of(Role::Rule, bar));
        }
    }
    for (pane, place) in &layout.panes {
        match pane {
            Pane::Containers => containers::draw(&mut brush, state, *place),
            Pane::Incidents => incidents::draw(&mut brush, state, *place),
            Pane::Fixes => fixes::draw(&mut brush, state, *place),
            Pane::Logs => logs::draw(&mut brush, state, *place),
            Pane::Inspector => inspector::draw(&mut brush, state, *place),
        }
    }
    footer::draw(&mut brush, state, layout.footer);
    toasts(&mut brush, state, &layout);
    dialog::draw(&mut brush, state, area);
}

/// Messages stand above the footer, newest lowest.
fn toasts(brush: &mut Brush<'_>, state: &State, layout: &Layout) {
    let width = usize::from(layout.footer.width);
    let mut y = layout.footer.y;
    // Where it is small a message must not hide what it is about.
    let (most, rows) = if state.is_small() { (1, 1) } else { (state.toasts.len(), 3) };
    for toast in state.toasts.iter().rev().take(most) {
        let role = if toast.ok { Role::ToastOk } else { Role::ToastError };
        let mark = if toast.ok { brush.glyphs.pass } else { brush.glyphs.attention };
        let mut lines = text::wrap(&toast.text, width.saturating_sub(8).min(90));
        if lines.len() > rows {
            lines.truncate(rows);
            if let Some(last) = lines.last_mut() {
                last.push_str(brush.glyphs.ellipsis);
            }
        }
        let widest = lines.iter().map(|l| text::width(l)).max().unwrap_or(0);
        for (at, line) in lines.iter().enumerate().rev() {
            if y <= layout.header.y + 1 {
                return;
            }
            y -= 1;
            let lead = if at == 0 { mark } else { " " };
            let line = format!(" {lead} {} ", text::left(line, widest, ""));
            let columns = u16::try_from(text::width(&line)).unwrap_or(u16::MAX);
            let place = Rect {
                x: layout.footer.x + layout.footer.width.saturating_sub(columns + 1),
                y,
                width: columns.min(layout.footer.width),
                height: 1,
            };
            Clear.render(place.intersection(brush.buf.area), brush.buf);
            brush.line(place.x, place.y, place.width, &Styled::of(role, line));
        }
    }
}
