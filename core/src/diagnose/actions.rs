//! The actions that plans are made of: the call, what it changes, and what takes it back.

use serde_json::{Map, Value, json};

use crate::domain::container::Container;
use crate::domain::diagnosis::Action;
use crate::domain::plan::Fix;
use crate::domain::setup::HIDDEN;
use crate::domain::size::bytes_words;
use crate::domain::spec::{Spec, SpecChange, SpecField};
use crate::domain::tool::ToolCall;

/// Bytes in the largest unit that divides them, as Docker and our tools read it: `96m`.
pub fn bytes_text(bytes: u64) -> String {
    for (unit, size) in [("g", 1 << 30), ("m", 1 << 20), ("k", 1 << 10)] {
        if bytes >= size && bytes.is_multiple_of(size) {
            return format!("{}{unit}", bytes / size);
        }
    }
    bytes.to_string()
}

fn target(container: &Container) -> [(&'static str, Value); 2] {
    // The full id, so that a recreated container of the same name is never hit by mistake.
    [
        ("container_name", json!(container.of.id)),
        ("expect_started_at", json!(container.started_at_raw)),
    ]
}

/// Start a container that is down.
pub fn start(container: &Container, reason: String) -> Action {
    let name = &container.of.name;
    let call = target(container).into_iter().chain([("reason", json!(reason))]);
    Action {
        call: ToolCall::new("start_container", call),
        target: container.of.clone(),
        diff: format!("{} → running", container.state),
        docker_line: format!("docker start {name}"),
        downtime: "none: it is down already".to_owned(),
        inverse: Some(ToolCall::new(
            "stop_container",
            [
                ("container_name", json!(container.of.id)),
                ("reason", json!(format!("undo: {name} was down before"))),
            ],
        )),
        reason,
    }
}

/// Restart a container that runs but does not work.
pub fn restart(container: &Container, reason: String) -> Action {
    let name = &container.of.name;
    let call = target(container).into_iter().chain([("reason", json!(reason))]);
    Action {
        call: ToolCall::new("restart_container", call),
        target: container.of.clone(),
        diff: "running → stopped → running".to_owned(),
        docker_line: format!("docker restart {name}"),
        downtime: format!(
            "up to {} s to stop, then its start-up time",
            container.stop_timeout.as_secs()
        ),
        inverse: None,
        reason,
    }
}

/// Raise the memory limit, swap with it.
pub fn raise_memory(container: &Container, old: u64, new: u64, reason: String) -> Action {
    let name = &container.of.name;
    let call = target(container)
        .into_iter()
        .chain([("resources", json!({ "memory": bytes_text(new) })), ("reason", json!(reason))]);
    Action {
        call: ToolCall::new("update_resources", call),
        target: container.of.clone(),
        diff: format!("memory {} → {}", bytes_words(old), bytes_words(new)),
        docker_line: format!(
            "docker update --memory {} --memory-swap {} {name}",
            bytes_text(new),
            swap_text(container.memory_swap, old, new)
        ),
        downtime: "none".to_owned(),
        inverse: Some(ToolCall::new(
            "update_resources",
            [
                ("container_name", json!(container.of.id)),
                ("resources", json!({ "memory": bytes_text(old) })),
                ("reason", json!("undo: the limit as it was")),
            ],
        )),
        reason,
    }
}

/// Raise the processor limit, both in billionths of a processor.
pub fn raise_cpu(container: &Container, old: u64, new: u64, reason: String) -> Action {
    let name = &container.of.name;
    let cpus = |nano: u64| nano as f64 / 1e9;
    let to = |nano: u64| json!({ "cpu": cpus(nano) });
    let call =
        target(container).into_iter().chain([("resources", to(new)), ("reason", json!(reason))]);
    Action {
        call: ToolCall::new("update_resources", call),
        target: container.of.clone(),
        diff: format!("CPU limit {} → {}", cpus(old), cpus(new)),
        docker_line: format!("docker update --cpus {} {name}", cpus(new)),
        downtime: "none".to_owned(),
        inverse: Some(ToolCall::new(
            "update_resources",
            [
                ("container_name", json!(container.of.id)),
                ("resources", to(old)),
                ("reason", json!("undo: the limit as it was")),
            ],
        )),
        reason,
    }
}

/// Set one limit or both, each as it is and as it shall be. `None` if neither is to change.
pub fn limits(
    container: &Container,
    memory: Option<(u64, u64)>,
    cpu: Option<(u64, u64)>,
    reason: String,
) -> Option<Action> {
    let memory = memory.map(|(old, new)| raise_memory(container, old, new, reason.clone()));
    let cpu = cpu.map(|(old, new)| raise_cpu(container, old, new, reason));
    let (Some(mut both), Some(cpu)) = (memory.clone(), cpu.clone()) else { return memory.or(cpu) };
    let merge = |into: &mut ToolCall, from: &ToolCall| {
        let more = from.arguments.get("resources").and_then(Value::as_object);
        let into = into.arguments.get_mut("resources").and_then(Value::as_object_mut);
        if let (Some(into), Some(more)) = (into, more) {
            into.extend(more.clone());
        }
    };
    merge(&mut both.call, &cpu.call);
    if let (Some(into), Some(from)) = (&mut both.inverse, &cpu.inverse) {
        merge(into, from);
    }
    both.diff = format!("{}, {}", both.diff, cpu.diff);
    let name = &container.of.name;
    let first = both.docker_line.strip_suffix(name.as_str()).unwrap_or(&both.docker_line);
    let second = cpu.docker_line.strip_prefix("docker update ").unwrap_or(&cpu.docker_line);
    both.docker_line = format!("{first}{second}");
    Some(both)
}

/// Some of the settings of a step that gives settings back: what it says of the others goes.
pub(super) fn settings(container: &Container, chosen: &Map<String, Value>, step: &Fix) -> Action {
    let name = &container.of.name;
    let known = |key: &str| container.env.get(key).and_then(|v| v.value.clone());
    let before: Map<String, Value> =
        chosen.keys().map(|key| (key.clone(), json!(known(key)))).collect();
    let mut call = step.call.clone();
    call.arguments.insert("env_updates".to_owned(), json!(chosen));
    Action {
        call,
        target: step.target.clone(),
        diff: format!("{} → {}", each(&before), each(chosen)),
        docker_line: format!("recreate {name} with {}", each(chosen)),
        downtime: step.downtime.clone(),
        inverse: step.inverse.clone(),
        reason: step.reason.clone(),
    }
}

/// `PORT=80, DEBUG unset`.
fn each(settings: &Map<String, Value>) -> String {
    let each = settings.iter().map(|(key, value)| match value.as_str() {
        Some(value) => format!("{key}={value}"),
        None => format!("{key} unset"),
    });
    each.collect::<Vec<_>>().join(", ")
}

/// Let a paused container go on.
pub fn unpause(container: &Container, reason: String) -> Action {
    let name = &container.of.name;
    let call = target(container).into_iter().chain([("reason", json!(reason))]);
    Action {
        call: ToolCall::new("unpause_container", call),
        target: container.of.clone(),
        diff: "paused → running".to_owned(),
        docker_line: format!("docker unpause {name}"),
        downtime: "none".to_owned(),
        inverse: Some(ToolCall::new(
            "pause_container",
            [
                ("container_name", json!(container.of.id)),
                ("reason", json!(format!("undo: {name} was paused before"))),
            ],
        )),
        reason,
    }
}

/// Give a container a network back, under the names that it had there.
pub fn connect(container: &Container, network: &str, aliases: &[String], reason: String) -> Action {
    let name = &container.of.name;
    let call = target(container).into_iter().chain([
        ("network", json!(network)),
        ("aliases", json!(aliases)),
        ("reason", json!(reason)),
    ]);
    let names: String = aliases.iter().flat_map(|a| ["--alias ", a, " "]).collect();
    Action {
        call: ToolCall::new("connect_network", call),
        target: container.of.clone(),
        diff: format!("not on {network} → on {network}"),
        docker_line: format!("docker network connect {names}{network} {name}"),
        downtime: "none".to_owned(),
        inverse: Some(ToolCall::new(
            "disconnect_network",
            [
                ("container_name", json!(container.of.id)),
                ("network", json!(network)),
                ("reason", json!(format!("undo: {name} was not on {network} before"))),
            ],
        )),
        reason,
    }
}

/// Give settings the values back that they had. `None` if one of these is not known: a value is
/// never invented, and a secret is never kept. `good`: the last spec that it ran well with.
pub fn settings_back(
    container: &Container,
    good: Option<&Spec>,
    changes: &[&SpecChange],
) -> Option<Action> {
    let mut updates = Map::new();
    let mut back = Map::new();
    for change in changes.iter().filter(|c| c.field == SpecField::Env) {
        let value = |side: &Option<String>| match side.as_deref() {
            Some(HIDDEN) => None,
            Some(value) => Some(json!(value)),
            None => Some(Value::Null),
        };
        // What it ran well with; without that, the oldest value of the time before.
        let before = match good.map(|good| good.env.get(&change.name)) {
            Some(None) => Value::Null,
            Some(Some(known)) => json!(known.value.as_ref()?),
            None => value(&change.old)?,
        };
        // With this one it is known to have run well: it is not to blame.
        if value(&change.new).as_ref() != Some(&before) && !updates.contains_key(&change.name) {
            updates.insert(change.name.clone(), before);
        }
        back.insert(change.name.clone(), value(&change.new).unwrap_or(Value::Null));
    }
    if updates.is_empty() {
        return None;
    }
    let name = &container.of.name;
    let reason = format!("{name} worked with these settings before they were changed");
    // One that its policy starts again and again has no run that a plan could be made for.
    let loops = container.restart_policy.restarts_after(1, container.restart_count);
    let call = target(container)
        .into_iter()
        .filter(|(key, _)| !loops || *key != "expect_started_at")
        .chain([("env_updates", json!(updates)), ("reason", json!(reason))]);
    Some(Action {
        call: ToolCall::new("update_env_vars", call),
        target: container.of.clone(),
        diff: format!("{} → {}", each(&back), each(&updates)),
        docker_line: format!("recreate {name} with {}", each(&updates)),
        downtime: "a moment: it is made anew; the old one is kept aside".to_owned(),
        // The container that it replaces is kept aside.
        inverse: Some(ToolCall::new(
            "rollback_container",
            [
                ("container_name", json!(container.of.id)),
                ("reason", json!(format!("undo: {name} had other settings before"))),
            ],
        )),
        reason,
    })
}

/// The limit of memory plus swap that goes with a new memory limit: what there was of swap stays.
pub(super) fn swap_text(swap: Option<i64>, old: u64, new: u64) -> String {
    match swap {
        Some(unlimited) if unlimited < 0 => "-1".to_owned(),
        Some(both) => {
            let headroom = u64::try_from(both).unwrap_or_default().saturating_sub(old);
            bytes_text(new + headroom)
        }
        // The engine gives as much swap as memory where nothing is said.
        None => bytes_text(new * 2),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_take_the_largest_unit_that_divides_them() {
        assert_eq!(bytes_text(96 << 20), "96m");
        assert_eq!(bytes_text(2 << 30), "2g");
        assert_eq!(bytes_text(1536 << 20), "1536m");
        assert_eq!(bytes_text(1000), "1000");
        assert_eq!(bytes_words(96 << 20), "96 MiB");
    }

    #[test]
    fn swap_keeps_its_headroom() {
        let mib = 1_u64 << 20;
        assert_eq!(swap_text(Some(-1), 64 * mib, 96 * mib), "-1");
        assert_eq!(swap_text(Some(64 << 20), 64 * mib, 96 * mib), "96m");
        assert_eq!(swap_text(Some(128 << 20), 64 * mib, 96 * mib), "160m");
        assert_eq!(swap_text(None, 64 * mib, 96 * mib), "192m");
    }
}
