//! What the result of one step changes in the calls after it: a container that was replaced has a
//! new id, one that was started has a new start time.

use std::collections::BTreeMap;

use jiff::Timestamp;
use sentinel_core::domain::ids::ContainerId;
use sentinel_core::domain::plan::Plan;
use sentinel_core::domain::tool::ToolCall;
use serde_json::Value;

/// Arguments that name the target.
const TARGETS: &[&str] = &["container_name", "container_id", "container"];
/// The argument that names the expected start.
const STARTED: &str = "expect_started_at";

/// What was learnt so far.
#[derive(Clone, Debug, Default)]
pub(crate) struct Carry {
    /// Planned id to present id.
    ids: BTreeMap<ContainerId, ContainerId>,
    /// Start time by planned id.
    started: BTreeMap<ContainerId, String>,
}

impl Carry {
    /// What the steps of a plan left, as its incident remembers it.
    pub(crate) fn of(plan: &Plan) -> Self {
        let replaced =
            plan.steps.iter().filter_map(|s| Some((s.target.id.clone(), s.replaced_by.clone()?)));
        Self { ids: replaced.collect(), started: BTreeMap::new() }
    }

    /// The id under which a target is to be found now.
    pub(crate) fn now(&self, planned: &ContainerId) -> ContainerId {
        self.ids.get(planned).unwrap_or(planned).clone()
    }

    /// Reads the result of a successful step on `planned`. Returns the new id if it says that the
    /// container was replaced; nothing is believed until [`Carry::replaced`].
    pub(crate) fn learn(&mut self, planned: &ContainerId, value: &Value) -> Option<ContainerId> {
        let text = |key: &str| value.get(key).and_then(Value::as_str);
        if let Some(at) = text("started_at").filter(|at| at.parse::<Timestamp>().is_ok()) {
            self.started.insert(planned.clone(), at.to_owned());
        }
        let new = text("new_container_id").filter(|id| is_full_id(id))?;
        let new = ContainerId(new.to_owned());
        (new != self.now(planned)).then_some(new)
    }

    /// Takes a new id for good, and the new container's start time as it was seen.
    pub(crate) fn replaced(&mut self, planned: &ContainerId, new: ContainerId, started: String) {
        self.ids.insert(planned.clone(), new);
        self.started.insert(planned.clone(), started);
    }

    /// A call on `planned` as it has to be made now.
    pub(crate) fn adapt(&self, call: &ToolCall, planned: &ContainerId) -> ToolCall {
        let mut call = call.clone();
        if let Some(new) = self.ids.get(planned) {
            for key in TARGETS {
                if let Some(Value::String(text)) = call.arguments.get_mut(*key)
                    && text == planned.as_str()
                {
                    new.as_str().clone_into(text);
                }
            }
        }
        if let Some(at) = self.started.get(planned)
            && let Some(Value::String(text)) = call.arguments.get_mut(STARTED)
            // The same instant in another form stays as it was planned.
            && text.parse::<Timestamp>().ok() != at.parse::<Timestamp>().ok()
        {
            at.clone_into(text);
        }
        call
    }
}

fn is_full_id(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const PLANNED: &str = "2026-01-01T00:00:00.5Z";

    fn id(letter: &str) -> ContainerId {
        ContainerId(letter.repeat(64))
    }

    fn call(id: &ContainerId) -> ToolCall {
        ToolCall::new(
            "t",
            [
                ("container_name", json!(id)),
                (STARTED, json!(PLANNED)),
                ("reason", json!(format!("about {id}"))),
            ],
        )
    }

    #[test]
    fn a_replaced_container_is_called_by_its_new_id() {
        let mut carry = Carry::default();
        let result = json!({"new_container_id": id("b"), "started_at": "2026-01-02T00:00:00Z"});
        let new = carry.learn(&id("a"), &result).unwrap();
        // Not before it was looked at.
        assert_eq!(
            carry.adapt(&call(&id("a")), &id("a")).arguments["container_name"],
            json!(id("a"))
        );
        carry.replaced(&id("a"), new, "2026-01-03T00:00:00Z".to_owned());
        let adapted = carry.adapt(&call(&id("a")), &id("a"));
        assert_eq!(adapted.arguments["container_name"], json!(id("b")));
        assert_eq!(adapted.arguments[STARTED], "2026-01-03T00:00:00Z");
        assert_eq!(adapted.arguments["reason"], call(&id("a")).arguments["reason"]);
        // Another container's call stays, and one that is only started is expected to have been.
        carry.learn(&id("d"), &json!({"started_at": "2026-01-04T00:00:00Z"}));
        let adapted = carry.adapt(&call(&id("d")), &id("d"));
        assert_eq!(adapted.arguments[STARTED], "2026-01-04T00:00:00Z");
        assert_eq!(carry.adapt(&call(&id("c")), &id("c")), call(&id("c")));
    }

    #[test]
    fn what_changes_nothing_changes_nothing() {
        let mut carry = Carry::default();
        for result in [
            json!({}),
            json!({"started_at": "2026-01-01T00:00:00.500000000Z", "new_container_id": id("a")}),
            json!({"started_at": "now", "new_container_id": "api"}),
            json!([1]),
        ] {
            assert_eq!(carry.learn(&id("a"), &result), None);
            assert_eq!(carry.adapt(&call(&id("a")), &id("a")), call(&id("a")));
        }
    }
}
