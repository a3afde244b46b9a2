//! What to change in a compose file so that the next `compose up` keeps a fix.

use serde_json::Value;

use crate::diagnose::actions::swap_text;
use crate::domain::container::Container;
use crate::domain::size::parse_bytes;
use crate::domain::tool::ToolCall;

/// Where compose says which files describe a container.
const FILES: &str = "com.docker.compose.project.config_files";
/// Where compose says under which name.
const SERVICE: &str = "com.docker.compose.service";

/// The lines of a compose file that say what a call changes, under the service that they belong
/// to, with the file's name above them. `None` where compose does not describe the container, or
/// the call changes nothing that a compose file says.
pub fn patch(call: &ToolCall, container: &Container) -> Option<String> {
    let service = container.label(SERVICE)?;
    let said = match call.tool.as_str() {
        "update_resources" => limits(call, container),
        "update_env_vars" => environment(call),
        "connect_network" => network(call),
        "set_restart_policy" => restart(call),
        _ => Vec::new(),
    };
    if said.is_empty() {
        return None;
    }
    let file = container.label(FILES).unwrap_or("docker-compose.yml");
    let mut text = format!("# {file}\nservices:\n  {service}:");
    for line in said {
        text.push_str("\n    ");
        text.push_str(&line);
    }
    Some(text)
}

fn limits(call: &ToolCall, container: &Container) -> Vec<String> {
    let resources = call.arguments.get("resources").and_then(Value::as_object);
    let mut lines = Vec::new();
    for (key, value) in resources.into_iter().flatten() {
        let plain = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        match key.as_str() {
            "memory" => {
                lines.push(format!("mem_limit: {plain}"));
                // What was said of swap has to grow along, or the file is refused.
                let grown = parse_bytes(&plain).zip(container.memory_limit);
                if let (Some((new, old)), Some(swap)) = (grown, container.memory_swap)
                    && swap != i64::try_from(old.saturating_mul(2)).unwrap_or(i64::MAX)
                {
                    lines.push(format!("memswap_limit: {}", swap_text(Some(swap), old, new)));
                }
            }
            "cpu" => lines.push(format!("cpus: {plain}")),
            _ => {}
        }
    }
    lines
}

fn environment(call: &ToolCall) -> Vec<String> {
    let Some(updates) = call.arguments.get("env_updates").and_then(Value::as_object) else {
        return Vec::new();
    };
    let each = updates.iter().map(|(key, value)| match value {
        Value::String(text) => format!("  {key}: {}", quoted(text)),
        Value::Null => format!("  # {key}: take it out"),
        // A secret travels as a reference, and stays where it is.
        _ => format!("  # {key}: as it was before"),
    });
    std::iter::once("environment:".to_owned()).chain(each).collect()
}

fn network(call: &ToolCall) -> Vec<String> {
    let Some(network) = call.arguments.get("network").and_then(Value::as_str) else {
        return Vec::new();
    };
    vec!["networks:".to_owned(), format!("  - {network}")]
}

fn restart(call: &ToolCall) -> Vec<String> {
    let policy = call.arguments.get("policy").and_then(Value::as_str);
    policy.map(|policy| format!("restart: {}", quoted(policy))).into_iter().collect()
}

/// A YAML string that means exactly this text: in double quotes YAML reads what JSON writes. A
/// dollar sign would begin a variable of compose's.
fn quoted(text: &str) -> String {
    Value::String(text.replace('$', "$$")).to_string()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::domain::container::tests_support::container;

    fn composed() -> Container {
        let mut container = container("shop_api_1");
        for (key, value) in [(FILES, "/srv/shop/docker-compose.yml"), (SERVICE, "api")] {
            container.labels.insert(key.to_owned(), value.to_owned());
        }
        container.memory_limit = Some(64 << 20);
        container.memory_swap = Some(128 << 20);
        container
    }

    #[test]
    fn a_limit_is_said_in_the_words_of_compose() {
        let mut api = composed();
        let call = ToolCall::new(
            "update_resources",
            [("resources", json!({"memory": "96m", "cpu": 0.5}))],
        );
        let lines =
            "# /srv/shop/docker-compose.yml\nservices:\n  api:\n    cpus: 0.5\n    mem_limit: 96m";
        assert_eq!(patch(&call, &api).as_deref(), Some(lines));
        api.memory_swap = Some(64 << 20);
        let patched = patch(&call, &api).unwrap();
        assert!(patched.ends_with("mem_limit: 96m\n    memswap_limit: 96m"), "{patched}");
        api.labels.clear();
        assert_eq!(patch(&call, &api), None, "no compose file describes it");
    }

    #[test]
    fn settings_are_quoted_and_secrets_are_not_there() {
        let updates = json!({
            "PORT": "80\"80: #",
            "PRICE": "5$",
            "GONE": null,
            "KEY": {"secret_ref": "api/KEY"},
        });
        let call = ToolCall::new("update_env_vars", [("env_updates", updates)]);
        let patched = patch(&call, &composed()).unwrap();
        let expected = "    environment:\n      # GONE: take it out\n      # KEY: as it was before\n      \
                        PORT: \"80\\\"80: #\"\n      PRICE: \"5$$\"";
        assert!(patched.ends_with(expected), "{patched}");
    }

    #[test]
    fn what_changes_no_setting_needs_no_patch() {
        let start = ToolCall::new("start_container", []);
        assert_eq!(patch(&start, &composed()), None);
        let connect = ToolCall::new("connect_network", [("network", json!("back"))]);
        assert!(patch(&connect, &composed()).unwrap().ends_with("networks:\n      - back"));
    }
}
