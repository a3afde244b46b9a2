//! Where everything is, as a pure function of the state; asked by update and view alike.

use ratatui::layout::Rect;

use crate::tui::lists;
use crate::tui::pane::Pane;
use crate::tui::state::State;

/// Below this nothing useful fits.
pub const LEAST: (u16, u16) = (40, 8);
/// From this size on all panes stand side by side.
pub const WIDE: (u16, u16) = (120, 30);
/// From this size on several panes stand one above the other.
pub const MEDIUM: (u16, u16) = crate::tui::state::ROOMY;

/// How panes are arranged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// A sentence instead of panes.
    TooSmall,
    /// One pane and a line of tabs.
    Single,
    /// Lists above the log.
    Stacked,
    /// Everything.
    Wide,
}

/// Where everything is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    /// How panes are arranged.
    pub form: Form,
    /// The first line.
    pub header: Rect,
    /// The line that says what does not work, while something does not.
    pub banner: Option<Rect>,
    /// The line that says how all containers are, on large screens.
    pub fleet: Option<Rect>,
    /// The line of tabs, where only one pane is shown.
    pub tabs: Option<Rect>,
    /// Panes with their places, title line included.
    pub panes: Vec<(Pane, Rect)>,
    /// A vertical rule, where panes stand side by side.
    pub rule: Option<Rect>,
    /// The last line.
    pub footer: Rect,
}

impl Layout {
    /// The place of a pane, if it is shown.
    pub fn pane(&self, pane: Pane) -> Option<Rect> {
        self.panes.iter().find(|(p, _)| *p == pane).map(|(_, r)| *r)
    }

    /// Rows and columns inside a pane, without its title.
    pub fn inside(&self, pane: Pane) -> Option<Rect> {
        self.pane(pane).map(inside)
    }
}

/// What is left of a pane below its title.
pub fn inside(pane: Rect) -> Rect {
    Rect { y: pane.y + u16::from(pane.height > 0), height: pane.height.saturating_sub(1), ..pane }
}

/// Rows and columns for what scrolls in a pane; something sensible while it is not shown.
pub fn room(state: &State, pane: Pane) -> (usize, usize) {
    let pinned = if pane == Pane::Logs { state.logs.pinned_rows() } else { 0 };
    layout(state).inside(pane).map_or((10, 80), |r| {
        let rows = usize::from(r.height).saturating_sub(pinned);
        (rows.max(1), usize::from(r.width).max(1))
    })
}

/// Where everything is.
pub fn layout(state: &State) -> Layout {
    let area = state.area;
    let header = Rect { height: area.height.min(1), ..area };
    let footer =
        Rect { y: area.y + area.height.saturating_sub(1), height: area.height.min(1), ..area };
    let form = form(area);
    if form == Form::TooSmall {
        return Layout {
            form,
            header,
            banner: None,
            fleet: None,
            tabs: None,
            panes: Vec::new(),
            rule: None,
            footer,
        };
    }
    let mut body = Rect { y: area.y + 1, height: area.height.saturating_sub(2), ..area };
    let mut banner = None;
    if !state.snapshot.degraded.is_empty() {
        let (line, rest) = split_rows(body, 1);
        banner = Some(line);
        body = rest;
    }
    let mut fleet = None;
    if form == Form::Wide {
        let (line, rest) = split_rows(body, 1);
        fleet = Some(line);
        body = rest;
    }
    let mut rule = None;
    let mut tabs = None;
    let panes = if form == Form::Single || state.zoom {
        tabs = Some(Rect { height: 1, ..body });
        let rest = Rect { y: body.y + 1, height: body.height.saturating_sub(1), ..body };
        vec![(state.focus, rest)]
    } else if form == Form::Stacked {
        stacked(state, body, &mut rule)
    } else {
        wide(state, body, &mut rule)
    };
    Layout { form, header, banner, fleet, tabs, panes, rule, footer }
}

fn form(area: Rect) -> Form {
    let fits = |(w, h): (u16, u16)| area.width >= w && area.height >= h;
    if !fits(LEAST) {
        Form::TooSmall
    } else if fits(WIDE) {
        Form::Wide
    } else if fits(MEDIUM) {
        Form::Stacked
    } else {
        Form::Single
    }
}

/// Rows that a list wants, with its title and, for containers, its heading.
fn wants(rows: usize, extra: u16, least: u16, most: u16) -> u16 {
    u16::try_from(rows).unwrap_or(u16::MAX).saturating_add(extra).clamp(least, most.max(least))
}

/// 80x24 and the like: containers, then incidents (with fixes beside them when there are some),
/// then the log; the inspector takes it all.
fn stacked(state: &State, body: Rect, rule: &mut Option<Rect>) -> Vec<(Pane, Rect)> {
    if state.focus == Pane::Inspector {
        return vec![(Pane::Inspector, body)];
    }
    let containers = wants(lists::count_lines(state), 2, 4, body.height * 2 / 5);
    let incidents = wants(lists::shown_incidents(state), 1, 3, body.height / 5 + 1);
    let (top, rest) = split_rows(body, containers);
    let (middle, bottom) = split_rows(rest, incidents);
    let mut panes = vec![(Pane::Containers, top)];
    if lists::staged_count(state) > 0 || state.focus == Pane::Fixes {
        let (left, right) = split_columns(middle, middle.width / 2, rule);
        panes.extend([(Pane::Incidents, left), (Pane::Fixes, right)]);
    } else {
        panes.push((Pane::Incidents, middle));
    }
    panes.push((Pane::Logs, bottom));
    panes
}

/// Large terminals. Without an inspector: lists above, the log below over the whole width. With
/// one: what happens on the left, what it means on the right.
fn wide(state: &State, body: Rect, rule: &mut Option<Rect>) -> Vec<(Pane, Rect)> {
    let rows = lists::count_lines(state);
    let open = wants(lists::shown_incidents(state), 1, 4, body.height / 5);
    if state.inspector.is_some() {
        let (left, right) = split_columns(body, body.width / 2, rule);
        let (containers, logs) = split_rows(left, wants(rows, 2, 6, left.height * 2 / 5));
        let (incidents, rest) = split_rows(right, open.min(6));
        let mut panes = vec![(Pane::Containers, containers), (Pane::Logs, logs)];
        panes.push((Pane::Incidents, incidents));
        if state.focus == Pane::Fixes {
            let (fixes, inspector) = split_rows(rest, wants(lists::shown_fixes(state), 1, 3, 6));
            panes.extend([(Pane::Fixes, fixes), (Pane::Inspector, inspector)]);
        } else {
            panes.push((Pane::Inspector, rest));
        }
        return panes;
    }
    let fixes = wants(lists::shown_fixes(state), 1, 3, body.height / 6);
    let top_rows = wants(rows, 2, open + fixes, body.height / 2);
    let (top, logs) = split_rows(body, top_rows.max(10));
    let (left, right) = split_columns(top, body.width * 3 / 5 + 1, rule);
    let (incidents, fixes) = split_rows(right, right.height.saturating_sub(fixes));
    vec![
        (Pane::Containers, left),
        (Pane::Incidents, incidents),
        (Pane::Fixes, fixes),
        (Pane::Logs, logs),
    ]
}

fn split_rows(area: Rect, top: u16) -> (Rect, Rect) {
    let top = top.min(area.height);
    (Rect { height: top, ..area }, Rect { y: area.y + top, height: area.height - top, ..area })
}

fn split_columns(area: Rect, left: u16, rule: &mut Option<Rect>) -> (Rect, Rect) {
    let left = left.min(area.width.saturating_sub(1));
    *rule = Some(Rect { x: area.x + left, width: 1, ..area });
    (
        Rect { width: left, ..area },
        Rect { x: area.x + left + 1, width: area.width - left - 1, ..area },
    )
}
