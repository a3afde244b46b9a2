//! The list of containers: one aligned row each; columns go by importance where it is narrow.

use ratatui::layout::Rect;
use sentinel_core::domain::snapshot::ContainerView;

use crate::tui::layout::inside;
use crate::tui::lists::{self, Touched};
use crate::tui::pane::Pane;
use crate::tui::quiet;
use crate::tui::role::Role;
use crate::tui::state::State;
use crate::tui::status;
use crate::tui::styled::Styled;
use crate::tui::text;
use crate::tui::view::brush::{Brush, first_row};
use crate::tui::words;

/// The narrowest a name may get.
const NAME_LEAST: usize = 12;
/// The widest a name may get.
const NAME_MOST: usize = 36;
/// Columns of a small chart, at least and at most.
const SPARK: (usize, usize) = (6, 16);

/// A column besides state and name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Column {
    Quiet,
    Health,
    Cpu,
    CpuChart,
    MemoryPercent,
    MemoryChart,
    Memory,
    Net,
    Restarts,
    Up,
    Service,
}

impl Column {
    /// In the order in which they are given up, last first.
    const BY_WORTH: [Self; 11] = [
        Self::Quiet,
        Self::Cpu,
        Self::MemoryPercent,
        Self::Health,
        Self::Up,
        Self::CpuChart,
        Self::MemoryChart,
        Self::Memory,
        Self::Restarts,
        Self::Net,
        Self::Service,
    ];
    /// In the order in which they stand.
    const BY_PLACE: [Self; 11] = [
        Self::Quiet,
        Self::Service,
        Self::Health,
        Self::Cpu,
        Self::CpuChart,
        Self::MemoryPercent,
        Self::MemoryChart,
        Self::Memory,
        Self::Net,
        Self::Restarts,
        Self::Up,
    ];

    /// Columns that it takes, with the gap before it.
    fn width(self) -> usize {
        match self {
            Self::Quiet => 7,
            Self::Health => 10,
            Self::Cpu | Self::MemoryPercent => 6,
            Self::CpuChart | Self::MemoryChart => SPARK.0 + 1,
            Self::Memory => 12,
            Self::Net | Self::Service => 13,
            Self::Restarts => 9,
            Self::Up => 5,
        }
    }

    fn heading(self) -> &'static str {
        match self {
            Self::Quiet => " QUIET",
            Self::Health => " HEALTH   ",
            Self::Cpu => "   CPU",
            Self::CpuChart | Self::MemoryChart => "",
            Self::MemoryPercent => "   MEM",
            Self::Memory => "  USED/LIMIT",
            Self::Net => "    NET RX/TX",
            Self::Restarts => " RST/DIED",
            Self::Up => "   UP",
            Self::Service => " SERVICE",
        }
    }
}

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
            Column::CpuChart | Column::MemoryChart => self.spark + 1,
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
    let mut room = width.saturating_sub(LEAD + wanted.min(24));
    let mut columns = Vec::new();
    for column in Column::BY_WORTH {
        if (column == Column::Service && !own_service) || (column == Column::Quiet && !quiet) {
            continue;
        }
        if column.width() > room {
            break;
        }
        room -= column.width();
        columns.push(column);
    }
    if !columns.contains(&Column::MemoryChart) {
        // One chart alone looks like a mistake.
        columns.retain(|c| *c != Column::CpuChart);
    }
    columns.sort_by_key(|c| Column::BY_PLACE.iter().position(|p| p == c));
    let used: usize = columns.iter().map(|c| c.width()).sum();
    let name = wanted.min(width.saturating_sub(LEAD + used)).max(4);
    // What is left makes the charts longer, up to a bound; beyond it calm is better.
    let charts =
        columns.iter().filter(|c| matches!(c, Column::CpuChart | Column::MemoryChart)).count();
    let spare = width.saturating_sub(LEAD + used + name).checked_div(charts).unwrap_or(0);
    Plan { columns, name, spark: (SPARK.0 + spare).min(SPARK.1) }
}

/// Draws it.
pub fn draw(brush: &mut Brush<'_>, state: &State, area: Rect) {
    let rows = lists::containers(state);
    title(brush, state, area, rows.len());
    let area = inside(area);
    if area.height == 0 {
        return;
    }
    if rows.is_empty() {
        brush.note(area, Role::Dim, empty(state));
        return;
    }
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
    let first = first_row(rows.len(), state.containers.row, height);
    for (y, view) in (list.y..list.bottom()).zip(rows.iter().skip(first)) {
        let selected = state.containers.item.as_ref() == Some(&view.container.of.id);
        let touch = touched.get(view.container.of.name.as_str()).copied();
        let mut line = row(brush, state, view, touch, &plan);
        if stale {
            // What may not be true any more does not shout.
            line.pieces.iter_mut().for_each(|(role, _)| *role = Role::Dim);
        }
        brush.row(list, y, &line, selected, state.focus == Pane::Containers);
    }
}

fn title(brush: &mut Brush<'_>, state: &State, area: Rect, shown: usize) {
    let mut left = Styled::of(Role::Dim, state.sort.words());
    if state.reverse {
        left.push(Role::Dim, ", reversed");
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
    brush.title(state, Pane::Containers, area, &left, &right);
}

/// Since when the containers cannot be seen, if they cannot.
fn stale_since(state: &State) -> Option<jiff::Timestamp> {
    state.snapshot.blind().map(|d| d.since)
}

fn empty(state: &State) -> &'static str {
    if state.snapshot.engine.is_none() {
        "Connecting to the Docker engine…"
    } else if state.snapshot.containers.is_empty() {
        "No container is watched. Label one sre-sentinel.monitor=true, or start with --all."
    } else {
        "No container matches the filter. Esc clears it."
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
    line.push(Role::Text, " ");
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
