//! Attach a container to a network, detach it.

use std::time::Duration;

use mcp_kit::engine::Engine;
use mcp_kit::failure::Failure;
use mcp_kit::reply::{reason, timestamp};
use mcp_kit::target::{Target, is_name};
use serde_json::{Value, json};

use crate::arguments::{Connect, Disconnect};
use crate::results::Attached;

/// How long the engine may take.
const PATIENCE: Duration = Duration::from_mins(1);
/// The longest name of a network or alias.
const NAME_MAX: usize = 128;
/// Aliases that a call may ask for.
const ALIASES_MAX: usize = 16;
/// Networks without names of their own: an alias there means nothing.
const NAMELESS: [&str; 3] = ["bridge", "host", "none"];

/// Attaches a container to a network under the aliases asked for; one that is attached so already
/// is left alone.
pub async fn connect(engine: &Engine, asked: Connect) -> Result<Attached, Failure> {
    let network = checked(&asked.network, "network")?;
    let aliases = asked.aliases.unwrap_or_default();
    if aliases.len() > ALIASES_MAX {
        return Err(Failure::Invalid(format!("aliases: at most {ALIASES_MAX}")));
    }
    for alias in &aliases {
        checked(alias, "aliases")?;
    }
    if NAMELESS.contains(&network) {
        return Err(Failure::Invalid(format!(
            "network {network} is one of the engine's own and knows no names; name a user network"
        )));
    }
    let tool = "connect_network";
    let name = &asked.container_name;
    let target = engine.changeable(tool, name, asked.expect_started_at.as_deref()).await?;
    if let Some(there) = aliases_on(&target, network) {
        if let Some(missing) = aliases.iter().find(|alias| !there.contains(alias)) {
            return Err(Failure::Conflict(format!(
                "{} is on {network} already, but not as {missing}; disconnect it first, then connect it with its aliases",
                target.name
            )));
        }
        let message = format!("{} is on {network} already; nothing was changed", target.name);
        return after(engine, &target, network, false, message, asked.reason.as_deref()).await;
    }
    let body = json!({ "Container": target.id, "EndpointConfig": { "Aliases": aliases } });
    let doing = format!("connect {} to {network}", target.name);
    engine.post(&format!("/networks/{network}/connect"), Some(&body), PATIENCE, &doing).await?;
    let message = format!("{} was connected to {network}", target.name);
    after(engine, &target, network, true, message, asked.reason.as_deref()).await
}

/// Detaches a container from a network; one that is not on it is left alone.
pub async fn disconnect(engine: &Engine, asked: Disconnect) -> Result<Attached, Failure> {
    let network = checked(&asked.network, "network")?;
    let tool = "disconnect_network";
    let name = &asked.container_name;
    let target = engine.changeable(tool, name, asked.expect_started_at.as_deref()).await?;
    if aliases_on(&target, network).is_none() {
        let message = format!("{} is not on {network}; nothing was changed", target.name);
        return after(engine, &target, network, false, message, asked.reason.as_deref()).await;
    }
    let body = json!({ "Container": target.id, "Force": false });
    let doing = format!("disconnect {} from {network}", target.name);
    engine.post(&format!("/networks/{network}/disconnect"), Some(&body), PATIENCE, &doing).await?;
    let message = format!("{} was disconnected from {network}", target.name);
    after(engine, &target, network, true, message, asked.reason.as_deref()).await
}

fn checked<'a>(name: &'a str, field: &str) -> Result<&'a str, Failure> {
    if is_name(name, NAME_MAX) {
        return Ok(name);
    }
    Err(Failure::Invalid(format!(
        "{field}: {:?} is no name: letters, digits, _ . - only",
        mcp_kit::text::line(name)
    )))
}

/// The names of a container on a network; `None` if it is not on it.
fn aliases_on(target: &Target, network: &str) -> Option<Vec<String>> {
    let endpoint = target.inspect.pointer("/NetworkSettings/Networks")?.get(network)?;
    let aliases = endpoint.get("Aliases").and_then(Value::as_array);
    let names = aliases.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned);
    Some(names.collect())
}

async fn after(
    engine: &Engine,
    target: &Target,
    network: &str,
    changed: bool,
    message: String,
    why: Option<&str>,
) -> Result<Attached, Failure> {
    let now = engine.inspect(&target.id).await?;
    let networks = now.inspect.pointer("/NetworkSettings/Networks").and_then(Value::as_object);
    Ok(Attached {
        success: true,
        message,
        reason: reason(why),
        timestamp: timestamp(),
        container: now.name.clone(),
        container_id: now.id.clone(),
        changed,
        network: network.to_owned(),
        aliases: aliases_on(&now, network).unwrap_or_default(),
        networks: networks.map(|all| all.keys().cloned().collect()).unwrap_or_default(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_get_into_a_path() {
        assert_eq!(checked("shop_default", "network").unwrap(), "shop_default");
        for bad in ["", "../x", "a/b", "a b", "-a", "a?x=1", "a%2f", "é"] {
            assert!(checked(bad, "network").is_err(), "{bad}");
        }
    }
}
