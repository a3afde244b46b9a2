//! How much a call can hurt: a function of tool, arguments and observed state. The table is
//! ours; a server's hints can only raise it; an unknown tool is R3.

use serde_json::Value;

use crate::domain::container::{Container, LABEL_MAX_MEMORY};
use crate::domain::plan::Risk;
use crate::domain::size::parse_bytes;
use crate::domain::tool::{Tool, ToolCall, is_read};

/// The risk of a call on a target in the state it is in.
pub fn of(call: &ToolCall, target: Option<&Container>, tool: Option<&Tool>) -> Risk {
    let own = match call.tool.as_str() {
        // What another server calls `restart_container` may do anything.
        _ if tool.is_some_and(|tool| tool.foreign) => Risk::R3,
        tool if is_read(tool) => Risk::R0,
        "start_container" | "unpause_container" | "connect_network" => Risk::R1,
        "restart_container" => Risk::R2,
        "update_resources" => limits(call, target),
        // Everything else replaces, lowers, stops, runs something free, or is not known.
        _ => Risk::R3,
    };
    let hinted = match tool {
        Some(tool) if own == Risk::R0 && tool.hints.read_only == Some(false) => Risk::R3,
        // It says of itself that it destroys: then it is not what we take it for.
        Some(tool) if own == Risk::R1 && tool.hints.destructive == Some(true) => Risk::R3,
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
            let asked = value.as_u64().or_else(|| value.as_str().and_then(parse_bytes));
            let ceiling = target.label(LABEL_MAX_MEMORY).and_then(parse_bytes);
            asked.is_some_and(|new| {
                target.memory_limit.is_some_and(|old| new >= old)
                    && ceiling.is_none_or(|most| new <= most)
            })
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::domain::container::tests_support::container;
    use crate::domain::tool::ToolHints;

    fn resources(value: &Value) -> ToolCall {
        ToolCall::new("update_resources", [("resources", value.clone())])
    }

    #[test]
    fn the_table_knows_each_tool_and_takes_the_rest_for_dangerous() {
        let target = container("api");
        let call = |tool: &str| of(&ToolCall::new(tool, []), Some(&target), None);
        for tool in ["health_check", "inspect_container", "list_containers", "top"] {
            assert_eq!(call(tool), Risk::R0, "{tool}");
        }
        for tool in ["start_container", "unpause_container", "connect_network"] {
            assert_eq!(call(tool), Risk::R1, "{tool}");
        }
        assert_eq!(call("restart_container"), Risk::R2);
        for tool in [
            "stop_container",
            "pause_container",
            "set_restart_policy",
            "disconnect_network",
            "exec_command",
            "update_env_vars",
            "rollback_container",
            "rm_rf",
            "",
        ] {
            assert_eq!(call(tool), Risk::R3, "{tool}");
        }
    }

    #[test]
    fn raising_a_limit_is_mild_and_lowering_it_is_not() {
        let mut target = container("api");
        target.memory_limit = Some(64 << 20);
        target.nano_cpus = Some(500_000_000);
        let risk = |value: Value| of(&resources(&value), Some(&target), None);
        assert_eq!(risk(json!({"memory": "96m"})), Risk::R1);
        assert_eq!(risk(json!({"memory": 96 << 20, "cpu": 0.75})), Risk::R1);
        assert_eq!(risk(json!({"memory": "32m"})), Risk::R3);
        assert_eq!(risk(json!({"memory": "96m", "cpu": "0.25"})), Risk::R3);
        assert_eq!(risk(json!({"memory": "96m", "pids": 5})), Risk::R3);
        assert_eq!(risk(json!({"memory": "much"})), Risk::R3);
        assert_eq!(risk(json!({})), Risk::R3);
        assert_eq!(of(&resources(&json!({"memory": "96m"})), None, None), Risk::R3);
    }

    #[test]
    fn a_label_can_only_tighten() {
        let mut target = container("api");
        target.memory_limit = Some(64 << 20);
        target.labels.insert(LABEL_MAX_MEMORY.to_owned(), "80m".to_owned());
        let risk = |memory: &str| of(&resources(&json!({ "memory": memory })), Some(&target), None);
        assert_eq!(risk("80m"), Risk::R1);
        assert_eq!(risk("96m"), Risk::R3);
    }

    #[test]
    fn hints_only_raise() {
        let target = container("api");
        let tool = |name: &str, hints| Tool {
            server: "x".to_owned(),
            name: name.to_owned(),
            description: String::new(),
            input_schema: Value::Null,
            foreign: false,
            hints,
        };
        let harmless = ToolHints { read_only: Some(true), ..ToolHints::default() };
        let harmful =
            ToolHints { read_only: Some(false), destructive: Some(true), ..ToolHints::default() };
        for (name, hints, expected) in [
            ("stop_container", harmless, Risk::R3),
            ("start_container", harmful, Risk::R3),
            ("get_logs", harmful, Risk::R3),
            ("start_container", harmless, Risk::R1),
        ] {
            let call = ToolCall::new(name, []);
            assert_eq!(of(&call, Some(&target), Some(&tool(name, hints))), expected, "{name}");
            let foreign = Tool { foreign: true, ..tool(name, hints) };
            assert_eq!(of(&call, Some(&target), Some(&foreign)), Risk::R3, "a foreign {name}");
        }
    }
}
