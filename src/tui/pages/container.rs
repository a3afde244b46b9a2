//! One container in full. Names of environment variables only, never their values.

use sentinel_core::domain::container::{HealthCheck, RestartPolicy};
use sentinel_core::domain::snapshot::ContainerView;
use sentinel_core::domain::topology::{Edge, EdgeSource};

use crate::tui::glyphs::Glyphs;
use crate::tui::pages::page::Page;
use crate::tui::pages::{incident, quiet as left_alone, usage};
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
    let stale = state.snapshot.blind();
    if let Some(away) = stale {
        let words =
            format!("as of {} ago: the engine does not answer", words::age(state.now, away.since));
        page.say(0, Role::Warn, &format!("{} {words}", glyphs.attention), columns);
    }
    silenced(&mut page, state, view, glyphs, columns);
    trouble(&mut page, state, view, columns);
    left_alone::section(&mut page, state, &c.of.name, columns);
    let readings = page.lines.len();
    usage::section(&mut page, state, view, glyphs, columns);
    if stale.is_some() {
        // What may not be true any more does not shout.
        let old = page.lines.iter_mut().skip(readings);
        old.flat_map(|line| &mut line.pieces).for_each(|(role, _)| *role = Role::Dim);
    }
    if let Some(check) = &c.health_check {
        page.heading("Health check");
        health_check(&mut page, check, columns);
        if !c.probes.is_empty() {
            let marks = c.probes.iter().map(|p| match p.exit_code {
                0 => (Role::Ok, glyphs.pass),
                _ => (Role::Error, glyphs.fail),
            });
            let mut line = Styled::of(Role::Dim, "  last       ");
            marks.for_each(|(role, mark)| line.push(role, mark));
            line.push(Role::Dim, "  oldest first; below, newest first");
            page.lines.push(line);
            incident::probe_lines(&mut page, state, &c.probes, columns);
        }
    }
    life(&mut page, state, view, columns);
    wiring(&mut page, state, view, glyphs, columns);
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
    changes(page, state, view, columns);
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

fn wiring(page: &mut Page, state: &State, view: &ContainerView, glyphs: &Glyphs, columns: usize) {
    let c = &view.container;
    page.heading("Wiring");
    for network in &c.networks {
        let mut value = network.network.clone();
        if !network.address.is_empty() {
            value = format!("{value} {}", network.address);
        }
        if !network.aliases.is_empty() {
            value = format!("{value} ({})", network.aliases.join(", "));
        }
        page.fact("network", Role::Text, &value, columns);
    }
    needs(page, state, &c.of.name, glyphs, columns);
    for port in &c.ports {
        let from = if port.host_port.is_empty() {
            "not published".to_owned()
        } else {
            format!("{}:{}", port.host_address, port.host_port)
        };
        page.fact("port", Role::Text, &format!("{from} {} {}", glyphs.arrow, port.port), columns);
    }
    for mount in &c.mounts {
        let mode = if mount.writable { "" } else { ", read only" };
        let words =
            format!("{} {} {} ({}{mode})", mount.source, glyphs.arrow, mount.target, mount.kind);
        page.fact("mount", Role::Text, &words, columns);
    }
    page.fact("command", Role::Text, &c.command, columns);
    if !c.user.is_empty() {
        page.fact("user", Role::Text, &c.user, columns);
    }
    if c.read_only_root {
        page.fact("root", Role::Text, "its root file system is read only", columns);
    }
    page.fact("log", Role::Text, &format!("driver {}", c.log_driver), columns);
    for (label, value) in &c.labels {
        page.fact("label", Role::Dim, &format!("{label}={value}"), columns);
    }
    if !c.env.is_empty() {
        let names: Vec<&str> = c.env.keys().map(String::as_str).collect();
        page.fact("env names", Role::Dim, &names.join(" "), columns);
    }
}

/// What changed in its configuration, as the last diagnosis of it found.
fn changes(page: &mut Page, state: &State, view: &ContainerView, columns: usize) {
    let of = &view.container.of;
    let its = state.snapshot.incidents.iter().filter(|i| i.root == of.name);
    let newest = its.max_by_key(|i| i.opened_at);
    let found = newest.and_then(|i| i.diagnosis.as_ref().map(|d| (i, d)));
    let Some((incident, diagnosis)) = found else { return };
    for change in &diagnosis.recent_changes {
        let at = words::age(state.now, incident.opened_at);
        page.fact(
            "changed",
            Role::Text,
            &format!("{change} (before an incident {at} ago)"),
            columns,
        );
    }
}

/// Who it needs and who needs it, with how they are and how that is known; then its neighbours.
fn needs(page: &mut Page, state: &State, name: &str, glyphs: &Glyphs, columns: usize) {
    let edges = state.snapshot.edges.iter().filter(|e| e.from == name || e.to == name);
    let (beside, needs): (Vec<&Edge>, Vec<&Edge>) =
        edges.partition(|e| e.source == EdgeSource::Network);
    for edge in needs {
        let (label, other) =
            if edge.from == name { ("needs", &edge.to) } else { ("needed by", &edge.from) };
        let mut line = Styled::of(Role::Dim, format!("  {label:<10} "));
        if let Some(view) = state.container_named(other) {
            let shown = status::of_container(&view.container, glyphs);
            line.push(shown.role, format!("{} ", shown.glyph));
        }
        let sure = format!("{other} ({:.0}%: {})", edge.confidence * 100.0, edge.why);
        page.lines.extend(paragraph(&line, line.width(), Role::Text, &sure, columns));
    }
    if beside.is_empty() {
        return;
    }
    let other = |e: &&Edge| {
        let name = if e.from == name { &e.to } else { &e.from };
        let mark = state.container_named(name).map(|v| status::of_container(&v.container, glyphs));
        mark.map_or_else(|| name.clone(), |mark| format!("{} {name}", mark.glyph))
    };
    let mut names: Vec<String> = beside.iter().take(NEIGHBOURS_SHOWN).map(other).collect();
    if let Some(more) = beside.len().checked_sub(NEIGHBOURS_SHOWN).filter(|more| *more > 0) {
        names.push(format!("{more} more"));
    }
    page.fact("beside", Role::Dim, &format!("{} (shared network)", names.join(", ")), columns);
}
