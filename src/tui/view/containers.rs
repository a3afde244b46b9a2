//! The list of containers: one aligned row each; columns go by importance where it is narrow.

use ratatui::layout::Rect;
use sentinel_core::domain::snapshot::ContainerView;

use crate::tui::action::Action;
use crate::tui::columns::{CHART, Column};
use crate::tui::glyphs::Glyphs;
use crate::tui::groups::{self, Group, Line};
use crate::tui::keymap::Context;
use crate::tui::layout::inside;
use crate::tui::lists::{self, Touched};
use crate::tui::pane::Pane;
use crate::tui::quiet;
use crate::tui::role::Role;
use crate::tui::state::State;
use crate::tui::status;
use crate::tui::styled::Styled;
use crate::tui::text;
use crate::tui::trends::Trend;
use crate::tui::view::brush::{Brush, first_row};
use crate::tui::words;

/// The narrowest a name may get.
const NAME_LEAST: usize = 12;
/// The widest a name may get.
const NAME_MOST: usize = 36;
/// Columns for the state: symbol and word.
const STATE: usize = 12;
/// Columns before the name: cursor, state, the mark of an incident, spaces.
const LEAD: usize = STATE + 4;

/// What fits.
struct Plan {
    columns: Vec<Column>,
    name: usize,
    spark: usize,
}

impl Plan {
    fn width(&self, column: Column) -> usize {
        match column {
            chart if chart.is_chart() => self.spark + 1,
            other => other.width(),
        }
    }
}

fn plan(state: &State, rows: &[&ContainerView], width: usize) -> Plan {
    let longest = rows.iter().map(|v| text::width(&v.container.of.name)).max().unwrap_or(0);
    let wanted = longest.clamp(NAME_LEAST, NAME_MOST);
    let own_service = rows.iter().any(|v| v.container.of.service != v.container.of.name);
    let quiet = rows.iter().any(|v| {
        quiet::silence_of(state, &v.container.of).is_some() || quiet::is_labelled(&v.container)
    });
    // One column of air on the right.
    let width = width.saturating_sub(1);
    let room = width.saturating_sub(LEAD + wanted.min(24));
    let fitting = |charts: bool| {
        let mut room = room;
        let mut columns = Vec::new();
        for column in Column::BY_WORTH.into_iter().filter(|c| state.look.shows(*c)) {
            let idle = (column == Column::Service && !own_service)
                || (column == Column::Quiet && !quiet)
                || (!charts && column.is_chart());
            // A smaller one of less worth may still fit.
            if !idle && column.width() <= room {
                room -= column.width();
                columns.push(column);
            }
        }
        columns
    };
    let mut columns = fitting(true);
    if columns.iter().filter(|c| c.is_chart()).count() == 1 && state.look.columns.is_none() {
        // One chart alone looks like a mistake, and takes the room of readings.
        columns = fitting(false);
    }
    columns.sort_unstable();
    let used: usize = columns.iter().map(|c| c.width()).sum();
    let name = wanted.min(width.saturating_sub(LEAD + used)).max(4);
    // What is left makes the charts longer, up to a bound; beyond it calm is better.
    let charts = columns.iter().filter(|c| c.is_chart()).count();
    let spare = width.saturating_sub(LEAD + used + name).checked_div(charts).unwrap_or(0);
    Plan { columns, name, spark: (CHART.0 + spare).min(CHART.1) }
}

/// Draws it.
pub fn draw(brush: &mut Brush<'_>, state: &State, area: Rect) {
    let lines = lists::lines(state);
    title(brush, state, area);
    let area = inside(area);
    if area.height == 0 {
        return;
    }
    if lines.is_empty() {
        brush.note(area, Role::Dim, &empty(state));
        return;
    }
    let sums: Vec<(usize, ContainerView)> = lines
        .iter()
        .enumerate()
        .filter_map(|(at, line)| match line {
            Line::Folded(group) => Some((at, group.sum()?)),
            Line::Head(_) | Line::One(_) => None,
        })
        .collect();
    let one = lines.iter().filter_map(|line| match line {
        Line::One(view) => Some(*view),
        Line::Head(_) | Line::Folded(_) => None,
    });
    let rows: Vec<&ContainerView> = one.chain(sums.iter().map(|(_, view)| view)).collect();
    let plan = plan(state, &rows, usize::from(area.width));
    let mut head = Styled::of(Role::Dim, format!(" {:<STATE$}   ", "STATE"));
    head.push(Role::Dim, text::left("NAME", plan.name, ""));
    for column in &plan.columns {
        head.push(Role::Dim, text::left(column.heading(), plan.width(*column), ""));
    }
    brush.line(area.x, area.y, area.width, &head);
    let list = inside(area);
    let touched = lists::touched(state);
    let stale = stale_since(state).is_some();
    let height = usize::from(list.height);
    let selected = groups::line_of(&lines, state.containers.item.as_ref());
    let first = first_row(lines.len(), selected, height);
    for (y, (at, line)) in (list.y..list.bottom()).zip(lines.iter().enumerate().skip(first)) {
        let mut drawn = match line {
            Line::Head(group) => heading(group, brush.glyphs),
            Line::One(view) => {
                let touch = touched.get(view.container.of.name.as_str()).copied();
                row(brush, state, view, touch, &plan)
            }
            Line::Folded(group) => {
                let sum = sums.iter().find(|(of, _)| *of == at).map(|(_, view)| view);
                let touch =
                    group.members.iter().filter_map(|v| touched.get(v.container.of.name.as_str()));
                let touch = touch.max().copied();
                sum.map(|view| folded(brush, state, group, (view, touch), &plan))
                    .unwrap_or_default()
            }
        };
        if stale {
            // What may not be true any more does not shout.
            drawn.pieces.iter_mut().for_each(|(role, _)| *role = Role::Dim);
        }
        let selected = at == selected && groups::selects(line).is_some();
        brush.row(list, y, &drawn, selected, state.focus == Pane::Containers);
    }
}

/// The line above the containers of a group.
fn heading(group: &Group<'_>, glyphs: &Glyphs) -> Styled {
    let (well, count) =
        (group.members.iter().filter(|v| lists::is_well(v)).count(), group.members.len());
    let role = if well == count { Role::Dim } else { Role::Warn };
    Styled::of(Role::Dim, format!("{} ", glyphs.unfolded))
        .and(Role::Heading, group.name.clone())
        .and(role, format!("  {well} of {count} well"))
}

/// All of a group in one line: its state is that of the worst, in the word how many are up.
fn folded(
    brush: &Brush<'_>,
    state: &State,
    group: &Group<'_>,
    (sum, touch): (&ContainerView, Option<Touched>),
    plan: &Plan,
) -> Styled {
    let count = group.members.len();
    let up = group.members.iter().filter(|v| v.container.is_up()).count();
    let mut line = row(brush, state, sum, touch, plan);
    if let Some((role, first)) = line.pieces.first_mut() {
        let word = if up == count {
            format!("{} {up} up", brush.glyphs.folded)
        } else {
            format!("{} {up}/{count} up", brush.glyphs.folded)
        };
        let mark = status::of_container(&sum.container, brush.glyphs);
        *role = mark.role;
        let rest = text::width(first).saturating_sub(STATE + 1);
        *first =
            format!("{} {} {}", mark.glyph, text::left(&word, STATE - 2, ""), " ".repeat(rest));
    }
    line
}

fn title(brush: &mut Brush<'_>, state: &State, area: Rect) {
    let shown = lists::shown_containers(state);
    let mut left = Styled::of(Role::Dim, state.sort.words());
    if state.reverse {
        left.push(Role::Dim, ", reversed");
    }
    if let Some(words) = state.look.grouping.words() {
        left.push(Role::Dim, format!(", {words}"));
    }
    let hidden = lists::hidden_ended(state);
    if hidden > 0 {
        left.push(Role::Info, format!(", {hidden} ended hidden"));
    }
    if let Some(filter) = &state.containers.filter {
        left.push(Role::Text, " ");
        left.push(Role::Match, format!(" /{} ", filter.text()));
    }
    let total = state.snapshot.containers.len();
    let right = if let Some(since) = stale_since(state) {
        Styled::of(Role::Warn, format!("as of {} ago", words::age(state.now, since)))
    } else if shown == total {
        Styled::of(Role::Dim, words::count(total, "container"))
    } else {
        Styled::of(Role::Dim, format!("{shown} of {}", words::count(total, "container")))
    };
    let marks = state.marks.len();
    let marked = if marks > 0 { format!("{marks} marked  ") } else { String::new() };
    let mut line = Styled::of(Role::Strong, marked);
    line.pieces.extend(right.pieces);
    brush.title(state, Pane::Containers, area, &left, &line);
}

/// Since when the containers cannot be seen, if they cannot.
fn stale_since(state: &State) -> Option<jiff::Timestamp> {
    state.snapshot.blind().map(|d| d.since)
}

fn empty(state: &State) -> String {
    let key = |action| {
        let key = state.keymap.key_for(Context::Containers, action);
        key.map_or_else(|| "the palette".to_owned(), |k| k.to_string())
    };
    if state.snapshot.engine.is_none() {
        "Connecting to the Docker engine…".to_owned()
    } else if state.snapshot.containers.is_empty() {
        "No container is watched. Label one sre-sentinel.monitor=true, or start with --all."
            .to_owned()
    } else if state.containers.filter.is_some() {
        "No container matches the filter. Esc clears it.".to_owned()
    } else {
        format!("All of them ended as they should; {} shows them.", key(Action::RunningOnly))
    }
}

fn row(
    brush: &Brush<'_>,
    state: &State,
    view: &ContainerView,
    touch: Option<Touched>,
    plan: &Plan,
) -> Styled {
    let container = &view.container;
    let glyphs = brush.glyphs;
    let shown = status::of_container(container, glyphs);
    let state_text = text::left(&shown.word, STATE - 2, glyphs.ellipsis);
    let mut line = Styled::of(shown.role, format!("{} {state_text} ", shown.glyph));
    match touch {
        Some(Touched::Root(severity)) => {
            let role = match status::of_severity(severity).role {
                Role::Critical => Role::Error,
                other => other,
            };
            line.push(role, glyphs.incident);
        }
        Some(Touched::Affected) => line.push(Role::Warn, glyphs.affected),
        None => line.push(Role::Text, " "),
    }
    let marked = state.marks.contains(&container.of.id);
    line.push(Role::Strong, if marked { glyphs.bookmark } else { " " });
    let name = text::left(&container.of.name, plan.name, glyphs.ellipsis);
    line.push(if touch.is_some() { Role::Strong } else { Role::Text }, name);
    for column in &plan.columns {
        cell(&mut line, brush, state, view, (*column, plan.width(*column)));
    }
    line
}

fn cell(
    line: &mut Styled,
    brush: &Brush<'_>,
    state: &State,
    view: &ContainerView,
    (column, width): (Column, usize),
) {
    let glyphs = brush.glyphs;
    let usage = view.usage.as_ref().filter(|_| view.container.is_up());
    let right = |t: &str| text::right(t, width, glyphs.ellipsis);
    let absent = || right(glyphs.nothing);
    match column {
        Column::Service => {
            let service = text::cut(&view.container.of.service, width - 1, glyphs.ellipsis);
            line.push(Role::Dim, text::left(&format!(" {service}"), width, ""));
        }
        Column::Quiet => {
            let mark = quiet::mark(state, &view.container, glyphs).unwrap_or_default();
            line.push(Role::Info, text::left(&format!(" {mark}"), width, ""));
        }
        Column::Health => {
            let health = status::of_health(&view.container, glyphs);
            line.push(health.role, text::left(&format!(" {}", health.word), width, ""));
        }
        Column::Cpu => match usage {
            Some(u) => line.push(hot(u.cpu_pct, 80.0, 150.0), right(&words::percent(u.cpu_pct))),
            None => line.push(Role::Dim, absent()),
        },
        Column::CpuChart => {
            let values = view.cpu_history.iter().copied();
            let chart = if usage.is_some() {
                glyphs.sparkline(values, width - 1, 100.0)
            } else {
                String::new()
            };
            line.push(Role::Spark, right(&chart));
        }
        Column::MemoryPercent => match usage {
            Some(u) => line.push(hot(u.mem_pct(), 80.0, 92.0), right(&words::percent(u.mem_pct()))),
            None => line.push(Role::Dim, absent()),
        },
        Column::MemoryChart => {
            let values = view.mem_history.iter().copied();
            let chart = if usage.is_some() {
                glyphs.sparkline(values, width - 1, 100.0)
            } else {
                String::new()
            };
            line.push(Role::Spark, right(&chart));
        }
        Column::MemoryBar => match usage {
            Some(u) => bar(line, u.mem_pct(), width, glyphs),
            None => line.push(Role::Dim, right("")),
        },
        Column::Lines | Column::Errors => {
            let trend = state.trends.of(&view.container.of.id);
            rates(line, trend, (column, width), glyphs);
        }
        Column::Memory => match usage {
            Some(u) => {
                let limit =
                    view.container.memory_limit.map_or_else(|| "none".to_owned(), words::bytes);
                line.push(Role::Dim, right(&format!("{}/{limit}", words::bytes(u.mem_used))));
            }
            None => line.push(Role::Dim, absent()),
        },
        Column::Net => match usage {
            Some(u) => line.push(
                Role::Dim,
                right(&format!("{}/{}", words::rate(u.net_rx_bps), words::rate(u.net_tx_bps))),
            ),
            None => line.push(Role::Dim, absent()),
        },
        Column::Restarts => {
            let (restarts, deaths) = (view.container.restart_count, view.deaths);
            let role = if deaths > 0 { Role::Warn } else { Role::Dim };
            line.push(role, right(&format!("{restarts}/{deaths}")));
        }
        Column::Up => match view.container.started_at.filter(|_| view.container.is_up()) {
            Some(at) => line.push(Role::Dim, right(&words::age(state.now, at))),
            None => line.push(Role::Dim, absent()),
        },
    }
}

/// Memory against its limit: what is full is as loud as the reading beside it.
fn bar(line: &mut Styled, percent: f64, width: usize, glyphs: &Glyphs) {
    let cells = width.saturating_sub(1);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "between 0 and the number of cells"
    )]
    let full = ((percent / 100.0).clamp(0.0, 1.0) * cells as f64).round() as usize;
    let role = match hot(percent, 80.0, 92.0) {
        Role::Text => Role::Gauge,
        loud => loud,
    };
    line.push(Role::Text, " ");
    line.push(role, glyphs.full.repeat(full));
    line.push(Role::GaugeEmpty, glyphs.empty.repeat(cells - full));
}

/// What a container writes to its log.
fn rates(
    line: &mut Styled,
    trend: Option<&Trend>,
    (column, width): (Column, usize),
    glyphs: &Glyphs,
) {
    let right = |t: &str| text::right(t, width, glyphs.ellipsis);
    let known = trend.filter(|t| t.lines_per_second().is_some());
    match (known, column) {
        (None, _) => line.push(Role::Dim, right(glyphs.nothing)),
        (Some(trend), Column::Errors) => {
            let errors = trend.errors_in_a_minute();
            line.push(if errors > 0 { Role::Warn } else { Role::Dim }, right(&errors.to_string()));
        }
        (Some(trend), _) => {
            let rate = trend.lines_per_second().unwrap_or(0.0);
            line.push(Role::Dim, right(&words::per_second(rate)));
        }
    }
}

/// A reading is quiet until it is high.
fn hot(value: f64, high: f64, very: f64) -> Role {
    if value >= very {
        Role::Error
    } else if value >= high {
        Role::Warn
    } else {
        Role::Text
    }
}
