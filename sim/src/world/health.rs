//! Health probes.

use jiff::SignedDuration;

use crate::container::{Container, Probe};
use crate::spec::Check;
use crate::world::World;

/// What a probe that is answered takes.
const QUICK: SignedDuration = SignedDuration::from_millis(12);

impl World {
    /// Runs a container's health probe, and notes what follows from it.
    pub(in crate::world) fn probe(&mut self, key: u64) {
        let now = self.now;
        let has_start_interval = self.setting.api.has_start_interval();
        let id = self.new_id();
        let Some(container) = self.containers.get_mut(&key) else { return };
        let spec = std::sync::Arc::clone(&container.spec);
        let (Some(check), Some(started)) = (&spec.check, container.started) else { return };
        let probe = result(container, check, now);
        let Some(health) = &mut container.health else { return };
        let in_start = now.duration_since(started) < check.start_period;
        let before = health.status;
        if probe.code == 0 {
            health.status = "healthy";
            health.streak = 0;
        } else if !(in_start && health.status == "starting") {
            health.streak += 1;
            if health.streak >= check.retries {
                health.status = "unhealthy";
            }
        }
        let early = in_start && has_start_interval && health.status == "starting";
        let pause = if early { check.start_interval } else { check.interval };
        health.next = probe.ended + pause;
        let (after, code) = (health.status, probe.code);
        health.note(probe);
        let command = format!("{} ", check.test.get(1..).unwrap_or_default().join(" "));
        let with = [("execID", id.clone())];
        self.tell(key, &format!("exec_create: {command}"), &with);
        self.tell(key, &format!("exec_start: {command}"), &with);
        self.tell(key, "exec_die", &[("execID", id), ("exitCode", code.to_string())]);
        if before != after {
            self.tell(key, &format!("health_status: {after}"), &[]);
        }
    }
}

/// What the probe's command answers. Some commands speak for themselves; all others ask the process.
fn result(container: &Container, check: &Check, now: jiff::Timestamp) -> Probe {
    let shell = check.test.get(1..).unwrap_or_default().join(" ");
    let fixed = shell.trim_start_matches("sh -c ").trim();
    let (code, output) = match fixed {
        "true" | "exit 0" => (0, String::new()),
        "false" | "exit 1" => (1, String::new()),
        _ => match container.process.as_ref().map(|process| process.probe(now)) {
            Some(Ok(output)) => (0, output),
            Some(Err(output)) => (1, output),
            None => (-1, "no process".to_owned()),
        },
    };
    let hangs = container.process.as_ref().is_some_and(|process| process.hangs);
    let took = if hangs { check.timeout.min(SignedDuration::from_millis(800)) } else { QUICK };
    Probe { began: now, ended: now + took, code, output }
}
