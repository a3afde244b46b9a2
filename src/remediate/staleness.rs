//! Whether the world still is as a plan assumes.

use std::collections::BTreeSet;
use std::time::Duration;

use sentinel_core::domain::container::Container;
use sentinel_core::domain::ids::ContainerId;
use sentinel_core::domain::plan::{Fix, Plan, Preconditions};
use serde_json::Value;

use crate::ports::Monitor;

/// How long one look at a container may take.
const LOOK: Duration = Duration::from_secs(15);

/// Looks at every target. `Err` says what changed, or that it could not be seen; either way
/// nothing may be called.
pub(crate) async fn check(plan: &Plan, monitor: &dyn Monitor) -> Result<(), String> {
    let Some(first) = plan.steps.first() else {
        return Err("the plan has no steps".to_owned());
    };
    if plan.digest() != plan.sha256 {
        return Err("the plan is not the one that was approved".to_owned());
    }
    let now = look(monitor, &first.target.id, &first.target.name).await?;
    if let Some(change) = changed(&plan.preconditions, &now) {
        return Err(format!("{}: {change}", first.target.name));
    }
    let mut seen = BTreeSet::from([&first.target.id]);
    for step in &plan.steps {
        if seen.insert(&step.target.id) {
            let now = look(monitor, &step.target.id, &step.target.name).await?;
            if let Some(change) = moved(step, &now) {
                return Err(format!("{}: {change}", step.target.name));
            }
        }
    }
    Ok(())
}

/// The container as it is now.
pub(crate) async fn look(
    monitor: &dyn Monitor,
    id: &ContainerId,
    name: &str,
) -> Result<Container, String> {
    match tokio::time::timeout(LOOK, monitor.inspect(id.clone())).await {
        Ok(Ok(Some(container))) => Ok(container),
        Ok(Ok(None)) => Err(format!("{name}: the container {} is gone", id.short())),
        Ok(Err(error)) => Err(format!("{name} could not be looked at: {error}")),
        Err(_) => {
            Err(format!("{name} could not be looked at: no answer within {} s", LOOK.as_secs()))
        }
    }
}

/// Which precondition does not hold any more.
fn changed(planned: &Preconditions, now: &Container) -> Option<String> {
    if planned.image_id != now.image_id {
        return Some("its image changed since the plan was made".to_owned());
    }
    if planned.config_hash != now.config_hash {
        return Some("its configuration changed since the plan was made".to_owned());
    }
    if planned.started_at.is_empty() {
        // It starts and dies all the time: the plan is for its configuration, whatever the run.
        return None;
    }
    if planned.running != now.is_up() {
        let state = now.state;
        return Some(format!("it is {state} now, which it was not when the plan was made"));
    }
    restarted(&planned.started_at, now)
}

/// A step's own expectation, for targets that the preconditions are not about.
fn moved(step: &Fix, now: &Container) -> Option<String> {
    let expected = step.call.arguments.get("expect_started_at").and_then(Value::as_str)?;
    restarted(expected, now)
}

fn restarted(expected: &str, now: &Container) -> Option<String> {
    (expected != now.started_at_raw).then(|| {
        format!(
            "it was started again since the plan was made (at {}, then {expected})",
            now.started_at_raw
        )
    })
}
