//! How much a call can hurt: a function of tool, arguments and observed state. The table is
//! ours; a server's hints can only raise it; an unknown tool is R3.

use serde_json::Value;

use crate::domain::container::Container;
use crate::domain::plan::Risk;
use crate::domain::tool::{Tool, ToolCall};

/// Tools that only read.
const READS: &[&str] = &["health_check", "get_logs"];

/// Whether a tool only reads, by our own table.
pub fn is_read(tool: &str) -> bool {
    READS.contains(&tool)
}

/// The risk of a call on a target in the state it is in.
pub fn of(call: &ToolCall, target: Option<&Container>, tool: Option<&Tool>) -> Risk {
    let own = match call.tool.as_str() {
        tool if is_read(tool) => Risk::R0,
        "start_container" => Risk::R1,
        "restart_container" => Risk::R2,
        "update_resources" => limits(call, target),
        // Everything else replaces, lowers, stops, runs something free, or is not known.
        _ => Risk::R3,
    };
    let hinted = match tool {
        Some(tool) if own == Risk::R0 && tool.hints.read_only == Some(false) => Risk::R3,
        _ => own,
    };
    own.max(hinted)
}

/// Raising a limit is reversible and needs no downtime; lowering one is another matter.
fn limits(call: &ToolCall, target: Option<&Container>) -> Risk {
    let Some(resources) = call.arguments.get("resources").and_then(Value::as_object) else {
        return Risk::R3;
    };
    let Some(target) = target else { return Risk::R3 };
    let raises = |key: &str, value: &Value| match key {
        "memory" => {
            let asked = value.as_u64().or_else(|| value.as_str().and_then(memory));
            asked.is_some_and(|new| target.memory_limit.is_some_and(|old| new >= old))
        }
        "cpu" => {
            let asked = value.as_f64().or_else(|| value.as_str().and_then(|t| t.parse().ok()));
            asked
                .is_some_and(|new: f64| target.nano_cpus.is_some_and(|old| new * 1e9 >= old as f64))
        }
        _ => false,
    };
    if !resources.is_empty() && resources.iter().all(|(k, v)| raises(k, v)) {
        Risk::R1
    } else {
        Risk::R3
    }
}

/// The forms that plans use: digits with k, m, g or nothing.
fn memory(text: &str) -> Option<u64> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit: u64 = match text.get(digits.len()..)?.to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "k" => 1 << 10,
        "m" => 1 << 20,
        "g" => 1 << 30,
        _ => return None,
    };
    digits.parse::<u64>().ok()?.checked_mul(unit)
}
