//! What a model may choose from: tools to look with, and steps to propose. It names a step; the call is composed here, from what the
//! engine says of the container, so that no word of a model becomes an argument.

use serde_json::Value;

use crate::diagnose::actions;
use crate::diagnose::world::{Facts, World};
use crate::domain::container::LABEL_MAX_MEMORY;
use crate::domain::diagnosis::Action;
use crate::domain::opinion::Proposed;
use crate::domain::size::{bytes_words, parse_bytes};
use crate::domain::tool::{Tool, is_read};

/// Tools that may be proposed: what they do can be taken back or costs a moment.
pub const OFFERED: [&str; 4] =
    ["start_container", "restart_container", "unpause_container", "update_resources"];
/// A probe runs a command in the container: rules may choose one, a model may not.
const NOT_FOR_MODELS: &[&str] = &["run_probe"];
/// A limit is raised to this many times what it is, at most.
const MOST_TIMES: u64 = 2;

/// Whether a model may call a tool to look.
pub fn may_read(tool: &Tool) -> bool {
    is_read(&tool.name)
        && !tool.foreign
        && tool.hints.read_only != Some(false)
        && !NOT_FOR_MODELS.contains(&tool.name.as_str())
}

/// Whether a tool may be proposed.
pub fn offers(tool: &str) -> bool {
    OFFERED.contains(&tool)
}

/// Composes a proposed step, or says why it is none.
pub fn compose(proposed: &Proposed, facts: &Facts, world: &World) -> Result<Action, String> {
    let container = &facts.container;
    let name = &container.of.name;
    if !world.has_tool(&proposed.tool) {
        return Err("no MCP server offers that tool".to_owned());
    }
    let why = "the analyst proposed it".to_owned();
    match proposed.tool.as_str() {
        "start_container" if container.is_up() => Err(format!("{name} runs already")),
        "start_container" => Ok(actions::start(container, why)),
        "restart_container" if !container.is_up() => Err(format!("{name} does not run")),
        "restart_container" => Ok(actions::restart(container, why)),
        "unpause_container" if container.state.as_str() != "paused" => {
            Err(format!("{name} is not paused"))
        }
        "unpause_container" => Ok(actions::unpause(container, why)),
        "update_resources" => raise(proposed, facts, world, why),
        _ => Err("a model may not propose that tool".to_owned()),
    }
}

/// Raises one limit, within label, host and sense.
fn raise(proposed: &Proposed, facts: &Facts, world: &World, why: String) -> Result<Action, String> {
    let container = &facts.container;
    let name = &container.of.name;
    let resources = proposed.arguments.get("resources").unwrap_or(&Value::Null);
    let asked = |key: &str| resources.get(key).or_else(|| proposed.arguments.get(key));
    if let Some(value) = asked("memory") {
        let wanted = value.as_u64().or_else(|| value.as_str().and_then(parse_bytes));
        let (Some(old), Some(wanted)) = (container.memory_limit, wanted) else {
            return Err(format!("{name} has no memory limit, or the new one cannot be read"));
        };
        let label = container.label(LABEL_MAX_MEMORY).and_then(parse_bytes);
        let host = world.unclaimed_memory() / 5 * 4 + old;
        let most = label.map_or(host, |own| own.min(host)).min(old.saturating_mul(MOST_TIMES));
        if wanted <= old || wanted > most {
            return Err(format!(
                "a memory limit between {} and {} is possible, not {}",
                bytes_words(old),
                bytes_words(most),
                bytes_words(wanted)
            ));
        }
        return Ok(actions::raise_memory(container, old, wanted, why));
    }
    let wanted =
        asked("cpu").and_then(|v| v.as_f64().or_else(|| v.as_str().and_then(|t| t.parse().ok())));
    let (Some(old), Some(wanted)) = (container.nano_cpus, wanted) else {
        return Err("neither memory nor CPU can be raised by what it says".to_owned());
    };
    let most = (old as f64 / 1e9 * MOST_TIMES as f64).min(world.engine.cpus.max(1) as f64);
    if !(wanted * 1e9 > old as f64 && wanted <= most) {
        return Err(format!(
            "a CPU limit above {:.2} and up to {most:.2} is possible",
            old as f64 / 1e9
        ));
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "between 0 and 2^63"
    )]
    let nanos = (wanted * 1e9) as u64;
    Ok(actions::raise_cpu(container, old, nanos, why))
}
