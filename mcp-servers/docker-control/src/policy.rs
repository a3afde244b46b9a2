//! What the engine does when a container's process ends.

use mcp_kit::engine::{Engine, WAIT};
use mcp_kit::failure::Failure;
use mcp_kit::reply::{reason, timestamp};
use mcp_kit::target::Target;
use serde_json::{Value, json};

use crate::arguments::{Policy, SetPolicy};
use crate::results::PolicySet;

/// The most restarts that a call may allow.
const RETRIES_MAX: u32 = 1000;

/// Sets the restart policy of a container; it takes effect at the next end of its process.
pub async fn set(engine: &Engine, asked: SetPolicy) -> Result<PolicySet, Failure> {
    let retries = match (asked.policy, asked.max_retries) {
        (Policy::OnFailure, Some(retries)) if retries <= RETRIES_MAX => retries,
        (Policy::OnFailure, None) | (_, None | Some(0)) => 0,
        (Policy::OnFailure, Some(_)) => {
            return Err(Failure::Invalid(format!("max_retries: at most {RETRIES_MAX}")));
        }
        _ => {
            return Err(Failure::Invalid(
                "max_retries belongs to the policy on-failure only".to_owned(),
            ));
        }
    };
    let name = &asked.container_name;
    let expected = asked.expect_started_at.as_deref();
    let target = engine.changeable("set_restart_policy", name, expected).await?;
    if target.switch("/HostConfig/AutoRemove") && asked.policy != Policy::No {
        return Err(Failure::Conflict(format!(
            "{} was created with --rm, which allows no restart policy; nothing was changed",
            target.name
        )));
    }
    let before = words(&target);
    let wanted = format(asked.policy.as_str(), i64::from(retries));
    let changed = before != wanted;
    if changed {
        let body = json!({
            "RestartPolicy": { "Name": asked.policy.as_str(), "MaximumRetryCount": retries }
        });
        let doing = format!("set the restart policy of {}", target.name);
        engine
            .post(&format!("/containers/{}/update", target.id), Some(&body), WAIT, &doing)
            .await?;
    }
    let now = engine.inspect(&target.id).await?;
    let new = words(&now);
    Ok(PolicySet {
        success: true,
        message: if changed {
            format!("the restart policy of {} was {before} and is {new}", now.name)
        } else {
            format!("the restart policy of {} is {new} already; nothing was changed", now.name)
        },
        reason: reason(asked.reason.as_deref()),
        timestamp: timestamp(),
        container: now.name,
        container_id: now.id,
        changed,
        previous: before,
        new,
    })
}

/// `on-failure:5`, as a command line has it.
pub fn words(target: &Target) -> String {
    let name = target.text("/HostConfig/RestartPolicy/Name");
    let retries = target.inspect.pointer("/HostConfig/RestartPolicy/MaximumRetryCount");
    format(name, retries.and_then(Value::as_i64).unwrap_or_default())
}

fn format(name: &str, retries: i64) -> String {
    match name {
        "" => "no".to_owned(),
        "on-failure" if retries > 0 => format!("on-failure:{retries}"),
        name => name.to_owned(),
    }
}
