//! One container in full. Names of environment variables only, never their values.

use sentinel_core::domain::container::{HealthCheck, RestartPolicy};
use sentinel_core::domain::snapshot::ContainerView;
use sentinel_core::domain::topology::{Edge, EdgeSource};

use crate::tui::glyphs::Glyphs;
use crate::tui::pages::page::Page;
use crate::tui::pages::{incident, quiet as left_alone};
use crate::tui::quiet;
use crate::tui::role::Role;
use crate::tui::state::State;
use crate::tui::status;
use crate::tui::styled::{Styled, paragraph};
use crate::tui::words;

/// Containers on the same network that are named; the others are counted.
const NEIGHBOURS_SHOWN: usize = 8;

/// The page.
pub fn page(state: &State, view: &ContainerView, glyphs: &Glyphs, columns: usize) -> Page {
    let mut page = Page::default();
    let c = &view.container;
    let shown = status::of_container(c, glyphs);
    let health = status::of_health(c, glyphs);
    page.lines.push(
        Styled::of(Role::Strong, format!("{}  ", c.of.name))
            .and(shown.role, format!("{} {}", shown.glyph, shown.word))
            .and(Role::Dim, format!(" {} ", glyphs.dot))
            .and(health.role, health.word),
    );
    page.say(0, Role::Dim, &format!("{} {} {}", c.of.id.short(), glyphs.dot, c.image), columns);
    silenced(&mut page, state, view, glyphs, columns);
    trouble(&mut page, state, view, columns);
    left_alone::section(&mut page, state, &c.of.name, columns);
    life(&mut page, state, view, columns);
    resources(&mut page, view, glyphs, columns);
    if let Some(check) = &c.health_check {
        page.heading("Health check");
        health_check(&mut page, check, columns);
        if !c.probes.is_empty() {
            incident::probe_lines(&mut page, state, &c.probes, columns);
        }
    }
    wiring(&mut page, state, view, columns);
    page
}

/// Whoever looks at a container that opens no incident must see that first.
fn silenced(page: &mut Page, state: &State, view: &ContainerView, glyphs: &Glyphs, columns: usize) {
    let c = &view.container;
    let head = Styled::of(Role::Info, format!("{} silenced  ", glyphs.silenced));
    if let Some(silence) = quiet::silence_of(state, &c.of) {
        let words = quiet::sentence(state, silence);
        page.lines.extend(paragraph(&head, 2, Role::Text, &words, columns));
    } else if quiet::is_labelled(c) {
        let words = "by its label sre-sentinel.quiet: no incident opens for it";
        page.lines.extend(paragraph(&head, 2, Role::Text, words, columns));
    }
}

fn trouble(page: &mut Page, state: &State, view: &ContainerView, columns: usize) {
    let name = &view.container.of.name;
    let open: Vec<_> = state
        .snapshot
        .incidents
        .iter()
        .filter(|i| !i.state.is_closed())
        .filter(|i| &i.root == name || &i.container.name == name || i.affected.contains(name))
        .collect();
    if !open.is_empty() {
        page.heading("Open incidents");
        for incident in open {
            let severity = status::of_severity(incident.severity);
            page.fact(severity.word.trim(), severity.role, &incident.title, columns);
        }
    }
    let own: Vec<_> = state
        .snapshot
        .anomalies
        .iter()
        .rev()
        .filter(|a| &a.container.name == name)
        .take(5)
        .collect();
    if !own.is_empty() {
        page.heading("Anomalies");
        for anomaly in own {
            let at = words::clock(anomaly.observed_at, &state.zone);
            page.fact(&at, Role::Text, &anomaly.summary, columns);
            if let Some(judged) = &anomaly.detail.judgement {
                let said =
                    format!("{} ({}): {}", judged.model, judged.severity.as_str(), judged.summary);
                page.fact("triage", Role::Dim, &said, columns);
            }
        }
    }
}

fn life(page: &mut Page, state: &State, view: &ContainerView, columns: usize) {
    let c = &view.container;
    page.heading("Life");
    let mut fact = |label: &str, value: &str| page.fact(label, Role::Text, value, columns);
    fact("service", &c.of.service);
    if let Some(project) = &c.of.project {
        fact("project", project);
    }
    if let Some(at) = c.started_at {
        fact(
            "started",
            &format!("{} ({} ago)", words::date(at, &state.zone), words::age(state.now, at)),
        );
    }
    if let (Some(at), false) = (c.finished_at, c.is_up()) {
        fact(
            "ended",
            &format!("{} with exit status {}", words::date(at, &state.zone), c.exit_code),
        );
    }
    if !c.error.is_empty() {
        fact("error", &c.error);
    }
    let policy = match c.restart_policy {
        RestartPolicy::No => "no".to_owned(),
        RestartPolicy::Always => "always".to_owned(),
        RestartPolicy::UnlessStopped => "unless stopped".to_owned(),
        RestartPolicy::OnFailure(0) => "on failure".to_owned(),
        RestartPolicy::OnFailure(most) => format!("on failure, at most {most} times"),
    };
    fact("restart", &policy);
    fact("restarts", &format!("{} by the policy, {} deaths seen", c.restart_count, view.deaths));
    fact(
        "lines",
        &format!("{} read, {} errors, {} dropped", view.lines, view.errors, view.lines_dropped),
    );
}

fn resources(page: &mut Page, view: &ContainerView, glyphs: &Glyphs, columns: usize) {
    let c = &view.container;
    page.heading("Resources");
    let limit = c.memory_limit.map_or_else(|| "no limit".to_owned(), words::bytes);
    let cpus = c
        .nano_cpus
        .map_or_else(|| "no limit".to_owned(), |n| format!("{:.2} cores", n as f64 / 1e9));
    page.fact("limits", Role::Text, &format!("memory {limit}, CPU {cpus}"), columns);
    let Some(usage) = &view.usage else { return };
    let room = columns.saturating_sub(30).clamp(8, 60);
    for (label, text, history) in [
        ("cpu", words::percent(usage.cpu_pct), &view.cpu_history),
        (
            "memory",
            format!("{} {}", words::bytes(usage.mem_used), words::percent(usage.mem_pct())),
            &view.mem_history,
        ),
    ] {
        let chart = glyphs.sparkline(history.iter().copied(), room.min(history.len()), 100.0);
        page.lines.push(
            Styled::of(Role::Dim, format!("  {label:<10} "))
                .and(Role::Text, format!("{text:<12} "))
                .and(Role::Spark, chart),
        );
    }
    page.fact(
        "network",
        Role::Text,
        &format!(
            "{}{}/s {}{}/s",
            glyphs.rx,
            words::rate(usage.net_rx_bps),
            glyphs.tx,
            words::rate(usage.net_tx_bps)
        ),
        columns,
    );
    page.fact(
        "disk",
        Role::Text,
        &format!(
            "read {}/s, written {}/s",
            words::rate(usage.disk_read_bps),
            words::rate(usage.disk_write_bps)
        ),
        columns,
    );
    page.fact("processes", Role::Text, &usage.pids.to_string(), columns);
}

fn health_check(page: &mut Page, check: &HealthCheck, columns: usize) {
    page.fact("probe", Role::Text, &check.test.join(" "), columns);
    page.fact(
        "every",
        Role::Text,
        &format!(
            "{}, timeout {}, {} retries, start period {}",
            words::took(check.interval),
            words::took(check.timeout),
            check.retries,
            words::took(check.start_period)
        ),
        columns,
    );
}

fn wiring(page: &mut Page, state: &State, view: &ContainerView, columns: usize) {
    let c = &view.container;
    page.heading("Wiring");
    for network in &c.networks {
        let value = if network.address.is_empty() {
            network.network.clone()
        } else {
            format!("{} {} ({})", network.network, network.address, network.aliases.join(", "))
        };
        page.fact("network", Role::Text, &value, columns);
    }
    needs(page, state, &c.of.name, columns);
    page.fact("command", Role::Text, &c.command, columns);
    page.fact("log", Role::Text, &format!("driver {}", c.log_driver), columns);
    for (label, value) in &c.labels {
        page.fact("label", Role::Dim, &format!("{label}={value}"), columns);
    }
    if !c.env.is_empty() {
        let names: Vec<&str> = c.env.keys().map(String::as_str).collect();
        page.fact("env names", Role::Dim, &names.join(" "), columns);
    }
}

/// Who it needs and who needs it, with how that is known; then its mere neighbours.
fn needs(page: &mut Page, state: &State, name: &str, columns: usize) {
    let edges = state.snapshot.edges.iter().filter(|e| e.from == name || e.to == name);
    let (beside, needs): (Vec<&Edge>, Vec<&Edge>) =
        edges.partition(|e| e.source == EdgeSource::Network);
    for edge in needs {
        let (label, other) =
            if edge.from == name { ("needs", &edge.to) } else { ("needed by", &edge.from) };
        let sure = format!("{other} ({:.0}%: {})", edge.confidence * 100.0, edge.why);
        page.fact(label, Role::Text, &sure, columns);
    }
    if beside.is_empty() {
        return;
    }
    let other = |e: &&Edge| if e.from == name { e.to.clone() } else { e.from.clone() };
    let mut names: Vec<String> = beside.iter().take(NEIGHBOURS_SHOWN).map(other).collect();
    if let Some(more) = beside.len().checked_sub(NEIGHBOURS_SHOWN).filter(|more| *more > 0) {
        names.push(format!("{more} more"));
    }
    page.fact("beside", Role::Dim, &format!("{} (shared network)", names.join(", ")), columns);
}
