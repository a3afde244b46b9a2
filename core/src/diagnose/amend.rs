//! Changing the arguments of a step by hand: what may be changed, within which bounds, and the
//! action that comes of it. The tool, the target and what names them stay; numbers are clamped by
//! label, host and sense; a setting keeps the value that the rules found, or is left out.

use serde_json::{Map, Value, json};

use crate::diagnose::actions;
use crate::domain::container::{Container, LABEL_MAX_MEMORY};
use crate::domain::diagnosis::Action;
use crate::domain::ids::ContainerId;
use crate::domain::plan::Fix;
use crate::domain::size::{bytes_words, parse_bytes};
use crate::domain::snapshot::Snapshot;

/// The engine takes no lower memory limit.
const LEAST_MEMORY: u64 = 6 << 20;
/// A hundredth of a processor: less is no limit but a stop.
const LEAST_CPU: f64 = 0.01;
/// Characters of a reason.
const REASON: usize = 300;
/// The argument that says why.
const WHY: &str = "reason";
/// The argument that holds limits.
const RESOURCES: &str = "resources";
/// The argument that holds settings.
const SETTINGS: &str = "env_updates";

/// What the host has room for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Room {
    /// Memory that no limit claims, in bytes.
    pub memory: u64,
    /// Processors.
    pub cpus: u64,
    /// What the target uses of memory now, if that is known.
    pub used: Option<u64>,
}

impl Room {
    /// As a snapshot shows it.
    pub fn of(snapshot: &Snapshot, target: &ContainerId) -> Self {
        let usage =
            |v: &crate::domain::snapshot::ContainerView| v.usage.as_ref().map_or(0, |u| u.mem_used);
        let claimed: u64 = snapshot
            .containers
            .iter()
            .filter(|v| v.container.is_up())
            .map(|v| v.container.memory_limit.unwrap_or_else(|| usage(v)))
            .sum();
        let engine = snapshot.engine.as_ref();
        let its = snapshot.containers.iter().find(|v| &v.container.of.id == target);
        Self {
            memory: engine.map_or(0, |e| e.memory).saturating_sub(claimed),
            cpus: engine.map_or(0, |e| e.cpus),
            used: its.and_then(|v| v.usage.as_ref()).map(|u| u.mem_used),
        }
    }
}

/// An argument that may be changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// Where it stands: `resources.memory`, `reason`.
    pub path: String,
    /// What it is now, as it would be typed.
    pub value: String,
    /// What may be typed.
    pub hint: String,
}

/// Why an argument cannot be as it was typed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// The [`Field::path`], or the name of an argument that is no field.
    pub path: String,
    /// What is wrong, and what is possible.
    pub words: String,
}

impl Mistake {
    fn new(path: impl Into<String>, words: impl Into<String>) -> Self {
        Self { path: path.into(), words: words.into() }
    }
}

/// The arguments of a step that may be changed.
pub fn fields(step: &Fix, container: &Container, room: &Room) -> Vec<Field> {
    let mut fields = Vec::new();
    let object = |key: &str| step.call.arguments.get(key).and_then(Value::as_object);
    if step.call.tool == "update_resources" {
        let now = |key: &str| object(RESOURCES).and_then(|r| r.get(key)).map(plain);
        if let Some(old) = container.memory_limit {
            let (least, most) = memory_bounds(container, old, room);
            let hint = format!("{} to {}", bytes_words(least), bytes_words(most));
            let value = now("memory").unwrap_or_default();
            fields.push(Field { path: format!("{RESOURCES}.memory"), value, hint });
        }
        if container.nano_cpus.is_some() {
            let hint = format!("{LEAST_CPU} to {} processors", room.cpus.max(1));
            let value = now("cpu").unwrap_or_default();
            fields.push(Field { path: format!("{RESOURCES}.cpu"), value, hint });
        }
    }
    if step.call.tool == "update_env_vars" {
        for (key, value) in object(SETTINGS).into_iter().flatten() {
            let hint = "as it was before, or empty to leave it alone".to_owned();
            fields.push(Field { path: format!("{SETTINGS}.{key}"), value: setting(value), hint });
        }
    }
    let why = step.call.arguments.get(WHY).and_then(Value::as_str).unwrap_or_default();
    let hint = format!("up to {REASON} characters");
    fields.push(Field { path: WHY.to_owned(), value: why.to_owned(), hint });
    fields
}

/// The arguments of a step with texts typed into its fields, by path.
pub fn with<'a>(
    step: &Fix,
    typed: impl IntoIterator<Item = (&'a str, &'a str)>,
) -> Map<String, Value> {
    let mut arguments = step.call.arguments.clone();
    for (path, text) in typed {
        let text = text.trim();
        let (key, inner) = match path.split_once('.') {
            Some((key, inner)) => (key, Some(inner)),
            None => (path, None),
        };
        let Some(inner) = inner else {
            arguments.insert(key.to_owned(), json!(text));
            continue;
        };
        let planned = step.call.arguments.get(key).and_then(|o| o.get(inner));
        let object = arguments.entry(key).or_insert_with(|| json!({}));
        let Some(object) = object.as_object_mut() else { continue };
        if text.is_empty() {
            object.remove(inner);
        } else if let Some(planned) = planned.filter(|v| plain(v) == text || setting(v) == text) {
            object.insert(inner.to_owned(), planned.clone());
        } else {
            object.insert(inner.to_owned(), json!(text));
        }
    }
    arguments
}

/// What differs between the arguments of two calls: `resources.memory 144m → 160m`.
pub fn changes(old: &Map<String, Value>, new: &Map<String, Value>) -> String {
    let mut said = Vec::new();
    let shown = |v: Option<&Value>| v.map_or_else(|| "nothing".to_owned(), plain);
    for key in old.keys().chain(new.keys().filter(|k| !old.contains_key(*k))) {
        let (before, after) = (old.get(key), new.get(key));
        if before == after {
            continue;
        }
        match (before.and_then(Value::as_object), after.and_then(Value::as_object)) {
            (Some(before), Some(after)) => {
                for inner in before.keys().chain(after.keys().filter(|k| !before.contains_key(*k)))
                {
                    let (was, is) = (before.get(inner), after.get(inner));
                    if was != is {
                        said.push(format!("{key}.{inner} {} → {}", shown(was), shown(is)));
                    }
                }
            }
            _ => said.push(format!("{key} {} → {}", shown(before), shown(after))),
        }
    }
    said.join(", ")
}

/// The action that a step becomes with other arguments, or all mistakes in them.
pub fn amended(
    step: &Fix,
    arguments: &Map<String, Value>,
    container: &Container,
    room: &Room,
) -> Result<Action, Vec<Mistake>> {
    let mut mistakes = fixed(step, arguments);
    let why = arguments.get(WHY).and_then(Value::as_str).map(str::trim).unwrap_or_default();
    if why.is_empty() {
        mistakes.push(Mistake::new(WHY, "say why, for the record"));
    } else if why.chars().count() > REASON {
        mistakes.push(Mistake::new(WHY, format!("at most {REASON} characters")));
    }
    let composed = match step.call.tool.as_str() {
        "update_resources" => limits(arguments, container, room, why),
        "update_env_vars" => settings(step, arguments, container),
        _ => Ok(kept(step)),
    };
    let mut action = match composed {
        Ok(action) => action,
        Err(more) => {
            mistakes.extend(more);
            return Err(mistakes);
        }
    };
    if !mistakes.is_empty() {
        return Err(mistakes);
    }
    // What is expected of the target stays what the plan expects.
    for (key, value) in &step.call.arguments {
        if key != WHY && key != RESOURCES && key != SETTINGS {
            action.call.arguments.insert(key.clone(), value.clone());
        }
    }
    if !step.call.arguments.contains_key("expect_started_at") {
        action.call.arguments.remove("expect_started_at");
    }
    action.call.arguments.insert(WHY.to_owned(), json!(why));
    why.clone_into(&mut action.reason);
    Ok(action)
}

/// Arguments that nobody may change.
fn fixed(step: &Fix, arguments: &Map<String, Value>) -> Vec<Mistake> {
    let planned = &step.call.arguments;
    let editable = match step.call.tool.as_str() {
        "update_resources" => RESOURCES,
        "update_env_vars" => SETTINGS,
        _ => WHY,
    };
    let keys = planned.keys().chain(arguments.keys().filter(|k| !planned.contains_key(*k)));
    keys.filter(|k| *k != WHY && *k != editable && planned.get(*k) != arguments.get(*k))
        .map(|k| Mistake::new(k, "it is part of what was diagnosed and cannot be changed"))
        .collect()
}

/// The same action; only the words may differ.
fn kept(step: &Fix) -> Action {
    Action {
        call: step.call.clone(),
        target: step.target.clone(),
        reason: step.reason.clone(),
        inverse: step.inverse.clone(),
        diff: step.diff.clone(),
        docker_line: step.docker_line.clone(),
        downtime: step.downtime.clone(),
    }
}

fn memory_bounds(container: &Container, old: u64, room: &Room) -> (u64, u64) {
    let host = (room.memory / 5 * 4).saturating_add(old);
    let label = container.label(LABEL_MAX_MEMORY).and_then(parse_bytes);
    let least = room.used.map_or(LEAST_MEMORY, |used| used.max(LEAST_MEMORY));
    (least, label.map_or(host, |own| own.min(host)))
}

fn limits(
    arguments: &Map<String, Value>,
    container: &Container,
    room: &Room,
    why: &str,
) -> Result<Action, Vec<Mistake>> {
    let empty = Map::new();
    let asked = arguments.get(RESOURCES).and_then(Value::as_object).unwrap_or(&empty);
    let mut mistakes: Vec<Mistake> = asked
        .keys()
        .filter(|k| !matches!(k.as_str(), "memory" | "cpu"))
        .map(|k| Mistake::new(format!("{RESOURCES}.{k}"), "there is no such limit"))
        .collect();
    let mut memory = None;
    if let Some(value) = asked.get("memory") {
        match new_memory(value, container, room) {
            Ok(both) => memory = Some(both),
            Err(words) => mistakes.push(Mistake::new(format!("{RESOURCES}.memory"), words)),
        }
    }
    let mut cpu = None;
    if let Some(value) = asked.get("cpu") {
        match new_cpu(value, container, room) {
            Ok(both) => cpu = Some(both),
            Err(words) => mistakes.push(Mistake::new(format!("{RESOURCES}.cpu"), words)),
        }
    }
    if !mistakes.is_empty() {
        return Err(mistakes);
    }
    actions::limits(container, memory, cpu, why.to_owned())
        .ok_or_else(|| vec![Mistake::new(format!("{RESOURCES}.memory"), "give at least one limit")])
}

fn new_memory(value: &Value, container: &Container, room: &Room) -> Result<(u64, u64), String> {
    let Some(old) = container.memory_limit else {
        return Err(format!("{} has no memory limit to change", container.of.name));
    };
    let Some(new) = value.as_u64().or_else(|| value.as_str().and_then(parse_bytes)) else {
        return Err("no amount: try 128m, 1.5g, 512MiB".to_owned());
    };
    let (least, most) = memory_bounds(container, old, room);
    if new < least || new > most {
        return Err(format!("{} to {} is possible", bytes_words(least), bytes_words(most)));
    }
    Ok((old, new))
}

fn new_cpu(value: &Value, container: &Container, room: &Room) -> Result<(u64, u64), String> {
    let Some(old) = container.nano_cpus else {
        return Err(format!("{} has no CPU limit to change", container.of.name));
    };
    let asked = value.as_f64().or_else(|| value.as_str().and_then(|t| t.trim().parse().ok()));
    let Some(new) = asked.filter(|new: &f64| new.is_finite()) else {
        return Err("no number: try 0.5 or 2".to_owned());
    };
    let most = room.cpus.max(1) as f64;
    if !(LEAST_CPU..=most).contains(&new) {
        return Err(format!("{LEAST_CPU} to {most} processors are possible"));
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "above 0, and no host has 2^33 processors"
    )]
    let nanos = (new * 1e9) as u64;
    Ok((old, nanos))
}

/// A value never comes from a keyboard: each setting gets back what it was known to be, or is
/// left out.
fn settings(
    step: &Fix,
    arguments: &Map<String, Value>,
    container: &Container,
) -> Result<Action, Vec<Mistake>> {
    let empty = Map::new();
    let object = |all: &Map<String, Value>| all.get(SETTINGS).and_then(Value::as_object).cloned();
    let planned = object(&step.call.arguments).unwrap_or_default();
    let asked = object(arguments).unwrap_or(empty);
    let mistakes: Vec<Mistake> = asked
        .iter()
        .filter(|(key, value)| planned.get(*key) != Some(*value))
        .map(|(key, _)| {
            let words = "only the value that it had before, or empty to leave it alone";
            Mistake::new(format!("{SETTINGS}.{key}"), words)
        })
        .collect();
    if !mistakes.is_empty() {
        return Err(mistakes);
    }
    let Some(first) = planned.keys().next().filter(|_| !asked.is_empty()) else {
        let path = planned.keys().next().map_or(SETTINGS.to_owned(), |k| format!("{SETTINGS}.{k}"));
        return Err(vec![Mistake::new(path, "at least one setting has to change")]);
    };
    if asked.len() == planned.len() && asked.contains_key(first) {
        return Ok(kept(step));
    }
    Ok(actions::settings(container, &asked, step))
}

/// A setting as it would be typed.
fn setting(value: &Value) -> String {
    match value {
        Value::Null => "(unset)".to_owned(),
        Value::Object(_) => "(as it was before)".to_owned(),
        other => plain(other),
    }
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
