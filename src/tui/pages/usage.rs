//! What a container takes: processor and memory as charts, the rest as rates over the last minutes.

use sentinel_core::domain::anomaly::{Anomaly, AnomalyKind};
use sentinel_core::domain::snapshot::ContainerView;
use sentinel_core::domain::usage::Usage;

use crate::tui::chart;
use crate::tui::glyphs::Glyphs;
use crate::tui::pages::page::Page;
use crate::tui::role::Role;
use crate::tui::state::State;
use crate::tui::styled::Styled;
use crate::tui::text;
use crate::tui::trends::{Sample, Trend};
use crate::tui::words;

/// Rows of a chart.
const ROWS: usize = 4;
/// The narrowest page with two charts side by side.
const SIDE_BY_SIDE: usize = 56;
/// The widest a chart gets: two readings in each column.
const WIDEST: usize = 40;
/// Columns of the scale beside a chart.
const SCALE: usize = 6;
/// A projection older than this is none.
const PROJECTED: jiff::SignedDuration = jiff::SignedDuration::from_mins(5);

/// The section of the page.
pub fn section(
    page: &mut Page,
    state: &State,
    view: &ContainerView,
    glyphs: &Glyphs,
    columns: usize,
) {
    page.heading("Resources");
    limits(page, view, columns);
    let Some(usage) = &view.usage else {
        page.say(2, Role::Dim, "No reading while it does not run.", columns);
        return;
    };
    let room = columns.saturating_sub(2);
    let both = columns >= SIDE_BY_SIDE;
    let width =
        if both { room.saturating_sub(2) / 2 } else { room }.saturating_sub(SCALE).min(WIDEST);
    let charts = [cpu(view, usage, width, glyphs), memory(view, usage, width, glyphs)];
    if both {
        let [left, right] = charts;
        for (left, right) in left.into_iter().zip(right) {
            let fill = (width + SCALE + 2).saturating_sub(left.width());
            let mut line = Styled::of(Role::Text, "  ");
            line.pieces.extend(left.pieces);
            line.push(Role::Text, " ".repeat(fill));
            line.pieces.extend(right.pieces);
            page.lines.push(line);
        }
    } else {
        for chart in charts.into_iter().flatten() {
            let mut line = Styled::of(Role::Text, "  ");
            line.pieces.extend(chart.pieces);
            page.lines.push(line);
        }
    }
    if let Some(words) = projection(state, view) {
        page.fact("memory", Role::Warn, &format!("{} {words}", glyphs.attention), columns);
    }
    if let Some(trend) = state.trends.of(&view.container.of.id) {
        rates(page, trend, usage, glyphs, columns);
    }
}

fn limits(page: &mut Page, view: &ContainerView, columns: usize) {
    let c = &view.container;
    let limit = c.memory_limit.map_or_else(|| "no limit".to_owned(), words::bytes);
    let cpus = c
        .nano_cpus
        .map_or_else(|| "no limit".to_owned(), |n| format!("{:.2} cores", n as f64 / 1e9));
    let mut words = vec![format!("memory {limit}, CPU {cpus}")];
    words.extend(c.pids_limit.map(|most| format!("processes {most}")));
    words.extend(c.nofile.map(|most| format!("open files {most}")));
    words.extend(c.shm_size.map(|size| format!("/dev/shm {}", words::bytes(size))));
    page.fact("limits", Role::Text, &words.join(", "), columns);
}

fn cpu(view: &ContainerView, usage: &Usage, width: usize, glyphs: &Glyphs) -> Vec<Styled> {
    let quota = view.container.nano_cpus.map(|n| n as f64 / 1e7);
    let role = match quota {
        Some(quota) if usage.cpu_pct >= quota * 0.95 => Role::Warn,
        _ => Role::Strong,
    };
    let mut head = Styled::of(Role::Dim, "CPU ").and(role, words::percent(usage.cpu_pct));
    if let Some(quota) = quota {
        head.push(Role::Dim, format!(" of {}", words::percent(quota)));
    }
    if let Some(held) = usage.throttled_pct.filter(|p| *p >= 1.0) {
        head.push(Role::Warn, format!("  held back {}", words::percent(held)));
    }
    let history: Vec<f32> = view.cpu_history.iter().copied().collect();
    let most = history.iter().copied().fold(0.0_f32, f32::max);
    // Without a quota nothing is full: the scale is the next round number.
    let round = [10.0_f32, 25.0, 50.0, 100.0, 200.0, 400.0, 800.0];
    let scale = round.into_iter().find(|r| *r >= most).unwrap_or(most);
    #[expect(clippy::cast_possible_truncation, reason = "a percentage for a picture")]
    let top = quota.map_or(scale, |q| (q as f32).max(most));
    charted(head, &history, (width, top), &words::percent(f64::from(top)), glyphs)
}

fn memory(view: &ContainerView, usage: &Usage, width: usize, glyphs: &Glyphs) -> Vec<Styled> {
    let percent = usage.mem_pct();
    let role = if percent >= 92.0 {
        Role::Error
    } else if percent >= 80.0 {
        Role::Warn
    } else {
        Role::Strong
    };
    let head = Styled::of(Role::Dim, "Memory ")
        .and(role, format!("{} {}", words::bytes(usage.mem_used), words::percent(percent)))
        .and(Role::Dim, format!(" of {}", words::bytes(usage.mem_limit)));
    let history: Vec<f32> = view.mem_history.iter().copied().collect();
    charted(head, &history, (width, 100.0), &words::bytes(usage.mem_limit), glyphs)
}

/// A chart below its heading, with its scale on the left.
fn charted(
    head: Styled,
    history: &[f32],
    (width, top): (usize, f32),
    most: &str,
    glyphs: &Glyphs,
) -> Vec<Styled> {
    let rows = chart::area(history, (width, ROWS), top, glyphs);
    let mut lines = vec![head];
    for (at, row) in rows.into_iter().enumerate() {
        let label = if at == 0 {
            most
        } else if at + 1 == ROWS {
            "0"
        } else {
            ""
        };
        let scale = format!("{}{}", text::right(label, SCALE - 1, ""), glyphs.bar);
        lines.push(Styled::of(Role::Rule, scale).and(Role::Spark, row));
    }
    lines
}

/// When memory is full if it goes on like this: as the detector reckons it, never a guess of ours.
fn projection(state: &State, view: &ContainerView) -> Option<String> {
    let id = &view.container.of.id;
    let own = |a: &&Anomaly| a.kind == AnomalyKind::MemoryGrowth && &a.container.id == id;
    let loose = state.snapshot.anomalies.iter().map(AsRef::as_ref).filter(own);
    let open = state.snapshot.incidents.iter().filter(|i| !i.state.is_closed());
    let newest =
        loose.chain(open.flat_map(|i| &i.anomalies).filter(own)).max_by_key(|a| a.observed_at)?;
    let ago = state.now.duration_since(newest.observed_at);
    if ago > PROJECTED || view.container.started_at.is_some_and(|at| at > newest.observed_at) {
        return None;
    }
    let left = i64::try_from(newest.detail.seconds_to_limit?).ok()? - ago.as_secs();
    let span = match left {
        ..=0 => return None,
        1..90 => format!("{left} s"),
        _ => format!("{} min", (left + 30) / 60),
    };
    Some(format!("full in about {span} if it goes on growing like this"))
}

fn rates(page: &mut Page, trend: &Trend, usage: &Usage, glyphs: &Glyphs, columns: usize) {
    let width = (columns.saturating_sub(44) / 2).clamp(6, 30);
    let chart = |of: fn(&Sample) -> f64| {
        #[expect(clippy::cast_possible_truncation, reason = "a height of a picture")]
        let values: Vec<f32> = trend.samples().iter().map(|s| of(s) as f32).collect();
        glyphs.sparkline(values.into_iter(), width, 1.0)
    };
    let rate = |value: f64| text::left(&format!("{}/s", words::rate(value)), 8, "");
    let mut pair =
        |label: &str, a: (&str, f64, fn(&Sample) -> f64), b: (&str, f64, fn(&Sample) -> f64)| {
            let mut line = Styled::of(Role::Dim, format!("  {label:<10} "));
            for (mark, value, of) in [a, b] {
                line.push(Role::Dim, format!("{mark} "));
                line.push(Role::Text, rate(value));
                line.push(Role::Spark, chart(of));
                line.push(Role::Text, " ");
            }
            page.lines.push(line);
        };
    pair(
        "network",
        (glyphs.rx, usage.net_rx_bps, |s| s.rx),
        (glyphs.tx, usage.net_tx_bps, |s| s.tx),
    );
    pair(
        "disk",
        ("r", usage.disk_read_bps, |s| s.read),
        ("w", usage.disk_write_bps, |s| s.written),
    );
    let mut line = Styled::of(Role::Dim, "  processes  ");
    let bound = usage.pids_limit.map(|most| format!(" of {most}")).unwrap_or_default();
    line.push(Role::Text, text::left(&format!("{}{bound}", usage.pids), 10, ""));
    line.push(Role::Spark, chart(|s| s.pids as f64));
    if let (Some(fds), most) = (usage.fds, usage.fds_limit) {
        let most = most.map(|m| format!(" of {m}")).unwrap_or_default();
        line.push(Role::Dim, "  files ");
        line.push(Role::Text, format!("{fds}{most}"));
    }
    page.lines.push(line);
    let (first, last) = (trend.samples().front(), trend.samples().back());
    if let (Some(first), Some(last)) = (first, last)
        && last.restarts > first.restarts
    {
        let span = words::span(last.at.duration_since(first.at));
        let mut line = Styled::of(Role::Dim, "  restarts   ");
        let count = last.restarts - first.restarts;
        line.push(Role::Warn, text::left(&format!("{count} in {span}"), 10, ""));
        let base = first.restarts;
        #[expect(clippy::cast_possible_truncation, reason = "a height of a picture")]
        let values: Vec<f32> =
            trend.samples().iter().map(|s| f64::from(s.restarts - base) as f32).collect();
        line.push(Role::Spark, glyphs.sparkline(values.into_iter(), width, 1.0));
        page.lines.push(line);
    }
}
