//! Prometheus text: pure, from a snapshot and what was counted.

use std::collections::BTreeMap;

use sentinel_core::domain::container::{Health, RunState};
use sentinel_core::domain::opinion::ModelView;
use sentinel_core::domain::snapshot::{ContainerView, Snapshot};

use crate::api::own::Own;
use crate::api::tally::{Spread, Tally};

/// A figure of a container, if there is one.
type OfContainer = fn(&ContainerView) -> Option<f64>;
/// A figure of a model.
type OfModel = fn(&ModelView) -> f64;

/// The text under construction.
struct Text(String);

impl Text {
    fn add(&mut self, pieces: &[&str]) {
        for piece in pieces {
            self.0.push_str(piece);
        }
    }

    fn family(&mut self, name: &str, kind: &str, help: &str) {
        self.add(&["# HELP ", name, " ", help, "\n# TYPE ", name, " ", kind, "\n"]);
    }

    fn sample(&mut self, name: &str, labels: &[(&str, &str)], value: f64) {
        self.0.push_str(name);
        for (at, (key, label)) in labels.iter().enumerate() {
            let before = if at == 0 { "{" } else { "," };
            self.add(&[before, key, "=\"", &escaped(label), "\""]);
        }
        if !labels.is_empty() {
            self.0.push('}');
        }
        self.add(&[" ", &value.to_string(), "\n"]);
    }

    fn one(&mut self, name: &str, kind: &str, help: &str, value: f64) {
        self.family(name, kind, help);
        self.sample(name, &[], value);
    }

    fn counted(&mut self, name: &str, help: &str, label: &str, counts: &BTreeMap<&str, u64>) {
        self.family(name, "counter", help);
        for (of, count) in counts {
            self.sample(name, &[(label, of)], *count as f64);
        }
    }

    fn spread(&mut self, name: &str, help: &str, spread: &Spread) {
        self.family(name, "histogram", help);
        let bucket = format!("{name}_bucket");
        for (bound, count) in spread.bounds.iter().zip(&spread.counts) {
            self.sample(&bucket, &[("le", &bound.to_string())], *count as f64);
        }
        self.sample(&bucket, &[("le", "+Inf")], spread.count as f64);
        self.sample(&format!("{name}_sum"), &[], spread.sum);
        self.sample(&format!("{name}_count"), &[], spread.count as f64);
    }
}

/// A label's value as the format wants it.
fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

/// Everything, as Prometheus reads it.
pub(super) fn text(snapshot: &Snapshot, tally: &Tally, own: Option<Own>, refused: u64) -> String {
    let mut out = Text(String::new());
    let info = [("version", env!("CARGO_PKG_VERSION")), ("mode", snapshot.mode.as_str())];
    out.family("sentinel_info", "gauge", "Version and mode.");
    out.sample("sentinel_info", &info, 1.0);
    let up = snapshot.engine.is_some() && snapshot.blind().is_none();
    out.one("sentinel_engine_up", "gauge", "Whether the engine is seen.", f64::from(u8::from(up)));
    out.family("sentinel_degraded", "gauge", "Parts that do not work as they should.");
    for part in &snapshot.degraded {
        out.sample("sentinel_degraded", &[("part", &part.part)], 1.0);
    }
    incidents(&mut out, snapshot, tally);
    containers(&mut out, snapshot);
    out.one("sentinel_anomalies_total", "counter", "Anomalies.", tally.anomalies as f64);
    models(&mut out, snapshot);
    out.one("sentinel_api_refused_total", "counter", "Requests that the API refused.", {
        refused as f64
    });
    out.one("sentinel_api_events_missed_total", "counter", "Events that the API missed.", {
        tally.missed as f64
    });
    if let Some(own) = own {
        out.one("process_cpu_seconds_total", "counter", "Processor time.", own.cpu_seconds);
        out.one("process_resident_memory_bytes", "gauge", "Memory.", own.resident as f64);
    }
    out.0
}

fn incidents(out: &mut Text, snapshot: &Snapshot, tally: &Tally) {
    let name = "sentinel_incidents";
    out.family(name, "gauge", "Incidents that are shown, by state and class.");
    let mut groups: BTreeMap<(&str, &str), u64> = BTreeMap::new();
    for incident in &snapshot.incidents {
        *groups.entry((incident.state.as_str(), incident.class.as_str())).or_default() += 1;
    }
    for ((state, class), count) in groups {
        out.sample(name, &[("state", state), ("class", class)], count as f64);
    }
    let help = "Incidents opened since the start, by their class at that time.";
    out.counted("sentinel_incidents_opened_total", help, "class", &tally.opened);
    let help = "Incidents that ended or were escalated since the start, by how.";
    out.counted("sentinel_incidents_ended_total", help, "how", &tally.ended);
    out.counted("sentinel_fixes_total", "Fixes, by result.", "result", &tally.fixes);
    let help = "From a fault to its resolution.";
    out.spread("sentinel_time_to_repair_seconds", help, &tally.repair);
    let help = "From a fault to its incident.";
    out.spread("sentinel_detection_latency_seconds", help, &tally.detection);
}

fn containers(out: &mut Text, snapshot: &Snapshot) {
    let all = &snapshot.containers;
    out.one("sentinel_containers", "gauge", "Containers that are watched.", all.len() as f64);
    let well = all.iter().filter(|v| {
        v.container.state == RunState::Running && v.container.health != Health::Unhealthy
    });
    out.one("sentinel_containers_running", "gauge", "Those that run and are not unhealthy.", {
        well.count() as f64
    });
    let families: [(&str, &str, &str, OfContainer); 6] = [
        ("sentinel_log_lines_total", "counter", "Log lines read.", |v| Some(v.lines as f64)),
        ("sentinel_log_lines_dropped_total", "counter", "Log lines dropped.", |v| {
            Some(v.lines_dropped as f64)
        }),
        ("sentinel_log_errors_total", "counter", "Log lines at level error or above.", |v| {
            Some(v.errors as f64)
        }),
        ("sentinel_container_deaths_total", "counter", "Deaths that nobody asked for.", |v| {
            Some(f64::from(v.deaths))
        }),
        ("sentinel_container_cpu_percent", "gauge", "Processor, 100 is one core.", |v| {
            v.usage.as_ref().map(|usage| usage.cpu_pct)
        }),
        ("sentinel_container_memory_bytes", "gauge", "Memory in use.", |v| {
            v.usage.as_ref().map(|usage| usage.mem_used as f64)
        }),
    ];
    for (name, kind, help, of) in families {
        out.family(name, kind, help);
        for view in all {
            let who = &view.container.of;
            if let Some(value) = of(view) {
                let labels = [("container", who.name.as_str()), ("service", &who.service)];
                out.sample(name, &labels, value);
            }
        }
    }
}

fn models(out: &mut Text, snapshot: &Snapshot) {
    let families: [(&str, &str, OfModel); 4] = [
        ("sentinel_model_tokens_total", "Tokens sent and received.", |m| m.tokens as f64),
        ("sentinel_model_calls_total", "Requests that were answered.", |m| m.calls as f64),
        ("sentinel_model_failures_total", "Requests that failed.", |m| m.failures as f64),
        ("sentinel_model_cost_usd_total", "US dollars, as far as prices are known.", |m| {
            m.cost_usd
        }),
    ];
    for (name, help, of) in families {
        out.family(name, "counter", help);
        for model in &snapshot.models {
            let role = format!("{:?}", model.role).to_ascii_lowercase();
            let labels = [("role", role.as_str()), ("endpoint", &model.endpoint)];
            out.sample(name, &labels, of(model));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_is_a_comment_or_a_sample_and_labels_are_escaped() {
        let snapshot = serde_json::json!({
            "at": "2026-11-24T03:15:02Z", "version": 1, "engine": null, "mode": "approve",
            "containers": [], "incidents": [], "anomalies": [], "tools": [],
            "degraded": [{"part": "a\"b\\c\nd", "detail": "", "since": "2026-11-24T03:15:02Z"}],
        });
        let snapshot: Snapshot = serde_json::from_value(snapshot).unwrap();
        let mut tally = Tally::default();
        tally.fixes.insert("applied", 3);
        let text = text(&snapshot, &tally, None, 7);
        assert!(text.contains("sentinel_degraded{part=\"a\\\"b\\\\c\\nd\"} 1\n"), "{text}");
        assert!(text.contains("sentinel_fixes_total{result=\"applied\"} 3\n"), "{text}");
        assert!(text.contains("sentinel_api_refused_total 7\n"), "{text}");
        for line in text.lines().filter(|line| !line.starts_with("# ")) {
            let (_, value) = line.rsplit_once(' ').unwrap();
            assert!(value.parse::<f64>().is_ok(), "{line}");
        }
    }
}
